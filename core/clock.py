"""The only source of the time; the demo and the tests move it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta()


def now() -> datetime:
    """The present moment in UTC (always timezone-aware)."""
    return datetime.now(UTC) + _offset


def parse(text: str) -> datetime:
    """A moment from its ISO 8601 text, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


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
