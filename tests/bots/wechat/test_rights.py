"""Who runs a WeChat room, as far as the gateway tells: not all of them know the owner."""

from __future__ import annotations

import pytest

from bots.adapter import SendError
from tests.bots.wechat.harness import WeChatHarness

pytestmark = pytest.mark.needs("node")


async def test_the_owner_and_the_administrators_run_a_room(wechat: WeChatHarness) -> None:
    people = ["wxid_bot", "wxid_alice", "wxid_bob", "wxid_carol"]
    room = {"id": "tea@chatroom", "topic": "茶友群", "ownerId": "wxid_alice", "adminIdList": ["wxid_bob"]}
    await wechat.gateway.do("room", payload={**room, "memberIdList": people})
    runs = [who for who in people if await wechat.adapter.is_admin("tea@chatroom", who)]
    assert runs == ["wxid_alice", "wxid_bob"]


async def test_what_the_gateway_does_not_tell_is_no_answer(wechat: WeChatHarness) -> None:
    room = {"id": "quiet@chatroom", "topic": "静", "adminIdList": [], "memberIdList": ["wxid_bot", "wxid_alice"]}
    await wechat.gateway.do("room", payload=room)
    with pytest.raises(SendError, match="does not tell"):
        await wechat.adapter.is_admin("quiet@chatroom", "wxid_alice")
    await wechat.gateway.do("fail", call="roomPayload", error="no such room")
    with pytest.raises(SendError):
        await wechat.adapter.is_admin("nowhere@chatroom", "wxid_alice")
