"""The town, on each kind of database."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.referral.town import Town, build_town


@pytest.fixture
def town(house: House) -> Town:
    """A brand with a running campaign and two groups."""
    return build_town(house)
