"""When a brand's week is over: Monday at ten by its own clocks, once, whatever number of processes look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select
from sqlmodel import Session

from core import clock, events
from core.db import insert, table
from referral.brands import Brand
from referral.outreach.models import OutreachSettings

HOUR = 10
LATE = timedelta(hours=12)
"""A digest that is later than this (nothing ran on Monday) is left out."""
PIECE = 50


@dataclass(frozen=True, slots=True)
class WeekOver:
    """A brand's ISO week [since, until) is over."""

    brand_id: UUID
    since: datetime
    until: datetime


def digest_due(session: Session) -> int:
    """Tell of the weeks that are over; of how many brands."""
    now = clock.now()
    b, s = table(Brand), table(OutreachSettings)
    told: list[WeekOver] = []
    for name in session.scalars(select(b.c.timezone).distinct()).all():
        monday = clock.week_of(now, ZoneInfo(name))
        # By the clock on the wall, whatever the night's change of clocks did.
        due = monday.replace(hour=HOUR).astimezone(UTC)
        if not due <= now < due + LATE:
            continue
        until = monday.astimezone(UTC)
        since = clock.week_of(now - timedelta(days=7), ZoneInfo(name)).astimezone(UTC)
        brands = session.scalars(
            select(b.c.id)
            .outerjoin(s, s.c.brand_id == b.c.id)
            .where(
                b.c.timezone == name,
                b.c.created_at < until,
                s.c.brand_id.is_(None) | and_(s.c.digest.is_(True), s.c.digested_at.is_distinct_from(until)),
            )
            .order_by(b.c.id)
            .limit(PIECE - len(told))
        ).all()
        told += [WeekOver(brand_id, since, until) for brand_id in brands if _first(session, brand_id, until)]
        if len(told) >= PIECE:
            break
    events.emit(session, told)
    return len(told)


def _first(session: Session, brand_id: UUID, until: datetime) -> bool:
    """Whether this unit is the first to close the brand's week; the row decides."""
    t = table(OutreachSettings)
    statement = insert(session, t).values(**OutreachSettings(brand_id=brand_id, digested_at=until).model_dump())
    made = session.execute(
        statement.on_conflict_do_update(
            index_elements=["brand_id"],
            set_={"digested_at": until},
            where=t.c.digested_at.is_distinct_from(until),
        ).returning(t.c.brand_id)
    ).all()
    return bool(made)
