"""After every gap: who is there now, and which joins were missed."""

from __future__ import annotations

import asyncio

from bots.message import Joined, Left, Present
from tests.bots.discord.harness import DiscordHarness, eventually, opened
from tests.bots.discord.payloads import Membership, User
from tests.bots.discord.world import GUILD, Call, World

LINK = "https://discord.gg/"


def handles(present: Present) -> set[str | None]:
    return {person.handle for person in present.people}


async def test_at_first_everybody_is_read_and_nobody_counts_as_new(discord: DiscordHarness) -> None:
    present = discord.heard(Present)[0]

    assert handles(present) == {"alice", "bob"}  # the bot itself is nobody
    assert present.complete
    assert present.place.group == GUILD
    assert discord.heard(Joined) == []


async def test_a_lost_connection_is_resumed_and_the_missed_join_is_replayed_with_its_invite(
    discord: DiscordHarness,
) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.gateway.cut()
    await discord.server.join("carol", link.removeprefix(LINK))

    carol = (await eventually(lambda: discord.heard(Joined)))[0]
    assert (carol.certainty, carol.invite) == ("counter", link)
    assert discord.server.gateway.resumes == 1
    await eventually(lambda: len(discord.heard(Present)) == 2)
    assert handles(discord.heard(Present)[1]) == {"alice", "bob", "carol"}
    assert discord.adapter.status.state == "ready"


async def test_resuming_goes_through_the_configured_gateway() -> None:
    async with opened(start=False) as discord:
        discord.server.gateway.url = lambda: "ws://127.0.0.1:9/somewhere-else"
        await discord.start()
        await discord.server.gateway.cut()
        await discord.server.join("carol", None)

        await eventually(lambda: discord.heard(Joined))
        assert discord.server.gateway.resumes == 1


async def test_asked_to_reconnect_it_resumes(discord: DiscordHarness) -> None:
    await discord.server.gateway.ask_to_reconnect()
    await eventually(lambda: discord.server.gateway.resumes)
    await discord.server.join("carol", None)

    await eventually(lambda: discord.heard(Joined))


async def test_joins_of_a_lost_session_are_found_but_never_certain(discord: DiscordHarness) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.join("carol", link.removeprefix(LINK))
    await eventually(lambda: discord.heard(Joined))

    await _lose_session(discord)
    await discord.server.join("dave", link.removeprefix(LINK), silent=True)
    await eventually(lambda: len(discord.heard(Present)) == 2)

    dave = discord.heard(Joined)[1]
    assert (dave.person.handle, dave.certainty, dave.candidates) == ("dave", "ambiguous", (link,))
    assert handles(discord.heard(Present)[1]) == {"alice", "bob", "carol", "dave"}
    assert len(discord.heard(Joined)) == 2


async def test_who_left_unseen_and_came_back_is_heard_again(discord: DiscordHarness) -> None:
    """The library, left to itself, drops the join of somebody it still holds."""
    await discord.server.join("carol", None)
    await eventually(lambda: discord.heard(Joined))
    await discord.server.leave("carol", silent=True)
    await discord.server.gateway.cut()
    await eventually(lambda: len(discord.heard(Present)) == 2)
    assert handles(discord.heard(Present)[1]) == {"alice", "bob"}

    await discord.server.join("carol", None)
    await eventually(lambda: len(discord.heard(Joined)) == 2)


async def test_who_comes_back_is_heard_even_when_the_leaving_never_was(discord: DiscordHarness) -> None:
    await discord.server.join("carol", None)
    await eventually(lambda: discord.heard(Joined))
    await discord.server.leave("carol", silent=True)
    await discord.server.join("carol", None)
    await discord.server.announce("carol")
    await discord.server.join("dave", None)

    await eventually(lambda: len(discord.heard(Joined)) == 3)
    assert [join.person.handle for join in discord.heard(Joined)] == ["carol", "carol", "dave"]


async def test_who_left_and_came_back_within_the_gap_is_told_as_a_join(discord: DiscordHarness) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await _lose_session(discord)
    await discord.server.leave("bob", silent=True)
    await discord.server.join("bob", link.removeprefix(LINK), silent=True)

    bob = (await eventually(lambda: discord.heard(Joined)))[0]
    assert (bob.person.handle, bob.certainty, bob.candidates) == ("bob", "ambiguous", (link,))


async def test_readings_outlive_a_restart(discord: DiscordHarness) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.join("carol", None)
    await eventually(lambda: discord.heard(Joined))
    await discord.stop()
    await discord.server.join("dave", link.removeprefix(LINK), silent=True)
    await discord.restart()

    dave = (await eventually(lambda: len(discord.heard(Joined)) == 2 and discord.heard(Joined)))[1]
    assert (dave.person.handle, dave.certainty, dave.candidates) == ("dave", "ambiguous", (link,))

    await discord.server.join("erin", link.removeprefix(LINK))
    await eventually(lambda: len(discord.heard(Joined)) == 3)
    assert discord.heard(Joined)[2].certainty == "counter"


async def test_a_leave_is_told(discord: DiscordHarness) -> None:
    await discord.server.leave("bob")

    left = (await eventually(lambda: discord.heard(Left)))[0]
    assert (left.person.account, left.place.group) == ("2", GUILD)


async def test_a_big_guild_is_read_in_batches() -> None:
    async with opened(start=False) as discord:
        _crowd(discord.server, 2500)
        await discord.start()

        assert len(discord.heard(Present)[0].people) == 2502


async def test_a_gateway_that_does_not_list_members_is_replaced_by_rest() -> None:
    async with opened(start=False, members_timeout=0.1) as discord:
        _crowd(discord.server, 1100)
        discord.server.gateway.answer_chunks = False
        await discord.start()

        assert len(discord.heard(Present)[0].people) == 1102


def _crowd(world: World, size: int) -> None:
    for number in range(size):
        user = User(str(50_000 + number), f"member{number}")
        world.guilds[GUILD].members[user.id] = Membership(user, world.clock)


async def _lose_session(discord: DiscordHarness) -> None:
    await discord.server.gateway.forget_sessions()


async def test_a_reading_taken_while_the_connection_was_lost_is_not_trusted(discord: DiscordHarness) -> None:
    """Carol comes by the vanity address; Dave uses Alice's link while we are away: Carol must not get Dave's invite."""
    link = await discord.adapter.make_invite(GUILD, "Alice")

    async def cut_meanwhile(call: Call) -> None:
        if call.path == f"/guilds/{GUILD}/invites":
            discord.server.before_answer = None
            discord.server.gateway.open = False
            await discord.server.gateway.cut()
            await discord.server.join("dave", link.removeprefix(LINK))

    discord.server.before_answer = cut_meanwhile
    await discord.server.join("carol", None)
    await asyncio.sleep(4 * discord.settings.settle)  # long enough to believe the reading, were it believed
    assert discord.heard(Joined) == []
    discord.server.gateway.open = True
    await eventually(lambda: len(discord.heard(Joined)) == 2)

    assert [(join.person.handle, join.certainty) for join in discord.heard(Joined)] == [
        ("carol", "ambiguous"),
        ("dave", "ambiguous"),
    ]


async def test_after_an_outage_of_the_server_everybody_is_looked_at_again(discord: DiscordHarness) -> None:
    await discord.server.gateway.emit("GUILD_DELETE", {"id": GUILD, "unavailable": True}, GUILD)
    await discord.server.join("carol", None, silent=True)
    guild = discord.server.guilds[GUILD]
    await discord.server.gateway.emit("GUILD_CREATE", {**guild.json(), "unavailable": False}, GUILD)
    await eventually(lambda: len(discord.heard(Present)) == 2)

    assert [join.certainty for join in discord.heard(Joined)] == ["unknown"]
    assert "carol" in handles(discord.heard(Present)[1])
