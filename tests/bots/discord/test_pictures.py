"""Files people send to the bot in private on Discord."""

from __future__ import annotations

import pytest

from bots.adapter import SendError
from bots.message import PICTURE_BYTES, Attachment, Field, Form, Reply, Said, Submitted
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


FORM = Form(
    "Serum", "form:photo:t", (Field("photo", "Picture", picture=True, required=False),), "Send a picture", False
)


async def test_in_a_server_a_picture_comes_through_a_form() -> None:
    """What is shown to one person alone there cannot be answered by a message."""
    async with opened() as discord:
        discord.script.answer = lambda heard: [Reply("A picture?", form=FORM, private=True)]
        await discord.say("alice", "/campaign", group=True)
        [asked] = await discord.seen("alice", 1)
        assert asked.buttons == ["Send a picture"]
        await discord.press("alice", "Send a picture")
        opened_form = discord.server.newest("alice")
        await discord.eventually(lambda: opened_form.modal)
        await discord.server.upload(opened_form, "photo", b"cat", "image/png")
        await discord.eventually(lambda: discord.heard(Submitted))

        [form] = discord.heard(Submitted)
        assert (form.action, form.answers, form.place.group is None) == ("form:photo:t", {"photo": ""}, False)
        assert form.pictures["photo"].media_type == "image/png"
        assert await form.pictures["photo"].fetch() == b"cat"


async def test_a_form_without_its_picture_is_an_empty_answer() -> None:
    async with opened() as discord:
        discord.script.answer = lambda heard: [Reply("A picture?", form=FORM, private=True)]
        await discord.say("alice", "/campaign", group=True)
        await discord.seen("alice", 1)
        await discord.press("alice", "Send a picture")
        opened_form = discord.server.newest("alice")
        await discord.eventually(lambda: opened_form.modal)
        await discord.server.upload(opened_form, "photo", None, "")
        await discord.eventually(lambda: discord.heard(Submitted))

        [form] = discord.heard(Submitted)
        assert (form.answers, form.pictures) == ({"photo": ""}, {})
