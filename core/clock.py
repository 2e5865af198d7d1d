"""The only source of the time; the demo and the tests move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_offset = timedelta()


def now() -> datetime:
    """The present moment in UTC (always timezone-aware)."""
    return datetime.now(UTC) + _offset


def parse(text: str) -> datetime:
    """A moment from its ISO 8601 text, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def day_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the moment's day began on the clocks of a zone; where a change of the clock makes midnight come twice, with
    the first."""
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def week_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """When the moment's ISO week began: on Monday at midnight of that zone's clocks."""
    day = day_of(moment, zone)
    return day - timedelta(days=day.weekday())


def offset() -> timedelta:
    """How far the clock is moved; zero outside the demo and the tests."""
    return _offset


def move(to: timedelta) -> None:
    """Set the whole process's clock off by `to` from the real time."""
    global _offset
    _offset = to


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Move the clock by `by` for the length of the block, relative to where it is."""
    before = _offset
    move(before + by)
    try:
        yield
    finally:
        move(before)
