"""When days are counted: a little at a time by the clock, and before somebody looks."""

from __future__ import annotations

import time
from datetime import timedelta
from math import inf
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from core import clock
from core.db import table
from referral.brands import Brand
from referral.campaigns import Campaign
from referral.insight.counting import SOURCES
from referral.insight.models import InsightMark
from referral.insight.recount import recount
from rewards.insight.spending import SOURCE

ALL = (*SOURCES, SOURCE)
AT_ONCE = 0.03
"""Seconds of the processor that one kind of record may take of a unit of work; others wait for the writer meanwhile."""
A_RUN = 0.15
"""Seconds of the job's unit of work, over all brands."""
FRESH = timedelta(seconds=5)
"""Figures that were counted so short ago are shown as they are."""


def count_due(session: Session) -> int | None:
    """Count the days of the brands whose figures are oldest; how many days were never counted are left."""
    began, left = time.thread_time(), 0
    mark, campaign = table(InsightMark), table(Campaign)
    oldest = select(mark.c.brand_id, func.min(mark.c.counted_at).label("at")).group_by(mark.c.brand_id).subquery()
    brands = session.scalars(
        select(Brand)
        .where(table(Brand).c.id.in_(select(campaign.c.brand_id)))
        .outerjoin(oldest, oldest.c.brand_id == table(Brand).c.id)
        .order_by(oldest.c.at.is_not(None), oldest.c.at, table(Brand).c.id)
    ).all()
    for brand in brands:
        left += recount(session, brand, ALL, AT_ONCE, clock.now())
        if time.thread_time() - began >= A_RUN:
            break
    return left or None


def count_all(session: Session, brand_id: UUID) -> None:
    """Count every day of a brand now, however long it takes: a past was brought in at once."""
    recount(session, session.get_one(Brand, brand_id), ALL, inf, clock.now())


def is_due(session: Session, brand_id: UUID) -> bool:
    """Whether there may be something to count that was not just counted."""
    mark, now = table(InsightMark), clock.now()
    done = select(func.count(), func.min(mark.c.counted_at)).where(mark.c.brand_id == brand_id)
    sources, at = session.execute(done).one()
    return bool(sources < len(ALL) or at <= now - FRESH or at > now)


def refresh(session: Session, brand_id: UUID) -> None:
    """Count what is new of a brand; every page of figures asks for it first, where it `is_due`."""
    if is_due(session, brand_id):
        recount(session, session.get_one(Brand, brand_id), ALL, AT_ONCE, clock.now())
