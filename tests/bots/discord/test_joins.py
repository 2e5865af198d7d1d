"""Who invited whom: the certainty of each join."""

from __future__ import annotations

from bots.message import BotPlaced, Joined, Left
from tests.bots.discord.harness import DiscordHarness, eventually, opened
from tests.bots.discord.world import GUILD, Refusal

LINK = "https://discord.gg/"


async def joined(discord: DiscordHarness, count: int = 1) -> list[Joined]:
    """Wait until this many joins were told."""
    await eventually(lambda: len(discord.heard(Joined)) >= count)
    return discord.heard(Joined)


async def test_one_join_and_one_changed_counter_belong_together(discord: DiscordHarness) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.join("carol", link.removeprefix(LINK))

    carol = (await joined(discord))[0]
    assert (carol.person.handle, carol.certainty, carol.invite) == ("carol", "counter", link)
    assert carol.at == discord.server.guilds[GUILD].members[carol.person.account].joined_at
    assert (carol.place.group, carol.place.address.chat) == (GUILD, f"c:{GUILD}1")


async def test_two_joins_one_after_another_are_both_certain(discord: DiscordHarness) -> None:
    alices = await discord.adapter.make_invite(GUILD, "Alice")
    bobs = await discord.adapter.make_invite(GUILD, "Bob")
    await discord.server.join("carol", alices.removeprefix(LINK))
    await joined(discord)
    await discord.server.join("dave", bobs.removeprefix(LINK))

    assert [(j.certainty, j.invite) for j in await joined(discord, 2)] == [("counter", alices), ("counter", bobs)]


async def test_two_joins_between_two_readings_are_ambiguous_and_credited_to_nobody(discord: DiscordHarness) -> None:
    alices = await discord.adapter.make_invite(GUILD, "Alice")
    bobs = await discord.adapter.make_invite(GUILD, "Bob")
    await discord.server.join("carol", alices.removeprefix(LINK))
    await discord.server.join("dave", bobs.removeprefix(LINK))

    for join in await joined(discord, 2):
        assert (join.certainty, join.invite) == ("ambiguous", None)
        assert set(join.candidates) == {alices, bobs}


async def test_two_joins_by_one_invite_are_ambiguous_too(discord: DiscordHarness) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.join("carol", link.removeprefix(LINK))
    await discord.server.join("dave", None)

    assert [(j.certainty, j.candidates) for j in await joined(discord, 2)] == [("ambiguous", (link,))] * 2


async def test_a_join_that_arrives_while_the_reading_is_under_way_lies_between_the_same_readings(
    discord: DiscordHarness,
) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.join("visitor", None, silent=True)  # counted nowhere, told while we read

    async def tell_late(call: object) -> None:
        if "/invites" in str(call):
            discord.server.before_answer = None
            await discord.server.announce("visitor")

    discord.server.before_answer = tell_late
    await discord.server.join("carol", link.removeprefix(LINK))

    assert [(j.person.handle, j.certainty) for j in await joined(discord, 2)] == [
        ("carol", "ambiguous"),
        ("visitor", "ambiguous"),
    ]


async def test_a_join_that_no_counter_shows_is_unknown(discord: DiscordHarness) -> None:
    await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.join("carol", None)  # by the vanity address

    carol = (await joined(discord))[0]
    assert (carol.certainty, carol.invite, carol.candidates) == ("unknown", None, ())


async def test_a_single_use_invite_vanishes_with_its_join(discord: DiscordHarness) -> None:
    discord.server.invite("once", max_uses=1)
    await discord.server.tell_created("once")
    await discord.server.join("carol", "once")

    carol = (await joined(discord))[0]
    assert (carol.certainty, carol.invite) == ("single_use", LINK + "once")


async def test_a_single_use_invite_that_expired_is_only_a_candidate(discord: DiscordHarness) -> None:
    discord.server.invite("once", max_uses=1)
    await discord.server.tell_created("once")
    del discord.server.guilds[GUILD].invites["once"]
    await discord.server.join("carol", None)

    carol = (await joined(discord))[0]
    assert (carol.certainty, carol.candidates) == ("ambiguous", (LINK + "once",))


async def test_somebody_announced_twice_joined_once(discord: DiscordHarness) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    await discord.server.join("carol", link.removeprefix(LINK))
    await joined(discord)
    await discord.server.announce("carol")
    await discord.server.announce("bob")  # a member of old
    await discord.server.join("dave", None)

    assert [join.person.handle for join in await joined(discord, 2)] == ["carol", "dave"]


async def test_leaving_and_coming_back_is_told_in_order(discord: DiscordHarness) -> None:
    await discord.server.join("carol", None)
    await joined(discord)
    await discord.server.leave("carol")
    await discord.server.join("carol", None)
    await joined(discord, 2)

    moves = [type(heard).__name__ for heard in discord.script.heard if isinstance(heard, Joined | Left)]
    assert moves == ["Joined", "Left", "Joined"]


async def test_bots_are_nobodys_friends(discord: DiscordHarness) -> None:
    link = await discord.adapter.make_invite(GUILD, "Alice")
    discord.server.user("musicbot").bot = True
    await discord.server.join("musicbot", None)
    await discord.server.join("carol", link.removeprefix(LINK))

    assert [(j.person.handle, j.certainty) for j in await joined(discord)] == [("carol", "counter")]


async def test_a_reading_that_failed_makes_the_next_join_ambiguous_not_wrong() -> None:
    async with opened() as discord:
        link = await discord.adapter.make_invite(GUILD, "Alice")
        discord.server.broken[f"/guilds/{GUILD}/invites"] = Refusal(503)
        await discord.server.join("carol", link.removeprefix(LINK))
        assert (await joined(discord))[0].certainty == "unknown"

        discord.server.broken.clear()
        await discord.server.join("dave", None)  # carol's use is in this reading
        dave = (await joined(discord, 2))[1]
        assert (dave.certainty, dave.invite) == ("ambiguous", None)


async def test_without_manage_server_every_join_is_unknown_and_the_bot_goes_on(discord: DiscordHarness) -> None:
    discord.server.broken[f"/guilds/{GUILD}/invites"] = Refusal(403, {"code": 50013, "message": "Missing Permissions"})
    await discord.server.join("carol", None)

    assert (await joined(discord))[0].certainty == "unknown"


async def test_a_new_guild_is_told_with_the_rights_that_are_missing(discord: DiscordHarness) -> None:
    guild = discord.server.add_guild("7001", "Shop", permissions=1 << 10 | 1 << 11)
    await discord.server.gateway.emit("GUILD_CREATE", guild.json(), "7001")
    placed = (await eventually(lambda: discord.heard(BotPlaced)))[0]
    assert (placed.present, placed.place.group, placed.place.title) == (True, "7001", "Shop")
    assert any(right.startswith("Manage Server") for right in placed.missing)

    await discord.server.gateway.emit("GUILD_DELETE", {"id": "7001"}, "7001")
    await eventually(lambda: len(discord.heard(BotPlaced)) == 2)
    assert not discord.heard(BotPlaced)[1].present
