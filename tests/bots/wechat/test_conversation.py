"""Alice talks to the bot in private: said and answered, buttons by number, pictures, long texts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bots.message import Address, Button, Image, Present, Pressed, Reply, Said
from bots.wechat.adapter import WeChatAdapter
from tests.bots.wechat.harness import MENU, WeChatHarness, settings

pytestmark = pytest.mark.needs("node")


async def test_the_account_notes_its_name_which_is_all_that_wechat_gives_to_add_it_by(wechat: WeChatHarness) -> None:
    noted = await wechat.eventually(lambda: wechat.store.values.get("introduction"))
    assert noted["name"]
    assert noted["url"] is None


async def test_alice_says_something_and_is_answered(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: [Reply("**你好** Alice")] if isinstance(heard, Said) else []
    await wechat.say("alice", "邀请")
    assert [seen.text for seen in await wechat.seen("alice", 1)] == ["你好 Alice"]
    said = next(heard for heard in wechat.script.heard if isinstance(heard, Said))
    assert (said.text, said.person.account, said.person.name) == ("邀请", "wxid_alice", "Alice")
    assert said.place.group is None
    assert said.place.address.chat == "wxid_alice"
    assert said.key


async def test_buttons_are_answered_by_number(wechat: WeChatHarness) -> None:
    menu = Reply("选一个", ((Button("我的邀请", action="invite"), Button("排行榜", action="top")),))
    wechat.script.answer = lambda heard: [menu] if isinstance(heard, Said) else []
    await wechat.say("alice", "开始")
    seen = await wechat.seen("alice", 1)
    assert seen[0].buttons == ["我的邀请", "排行榜"]
    await wechat.press("alice", "排行榜")
    pressed = await wechat.eventually(lambda: [one for one in wechat.script.heard if isinstance(one, Pressed)])
    assert pressed[0].action == "top"
    assert pressed[0].person.account == "wxid_alice"


async def test_a_picture_comes_before_its_words(wechat: WeChatHarness) -> None:
    card = Image(lambda: b"\xff\xd8card", "card.jpg", "your card")
    wechat.script.answer = lambda heard: [Reply("给朋友看", image=card)] if isinstance(heard, Said) else []
    await wechat.say("alice", "邀请")

    async def both() -> bool:
        return len(await wechat.sent("wxid_alice")) == 2

    await wechat.eventually(both)
    first, second = await wechat.sent("wxid_alice")
    assert first["file"] == "card.jpg"
    assert second["text"] == "给朋友看"
    assert [seen.image for seen in await wechat.seen("alice", 1)] == [b"\xff\xd8card"]


async def test_a_text_of_any_length_arrives_whole(wechat: WeChatHarness) -> None:
    words = " ".join(f"第{number}行" for number in range(1000))
    wechat.script.answer = lambda heard: [Reply(words)] if isinstance(heard, Said) else []
    await wechat.say("alice", "帮助")
    seen = await wechat.seen("alice", 3)
    assert all(len(part.text) <= wechat.text_limit for part in seen)
    assert " ".join(part.text for part in seen).split() == words.split()


async def test_numbers_survive_a_restart(wechat: WeChatHarness) -> None:
    menu = Reply("选一个", ((Button("排行榜", action="top"),),))
    wechat.script.answer = lambda heard: [menu] if isinstance(heard, Said) else []
    await wechat.say("alice", "开始")
    await wechat.seen("alice", 1)
    await wechat.adapter.close()
    again = WeChatHarness(wechat.gateway)
    again.adapter = WeChatAdapter(settings(wechat.gateway), MENU, wechat.store, lambda: datetime.now(UTC))
    async with again.running():
        await again.ready()
        await again.say("alice", "①")
        pressed = await again.eventually(lambda: [one for one in again.script.heard if isinstance(one, Pressed)])
    assert pressed[0].action == "top"


async def test_a_number_is_a_number_when_nothing_is_offered(wechat: WeChatHarness) -> None:
    menu = Reply("选一个", ((Button("新活动", action="new"),),))
    question = Reply("保留几天？")
    wechat.script.answer = lambda heard: [question if isinstance(heard, Pressed) else menu]
    await wechat.say("alice", "开始")
    await wechat.seen("alice", 1)
    await wechat.press("alice", "新活动")
    await wechat.seen("alice", 2)
    await wechat.say("alice", "1")
    await wechat.seen("alice", 3)
    assert [type(one) for one in wechat.script.heard if not isinstance(one, Present)] == [Said, Pressed, Said]


async def test_two_lists_in_one_answer_go_on_counting(wechat: WeChatHarness) -> None:
    lists = [Reply("一", ((Button("a", action="a"),),)), Reply("二", ((Button("b", action="b"),),))]
    wechat.script.answer = lambda heard: lists if isinstance(heard, Said) else []
    await wechat.say("alice", "开始")
    await wechat.seen("alice", 2)
    for label in ("a", "b"):
        await wechat.press("alice", label)
    pressed = await wechat.eventually(
        lambda: len(found := [one for one in wechat.script.heard if isinstance(one, Pressed)]) == 2 and found
    )
    assert [one.action for one in pressed] == ["a", "b"]


async def test_news_does_not_take_the_buttons_away(wechat: WeChatHarness) -> None:
    menu = Reply("选一个", ((Button("排行榜", action="top"),),))
    wechat.script.answer = lambda heard: [menu] if isinstance(heard, Said) else []
    await wechat.say("alice", "开始")
    await wechat.seen("alice", 1)
    await wechat.adapter.send(Address("wechat", "wxid_alice"), Reply("Bob 来了"))
    await wechat.press("alice", "排行榜")
    await wechat.eventually(lambda: [one for one in wechat.script.heard if isinstance(one, Pressed)])


async def test_a_message_told_twice_is_heard_once(wechat: WeChatHarness) -> None:
    await wechat.say("alice", "邀请")
    said = await wechat.eventually(lambda: [one for one in wechat.script.heard if isinstance(one, Said)])
    await wechat.gateway.do("emit", event="message", payload={"messageId": said[0].key})
    await wechat.say("alice", "排行榜")
    await wechat.eventually(
        lambda: wechat.script.heard[-1:] and getattr(wechat.script.heard[-1], "text", "") == "排行榜"
    )
    assert [one.text for one in wechat.script.heard if isinstance(one, Said)] == ["邀请", "排行榜"]


async def test_the_bot_does_not_hear_itself(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: [Reply(f"你说了 {heard.text}")] if isinstance(heard, Said) else []
    for text in ("一", "二", "三"):
        await wechat.say("alice", text)
    await wechat.seen("alice", 3)
    assert [one.text for one in wechat.script.heard if isinstance(one, Said)] == ["一", "二", "三"]


async def test_everyone_in_the_group_is_read_after_login(wechat: WeChatHarness) -> None:
    found = await wechat.eventually(lambda: [one for one in wechat.script.heard if isinstance(one, Present)])
    assert found[0].place.group == "group@chatroom"
    assert found[0].place.title == "推荐群"
    assert {person.account: person.name for person in found[0].people} == {
        "wxid_alice": "Alice",
        "wxid_bob": "Bob 小明",
    }
    assert found[0].complete


async def test_service_accounts_are_not_answered(wechat: WeChatHarness) -> None:
    wechat.script.answer = lambda heard: [Reply("你好")] if isinstance(heard, Said) else []
    await wechat.gateway.do("contact", key="shop", payload={"id": "gh_shop", "name": "某商城", "type": 2})
    await wechat.say("shop", "您的订单已发货")
    await wechat.say("alice", "邀请")
    await wechat.seen("alice", 1)
    assert [one.person.account for one in wechat.script.heard if isinstance(one, Said)] == ["wxid_alice"]
