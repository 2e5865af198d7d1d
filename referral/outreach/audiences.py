"""Who a broadcast is for, as conditions on members; all of them go by indexes that are there for other reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, select, true
from sqlmodel import Session

from core.db import table
from referral.campaigns import Campaign, Enrollment, InviteCode
from referral.members import Identity, Member
from referral.outreach.models import OutreachChoice
from referral.referrals import Referral
from referral.touches import Touch
from referral.trials.places import TrialApplication

SILENT = timedelta(days=14)
"""Nobody came by an advocate's link for so long: they have fallen silent."""

Condition = Callable[[Any, datetime], ColumnElement[bool]]
"""Whether a member (columns of the member table) belongs to it at a moment."""


def _everyone(member: Any, now: datetime) -> ColumnElement[bool]:
    return true()


def _advocates(member: Any, now: datetime) -> ColumnElement[bool]:
    """Who takes part in a campaign that runs."""
    return _enrolled(member).exists()


def _dormant(member: Any, now: datetime) -> ColumnElement[bool]:
    """Who takes part in one and has fallen silent in it."""
    e = table(Enrollment)
    return _enrolled(member).where(e.c.enrolled_at <= now - SILENT, ~touched(e, now - SILENT)).exists()


def _friends(member: Any, now: datetime) -> ColumnElement[bool]:
    """Who came through somebody."""
    r = table(Referral)
    return (
        select(r.c.id)
        .where(
            r.c.brand_id == member.brand_id,
            r.c.friend_id == member.id,
            r.c.state.in_(("started", "joined", "qualified")),
        )
        .exists()
    )


def _applicants(member: Any, now: datetime) -> ColumnElement[bool]:
    """Who waits for a place in a trial that runs."""
    a, c = table(TrialApplication), table(Campaign)
    return (
        select(a.c.id)
        .join(c, and_(c.c.brand_id == a.c.brand_id, c.c.id == a.c.campaign_id, c.c.state == "running"))
        .where(a.c.brand_id == member.brand_id, a.c.member_id == member.id, a.c.state.in_(("applied", "waiting")))
        .exists()
    )


def _enrolled(member: Any) -> Select[Any]:
    e, c = table(Enrollment), table(Campaign)
    return (
        select(e.c.id)
        .join(c, and_(c.c.brand_id == e.c.brand_id, c.c.id == e.c.campaign_id, c.c.state == "running"))
        .where(e.c.brand_id == member.brand_id, e.c.member_id == member.id)
    )


def touched(enrollment: Any, since: datetime) -> ColumnElement[bool]:
    """Whether anybody used one of an enrollment's codes since then (exclusive)."""
    code, touch = table(InviteCode), table(Touch)
    return (
        select(touch.c.id)
        .join(code, and_(code.c.brand_id == touch.c.brand_id, code.c.code == touch.c.code))
        .where(
            code.c.brand_id == enrollment.c.brand_id,
            code.c.enrollment_id == enrollment.c.id,
            touch.c.campaign_id == enrollment.c.campaign_id,
            touch.c.touched_at > since,
        )
        .exists()
    )


AUDIENCES: dict[str, Condition] = {
    "all": _everyone,
    "advocates": _advocates,
    "dormant": _dormant,
    "friends": _friends,
    "applicants": _applicants,
}
"""By name, in the order they are offered."""


def offered(session: Session, brand_id: UUID) -> list[str]:
    """The audiences that mean something to the brand: applicants only where a trial runs."""
    t = table(Campaign)
    trial = select(t.c.id).where(t.c.brand_id == brand_id, t.c.kind == "trial", t.c.state == "running").limit(1)
    return [name for name in AUDIENCES if name != "applicants" or session.scalar(trial) is not None]


@dataclass(frozen=True, slots=True)
class Reach:
    """How many people of an audience would be written to, by the platform they were last heard on; how many asked for
    quiet; how many cannot be written to (never talked to us in private, or blocked us)."""

    by_platform: dict[str, int]
    quiet: int
    unreachable: int

    @property
    def people(self) -> int:
        return sum(self.by_platform.values())


def page(
    session: Session, brand_id: UUID, audience: str, now: datetime, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The next members of an audience behind `after`, in the order of their ids; of those known at `now`."""
    m = table(Member)
    wanted = select(m.c.id).where(m.c.brand_id == brand_id, m.c.erased_at.is_(None), m.c.created_at <= now)
    if after is not None:
        wanted = wanted.where(m.c.id > after)
    return session.scalars(wanted.where(AUDIENCES[audience](m.c, now)).order_by(m.c.id).limit(limit)).all()


def reach_of(session: Session, brand_id: UUID, audience: str, now: datetime) -> Reach:
    """How many an audience would reach now."""
    m, i, c = table(Member), table(Identity), table(OutreachChoice)
    last = func.row_number().over(partition_by=i.c.member_id, order_by=(i.c.seen_at.desc(), i.c.platform.desc()))
    accounts = (
        select(i.c.member_id, i.c.platform, last.label("place"))
        .where(i.c.brand_id == brand_id, i.c.reachable.is_(True), i.c.chat.is_not(None))
        .subquery()
    )
    # An absorbed member has no account of its own any more, and is nobody of whom to say that they cannot be reached.
    known = select(i.c.account).where(i.c.brand_id == brand_id, i.c.member_id == m.c.id).exists()
    fate = case((c.c.quiet.is_(True), "quiet"), else_=func.coalesce(accounts.c.platform, ""))
    rows = session.execute(
        select(fate, func.count())
        .select_from(m)
        .outerjoin(accounts, and_(accounts.c.member_id == m.c.id, accounts.c.place == 1))
        .outerjoin(c, and_(c.c.brand_id == m.c.brand_id, c.c.member_id == m.c.id))
        .where(m.c.brand_id == brand_id, m.c.erased_at.is_(None), known, AUDIENCES[audience](m.c, now))
        .group_by(fate)
    )
    counts: dict[str, int] = dict(rows.all())
    quiet, unreachable = counts.pop("quiet", 0), counts.pop("", 0)
    return Reach(counts, quiet, unreachable)
