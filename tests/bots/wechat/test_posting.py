"""Posts in a WeChat room: there is no pin to ask for, and where the account is out it says so."""

from __future__ import annotations

import pytest

from bots.adapter import Capability, NotThere, SendError
from bots.message import Button, Reply
from tests.bots.wechat.harness import WeChatHarness
from tests.bots.wechat.process import GROUP

pytestmark = pytest.mark.needs("node")
START = Reply("春季新品试用开始啦", buttons=((Button("我要参加", action="do:invite"),),))


async def test_a_post_is_for_the_whole_room_and_anybody_may_answer_its_number(wechat: WeChatHarness) -> None:
    assert await wechat.adapter.post(GROUP, START, key="a") == ""
    [seen] = await wechat.seen("alice", 1, group=True)
    assert (seen.text, seen.buttons) == ("春季新品试用开始啦", ["我要参加"])
    assert Capability.PINS not in wechat.adapter.capabilities


async def test_a_room_the_account_was_put_out_of_is_told_from_a_refusal(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("fail", call="messageSendText", error="blocked by the group's owner", code=7)
    with pytest.raises(SendError) as refused:
        await wechat.adapter.post(GROUP, START, key="a")
    assert refused.value.permanent
    assert not isinstance(refused.value, NotThere)
    await wechat.gateway.do("leave", who=["bot"], by="alice")
    await wechat.gateway.do("fail", call="messageSendText", error="not in the room", code=7)
    with pytest.raises(NotThere):
        await wechat.adapter.post(GROUP, START, key="b")
