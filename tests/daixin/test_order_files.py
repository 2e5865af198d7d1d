"""Moments in files of orders, as people write them."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from core import clock
from core.errors import BadInput
from daixin.order_files import read_moment

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_moment_without_a_zone_is_the_brands_and_its_days_have_24_hours() -> None:
    """On 29 March 2026 Berlin's clocks are put an hour on: a window of 30 days is no hour shorter for it."""
    at = read_moment("2026-03-15T12:00", BERLIN)
    assert at == clock.parse("2026-03-15T11:00:00+00:00")
    assert at + timedelta(days=30) == clock.parse("2026-04-14T11:00:00+00:00")
    assert read_moment("2026-03-15T12:00+08:00", BERLIN) == clock.parse("2026-03-15T04:00:00+00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01T00:00", "9999-12-31T23:59-14:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="order_moment"):
        read_moment(text, BERLIN)
