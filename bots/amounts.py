"""Amounts as people type them: with a currency's sign or word, thousands separated, in full width, or just “all”."""

from __future__ import annotations

import re
import unicodedata

from babel.numbers import get_currency_symbol

from core import i18n
from core.errors import BadInput
from core.money import DECIMALS, WORDS, Money

ALL = frozenset({"all", "everything", "全部", "全提", "全部提现", "所有"})
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_SPOKEN = {"CNY": ("人民币", "rmb", "yuan", "块钱", "元", "块", "圆")}
"""What people call a currency beside its code and sign."""


def read_amount(text: str, asset: str, everything: int) -> int:
    """The amount in minor units; `everything` for “all”. Raises `BadInput`: amount_unreadable, amount_fractional,
    amount_too_large."""
    bare = unicodedata.normalize("NFKC", text[:80]).strip().lower()
    if bare in ALL:
        return everything
    for sign in _signs(asset):
        bare = bare.removeprefix(sign).removesuffix(sign).strip()
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    try:
        minor = Money.parse(bare, asset).minor
    except BadInput as error:
        raise BadInput(error.code, **{**error.params, "amount": text.strip()[:40]}) from None
    if minor <= 0:
        raise BadInput("amount_unreadable", amount=text.strip()[:40])
    return minor


def _signs(asset: str) -> list[str]:
    """How this asset is called, the longest first."""
    if asset in DECIMALS:
        found = {word.lower() for words in WORDS[asset].values() for word in words}
    else:
        found = {get_currency_symbol(asset, locale).lower() for locale in i18n.LOCALES} | {*_SPOKEN.get(asset, ())}
    return sorted(found | {asset.lower()}, key=len, reverse=True)
