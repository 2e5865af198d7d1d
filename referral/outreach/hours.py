"""Quiet hours: when nobody is written to unasked, by the clocks on the wall of the brand's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY = 24 * 60
"""Minutes of a day, by which quiet hours are told."""
_MINUTE = timedelta(minutes=1)


def is_quiet(moment: datetime, zone: ZoneInfo, begin: int, end: int) -> bool:
    """Whether the wall clock shows a time in [begin, end), in minutes since midnight; equal ends are no quiet hours.

    Hours that end before they begin go over midnight.
    """
    local = moment.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return begin <= minute < end if begin <= end else minute >= begin or minute < end


def next_open(moment: datetime, zone: ZoneInfo, begin: int, end: int) -> datetime:
    """The first moment from this one on that is not quiet, in UTC.

    Where the clocks are put forward over the end, that is the moment after the jump.
    """
    if not is_quiet(moment, zone, begin, end):
        return moment.astimezone(UTC)
    local = moment.astimezone(zone)
    day = local.date() + timedelta(days=local.hour * 60 + local.minute >= end)
    wall = datetime(day.year, day.month, day.day, end // 60, end % 60, tzinfo=zone, fold=local.fold)
    over = wall.astimezone(UTC)
    while not is_quiet(over - _MINUTE, zone, begin, end):  # the wall clock never showed the end
        over -= _MINUTE
    return over
