"""Who brought most today, this week, this month, or ever: the same order as the board of all time.

All time is counted as it happens (`referral.leaderboard`). A window is counted when somebody looks, from an index that
holds nothing but who qualified when; counting costs what happened in the window, and who shows it keeps the result
until `mark_of` says that something has changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, Select, Table, and_, bindparam, func, select, true
from sqlmodel import Session

from core import clock
from core.db import UtcDateTime, among, table
from referral import leaderboard
from referral.campaigns import Campaign
from referral.contests import boards as contests
from referral.contests.boards import Board, Line
from referral.contests.decisions import ContestDecision
from referral.contests.results import ContestResult
from referral.leaderboard import Score, ScoreCount
from referral.members import Member
from referral.referrals import IS_QUALIFIED, Referral

WINDOWS = ("day", "week", "month", "all")
ALL = "all"
_SPARE = 20
"""Lines read beyond those asked for, so that a few forgotten people make no second question."""
_STREAMED = 2000
"""Lines in memory of a board that is read whole."""


class Standings(NamedTuple):
    """The first lines of a board. `of`: how many stand on it; `friends`: how many friends they brought together."""

    lines: list[Line]
    of: int
    friends: int


def windows_of(state: str) -> tuple[str, ...]:
    """The windows that make sense in a campaign's state: what is over has one board, that of all its time."""
    return WINDOWS if state in ("running", "paused") else (ALL,)


def since(window: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the window began on the campaign's clocks; None for all time."""
    if window == "day":
        return clock.day_of(now, zone)
    if window == "week":
        return clock.week_of(now, zone)
    if window == "month":
        return clock.day_of(now, zone).replace(day=1, fold=0)
    return None


@dataclass(frozen=True, slots=True)
class Mark:
    """What a board is made of, in a few figures: as long as they are the same, so is the board.

    Two changes that cancel each other out to the last of them (one friend gained, one lost, between the very same two
    scores) leave it as it is; so who keeps a board counts it anew now and then all the same.
    """

    state: str
    version: int
    timezone: str
    ends_at: datetime
    decisions: int
    revision: int
    members: int
    friends: int
    squares: int


def _here(t: Table) -> ColumnElement[bool]:
    return and_(t.c.brand_id == _BRAND, t.c.campaign_id == _CAMPAIGN)


_C, _H, _R = table(Campaign), table(ScoreCount), table(Referral)
_DECIDED, _FROZEN = table(ContestDecision), table(ContestResult)
_BRAND, _CAMPAIGN = bindparam("brand", type_=_C.c.id.type), bindparam("campaign", type_=_C.c.id.type)
# Made once: asked several times a second while somebody watches.
_COUNTS = (
    select(
        func.coalesce(func.sum(_H.c.members), 0).label("members"),
        func.coalesce(func.sum(_H.c.members * _H.c.score), 0).label("friends"),
        func.coalesce(func.sum(_H.c.members * _H.c.score * _H.c.score), 0).label("squares"),
    )
    .where(_here(_H), _H.c.members > 0)
    .subquery("counts")
)
_MARK = (
    select(
        *(_C.c.state, _C.c.version, _C.c.timezone, _C.c.ends_at),
        select(func.count()).select_from(_DECIDED).where(_here(_DECIDED)).scalar_subquery(),
        select(func.coalesce(func.max(_FROZEN.c.revision), 0)).where(_here(_FROZEN)).scalar_subquery(),
        *_COUNTS.c,
    )
    .select_from(_C.join(_COUNTS, true()))
    .where(_C.c.brand_id == _BRAND, _C.c.id == _CAMPAIGN)
)
# Grouped by no bare column, or SQLite would go through all there ever was in that column's order.
_ADVOCATE = func.coalesce(_R.c.advocate_id, _R.c.advocate_id).label("advocate")
_IN_WINDOW = (
    select(_ADVOCATE, func.count().label("score"), func.max(_R.c.qualified_at).label("reached_at"))
    .where(_here(_R), IS_QUALIFIED, _R.c.qualified_at >= bindparam("begin", type_=UtcDateTime))
    .group_by(_ADVOCATE)
)


def _first_of(counted: Any) -> Select[Any]:
    """(advocate, friends, when the last one qualified, how many advocates, how many friends they all brought)."""
    window = counted.cte("window")
    of = select(func.count()).select_from(window).scalar_subquery()
    friends = select(func.sum(window.c.score)).scalar_subquery()
    order = (window.c.score.desc(), window.c.reached_at, window.c.advocate)
    return select(*window.c, of, friends).order_by(*order).limit(bindparam("most", type_=Integer))


_RANKED = _first_of(_IN_WINDOW)


def mark_of(session: Session, brand_id: UUID, campaign_id: UUID) -> Mark | None:
    """The campaign's mark now, at the cost of its histogram; None where there is no such campaign."""
    row = session.connection().execute(_MARK, {"brand": brand_id, "campaign": campaign_id}).one_or_none()
    if row is None:
        return None
    state, version, timezone, ends_at, decisions, revision, members, friends, squares = row
    return Mark(state, version, timezone, ends_at, decisions, revision, int(members), int(friends), int(squares))


def standings(
    session: Session, campaign: Campaign, begin: datetime | None, limit: int, contest: Board | None = None
) -> Standings:
    """The first `limit` of a campaign since `begin` (None: of all time); `contest`: its board, if it is one."""
    if contest is not None and (contest.teams or contest.final is not None):
        return Standings(
            contests.top(session, contest, limit, begin),
            contests.how_many(session, contest, begin),
            contests.friends(session, contest, begin),
        )
    out = list(contest.out) if contest is not None else []
    if begin is not None:
        return _counted(session, campaign, begin, limit, out)
    if contest is not None:
        lines = contests.top(session, contest, limit)
    else:
        places = leaderboard.top(session, campaign.brand_id, campaign.id, limit)
        lines = [Line(*place) for place in places]
    return Standings(lines, *_all_time(session, campaign, out))


def everybody(session: Session, campaign: Campaign, contest: Board | None = None) -> Iterator[Line]:
    """All lines of the board of all time, as they come from one statement: nobody stands on it twice, or not at all,
    because somebody moved meanwhile. Read it within one session."""
    if contest is not None and (contest.teams or contest.final is not None):
        wanted, out = contests.in_order(session, contest), set[UUID]()
    else:
        s = table(Score)
        here = (s.c.brand_id == campaign.brand_id) & (s.c.campaign_id == campaign.id)
        ordered = (s.c.score.desc(), s.c.reached_at, s.c.member_id)
        wanted = select(s.c.member_id, s.c.score, s.c.reached_at).where(here).order_by(*ordered)
        out = set(contest.out) if contest is not None else set()
    rows = session.execute(wanted, execution_options={"yield_per": _STREAMED})
    kept = (row for row in rows if row[0] not in out)
    return (Line(rank, *row) for rank, row in enumerate(kept, 1))


def _all_time(session: Session, campaign: Campaign, out: Sequence[UUID]) -> tuple[int, int]:
    """How many are on the board of all time with how many friends, by the histogram, less those who are out."""
    h, s = table(ScoreCount), table(Score)
    sums = select(func.coalesce(func.sum(h.c.members), 0), func.coalesce(func.sum(h.c.members * h.c.score), 0))
    everybody = sums.where(h.c.brand_id == campaign.brand_id, h.c.campaign_id == campaign.id, h.c.members > 0)
    of, friends = map(int, session.execute(everybody).one())
    if out:
        named = among(session, s.c.member_id, out)
        theirs = select(s.c.score).where(s.c.brand_id == campaign.brand_id, s.c.campaign_id == campaign.id, named)
        gone = session.scalars(theirs).all()
        of, friends = of - len(gone), friends - sum(gone)
    return of, friends


def _counted(session: Session, campaign: Campaign, begin: datetime, limit: int, out: Sequence[UUID]) -> Standings:
    """The window, without who is out of the contest and who has been forgotten since."""
    gone: set[UUID] = set(out)
    while True:
        rows = _ranked(session, campaign, begin, limit + _SPARE, gone)
        forgotten = _forgotten(session, campaign.brand_id, [row[0] for row in rows])
        if not forgotten:
            lines = [Line(rank, *row[:3]) for rank, row in enumerate(rows[:limit], 1)]
            return Standings(lines, int(rows[0][3]) if rows else 0, int(rows[0][4]) if rows else 0)
        gone |= forgotten


def _ranked(session: Session, campaign: Campaign, begin: datetime, most: int, gone: set[UUID]) -> Sequence[Any]:
    """The window's first lines without these people."""
    asked = {"brand": campaign.brand_id, "campaign": campaign.id, "begin": begin, "most": most}
    chosen = _first_of(_IN_WINDOW.where(_R.c.advocate_id.not_in(gone))) if gone else _RANKED
    return session.connection().execute(chosen, asked).all()


def _forgotten(session: Session, brand_id: UUID, members: Sequence[UUID]) -> set[UUID]:
    t = table(Member)
    named = among(session, t.c.id, members)
    found = select(t.c.id).where(t.c.brand_id == brand_id, named, t.c.erased_at.is_not(None))
    return set(session.scalars(found)) if members else set()
