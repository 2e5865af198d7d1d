"""Alice talks to the bot in private: said and answered, buttons by number, pictures, long texts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bots.message import Button, Image, Present, Pressed, Reply, Said
from tests.bots.wechat.harness import WeChatHarness, open_harness

pytestmark = pytest.mark.needs("node")


@pytest_asyncio.fixture
async def wechat(tmp_path: Path) -> AsyncIterator[WeChatHarness]:
    async with open_harness(tmp_path) as harness:
        yield harness


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
