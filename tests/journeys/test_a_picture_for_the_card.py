"""A picture on its way from a phone to the card through a form in a Discord server."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from sqlmodel import Session

from referral.campaigns import campaigns_of
from referral.pictures import picture_of
from tests.bots.discord.harness import eventually
from tests.bots.discord.payloads import Interaction, Message
from tests.bots.discord.reading import read
from tests.bots.discord.world import GUILD
from tests.house import fresh_sqlite
from tests.journeys.program import Program, open_program

TEAL = (10, 120, 130)


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 900), TEAL).save(out, "JPEG")
    return out.getvalue()


def on_the_card(program: Program) -> tuple[int, int] | None:
    """The size of the picture that the newest campaign keeps."""

    def found(session: Session) -> tuple[int, int] | None:
        newest = max(campaigns_of(session, program.brand.id), key=lambda one: one.created_at)
        body = picture_of(session, program.brand.id, newest.picture) if newest.picture else None
        return Image.open(io.BytesIO(body)).size if body else None

    return program.parts.reader.run_sync(found)


async def sees(program: Program, words: str, after: int = 0) -> Message:
    def found() -> Message | None:
        shown = program.discord.private_messages("alice")[after:]
        return next((message for message in reversed(shown) if words in read(message.content)), None)

    message = await eventually(found)
    assert isinstance(message, Message)
    return message


async def press(program: Program, words: str, label: str) -> Interaction:
    made = await program.discord.press("alice", await sees(program, words), label, guild=GUILD)
    await eventually(lambda: made.answer)
    return made


async def test_in_a_discord_server_it_comes_through_a_form(tmp_path: Path) -> None:
    async with open_program(fresh_sqlite(tmp_path)) as program:
        discord = program.discord
        await program.connected(1)
        asked = await discord.slash("alice", "campaign", "new referral", guild=GUILD)
        await eventually(lambda: asked.modal)
        await discord.submit(asked, {"title": "Serum", "other": ""})
        await press(program, "When does a new friend count?", "Usual settings for the rest")
        await press(program, "Please look it over", "✏️ Change")
        menu = await sees(program, "What would you like to change?")
        await discord.pick("alice", menu, "Picture on the card", guild=GUILD)

        for file, answer in ((photo()[:300], "We can’t open that as a picture."), (photo(), "Please look it over")):
            seen = len(discord.private_messages("alice"))
            form = await press(program, "Send a picture for the card", "Send a picture")
            await discord.upload(form, "picture", file, "image/jpeg")
            await sees(program, answer, seen)
        await press(program, "Please look it over", "🚀 Launch now")
        await sees(program, "Serum is live")
        assert on_the_card(program) == (900, 900)
