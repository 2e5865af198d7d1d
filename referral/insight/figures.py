"""The figures of a time, summed from its days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core.db import table
from referral.insight.models import NOBODY, InsightDay, InsightFigure, InsightMark
from referral.insight.statistics import Concentration, Interval, concentration, of_count, share, wilson
from referral.leaderboard import ScoreCount

STEPS = ("visitors", "came", "joined", "qualified", "purchased")
"""From whoever opened an invitation to whoever bought."""
CLASSES = ((1, 1), (2, 4), (5, 9), (10, None))
"""Kinds of advocate, by how many friends they have brought: from, to."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days of a brand, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    def all(self) -> list[date]:
        """Each of them."""
        return [self.first + timedelta(days=number) for number in range(self.days)]


@dataclass(frozen=True, slots=True)
class Rate:
    """A figure with the two numbers that went in, and its interval."""

    part: int
    whole: int
    value: Fraction | None
    interval: Interval | None


@dataclass(slots=True)
class Sums:
    """Everything counted in a period: (what, part) → amount, and day by day (what, part, day) → amount."""

    whole: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    daily: dict[tuple[str, str, date], int] = field(default_factory=lambda: defaultdict(int))
    brought: int = 0
    """New customers whom a campaign had brought."""

    def of(self, what: str) -> int:
        """All parts of a figure together (people and orders; money has a currency and is never added up so)."""
        return sum(amount for (name, _), amount in self.whole.items() if name == what)

    def parts(self, what: str) -> dict[str, int]:
        """A figure by its parts."""
        return {part: amount for (name, part), amount in self.whole.items() if name == what and amount}

    def series(self, what: str, days: Sequence[date], part: str | None = None) -> list[int]:
        """A figure day by day."""
        found: dict[date, int] = defaultdict(int)
        for (name, of, day), amount in self.daily.items():
            if name == what and part in (None, of):
                found[day] += amount
        return [found[day] for day in days]


def sums(session: Session, brand_id: UUID, period: Period, campaign_id: UUID | None = None) -> Sums:
    """What the days of a period come to, of one campaign or of all that the brand has."""
    t = table(InsightFigure)
    ours = t.c.campaign_id != NOBODY
    rows = session.execute(
        select(t.c.what, t.c.part, t.c.day, func.sum(t.c.amount), func.sum(t.c.amount).filter(ours))
        .where(
            t.c.brand_id == brand_id,
            t.c.day.between(period.first, period.last),
            *(() if campaign_id is None else (t.c.campaign_id == campaign_id,)),
        )
        .group_by(t.c.what, t.c.part, t.c.day)
    )
    found = Sums()
    for what, part, day, amount, of_campaigns in rows:
        found.whole[(what, part)] += int(amount)
        found.daily[(what, part, day)] += int(amount)
        if what == "customers":
            found.brought += int(of_campaigns or 0)
    return found


@dataclass(frozen=True, slots=True)
class Counting:
    """How fresh the figures are. `waiting`: days whose records have not all been counted yet."""

    at: datetime | None
    waiting: int


def counting(session: Session, brand_id: UUID) -> Counting:
    """When all sources were last looked through, and what waits."""
    at = session.scalar(select(func.min(col(InsightMark.counted_at))).where(col(InsightMark.brand_id) == brand_id))
    waiting = session.scalar(
        select(func.count(col(InsightDay.day).distinct())).where(
            col(InsightDay.brand_id) == brand_id, col(InsightDay.counted_at).is_(None)
        )
    )
    return Counting(at, int(waiting or 0))


def rate(part: int, whole: int) -> Rate:
    """A share of people with Wilson's interval."""
    return Rate(part, whole, share(part, whole), wilson(part, whole))


def referral_rate(found: Sums, customers: int) -> Rate:
    """转介绍率: new customers whom somebody brought ÷ all new customers of the brand, also where `found` is of one
    campaign. New is who bought for the first time."""
    return rate(found.brought, customers)


def new_customers(session: Session, brand_id: UUID, period: Period) -> int:
    """How many bought from the brand for the first time, whoever brought them."""
    t = table(InsightFigure)
    number = session.scalar(
        select(func.sum(t.c.amount)).where(
            t.c.brand_id == brand_id,
            t.c.day.between(period.first, period.last),
            t.c.source == "conversion",
            t.c.what == "customers",
        )
    )
    return int(number or 0)


@dataclass(frozen=True, slots=True)
class Virality:
    """The K-factor: invitations per advocate × friends per invitation, which is friends ÷ advocates.

    `invited`: people who opened an invitation or came by one; `joined`: friends who came of it.
    """

    advocates: int
    invited: int
    joined: int
    value: Fraction | None
    interval: Interval | None


def k_factor(found: Sums, advocates: int) -> Virality:
    """How many friends an advocate has brought in the period. The interval is that of the count of friends (Byar)."""
    joined = found.of("joined")
    around = of_count(joined)
    interval = Interval(around.low / advocates, around.high / advocates) if advocates else None
    return Virality(advocates, found.of("visitors"), joined, share(joined, advocates), interval)


def advocates_until(session: Session, brand_id: UUID, last: date, campaign_id: UUID | None = None) -> int:
    """How many had begun to take part by the end of a day."""
    t = table(InsightFigure)
    number = session.scalar(
        select(func.sum(t.c.amount)).where(
            t.c.brand_id == brand_id,
            t.c.day <= last,
            t.c.source == "enrollment",
            *(() if campaign_id is None else (t.c.campaign_id == campaign_id,)),
        )
    )
    return int(number or 0)


@dataclass(frozen=True, slots=True)
class Kind:
    """Advocates who have brought `least` … `most` friends (None: any more)."""

    least: int
    most: int | None
    advocates: int
    friends: int


def board(session: Session, brand_id: UUID, campaign_id: UUID | None = None) -> list[tuple[int, int]]:
    """(friends brought, how many advocates) since the beginning, of one campaign or of each of them."""
    t = table(ScoreCount)
    rows = session.execute(
        select(t.c.score, func.sum(t.c.members))
        .where(
            t.c.brand_id == brand_id,
            t.c.members > 0,
            *(() if campaign_id is None else (t.c.campaign_id == campaign_id,)),
        )
        .group_by(t.c.score)
    )
    return [(score, int(members)) for score, members in rows]


def spread(scores: Sequence[tuple[int, int]]) -> tuple[list[Kind], Concentration | None]:
    """The kinds of advocate, and how much few of them carry."""
    kinds = []
    for least, most in CLASSES:
        ours = [(score, members) for score, members in scores if score >= least and (most is None or score <= most)]
        people, friends = sum(members for _, members in ours), sum(score * members for score, members in ours)
        kinds.append(Kind(least, most, people, friends))
    return kinds, concentration(scores)
