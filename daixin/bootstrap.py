"""Wires the parts of the house together."""

from __future__ import annotations

from core.events import Bus
from referral import stays
from referral.campaigns import CampaignMoved
from rewards import accrual


def join_parts(bus: Bus) -> None:
    """Let each part hear the events it answers."""
    bus.on(CampaignMoved, stays.close_windows)
    accrual.listen(bus)
