"""Cases in words on a page: as in the chat, with what people gave escaped for HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape
from sqlmodel import Session

from core import i18n
from core.money import WORDS, Money
from referral.brands import Brand
from rewards.account_words import asset_words
from web.dashboard import shown
from web.dashboard.desk import Viewer


@dataclass(frozen=True, slots=True)
class PageTelling:
    """A `rewards.case_words.Telling`."""

    session: Session
    brand: Brand
    locale: str
    _items: dict[str, str] = field(default_factory=dict)

    def say(self, key: str, /, **params: Any) -> Markup:
        filled = {
            name: i18n.number(self.locale, value) if isinstance(value, int) else value for name, value in params.items()
        }
        return Markup(i18n.text(self.locale, key)).format(**filled)  # noqa: S704  # our own words; format escapes

    def quote(self, text: str) -> Markup:
        return escape(text)

    def join(self, between: str, parts: Sequence[str]) -> Markup:
        return escape(between).join(parts)

    def amount(self, amount: int, asset: str) -> Markup:
        return escape(amount_words(self._items, self.locale, amount, asset))

    def moment(self, at: datetime, timezone: str) -> Markup:
        return escape(shown.when(self.locale, timezone, at))


def amount_words(items: dict[str, str], locale: str, amount: int, asset: str) -> str:
    """An amount as people write it; an item by its title (`rewards.account_words.asset_words`)."""
    if asset in items:
        return f"{i18n.number(locale, amount)} × {items[asset]}"
    return Money(amount, asset).format(locale)


def asset_name(items: dict[str, str], locale: str, asset: str) -> str:
    """What an asset is called where no amount of it stands: a currency by its code."""
    return WORDS[asset][locale][1] if asset in WORDS else items.get(asset, asset)


def telling_for(session: Session, viewer: Viewer) -> PageTelling:
    """How cases are told to this viewer."""
    brand = session.get_one(Brand, viewer.brand_id)
    return PageTelling(session, brand, viewer.locale, asset_words(session, brand.id, viewer.locale))
