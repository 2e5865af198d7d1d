"""The words of the product, in Chinese and English, from gettext catalogues.

A message id is a short key (`invite.ready`); both catalogues hold its text, in the markdown subset of `bots.markup`
where it is meant for a chat. Placeholders are `{name}`. The catalogues are several files per locale, one per part of
the house (`chat.po`, `web.po`, `error.po` …), read together; they need no compiling.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

from core.money import Money

LOCALES = ("zh_Hans", "en")
DEFAULT = "en"
DOMAIN = "messages"


def negotiate(wanted: str | None, default: str = DEFAULT) -> str:
    """Our locale for a platform's language tag (`zh-hans`, `zh-CN`, `en_GB`); any Chinese is `zh_Hans`."""
    if not wanted:
        return default
    language = wanted.replace("_", "-").split("-")[0].lower()
    return {"zh": "zh_Hans", "en": "en"}.get(language, default)


@lru_cache(maxsize=256)
def negotiate_header(accept_language: str | None, default: str = DEFAULT) -> str:
    """Our locale for an `Accept-Language` header: the first language we have, in the order of preference."""
    choices: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept_language or "")[:500].split(",")):
        tag, _, quality = part.strip().partition(";q=")
        try:
            choices.append((-float(quality or 1), position, tag))
        except ValueError:
            continue
    for _, _, tag in sorted(choices):
        if tag.lower().startswith(("zh", "en")):
            return negotiate(tag)
    return default


@cache
def catalogue(locale: str) -> dict[str, str | tuple[str, ...]]:
    """Every message of a locale, for tests and for pages that need many."""
    found: dict[str, str | tuple[str, ...]] = {}
    folder = files("core") / "locales" / locale / "LC_MESSAGES"
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".po"):
            for message in read_po(io.BytesIO(file.read_bytes()), locale=locale):
                key = message.id if isinstance(message.id, str) else message.id[0]
                if key:
                    found[key] = message.string if isinstance(message.string, str) else tuple(message.string or ())
    return found


@cache
def _translations(locale: str) -> Translations:
    merged = Translations(domain=DOMAIN)
    folder = files("core") / "locales" / locale / "LC_MESSAGES"
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".po"):
            compiled = io.BytesIO()
            write_mo(compiled, read_po(io.BytesIO(file.read_bytes()), locale=locale))
            compiled.seek(0)
            part = Translations(compiled, domain=DOMAIN)
            merged.add(part, merge=True)
            merged.plural = part.plural  # or Chinese would be asked for a plural it has not
    return merged


def text(locale: str, key: str, **params: Any) -> str:
    """The message `key` with its placeholders filled; amounts (`Money`) as this locale writes them. `n`, where given,
    also chooses the plural form.

    An unknown key comes back as itself, so that a missing word never breaks an answer; a test finds it first.
    """
    translations = _translations(locale)
    if isinstance(params.get("n"), int) and isinstance(catalogue(locale).get(key), tuple):
        pattern = str(translations.ungettext(key, key + ".plural", params["n"]))
    else:
        pattern = str(translations.ugettext(key))
    said = {name: value.format(locale) if isinstance(value, Money) else value for name, value in params.items()}
    return pattern.format(**said) if said else pattern


def pick(said: Mapping[str, str], locale: str) -> str:
    """What a brand said in this locale, or in the first one it has words for."""
    return said.get(locale) or next(iter(said.values()), "")


def number(locale: str, value: int) -> str:
    """A whole number as this locale writes it."""
    return str(format_decimal(value, locale=locale))


def moment(locale: str, value: datetime, timezone: str = "UTC", *, time: bool = True) -> str:
    """A date (and time) in the people's own time zone."""
    pattern = {"zh_Hans": "M月d日 HH:mm" if time else "M月d日", "en": "MMM d, HH:mm" if time else "MMM d"}[locale]
    return format_datetime(value, pattern, tzinfo=ZoneInfo(timezone), locale=Locale.parse(locale))
