"""Fills the other brand with a row in every table a brand has, so that nothing of it can be forgotten in an attack."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, Date, DateTime, Float, Integer, LargeBinary, Numeric, String, Table, Uuid, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from core import clock, ids
from core.db import metadata
from tests.web.brandsite import OTHER

KNOWN: dict[str, dict[str, Any]] = {
    "payout": {"state": "pending", "asset": "CNY", "provider": "manual"},
    "review_case": {"state": "open", "kind": "application"},
    "member_link": {"undone_at": datetime(2026, 1, 1, tzinfo=UTC)},
    "shop": {"kind": "woocommerce"},
    "webhook_endpoint": {"state": "on"},
    "webhook_delivery": {"state": "waiting"},
    "board_name": {"shown": "full"},
    "contest_decision": {"what": "disqualify"},
    "draw": {"state": "open"},
    "badge": {"state": "worn"},
    "shipment": {"state": "asked"},
    "voucher": {"state": "given", "number": 1},
    "export": {"state": "done"},
    "trial": {"approve": "hand"},
}
"""Values that a table's own checks want."""


def fill(session: Session, brand_id: UUID) -> list[str]:
    """Invent a row of the brand wherever it has none; the tables for which that is not possible."""
    left: list[str] = []
    for target in metadata.sorted_tables:
        if "brand_id" not in target.c or _row(session, target, brand_id) is not None:
            continue
        try:
            with session.begin_nested():
                session.execute(target.insert().values(_invented(session, target, brand_id)))
        except (DBAPIError, LookupError):
            left.append(target.name)
    return left


def _row(session: Session, target: Table, brand_id: UUID) -> Any:
    return session.execute(select(target).where(target.c.brand_id == brand_id).limit(1)).mappings().first()


def _invented(session: Session, target: Table, brand_id: UUID) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for constraint in target.foreign_key_constraints:
        referred = constraint.elements[0].column.table
        mine = "brand_id" in referred.c
        found = _row(session, referred, brand_id) if mine else None
        if not mine and referred.name != "brand":
            found = session.execute(select(referred).limit(1)).mappings().first()
        for element in constraint.elements:
            name = element.parent.name
            if referred.name == "brand":
                values[name] = brand_id
            elif found is not None:
                values[name] = found[element.column.name]
            elif not element.parent.nullable and name != "brand_id":
                raise LookupError(referred.name)
    for column in target.columns:
        if column.name == "brand_id":
            values["brand_id"] = brand_id
        elif column.name not in values and (not column.nullable or column.primary_key):
            values[column.name] = _value(column.type, column.name)
    return values | KNOWN.get(target.name, {})


def _value(kind: Any, name: str) -> Any:
    if isinstance(kind, Uuid):
        return ids.new()
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer | Numeric | Float):
        return 1
    if isinstance(kind, JSON) or kind.__class__.__name__ in ("JSON", "JSONB"):
        return {}
    if isinstance(kind, LargeBinary):
        return b"x"
    if isinstance(kind, Date):
        return clock.now().date()
    if isinstance(kind, String):
        return f"{OTHER} {name}"
    return clock.now() + timedelta(days=1) if _is_moment(kind) else f"{OTHER} {name}"


def _is_moment(kind: Any) -> bool:
    return isinstance(kind, DateTime) or kind.__class__.__name__ == "UtcDateTime"


def picture_of(session: Session, brand_id: UUID) -> dict[str, str]:
    """What the brand has, as a digest of each table: nobody else may change any of it."""
    found = {}
    for target in metadata.sorted_tables:
        key = target.c.brand_id if "brand_id" in target.c else target.c.id if target.name == "brand" else None
        if key is not None:
            rows = session.execute(select(target).where(key == brand_id).order_by(*target.primary_key)).all()
            found[target.name] = hashlib.sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()
    return found


def names_of(session: Session, brand_id: UUID) -> dict[str, list[str]]:
    """What the brand's things are called in addresses and forms: identifiers, slugs, numbers, by table."""
    found: dict[str, list[str]] = {}
    for target in metadata.sorted_tables:
        if "brand_id" not in target.c:
            continue
        row = _row(session, target, brand_id)
        if row is not None:
            keys = [column.name for column in target.primary_key if column.name != "brand_id"]
            shown = [*keys, *(name for name in ("slug", "number", "token", "source", "user_id") if name in target.c)]
            found[target.name] = [_text(row[name]) for name in dict.fromkeys(shown)]
    return found


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
