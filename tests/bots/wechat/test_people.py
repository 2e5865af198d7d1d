"""Who came, who went, who asks to be a friend."""

from __future__ import annotations

from typing import Any

import pytest

from bots.message import BotPlaced, Joined, Left, Present, Reachable, Reply, Said
from tests.bots.wechat.harness import WeChatHarness
from tests.bots.wechat.process import GROUP

pytestmark = pytest.mark.needs("node")


async def heard(wechat: WeChatHarness, kind: type[Any], count: int = 1) -> list[Any]:
    def enough() -> list[Any]:
        found = [one for one in wechat.script.heard if isinstance(one, kind)]
        return found if len(found) >= count else []

    return list(await wechat.eventually(enough))


async def test_alice_brings_carol_into_the_group(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("join", who=["carol"], by="alice")
    joined = (await heard(wechat, Joined))[0]
    assert (joined.person.account, joined.person.name) == ("wxid_carol", "Carol")
    assert (joined.place.group, joined.place.title) == (GROUP, "推荐群")
    assert (joined.inviter, joined.certainty) == ("wxid_alice", "inviter_hint")
    assert joined.at.year >= 2026


async def test_a_join_without_inviter_or_time_is_told_and_hinted_at(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("member", who="carol", payload={"inviterId": "wxid_bob"})
    await wechat.gateway.do("emit", event="room-join", payload={"roomId": GROUP, "inviteeIdList": ["wxid_carol"]})
    joined = (await heard(wechat, Joined))[0]
    assert (joined.inviter, joined.certainty) == ("wxid_bob", "inviter_hint")


async def test_a_join_nobody_can_explain_stays_unknown(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("emit", event="room-join", payload={"roomId": GROUP, "inviteeIdList": ["wxid_carol"]})
    joined = (await heard(wechat, Joined))[0]
    assert (joined.inviter, joined.certainty) == (None, "unknown")


async def test_the_bots_own_invitation_hints_at_nobody(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("join", who=["carol"], by="bot")
    assert (await heard(wechat, Joined))[0].certainty == "unknown"


async def test_a_join_of_somebody_the_gateway_does_not_know_is_not_lost(wechat: WeChatHarness) -> None:
    payload = {
        "roomId": GROUP,
        "inviteeIdList": ["wxid_ghost", "wxid_carol"],
        "inviterId": "wxid_alice",
        "timestamp": 1,
    }
    await wechat.gateway.do("emit", event="room-join", payload=payload)
    joined = await heard(wechat, Joined, 2)
    assert [(one.person.account, one.person.name) for one in joined] == [
        ("wxid_ghost", "wxid_ghost"),
        ("wxid_carol", "Carol"),
    ]


async def test_somebody_known_only_in_the_room_goes_by_the_name_there(wechat: WeChatHarness) -> None:
    await heard(wechat, Present)
    await wechat.gateway.do("fail", call="contactPayload")
    await wechat.gateway.do("member", who="carol", payload={"roomAlias": "群里的小卡"})
    await wechat.gateway.do("join", who=["carol"], by="alice")
    assert (await heard(wechat, Joined))[0].person.name == "群里的小卡"


async def test_bob_leaves(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("leave", who=["bob"], by="bob")
    left = (await heard(wechat, Left))[0]
    assert (left.person.account, left.place.group) == ("wxid_bob", GROUP)


async def test_a_friend_request_is_accepted_and_its_greeting_heard(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda incoming: [Reply("欢迎")] if isinstance(incoming, Said) else []
    await wechat.gateway.do("befriend", **{"from": "carol"}, hello="邀请码 ABCD2345")
    assert [seen.text for seen in await wechat.seen("carol", 1)] == ["欢迎"]
    said = (await heard(wechat, Said))[0]
    assert (said.person.name, said.text, said.key) == ("Carol", "邀请码 ABCD2345", "friendship_carol")
    assert said.place.group is None
    assert "friendshipAccept" in [call["name"] for call in await wechat.gateway.do("calls")]


async def test_a_friend_request_without_words_is_a_start(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("befriend", **{"from": "carol"}, hello="")
    assert (await heard(wechat, Said))[0].text == "/start"


async def test_a_request_that_cannot_be_accepted_still_tells_its_code(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("fail", call="friendshipAccept")
    await wechat.gateway.do("befriend", **{"from": "carol"}, hello="邀请码 ABCD2345")
    assert (await heard(wechat, Said))[0].text == "邀请码 ABCD2345"
    assert "friendship_carol" in wechat.store.quarantined[0][0]


@pytest.mark.parametrize(("kind", "reachable"), [(1, True), (3, False)])
async def test_a_friendship_made_or_refused(wechat: WeChatHarness, kind: int, reachable: bool) -> None:
    await wechat.gateway.do("befriend", **{"from": "carol"}, hello="", type=kind)
    assert (await heard(wechat, Reachable))[0].reachable is reachable


async def test_the_bot_is_brought_into_a_group(wechat: WeChatHarness) -> None:
    await heard(wechat, Present)
    await wechat.gateway.do("invite", id="invitation1")

    async def entered() -> bool:
        calls = await wechat.gateway.do("calls")
        return {"name": "roomInvitationAccept", "args": ["invitation1"]} in calls

    await wechat.eventually(entered)
    members = ["wxid_alice", "wxid_carol"]
    await wechat.gateway.do("room", payload={"id": "new@chatroom", "topic": "新群", "memberIdList": members})
    await wechat.gateway.do("join", who=["bot"], by="alice", room="new@chatroom")
    placed = (await heard(wechat, BotPlaced))[0]
    assert placed.present
    assert placed.place.title == "新群"
    assert placed.by is not None
    assert placed.by.name == "Alice"
    present = (await heard(wechat, Present, 2))[-1]
    assert {person.name for person in present.people} == {"Alice", "Carol"}


async def test_the_bot_is_put_out_of_a_group(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("leave", who=["bot"], by="alice")
    assert (await heard(wechat, BotPlaced))[0].present is False
    assert await wechat.adapter.diagnose(GROUP) == ["the account is not a member of the room"]


async def test_a_room_of_five_hundred_is_read_whole(wechat: WeChatHarness) -> None:
    members = ["wxid_bot", *(f"wxid_{number}" for number in range(500))]
    await wechat.gateway.do("room", payload={"id": "big@chatroom", "topic": "大群", "memberIdList": members})
    await wechat.gateway.do("logout")
    await wechat.gateway.do("login")
    present = await heard(wechat, Present, 3)
    assert {len(one.people) for one in present if one.place.group == "big@chatroom"} == {500}


async def test_a_group_with_a_new_name(wechat: WeChatHarness) -> None:
    await heard(wechat, Present)
    await wechat.gateway.do(
        "emit", event="room-topic", payload={"roomId": GROUP, "newTopic": "新名字", "oldTopic": "推荐群"}
    )
    await wechat.say("alice", "邀请", group=True)
    assert (await heard(wechat, Said))[0].place.title == "新名字"
