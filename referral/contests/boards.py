"""The board of a contest as it stands now: live while it runs, from the score sheet once it is final.

The same order as the final's (`standings`); whoever is disqualified is not on it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, Select, and_, func, or_, select
from sqlmodel import Session

from core.db import among, table
from referral import leaderboard
from referral.campaigns import Campaign
from referral.contests.decisions import standing_decisions
from referral.contests.results import Final, final_of
from referral.contests.sheet import ContestPoint
from referral.contests.teams import TeamMember
from referral.contests.terms import ContestTerms, terms_of
from referral.leaderboard import Score
from referral.linking import person_of
from referral.members import Member
from referral.referrals import Referral


class Line(NamedTuple):
    """A line of the board. `owner`: a member, or a team."""

    rank: int
    owner: UUID
    score: int
    reached_at: datetime


def people_out(session: Session, board: Board) -> dict[UUID, str]:
    """Who is disqualified, each person once however many accounts they have, with the public reason."""
    brand_id = board.campaign.brand_id
    return {person_of(session, brand_id, member): reason for member, reason in board.out.items()}


@dataclass(frozen=True, slots=True)
class Board:
    """What a board is made of. `final`: the revision that stands, None while nothing is final. `out`: the members who
    are disqualified, with the public reason."""

    campaign: Campaign
    terms: ContestTerms
    final: Final | None
    out: dict[UUID, str]

    @property
    def teams(self) -> bool:
        """Whether teams stand on it."""
        return self.terms.mode == "teams"


def board_of(session: Session, campaign: Campaign) -> Board:
    """The contest's board."""
    final = final_of(session, campaign.brand_id, campaign.id)
    out = standing_decisions(session, campaign.brand_id, campaign.id, final.decisions if final else None)
    version = final.version if final else None
    return Board(campaign, terms_of(session, campaign, version), final, {one.member_id: one.reason for one in out})


def top(session: Session, board: Board, limit: int, since: datetime | None = None) -> list[Line]:
    """The first `limit` lines; of the friends who qualified `since` then, if that is said."""
    if board.final is None and not board.teams and since is None:
        places = leaderboard.top(session, board.campaign.brand_id, board.campaign.id, limit + len(board.out))
        kept = [place for place in places if place.member_id not in board.out][:limit]
        return [Line(rank, one.member_id, one.score, one.reached_at) for rank, one in enumerate(kept, 1)]
    rows = session.execute(in_order(session, board, since).limit(limit))
    return [Line(rank, *row) for rank, row in enumerate(rows, 1)]


def in_order(session: Session, board: Board, since: datetime | None = None) -> Select[Any]:
    """(owner, score, reached_at) of all lines counted from what happened, or from the sheet of the final."""
    scores = _scores(session, board, since)
    return select(scores).order_by(scores.c.score.desc(), scores.c.reached_at, scores.c.owner)


def line_of(session: Session, board: Board, owner: UUID) -> Line | None:
    """Where a member, or a team, stands; None without a friend who counts."""
    if board.final is None and not board.teams:
        return _live_line(session, board, owner)
    scores = _scores(session, board)
    mine = session.execute(select(scores).where(scores.c.owner == owner)).one_or_none()
    if mine is None:
        return None
    ahead = or_(
        scores.c.score > mine.score,
        and_(scores.c.score == mine.score, scores.c.reached_at < mine.reached_at),
        and_(scores.c.score == mine.score, scores.c.reached_at == mine.reached_at, scores.c.owner < owner),
    )
    better = session.scalar(select(func.count()).select_from(scores).where(ahead)) or 0
    return Line(better + 1, *mine)


def how_many(session: Session, board: Board, since: datetime | None = None) -> int:
    """How many stand on the board; of those with a friend who qualified `since` then, if that is said."""
    if board.final is None and not board.teams and since is None:
        t = table(Score)
        here = (t.c.brand_id == board.campaign.brand_id, t.c.campaign_id == board.campaign.id)
        everybody = session.scalar(select(func.count()).where(*here)) or 0
        gone = session.scalar(select(func.count()).where(*here, among(session, t.c.member_id, set(board.out)))) or 0
        return everybody - gone
    return session.scalar(select(func.count()).select_from(_scores(session, board, since))) or 0


def friends(session: Session, board: Board, since: datetime | None = None) -> int:
    """How many friends all on the board brought together."""
    return int(session.scalar(select(func.coalesce(func.sum(_scores(session, board, since).c.score), 0))) or 0)


def team_scores(session: Session, board: Board, team_id: UUID) -> dict[UUID, int]:
    """How many friends each member of a team brought for it; without who brought nobody."""
    points = _points(board)
    rows = session.execute(
        select(points.c.member_id, func.count())
        .where(points.c.team_id == team_id, points.c.member_id.not_in(list(board.out)))
        .group_by(points.c.member_id)
    )
    return dict(rows.all())


def _live_line(session: Session, board: Board, member_id: UUID) -> Line | None:
    """By the histogram, in constant time however many play, less those above who are out."""
    brand_id, campaign_id = board.campaign.brand_id, board.campaign.id
    mine = leaderboard.standing(session, brand_id, campaign_id, member_id)
    row = session.get(Score, (brand_id, campaign_id, member_id), populate_existing=True)
    if mine is None or row is None or member_id in board.out:
        return None
    return Line(mine.rank - _above(session, board, row), member_id, mine.score, row.reached_at)


def _above(session: Session, board: Board, row: Score) -> int:
    t = table(Score)
    ahead = or_(
        t.c.score > row.score,
        and_(t.c.score == row.score, t.c.reached_at < row.reached_at),
        and_(t.c.score == row.score, t.c.reached_at == row.reached_at, t.c.member_id < row.member_id),
    )
    return _count_out(session, board.out, (t.c.brand_id == row.brand_id, t.c.campaign_id == row.campaign_id, ahead))


def _count_out(session: Session, out: Collection[UUID], where: tuple[Any, ...]) -> int:
    if not out:
        return 0
    t = table(Score)
    return session.scalar(select(func.count()).where(*where, t.c.member_id.in_(list(out)))) or 0


def _scores(session: Session, board: Board, since: datetime | None = None) -> CTE:
    """(owner, score, reached_at) of everybody on the board."""
    points = _points(board, since)
    owner = points.c.team_id if board.teams else points.c.member_id
    return (
        select(owner.label("owner"), func.count().label("score"), func.max(points.c.at).label("reached_at"))
        .where(owner.is_not(None), points.c.member_id.not_in(list(board.out)))
        .group_by(owner)
        .cte("scores")
    )


def _points(board: Board, since: datetime | None = None) -> Any:
    """(member_id, team_id, at) of every friend who counts: on the sheet, or as things stand."""
    campaign = board.campaign
    p = table(ContestPoint)
    if board.final is not None:
        here = [p.c.brand_id == campaign.brand_id, p.c.campaign_id == campaign.id]
        here += [p.c.at >= since] if since is not None else []
        return select(p.c.member_id, p.c.team_id, p.c.at).where(*here).subquery("points")
    r, m, t = table(Referral), table(Member), table(TeamMember)
    in_team = and_(
        t.c.brand_id == r.c.brand_id,
        t.c.campaign_id == r.c.campaign_id,
        t.c.member_id == r.c.advocate_id,
        t.c.joined_at <= r.c.qualified_at,
    )
    return (
        select(r.c.advocate_id.label("member_id"), t.c.team_id, r.c.qualified_at.label("at"))
        .join(m, and_(m.c.brand_id == r.c.brand_id, m.c.id == r.c.advocate_id))
        .join(t, in_team)
        .where(
            r.c.brand_id == campaign.brand_id,
            r.c.campaign_id == campaign.id,
            r.c.state == "qualified",
            r.c.qualified_at < campaign.ends_at,
            *([r.c.qualified_at >= since] if since is not None else []),
            m.c.erased_at.is_(None),
        )
        .subquery("points")
    )
