"""Whose an account is and what for, in words: looked up for many accounts at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, select
from sqlmodel import Session

from core import i18n
from core.db import among_keys, table
from core.money import ITEM
from referral.campaigns import Campaign
from referral.members import Member
from rewards.items.items import Item
from rewards.ledger import LedgerAccount, Purpose

OF_MEMBERS = (Purpose.HELD, Purpose.PAYABLE)


def account_words(session: Session, brand_id: UUID, accounts: Collection[UUID], locale: str) -> dict[UUID, str]:
    """What to call each of these accounts of a brand: `Spring tea · budget`, `Alice · on hold`, `bank`."""
    rows = rows_of(session, LedgerAccount, brand_id, accounts)
    names = names_of(session, brand_id, (row.owner_id for row in rows.values() if row.purpose in OF_MEMBERS), locale)
    budgets = (row.owner_id for row in rows.values() if row.purpose == Purpose.BUDGET)
    titles = {key: i18n.pick(row.title, locale) for key, row in rows_of(session, Campaign, brand_id, budgets).items()}
    return {key: _words(row, names | titles, locale) for key, row in rows.items()}


def _words(row: Any, owners: Mapping[UUID, str], locale: str) -> str:
    what = purpose_words(row.purpose, locale)
    owner = owners.get(row.owner_id)
    return f"{owner} · {what}" if owner else what


def purpose_words(purpose: str, locale: str) -> str:
    """What an account is for."""
    return i18n.text(locale, f"desk.purpose.{purpose.rpartition('.')[2]}")


def names_of(session: Session, brand_id: UUID, members: Iterable[UUID | None], locale: str) -> dict[UUID, str]:
    """What to call each of these members; whoever was forgotten has no name."""
    unnamed, t = i18n.text(locale, "member.unnamed"), table(Member)
    found = rows_of(session, Member, brand_id, members, (t.c.id, t.c.name))
    return {key: row.name or unnamed for key, row in found.items()}


def rows_of(
    session: Session, model: Any, brand_id: UUID, wanted: Iterable[UUID | None], columns: Sequence[Column[Any]] = ()
) -> dict[UUID, Any]:
    """The columns (all, or these) of these rows of a brand, by id."""
    t = table(model)
    keys = [(brand_id, one) for one in dict.fromkeys(wanted) if one is not None]
    if not keys:
        return {}
    found = select(*(columns or t.c)).where(t.c.brand_id == brand_id, among_keys(session, (t.c.brand_id, t.c.id), keys))
    return {row.id: row for row in session.execute(found)}


def asset_words(session: Session, brand_id: UUID, locale: str) -> dict[str, str]:
    """What the brand's own items are called, by asset."""
    t = table(Item)
    rows = session.execute(select(t.c.slug, t.c.title).where(t.c.brand_id == brand_id))
    return {f"{ITEM}{slug}": i18n.pick(title, locale) for slug, title in rows}
