"""Before a launch both the card and the announcement are shown in both languages, and nothing of it is kept."""

from __future__ import annotations

import io
from pathlib import Path

import zxingcpp
from PIL import Image

from bots.drafts import open_drafts
from referral.campaigns import campaigns_of
from rewards.items.items import items_of
from tests.dialogue import in_both, open_town


@in_both(
    en="""
    (picture: Your invite card with a QR code)
    This is what members who use English will see:
    🎁 Serum trial has begun: 50 places to try it!
    “Free to try: Serum trial. Places are limited.”
    It takes a minute to apply, until Mar 9, 12:00.
    (picture: 你的邀请海报和二维码)
    This is what members who use Chinese will see:
    🎁 精华试用 开放申请，共 50 个名额！
    「精华试用，限量免费体验，欢迎申请。」
    一分钟就能填好，3月9日 12:00 截止。
    """,
    zh="""
    (picture: 你的邀请海报和二维码)
    使用中文的成员会看到：
    🎁 精华试用 开放申请，共 50 个名额！
    「精华试用，限量免费体验，欢迎申请。」
    一分钟就能填好，3月9日 12:00 截止。
    (picture: Your invite card with a QR code)
    使用英文的成员会看到：
    🎁 Serum trial has begun: 50 places to try it!
    “Free to try: Serum trial. Places are limited.”
    It takes a minute to apply, until Mar 9, 12:00.
    """,
)
async def test_card_and_announcement_in_both_languages(tmp_path: Path, locale: str, script: str) -> None:
    names = ("Serum trial", "精华试用")
    title, other = names if locale == "en" else names[::-1]
    rest, look = (
        ("[Usual settings for the rest]", "[👀 Card and announcement]")
        if locale == "en"
        else ("[其余用默认设置]", "[👀 预览海报和公告]")
    )
    async with open_town(tmp_path, locale, campaign=False) as town:
        for words in ("/campaign new trial", title, other, rest):
            await town.say("Carol", words)
        first, second, page = await town.say("Carol", look)
        shown = "\n".join(map(town.shown, (first, second))).splitlines()
        assert [line for line in shown if line] == [line.strip() for line in script.strip().splitlines()]
        assert page.buttons
        for reply in (first, second):
            assert reply.image is not None
            [code] = zxingcpp.read_barcodes(Image.open(io.BytesIO(reply.image.draw())))
            assert code.text.startswith("https://tea.example/r/")
        assert town.do(lambda session: campaigns_of(session, town.brand.id)) == []
        assert town.do(lambda session: items_of(session, town.brand.id)) == []
        assert len(town.do(lambda session: open_drafts(session, town.brand.id))) == 1
