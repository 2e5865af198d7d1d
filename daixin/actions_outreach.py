"""What `daixin outreach` does in the database."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlmodel import Session

from core.errors import BadInput, NotFound
from daixin.console import brand_named
from referral.outreach import broadcasts
from referral.outreach.messages import tally
from referral.outreach.models import Broadcast, OutreachSettings
from referral.outreach.people import change_settings, settings_of
from referral.staff import OPERATOR

LISTED = 20
_HOURS = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)\s*[-–~至]\s*([01]?\d|2[0-3])[:：]([0-5]\d)")
SWITCHES = ("cheers", "nudges", "digest")


def manners(
    session: Session, brand: str | None, hours: str | None, cap: int | None, **switches: bool | None
) -> dict[str, Any]:
    """The brand's manners, after what is to be changed of them. Raises `BadInput`: outreach_hours, outreach_cap."""
    owner = brand_named(session, brand)
    changes: dict[str, Any] = {name: value for name, value in switches.items() if value is not None}
    if hours is not None:
        changes |= dict(zip(("quiet_from", "quiet_until"), _minutes(hours), strict=True))
    if cap is not None:
        changes["weekly_cap"] = cap
    found = change_settings(session, owner.id, OPERATOR, **changes) if changes else settings_of(session, owner.id)
    return _shown(found) | {"timezone": owner.timezone}


def _minutes(hours: str) -> tuple[int, int]:
    """When quiet begins and ends, in minutes since midnight; `none` is no quiet hours."""
    if hours.strip().lower() in ("none", "无"):
        return 0, 0
    found = _HOURS.fullmatch(hours.strip())
    if found is None:
        raise BadInput("outreach_hours")
    begin, begin_minute, end, end_minute = map(int, found.groups())
    return begin * 60 + begin_minute, end * 60 + end_minute


def _shown(found: OutreachSettings) -> dict[str, Any]:
    begin, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in (found.quiet_from, found.quiet_until))
    hours = f"{begin}-{end}" if begin != end else "none"
    return {"quiet": hours, "cap": found.weekly_cap} | {name: getattr(found, name) for name in SWITCHES}


def broadcasts_shown(session: Session, brand: str | None) -> list[dict[str, Any]]:
    """The latest broadcasts with what became of their messages."""
    owner = brand_named(session, brand)
    return [_row(session, one) for one in broadcasts.broadcasts_of(session, owner.id, LISTED)]


def stop_broadcast(session: Session, brand: str | None, which: str) -> dict[str, Any]:
    """Send no more of a broadcast. Raises `NotFound("broadcast")`, `Refused("broadcast_over")`."""
    try:
        broadcast_id = UUID(which)
    except ValueError:
        raise NotFound("broadcast") from None
    found = broadcasts.find_broadcast(session, brand_named(session, brand).id, broadcast_id)
    broadcasts.stop(session, found, OPERATOR)
    return _row(session, found)


def _row(session: Session, one: Broadcast) -> dict[str, Any]:
    counts = tally(session, one.brand_id, broadcasts.subject_of(one))
    return {
        "id": str(one.id),
        "state": one.state,
        "audience": one.audience,
        "started_at": one.started_at.isoformat() if one.started_at else None,
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
        "planned": one.planned,
        "messages": counts,
    }
