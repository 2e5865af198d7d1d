"""A word to advocates who fell silent: once a campaign, while there is still time to bring somebody."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import Session

from core import clock
from core.db import table
from referral.brands import Brand
from referral.campaigns import Campaign, Enrollment
from referral.members import Identity
from referral.outreach.audiences import SILENT, touched
from referral.outreach.messages import Notice, plan
from referral.outreach.models import Outreach, OutreachChoice, OutreachSettings
from referral.trials.places import Trial

TIME_LEFT = timedelta(days=3)
"""A campaign that ends sooner is left to its own reminders."""
PIECE = 200


def nudge_due(session: Session) -> int:
    """Plan a nudge for some of those who fell silent; how many (0: there is nobody left)."""
    now = clock.now()
    c, e = table(Campaign), table(Enrollment)
    rows = session.execute(
        select(e.c.brand_id, e.c.campaign_id, e.c.member_id)
        .join(c, and_(c.c.brand_id == e.c.brand_id, c.c.id == e.c.campaign_id))
        .where(
            c.c.state == "running",
            c.c.ends_at > now + TIME_LEFT,
            e.c.enrolled_at <= now - SILENT,
            ~_switched_off(e),
            ~_closed(e, now),
            ~_nudged(e),
            _hears(e),
            ~_quiet(e),
            ~touched(e, now - SILENT),
        )
        .limit(PIECE)
    ).all()
    notices: defaultdict[UUID, list[Notice]] = defaultdict(list)
    for brand_id, campaign_id, member_id in rows:
        facts = {"campaign": str(campaign_id)}
        notices[brand_id].append(Notice(member_id, "nudge", f"nudge/{campaign_id}", facts, campaign_id))
    return sum(plan(session, session.get_one(Brand, brand_id), found) for brand_id, found in notices.items())


def _switched_off(enrollment: Any) -> ColumnElement[bool]:
    t = table(OutreachSettings)
    return select(t.c.brand_id).where(t.c.brand_id == enrollment.c.brand_id, t.c.nudges.is_(False)).exists()


def _closed(enrollment: Any, now: datetime) -> ColumnElement[bool]:
    """Whether it is a trial that takes no applications any more."""
    t = table(Trial)
    its = (t.c.brand_id == enrollment.c.brand_id, t.c.campaign_id == enrollment.c.campaign_id)
    return select(t.c.campaign_id).where(*its, t.c.closes_at <= now).exists()


def _nudged(enrollment: Any) -> ColumnElement[bool]:
    t = table(Outreach)
    own = (t.c.brand_id == enrollment.c.brand_id, t.c.member_id == enrollment.c.member_id)
    return select(t.c.kind).where(*own, t.c.kind == "nudge", t.c.campaign_id == enrollment.c.campaign_id).exists()


def _hears(enrollment: Any) -> ColumnElement[bool]:
    t = table(Identity)
    own = (t.c.brand_id == enrollment.c.brand_id, t.c.member_id == enrollment.c.member_id)
    return select(t.c.account).where(*own, t.c.reachable.is_(True), t.c.chat.is_not(None)).exists()


def _quiet(enrollment: Any) -> ColumnElement[bool]:
    t = table(OutreachChoice)
    own = (t.c.brand_id == enrollment.c.brand_id, t.c.member_id == enrollment.c.member_id)
    return select(t.c.quiet).where(*own, t.c.quiet.is_(True)).exists()
