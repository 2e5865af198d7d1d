"""The books as somebody reads them: what lies where, what is left of each budget, transfers by what they are about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlmodel import Session, col

from core.db import table
from referral.campaigns import Campaign
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.payouts.payouts import Payout
from rewards.proofs.blocks import PublishedRoot, SealedTransfer, UnsealedTransfer
from rewards.rewards import Reward

MARK = "P-"
"""Begins what people call a payout by."""
_IDENTIFIER = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
ACCOUNTS = 200
"""Accounts of one owner that are looked through; nobody has so many assets."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which transfers: `text` is a reference or the beginning of one, or the identifier of whatever it is about;
    `since` to before `until`."""

    text: str = ""
    kind: str = ""
    since: datetime | None = None
    until: datetime | None = None


def totals(session: Session, brand_id: UUID) -> dict[str, dict[str, int]]:
    """asset → purpose → the balance of all such accounts, in minor units; the sum over purposes is zero."""
    t = table(LedgerAccount)
    rows = session.execute(
        select(t.c.asset, t.c.purpose, func.sum(t.c.balance))
        .where(t.c.brand_id == brand_id)
        .group_by(t.c.asset, t.c.purpose)
        .order_by(t.c.asset)
    )
    found: dict[str, dict[str, int]] = {}
    for asset, purpose, amount in rows:
        found.setdefault(asset, {})[purpose] = int(amount)
    return found


@dataclass(frozen=True, slots=True)
class Budget:
    """What a campaign was given of an asset, and what is left, in minor units."""

    campaign: Campaign
    asset: str
    funded: int
    left: int


def budgets(session: Session, brand_id: UUID) -> list[Budget]:
    """The budgets of all campaigns that ever had one, the newest campaign first."""
    account, moved = table(LedgerAccount), table(Transfer)
    mine = (account.c.brand_id == brand_id) & (account.c.purpose == Purpose.BUDGET)
    into = (moved.c.brand_id == account.c.brand_id) & (moved.c.credit_id == account.c.id) & (moved.c.kind == "fund")
    out = (moved.c.brand_id == account.c.brand_id) & (moved.c.debit_id == account.c.id) & (moved.c.kind == "unfund")
    sums = [
        select(account.c.id, func.sum(moved.c.amount))
        .join(moved, joined)
        .where(mine, moved.c.brand_id == brand_id)
        .group_by(account.c.id)
        for joined in (into, out)
    ]
    given, taken = (dict(session.execute(one).all()) for one in sums)
    rows = session.execute(
        select(account.c.id, account.c.asset, account.c.balance, Campaign)
        .join(Campaign, (col(Campaign.brand_id) == account.c.brand_id) & (col(Campaign.id) == account.c.owner_id))
        .where(mine, col(Campaign.brand_id) == brand_id)
        .order_by(col(Campaign.starts_at).desc(), col(Campaign.id), account.c.asset)
    )
    return [
        Budget(campaign, asset, int(given.get(key, 0)) - int(taken.get(key, 0)), balance)
        for key, asset, balance, campaign in rows
    ]


def transfers(session: Session, brand_id: UUID, wanted: Wanted, most: int, before: UUID | None = None) -> Sequence[Any]:
    """Transfers, the newest first: the columns of `Transfer`, with `height` of the block each is sealed in.

    Goes by the key, whose identifiers begin with the time; a window of days narrows it.
    """
    t, sealed = table(Transfer), table(SealedTransfer)
    found = (
        select(*t.c, sealed.c.height)
        .join(sealed, (sealed.c.brand_id == t.c.brand_id) & (sealed.c.id == t.c.id), isouter=True)
        .where(t.c.brand_id == brand_id)
        .order_by(t.c.brand_id.desc(), t.c.id.desc())
        .limit(most)
    )
    if wanted.text:
        found = found.where(_about(session, brand_id, wanted.text.strip()[:200]))
    if wanted.kind:
        found = found.where(t.c.kind == wanted.kind)
    if wanted.since is not None:
        found = found.where(t.c.created_at >= wanted.since)
    if wanted.until is not None:
        found = found.where(t.c.created_at < wanted.until)
    if before is not None:
        found = found.where(t.c.id < before)
    return session.execute(found).all()


def _about(session: Session, brand_id: UUID, text: str) -> ColumnElement[bool]:
    """What a reference begins with, or what the identifier in it names, as an index finds it."""
    t = table(Transfer)
    found = _IDENTIFIER.search(text)
    if found is None:
        return _begins(session, text)
    named = UUID(found[0])
    about = _named(session, brand_id, named)
    return about if text == found[0] or text.startswith(MARK) else about & t.c.reference.contains(text, autoescape=True)


def _named(session: Session, brand_id: UUID, named: UUID) -> ColumnElement[bool]:
    """A transfer itself, an owner's accounts, or those of a reward's or payout's member where it is spoken of.

    Each is found by an index of its own, which one condition with several `or` would not be.
    """
    t = table(Transfer)
    mine = select(t.c.id).where(t.c.brand_id == brand_id)
    either = [mine.where(t.c.id == named), *_of(session, brand_id, named)]
    for model in (Reward, Payout):
        whose = table(model)
        member = session.scalar(select(whose.c.member_id).where(whose.c.brand_id == brand_id, whose.c.id == named))
        if member is not None:
            either += [one.where(t.c.reference.contains(str(named))) for one in _of(session, brand_id, member)]
    return t.c.id.in_(union_all(*either))


def _of(session: Session, brand_id: UUID, owner: UUID) -> list[Select[Any]]:
    """What left, and what came to, an owner's accounts."""
    t, account = table(Transfer), table(LedgerAccount)
    owned = select(account.c.id).where(account.c.brand_id == brand_id, account.c.owner_id == owner).limit(ACCOUNTS)
    accounts = session.scalars(owned).all()
    mine = select(t.c.id).where(t.c.brand_id == brand_id)
    return [mine.where(side.in_(accounts)) for side in (t.c.debit_id, t.c.credit_id)] if accounts else []


def _begins(session: Session, text: str) -> ColumnElement[bool]:
    reference = table(Transfer).c.reference
    if session.get_bind().dialect.name == "sqlite":  # which compares bytes, so that a range is what begins so
        return (reference >= text) & (reference < text + "\U0010ffff")
    return reference.startswith(text, autoescape=True)


def unsealed(session: Session, brand_id: UUID) -> int:
    """How many transfers wait to be sealed in a block."""
    t = table(UnsealedTransfer)
    return int(session.scalar(select(func.count()).select_from(t).where(t.c.brand_id == brand_id)) or 0)


def published(session: Session, brand_id: UUID, most: int) -> list[PublishedRoot]:
    """The roots made public last, the newest first."""
    t = table(PublishedRoot)
    wanted = select(PublishedRoot).where(t.c.brand_id == brand_id).order_by(t.c.day.desc()).limit(most)
    return list(session.scalars(wanted))
