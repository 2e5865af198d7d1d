"""Orders and refunds as `/api/v1` shows them, with their reasons in words; read by pages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import Row
from sqlmodel import Session

from core import i18n
from core.db import among_keys, table
from core.errors import BadInput
from core.keyed import Keyed
from referral.campaigns import Campaign
from referral.conversions import Conversion, Order, Recorded, Refund

_C, _R, _P = table(Conversion).c, table(Refund).c, table(Campaign).c
_CONVERSION = (
    *(_C.id, _C.brand_id, _C.source, _C.external_id, _C.status, _C.reason, _C.referral_id, _C.member_id),
    *(_C.currency, _C.net, _C.refunded, _C.ordered_at, _C.received_at, _P.slug.label("campaign")),
)
_FROM = table(Conversion).outerjoin(table(Campaign), (_P.brand_id == _C.brand_id) & (_P.id == _C.campaign_id))
_SLUGS = Keyed(select(_P.brand_id, _P.id, _P.slug), _P.brand_id, _P.id)
Shown = dict[str, Any]


class OrderLine(NamedTuple):
    """What is shown of an order that has just been recorded; the columns of `_CONVERSION`."""

    id: UUID
    brand_id: UUID
    source: str
    external_id: str
    status: str
    reason: str | None
    referral_id: UUID | None
    member_id: UUID | None
    currency: str
    net: int
    refunded: int
    ordered_at: datetime
    received_at: datetime
    campaign: str | None


def recorded(session: Session, orders: Sequence[Order], made: Sequence[Recorded]) -> list[OrderLine]:
    """These orders, as what became of them was told just now."""
    keys = {(order.brand_id, one.campaign_id) for order, one in zip(orders, made, strict=True) if one.campaign_id}
    slugs = _slugs_of(session, keys)
    return [
        OrderLine(
            one.conversion_id,
            order.brand_id,
            order.source,
            order.external_id,
            one.status,
            one.reason,
            one.referral_id,
            one.member_id,
            order.currency,
            one.net,
            one.refunded,
            one.ordered_at,
            one.received_at,
            slugs[(order.brand_id, one.campaign_id)] if one.campaign_id else None,
        )
        for order, one in zip(orders, made, strict=True)
    ]


_known: dict[tuple[UUID, UUID], str] = {}
KNOWN_SLUGS = 4096


def _slugs_of(session: Session, campaigns: Collection[tuple[UUID, UUID]]) -> Mapping[tuple[UUID, UUID], str]:
    """The slugs of these (brand, campaign), which never change and are remembered in the process."""
    unknown = [key for key in campaigns if key not in _known]
    if unknown:
        if len(_known) > KNOWN_SLUGS:
            _known.clear()
            unknown = list(campaigns)
        _known.update({(row[0], row[1]): row[2] for row in _SLUGS.ask(session, unknown)})
    return _known


def conversion(row: Row[Any] | OrderLine, locale: str) -> Shown:
    """One order, ready for JSON."""
    return {
        "id": str(row.id),
        "source": row.source,
        "external_id": row.external_id,
        "status": row.status,
        "reason": row.reason,
        "explanation": _words(locale, "order", row.status, row.reason),
        "campaign": row.campaign,
        "referral_id": str(row.referral_id) if row.referral_id else None,
        "member_id": str(row.member_id) if row.member_id else None,
        "currency": row.currency,
        "net": row.net,
        "refunded": row.refunded,
        "ordered_at": row.ordered_at.astimezone(UTC).isoformat(),
        "received_at": row.received_at.isoformat(),
    }


def refunds(session: Session, which: Sequence[UUID], brands: Sequence[UUID]) -> dict[UUID, Row[Any]]:
    """These refunds, each of the brand at the same place."""
    keys = set(zip(brands, which, strict=True))
    found = select(table(Refund)).where(among_keys(session, (_R.brand_id, _R.id), keys))
    return {row.id: row for row in session.execute(found)}


def refund(row: Row[Any], locale: str) -> Shown:
    """One refund, ready for JSON."""
    return {
        "id": str(row.id),
        "source": row.source,
        "external_id": row.external_id,
        "order_id": row.order_id,
        "conversion_id": str(row.conversion_id) if row.conversion_id else None,
        "status": row.status,
        "reason": row.reason,
        "explanation": _words(locale, "refund", row.status, row.reason),
        "currency": row.currency,
        "applied": row.applied,
        "rest": row.amount - row.applied if row.status == "cut" and row.amount is not None else 0,
        "refunded_at": row.refunded_at.isoformat(),
        "received_at": row.received_at.isoformat(),
    }


@lru_cache(maxsize=512)
def _words(locale: str, what: str, status: str, reason: str | None) -> str:
    """The status in words, and why."""
    said = i18n.text(locale, f"api.{what}.{status}")
    return said if reason is None else f"{said} {i18n.text(locale, f'api.reason.{reason}')}".strip()


def page_of_conversions(
    session: Session, brand_id: UUID, cursor: str | None, limit: int, **equal: str | None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the brand's orders, the first recorded first, and the cursor of the next. `equal`: columns wanted."""
    wanted = select(*_CONVERSION).select_from(_FROM).where(_C.brand_id == brand_id, *_narrowed(_C, cursor, equal))
    return _cut(list(session.execute(wanted.order_by(_C.id).limit(limit + 1))), limit)


def page_of_refunds(
    session: Session, brand_id: UUID, cursor: str | None, limit: int, **equal: str | None
) -> tuple[list[Row[Any]], str | None]:
    """A page of the brand's refunds, as `page_of_conversions`."""
    wanted = select(table(Refund)).where(_R.brand_id == brand_id, *_narrowed(_R, cursor, equal))
    return _cut(list(session.execute(wanted.order_by(_R.id).limit(limit + 1))), limit)


def page_of_campaigns(
    session: Session, brand_id: UUID, cursor: str | None, limit: int
) -> tuple[list[Row[Any]], str | None]:
    """A page of the brand's campaigns, the first made first."""
    wanted = select(table(Campaign)).where(_P.brand_id == brand_id, *_narrowed(_P, cursor, {}))
    return _cut(list(session.execute(wanted.order_by(_P.id).limit(limit + 1))), limit)


def _narrowed(columns: Any, cursor: str | None, equal: dict[str, str | None]) -> list[ColumnElement[bool]]:
    after = [columns.id > read_cursor(cursor)] if cursor else []
    return [*after, *(columns[name] == value for name, value in equal.items() if value is not None)]


def _cut(rows: list[Row[Any]], limit: int) -> tuple[list[Row[Any]], str | None]:
    more = len(rows) > limit
    return rows[:limit], cursor_of(rows[limit - 1].id) if more else None


def cursor_of(last: UUID) -> str:
    """Where the next page begins, as opaque text: behind this row. Identifiers grow with time (UUID version 7)."""
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def read_cursor(text: str) -> UUID:
    """The row a cursor stands behind. Raises `BadInput("cursor")`."""
    try:
        return UUID(bytes=base64.b64decode(text + "==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise BadInput("cursor") from None
