"""A trier's photo: sent with the feedback, seen by who runs the trial and by the trier, and by nobody else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from bots.message import Reply
from tests.bots.serum import open_trial_town
from tests.dialogue import Town, in_both

OUT = io.BytesIO()
Image.new("RGB", (300, 200), "teal").save(OUT, "JPEG")
PHOTO = {"a photo": (OUT.getvalue(), "image/jpeg")}
LABELS = {
    "en": ("✋ Apply", "🎁 Take my place", "✍️ Give feedback", "★★★★☆", "Skip", "No, only the brand"),
    "zh": ("✋ 申请试用", "🎁 领取名额", "✍️ 写反馈", "★★★★☆", "跳过", "仅品牌可见"),
}


async def sends_feedback(town: Town, locale: str) -> None:
    """Alice has tried it, and sends a photo with her four stars."""
    town.pictures = PHOTO
    await town.say("Alice", "/trial" if locale == "en" else "试用")
    for label in LABELS[locale][:2]:
        await town.say("Alice", f"[{label}]")
    await town.settle()
    town.news("Alice")
    await town.say("Alice", "/trial" if locale == "en" else "试用")
    for label in LABELS[locale][2:5]:
        await town.say("Alice", f"[{label}]")
    await town.show("Alice", "a photo")
    await town.say("Alice", f"[{LABELS[locale][5]}]")


def seen(reply: Reply) -> tuple[int, int]:
    assert reply.image is not None
    return Image.open(io.BytesIO(reply.image.draw())).size


@in_both(
    en="""
    Carol> /trial voices serum
    💬 Night serum trial: what people say
    ★★★★☆ Alice · for you alone
    [📊 Figures] [📷 Photos]
    Carol> [📷 Photos]
    (picture: A photo from Alice)
    ★★★★☆ Alice · for you alone
    1 photo from Night serum trial.
    [💬 Feedback]
    """,
    zh="""
    Carol> /trial voices serum
    💬 夜间精华试用 用户反馈
    ★★★★☆ Alice · 仅品牌可见
    [📊 试用数据] [📷 照片]
    Carol> [📷 照片]
    (picture: Alice发来的照片)
    ★★★★☆ Alice · 仅品牌可见
    夜间精华试用：以上 1 张照片。
    [💬 看反馈]
    """,
)
async def test_mei_looks_at_the_photos(tmp_path: Path, locale: str, script: str) -> None:
    async with open_trial_town(tmp_path, locale, "promo_code") as town:
        await sends_feedback(town, locale)
        await town.play(script)
        photo, _ = await town.say("Carol", "/trial photos serum")
        assert seen(photo) == (300, 200)


@pytest.mark.parametrize("locale", ["en", "zh"])
async def test_the_trier_has_it_back_and_others_never_see_it(tmp_path: Path, locale: str) -> None:
    async with open_trial_town(tmp_path, locale, "promo_code") as town:
        await sends_feedback(town, locale)
        assert all(reply.image is None for reply in await town.say("Bob", "/trial photos serum"))
        mine = (await town.say("Alice", "/privacy export"))[-1]
        assert seen(mine) == (300, 200)
        assert "sha256:" in mine.text
        await town.say("Alice", "/privacy forget yes")
        [nothing] = await town.say("Carol", "/trial photos serum")
        assert nothing.image is None
