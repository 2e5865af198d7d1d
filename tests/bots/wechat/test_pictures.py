"""Pictures people send on WeChat: they come through the gateway in pieces, of whatever size."""

from __future__ import annotations

import random

import pytest

from bots.adapter import SendError
from bots.message import PICTURE_BYTES, Attachment, Said
from core.errors import BadInput
from tests.bots.wechat.harness import WeChatHarness

pytestmark = pytest.mark.needs("node")


async def sent(wechat: WeChatHarness) -> Attachment:
    await wechat.eventually(lambda: [one for one in wechat.script.heard if isinstance(one, Said)])
    said = [one for one in wechat.script.heard if isinstance(one, Said)][-1]
    assert said.picture is not None
    return said.picture


@pytest.mark.parametrize("size", [100, 20_000, 300_000, 6_000_000])
async def test_a_picture_of_any_size_arrives_whole(wechat: WeChatHarness, size: int) -> None:
    body = random.Random(size).randbytes(size)
    await wechat.show("alice", body)
    picture = await sent(wechat)

    assert (picture.media_type, picture.size) == ("image/jpeg", None)
    assert await picture.fetch() == body


async def test_more_than_we_take_is_left_where_it_is(wechat: WeChatHarness) -> None:
    await wechat.show("alice", b"x" * (PICTURE_BYTES + 1))
    with pytest.raises(BadInput, match="picture_too_large"):
        await (await sent(wechat)).fetch()
    await wechat.show("bob", b"small")
    await wechat.eventually(lambda: len([one for one in wechat.script.heard if isinstance(one, Said)]) == 2)
    assert await (await sent(wechat)).fetch() == b"small", "the gateway is as well as before"


async def test_a_picture_the_gateway_cannot_find(wechat: WeChatHarness) -> None:
    await wechat.gateway.do("fail", call="messageFile", error="no such file")
    await wechat.show("alice", b"cat")
    with pytest.raises(SendError):
        await (await sent(wechat)).fetch()


async def test_a_video_says_that_it_moves(wechat: WeChatHarness) -> None:
    await wechat.show("alice", b"mp4", "video/mp4")
    assert (await sent(wechat)).media_type == "video/mp4"
