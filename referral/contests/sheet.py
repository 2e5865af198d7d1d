"""The score sheet of a contest: which friends counted, for whom and for which team, written down once at the final.

Referrals go on living: one is refunded, an account is linked, a member is forgotten. The sheet keeps what was true
when the standings were frozen, and is never changed; every revision of the standings is computed from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, and_, func, or_, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Row, UtcDateTime, insert_all, table
from referral.campaigns import Campaign
from referral.contests.teams import TeamMember
from referral.members import Member
from referral.qualifying import QualifyingEvent
from referral.referrals import Referral


class ContestPoint(Row, table=True):
    """A friend who counted. `team_id`: of the advocate when the friend qualified; None without one."""

    __tablename__ = "contest_point"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        ForeignKeyConstraint(["brand_id", "referral_id"], ["referral.brand_id", "referral.id"]),
    )

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    referral_id: UUID = Field(primary_key=True)
    member_id: UUID
    team_id: UUID | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class Point(NamedTuple):
    """A line of the sheet."""

    referral_id: UUID
    member_id: UUID
    team_id: UUID | None
    at: datetime


def points_now(session: Session, campaign: Campaign) -> list[Point]:
    """Every friend who counts in the contest as things stand, in the order of when they qualified."""
    r, m, t = table(Referral), table(Member), table(TeamMember)
    in_team = and_(
        t.c.brand_id == r.c.brand_id,
        t.c.campaign_id == r.c.campaign_id,
        t.c.member_id == r.c.advocate_id,
        t.c.joined_at <= r.c.qualified_at,
    )
    rows = session.execute(
        select(r.c.id, r.c.advocate_id, t.c.team_id, r.c.qualified_at)
        .join(m, and_(m.c.brand_id == r.c.brand_id, m.c.id == r.c.advocate_id))
        .outerjoin(t, in_team)
        .where(
            r.c.brand_id == campaign.brand_id,
            r.c.campaign_id == campaign.id,
            r.c.state == "qualified",
            r.c.qualified_at >= campaign.starts_at,
            r.c.qualified_at < campaign.ends_at,
            m.c.erased_at.is_(None),
        )
        .order_by(r.c.qualified_at, r.c.id)
    )
    return [Point(*row) for row in rows]


def write_down(session: Session, campaign: Campaign, points: Sequence[Point]) -> None:
    """Keep these lines as the contest's sheet."""
    whose = {"brand_id": campaign.brand_id, "campaign_id": campaign.id}
    insert_all(session, table(ContestPoint), [whose | point._asdict() for point in points])


def read_sheet(session: Session, brand_id: UUID, campaign_id: UUID) -> list[Point]:
    """The contest's sheet, in the order of when the friends qualified; empty before the final."""
    rows = session.execute(
        select(
            col(ContestPoint.referral_id), col(ContestPoint.member_id), col(ContestPoint.team_id), col(ContestPoint.at)
        )
        .where(col(ContestPoint.brand_id) == brand_id, col(ContestPoint.campaign_id) == campaign_id)
        .order_by(col(ContestPoint.at), col(ContestPoint.referral_id))
    )
    return [Point(*row) for row in rows]


def still_counting(session: Session, campaign: Campaign) -> bool:
    """Whether a friend's time has come before the end and nobody has counted them yet: a job is behind."""
    r = table(Referral)
    waiting = select(r.c.id).where(
        r.c.brand_id == campaign.brand_id,
        r.c.campaign_id == campaign.id,
        r.c.state == "joined",
        r.c.due_at < campaign.ends_at,
        r.c.due_at <= clock.now(),
    )
    return session.execute(waiting.limit(1)).first() is not None


def unfounded(session: Session, brand_id: UUID, campaign: Campaign) -> list[UUID]:
    """Lines of the sheet that the records do not bear out: of another campaign, or with no qualifying event then."""
    p, q, r = table(ContestPoint), table(QualifyingEvent), table(Referral)
    event = and_(
        q.c.brand_id == p.c.brand_id,
        q.c.referral_id == p.c.referral_id,
        q.c.occurred_at == p.c.at,
    )
    rows = session.execute(
        select(p.c.referral_id)
        .join(r, and_(r.c.brand_id == p.c.brand_id, r.c.id == p.c.referral_id))
        .outerjoin(q, event)
        .where(
            p.c.brand_id == brand_id,
            p.c.campaign_id == campaign.id,
            or_(
                r.c.campaign_id != p.c.campaign_id,
                q.c.referral_id.is_(None),
                p.c.at < campaign.starts_at,
                p.c.at >= campaign.ends_at,
            ),
        )
        .distinct()
        .order_by(p.c.referral_id)
    )
    return list(rows.scalars())


def left_out(session: Session, campaign: Campaign) -> int:
    """How many friends count now that are not on the sheet: they came to count after the final."""
    r, p = table(Referral), table(ContestPoint)
    on_sheet = and_(p.c.brand_id == r.c.brand_id, p.c.campaign_id == r.c.campaign_id, p.c.referral_id == r.c.id)
    found = session.scalar(
        select(func.count())
        .select_from(r.outerjoin(p, on_sheet))
        .where(
            r.c.brand_id == campaign.brand_id,
            r.c.campaign_id == campaign.id,
            r.c.state == "qualified",
            r.c.qualified_at >= campaign.starts_at,
            r.c.qualified_at < campaign.ends_at,
            p.c.referral_id.is_(None),
        )
    )
    return found or 0
