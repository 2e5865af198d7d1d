"""Counting days again: those with something new first, then those that may have changed, then the others in turn.

Which days have something new is read off the identifiers: they grow with the time of writing, so that what is behind
the mark of the last look is new, whatever day it tells of. Nothing on the way of an event keeps figures up, and no
figure is ever added to: a day is counted whole from its records, so a count that was lost, repeated or overtaken
changes nothing. Every day is counted again sooner or later, and what changed long after (a friend taken back, a person
forgotten) is found then.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, String, case, cast, delete, func, or_, select, update
from sqlmodel import Session, col

from core import clock
from core.db import insert_all, insert_missing, table, upsert
from referral.brands import Brand
from referral.insight.counting import Source, Span
from referral.insight.models import InsightDay, InsightFigure, InsightMark

OVERLAP = timedelta(minutes=5)
"""What another process wrote before the mark may be committed so much later, and is looked at again."""
START = UUID(int=0)
LOOKED_AT = 100_000
"""Records behind the mark that one unit of work looks at: an old brand's first count takes many."""
AT_ONCE = 60
"""Days of a source that one unit of work counts at most."""
PATIENCE = timedelta(hours=6)
"""So much longer than a day that may still change waits one that hardly will: the others come round however many are
open."""
LATE = timedelta(hours=1)
"""A day whose turn was so long ago is counted though the newest ones have taken all the time there was."""


def recount(session: Session, brand: Brand, sources: Sequence[Source], seconds: float, now: datetime) -> int:
    """Count the days of these sources again, for about so many seconds of the processor each (one day at least where
    one has something new); how many days are left that were never counted."""
    return sum(_recount(session, brand, source, seconds, now) for source in sources)


def _recount(session: Session, brand: Brand, source: Source, seconds: float, now: datetime) -> int:
    mark = _take_mark(session, brand, source, now)
    began = time.thread_time()
    found, seen, more = _look(session, brand, source, mark.seen_id)
    _widen(session, brand.id, source.name, found)
    mark.seen_id = max(mark.seen_id, seen, key=lambda one: one.int)
    mark.counted_at = now
    session.add(mark)
    session.flush()
    waiting = _days(session, brand, source, now)
    for kind in ([day for day in waiting if day.new], [day for day in waiting if not day.new]):
        for number, day in enumerate(kind):
            needed = not number and (day.stale or day.turn <= now - LATE)
            if not needed and time.thread_time() - began >= seconds:
                break
            _count(session, brand, source, day, now)
    return _never_counted(session, brand, source) + more


def _take_mark(session: Session, brand: Brand, source: Source, now: datetime) -> InsightMark:
    """The source's mark, held until the commit: one at a time counts a source. Days of another zone are let go."""
    target = table(InsightMark)
    fresh = {"brand_id": brand.id, "source": source.name, "seen_id": START, "timezone": brand.timezone}
    insert_missing(session, target, [fresh | {"counted_at": now}], ["brand_id", "source"])
    mark = session.scalars(
        select(InsightMark)
        .where(col(InsightMark.brand_id) == brand.id, col(InsightMark.source) == source.name)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if mark.timezone != brand.timezone:
        for model in (InsightFigure, InsightDay):
            t = table(model)
            session.execute(delete(t).where(t.c.brand_id == brand.id, t.c.source == source.name))
        mark.timezone, mark.seen_id = brand.timezone, START
    return mark


def _look(
    session: Session, brand: Brand, source: Source, seen: UUID
) -> tuple[dict[date, tuple[UUID, UUID]], UUID, bool]:
    """The days that have records behind the mark, with the first and last of these; the very last; and whether there
    are more than are looked at in one go."""
    t = source.of
    until = session.scalar(
        select(t.c.id).where(t.c.brand_id == brand.id, t.c.id > seen).order_by(t.c.id).offset(LOOKED_AT).limit(1)
    )
    here = [t.c.brand_id == brand.id, t.c.id > _before(seen), *([] if until is None else [t.c.id <= until])]
    hour = _hour(session, t.c[source.moment])
    name: ColumnElement[str] = cast(t.c.id, String)
    if session.get_bind().dialect.name == "postgresql":
        name = name.collate("C")  # identifiers have no least one there; their text has
    rows = session.execute(select(hour, func.min(name), func.max(name)).where(*here).group_by(hour)).all()
    zone = ZoneInfo(brand.timezone)
    found: dict[date, tuple[UUID, UUID]] = {}
    newest = START
    for text, first, last in rows:
        bounds = UUID(first), UUID(last)
        newest = max(newest, bounds[1], key=lambda one: one.int)
        begins = clock.parse(f"{text}:00:00+00:00")
        # In zones that are half an hour off, an hour has records of two days.
        for day in {begins.astimezone(zone).date(), (begins + timedelta(minutes=59)).astimezone(zone).date()}:
            found[day] = _union(found.get(day), bounds)
    return found, newest, until is not None


def _before(seen: UUID) -> UUID:
    """The identifier from which to look again: its first 48 bits are milliseconds (RFC 9562)."""
    milliseconds = (seen.int >> 80) - int(OVERLAP.total_seconds() * 1000)
    return UUID(int=max(milliseconds, 0) << 80)


def _hour(session: Session, moment: Column[Any]) -> Any:
    """`YYYY-MM-DD HH` of a moment in UTC, by the database."""
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", moment), "YYYY-MM-DD HH24")
    return func.substr(cast(moment, String), 1, 13)


def _union(one: tuple[UUID, UUID] | None, other: tuple[UUID, UUID]) -> tuple[UUID, UUID]:
    if one is None:
        return other
    return min(one[0], other[0], key=lambda each: each.int), max(one[1], other[1], key=lambda each: each.int)


def _widen(session: Session, brand_id: UUID, source: str, found: Mapping[date, tuple[UUID, UUID]]) -> None:
    """Keep where the days' records are, and that they are to be counted."""
    if not found:
        return
    t = table(InsightDay)
    here = (t.c.brand_id == brand_id, t.c.source == source, t.c.day.in_(list(found)))
    known = {
        row.day: (row.first_id, row.last_id)
        for row in session.execute(select(t.c.day, t.c.first_id, t.c.last_id).where(*here))
    }
    rows = []
    for day, bounds in sorted(found.items()):
        first, last = _union(known.get(day), bounds)
        rows.append({"brand_id": brand_id, "source": source, "day": day, "first_id": first, "last_id": last})
    upsert(
        session,
        t,
        [row | {"stale": True} for row in rows],
        ["brand_id", "source", "day"],
        ["first_id", "last_id", "stale"],
    )


@dataclass(frozen=True, slots=True)
class _Day:
    """A day that is to be counted. `turn`: since when, for one with nothing new."""

    day: date
    first_id: UUID
    last_id: UUID
    stale: bool
    counted_at: datetime | None
    turn: datetime

    @property
    def new(self) -> bool:
        """Whether there are records that no count has seen."""
        return self.stale or self.counted_at is None

    @property
    def order(self) -> tuple[int, datetime, int]:
        """What it goes by: never counted, something new, the others; the newest of those never counted first."""
        return 0 if self.counted_at is None else 1 if self.stale else 2, self.turn, -self.day.toordinal()


def _days(session: Session, brand: Brand, source: Source, now: datetime) -> list[_Day]:
    """The next days to be counted: those never counted (the newest first), those with something new, and the others by
    the age of their count, those first that may still change."""
    t = table(InsightDay)
    today = now.astimezone(ZoneInfo(brand.timezone)).date()
    never = t.c.counted_at.is_(None)
    turn = case((never, 0), (t.c.stale, 1), else_=2)
    kept = [] if source.kept_days is None else [or_(never, t.c.day >= today - timedelta(days=source.kept_days))]
    still_open = t.c.day >= today - timedelta(days=source.open_days)
    found = []
    for which, patience in ((still_open, timedelta()), (~still_open, PATIENCE)):
        rows = session.execute(
            select(t.c.day, t.c.first_id, t.c.last_id, t.c.stale, t.c.counted_at)
            .where(t.c.brand_id == brand.id, t.c.source == source.name, which, *kept)
            .order_by(turn, t.c.counted_at, t.c.day.desc())
            .limit(AT_ONCE)
        )
        for row in rows:
            turn_of = (row.counted_at or now) + (timedelta() if row.stale else patience)
            found.append(_Day(row.day, row.first_id, row.last_id, row.stale, row.counted_at, turn_of))
    return sorted(found, key=lambda day: day.order)[:AT_ONCE]


def _never_counted(session: Session, brand: Brand, source: Source) -> int:
    t = table(InsightDay)
    return (
        session.scalar(
            select(func.count()).where(t.c.brand_id == brand.id, t.c.source == source.name, t.c.counted_at.is_(None))
        )
        or 0
    )


def _count(session: Session, brand: Brand, source: Source, day: _Day, now: datetime) -> None:
    """Count a day whole and put its figures in the place of those before."""
    begins, ends = bounds_of(day.day, brand.timezone)
    span = Span(brand.id, begins, ends, day.first_id, day.last_id)
    rows = [
        {
            "brand_id": brand.id,
            "day": day.day,
            "source": source.name,
            "campaign_id": campaign_id,
            "what": what,
            "part": part,
            "amount": amount,
        }
        for campaign_id, what, part, amount in source.count(session, span)
        if amount
    ]
    t, d = table(InsightFigure), table(InsightDay)
    session.execute(delete(t).where(t.c.brand_id == brand.id, t.c.day == day.day, t.c.source == source.name))
    insert_all(session, t, rows)
    session.execute(
        update(d)
        .where(d.c.brand_id == brand.id, d.c.source == source.name, d.c.day == day.day)
        .values(stale=False, counted_at=now)
    )


def bounds_of(day: date, timezone: str) -> tuple[datetime, datetime]:
    """When a day of a zone begins and ends; where a change of the clock makes midnight come twice, with the first."""
    zone = ZoneInfo(timezone)
    begins = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    return begins, datetime(after.year, after.month, after.day, tzinfo=zone)
