"""Who is one friend short of a prize when a contest is about to end: planned once each, looked at again when told."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.db import table
from referral.brands import Brand
from referral.campaigns import Campaign
from referral.contests.boards import Board, board_of, line_of, top
from referral.leaderboard import Score
from referral.outreach.messages import Notice, plan
from referral.outreach.models import Outreach
from referral.outreach.people import settings_of
from rewards.contests.gaps import LOOKED_AT, Gap, next_prize
from rewards.plans import Plan, plan_of

BEFORE_END = timedelta(days=2)
TOO_LATE = timedelta(hours=3)
"""Nobody is told who could hardly bring somebody any more."""
PIECE = 200
KIND = "last_days"


def tell_due(session: Session) -> int:
    """Plan a word for some of those who are one friend short; how many (0: there is nobody left)."""
    now = clock.now()
    ending = select(Campaign).where(
        col(Campaign.kind) == "contest",
        col(Campaign.state) == "running",
        col(Campaign.ends_at) > now + TOO_LATE,
        col(Campaign.ends_at) <= now + BEFORE_END,
    )
    for campaign in session.scalars(ending.order_by(col(Campaign.ends_at))).all():
        if settings_of(session, campaign.brand_id).cheers and (found := _short(session, campaign)):
            notices = [
                Notice(member_id, KIND, f"{KIND}/{campaign.id}", {"campaign": str(campaign.id)}, campaign.id)
                for member_id in found
            ]
            if planned := plan(session, session.get_one(Brand, campaign.brand_id), notices):
                return planned
    return 0


def gap_of(session: Session, campaign: Campaign, member_id: UUID) -> Gap | None:
    """What one friend more would win this person as the board stands; None if that is nothing."""
    board, prizes = board_of(session, campaign), plan_of(session, campaign.brand_id, campaign.id, campaign.version)
    return None if board.teams else _gap(session, board, prizes, member_id)


def _gap(session: Session, board: Board, prizes: Plan, member_id: UUID) -> Gap | None:
    line = line_of(session, board, member_id)
    found = next_prize(session, board, prizes, line) if line is not None else None
    return found if found is not None and found.more == 1 else None


def _short(session: Session, campaign: Campaign) -> list[UUID]:
    """The next of those who are one friend short and were not told."""
    board, prizes = board_of(session, campaign), plan_of(session, campaign.brand_id, campaign.id, campaign.version)
    if board.teams or not prizes.prizes:
        return []
    score, told = table(Score), table(Outreach)
    already = (
        select(told.c.kind)
        .where(
            told.c.brand_id == score.c.brand_id,
            told.c.member_id == score.c.member_id,
            told.c.kind == KIND,
            told.c.campaign_id == score.c.campaign_id,
        )
        .exists()
    )
    near = session.scalars(
        select(score.c.member_id)
        .where(
            score.c.brand_id == campaign.brand_id,
            score.c.campaign_id == campaign.id,
            score.c.score.in_(_one_below(session, board, prizes)),
            ~already,
        )
        .order_by(score.c.score.desc(), score.c.reached_at, score.c.member_id)
        .limit(PIECE)
    ).all()
    return [member_id for member_id in near if _gap(session, board, prizes, member_id) is not None]


def _one_below(session: Session, board: Board, prizes: Plan) -> set[int]:
    """The scores that are one below what a prize wants as the board stands."""
    best = top(session, board, LOOKED_AT)
    wanted: set[int] = set()
    for prize in prizes.prizes:
        last = prize.places if prize.reach is not None else prize.last or prize.first or 1
        needed = max(board.terms.least, prize.reach or 0)
        wanted.add(max(needed, best[last - 1].score + 1 if len(best) >= last else 0) - 1)
    return wanted
