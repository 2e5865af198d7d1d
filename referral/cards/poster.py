"""The poster: a brand-coloured field with the campaign's words (and picture), on it a ticket with name, QR and code.

What is the same for all members of a campaign is drawn once and kept; per member only name, QR and code are set.
Lengths are pixels of the 1080×1440 card. Only the words given in `CardSpec` appear: the poster adds none, so what a
platform forbids (WeChat: sharing induced by reward) and what the law asks (16 CFR 255: a clear disclosure) is decided
by the caller, in the reader's language.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageColor, ImageDraw, ImageFilter

from referral.cards import lettering
from referral.cards.banner import Banner, lay
from referral.cards.qr import modules

SIZE = (1080, 1440)
NAME_BOX = (136, 710, 484, 972)
"""Left, top, right, bottom of all that a member's name may touch: a round initial and two lines under it."""

_RGB = tuple[int, int, int]
_MARGIN = 96
_TICKET = (72, 646, 1008, 1300)
_TEAR = 1156
_QR_BOX = (536, 710, 944, 1118)
_COLUMN = 340
"""The words beside the QR stay this narrow, so that four modules around it are white (ISO/IEC 18004)."""
_CODE_AT = (540, 1230)
_INITIAL = 108
_WHITE: _RGB = (255, 255, 255)
_BLACK: _RGB = (0, 0, 0)
_DEFAULT_COLOR = "#c8402f"
JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True)
class CardSpec:
    """The words of one card, already in the reader's language; anything but `url` may be empty.

    `code` is drawn as given, so group it before (`7KQM-4T2XP`). `color` is the brand's, as CSS writes it; it is
    darkened where white words on it could not be read. `picture` stands above the words.
    """

    brand: str
    title: str
    name: str
    code: str
    url: str
    benefit: str
    disclosure: str
    scan_hint: str
    color: str = _DEFAULT_COLOR
    picture: Banner | None = None


def draw_card(spec: CardSpec, *, format: Literal["JPEG", "PNG"] = "JPEG") -> bytes:
    """The card as an image file, 1080×1440. Safe to call from many threads.

    Raises ValueError if `url` is empty or too long to be scanned from a card (666 bytes), or `color` is no colour.
    """
    brand = _readable_color(spec.color)
    card = template_of(spec).copy()
    _draw_name(card, spec.name, brand)
    _draw_qr(card, spec.url, brand)
    lettering.spaced(card, _CODE_AT, lettering.readable(spec.code), 78, 840, _ink(brand))
    out = io.BytesIO()
    if format == "PNG":
        card.save(out, "PNG", compress_level=6)
    else:
        card.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def template_of(spec: CardSpec) -> Image.Image:
    """The card without name, QR and code, from the cache if it was drawn before. Do not draw upon it."""
    brand = _readable_color(spec.color)
    return _template(spec.brand, spec.title, spec.benefit, spec.disclosure, spec.scan_hint, brand, spec.picture)


def _draw_name(card: Image.Image, given: str, brand: _RGB) -> None:
    # The name is set on a piece of its own, the size of its box: whatever the letters do, they cannot leave it.
    left, top = NAME_BOX[:2]
    piece = card.crop(NAME_BOX)
    name = lettering.readable(given)
    initial = next((char for char in name if char.isalnum()), "")
    middle = (_INITIAL // 2, _INITIAL // 2)
    if initial:
        lettering.badge(piece, middle, initial.upper()[0], 54, _WHITE)
    else:
        piece.paste(_WHITE, (0, 0), _person())
    block = lettering.fit(name, _COLUMN, ((58, 1), (50, 1), (44, 2), (38, 2)))
    lettering.write(piece, (0, _INITIAL + 20), block, _ink(brand), bold=0.7)
    card.paste(piece, (left, top))


def _draw_qr(card: Image.Image, url: str, brand: _RGB) -> None:
    code = modules(url)
    left, top, right, bottom = _QR_BOX
    scale = (right - left) // code.width
    side = code.width * scale
    # The spare pixels go to the left: the right edge lines up with the margin of the ticket.
    at = (right - side, top + (bottom - top - side) // 2)
    card.paste(_ink(brand), (*at, at[0] + side, at[1] + side), code.resize((side, side), Image.Resampling.NEAREST))
    for column, row in ((2, 2), (code.width - 5, 2), (2, code.width - 5)):
        x, y = at[0] + column * scale, at[1] + row * scale
        card.paste(brand, (x, y, x + 3 * scale, y + 3 * scale))


@lru_cache(maxsize=8)
def _template(
    brand_name: str,
    title: str,
    benefit: str,
    disclosure: str,
    scan_hint: str,
    brand: _RGB,
    picture: Banner | None = None,
) -> Image.Image:
    """All but name, QR and code: only ever copied. Eight of them (4.7 MB each) serve a busy installation."""
    card = _field(brand)
    room = SIZE[0] - 2 * _MARGIN
    sizes = ((112, 1), (100, 2), (88, 2), (74, 2), (62, 3)) if picture is None else ((84, 1), (72, 2), (62, 2), (54, 3))
    headline = lettering.fit(lettering.readable(title), room, sizes)
    height = round(len(headline.lines) * headline.size * 1.24)
    line = lettering.fit(lettering.readable(benefit), room, ((44, 1), (40, 2), (36, 2)))
    together = height + 30 + round(len(line.lines) * line.size * 1.42)
    spare = max(0, _TICKET[1] - 150 - together)
    top = 150 + (spare * 2 // 5 if picture is None else max(0, spare - 30))
    if picture is not None:
        lay(card, picture, top + 6)
    _ticket(card, brand)
    _brand_line(card, brand_name, brand if picture is not None else None)
    lettering.write(card, (_MARGIN - 4, top), headline, _WHITE, leading=1.24, bold=headline.size / 56, room=room)
    lettering.write(card, (_MARGIN, top + height + 30), line, _mix(brand, _WHITE, 0.88), leading=1.42, room=room)
    hint = lettering.fit(lettering.readable(scan_hint), _COLUMN, ((30, 3), (26, 4)))
    hint_top = _QR_BOX[3] - round(len(hint.lines) * hint.size * 1.5) + 10
    lettering.write(card, (NAME_BOX[0], hint_top), hint, _mix(_ink(brand), _WHITE, 0.42), leading=1.5)
    small = lettering.fit(lettering.readable(disclosure, 240), room, ((26, 1), (26, 2), (23, 3)))
    small_top = 1374 - round(len(small.lines) * small.size * 0.7)
    grey = _mix(_ink(brand), _paper(brand), 0.34)
    lettering.write(card, (_MARGIN, small_top), small, grey, leading=1.4, room=room, centred=True)
    return card


def _field(brand: _RGB) -> Image.Image:
    """Paper below, the brand's colour above with a slow gradient, rings rising from its corner."""
    card = Image.new("RGB", SIZE, _paper(brand))
    slope = Image.new("L", (64, 64))
    slope.putdata([min(255, round((x * 0.8 + y * 1.2) * 2.02)) for y in range(64) for x in range(64)])
    deep = _mix(brand, _BLACK, 0.30)
    field = Image.composite(
        Image.new("RGB", SIZE, deep),
        Image.new("RGB", SIZE, brand),
        slope.resize((SIZE[0], 1100), Image.Resampling.BICUBIC).crop((0, 0, *SIZE)),
    )
    rings = _shape(SIZE, _rings)
    field.paste(_mix(brand, _WHITE, 0.55), (0, 0), rings)
    card.paste(field, (0, 0), _shape(SIZE, _horizon))
    return card


def _rings(draw: ImageDraw.ImageDraw, k: int) -> None:
    x, y = 1010, 90
    for radius, alpha in ((560, 16), (430, 22), (300, 30), (170, 44)):
        draw.ellipse(((x - radius) * k, (y - radius) * k, (x + radius) * k, (y + radius) * k), fill=alpha)


def _horizon(draw: ImageDraw.ImageDraw, k: int) -> None:
    """The field's lower edge climbs a little: a level one would look like a page cut in two."""
    draw.polygon(((0, 0), (SIZE[0] * k, 0), (SIZE[0] * k, 930 * k), (0, 1080 * k)), fill=255)


def _ticket(card: Image.Image, brand: _RGB) -> None:
    """A white ticket with a soft shadow, torn along a dotted line between the invitation and its code."""
    paper = _shape(SIZE, _ticket_outline)
    shadow = Image.new("L", SIZE)
    shadow.paste(paper.point(lambda level: level * 72 // 255), (0, 26))
    card.paste(_mix(brand, _BLACK, 0.72), (0, 0), shadow.filter(ImageFilter.GaussianBlur(30)))
    card.paste(_WHITE, (0, 0), paper)
    card.paste(_mix(brand, _WHITE, 0.62), (0, 0), _shape(SIZE, _tear_line))
    left, top = NAME_BOX[:2]
    card.paste(brand, (left, top), _shape((_INITIAL, _INITIAL), _disc))


def _disc(draw: ImageDraw.ImageDraw, k: int) -> None:
    draw.ellipse((0, 0, _INITIAL * k - 1, _INITIAL * k - 1), fill=255)


def _ticket_outline(draw: ImageDraw.ImageDraw, k: int) -> None:
    left, top, right, bottom = (edge * k for edge in _TICKET)
    draw.rounded_rectangle((left, top, right, bottom), 44 * k, fill=255)
    for x in (left, right):
        draw.ellipse((x - 24 * k, (_TEAR - 24) * k, x + 24 * k, (_TEAR + 24) * k), fill=0)


def _tear_line(draw: ImageDraw.ImageDraw, k: int) -> None:
    for x in range(_TICKET[0] + 52, _TICKET[2] - 48, 16):
        draw.ellipse(((x - 2) * k, (_TEAR - 2) * k, (x + 2) * k, (_TEAR + 2) * k), fill=255)


def _brand_line(card: Image.Image, name: str, plate: _RGB | None = None) -> None:
    """The brand's name; upon a picture on a plate of the brand's colour, whatever the picture shows there."""
    line = lettering.fit(lettering.readable(name), 640, ((36, 1), (30, 1), (26, 1)))
    if not line.lines[0]:
        return
    if plate is None:
        lettering.write(card, (_MARGIN, 92), line, _WHITE, bold=0.6)
        return
    wide, high = round(lettering.width(line.lines[0], line.size)) + 52, line.size + 34
    card.paste(plate, (72, 64), _shape((wide, high), lambda draw, k: _plate(draw, k, wide, high)))
    lettering.write(card, (98, 64 + round(high / 2 - line.size * 0.62)), line, _WHITE, bold=0.6)


def _plate(draw: ImageDraw.ImageDraw, k: int, wide: int, high: int) -> None:
    draw.rounded_rectangle((0, 0, wide * k - 1, high * k - 1), high * k // 2, fill=255)


@lru_cache(maxsize=1)
def _person() -> Image.Image:
    """The initial of somebody whose name has no letter we can draw."""

    def figure(draw: ImageDraw.ImageDraw, k: int) -> None:
        draw.ellipse((39 * k, 26 * k, 69 * k, 56 * k), fill=255)
        draw.pieslice((26 * k, 62 * k, 82 * k, 110 * k), 180, 360, fill=255)

    return _shape((_INITIAL, _INITIAL), figure)


def _shape(size: tuple[int, int], paint: Callable[[ImageDraw.ImageDraw, int], None]) -> Image.Image:
    """A mask with smooth edges: `paint` draws it `k` times too large, and it is scaled down."""
    k = 3
    large = Image.new("L", (size[0] * k, size[1] * k))
    paint(ImageDraw.Draw(large), k)
    return large.reduce(k)


def _paper(brand: _RGB) -> _RGB:
    return _mix(brand, (252, 250, 247), 0.965)


def _ink(brand: _RGB) -> _RGB:
    return _mix(brand, (18, 16, 20), 0.88)


def _mix(one: _RGB, other: _RGB, share: float) -> _RGB:
    """`one` with `share` (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


@lru_cache(maxsize=64)
def _readable_color(color: str) -> _RGB:
    """The brand's colour, darkened until white words on it have a contrast of 4.5 (WCAG 2.2, 1.4.3)."""
    red, green, blue = ImageColor.getrgb(color or _DEFAULT_COLOR)[:3]
    given = tone = (red, green, blue)
    share = 0.0
    while 1.05 / (_luminance(tone) + 0.05) < 4.5:
        share += 0.02
        tone = _mix(given, _BLACK, share)
    return tone


def _luminance(color: _RGB) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 to 1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (c / 255 for c in color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
