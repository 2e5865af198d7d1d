"""The line for the places of a trial: who is where, and who gets a place that is free.

The order is told to everybody: whoever brought more friends who applied themselves stands before the others, and of
equals whoever applied first. `fill` is the only way to a place but the draw, and goes by nothing else.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlmodel import Session, col

from core import clock
from core.db import table
from referral.campaigns import Campaign
from referral.referrals import OPEN, Referral
from referral.trials.places import (
    IN_LINE,
    Trial,
    TrialApplication,
    application_of,
    step,
    terms_of,
)
from referral.trials.terms import TrialTerms

SOON = timedelta(hours=24)
"""How long before the end of a kept place its owner is reminded; half of the time where that is shorter."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands: `number` of `of` in line; `more_friends` of those before them brought more friends who
    applied, `earlier` as many and applied before."""

    number: int
    of: int
    more_friends: int
    earlier: int


def standing(session: Session, row: TrialApplication) -> Standing:
    """An application's place in line. Whom a person has yet to decide about stands in it with everybody else."""
    t = table(TrialApplication)
    earlier = and_(
        t.c.friends == row.friends,
        or_(t.c.applied_at < row.applied_at, and_(t.c.applied_at == row.applied_at, t.c.id < row.id)),
    )
    counted = session.execute(
        select(
            func.count(),
            func.count().filter(t.c.friends > row.friends),
            func.count().filter(earlier),
        ).where(t.c.brand_id == row.brand_id, t.c.campaign_id == row.campaign_id, t.c.state.in_(IN_LINE))
    ).one()
    total, more, before = counted
    return Standing(more + before + 1, total, more, before)


def fill(session: Session, trial: Trial, campaign: Campaign) -> int:
    """Give the free places to those whose turn it is; how many got one. The caller holds the lock."""
    if trial.free <= 0 or trial.over_at is not None or campaign.state not in ("running", "ended"):
        return 0
    terms = terms_of(session, campaign)
    chosen = (
        select(TrialApplication)
        .where(
            col(TrialApplication.brand_id) == trial.brand_id,
            col(TrialApplication.campaign_id) == trial.campaign_id,
            col(TrialApplication.state) == "waiting",
        )
        .order_by(col(TrialApplication.friends).desc(), col(TrialApplication.applied_at), col(TrialApplication.id))
        .limit(trial.free)
        .execution_options(populate_existing=True)
    )
    if trial.approve == "rule" and trial.friends and clock.now() < trial.closes_at:
        chosen = chosen.where(col(TrialApplication.friends) >= trial.friends)
    rows = session.scalars(chosen).all()
    for row in rows:
        keep_place(session, trial, row, terms)
    return len(rows)


def keep_place(session: Session, trial: Trial, row: TrialApplication, terms: TrialTerms) -> None:
    """A place is kept for this application until it is taken, `take_hours` long."""
    whole = timedelta(hours=terms.take_hours)
    due = clock.now() + whole
    step(session, trial, row, "approved", reason=row.reason, due_at=due, remind_at=due - min(SOON, whole / 2))


def _brought(brand_id: UUID, campaign_id: UUID) -> Select[int]:
    """How many friends who applied, to be narrowed to an advocate."""
    r, t = table(Referral), table(TrialApplication)
    together = and_(t.c.brand_id == r.c.brand_id, t.c.campaign_id == r.c.campaign_id, t.c.member_id == r.c.friend_id)
    stands = or_(r.c.state.in_(OPEN), and_(r.c.state == "expired", r.c.reason == "window_over"))
    return (
        select(func.count())
        .select_from(r.join(t, together))
        .where(r.c.brand_id == brand_id, r.c.campaign_id == campaign_id, stands, t.c.state != "withdrawn")
    )


def friends_of(session: Session, brand_id: UUID, campaign_id: UUID, member_id: UUID) -> int:
    """How many friends a member brought into the campaign who applied themselves (and did not withdraw)."""
    mine = table(Referral).c.advocate_id == member_id
    return int(session.scalar(_brought(brand_id, campaign_id).where(mine)) or 0)


def recount(session: Session, trial: Trial, advocates: Collection[UUID]) -> None:
    """Count the friends of these members anew, where they applied themselves. The caller holds the lock."""
    for member_id in sorted(advocates):
        row = application_of(session, trial.brand_id, trial.campaign_id, member_id)
        if row is None:
            continue
        session.refresh(row)
        friends = friends_of(session, trial.brand_id, trial.campaign_id, member_id)
        if row.friends != friends:
            row.friends = friends
            session.add(row)
    session.flush()
