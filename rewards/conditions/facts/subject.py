"""What a decision is about, and what every loader needs to read for many of them at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Row, Select, Table, select
from sqlmodel import Session

from core import clock
from core.db import among_keys, table
from referral.campaigns import Campaign
from referral.referrals import Act

Pair = tuple[UUID, UUID]
Triple = tuple[UUID, UUID, UUID]


@dataclass(frozen=True, slots=True)
class Subject(Act):
    """An act of a friend, about to be rewarded."""

    @property
    def campaign_key(self) -> Pair:
        """The campaign."""
        return self.brand_id, self.campaign_id

    @property
    def referral_key(self) -> Pair:
        """The referral."""
        return self.brand_id, self.referral_id

    @property
    def advocate_key(self) -> Pair:
        """The advocate, over all campaigns."""
        return self.brand_id, self.advocate_id

    @property
    def friend_key(self) -> Pair:
        """The friend, over all campaigns."""
        return self.brand_id, self.friend_id

    @property
    def advocate_here(self) -> Triple:
        """The advocate in this campaign."""
        return self.brand_id, self.campaign_id, self.advocate_id

    @property
    def friend_here(self) -> Triple:
        """The friend in this campaign."""
        return self.brand_id, self.campaign_id, self.friend_id

    def key_of(self, side: str) -> Pair:
        """The member on the `friend`'s or the `advocate`'s side."""
        return self.friend_key if side == "friend" else self.advocate_key


SIDES = ("friend", "advocate")


@dataclass(frozen=True, slots=True)
class Days:
    """The day and the ISO week of a moment in the campaign's time zone: when they began."""

    day: datetime
    week: datetime


@dataclass(frozen=True, slots=True)
class Where:
    """A campaign as the loaders need it; `row` holds all its columns."""

    row: Any
    zone: ZoneInfo

    def days(self, at: datetime) -> Days:
        """When the day and the week of this moment began."""
        return Days(clock.day_of(at, self.zone), clock.week_of(at, self.zone))


def campaigns_of(session: Session, subjects: Sequence[Subject]) -> dict[Pair, Where]:
    """The subjects' campaigns."""
    rows = rows_by_key(session, table(Campaign), {subject.campaign_key for subject in subjects})
    return {key: Where(row, ZoneInfo(row.timezone)) for key, row in rows.items()}


def days_of(session: Session, subjects: Sequence[Subject]) -> list[Days]:
    """When the day and the week of each subject's event began."""
    campaigns = campaigns_of(session, subjects)
    return [campaigns[subject.campaign_key].days(subject.at) for subject in subjects]


def rows_of(
    session: Session,
    statement: Select[Any],
    columns: Sequence[Column[Any]],
    keys: Collection[Sequence[Any]],
) -> Sequence[Row[Any]]:
    """The statement's rows whose columns are one of these keys; none, without asking, where there are no keys."""
    return session.execute(statement.where(among_keys(session, columns, keys))).all() if keys else []


def rows_by_key(session: Session, of: Table, keys: Collection[Pair]) -> dict[Pair, Row[Any]]:
    """The rows of a tenant's table by (brand, id)."""
    found = rows_of(session, select(*of.c), (of.c.brand_id, of.c.id), keys)
    return {(row.brand_id, row.id): row for row in found}


def whole_days(later: datetime, earlier: datetime | None) -> int | None:
    """Whole days from one moment to another; None where there is no earlier one."""
    return None if earlier is None else (later - earlier) // timedelta(days=1)


def whole_hours(later: datetime, earlier: datetime | None) -> int | None:
    """Whole hours from one moment to another."""
    return None if earlier is None else (later - earlier) // timedelta(hours=1)


def whole_minutes(later: datetime, earlier: datetime | None) -> int | None:
    """Whole minutes from one moment to another."""
    return None if earlier is None else (later - earlier) // timedelta(minutes=1)


def share(part: int, whole: int) -> int | None:
    """A part of a whole in basis points, rounded down; None of nothing."""
    return None if whole <= 0 else part * 10_000 // whole
