"""Messages outside a conversation, and what becomes of those that cannot be sent."""

from __future__ import annotations

import pytest

from bots.adapter import SendError
from bots.message import Address, Button, Image, Reply
from tests.bots.harness import Failure
from tests.bots.wechat.harness import WeChatHarness
from tests.bots.wechat.process import GROUP

pytestmark = pytest.mark.needs("node")

ALICE = Address("wechat", "wxid_alice")


async def refused(wechat: WeChatHarness, chat: str, reply: Reply) -> SendError:
    with pytest.raises(SendError) as error:
        await wechat.adapter.send(Address("wechat", chat), reply)
    return error.value


async def test_a_word_to_a_friend_and_to_a_group(wechat: WeChatHarness) -> None:
    await wechat.adapter.send(ALICE, Reply("Bob 来了"))
    await wechat.adapter.send(Address("wechat", GROUP), Reply("欢迎新人", ((Button("我要参加", action="in"),),)))
    assert [seen.text for seen in await wechat.seen("alice", 1)] == ["Bob 来了"]
    group = await wechat.seen("alice", 1, group=True)
    assert (group[0].text, group[0].buttons) == ("欢迎新人", ["我要参加"])
    await wechat.say("bob", "1", group=True)
    await wechat.eventually(lambda: [one for one in wechat.script.heard if getattr(one, "action", "") == "in"])


@pytest.mark.parametrize(
    ("failure", "permanent", "waits"),
    [("permanent", True, False), ("rate_limited", False, True), ("gone_away", False, False)],
)
async def test_a_refusal_says_what_it_is(wechat: WeChatHarness, failure: Failure, permanent: bool, waits: bool) -> None:
    await wechat.fail_next(failure)
    error = await refused(wechat, "wxid_alice", Reply("hello"))
    assert (error.permanent, error.retry_after is not None) == (permanent, waits)


async def test_an_account_that_was_too_fast_is_silent_for_a_while(wechat: WeChatHarness) -> None:
    await wechat.fail_next("rate_limited")
    await refused(wechat, "wxid_alice", Reply("hello"))
    error = await refused(wechat, "wxid_bob", Reply("hello"))
    assert error.retry_after is not None
    assert error.retry_after > 30
    assert await wechat.seen("bob", 0) == []


async def test_a_stranger_cannot_be_written_to(wechat: WeChatHarness) -> None:
    assert (await refused(wechat, "wxid_dave", Reply("hello"))).permanent


async def test_nobody_cannot_be_written_to(wechat: WeChatHarness) -> None:
    assert (await refused(wechat, "wxid_ghost", Reply("hello"))).permanent
    assert (await refused(wechat, "gone@chatroom", Reply("hello"))).permanent


async def test_a_stranger_who_wrote_can_be_answered(wechat: WeChatHarness) -> None:
    """Some gateways do not say who is a friend; whoever wrote in private can be reached."""
    await wechat.say("dave", "邀请")
    await wechat.eventually(lambda: [one for one in wechat.script.heard if getattr(one, "text", "") == "邀请"])
    error = await refused(wechat, "wxid_dave", Reply("hello"))
    assert "PERMISSION" not in error.reason
    assert "is not a friend" in error.reason  # the gateway was asked, and WeChat itself refused


async def test_a_picture_of_the_allowed_size_arrives(wechat: WeChatHarness) -> None:
    picture = Image(lambda: b"\xff" * 3_100_000, "card.jpg", "card")
    await wechat.adapter.send(ALICE, Reply("", image=picture))
    assert [len(seen.image or b"") for seen in await wechat.seen("alice", 1)] == [3_100_000]


async def test_a_picture_that_is_too_large_is_refused_for_good(wechat: WeChatHarness) -> None:
    picture = Image(lambda: b"\xff" * 3_100_001, "card.jpg", "card")
    assert (await refused(wechat, "wxid_alice", Reply("看", image=picture))).permanent
    assert await wechat.seen("alice", 0) == []


async def test_what_is_private_is_not_said_to_a_group(wechat: WeChatHarness) -> None:
    await wechat.adapter.send(Address("wechat", GROUP), Reply("你有 30 积分", private=True, brief="请看私聊"))
    assert [seen.text for seen in await wechat.seen("alice", 1, group=True)] == ["请看私聊"]
    assert (await refused(wechat, GROUP, Reply("你有 30 积分", private=True))).permanent


async def test_an_answer_that_was_too_fast_is_said_later(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: [Reply("你好")] if getattr(heard, "text", "") else []
    await wechat.fail_next("rate_limited")
    await wechat.say("alice", "邀请")
    assert [seen.text for seen in await wechat.seen("alice", 1)] == ["你好"]


async def test_news_beyond_the_pace_is_told_to_come_back(wechat: WeChatHarness) -> None:
    await wechat.adapter.close()
    slow = WeChatHarness(wechat.gateway, messages_per_minute=2)
    async with slow.running():
        await slow.ready()
        for text in ("一", "二"):
            await slow.adapter.send(ALICE, Reply(text))
        error = await refused(slow, "wxid_alice", Reply("三"))
    assert error.retry_after is not None
    assert 30 < error.retry_after <= 60
    assert not error.permanent


async def test_what_was_accepted_is_answered_before_the_adapter_closes(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: (
        [Reply(text) for text in ("一", "二", "三")] if getattr(heard, "text", "") else []
    )
    await wechat.say("alice", "邀请")
    await wechat.eventually(lambda: [one for one in wechat.script.heard if getattr(one, "text", "")])
    await wechat.adapter.close()
    assert [seen.text for seen in await wechat.seen("alice", 3)] == ["一", "二", "三"]


async def test_what_is_being_read_is_answered_before_the_adapter_closes(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: [Reply("再见")] if getattr(heard, "text", "") else []
    await wechat.gateway.do("fail", call="messagePayload", delay=300)
    await wechat.say("alice", "邀请")

    async def being_read() -> bool:
        return "messagePayload" in [call["name"] for call in await wechat.gateway.do("calls")]

    await wechat.eventually(being_read)
    await wechat.adapter.close()
    assert [seen.text for seen in await wechat.seen("alice", 1)] == ["再见"]
