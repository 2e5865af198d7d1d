"""What transfers were for, in words: looked up for many references at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, select
from sqlmodel import Session

from core import i18n
from core.db import among_keys, table
from core.money import ITEM
from referral.campaigns import Campaign
from rewards.adjustments import CAUSE, Adjustment
from rewards.items.items import Item
from rewards.payouts.payouts import Payout
from rewards.rewards import Reward

OF_REWARD = ("grant", "release", "void", "clawback")
OF_ADJUSTMENT, OF_PAYOUT = CAUSE.rstrip("/"), "payout"


def named_in(reference: str, *kinds: str) -> UUID | None:
    """The row that a reference `kind/<id>…` names, if it is of one of these kinds."""
    kind, _, rest = reference.partition("/")
    name = rest.partition("/")[0]
    if kind not in kinds:
        return None
    try:
        return UUID(name)
    except ValueError:
        return None


def event_words(event: str, locale: str) -> str:
    """What the friend did, in words; the event's own name where there are none."""
    return known_words(f"statement.event.{event}", event, locale)


def reason_words(reason: str | None, locale: str) -> str:
    """Why a reward was refused or taken back, in words."""
    return "" if reason is None else known_words(f"statement.reason.{reason}", reason, locale)


def known_words(key: str, otherwise: str, locale: str) -> str:
    """The message of this key; something else where there is none."""
    return i18n.text(locale, key) if key in i18n.catalogue(locale) else otherwise


class Causes:
    """Rewards, payouts, adjustments and campaigns behind these transfers of a brand."""

    def __init__(self, session: Session, brand_id: UUID, references: Iterable[str]) -> None:
        listed = list(references)
        self._session, self._brand_id = session, brand_id
        self._rewards = self._rows(Reward, (named_in(one, *OF_REWARD) for one in listed))
        self._payouts = self._rows(Payout, (named_in(one, OF_PAYOUT) for one in listed))
        given = (named_in(row.cause, OF_ADJUSTMENT) for row in self._rewards.values())
        self._adjustments = self._rows(Adjustment, (*(named_in(one, OF_ADJUSTMENT) for one in listed), *given))
        self._items = self._rows(Item, (row.item_id for row in self._payouts.values()))
        rows = (*self._rewards.values(), *self._adjustments.values())
        self._campaigns = self._rows(Campaign, (row.campaign_id for row in rows))

    def words(self, reference: str, locale: str) -> str:
        """What it was for: the friend's deed, the reason it was taken back, where it was paid to."""
        reward = self._rewards.get(named_in(reference, *OF_REWARD) or self._brand_id)
        if reward is not None and (reason := self._reason(reference, reward, locale)):
            return reason
        if (adjustment := self._adjustment(reference)) is not None:
            return str(adjustment.reason)
        if reward is not None:
            return event_words(reward.event, locale)
        payout = self._payouts.get(named_in(reference, OF_PAYOUT) or self._brand_id)
        return "" if payout is None else self._payout(payout, locale)

    def campaign(self, reference: str, locale: str) -> str:
        """The campaign's title; nothing for a payout, which may cover several."""
        row = self._rewards.get(named_in(reference, *OF_REWARD) or self._brand_id) or self._adjustment(reference)
        found = self._campaigns.get(row.campaign_id) if row is not None else None
        return "" if found is None else i18n.pick(found.title, locale)

    def _adjustment(self, reference: str) -> Any:
        reward = self._rewards.get(named_in(reference, *OF_REWARD) or self._brand_id)
        named = named_in(reference if reward is None else reward.cause, OF_ADJUSTMENT)
        return self._adjustments.get(named) if named is not None else None

    def _reason(self, reference: str, reward: Any, locale: str) -> str:
        kind, _, rest = reference.partition("/")
        if kind not in ("void", "clawback"):
            return ""
        code = rest.partition("/")[2].partition("/")[0]
        return reason_words({"refund": "refunded", "link": reward.reason}.get(code, code), locale)

    def _payout(self, payout: Any, locale: str) -> str:
        item = self._items.get(payout.item_id)
        if item is not None:
            return i18n.pick(item.title, locale) + (f" × {payout.quantity}" if payout.quantity > 1 else "")
        if payout.asset.startswith(ITEM):
            return str(payout.asset.removeprefix(ITEM))
        return known_words(f"statement.provider.{payout.provider}", payout.provider, locale)

    def _rows(self, model: Any, wanted: Iterable[UUID | None]) -> dict[UUID, Any]:
        named = {one for one in wanted if one is not None}
        if not named:
            return {}
        t = table(model)
        key: Sequence[Column[Any]] = (t.c.brand_id, t.c.id)
        found = among_keys(self._session, key, {(self._brand_id, one) for one in named})
        return {row.id: row for row in self._session.execute(select(*t.c).where(found))}
