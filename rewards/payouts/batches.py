"""Batches: payouts that are approved together, by a second person where they come to much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from core import clock
from core.errors import NotFound, Refused
from referral.actors import is_same, person_behind
from referral.brands import Brand
from referral.linking import person_of
from rewards.payouts.approvals import above_limit, mark_approved
from rewards.payouts.payouts import Payout, PayoutBatch
from rewards.payouts.port import AUTOMATIC

LARGEST_BATCH = 500
"""Payouts in one batch; its file is taken in whole, while everybody else waits."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch has come: how many payouts, and how much in minor units, by state."""

    counts: dict[str, int]
    amounts: dict[str, int]

    @property
    def settled(self) -> bool:
        """Whether every payout of it has its end."""
        return not self.counts.keys() - {"completed", "failed"}


def create_batch(session: Session, brand_id: UUID, provider: str, asset: str, actor: str) -> PayoutBatch:
    """Put everything that waits into a batch, oldest first: by hand all that was not sent yet, else what waits for
    approval. One whose total needs no second person, and holds nothing flagged, is approved at once.

    Raises `Refused("batch_empty")`.
    """
    one_at_a_time = select(col(Brand.id)).where(col(Brand.id) == brand_id).with_for_update(key_share=True)
    session.execute(one_at_a_time)
    waiting = (
        select(Payout)
        .where(
            col(Payout.brand_id) == brand_id,
            col(Payout.state) == "pending",
            col(Payout.provider) == provider,
            col(Payout.asset) == asset,
            col(Payout.batch_id).is_(None),
            col(Payout.item_id).is_(None),
        )
        .order_by(col(Payout.created_at), col(Payout.id))
        .limit(LARGEST_BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if provider in AUTOMATIC:
        waiting = waiting.where(~col(Payout.approved))
    payouts = session.scalars(waiting).all()
    if not payouts:
        raise Refused("batch_empty")
    last = session.scalar(select(func.max(col(PayoutBatch.number))).where(col(PayoutBatch.brand_id) == brand_id))
    batch = PayoutBatch(
        brand_id=brand_id,
        number=(last or 0) + 1,
        provider=provider,
        asset=asset,
        count=len(payouts),
        total=sum(payout.amount for payout in payouts),
        created_by=actor,
        created_at=clock.now(),
    )
    session.add(batch)
    session.flush()
    for payout in payouts:
        payout.batch_id = batch.id
        session.add(payout)
    session.flush()
    if not above_limit(asset, batch.total) and all(payout.approved for payout in payouts):
        batch.approved_by, batch.approved_at = actor, clock.now()
        session.add(batch)
        session.flush()
    return batch


def approve_batch(session: Session, brand_id: UUID, batch_id: UUID, actor: str) -> PayoutBatch:
    """Let a batch go. Again changes nothing.

    Raises `Refused("same_person")` when `actor` made the batch, or is paid in it by any of their accounts;
    `NotFound("payout_batch")`.
    """
    batch = batch_of(session, brand_id, batch_id, lock=True)
    if batch.approved_at is not None:
        return batch
    payouts = payouts_in(session, batch, lock=True)
    if involved(session, batch, payouts, actor):
        raise Refused("same_person")
    batch.approved_by, batch.approved_at = actor, clock.now()
    session.add(batch)
    for payout in payouts:
        if not payout.approved and payout.state == "pending":
            mark_approved(session, payout, actor)
    session.flush()
    return batch


def involved(session: Session, batch: PayoutBatch, payouts: Sequence[Payout], actor: str) -> bool:
    """Whether this is who made the batch, or is paid in it: somebody else has to approve it."""
    if is_same(session, batch.brand_id, actor, batch.created_by):
        return True
    mine = person_behind(session, batch.brand_id, actor)
    return mine is not None and mine in {person_of(session, batch.brand_id, one.member_id) for one in payouts}


def batch_of(session: Session, brand_id: UUID, batch_id: UUID, *, lock: bool = False) -> PayoutBatch:
    """A batch. Raises `NotFound("payout_batch")`."""
    return _one(session, (col(PayoutBatch.brand_id) == brand_id) & (col(PayoutBatch.id) == batch_id), lock)


def batch_numbered(session: Session, brand_id: UUID, number: int, *, lock: bool = False) -> PayoutBatch:
    """The batch people call by this number. Raises `NotFound("payout_batch")`."""
    return _one(session, (col(PayoutBatch.brand_id) == brand_id) & (col(PayoutBatch.number) == number), lock)


def _one(session: Session, which: ColumnElement[bool], lock: bool) -> PayoutBatch:
    found = select(PayoutBatch).where(which)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    batch = session.scalars(found).one_or_none()
    if batch is None:
        raise NotFound("payout_batch")
    return batch


def batches_of(session: Session, brand_id: UUID, limit: int = 50) -> list[PayoutBatch]:
    """The brand's batches, the newest first."""
    return list(
        session.scalars(
            select(PayoutBatch)
            .where(col(PayoutBatch.brand_id) == brand_id)
            .order_by(col(PayoutBatch.number).desc())
            .limit(limit)
        )
    )


def payouts_in(session: Session, batch: PayoutBatch, *, lock: bool = False) -> Sequence[Payout]:
    """The payouts of a batch, oldest first."""
    found = (
        select(Payout)
        .where(col(Payout.brand_id) == batch.brand_id, col(Payout.batch_id) == batch.id)
        .order_by(col(Payout.created_at), col(Payout.id))
    )
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    return session.scalars(found).all()


def progress_of(session: Session, batch: PayoutBatch) -> Progress:
    """How far a batch has come."""
    rows = session.execute(
        select(col(Payout.state), func.count(), func.sum(col(Payout.amount)))
        .where(col(Payout.brand_id) == batch.brand_id, col(Payout.batch_id) == batch.id)
        .group_by(col(Payout.state))
    ).all()
    return Progress({row[0]: row[1] for row in rows}, {row[0]: int(row[2]) for row in rows})
