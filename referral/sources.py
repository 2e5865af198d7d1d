"""How the systems that number orders are named: one way to write each."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from core.errors import BadInput


def check_source(source: str) -> None:
    """Raise `BadInput` unless it is in small letters and without another form of the same characters: two spellings of
    a shop would make two of each of its orders, and pay for both. What was recorded before that was asked stays."""
    written = _written(source)
    if source != written:
        raise BadInput("order_source", source=source, written=written)


@lru_cache(maxsize=1024)
def _written(source: str) -> str:
    return unicodedata.normalize("NFKC", source).casefold()
