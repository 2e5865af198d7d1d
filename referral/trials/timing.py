"""What happens to applications by the clock: places that were not taken pass on, feedback that did not come, the end.

One unit of the job looks at `AT_ONCE` applications and takes the lock of each of their trials.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock, events
from core.db import table
from referral.campaigns import Campaign
from referral.trials import line
from referral.trials.applications import NO_PLACE, finish
from referral.trials.places import (
    IN_LINE,
    ApplicationDue,
    Trial,
    TrialApplication,
    campaign_of,
    lock,
    locked,
    step,
    terms_of,
)

AT_ONCE = 100


def follow_clock(session: Session) -> int:
    """Everything that is due in trials but what concerns deliveries and draws; how much was done."""
    return _lapse_due(session) + _close_due(session) + _end_due(session) + _remind_due(session)


def due(session: Session, states: Iterable[str]) -> list[tuple[UUID, UUID, UUID]]:
    """(brand, campaign, application) of those in these states whose time is over, trial by trial."""
    t = table(TrialApplication)
    rows = session.execute(
        select(t.c.brand_id, t.c.campaign_id, t.c.id)
        .where(t.c.state.in_(list(states)), t.c.due_at <= clock.now())
        .order_by(t.c.due_at, t.c.id)
        .limit(AT_ONCE)
    ).all()
    return sorted((brand, campaign, application) for brand, campaign, application in rows)


def _lapse_due(session: Session) -> int:
    """Places that nobody took pass on; who gave no feedback is a no-show."""
    found = due(session, ("approved", "delivered"))
    for brand_id, _, application_id in found:
        trial, row = locked(session, brand_id, application_id)
        if row.due_at is None or row.due_at > clock.now():
            continue
        if row.state == "approved":
            step(session, trial, row, "lapsed", reason="not_taken")
        elif row.state == "delivered":
            step(session, trial, row, "no_show")
        finish(session, trial, campaign_of(session, row), row)
    return len(found)


def _close_due(session: Session) -> int:
    """Applications close: what the rule kept for those with enough friends now goes down the line."""
    t = table(Trial)
    keys = session.execute(
        select(t.c.brand_id, t.c.campaign_id)
        .where(t.c.closed_at.is_(None), t.c.closes_at <= clock.now())
        .order_by(t.c.brand_id, t.c.campaign_id)
        .limit(AT_ONCE)
    ).all()
    for brand_id, campaign_id in keys:
        trial = lock(session, brand_id, campaign_id)
        trial.closed_at = trial.closed_at or clock.now()
        session.add(trial)
        session.flush()
        line.fill(session, trial, campaign_of(session, trial))
    return len(keys)


def _end_due(session: Session) -> int:
    """A trial is over when its campaign is and no place can come free any more, or nobody waits longer for one."""
    t, c = table(Trial), table(Campaign)
    keys = session.execute(
        select(t.c.brand_id, t.c.campaign_id)
        .join(c, (c.c.brand_id == t.c.brand_id) & (c.c.id == t.c.campaign_id))
        .where(t.c.over_at.is_(None), c.c.state == "ended")
        .order_by(t.c.brand_id, t.c.campaign_id)
    ).all()
    ended = 0
    for brand_id, campaign_id in keys:
        trial = lock(session, brand_id, campaign_id)
        campaign = campaign_of(session, trial)
        if trial.over_at is None and _is_over(session, trial, campaign):
            _end(session, trial, campaign)
            ended += 1
    return ended


def _is_over(session: Session, trial: Trial, campaign: Campaign) -> bool:
    if clock.now() >= terms_of(session, campaign).waits_until(campaign.ends_at):
        return True
    t = table(TrialApplication)
    mine = (t.c.brand_id == trial.brand_id) & (t.c.campaign_id == trial.campaign_id)
    under_way = (t.c.state == "approved") | ((t.c.state == "taken") & t.c.claimed_at.is_(None))
    kept = session.scalar(select(func.count()).where(mine, under_way))
    return bool(trial.free == 0 and kept == 0)


def _end(session: Session, trial: Trial, campaign: Campaign) -> None:
    """Whoever still waits is told that all places went, and why nothing more comes."""
    trial.over_at = clock.now()
    session.add(trial)
    session.flush()
    rows = session.scalars(
        select(TrialApplication)
        .where(
            col(TrialApplication.brand_id) == trial.brand_id,
            col(TrialApplication.campaign_id) == trial.campaign_id,
            col(TrialApplication.state).in_(IN_LINE),
        )
        .order_by(col(TrialApplication.id))
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        step(session, trial, row, "declined", reason=NO_PLACE)
        finish(session, trial, campaign, row)


def _remind_due(session: Session) -> int:
    """Say once that what is waited for is due soon."""
    now = clock.now()
    t = table(TrialApplication)
    changed = session.execute(
        t.update()
        .where(
            t.c.id.in_(select(t.c.id).where(t.c.remind_at <= now).order_by(t.c.remind_at).limit(AT_ONCE)),
            t.c.remind_at <= now,
        )
        .values(remind_at=None)
        .returning(t.c.brand_id, t.c.campaign_id, t.c.id, t.c.member_id, t.c.state, t.c.due_at)
    ).all()
    events.emit(session, [ApplicationDue(*row) for row in changed if row.due_at is not None and row.due_at > now])
    return len(changed)
