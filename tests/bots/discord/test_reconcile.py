"""After every gap: who is there now, and which joins were missed."""

from __future__ import annotations

from bots.message import Joined, Left, Present
from tests.bots.discord.harness import DiscordHarness, eventually, opened
from tests.bots.discord.payloads import Membership, User
from tests.bots.discord.world import GUILD, World

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
    """The library would drop the join of somebody it still holds."""
    await discord.server.join("carol", None)
    await eventually(lambda: discord.heard(Joined))
    await _lose_session(discord)
    await discord.server.leave("carol", silent=True)
    await eventually(lambda: len(discord.heard(Present)) == 2)
    assert handles(discord.heard(Present)[1]) == {"alice", "bob"}

    await discord.server.join("carol", None)
    await eventually(lambda: len(discord.heard(Joined)) == 2)


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
