"""A campaign gets its picture in the chat: on the preview, on every card, in the file that is written out."""

from __future__ import annotations

import io
from pathlib import Path

import zxingcpp
from PIL import Image

from bots.message import Reply
from referral.campaigns import campaigns_of
from rewards.campaign_files import write_campaign
from tests.bots.test_pictures import SENT
from tests.dialogue import in_both, open_town

TEAL = (10, 120, 130)


def serum() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 900), TEAL).save(out, "PNG")
    return out.getvalue()


def is_teal(reply: Reply) -> bool:
    """Whether the card shows the picture at its top; its code is read all the same."""
    assert reply.image is not None
    card = Image.open(io.BytesIO(reply.image.draw()))
    assert len(zxingcpp.read_barcodes(card)) == 1
    seen = card.getpixel((540, 60))
    assert isinstance(seen, tuple)
    return all(abs(one - other) < 12 for one, other in zip(seen, TEAL, strict=True))


WORDS = {
    "en": "Serum trial|精华试用|Usual settings for the rest|✏️ Change|Picture on the card|"
    "👀 Card and announcement|🚀 Launch now",
    "zh": "精华试用|Serum trial|其余用默认设置|✏️ 修改|海报图片|👀 预览海报和公告|🚀 立即上线",
}


@in_both(
    en="""
    (14/14) Send a picture for the card, or skip it and the card is drawn in your brand's colours.
    [Skip]
    [← Back] [Stop here]
    That one moves. Please send a still picture, as JPEG or PNG.
    (14/14) Send a picture for the card, or skip it and the card is drawn in your brand's colours.
    [Skip]
    [← Back] [Stop here]
    """,
    zh="""
    14/14 发一张图放到海报上。跳过就用品牌配色的默认海报。
    [跳过]
    [← 上一步] [先到这里]
    这是动图。请发一张静态图片，JPEG 或 PNG 都行。
    14/14 发一张图放到海报上。跳过就用品牌配色的默认海报。
    [跳过]
    [← 上一步] [先到这里]
    """,
)
async def test_mei_puts_the_serum_on_the_card(tmp_path: Path, locale: str, script: str) -> None:
    title, other, rest, change, picture, look, go = WORDS[locale].split("|")
    async with open_town(tmp_path, locale, campaign=False) as town:
        town.pictures = SENT | {"the serum": (serum(), "image/png")}
        for words in ("/campaign new trial", title, other, f"[{rest}]", f"[{change}]"):
            await town.say("Carol", words)
        asked = await town.ask("Carol", f"[{picture}]")
        said = f"{asked}\n{await town.show('Carol', 'a moving one')}"
        assert [line for line in said.splitlines() if line] == [line.strip() for line in script.strip().splitlines()]

        assert title in await town.show("Carol", "the serum")
        first, second, _ = await town.say("Carol", f"[{look}]")
        assert is_teal(first)
        assert is_teal(second)
        await town.say("Carol", f"[{go}]")
        [campaign] = town.do(lambda session: campaigns_of(session, town.brand.id))
        assert campaign.picture is not None
        assert campaign.picture in town.do(lambda session: write_campaign(session, campaign))
        [mine] = await town.say("Alice", "/invite")
        assert is_teal(mine)
