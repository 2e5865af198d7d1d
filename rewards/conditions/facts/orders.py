"""The order behind an event, and what its buyer bought before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from core.db import table
from referral.conversions import SHOP, Conversion
from referral.members import Identity
from referral.referrals import Referral
from rewards.conditions.facts.subject import Pair, Subject, rows_by_key, rows_of, share, whole_days, whole_minutes

LINES_SEEN = 500
"""Lines of an order that a condition sees; an order has no more."""


def _orders_of(session: Session, subjects: Sequence[Subject]) -> dict[Pair, Any]:
    keys = {(one.brand_id, one.conversion_id) for one in subjects if one.conversion_id is not None}
    return {**rows_by_key(session, table(Conversion), keys)}


def _order_key(subject: Subject) -> Pair | None:
    return None if subject.conversion_id is None else (subject.brand_id, subject.conversion_id)


def order(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The order's figures, its code and its lines; nothing for an event that is no order."""
    orders = _orders_of(session, subjects)
    codes = _codes_of(session, subjects) if orders else {}
    found = []
    for subject in subjects:
        row = orders.get(_order_key(subject) or (subject.brand_id, subject.brand_id))
        found.append({} if row is None else _order(row, codes.get(subject.referral_key)))
    return found


def _codes_of(session: Session, subjects: Sequence[Subject]) -> dict[Pair, str]:
    t = table(Referral)
    keys = {subject.referral_key for subject in subjects}
    rows = rows_of(session, select(t.c.brand_id, t.c.id, t.c.code), (t.c.brand_id, t.c.id), keys)
    return {(row.brand_id, row.id): row.code for row in rows}


def _order(row: Any, code: str | None) -> dict[str, Any]:
    lines = [_line(one) for one in (row.lines or [])[:LINES_SEEN]]
    amounts = [one["amount"] for one in lines if "amount" in one]
    return {
        "order.id": row.external_id,
        "order.source": row.source,
        "order.currency": row.currency,
        "order.gross": row.gross,
        "order.discount": row.discount,
        "order.shipping": row.shipping,
        "order.tax": row.tax,
        "order.net": row.net,
        "order.refunded": row.refunded,
        "order.kept": row.net - row.refunded,
        "order.discount_share": share(row.discount, row.net + row.discount),
        "order.at": row.ordered_at,
        "order.late_minutes": whole_minutes(row.received_at, row.ordered_at),
        "order.coded": row.code is not None,
        "order.code": row.code,
        "order.own_code": row.code is not None and row.code == code,
        "order.lines": lines,
        "order.line_count": len(lines),
        "order.items": sum(one.get("quantity", 1) for one in lines),
        "order.skus": sorted({one["sku"] for one in lines if "sku" in one}),
        "order.categories": sorted({one["category"] for one in lines if "category" in one}),
        "order.largest_line": max(amounts, default=None),
    }


def _line(given: dict[str, Any]) -> dict[str, Any]:
    """A line without what it leaves empty, so that `has(line.category)` tells the truth."""
    return {name: value for name, value in given.items() if value not in ("", None)}


def purchases(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """What the friend bought so far, this order included; sums are of the orders in its currency."""
    t = table(Conversion)
    rows = rows_of(
        session,
        select(t.c.brand_id, t.c.id, t.c.member_id, t.c.currency, t.c.net, t.c.refunded, t.c.ordered_at).where(
            t.c.status == "attributed"
        ),
        (t.c.brand_id, t.c.member_id),
        {subject.friend_key for subject in subjects},
    )
    bought: dict[Pair, list[Any]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.ordered_at, row.id)):
        bought[(row.brand_id, row.member_id)].append(row)
    buyers = _buyers(session, subjects)
    return [_purchases(subject, bought[subject.friend_key]) | buyers.get(subject, {}) for subject in subjects]


def _purchases(subject: Subject, bought: Sequence[Any]) -> dict[str, Any]:
    place = next((index for index, row in enumerate(bought) if row.id == subject.conversion_id), None)
    currency = None if place is None else bought[place].currency
    same = [row.net - row.refunded for row in bought if row.currency == currency]
    before = bought[:place] if place is not None else [row for row in bought if row.ordered_at < subject.at]
    return {
        "order.first": None if place is None else place == 0,
        "order.number": None if place is None else place + 1,
        "friend.orders": len(bought),
        "friend.spent": sum(same) if same else None,
        "friend.largest_order": max(same, default=None),
        "friend.refunded_orders": sum(row.refunded > 0 for row in bought),
        "friend.first_order_at": bought[0].ordered_at if bought else None,
        "friend.days_since_last_order": whole_days(subject.at, before[-1].ordered_at) if before else None,
    }


def _buyers(session: Session, subjects: Sequence[Subject]) -> dict[Subject, dict[str, Any]]:
    """Whose the shop's customer is: the friend, the advocate, or somebody else."""
    orders = _orders_of(session, subjects)
    hashes = {key: row.customer_hash for key, row in orders.items() if row.customer_hash is not None}
    t = table(Identity)
    rows = rows_of(
        session,
        select(t.c.brand_id, t.c.account, t.c.member_id),
        (t.c.brand_id, t.c.platform, t.c.account),
        {(brand_id, SHOP, account) for (brand_id, _), account in hashes.items()},
    )
    owners = {(row.brand_id, row.account): row.member_id for row in rows}
    found = {}
    for subject in subjects:
        key = _order_key(subject)
        if key is not None and key in hashes:
            owner = owners.get((subject.brand_id, hashes[key]))
            found[subject] = {
                "order.customer_is_advocate": owner == subject.advocate_id,
                "order.customer_is_other": owner is not None and owner != subject.friend_id,
            }
    return found
