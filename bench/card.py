"""`card`: one invite card to JPEG bytes, against copying its template and encoding that. Goal: at most 2.5 times."""

from __future__ import annotations

import io
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import zxingcpp
from PIL import Image

from referral.cards import SIZE, CardSpec, draw_card
from referral.cards.poster import JPEG_QUALITY, template_of

BOUND = 2.5
_ROUNDS = 60
_NAMES = (
    "林小满",
    "Alexandra Montgomery",
    "محمد عبد الرحمن",
    "🌸小雨🌸",
    "Priya",
    "欧阳上官婉儿",
    "Nguyễn Văn Đức",
    "王" * 40,
)
_Result = TypeVar("_Result")


def _spec(number: int) -> CardSpec:
    """A new name, code and link each time, so that nothing of a member is found in a cache."""
    code = f"7KQM{number:04}"
    return CardSpec(
        brand="山野咖啡 Wildhill",
        title="带朋友来喝第一杯",
        name=f"{_NAMES[number % len(_NAMES)]}{number}",
        code=f"{code[:4]}-{code[4:]}P",
        url=f"https://refer.wildhill.example/r/{code}P",
        benefit="朋友首杯半价，还送一包挂耳咖啡",
        disclosure="邀请人可能因您的加入获得积分。",
        scan_hint="长按识别二维码，或发送邀请码",
    )


def _copy_and_encode(template: Image.Image) -> bytes:
    out = io.BytesIO()
    template.copy().save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def _timed(work: Callable[[], _Result]) -> tuple[float, _Result]:
    began = time.perf_counter()
    result = work()
    return (time.perf_counter() - began) * 1000, result


def _check(card: bytes, url: str) -> None:
    """What was timed must be the real thing: a whole JPEG whose QR leads to the link."""
    with Image.open(io.BytesIO(card)) as image:
        image.load()
        if image.format != "JPEG" or image.size != SIZE:
            raise RuntimeError("the card is not a JPEG of its size")
        found = zxingcpp.read_barcode(image)
    if found is None or found.text != url:
        raise RuntimeError("the card's QR does not read back")


def run() -> dict[str, object]:
    """Medians in milliseconds of both, taken in turns so that a busy machine slows them alike."""
    template = template_of(_spec(0))
    draw_card(_spec(0))
    limits: list[float] = []
    cards: list[float] = []
    drawn: list[tuple[bytes, str]] = []
    for number in range(1, _ROUNDS + 1):
        spec = _spec(number)
        limits.append(_timed(partial(_copy_and_encode, template))[0])
        took, card = _timed(partial(draw_card, spec))
        cards.append(took)
        drawn.append((card, spec.url))
    for card, url in drawn[:: len(_NAMES) + 1]:
        _check(card, url)
    limit, card_ms = statistics.median(limits), statistics.median(cards)
    return {
        "name": "card",
        "ratio": round(card_ms / limit, 3),
        "limit_ms": round(limit, 2),
        "card_ms": round(card_ms, 2),
        "bound": BOUND,
        "better": "lower",
    }


if __name__ == "__main__":
    print(json.dumps(run()))
