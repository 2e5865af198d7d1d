"""Vouchers: codes from an uploaded pool, each given exactly once.

A code is worth what it buys to whoever reads it, so it is kept sealed by `core.vault` like a payee's details: a copy
of the database alone buys nothing. What finds a duplicate is a keyed hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlmodel import Field, Session, col

from core import clock, events, ids, vault
from core.db import TenantRow, UtcDateTime, insert_all, table
from core.errors import BadInput, Conflict, Refused
from referral.members import keyed_hash
from rewards.items.items import Item, find_item
from rewards.items.voucher_files import Code, Problem

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
LEVELS = (0, 20)
"""Per cent of the pool at which the brand is told, lowest first."""


class Voucher(TenantRow, table=True):
    """One code of a pool. `state`: available, given, or expired before anybody had it."""

    __tablename__ = "voucher"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "item_id"], ["item.brand_id", "item.id"]),
        ForeignKeyConstraint(["brand_id", "payout_id"], ["payout.brand_id", "payout.id"]),
        UniqueConstraint("brand_id", "item_id", "fingerprint"),
        UniqueConstraint("brand_id", "payout_id", "number"),
        CheckConstraint("(state = 'given') = (payout_id IS NOT NULL)", name="given_to_somebody"),
        CheckConstraint("(payout_id IS NULL) = (number IS NULL)", name="numbered"),
        Index("ix_voucher_next", "brand_id", "item_id", "state", "ends_at", "id"),
        Index("ix_voucher_due", "state", "ends_at"),
    )

    item_id: UUID
    sealed: str
    fingerprint: str
    ends_at: datetime = Field(sa_type=UtcDateTime)
    """When the code is worth nothing any more; `NEVER` for one without an end (an index has no place for that)."""
    state: str = "available"
    payout_id: UUID | None = None
    number: int | None = None
    """Which of its payout's vouchers, from 1."""
    imported_at: datetime = Field(sa_type=UtcDateTime)
    given_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reminded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When its owner was told that it ends soon."""


@dataclass(frozen=True, slots=True)
class VoucherLow:
    """A pool came down to `level` per cent of what it was after its last import; `left` are there."""

    brand_id: UUID
    item_id: UUID
    slug: str
    level: int
    left: int
    pool: int


@dataclass(frozen=True, slots=True)
class VoucherExpiring:
    """Somebody's voucher ends soon."""

    brand_id: UUID
    payout_id: UUID
    voucher_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: new codes, codes that were there, and what is at hand now."""

    added: int
    known: int
    available: int


def import_vouchers(session: Session, brand_id: UUID, slug: str, codes: Sequence[Code]) -> Imported:
    """Add these codes to the item's pool; all or none.

    A file whose every code is known already is a repeat and changes nothing. One that mixes known and new codes is
    refused with the lines: somebody glued two files together. Raises `BadInput("voucher_file", problems=[Problem…])`,
    `Conflict("not_vouchers")`.
    """
    item = find_item(session, brand_id, slug)
    if item.kind != "voucher":
        raise Conflict("not_vouchers", slug=slug)
    session.refresh(item, with_for_update=True)  # two imports at once come one after the other
    prints = {_fingerprint(item, code.text): code for code in codes}
    known = _known(session, item, list(prints))
    if known and len(known) < len(prints):
        lines = sorted(prints[one].line for one in known)
        raise BadInput("voucher_file", problems=[Problem(line, "known") for line in lines])
    ended = [code.line for code in codes if code.expires_at is not None and code.expires_at <= clock.now()]
    if ended and not known:
        raise BadInput("voucher_file", problems=[Problem(line, "over") for line in ended])
    if not known:
        _insert(session, item, prints)
    left = available(session, brand_id, item.id)
    if not known:
        item.pool, item.warned = left, None
        session.add(item)
        session.flush()
    return Imported(len(prints) - len(known), len(known), left)


def _fingerprint(item: Item, text: str) -> str:
    return keyed_hash(f"voucher/{item.id}", text)


def _known(session: Session, item: Item, prints: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(prints), 500):
        found.update(
            session.scalars(
                select(col(Voucher.fingerprint)).where(
                    col(Voucher.brand_id) == item.brand_id,
                    col(Voucher.item_id) == item.id,
                    col(Voucher.fingerprint).in_(prints[at : at + 500]),
                )
            )
        )
    return found


def _insert(session: Session, item: Item, prints: dict[str, Code]) -> None:
    now = clock.now()
    rows = []
    for fingerprint, code in prints.items():
        voucher_id = ids.new()
        rows.append(
            {
                "brand_id": item.brand_id,
                "id": voucher_id,
                "item_id": item.id,
                "sealed": vault.seal({"code": code.text}, bound_to=voucher_id),
                "fingerprint": fingerprint,
                "ends_at": code.expires_at or NEVER,
                "state": "available",
                "imported_at": now,
            }
        )
    insert_all(session, table(Voucher), rows)


def available(session: Session, brand_id: UUID, item_id: UUID, most: int | None = None) -> int:
    """How many codes can be given now; counted no further than to `most`."""
    free = select(col(Voucher.id)).where(
        col(Voucher.brand_id) == brand_id, col(Voucher.item_id) == item_id, _can_be_given(clock.now())
    )
    return int(session.scalar(select(func.count()).select_from(free.limit(most).subquery())) or 0)


def _can_be_given(now: datetime) -> ColumnElement[bool]:
    return (col(Voucher.state) == "available") & (col(Voucher.ends_at) > now)


def claim(session: Session, item: Item, payout_id: UUID, quantity: int) -> None:
    """Give the payout its vouchers, those that end first before the others. Raises `Refused("sold_out")`.

    One statement that changes only what is still available: of any number that ask for the last one, one gets it.
    On PostgreSQL those who ask at once pass by each other's rows, so nobody waits.
    """
    now = clock.now()
    t = table(Voucher)
    free = (
        select(t.c.id)
        .where(t.c.brand_id == item.brand_id, t.c.item_id == item.id, _can_be_given(now))
        .order_by(t.c.ends_at, t.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    for number in range(1, quantity + 1):
        taken = session.execute(
            update(t)
            .where(t.c.brand_id == item.brand_id, t.c.id == free, t.c.state == "available")
            .values(state="given", payout_id=payout_id, number=number, given_at=now)
            .returning(t.c.id)
        ).first()
        if taken is None:
            raise Refused("sold_out", slug=item.slug)


def vouchers_of(session: Session, brand_id: UUID, payout_id: UUID) -> list[Voucher]:
    """What a payout gave."""
    return list(
        session.scalars(
            select(Voucher)
            .where(col(Voucher.brand_id) == brand_id, col(Voucher.payout_id) == payout_id)
            .order_by(col(Voucher.number))
        )
    )


def code_of(voucher: Voucher) -> str:
    """The code itself."""
    return str(vault.unseal(voucher.sealed, bound_to=voucher.id)["code"])


def expires_at(voucher: Voucher) -> datetime | None:
    """When it ends, if it does."""
    return None if voucher.ends_at == NEVER else voucher.ends_at


def watch_pools(session: Session) -> None:
    """Tell which pools came down to a level, once for each level and import; lay aside what ended unused."""
    now = clock.now()
    t = table(Voucher)
    session.execute(update(t).where(t.c.state == "available", t.c.ends_at <= now).values(state="expired"))
    left = (
        select(func.count())
        .where(t.c.brand_id == col(Item.brand_id), t.c.item_id == col(Item.id), t.c.state == "available")
        .correlate(table(Item))
        .scalar_subquery()
    )
    rows = session.execute(
        select(Item, left)
        .where(col(Item.kind) == "voucher", col(Item.active), col(Item.pool) > 0)
        .where(col(Item.warned).is_(None) | (col(Item.warned) > 0))
    ).all()
    told = []
    for item, count in rows:
        level = next((level for level in LEVELS if count * 100 <= item.pool * level), None)
        if level is None or (item.warned is not None and item.warned <= level):
            continue
        # By condition: of two workers that look at once, one tells.
        i = table(Item)
        before = i.c.warned.is_(None) if item.warned is None else i.c.warned == item.warned
        changed = session.execute(
            update(i)
            .where(i.c.brand_id == item.brand_id, i.c.id == item.id, before)
            .values(warned=level)
            .returning(i.c.id)
        ).first()
        session.expire(item)
        if changed is not None:
            told.append(VoucherLow(item.brand_id, item.id, item.slug, level, count, item.pool))
    events.emit(session, told)


def remind(session: Session) -> None:
    """Tell owners whose vouchers end soon (`expiring_days` of the item), once each."""
    now = clock.now()
    t = table(Voucher)
    for item in session.scalars(select(Item).where(col(Item.kind) == "voucher")).all():
        told = session.execute(
            update(t)
            .where(t.c.brand_id == item.brand_id, t.c.item_id == item.id, t.c.state == "given")
            .where(t.c.ends_at > now, t.c.ends_at <= now + timedelta(days=item.settings["expiring_days"]))
            .where(t.c.reminded_at.is_(None))
            .values(reminded_at=now)
            .returning(t.c.payout_id, t.c.id, t.c.ends_at)
        ).all()
        events.emit(session, [VoucherExpiring(item.brand_id, *row) for row in told])
