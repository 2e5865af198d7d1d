"""Prizes of contests: nobody has more of them than the newest final says, and there are none without a final."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import table
from referral.campaigns import Campaign
from referral.contests.results import result_of
from referral.linking import person_of
from rewards.caps import LIVE
from rewards.contests.finals import basis_of
from rewards.rewards import OF_CONTEST, Reward
from rewards.verify.problem import Problem, stream


def prized(session: Session) -> Iterator[Problem]:
    """Prizes beyond what was won, contest by contest."""
    t = table(Reward)
    of_contest = t.c.cause.like(f"{OF_CONTEST}%")
    contests = select(t.c.brand_id, t.c.campaign_id).where(of_contest).distinct()
    for brand_id, campaign_id in session.execute(contests).all():
        left = _won(session, brand_id, campaign_id)
        living = select(t.c.id, t.c.member_id, t.c.asset, (t.c.amount - t.c.taken_back).label("worth"))
        mine = (t.c.brand_id == brand_id, t.c.campaign_id == campaign_id, of_contest, t.c.state.in_(LIVE))
        for row in stream(session, living.where(*mine).order_by(t.c.created_at, t.c.id)):
            purse = (person_of(session, brand_id, row.member_id), row.asset)
            left[purse] -= row.worth
            if left[purse] < 0:
                detail = f"gives {row.worth} {row.asset}, {-left[purse]} more than the contest's final says"
                yield Problem("prize", "reward", str(row.id), detail)


def _won(session: Session, brand_id: UUID, campaign_id: UUID) -> Counter[tuple[UUID, str]]:
    """What each person won, by asset; nothing without a final."""
    won: Counter[tuple[UUID, str]] = Counter()
    result = result_of(session, brand_id, campaign_id)
    if result is not None:
        campaign = session.get_one(Campaign, (brand_id, campaign_id))
        for award in basis_of(session, campaign, result).awards():
            won[(person_of(session, brand_id, award.member_id), award.asset)] += award.amount
    return won


CHECKS = (prized,)
