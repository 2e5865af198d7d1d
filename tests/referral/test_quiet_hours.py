"""Quiet hours by the clocks on the wall: over midnight, and in the nights when the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.outreach.hours import DAY, is_quiet, next_open

SHANGHAI, NEW_YORK, LORD_HOWE = (
    ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe")
)
NINE_TO_NINE = (21 * 60, 9 * 60)


def at(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-03-02 12:00", "2026-03-02 12:00"),
        ("2026-03-02 20:59:59", "2026-03-02 20:59:59"),
        ("2026-03-02 21:00", "2026-03-03 09:00"),
        ("2026-03-02 23:59:59", "2026-03-03 09:00"),
        ("2026-03-03 00:00", "2026-03-03 09:00"),
        ("2026-03-03 08:59:59", "2026-03-03 09:00"),
        ("2026-03-03 09:00", "2026-03-03 09:00"),
        ("2026-12-31 22:00", "2027-01-01 09:00"),
    ],
)
def test_nobody_is_written_to_at_night(moment: str, opens: str) -> None:
    assert next_open(at(moment, SHANGHAI), SHANGHAI, *NINE_TO_NINE) == at(opens, SHANGHAI)


def test_a_night_with_changed_clocks_ends_at_nine_on_the_wall() -> None:
    for evening, morning, hours in (
        ("2026-03-07 22:00", "2026-03-08 09:00", 10),
        ("2026-10-31 22:00", "2026-11-01 09:00", 12),
    ):
        began = at(evening, NEW_YORK)
        opens = next_open(began, NEW_YORK, *NINE_TO_NINE)
        assert opens == at(morning, NEW_YORK)
        assert opens - began == timedelta(hours=hours)


def test_an_end_the_wall_clock_never_shows_is_the_moment_of_the_jump() -> None:
    opens = next_open(at("2026-03-07 23:00", NEW_YORK), NEW_YORK, 21 * 60, 2 * 60 + 30)
    assert opens == at("2026-03-08 03:00", NEW_YORK)


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    quiet = (0, 90)  # until half past one, which the clocks show again an hour later
    first = next_open(at("2026-11-01 00:30", NEW_YORK), NEW_YORK, *quiet)
    assert first == at("2026-11-01 01:30", NEW_YORK)
    second = next_open(at("2026-11-01 01:10", NEW_YORK, fold=1), NEW_YORK, *quiet)
    assert second - first == timedelta(hours=1)


def test_a_pause_at_noon_and_no_pause_at_all() -> None:
    noon = at("2026-03-02 13:20", SHANGHAI)
    assert next_open(noon, SHANGHAI, 13 * 60, 14 * 60) == at("2026-03-02 14:00", SHANGHAI)
    assert next_open(noon, SHANGHAI, 600, 600) == noon


@given(
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001  # given its zone below
    zone=st.sampled_from([SHANGHAI, NEW_YORK, LORD_HOWE]),
    begin=st.integers(0, DAY - 1),
    end=st.integers(0, DAY - 1),
)
def test_what_is_found_is_the_first_moment_that_is_not_quiet(
    moment: datetime, zone: ZoneInfo, begin: int, end: int
) -> None:
    began = moment.replace(tzinfo=UTC)
    opens = next_open(began, zone, begin, end)
    assert began <= opens
    assert not is_quiet(opens, zone, begin, end)
    if opens == began:
        return
    step = opens - timedelta(microseconds=1)
    while step >= began:
        assert is_quiet(step, zone, begin, end)
        step -= timedelta(minutes=7)
