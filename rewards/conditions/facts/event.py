"""The event itself, its place in the calendar of the campaign, and the referral it belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from core import clock
from core.db import table
from referral.qualifying import QualifyingEvent
from referral.referrals import Referral
from rewards.conditions.facts.subject import (
    Pair,
    Subject,
    campaigns_of,
    rows_by_key,
    rows_of,
    whole_days,
    whole_hours,
    whole_minutes,
)


def moment(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """What the event is, when it happened, and how late we hear of it."""
    now = clock.now()
    return [
        {
            "event.kind": subject.event,
            "event.at": subject.at,
            "event.late_minutes": whole_minutes(now, subject.at),
            "order.present": subject.conversion_id is not None,
        }
        for subject in subjects
    ]


def calendar(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The moment of the event in the campaign's time zone. Weekdays and weeks as in ISO 8601: Monday is 1."""
    campaigns = campaigns_of(session, subjects)
    found = []
    for subject in subjects:
        zone = campaigns[subject.campaign_key].zone
        local = subject.at.astimezone(zone)
        found.append(
            {
                "time.hour": local.hour,
                "time.minute": local.minute,
                "time.weekday": local.isoweekday(),
                "time.weekend": local.isoweekday() >= 6,
                "time.night": local.hour < 6,
                "time.day": local.day,
                "time.day_of_year": local.timetuple().tm_yday,
                "time.week": local.isocalendar().week,
                "time.month": local.month,
                "time.year": local.year,
                "time.date": local.date().isoformat(),
                "time.zone": zone.key,
            }
        )
    return found


def course(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """How far the referral has come, and how many kinds of events it has seen."""
    referrals = rows_by_key(session, table(Referral), {subject.referral_key for subject in subjects})
    kinds = _kinds_of(session, subjects)
    return [_course(subject, referrals[subject.referral_key], kinds[subject.referral_key]) for subject in subjects]


def _kinds_of(session: Session, subjects: Sequence[Subject]) -> Counter[Pair]:
    e = table(QualifyingEvent)
    keys = {subject.referral_key for subject in subjects}
    rows = rows_of(session, select(e.c.brand_id, e.c.referral_id), (e.c.brand_id, e.c.referral_id), keys)
    return Counter((row.brand_id, row.referral_id) for row in rows)


def _course(subject: Subject, row: Any, kinds: int) -> dict[str, Any]:
    return {
        "event.kinds": kinds,
        "event.qualifies": row.qualified_at == subject.at,
        "event.days_since_start": whole_days(subject.at, row.started_at),
        "event.days_since_join": whole_days(subject.at, row.joined_at),
        "event.hours_since_start": whole_hours(subject.at, row.started_at),
        "event.days_left": whole_days(row.expires_at, subject.at),
        "referral.state": row.state,
        "referral.certainty": row.certainty,
        "referral.started_at": row.started_at,
        "referral.joined_at": row.joined_at,
        "referral.qualified_at": row.qualified_at,
        "referral.stay_since": row.stay_since,
        "platform.name": row.platform,
        "platform.web": row.platform == "webchat",
    }
