"""What the brand itself says of its costs: outside costs by month, what a customer costs it elsewhere, what its points
are worth. Nothing is guessed where it has said nothing. Who set what is in the audit log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKeyConstraint, delete, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Row, UtcDateTime, table, upsert
from core.errors import BadInput
from core.money import ITEM, Money, decimals, is_currency
from referral import audit

KINDS = ("ads", "samples", "fees", "people", "other")
NOTE_LENGTH = 200
YEARS = range(2000, 2101)
"""Whose costs can be said: a calendar's last month has none after it that it could end before."""


class OutsideCost(Row, table=True):
    """What referring cost beside the rewards in a month (its first day), in minor units of a currency."""

    __tablename__ = "outside_cost"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        CheckConstraint("amount > 0", name="amount"),
    )

    brand_id: UUID = Field(primary_key=True)
    month: date = Field(primary_key=True, sa_type=Date)
    currency: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    amount: int = Field(sa_type=BigInteger)
    note: str = ""
    set_by: str
    set_at: datetime = Field(sa_type=UtcDateTime)


class CostBaseline(Row, table=True):
    """What a new customer costs the brand by its other ways, in minor units; what CAC is compared with."""

    __tablename__ = "cost_baseline"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        CheckConstraint("amount > 0", name="amount"),
    )

    brand_id: UUID = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    amount: int = Field(sa_type=BigInteger)
    note: str = ""
    set_by: str
    set_at: datetime = Field(sa_type=UtcDateTime)


class AssetValue(Row, table=True):
    """What something that is no money costs the brand: `units` of `asset` come to `amount` minor units."""

    __tablename__ = "asset_value"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        CheckConstraint("units > 0 AND amount > 0", name="amount"),
    )

    brand_id: UUID = Field(primary_key=True)
    asset: str = Field(primary_key=True)
    currency: str
    units: int = Field(sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)
    set_by: str
    set_at: datetime = Field(sa_type=UtcDateTime)


def read_month(text: str) -> date:
    """The first day of a month written `2026-11`, of `YEARS`. Raises `BadInput("month_unreadable")`."""
    try:
        month = date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        raise BadInput("month_unreadable") from None
    if month.year not in YEARS:
        raise BadInput("month_unreadable")
    return month


def read_cost(text: str, currency: str) -> int:
    """An amount above nothing, or none to take away what was said: minor units, 0 for empty. Raises `BadInput`."""
    if not is_currency(currency):
        raise BadInput("unknown_asset", asset=currency[:20])
    said = text.replace(",", "").replace("，", "").strip()
    amount = Money.parse(said, currency).minor if said else 0
    if amount < 0:
        raise BadInput("cost_below_zero")
    return amount


def _note(text: str) -> str:
    return "".join(char for char in " ".join(text.split()) if char.isprintable())[:NOTE_LENGTH]


def set_cost(
    session: Session, brand_id: UUID, actor: str, month: date, currency: str, kind: str, amount: int, note: str = ""
) -> None:
    """Say what a kind of cost came to in a month; 0 takes it away. Raises `BadInput`."""
    if kind not in KINDS or not is_currency(currency):
        raise BadInput("cost_kind")
    key = {"brand_id": brand_id, "month": month, "currency": currency, "kind": kind}
    _set(session, OutsideCost, key, amount, {"amount": amount, "note": _note(note)}, actor)
    audit.record(session, brand_id, actor, "cost.set", f"{month:%Y-%m}", currency=currency, kind=kind, amount=amount)


def set_baseline(session: Session, brand_id: UUID, actor: str, currency: str, amount: int, note: str = "") -> None:
    """Say what a new customer costs elsewhere; 0 takes it away. Raises `BadInput`."""
    if not is_currency(currency):
        raise BadInput("unknown_asset", asset=currency[:20])
    key = {"brand_id": brand_id, "currency": currency}
    _set(session, CostBaseline, key, amount, {"amount": amount, "note": _note(note)}, actor)
    audit.record(session, brand_id, actor, "cost.baseline", currency, amount=amount)


def set_value(session: Session, brand_id: UUID, actor: str, asset: str, units: int, currency: str, amount: int) -> None:
    """Say what `units` of an asset cost; an amount of 0 takes it away. Raises `BadInput`."""
    decimals(asset)
    if is_currency(asset) or not is_currency(currency) or not 0 < units < 10**12:
        raise BadInput("asset_value")
    values = {"currency": currency, "units": units, "amount": amount}
    _set(session, AssetValue, {"brand_id": brand_id, "asset": asset}, amount, values, actor)
    audit.record(session, brand_id, actor, "cost.value", asset, units=units, currency=currency, amount=amount)


def _set(
    session: Session,
    model: type[Row],
    key: Mapping[str, Any],
    amount: int,
    values: Mapping[str, Any],
    actor: str,
) -> None:
    t = table(model)
    if amount:
        row = {**key, **values, "set_by": actor, "set_at": clock.now()}
        upsert(session, t, [row], list(key), [*values, "set_by", "set_at"])
    else:
        session.execute(delete(t).where(*(t.c[name] == value for name, value in key.items())))


def costs_of(session: Session, brand_id: UUID) -> list[OutsideCost]:
    """All outside costs, the newest month first."""
    return list(
        session.scalars(
            select(OutsideCost)
            .where(col(OutsideCost.brand_id) == brand_id)
            .order_by(col(OutsideCost.month).desc(), col(OutsideCost.currency), col(OutsideCost.kind))
        )
    )


def baselines_of(session: Session, brand_id: UUID) -> dict[str, CostBaseline]:
    """By currency."""
    rows = session.scalars(select(CostBaseline).where(col(CostBaseline.brand_id) == brand_id))
    return {row.currency: row for row in rows}


def values_of(session: Session, brand_id: UUID) -> dict[str, AssetValue]:
    """By asset."""
    rows = session.scalars(select(AssetValue).where(col(AssetValue.brand_id) == brand_id))
    return {row.asset: row for row in rows}


def is_valued(asset: str) -> bool:
    """Whether this is no money, so that only the brand can say what it costs."""
    return not is_currency(asset) or asset.startswith(ITEM)


def spread_costs(costs: Sequence[OutsideCost], first: date, last: date) -> dict[str, Fraction]:
    """What falls on the days `first` … `last`, by currency: a month's costs are taken to be the same on each day."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for cost in costs:
        after = (cost.month.replace(day=28) + timedelta(days=4)).replace(day=1)
        days = (after - cost.month).days
        shared = (min(last, after - timedelta(days=1)) - max(first, cost.month)).days + 1
        if shared > 0:
            found[cost.currency] += Fraction(cost.amount * shared, days)
    return dict(found)
