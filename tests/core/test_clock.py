"""Days and weeks as the people of a zone have them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from core import clock

ZONES = {
    "an ordinary day": ("Asia/Shanghai", "2026-03-04T17:30", "2026-03-04T16:00", "2026-03-01T16:00"),
    "the first of two midnights": ("America/Havana", "2026-11-01T05:30", "2026-11-01T04:00", "2026-10-26T04:00"),
    "after no midnight at all": ("Asia/Beirut", "2026-03-29T10:00", "2026-03-28T22:00", "2026-03-22T22:00"),
    "a Monday's first second": ("UTC", "2026-03-02T00:00", "2026-03-02T00:00", "2026-03-02T00:00"),
    "a Sunday's last minute": ("UTC", "2026-03-08T23:59", "2026-03-08T00:00", "2026-03-02T00:00"),
}


@pytest.mark.parametrize(("zone", "moment", "day", "week"), ZONES.values(), ids=ZONES)
def test_a_day_and_a_week_begin_at_the_zones_midnight(zone: str, moment: str, day: str, week: str) -> None:
    at, here = datetime.fromisoformat(moment).replace(tzinfo=UTC), ZoneInfo(zone)
    assert f"{clock.day_of(at, here).astimezone(UTC):%Y-%m-%dT%H:%M}" == day
    assert f"{clock.week_of(at, here).astimezone(UTC):%Y-%m-%dT%H:%M}" == week
