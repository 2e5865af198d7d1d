"""Mei sends pictures: wanted or not, good or bad, in both languages."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from bots.adapter import SendError
from bots.commands import all as commands
from bots.context import Context
from bots.dialog import Dialog, Question
from bots.message import PICTURE_BYTES, Address, Attachment, Place, Reply, Said, Submitted
from bots.pictures import fetched
from bots.state import Conversation
from core import clock
from core.errors import BadInput
from referral import pictures
from tests.dialogue import Town, in_both, open_town


def saved(image: Image.Image, format: str = "JPEG", **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


PLAIN = Image.new("RGB", (400, 300), "pink")
BOMB = saved(Image.new("1", (7800, 7800)), "PNG")
MOVING = saved(PLAIN, "GIF", save_all=True, append_images=[Image.new("RGB", (400, 300), "red")])
SENT = {
    "the serum": (saved(PLAIN), "image/jpeg"),
    "half of it": (saved(PLAIN)[:500], "image/jpeg"),
    "a text": (b"hello", "image/png"),
    "sixty megapixels": (BOMB, "image/png"),
    "a moving one": (MOVING, "image/gif"),
    "a stamp": (saved(PLAIN.resize((20, 20))), "image/jpeg"),
}


def finish(ctx: Context, given: dict[str, str]) -> Reply:
    kept = pictures.picture_of(ctx.session, ctx.brand.id, given["photo"])
    return Reply(f"{given['photo'][:7]} {Image.open(io.BytesIO(kept)).size} {given['title']}")


ASKING = Dialog(
    "photo",
    "wizard.ask.picture.label",
    (
        Question("photo", "trial.ask.picture", pictures.read_name, picture=True),
        Question("title", "wizard.ask.picture", str),
    ),
    finish,
)


@pytest.fixture(autouse=True)
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialog that asks for a picture, and then for words."""
    monkeypatch.setitem(commands.DIALOGS, "photo", ASKING)


def ask(town: Town, name: str) -> None:
    kept = {"token": "t", "facts": {}, "answers": {}}
    town.do(
        lambda session: session.merge(
            Conversation(
                platform="webchat",
                account=name.lower(),
                dialog="photo",
                data=kept,
                updated_at=clock.now(),
                brand_id=town.brand.id,
            )
        )
    )


@in_both(
    en="""
        Mei sends the serum.
        Thank you, but we aren’t waiting for a picture right now. /help shows what I can do.
        (Mei is asked for a photo.)
        Mei sends half of it.
        We can’t open that as a picture. Please send a JPEG or PNG.
        (1/2) Would you like to add a photo? Just send it.
        Say “cancel” to stop.
        Mei sends a text.
        We can’t open that as a picture. Please send a JPEG or PNG.
        (1/2) Would you like to add a photo? Just send it.
        Say “cancel” to stop.
        Mei sends sixty megapixels.
        That picture has more than 40 megapixels. Please send a smaller one; 2,000 pixels across is plenty.
        (1/2) Would you like to add a photo? Just send it.
        Say “cancel” to stop.
        Mei sends a moving one.
        That one moves. Please send a still picture, as JPEG or PNG.
        (1/2) Would you like to add a photo? Just send it.
        Say “cancel” to stop.
        Mei sends a stamp.
        That picture is too small: it needs at least 64 pixels on each side.
        (1/2) Would you like to add a photo? Just send it.
        Say “cancel” to stop.
        Mei> not a picture
        Please send a picture here, not words.
        (1/2) Would you like to add a photo? Just send it.
        Say “cancel” to stop.
    """,
    zh="""
        Mei sends the serum.
        收到啦，不过现在不需要发图片。发「帮助」看看我能做什么。
        (Mei is asked for a photo.)
        Mei sends half of it.
        这个文件打不开，不是能用的图片。请发 JPEG 或 PNG 格式的图片。
        1/2 想配张照片吗？直接发过来就行。
        发送「取消」可随时退出。
        Mei sends a text.
        这个文件打不开，不是能用的图片。请发 JPEG 或 PNG 格式的图片。
        1/2 想配张照片吗？直接发过来就行。
        发送「取消」可随时退出。
        Mei sends sixty megapixels.
        图片像素太高，最多 4000 万像素。请缩小再发，长边 2000 像素就足够清晰。
        1/2 想配张照片吗？直接发过来就行。
        发送「取消」可随时退出。
        Mei sends a moving one.
        这是动图。请发一张静态图片，JPEG 或 PNG 都行。
        1/2 想配张照片吗？直接发过来就行。
        发送「取消」可随时退出。
        Mei sends a stamp.
        图片太小了，长和宽都要在 64 像素以上。
        1/2 想配张照片吗？直接发过来就行。
        发送「取消」可随时退出。
        Mei> not a picture
        这一步请直接发图片，不用打字。
        1/2 想配张照片吗？直接发过来就行。
        发送「取消」可随时退出。
    """,
)
async def test_what_is_wrong_with_a_picture_is_said(tmp_path: Path, locale: str, script: str) -> None:
    async with open_town(tmp_path, locale) as town:
        town.pictures = SENT
        town.stage["Mei is asked for a photo."] = lambda: ask(town, "Mei")
        await town.play(script)


async def test_a_good_picture_is_kept_and_the_next_question_comes(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        town.pictures = SENT
        ask(town, "Mei")
        assert "(2/2)" in await town.show("Mei", "the serum")
        town.restart()
        assert await town.show("Mei", "the serum") == (
            "Thank you, but we aren’t waiting for a picture right now. /help shows what I can do."
        ), "a second picture of an album answers nothing"
        assert (await town.ask("Mei", "Serum")).startswith("sha256: (400, 300) Serum")


async def test_a_picture_is_fetched_only_when_one_was_asked_for(tmp_path: Path) -> None:
    async with open_town(tmp_path) as town:
        town.pictures = SENT
        await town.show("Mei", "the serum")
        assert town.do(lambda session: session.scalar(select(func.count()).select_from(pictures.Picture))) == 0


def test_one_limit_holds_from_the_platform_to_the_shelf() -> None:
    assert PICTURE_BYTES == pictures.LARGEST


async def test_a_form_brings_a_picture_as_well(tmp_path: Path) -> None:
    """Where forms take pictures (Discord), the button under the question opens one."""
    async with open_town(tmp_path) as town:
        ask(town, "Mei")
        good, bad = SENT["the serum"], SENT["sixty megapixels"]
        person, place = town.person("Mei"), Place(Address("webchat", "tea"), group="tea")

        async def submit(file: tuple[bytes, str] | None) -> str:
            async def fetch() -> bytes:
                assert file is not None
                return file[0]

            sent = {"photo": Attachment(file[1], len(file[0]), fetch)} if file else {}
            form = Submitted(person, place, "form:photo:t", {"photo": ""}, pictures=sent)
            [reply] = await town.parts.router.hear(form)
            return reply.text

        assert "40 megapixels" in await submit(bad)
        assert "Please send a picture here" in await submit(None)
        assert "(2/2)" in await submit(good)
        assert "(2/2)" in await submit(good), "sent once more, it answers nothing, and the open question is asked again"


@pytest.mark.parametrize(
    ("media_type", "size", "why"),
    [
        ("video/mp4", 10, "picture_animated"),
        ("application/pdf", 10, "picture_unreadable"),
        ("text/html", None, "picture_unreadable"),
        ("image/png", PICTURE_BYTES + 1, "picture_too_large"),
    ],
)
async def test_what_cannot_be_a_picture_is_not_even_fetched(media_type: str, size: int | None, why: str) -> None:
    async def never() -> bytes:
        raise AssertionError("it was fetched")

    with pytest.raises(BadInput, match=why):
        await fetched(Attachment(media_type, size, never))


async def test_a_platform_that_does_not_hand_it_over_is_no_fault_of_the_picture(tmp_path: Path) -> None:
    async def lost() -> bytes:
        raise SendError("gone")

    async with open_town(tmp_path) as town:
        ask(town, "Mei")
        place = Place(Address("webchat", "mei"))
        said = Said(town.person("Mei"), place, "", picture=Attachment("image/jpeg", 5, lost))
        [reply] = await town.parts.router.hear(said)
        assert reply.text.startswith("The picture didn’t arrive in one piece. Please send it once more.\n\n(1/2)")


async def test_somebody_who_lost_the_right_is_told_so_and_not_about_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(commands.DIALOGS, "photo", replace(ASKING, admin=True))
    async with open_town(tmp_path) as town:
        town.pictures = SENT
        ask(town, "Mei")
        bad, good = await town.show("Mei", "half of it"), await town.show("Mei", "the serum")
        assert bad == good
        assert "JPEG" not in bad
        assert "(2/2)" not in good
