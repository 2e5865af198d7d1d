"""What each member earned in a campaign, in the order of who earned most.

Kept apart from the books, which know it already, only so that a page of the best can be had without adding up
everybody: a job follows the transfers, which are never changed and whose identifiers are ordered by time, and adds up
anew whoever a transfer was about. Nothing is counted up, so that a transfer seen twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import BigInteger, Index, func, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Row, among, among_keys, table, upsert
from referral import search
from referral.brands import Brand
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.rewards import Reward

AT_ONCE = 1000
"""Transfers followed in one unit of work."""
SETTLED = timedelta(seconds=30)
"""How long after its identifier a transfer may still be on its way into the database."""
_MARK = "earnings"
_MINE = (Purpose.HELD, Purpose.PAYABLE)


class Earning(Row, table=True):
    """What a member earned in a campaign by now: granted and not taken back, in minor units."""

    __tablename__ = "earning"
    __table_args__ = (Index("ix_earning_order", "brand_id", "campaign_id", "asset", "earned", "member_id"),)

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    asset: str = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    earned: int = Field(sa_type=BigInteger)


def follow_due(session: Session) -> int:
    """Add up anew whom the transfers since the last run were about; how many transfers (at most `AT_ONCE` a brand). A
    job."""
    done = 0
    for brand_id in session.scalars(select(col(Brand.id)).order_by(col(Brand.id))).all():
        done += _follow(session, brand_id)
    return done


def _follow(session: Session, brand_id: UUID) -> int:
    t, a = table(Transfer).c, table(LedgerAccount).c
    until = search.earliest(clock.now() - SETTLED)
    fresh = session.execute(
        select(t.id, t.debit_id, t.credit_id)
        .where(t.brand_id == brand_id, t.id > search.reached(session, brand_id, _MARK), t.id < until)
        .order_by(t.id)
        .limit(AT_ONCE)
    ).all()
    if not fresh:
        return 0
    ends = {end for _, debit, credit in fresh for end in (debit, credit)}
    owners = session.scalars(
        select(a.owner_id).where(a.brand_id == brand_id, among(session, a.id, ends), a.purpose.in_(_MINE))
    ).all()
    add_up(session, brand_id, set(owners))
    search.move_mark(session, brand_id, _MARK, fresh[-1].id)
    return len(fresh)


def add_up(session: Session, brand_id: UUID, members: Collection[UUID]) -> None:
    """Let what these members earned be what their rewards say."""
    if not members:
        return
    r = table(Reward).c
    key = (r.campaign_id, r.asset, r.member_id)
    rows = session.execute(
        select(*key, func.sum(r.amount - r.taken_back))
        .where(among_keys(session, (r.brand_id, r.member_id), {(brand_id, member) for member in members}))
        .where(r.state != "capped")
        .group_by(*key)
        .order_by(*key)
    )
    names = ("campaign_id", "asset", "member_id", "earned")
    sums = [{"brand_id": brand_id, **dict(zip(names, row, strict=True))} for row in rows]
    for one in sums:
        one["earned"] = int(one["earned"])
    upsert(session, table(Earning), sums, ["brand_id", *names[:3]], ["earned"])
