"""Pictures people send on Telegram: photos, files, and what Telegram makes of a GIF."""

from __future__ import annotations

import pytest

from bots.adapter import SendError
from bots.message import PICTURE_BYTES, Attachment, Said
from core.errors import BadInput
from tests.bots.telegram.harness import TelegramHarness, open_harness


async def sent(telegram: TelegramHarness) -> Attachment:
    await telegram.eventually(lambda: telegram.script.heard)
    said = telegram.script.heard[-1]
    assert isinstance(said, Said)
    assert said.picture is not None
    return said.picture


async def test_of_a_photo_the_largest_size_is_fetched() -> None:
    async with open_harness() as telegram:
        await telegram.show("alice", b"large enough")
        picture = await sent(telegram)

        assert (picture.media_type, picture.size) == ("image/jpeg", 12)
        assert await picture.fetch() == b"large enough"


async def test_a_file_is_fetched_and_a_gif_says_that_it_moves() -> None:
    async with open_harness() as telegram:
        await telegram.show("alice", b"png", "image/png")
        assert (await sent(telegram)).media_type == "image/png"
        telegram.script.heard.clear()
        await telegram.show("alice", b"mp4", "video/mp4")
        assert (await sent(telegram)).media_type == "video/mp4"


async def test_a_picture_in_a_group_is_not_ours() -> None:
    async with open_harness() as telegram:
        telegram.api.show(telegram.alice, b"cat", group=telegram.community)
        await telegram.say("alice", "/start")
        await telegram.eventually(lambda: telegram.script.heard)
        [said] = telegram.script.heard

    assert isinstance(said, Said)
    assert said.text == "/start"


async def test_a_large_file_is_not_downloaded() -> None:
    async with open_harness() as telegram:
        await telegram.show("alice", b"x" * (PICTURE_BYTES + 1), "image/png")
        picture = await sent(telegram)
        with pytest.raises(BadInput, match="picture_too_large"):
            await picture.fetch()


async def test_a_file_that_is_gone_is_said_to_be() -> None:
    async with open_harness() as telegram:
        await telegram.show("alice", b"cat")
        picture = await sent(telegram)
        telegram.api.files.clear()
        with pytest.raises(SendError):
            await picture.fetch()
