"""What `daixin order`, `daixin referral` and `daixin adjust` do in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from core import clock
from core.errors import DaixinError, NotFound
from core.money import Money
from daixin.console import brand_named, member_named
from daixin.order_files import Wrong, buyer, read_moment
from referral import rejection
from referral.campaigns import find_campaign
from referral.conversions import Conversion, Order, Refund, RefundOrder, conversions_by
from referral.orders import assign_order, record_orders
from referral.refunds import record_refunds
from rewards.adjustments import adjust
from rewards.corrections import debt_of, order_cause
from rewards.rewards import Reward

Document = dict[str, Any]


def record(session: Session, brand: str | None, source: str, number: str, fields: dict[str, str | None]) -> Document:
    """One order, from what was typed; what became of it."""
    owner = brand_named(session, brand)
    currency = fields.get("currency") or ""
    money: dict[str, Any] = {
        name: Money.parse(value, currency).minor
        for name in ("gross", "discount", "shipping", "tax")
        if (value := fields.get(name)) is not None
    }
    at = fields.get("at")
    moment = read_moment(at, ZoneInfo(owner.timezone)) if at else clock.now()
    order = Order(owner.id, source, number, currency, ordered_at=moment, **money, **buyer(fields))
    return asdict(record_orders(session, [order])[0])


def refund(
    session: Session, brand: str | None, source: str, number: str, order: str, amount: str | None, currency: str | None
) -> Document:
    """One refund; what became of it. Without a currency it is in the order's."""
    owner = brand_named(session, brand)
    if currency is None:
        key = (owner.id, source, order)
        found = conversions_by(session, [key]).get(key)
        if found is None:
            raise NotFound("order", order=order, source=source)
        currency = found.currency
    minor = Money.parse(amount, currency).minor if amount is not None else None
    told = RefundOrder(owner.id, source, number, order, minor, currency, clock.now())
    return asdict(record_refunds(session, [told])[0])


def show(session: Session, brand: str | None, source: str, number: str) -> Document:
    """An order with its refunds and rewards. Raises `NotFound("order")`."""
    owner = brand_named(session, brand)
    key = (owner.id, source, number)
    row = conversions_by(session, [key]).get(key)
    if row is None:
        raise NotFound("order", order=number, source=source)
    refunds = session.exec(
        select(Refund)
        .where(col(Refund.brand_id) == owner.id, col(Refund.conversion_id) == row.id)
        .order_by(col(Refund.received_at), col(Refund.id))
    )
    rewards = session.exec(
        select(Reward)
        .where(
            col(Reward.brand_id) == owner.id,
            col(Reward.referral_id) == row.referral_id,
            col(Reward.cause).startswith(order_cause(row.id)),
        )
        .order_by(col(Reward.created_at), col(Reward.id))
    )
    kept = ("id", "member_id", "role", "rule", "asset", "amount", "taken_back", "state", "reason")
    return {
        "order": row.model_dump(mode="json") | {"left": row.left},
        "refunds": [one.model_dump(mode="json") | {"rest": one.rest} for one in refunds],
        "rewards": [one.model_dump(mode="json", include=set(kept)) for one in rewards],
    }


def record_rows(session: Session, rows: Sequence[tuple[int, Order | RefundOrder]]) -> tuple[Document, list[Wrong]]:
    """Orders and refunds of a file; how many of which outcome, and the lines that were refused.

    Together if they can be; else one by one, so that one refusal keeps nobody else out.
    """
    try:
        with session.begin_nested():
            return _together(session, rows), []
    except DaixinError:
        pass
    counts: Document = {}
    wrong: list[Wrong] = []
    for line, row in rows:
        try:
            with session.begin_nested():
                for name, number in _together(session, [(line, row)]).items():
                    counts[name] = counts.get(name, 0) + number
        except DaixinError as error:
            wrong.append(Wrong(line, error))
    return counts, wrong


def _together(session: Session, rows: Sequence[tuple[int, Order | RefundOrder]]) -> Document:
    orders = record_orders(session, [row for _, row in rows if isinstance(row, Order)])
    refunds = record_refunds(session, [row for _, row in rows if isinstance(row, RefundOrder)])
    counts: Document = {}
    answers = [(one.repeated, one.status) for one in orders] + [(one.repeated, one.status) for one in refunds]
    for repeated, status in answers:
        name = "repeated" if repeated else status
        counts[name] = counts.get(name, 0) + 1
    return counts


def find_brand(session: Session, brand: str | None) -> tuple[UUID, str]:
    """A brand's id and time zone."""
    found = brand_named(session, brand)
    return found.id, found.timezone


def unattributed(session: Session, brand: str | None, limit: int) -> list[Document]:
    """The latest orders that count for nobody, with the reason."""
    rows = session.exec(
        select(Conversion)
        .where(col(Conversion.brand_id) == brand_named(session, brand).id, col(Conversion.status) != "attributed")
        .order_by(col(Conversion.received_at).desc(), col(Conversion.id).desc())
        .limit(limit)
    )
    kept = {"source", "external_id", "ordered_at", "currency", "net", "status", "reason", "code", "member_id"}
    return [row.model_dump(mode="json", include=kept) for row in rows]


def assign(session: Session, brand: str | None, source: str, number: str, member: str) -> Document:
    """An order that counted for nobody, judged again as this member's."""
    owner = brand_named(session, brand)
    return asdict(assign_order(session, owner.id, source, number, member_named(session, owner.id, member)))


def reject(session: Session, brand: str | None, referral: str, reason: str, actor: str) -> Document:
    """A referral that counts no longer."""
    try:
        referral_id = UUID(referral)
    except ValueError:
        raise NotFound("referral") from None
    row = rejection.reject(session, brand_named(session, brand).id, referral_id, reason=reason, actor=actor)
    return {"id": str(row.id), "state": row.state, "reason": row.reason, "facts": row.facts}


def decide(
    session: Session,
    brand: str | None,
    member: str,
    campaign: str,
    asset: str,
    amount: str,
    *,
    reason: str,
    actor: str,
    key: str,
) -> Document:
    """Goodwill, or a deduction; the decision and what the member owes after it."""
    owner = brand_named(session, brand)
    member_id = member_named(session, owner.id, member)
    where = find_campaign(session, owner.id, campaign)
    minor = Money.parse(amount, asset).minor
    row = adjust(session, owner.id, member_id, where.id, asset, minor, reason=reason, actor=actor, key=key)
    return row.model_dump(mode="json") | {"debt": debt_of(session, owner.id, member_id)}
