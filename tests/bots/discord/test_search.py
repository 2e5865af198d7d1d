"""A join whose invite stayed open may be confirmed later, when Discord's index knows the member."""

from __future__ import annotations

from bots.message import Joined
from tests.bots.discord.harness import eventually, opened
from tests.bots.discord.world import GUILD, Refusal

LINK = "https://discord.gg/"


async def test_ambiguous_joins_are_confirmed_by_one_search() -> None:
    async with opened(search_after=0.1) as discord:
        links = [await discord.adapter.make_invite(GUILD, name) for name in ("Alice", "Bob")]
        for name, link in zip(("carol", "dave"), links, strict=True):
            await discord.server.join(name, link.removeprefix(LINK))
        await eventually(lambda: len(discord.heard(Joined)) == 4)

        told = [(join.person.handle, join.certainty, join.invite) for join in discord.heard(Joined)]
        assert told[:2] == [("carol", "ambiguous", None), ("dave", "ambiguous", None)]
        assert told[2:] == [("carol", "search", links[0]), ("dave", "search", links[1])]
        assert len(discord.server.called("POST", "/members-search")) == 1


async def test_an_index_that_is_not_ready_is_asked_again() -> None:
    async with opened(search_after=0.02) as discord:
        discord.server.index_builds = 2
        discord.server.invite("gone")
        discord.server.broken[f"/guilds/{GUILD}/invites"] = Refusal(403, {"code": 50013, "message": "no"})
        await discord.server.join("carol", "gone")
        await eventually(lambda: len(discord.heard(Joined)) == 2)

        assert [join.certainty for join in discord.heard(Joined)] == ["unknown", "search"]
        assert discord.heard(Joined)[1].invite == LINK + "gone"


async def test_a_join_by_the_vanity_address_stays_unknown_and_is_asked_for_once() -> None:
    async with opened(search_after=0.02) as discord:
        await discord.server.join("carol", None)
        await eventually(lambda: discord.server.called("POST", "/members-search"))
        await discord.server.join("dave", None)
        await eventually(lambda: len(discord.server.called("POST", "/members-search")) == 2)

        asked = [call.body["and_query"]["user_id"]["or_query"] for call in discord.server.called("POST", "-search")]
        assert asked == [[discord.server.user("carol").id], [discord.server.user("dave").id]]
        assert {join.certainty for join in discord.heard(Joined)} == {"unknown"}


async def test_a_server_that_does_not_let_us_search_is_left_in_peace() -> None:
    async with opened(search_after=0.02) as discord:
        discord.server.broken[f"/guilds/{GUILD}/members-search"] = Refusal(403, {"code": 50001, "message": "no"})
        await discord.server.join("carol", None)
        await eventually(lambda: discord.server.called("POST", "/members-search"))
        await discord.server.join("dave", None)
        await eventually(lambda: len(discord.heard(Joined)) == 2)

        assert discord.adapter.status.state == "ready"


async def test_a_certain_join_is_not_asked_for() -> None:
    async with opened(search_after=0.0) as discord:
        link = await discord.adapter.make_invite(GUILD, "Alice")
        await discord.server.join("carol", link.removeprefix(LINK))
        await eventually(lambda: discord.heard(Joined))
        await discord.server.leave("carol")
        await eventually(lambda: len(discord.script.heard) >= 3)

        assert discord.server.called("POST", "/members-search") == []
