"""Alice forwards her card: whatever she is called, it stays a handsome card, and Bob's phone reads its link."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageColor

from referral.cards import NAME_BOX, SIZE, CardSpec, draw_card, lettering
from referral.cards.banner import Banner
from referral.cards.poster import template_of

LINK = "https://refer.wildhill.example/r/7KQM4T2XP"
ALICE = CardSpec(
    brand="山野咖啡 Wildhill",
    title="带朋友来喝第一杯",
    name="Alice 林",
    code="7KQM-4T2X-P",
    url=LINK,
    benefit="朋友首杯半价，还送一包挂耳咖啡",
    disclosure="邀请人可能因您的加入获得积分。",
    scan_hint="长按识别二维码，或发送邀请码",
)
NAMES = [
    "林小满",
    "Alexandra Montgomery-Featherstonehaugh",
    "王" * 4000,
    "W" * 4000,
    "a b " * 1000,
    "محمد عبد الرحمن الحسيني",
    "דוד כהן Smith",
    "สมชาย ใจดี",
    "प्रिया शर्मा",
    "🌸✨小雨💫",
    "🦄🦄🦄",
    "𝓐𝓵𝓲𝓬𝓮",
    "g" + "\u0337\u0321\u0328\u035d" * 500,
    "\u202eevil\u202c\n\t\x00",
    "\ud83d",
    "   ",
]


def _open(card: bytes) -> Image.Image:
    return Image.open(io.BytesIO(card)).convert("RGB")


def _scan(image: Image.Image) -> str:
    found = zxingcpp.read_barcode(image)
    return found.text if found else ""


def _as_forwarded(card: bytes) -> Image.Image:
    """What a chat makes of a picture: half as wide, and encoded again at quality 50."""
    small = io.BytesIO()
    _open(card).resize((540, 720), Image.Resampling.BILINEAR).save(small, "JPEG", quality=50)
    return Image.open(small)


def _outside_the_name(card: Image.Image) -> Image.Image:
    rest = card.copy()
    rest.paste((0, 0, 0), NAME_BOX)
    return rest


@pytest.fixture(scope="module")
def nameless() -> Image.Image:
    return _open(draw_card(replace(ALICE, name=""), format="PNG"))


def test_the_card_is_a_jpeg_for_chats_and_a_png_on_request() -> None:
    jpeg, png = draw_card(ALICE), draw_card(ALICE, format="PNG")

    assert jpeg.startswith(b"\xff\xd8\xff")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert _open(jpeg).size == _open(png).size == SIZE == (1080, 1440)
    assert len(jpeg) < 400_000, "a card must pass every platform's limits and a phone's patience"


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_bobs_phone_reads_the_link_even_from_a_forwarded_copy(format: str) -> None:
    card = draw_card(ALICE, format="JPEG" if format == "JPEG" else "PNG")

    assert _scan(_open(card)) == LINK
    assert _scan(_as_forwarded(card)) == LINK


@pytest.mark.parametrize("length", [20, 60, 100, 140, 180, 200])
def test_long_links_are_read_too(length: int) -> None:
    link = (LINK + "?from=" + "x7Q" * 100)[:length]
    card = draw_card(replace(ALICE, url=link))

    assert _scan(_open(card)) == link
    assert _scan(_as_forwarded(card)) == link


@pytest.mark.parametrize("color", ["#f5c518", "#ffffff", "#000", "#0b5fa5", "gold", "#c8402f80"])
def test_every_brand_colour_leaves_the_code_readable(color: str) -> None:
    assert _scan(_as_forwarded(draw_card(replace(ALICE, color=color)))) == LINK


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name[:8]))
def test_a_name_of_any_length_and_script_stays_in_its_box(name: str, nameless: Image.Image) -> None:
    card = _open(draw_card(replace(ALICE, name=name), format="PNG"))

    assert ImageChops.difference(_outside_the_name(card), _outside_the_name(nameless)).getbbox() is None
    assert _scan(card) == LINK


@settings(max_examples=25, deadline=None)
@given(name=st.text(max_size=60))
def test_no_name_at_all_leaves_its_box(name: str) -> None:
    nameless = _open(draw_card(replace(ALICE, name=""), format="PNG"))
    card = _open(draw_card(replace(ALICE, name=name), format="PNG"))

    assert ImageChops.difference(_outside_the_name(card), _outside_the_name(nameless)).getbbox() is None


def test_a_name_is_drawn_and_not_lost(nameless: Image.Image) -> None:
    for name in ("林小满", "Alice", "محمد", "דוד", "สมชาย", "प्रिया", "Алиса", "아리스", "ありす", "🌸小雨"):
        card = _open(draw_card(replace(ALICE, name=name), format="PNG"))
        changed = ImageChops.difference(card, nameless).crop((NAME_BOX[0], NAME_BOX[1] + 120, *NAME_BOX[2:]))
        assert changed.getbbox() is not None, name


@pytest.mark.parametrize(
    ("given_name", "drawn"),
    [
        ("🌸✨小雨💫", "小雨"),
        ("👨‍👩‍👧‍👦 一家", "一家"),
        ("𝓐𝓵𝓲𝓬𝓮", "Alice"),
        ("🇨🇳 Li", "Li"),
        ("Zoe\u0308", "Zoë"),
        ("Z\u0337\u0321\u0328\u035da", "Za"),
        ("\u202eAli\u202dce\u200b", "Alice"),
        ("A\n\n  B\x00", "A B"),
        ("🦄", ""),
        ("\ud83dBob", "Bob"),
        ("\u0301\u0301", ""),
    ],
)
def test_what_no_face_can_draw_is_left_out_rather_than_shown_as_a_box(given_name: str, drawn: str) -> None:
    assert lettering.readable(given_name) == drawn


def test_hebrew_reads_from_the_right_and_latin_beside_it_stays_whole() -> None:
    assert next(text.strip() for _, text in lettering.runs("Smith דוד")) == "Smith"
    assert next(text.strip() for _, text in lettering.runs("דוד Smith")) == "Smith"
    assert lettering.reads_right_to_left("דוד Smith")
    assert not lettering.reads_right_to_left("Smith דוד")


def test_a_long_title_breaks_where_a_reader_would() -> None:
    english = lettering.fit("Your first cup of coffee this autumn is on us", 888, ((100, 2), (74, 2)))
    chinese = lettering.fit("二〇二六年春季新品试用与老带新活动，欢迎参加", 888, ((100, 2), (74, 2)))

    assert " ".join(english.lines) == "Your first cup of coffee this autumn is on us"
    assert len(chinese.lines) == 2
    assert not chinese.lines[1].startswith("，")
    assert abs(len(chinese.lines[0]) - len(chinese.lines[1])) <= 2, "no line of one lonely letter"


def test_a_title_with_a_pause_breaks_at_the_pause() -> None:
    assert lettering.fit("秋季手冲咖啡品鉴会：带上一位好朋友", 888, ((100, 2), (88, 2))).lines == (
        "秋季手冲咖啡品鉴会：",
        "带上一位好朋友",
    )
    assert lettering.fit("Bring a friend, share the first cup", 888, ((100, 2),)).lines[0] == "Bring a friend,"


def test_without_the_shaping_library_hebrew_still_reads_from_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "SHAPED", False)
    lettering.font.cache_clear()
    try:
        assert lettering.runs("דוד") == [(lettering.HEBREW, "דוד"[::-1])]
        assert _scan(_open(draw_card(replace(ALICE, name="דוד محمد สมชาย")))) == LINK
    finally:
        lettering.font.cache_clear()


def test_what_cannot_fit_ends_in_an_ellipsis_within_the_room() -> None:
    for text, dots in (("王" * 400, "…"), ("Wolfeschlegel" * 40, "...")):
        block = lettering.fit(text, 368, ((58, 1), (44, 2), (38, 2)))
        assert len(block.lines) == 2
        assert block.lines[-1].endswith(dots)
        assert all(lettering.width(line, block.size) <= 368 for line in block.lines)


def test_a_card_with_nothing_but_a_link_is_still_a_card() -> None:
    bare = CardSpec(brand="", title="", name="", code="", url=LINK, benefit="", disclosure="", scan_hint="", color="")

    assert _scan(_as_forwarded(draw_card(bare))) == LINK


def test_a_card_without_a_link_or_with_an_endless_one_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a link"):
        draw_card(replace(ALICE, url=""))
    with pytest.raises(ValueError, match="too fine"):
        draw_card(replace(ALICE, url=LINK + "x" * 700))
    with pytest.raises(ValueError, match="color"):
        draw_card(replace(ALICE, color="tomatoish"))


def test_the_words_of_the_campaign_may_be_long_and_odd_without_touching_the_code() -> None:
    flood = "裂变 growth 🚀 " * 300
    card = draw_card(replace(ALICE, brand=flood, title=flood, benefit=flood, disclosure=flood, scan_hint=flood))

    assert _scan(_as_forwarded(card)) == LINK


def test_the_disclosure_is_there_and_dark_enough_to_read() -> None:
    silent = _open(draw_card(replace(ALICE, disclosure=""), format="PNG"))
    card = _open(draw_card(ALICE, format="PNG"))
    box = ImageChops.difference(card, silent).getbbox()

    assert box is not None
    assert box[1] > NAME_BOX[3]
    assert box[3] < SIZE[1] - 20
    paper = card.getpixel((20, 1420))
    darkest = min(_colors(card.crop(box)), key=sum)
    assert _contrast(darkest, paper) >= 4.5


def _colors(image: Image.Image) -> Iterator[tuple[int, ...]]:
    for _, color in image.getcolors(maxcolors=1 << 20) or ():
        assert isinstance(color, tuple)
        yield color


def _contrast(one: tuple[int, ...], other: object) -> float:
    assert isinstance(other, tuple)
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: tuple[int, ...]) -> float:
    red, green, blue = (math.pow(part / 255, 2.2) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_pale_brands_are_darkened_until_white_words_on_them_can_be_read() -> None:
    for color in ("#ffffff", "#f5c518", "#7fffd4"):
        corner = _open(draw_card(replace(ALICE, color=color), format="PNG")).getpixel((4, 4))
        assert _contrast((255, 255, 255), corner) >= 4.3
    kept = _open(draw_card(replace(ALICE, color="#0b5fa5"), format="PNG")).getpixel((0, 0))
    assert isinstance(kept, tuple)
    assert max(abs(a - b) for a, b in zip(kept, ImageColor.getrgb("#0b5fa5"), strict=True)) <= 4


def test_many_members_asking_at_once_each_get_their_own_card() -> None:
    members = [replace(ALICE, name=name, url=f"{LINK}{number}") for number, name in enumerate(NAMES)]
    one_by_one = [draw_card(member) for member in members]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(draw_card, members)) == one_by_one


def banner(kind: str) -> Banner:
    """A picture as it is kept: bright, dark, or with something everywhere; and tall, wide or square."""
    shape, _, look = kind.partition(" ")
    size = {"tall": (600, 1400), "wide": (2048, 500), "square": (900, 900)}[shape]
    image = Image.effect_noise(size, 120).convert("RGB") if look == "busy" else Image.new("RGB", size, look)
    out = io.BytesIO()
    image.save(out, "JPEG")
    return Banner(kind, out.getvalue())


PICTURES = ["tall white", "tall black", "tall busy", "wide white", "wide busy", "square yellow", "square busy"]


@pytest.mark.parametrize("kind", PICTURES)
def test_upon_any_picture_the_code_is_read_and_the_words_stand_on_the_brands_colour(kind: str) -> None:
    plain = _open(draw_card(replace(ALICE, picture=None), format="PNG"))
    card = _open(draw_card(replace(ALICE, picture=banner(kind)), format="PNG"))

    assert _scan(card) == LINK
    assert _scan(_as_forwarded(draw_card(replace(ALICE, picture=banner(kind))))) == LINK
    below = (0, 640, *SIZE)
    assert ImageChops.difference(card.crop(below), plain.crop(below)).getbbox() is None, "below is as without it"
    assert ImageChops.difference(card.crop((0, 0, 1080, 200)), plain.crop((0, 0, 1080, 200))).getbbox()
    beside_words = (1010, 430, 1070, 640)
    assert ImageChops.difference(card.crop(beside_words), plain.crop(beside_words)).getbbox() is None


def test_a_picture_that_cannot_be_read_is_left_out() -> None:
    assert _scan(_open(draw_card(replace(ALICE, picture=Banner("x", b"no picture"))))) == LINK


def test_long_words_leave_room_for_the_picture_and_stay_above_the_ticket() -> None:
    long = replace(ALICE, title="很长的活动名称" * 12, benefit="好处说不完" * 30, picture=banner("square white"))

    assert _scan(_open(draw_card(long))) == LINK


def test_the_template_of_a_picture_is_drawn_once() -> None:
    first, second = banner("square yellow"), banner("square yellow")

    assert template_of(replace(ALICE, picture=first)) is template_of(replace(ALICE, picture=second))
    assert template_of(replace(ALICE, picture=first)) is not template_of(ALICE)
