"""The orders of a brand, the last told first, page by page: what a journey is opened from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from core.db import among, table
from referral.conversions import STATUSES, Conversion, Refund
from referral.referrals import Referral

UNCOUNTED = "uncounted"
"""Every status but `attributed`."""
FILTERS = ("attributed", UNCOUNTED, "unattributed", "rejected")
PAGE = 40
LOOKED_AT = 10_000
"""Orders one page looks through for those that fit; from where it stopped the next page goes on."""
SOURCES = 50
IS_UNCOUNTED = col(Conversion.status) != literal_column("'attributed'")
"""As the partial index has it: a bound parameter would not be recognised."""

Cursor = tuple[datetime, UUID]
"""(received_at, id) of the last order looked at."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are looked for; None is any. `number`: the shop's own, exactly, with or without its `#`."""

    status: str | None = None
    reason: str | None = None
    source: str | None = None
    campaign_id: UUID | None = None
    number: str | None = None

    @property
    def plain(self) -> bool:
        """Whether an index finds them, without looking through others."""
        return not (self.reason or self.source or self.campaign_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Orders with the advocate of each that has one, by referral.

    `older`: where the next page begins, if there may be one. `against`: why an order that was attributed counts no
    more. `waiting`: refunds for the number that was asked for, whose order has not come yet.
    """

    orders: Sequence[Conversion]
    advocates: dict[UUID, UUID]
    older: Cursor | None
    against: dict[UUID, str]
    waiting: Sequence[Refund] = ()


def orders_page(session: Session, brand_id: UUID, wanted: Wanted, after: Cursor | None = None) -> Page:
    """The orders that fit, the last received first."""
    if wanted.number:
        found = _numbered(session, brand_id, wanted)
        waiting = [] if found else _waiting(session, brand_id, wanted.number)
        return _page(session, brand_id, found, None, waiting)
    orders, older = (
        _plain(session, brand_id, wanted, after) if wanted.plain else _sifted(session, brand_id, wanted, after)
    )
    return _page(session, brand_id, orders, older)


def _conditions(wanted: Wanted, c: type[Conversion]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status in STATUSES:
        found.append(col(c.status) == wanted.status)
    if wanted.reason:
        found.append(col(c.reason) == wanted.reason)
    if wanted.source:
        found.append(col(c.source) == wanted.source)
    if wanted.campaign_id:
        found.append(col(c.campaign_id) == wanted.campaign_id)
    return found


def _from_here(brand_id: UUID, wanted: Wanted, after: Cursor | None) -> Select[Conversion]:
    query = select(Conversion).where(col(Conversion.brand_id) == brand_id)
    if wanted.status and wanted.status != "attributed":
        query = query.where(IS_UNCOUNTED)
    if after is not None:
        at, last = after
        same = and_(col(Conversion.received_at) == at, col(Conversion.id) < last)
        query = query.where(col(Conversion.received_at) <= at, or_(col(Conversion.received_at) < at, same))
    return query.order_by(col(Conversion.received_at).desc(), col(Conversion.id).desc())


def _plain(
    session: Session, brand_id: UUID, wanted: Wanted, after: Cursor | None
) -> tuple[Sequence[Conversion], Cursor | None]:
    query = _from_here(brand_id, wanted, after).where(*_conditions(wanted, Conversion))
    rows = session.scalars(query.limit(PAGE + 1)).all()
    return rows[:PAGE], _cursor(rows[PAGE - 1]) if len(rows) > PAGE else None


def _sifted(
    session: Session, brand_id: UUID, wanted: Wanted, after: Cursor | None
) -> tuple[Sequence[Conversion], Cursor | None]:
    """Of so many orders from here on those that fit: a rare one is not looked for in all years at once."""
    looked = _from_here(brand_id, wanted, after).limit(LOOKED_AT).subquery()
    c = aliased(Conversion, looked)
    order = (col(c.received_at).desc(), col(c.id).desc())
    fitting = select(c).where(col(c.brand_id) == brand_id, *_conditions(wanted, c)).order_by(*order)
    rows = session.scalars(fitting.limit(PAGE + 1)).all()
    if len(rows) > PAGE:
        return rows[:PAGE], _cursor(rows[PAGE - 1])
    last = session.execute(
        select(looked.c.received_at, looked.c.id)
        .where(looked.c.brand_id == brand_id)
        .order_by(looked.c.received_at, looked.c.id)
        .limit(1)
    ).one_or_none()
    count = session.scalar(select(func.count()).select_from(looked).where(looked.c.brand_id == brand_id)) or 0
    return rows, (last[0], last[1]) if last is not None and count == LOOKED_AT else None


def _cursor(order: Conversion) -> Cursor:
    return order.received_at, order.id


def _numbered(session: Session, brand_id: UUID, wanted: Wanted) -> list[Conversion]:
    rows = session.scalars(
        select(Conversion).where(
            col(Conversion.brand_id) == brand_id,
            among(session, table(Conversion).c.source, sources_of(session, brand_id)),
            among(session, table(Conversion).c.external_id, _spelt(wanted.number or "")),
        )
    )
    return sorted(rows, key=lambda order: order.received_at, reverse=True)[:PAGE]


def _spelt(number: str) -> set[str]:
    number = number.strip()[:200]
    return {number, number.removeprefix("#"), f"#{number}"}


def _waiting(session: Session, brand_id: UUID, number: str) -> Sequence[Refund]:
    t = table(Refund).c
    of_order = among(session, t.order_id, _spelt(number))
    waits = t.status == literal_column("'waiting'")  # as the partial index has it
    found = select(Refund).where(t.brand_id == brand_id, waits, of_order).order_by(t.refunded_at, t.id).limit(PAGE)
    return session.scalars(found).all()


def sources_of(session: Session, brand_id: UUID) -> list[str]:
    """The shops that told of orders, by looking at the first order of each alone."""
    t = table(Conversion).c
    found: list[str] = []
    while len(found) < SOURCES:
        query = select(func.min(t.source)).where(t.brand_id == brand_id)
        following = session.scalar(query.where(t.source > found[-1]) if found else query)
        if following is None:
            break
        found.append(following)
    return found


def _page(
    session: Session,
    brand_id: UUID,
    orders: Sequence[Conversion],
    older: Cursor | None,
    waiting: Sequence[Refund] = (),
) -> Page:
    """The orders with who brought their buyers, and what stands against them by now."""
    r = table(Referral).c
    wanted = {order.referral_id for order in orders if order.referral_id}
    brought = select(r.id, r.advocate_id, r.state).where(r.brand_id == brand_id, among(session, r.id, wanted))
    rows = session.execute(brought).all() if wanted else []
    states = {row.id: row.state for row in rows}
    against = {
        order.id: reason
        for order in orders
        if order.status == "attributed" and (reason := _against(order, states.get(order.referral_id)))
    }
    return Page(orders, {row.id: row.advocate_id for row in rows}, older, against, waiting)


def _against(order: Conversion, state: str | None) -> str | None:
    """As the order's own page answers (`verdicts.verdict_of_order`)."""
    if order.left == 0:
        return "refunded" if order.net else "nothing_paid"
    return f"referral_{state}" if state in ("reversed", "rejected") else None
