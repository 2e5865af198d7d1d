"""In a group the bot hears only what is meant for it, and answers in private where it can."""

from __future__ import annotations

import pytest

from bots.message import Button, Pressed, Reply, Said
from tests.bots.wechat.harness import WeChatHarness
from tests.bots.wechat.process import GROUP

pytestmark = pytest.mark.needs("node")


def texts(wechat: WeChatHarness) -> list[str]:
    return [one.text for one in wechat.script.heard if isinstance(one, Said)]


async def test_chatter_is_not_for_the_bot(wechat: WeChatHarness) -> None:
    for text in ("今天吃什么", "奖励真不错啊", "1", "help me please", "code review", "@Bob 小明\u2005你好"):
        await wechat.say("alice", text, group=True)
    await wechat.say("alice", "排行榜", group=True)
    await wechat.eventually(lambda: texts(wechat))
    assert texts(wechat) == ["排行榜"]


@pytest.mark.parametrize(
    "text", ["邀请", "/join ABCD2345", "加入 ABCD2345", "邀请码：ABCD2345", "code abcd2345", "HELP"]
)
async def test_commands_words_and_codes_are(wechat: WeChatHarness, text: str) -> None:
    await wechat.say("bob", text, group=True)
    await wechat.eventually(lambda: texts(wechat))
    said = next(one for one in wechat.script.heard if isinstance(one, Said))
    assert (said.text, said.place.group, said.place.title) == (text, GROUP, "推荐群")
    assert said.person.name == "Bob 小明"


async def test_the_bot_hears_its_name(wechat: WeChatHarness) -> None:
    await wechat.say("alice", "@小带\u2005怎么玩", group=True)
    await wechat.eventually(lambda: texts(wechat) == ["怎么玩"])
    await wechat.say("alice", "@小带", group=True)
    await wechat.eventually(lambda: texts(wechat) == ["怎么玩", "/help"])


async def test_the_bot_hears_the_name_it_has_in_the_room(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("member", who="bot", payload={"roomAlias": "群 助手"})
    await wechat.say("alice", "@群 助手\u2005怎么玩", group=True, mentions=("bot",))
    await wechat.eventually(lambda: texts(wechat) == ["怎么玩"])


async def test_a_private_answer_goes_to_the_friend_alone(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: (
        [Reply("你有 30 积分", private=True, brief="私聊发你了")] if isinstance(heard, Said) else []
    )
    await wechat.say("alice", "邀请", group=True)
    assert [seen.text for seen in await wechat.seen("alice", 1)] == ["你有 30 积分"]
    assert await wechat.seen("alice", 0, group=True) == []


async def test_a_stranger_gets_the_brief_word_and_is_mentioned(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: (
        [Reply("你有 30 积分", private=True, brief="请先加我好友")] if isinstance(heard, Said) else []
    )
    await wechat.gateway.do("join", who=["dave"], by="alice")
    await wechat.say("dave", "邀请", group=True)
    await wechat.seen("dave", 1, group=True)
    sent = (await wechat.sent(GROUP))[0]
    assert sent["text"] == "@Dave\u2005请先加我好友"
    assert sent["mentions"] == ["wxid_dave"]


async def test_who_looked_like_a_friend_and_is_not_gets_the_brief_word(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: (
        [Reply("你有 30 积分", private=True, brief="请先加我好友")] if isinstance(heard, Said) else []
    )
    await wechat.fail_next("permanent")
    await wechat.say("alice", "邀请", group=True)
    assert [seen.text for seen in await wechat.seen("alice", 1, group=True)] == ["请先加我好友"]


async def test_numbers_in_a_group_belong_to_who_was_asked(wechat: WeChatHarness) -> None:
    menu = Reply("选一个", ((Button("排行榜", action="top"),),))
    wechat.script.answer = lambda heard: [menu] if isinstance(heard, Said) else []
    await wechat.say("alice", "邀请", group=True)
    await wechat.seen("alice", 1, group=True)
    await wechat.say("bob", "1", group=True)
    await wechat.say("alice", "１", group=True)
    pressed = await wechat.eventually(lambda: [one for one in wechat.script.heard if isinstance(one, Pressed)])
    assert [(one.person.account, one.action, one.place.group) for one in pressed] == [("wxid_alice", "top", GROUP)]
