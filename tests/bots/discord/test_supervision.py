"""What kills discord.py does not kill the adapter; what only the operator can mend is said clearly."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bots.adapter import SendError
from bots.message import Address, Joined, Present, Reply
from tests.bots.discord.harness import DiscordHarness, eventually, opened
from tests.bots.discord.world import GUILD, TOKEN, Refusal

MALFORMED = [
    ("GUILD_MEMBER_ADD", {"guild_id": GUILD}),
    ("INTERACTION_CREATE", {"id": "5", "type": 2}),
    ("MESSAGE_CREATE", {"id": "not a number", "channel_id": "1"}),
    ("GUILD_CREATE", {"id": "9", "roles": [{}]}),
    ("INVITE_DELETE", []),
]


@pytest.mark.parametrize(("event", "data"), MALFORMED)
async def test_a_malformed_payload_is_put_aside_and_the_bot_comes_back(
    discord: DiscordHarness, event: str, data: object
) -> None:
    await discord.server.gateway.emit(event, data)

    await eventually(lambda: len(discord.heard(Present)) == 2)
    raw, error = discord.store.quarantined[0]
    assert event in raw
    assert error
    assert discord.adapter.status.state == "ready"
    discord.script.answer = lambda incoming: [Reply("still here")]
    await discord.say("alice", "/me")
    assert (await discord.seen("alice", 1))[0].text == "still here"


async def test_joins_are_not_lost_over_a_malformed_payload(discord: DiscordHarness) -> None:
    await discord.server.join("carol", None)
    await eventually(lambda: discord.heard(Joined))
    await discord.server.gateway.emit("GUILD_MEMBER_ADD", {"guild_id": GUILD})
    await discord.server.join("dave", None)

    await eventually(lambda: len(discord.heard(Joined)) == 2)


async def test_a_refused_first_connection_is_tried_again() -> None:
    async with opened(start=False) as discord:
        discord.server.gateway.open = False
        await discord.start(wait=False)
        await eventually(lambda: discord.adapter.status.state == "degraded")
        discord.server.gateway.open = True

        await eventually(lambda: discord.adapter.status.state == "ready")
        assert discord.store.quarantined == []


async def test_a_rest_interface_that_is_down_at_the_start_is_waited_for() -> None:
    async with opened(start=False) as discord:
        discord.server.broken["/users/@me"] = Refusal(503)
        await discord.start(wait=False)
        await eventually(lambda: discord.adapter.status.state == "degraded")
        with pytest.raises(SendError) as refused:
            await discord.adapter.send(Address("discord", "1"), Reply("hello"))
        assert not refused.value.permanent
        discord.server.broken.clear()

        await eventually(lambda: discord.adapter.status.state == "ready")


async def test_a_server_that_is_away_and_comes_back_is_found_again() -> None:
    async with opened(start=False) as discord:
        await discord.server.stop()
        await discord.start(wait=False)
        await eventually(lambda: discord.adapter.status.state == "degraded")
        await discord.server.start()

        await eventually(lambda: discord.adapter.status.state == "ready")


async def test_commands_that_cannot_be_published_do_not_stop_the_bot() -> None:
    async with opened(start=False) as discord:
        discord.server.broken["/applications/"] = Refusal(403, {"code": 50001, "message": "Missing Access"})
        await discord.start()
        assert discord.adapter.status.state == "ready"


async def test_a_wrong_token_ends_it_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened(start=False, token="wrong-secret-token") as discord:
        with pytest.raises(SendError, match="token"):
            await discord.adapter.run(discord.script)
        assert discord.adapter.status.state == "down"
        assert "token" in discord.adapter.status.detail
    assert "wrong-secret-token" not in caplog.text


async def test_a_token_revoked_at_the_gateway_ends_it_with_what_to_do() -> None:
    async with opened(start=False) as discord:
        discord.server.gateway.token = "another"
        with pytest.raises(SendError, match="4004"):
            await discord.adapter.run(discord.script)


async def test_a_missing_intent_ends_it_with_what_to_do() -> None:
    async with opened(start=False) as discord:
        discord.server.gateway.allow_members_intent = False
        with pytest.raises(SendError, match="Server Members Intent"):
            await discord.adapter.run(discord.script)
        assert discord.adapter.status.state == "down"


async def test_the_token_is_never_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with opened() as discord:
        await discord.server.gateway.emit("GUILD_MEMBER_ADD", {"guild_id": GUILD})
        await eventually(lambda: len(discord.heard(Present)) == 2)
        assert TOKEN not in repr(discord.settings)
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("tests")]
    assert not [line for line in ours if TOKEN in line]


async def test_close_finishes_what_was_accepted(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("one"), Reply("two"), Reply("three")]
    await discord.server.write("alice", "hello")
    await eventually(lambda: discord.server.private_messages("alice"))
    await discord.adapter.close()

    assert discord.running is not None
    await asyncio.wait_for(discord.running, 5)
    assert [message.content for message in discord.server.private_messages("alice")] == ["one", "two", "three"]
    assert discord.adapter.status.state == "down"


async def test_cancelled_it_leaves_nothing_running() -> None:
    async with opened() as discord:
        assert discord.running is not None
        discord.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await discord.running
        await eventually(lambda: not discord.server.gateway.connected())
        left = [task.get_name() for task in asyncio.all_tasks() if "discord" in task.get_name().lower()]
        assert left == []


async def test_a_connection_that_is_away_too_long_is_made_anew() -> None:
    """The library would sleep longer and longer between its own tries."""
    async with opened(start=False, give_up_after=0.2) as discord:
        discord.server.gateway.identify = False  # connected, but no READY ever comes
        await discord.start(wait=False)
        await eventually(lambda: len(discord.server.gateway.identifies) >= 2)
        assert discord.adapter.status.state == "degraded"
        discord.server.gateway.identify = True

        await eventually(lambda: discord.adapter.status.state == "ready")


async def test_a_message_that_comes_after_close_began_is_not_half_done(discord: DiscordHarness) -> None:
    discord.script.answer = lambda incoming: [Reply("yes")]
    closing = asyncio.create_task(discord.adapter.close())
    await asyncio.sleep(0)
    await discord.server.write("alice", "hello")
    await closing

    assert discord.server.private_messages("alice") == []


async def test_a_proxy_that_changes_the_content_type_is_survived() -> None:
    async with opened(start=False) as discord:
        discord.server.charset = "utf-8"
        await discord.start(wait=False)
        await eventually(lambda: discord.adapter.status.state == "degraded" and discord.adapter.status.detail)
        await eventually(lambda: len(discord.server.called("GET", "/users/@me")) >= 2)
        discord.server.charset = ""

        await eventually(lambda: discord.adapter.status.state == "ready")
        assert discord.store.quarantined == []
