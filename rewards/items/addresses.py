"""What a postal address consists of, by country, and whether one is complete."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from babel import Locale

from core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to ask for. `key` names it (`address.<key>` in the catalogue). `pattern`: what it must look like."""

    key: str
    required: bool = True
    longest: int = 100
    pattern: str | None = None


_PHONE = r"\+?[0-9][0-9 ()./-]{4,22}[0-9]"
NAME, PHONE, STREET = Line("name", longest=60), Line("phone", longest=25, pattern=_PHONE), Line("street", longest=200)
CITY = Line("city")
SHAPES: dict[str, tuple[Line, ...]] = {
    "CN": (
        NAME,
        Line("phone", longest=20, pattern=r"(\+?86[ -]?)?1[3-9][0-9]{9}|0[0-9]{2,3}-?[0-9]{7,8}"),
        Line("region"),
        CITY,
        Line("district"),
        STREET,
        Line("postcode", False, 6, r"[0-9]{6}"),
    ),
    "US": (NAME, PHONE, STREET, CITY, Line("region"), Line("postcode", True, 10, r"[0-9]{5}(-[0-9]{4})?")),
    "GB": (NAME, PHONE, STREET, CITY, Line("postcode", True, 8, r"(?i)[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}")),
    "JP": (NAME, PHONE, Line("postcode", True, 8, r"[0-9]{3}-?[0-9]{4}"), Line("region"), CITY, STREET),
    "HK": (NAME, PHONE, Line("district"), STREET),
    "SG": (NAME, PHONE, STREET, Line("postcode", True, 6, r"[0-9]{6}")),
    "DE": (NAME, PHONE, STREET, Line("postcode", True, 5, r"[0-9]{5}"), CITY),
}
"""Where the order or the form of the lines is a country's own; others are asked for in a form that fits everywhere."""
ANYWHERE = (NAME, PHONE, STREET, CITY, Line("region", False), Line("postcode", False, 12))
KEYS = ("name", "phone", "street", "district", "city", "region", "postcode", "country")
"""Every key an address may have, as lists of parcels show them."""


def address_shape(country: str) -> tuple[Line, ...]:
    """What to ask for, in order. `country`: ISO 3166 (`CN`). Raises `BadInput("country")`."""
    code = country.strip().upper()
    if not re.fullmatch(r"[A-Z]{2}", code) or code not in Locale("en").territories:
        raise BadInput("country", country=country[:20])
    return SHAPES.get(code, ANYWHERE)


def check_line(line: Line, given: str) -> str:
    """What a person wrote for one line, cleaned. Raises `BadInput`: address_missing, address_line."""
    text = " ".join(unicodedata.normalize("NFKC", given[: 4 * line.longest]).split())
    if not text and line.required:
        raise BadInput("address_missing", line=line.key)
    readable = not any(unicodedata.category(symbol)[0] == "C" for symbol in text)
    if len(text) > line.longest or not readable or (text and line.pattern and not re.fullmatch(line.pattern, text)):
        raise BadInput("address_line", line=line.key)
    return text


def check_address(given: Mapping[str, str]) -> dict[str, str]:
    """The address, cleaned, with its `country`. Raises `BadInput`: country, address_missing, address_line."""
    shape = address_shape(given.get("country", ""))
    unknown = sorted(given.keys() - {line.key for line in shape} - {"country"})
    if unknown:
        raise BadInput("address_line", line=unknown[0][:40])
    lines = {line.key: check_line(line, given.get(line.key, "")) for line in shape}
    return {key: text for key, text in lines.items() if text} | {"country": given["country"].strip().upper()}
