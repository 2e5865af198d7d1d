"""Who came, by whose link, and never a guess."""

from __future__ import annotations

from bots.message import Joined, JoinRequested, Left, Reply
from tests.bots.telegram.harness import TelegramHarness, eventually, open_harness


async def heard(at: TelegramHarness, count: int = 1) -> list[object]:
    await eventually(lambda: len(at.script.heard) >= count)
    return list(at.script.heard)


async def test_a_friend_by_a_members_link_is_certain() -> None:
    async with open_harness() as at:
        link = await at.adapter.make_invite(str(at.community.id), "Alice")
        carol = at.api.person("Carol")
        at.api.membership(carol, at.community, "member", invite_link=at.community.links[link])
        [joined] = await heard(at)
        assert isinstance(joined, Joined)
        assert (joined.person.name, joined.invite, joined.certainty) == ("Carol", link, "invite")
        assert joined.at.tzinfo is not None


async def test_a_friend_without_a_link_stays_unknown() -> None:
    async with open_harness() as at:
        at.api.membership(at.api.person("Carol"), at.community, "member")
        at.api.membership(at.api.person("Dave"), at.community, "member", by=at.bob)
        at.api.membership(at.api.person("Eve"), at.community, "member", by=at.alice, via_join_request=True)
        joins = [one for one in await heard(at, 3) if isinstance(one, Joined)]
        assert [(one.invite, one.inviter, one.certainty) for one in joins] == [
            (None, None, "unknown"),
            (None, str(at.bob.id), "inviter_hint"),
            (None, None, "unknown"),
        ]


async def test_another_admins_link_is_hidden_and_therefore_unknown() -> None:
    async with open_harness() as at:
        link = {"invite_link": "https://t.me/+abcd...", "creator": at.alice.json(), "creates_join_request": False}
        at.api.membership(
            at.api.person("Carol"),
            at.community,
            "member",
            invite_link=link | {"is_primary": False, "is_revoked": False},
        )
        [joined] = await heard(at)
        assert isinstance(joined, Joined)
        assert (joined.invite, joined.certainty) == (None, "unknown")


async def test_only_crossing_the_door_counts() -> None:
    async with open_harness() as at:
        carol = at.api.person("Carol")
        for status in ("member", "restricted", "administrator", "restricted_out", "restricted", "left", "kicked"):
            at.api.membership(carol, at.community, status)
        at.api.membership(at.api.person("A bot", is_bot=True), at.community, "member")
        at.api.membership(at.api.person("Last"), at.community, "member")
        kinds = [type(one) for one in await heard(at, 5)]
        assert kinds == [Joined, Left, Joined, Left, Joined]


async def test_a_bot_without_rights_hears_joins_from_service_messages() -> None:
    async with open_harness() as at:
        carol, dave = at.api.person("Carol"), at.api.person("Dave")
        base = {"message_id": 1, "date": 1_760_000_000, "chat": at.community.json()}
        at.api.inject(message=base | {"from": carol.json(), "new_chat_members": [carol.json()]})
        at.api.inject(message=base | {"from": at.bob.json(), "new_chat_members": [dave.json(), at.api.bot.json()]})
        at.api.inject(message=base | {"from": dave.json(), "left_chat_member": dave.json()})
        carols, daves, left = await heard(at, 3)
        assert isinstance(carols, Joined)
        assert isinstance(daves, Joined)
        assert (carols.certainty, carols.inviter) == ("unknown", None)
        assert (daves.certainty, daves.inviter) == ("inviter_hint", str(at.bob.id))
        assert isinstance(left, Left)


async def test_the_gate_asks_in_private_and_opens() -> None:
    async with open_harness() as at:
        group = str(at.community.id)
        link = await at.adapter.make_invite(group, "Alice")
        at.script.answer = lambda incoming: [Reply("Are you a person?")]
        carol = at.api.person("Carol", started=True)
        at.api.ask_to_join(carol, at.community, invite_link=at.community.links[link])
        [asked] = await heard(at)
        assert isinstance(asked, JoinRequested)
        assert (asked.invite, asked.place.group) == (link, group)
        await eventually(lambda: [seen.text for seen in at.api.seen(carol)] == ["Are you a person?"])

        await at.adapter.approve(group, str(carol.id))
        assert at.community.statuses[carol.id] == "member"
        await at.adapter.approve(group, str(carol.id))  # decided already: nothing more to do
        await at.adapter.decline(group, str(carol.id))


async def test_memberships_come_only_because_we_ask() -> None:
    async with open_harness() as at:
        at.api._allowed = None  # as a library with its defaults would have it
        assert at.api.membership(at.api.person("Carol"), at.community, "member") == 0
