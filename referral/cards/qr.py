"""The card's QR: the smallest version that holds the link at error correction M, with one mask for all."""

from __future__ import annotations

from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import BIT_LIMIT_TABLE

LARGEST = 20
"""97 modules a side: at four pixels each, the finest a phone still reads from a card on another phone."""

_MASK = 2
"""Searching the best of eight masks costs seven times the drawing, and every reader takes any of them."""


def modules(url: str) -> Image.Image:
    """The modules of `url` as a mask of one pixel each (255 dark), without the quiet zone.

    Raises ValueError if `url` is empty or needs a version above 20 (more than 666 bytes).
    """
    data = url.encode()
    code = QRCode(_version(len(data)), ERROR_CORRECT_M, border=0, mask_pattern=_MASK)
    code.add_data(data, optimize=0)
    code.make(fit=False)
    rows = code.modules
    image = Image.new("L", (len(rows), len(rows)))
    image.putdata([255 if dark else 0 for row in rows for dark in row])
    return image


def _version(size: int) -> int:
    if not size:
        raise ValueError("a card needs a link for its QR")
    for version in range(1, LARGEST + 1):
        length_bits = 8 if version < 10 else 16
        if 4 + length_bits + 8 * size <= BIT_LIMIT_TABLE[ERROR_CORRECT_M][version]:
            return version
    raise ValueError(f"a link of {size} bytes makes a QR too fine to scan from a card")
