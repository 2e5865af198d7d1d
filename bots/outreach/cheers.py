"""Hears that friends qualified, and plans a word to the advocate at a milestone, or one friend short of a prize."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from bots.outreach.prizes import reaches
from core.db import among_keys, table
from core.events import Bus
from referral.brands import Brand
from referral.leaderboard import Score
from referral.outreach.messages import Notice, plan
from referral.outreach.people import settings_of
from referral.referrals import FriendQualified
from rewards.plans import cached_plan

MILESTONES = (5, 10, 25, 50, 100, 250, 500, 1000)


def listen(bus: Bus) -> None:
    """Hear of friends who count."""
    bus.on(FriendQualified, _on_qualified)


def _on_qualified(session: Session, happened: Sequence[FriendQualified]) -> None:
    gained = Counter((event.brand_id, event.campaign_id, event.advocate_id) for event in happened)
    versions = {(event.brand_id, event.campaign_id): event.campaign_version for event in happened}
    t = table(Score)
    rows = session.execute(
        select(t.c.brand_id, t.c.campaign_id, t.c.member_id, t.c.score).where(
            among_keys(session, (t.c.brand_id, t.c.campaign_id, t.c.member_id), gained.keys())
        )
    )
    notices: defaultdict[UUID, list[Notice]] = defaultdict(list)
    for brand_id, campaign_id, member_id, score in rows:
        before = score - gained[(brand_id, campaign_id, member_id)]
        reached = max((one for one in MILESTONES if before < one <= score), default=None)
        if reached is not None:
            notices[brand_id].append(_notice("milestone", campaign_id, member_id, reached))
        elif score + 1 in reaches(cached_plan(session, brand_id, campaign_id, versions[(brand_id, campaign_id)])):
            notices[brand_id].append(_notice("gap", campaign_id, member_id, score + 1))
    for brand_id, found in notices.items():
        if settings_of(session, brand_id).cheers:
            plan(session, session.get_one(Brand, brand_id), found)


def _notice(kind: str, campaign_id: UUID, member_id: UUID, reach: int) -> Notice:
    facts = {"campaign": str(campaign_id), "reach": reach}
    return Notice(member_id, kind, f"{kind}/{campaign_id}/{reach}", facts, campaign_id)
