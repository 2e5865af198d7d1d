"""How figures, money and moments are written for a viewer: in their language, in the brand's time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, get_timezone_location
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from core import clock
from core.money import Money

NOTHING = "—"
"""Stands where there is no figure: nothing was counted, so nothing is claimed."""
Exact = int | Fraction | Decimal | float
_DAY = {"zh_Hans": ("y年M月d日", "M月d日"), "en": ("MMM d, y", "MMM d")}
"""A day with its year and, within this year, without."""


def number(locale: str, value: Exact | None, digits: int = 0) -> str:
    """A number with at most so many decimals."""
    if value is None:
        return NOTHING
    return str(format_decimal(_rounded(value, digits), locale=locale, decimal_quantization=False))


def compact(locale: str, value: int) -> str:
    """A large number in short (1.2万, 12K), for axes and tiles; small ones stay whole."""
    return (
        number(locale, value)
        if abs(value) < 10_000
        else str(format_compact_decimal(value, locale=locale, fraction_digits=1))
    )


def percent(locale: str, fraction: Exact | None, digits: int = 1, *, signed: bool = False) -> str:
    """A share as a percentage, always with so many decimals: 0.35 → 35.0%. `signed` writes the plus of a growth."""
    if fraction is None:
        return NOTHING
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    if signed:
        pattern = f"+{pattern};−{pattern}"
    return str(format_percent(_rounded(fraction, digits + 2), pattern, locale=locale))


def money(locale: str, amount: Exact | None, asset: str) -> str:
    """An amount in minor units, written out; what was divided is rounded to the unit."""
    return NOTHING if amount is None else Money(int(_rounded(amount, 0)), asset).format(locale)


def when(locale: str, timezone: str, moment: datetime | None) -> str:
    """Day and minute."""
    if moment is None:
        return NOTHING
    zone = ZoneInfo(timezone)
    pattern = _pattern(locale, moment.astimezone(zone).date(), timezone) + " HH:mm"
    return str(format_datetime(moment, pattern, tzinfo=zone, locale=locale))


def day(locale: str, timezone: str, moment: datetime | date | None) -> str:
    """The day alone; a `date` is taken as it is."""
    if moment is None:
        return NOTHING
    local = moment.astimezone(ZoneInfo(timezone)).date() if isinstance(moment, datetime) else moment
    return str(format_date(local, _pattern(locale, local, timezone), locale=locale))


def short_day(locale: str, local: date) -> str:
    """A day without its year, for the axis of a chart; which year it is says the page's period."""
    return str(format_date(local, _DAY[locale][1], locale=locale))


def zone(locale: str, timezone: str) -> str:
    """A time zone by the place it is called after, in this language: Asia/Shanghai is Shanghai, and 上海."""
    return str(get_timezone_location(timezone, locale=locale, return_city=True))


def helpers(locale: str, timezone: str, brand: str) -> dict[str, Callable[..., Any]]:
    """What a template writes figures with. `link(path)` leads to a page of this brand."""

    def link(path: str = "/") -> str:
        return f"/b/{quote(brand, safe='')}{path}"

    return {
        "number": lambda value, digits=0: number(locale, value, digits),
        "compact": lambda value: compact(locale, value),
        "percent": lambda fraction, digits=1, signed=False: percent(locale, fraction, digits, signed=signed),
        "money": lambda amount, asset: money(locale, amount, asset),
        "when": lambda moment: when(locale, timezone, moment),
        "day": lambda moment: day(locale, timezone, moment),
        "zone_name": lambda: zone(locale, timezone),
        "link": link,
    }


def _rounded(value: Exact, places: int) -> Decimal:
    """Half away from zero, as people round."""
    if isinstance(value, Fraction):
        scaled = value * 10**places
        whole = (abs(scaled.numerator) * 2 + scaled.denominator) // (2 * scaled.denominator)
        return Decimal(whole if scaled >= 0 else -whole).scaleb(-places)
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _pattern(locale: str, local: date, timezone: str) -> str:
    with_year, without = _DAY[locale]
    return without if local.year == clock.now().astimezone(ZoneInfo(timezone)).year else with_year
