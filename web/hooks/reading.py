"""Careful reading of JSON that others wrote: whatever is in it, these functions give a value or raise `BadInput`."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from core.errors import BadInput
from core.money import LARGEST, decimals, is_currency

Fields = Mapping[str, Any]
CODE_NAMES = frozenset(
    ("daixin", "daixin_code", "ref", "referral", "referral_code", "invite", "invite_code", "邀请码", "推荐码")
)
"""How a shop's field, or a parameter of a link, is called that carries an invite code."""
CLICK_NAMES = frozenset(("daixin_click", "t"))
"""And one that carries the number of a click, as our landing page hands it on."""
CONSENT_NAMES = frozenset(("daixin_consent",))
LONGEST_NUMBER = 40
"""Characters of an amount; a longer one is none."""
MOST_CANDIDATES = 20
_YES = ("1", "true", "yes", "on", "是", "同意")


def unreadable(field: str) -> NoReturn:
    """Refuse a message for this field of it."""
    raise BadInput("shop_unreadable", field=field)


def parse(body: bytes) -> Any:
    """The JSON in a body, its fractions exact. Raises `BadInput("shop_unreadable")`."""
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=lambda name: unreadable(name))
    except (ValueError, ArithmeticError, RecursionError):  # also bytes that are no text, and endless numbers
        unreadable("json")


def fields(value: Any) -> Fields:
    """An object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Fields]:
    """The objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: Any, most: int = 200) -> str:
    """Text or a number as text: what can be printed, without spaces around it, at most so long."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    return "".join(filter(str.isprintable, str(value)[: most * 4])).strip()[:most]


def number_of(given: Fields, name: str) -> str:
    """What the shop calls something by. Raises `BadInput` without one."""
    value = given.get(name)
    found = text(value, 201) if not isinstance(value, Decimal) else ""
    return found or unreadable(name)


def currency_of(given: Fields, name: str = "currency") -> str:
    """An ISO 4217 code. Raises `BadInput` for what is none."""
    found = text(given.get(name), 10).upper()
    return found if is_currency(found) else unreadable(name)


def exact(value: Any, field: str) -> Decimal:
    """A decimal number. Raises `BadInput`."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        unreadable(field)
    if isinstance(value, int) and abs(value) > LARGEST:
        unreadable(field)
    if len(written := str(value).strip()) > LONGEST_NUMBER:
        unreadable(field)
    try:
        found = Decimal(written)
        if not found.is_finite() or abs(found) > LARGEST:
            unreadable(field)
    except InvalidOperation:
        unreadable(field)
    return found


def minor(value: Any, currency: str, field: str) -> int:
    """An amount of whole units such as `"12.30"` in minor units; more decimals than the currency has are rounded
    half up. What is missing is nothing. Raises `BadInput`."""
    if value is None or value == "":
        return 0
    return to_minor(exact(value, field), currency)


def to_minor(amount: Decimal, currency: str) -> int:
    """An exact amount in minor units, rounded half up."""
    return int(amount.scaleb(decimals(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def whole(value: Any, field: str) -> int:
    """A whole number, none or more. Raises `BadInput`."""
    found = exact(value, field)
    if found != found.to_integral_value() or found < 0:
        unreadable(field)
    return int(found)


def moment(value: Any, zone: tzinfo, field: str) -> datetime:
    """A moment in ISO 8601, in the zone where it names none. Raises `BadInput`."""
    try:
        found = datetime.fromisoformat(text(value, 40))
    except ValueError:
        unreadable(field)
    if not 1970 <= found.year < 9999:
        unreadable(field)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def first_of(given: Fields, *names: str) -> Any:
    """The first of these fields that says something."""
    return next((given[name] for name in names if given.get(name) not in (None, "")), None)


def kept(values: Iterable[str]) -> tuple[str, ...]:
    """What is not empty, each once, in its order, not too many."""
    return tuple(dict.fromkeys(value for value in values if value))[:MOST_CANDIDATES]


def named_values(pairs: Iterable[tuple[Any, Any]], names: frozenset[str]) -> list[str]:
    """Values of the pairs whose name is one of these, in any case."""
    return [text(value) for name, value in pairs if text(name, 40).casefold() in names]


def consented(pairs: Iterable[tuple[Any, Any]]) -> bool:
    """Whether the customer agreed, in a field of the shop's own, that their purchases may be joined to them."""
    return any(value.casefold() in _YES for value in named_values(pairs, CONSENT_NAMES))


def query_of(link: Any) -> list[tuple[str, str]]:
    """The parameters of a link, or of its path alone."""
    try:
        return parse_qsl(urlsplit(text(link, 2000)).query, max_num_fields=100)
    except ValueError:
        return []


def words_in(written: Any) -> list[str]:
    """What may be a code in something a person wrote: all of it, and each of its words."""
    found = unicodedata.normalize("NFKC", text(written, 500))
    return [found, *re.findall(r"[0-9A-Za-z-]{9,14}", found)] if found else []
