"""What a brand keeps to when it writes to people unasked, and who asked not to be written to."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session

from core import clock
from core.db import among, table, upsert
from core.errors import BadInput
from referral import audit
from referral.brands import Brand
from referral.outreach.hours import DAY, next_open
from referral.outreach.models import MOST_A_WEEK, OutreachChoice, OutreachSettings


def settings_of(session: Session, brand_id: UUID) -> OutreachSettings:
    """The brand's manners; the usual ones where it has chosen none."""
    return session.get(OutreachSettings, brand_id) or OutreachSettings(brand_id=brand_id)


def change_settings(session: Session, brand_id: UUID, actor: str, **changes: Any) -> OutreachSettings:
    """Change some of the brand's manners. Raises `BadInput("outreach_cap" | "outreach_hours")`."""
    if not 0 <= changes.get("weekly_cap", 0) <= MOST_A_WEEK:
        raise BadInput("outreach_cap", most=MOST_A_WEEK)
    if not all(0 <= changes.get(name, 0) < DAY for name in ("quiet_from", "quiet_until")):
        raise BadInput("outreach_hours")
    row = settings_of(session, brand_id)
    for name, value in changes.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    audit.record(session, brand_id, actor, "outreach.settings", **changes)
    return row


def open_from(manners: OutreachSettings, brand: Brand, moment: datetime) -> datetime:
    """The first moment from this one on at which the brand's people may be written to."""
    return next_open(moment, ZoneInfo(brand.timezone), manners.quiet_from, manners.quiet_until)


def choose(session: Session, brand_id: UUID, member_id: UUID, *, quiet: bool) -> None:
    """The member wants no unasked messages, or wants them again."""
    row = {"brand_id": brand_id, "member_id": member_id, "quiet": quiet, "changed_at": clock.now()}
    upsert(session, table(OutreachChoice), [row], ["brand_id", "member_id"], ["quiet", "changed_at"])


def quiet_among(session: Session, brand_id: UUID, members: Collection[UUID]) -> set[UUID]:
    """Those of these members who want no unasked messages."""
    t = table(OutreachChoice)
    found = select(t.c.member_id).where(
        t.c.brand_id == brand_id, among(session, t.c.member_id, list(members)), t.c.quiet.is_(True)
    )
    return set(session.scalars(found)) if members else set()
