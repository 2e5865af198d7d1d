"""Files people send to the bot in private on Discord."""

from __future__ import annotations

import pytest

from bots.adapter import SendError
from bots.message import PICTURE_BYTES, Attachment, Said
from core.errors import BadInput
from tests.bots.discord.harness import DiscordHarness, opened


async def sent(discord: DiscordHarness) -> Attachment:
    await discord.eventually(lambda: discord.heard(Said))
    picture = discord.heard(Said)[-1].picture
    assert picture is not None
    return picture


async def test_a_picture_is_fetched_from_the_cdn() -> None:
    async with opened() as discord:
        await discord.show("alice", b"cat", "image/png")
        picture = await sent(discord)

        assert (picture.media_type, picture.size) == ("image/png", 3)
        assert await picture.fetch() == b"cat"


async def test_a_file_elsewhere_is_never_asked_for() -> None:
    async with opened() as discord:
        inside = f"http://localhost:{discord.server.port}"
        await discord.server.show("alice", b"secret", "image/png", host=inside)
        with pytest.raises(SendError, match="localhost is not fetched"):
            await (await sent(discord)).fetch()


async def test_a_large_file_and_one_that_is_gone() -> None:
    async with opened() as discord:
        await discord.show("alice", b"x" * (PICTURE_BYTES + 1), "image/png")
        with pytest.raises(BadInput, match="picture_too_large"):
            await (await sent(discord)).fetch()
        await discord.show("bob", b"cat", "image/png")
        await discord.eventually(lambda: len(discord.heard(Said)) == 2)
        discord.server.files.clear()
        with pytest.raises(SendError):
            await (await sent(discord)).fetch()
