"""Exact amounts: an integer of minor units and an asset code. No floats anywhere."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from babel.core import get_global
from babel.numbers import format_currency, format_decimal

from core.errors import BadInput

DECIMALS = {"PTS": 0, "XTR": 0}
"""Assets that are no ISO 4217 currency (Babel believes that XTR, Telegram's Stars, has two decimals)."""

WORDS = {
    "PTS": {"en": ("point", "points"), "zh_Hans": ("积分", "积分")},
    "XTR": {"en": ("Star", "Stars"), "zh_Hans": ("星星", "星星")},
}
"""What those assets are called: one of them, and any other number."""

LARGEST = 2**53 - 1
"""The largest amount in minor units: exact in every JSON reader and far inside the database's 64 bits."""

ITEM = "item:"
"""One unit of a brand's catalogue item is an asset too: `item:<slug>`, without decimals. Its name is the item's."""

_ITEM = re.compile(r"item:[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_AMOUNT = re.compile(r"([+-]?)(?=\d|\.\d)(\d*)(?:\.(\d*))?", re.ASCII)


def decimals(asset: str) -> int:
    """How many decimal places the asset has. Raises `BadInput` for an unknown asset."""
    if asset in DECIMALS:
        return DECIMALS[asset]
    if _ITEM.fullmatch(asset):
        return 0
    if asset not in get_global("all_currencies"):
        raise BadInput("unknown_asset", asset=asset)
    fractions = get_global("currency_fractions")
    return int(fractions.get(asset, fractions["DEFAULT"])[0])


def currencies() -> list[str]:
    """The codes of all money, in alphabetical order."""
    return sorted(code for code in get_global("all_currencies") if is_currency(code))


def is_currency(asset: str) -> bool:
    """Whether the asset is money: an ISO 4217 code, and neither points, Stars nor an item."""
    return asset not in DECIMALS and asset in get_global("all_currencies")


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `asset` (fen, cents, points)."""

    minor: int
    asset: str

    @classmethod
    def parse(cls, text: str, asset: str) -> Money:
        """Read a decimal amount such as `12.30`. Raises `BadInput` when it has more decimals than the asset."""
        places = decimals(asset)
        found = _AMOUNT.fullmatch(unicodedata.normalize("NFKC", text).strip())
        if found is None:
            raise BadInput("amount_unreadable", amount=text[:40])
        sign, whole, fraction = found[1], found[2].lstrip("0"), (found[3] or "").rstrip("0")
        if len(fraction) > places:
            raise BadInput("amount_fractional", amount=text[:40], asset=asset)
        # Counted before it is computed: a number of a million digits is refused, not multiplied out.
        if (
            len(whole) + places > len(str(LARGEST))
            or (minor := int(whole + fraction.ljust(places, "0") or "0")) > LARGEST
        ):
            raise BadInput("amount_too_large", amount=text[:40])
        return cls(-minor if sign == "-" else minor, asset)

    def format(self, locale: str) -> str:
        """The amount as people of this locale write it; points and Stars with their own word.

        An item is counted by its slug here; who has the catalogue at hand says its name instead.
        """
        if self.asset in DECIMALS:
            number = str(format_decimal(self.minor, locale=locale))
            one, many = WORDS[self.asset].get(locale, WORDS[self.asset]["en"])
            return f"{number} {one if abs(self.minor) == 1 else many}"
        if self.asset.startswith(ITEM):
            return f"{format_decimal(self.minor, locale=locale)} × {self.asset.removeprefix(ITEM)}"
        value = Decimal(self.minor).scaleb(-decimals(self.asset))
        return str(format_currency(value, self.asset, locale=locale))
