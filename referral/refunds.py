"""Refunds: what they take from an order, in whatever order the two arrive.

Each case has one outcome. Before its order: kept `waiting`, and taken off the order in the unit that brings it. Told
twice: the first answer again, nothing else. Told again with other figures: `Conflict("refund_differs")`. In another
currency than its order: `Conflict("refund_currency")`, or `rejected` if it came first. More than is left: `cut` at
what is left, with the rest in the answer. When nothing is left of any purchase of a referral that purchases made
count, the referral is reversed (`refunded`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select
from sqlmodel import Session, col

from core import clock, events, ids
from core.db import among_keys, connection_of, table
from core.errors import Conflict
from referral.campaigns import Campaign
from referral.conversions import (
    PURCHASED,
    Conversion,
    Key,
    PurchaseRefunded,
    Refund,
    RefundOrder,
    RefundRecorded,
    check_refund,
    conversions_by,
    lock_orders,
)
from referral.referrals import Referral, reverse
from referral.sources import check_source

REFUNDED = "refunded"
"""Why a referral whose purchases all went back counts no longer, and why what it earned is taken back."""


def record_refunds(session: Session, refunds: Sequence[RefundOrder]) -> list[RefundRecorded]:
    """Record these refunds once each; a batch function for the writer. Raises `BadInput`, `Conflict`."""
    for refund in refunds:
        check_refund(refund)
    lock_orders(session, {refund.brand_id for refund in refunds})
    rows = _refunds_by(session, {refund.key for refund in refunds})
    conversions = conversions_by(session, {refund.order_key for refund in refunds})
    people = _people(session, conversions.values())
    told: list[PurchaseRefunded] = []
    answers = []
    for refund in refunds:
        row = rows.get(refund.key)
        repeated = row is not None
        if row is None:
            row = rows[refund.key] = _row(refund)
            conversion = conversions.get(refund.order_key)
            if conversion is None:
                check_source(refund.source)  # no order will come under another spelling
            else:
                session.add(conversion)
                told.extend(_apply(conversion, row, people))
            session.add(row)
        elif (row.order_id, row.amount, row.currency) != (refund.order_id, refund.amount, refund.currency):
            raise Conflict("refund_differs", refund=refund.external_id)
        answers.append(_answer(row, repeated))
    session.flush()
    events.emit(session, told)
    reverse_emptied(session, {(event.brand_id, event.referral_id) for event in told if event.net_after == 0})
    return answers


def _row(refund: RefundOrder) -> Refund:
    return Refund(
        brand_id=refund.brand_id,
        id=ids.new(),
        source=refund.source,
        external_id=refund.external_id,
        order_id=refund.order_id,
        amount=refund.amount,
        currency=refund.currency,
        status="waiting",
        refunded_at=refund.refunded_at,
        received_at=clock.now(),
    )


def _answer(row: Refund, repeated: bool) -> RefundRecorded:
    return RefundRecorded(row.id, row.conversion_id, row.status, row.applied, row.rest, row.reason, repeated)


class Refundable(Protocol):
    """An order that something can be taken off, written down already or about to be."""

    refunded: int

    @property
    def id(self) -> UUID:
        """The conversion's."""

    @property
    def left(self) -> int:
        """What is left of its net."""


def take_off(conversion: Refundable, refund: Refund) -> None:
    """Take a refund off what is left of its order."""
    asked = conversion.left if refund.amount is None else refund.amount
    refund.applied = min(asked, conversion.left)
    refund.status = "applied" if refund.applied == asked else "cut"
    refund.conversion_id = conversion.id
    conversion.refunded += refund.applied


def _people(session: Session, conversions: Iterable[Conversion]) -> dict[tuple[UUID, UUID], tuple[UUID, UUID]]:
    """The (advocate, friend) of the referrals of these orders."""
    keys = {(row.brand_id, row.referral_id) for row in conversions if row.referral_id is not None}
    if not keys:
        return {}
    t = table(Referral)
    columns = (t.c.brand_id, t.c.id, t.c.advocate_id, t.c.friend_id)
    rows = session.execute(select(*columns).where(among_keys(session, (t.c.brand_id, t.c.id), keys)))
    return {(brand_id, referral_id): (advocate, friend) for brand_id, referral_id, advocate, friend in rows}


def _apply(
    conversion: Conversion, refund: Refund, people: Mapping[tuple[UUID, UUID], tuple[UUID, UUID]]
) -> list[PurchaseRefunded]:
    """Apply a refund to its order; what to tell, if the order had counted."""
    if refund.currency != conversion.currency:
        raise Conflict(
            "refund_currency", refund=refund.external_id, given=refund.currency, currency=conversion.currency
        )
    before = conversion.left
    take_off(conversion, refund)
    if not refund.applied or conversion.status != "attributed":
        return []
    assert conversion.referral_id is not None
    assert conversion.campaign_id is not None
    return [
        PurchaseRefunded(
            conversion.brand_id,
            conversion.campaign_id,
            conversion.referral_id,
            *people[(conversion.brand_id, conversion.referral_id)],
            conversion.id,
            refund.id,
            before,
            conversion.left,
            refund.refunded_at,
        )
    ]


def reverse_emptied(session: Session, referrals: Collection[tuple[UUID, UUID]]) -> set[UUID]:
    """Referrals that purchases made count, and that have none left of which anything counts, count no longer; which."""
    if not referrals:
        return set()
    c, r, p = table(Conversion), table(Referral), table(Campaign)
    alive = (
        select(c.c.id)
        .where(
            c.c.brand_id == r.c.brand_id,
            c.c.referral_id == r.c.id,
            c.c.status == "attributed",
            c.c.refunded < c.c.net,
        )
        .exists()
    )
    emptied = session.scalars(
        select(Referral)
        .join(Campaign, (p.c.brand_id == r.c.brand_id) & (p.c.id == r.c.campaign_id))
        .where(
            among_keys(session, (r.c.brand_id, r.c.id), referrals),
            r.c.state == "qualified",
            p.c.event == PURCHASED,
            ~alive,
        )
        .order_by(col(Referral.id))
        .with_for_update(of=Referral, key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if emptied:
        events.emit(session, reverse(session, emptied, REFUNDED))
    return {referral.id for referral in emptied}


def waiting_for(session: Session, orders: Collection[Key]) -> dict[Key, list[Refund]]:
    """The refunds that wait for these orders, as they came."""
    found: dict[Key, list[Refund]] = defaultdict(list)
    shops = {(brand_id, source) for brand_id, source, _ in orders}
    if not orders or not any(connection_of(session).execute(_WAITING, {"b": b, "s": s}).first() for b, s in shops):
        return found  # as nearly always
    t = table(Refund)
    rows = session.scalars(
        select(Refund)
        .where(among_keys(session, (t.c.brand_id, t.c.source, t.c.order_id), orders), t.c.status == "waiting")
        .order_by(col(Refund.received_at), col(Refund.id))
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found[(row.brand_id, row.source, row.order_id)].append(row)
    return found


_T = table(Refund).c
_WAITING: Select[Any] = (
    select(literal_column("1"))
    .where(_T.brand_id == bindparam("b"), _T.source == bindparam("s"), _T.status == literal_column("'waiting'"))
    .limit(1)
)
"""Whether any refund of a shop waits for its order; the condition as the partial index has it."""


def _refunds_by(session: Session, keys: Collection[Key]) -> dict[Key, Refund]:
    if not keys:
        return {}
    t = table(Refund)
    rows = session.scalars(
        select(Refund)
        .where(among_keys(session, (t.c.brand_id, t.c.source, t.c.external_id), keys))
        .execution_options(populate_existing=True)
    )
    return {(row.brand_id, row.source, row.external_id): row for row in rows}
