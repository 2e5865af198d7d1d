"""Trials: as many places are somebody's as the count says, and each that was taken was given once, from the books."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, or_, select
from sqlmodel import Session

from core.db import table
from referral.trials.places import WITH_PLACE, Trial, TrialApplication
from rewards.adjustments import CAUSE, Adjustment
from rewards.rewards import Reward
from rewards.trials import ACTOR, KEY
from rewards.verify.problem import Problem, as_raw, named, raw, stream

TAKEN = tuple(state for state in WITH_PLACE if state != "approved")
NAMED = 36
"""Letters of an identifier in a key."""


def counted(session: Session) -> Iterator[Problem]:
    """Trials that count other places than their applications have."""
    trial, row = table(Trial), table(TrialApplication)
    held = (
        select(row.c.brand_id, row.c.campaign_id, func.count().label("held"))
        .where(row.c.state.in_(WITH_PLACE))
        .group_by(row.c.brand_id, row.c.campaign_id)
        .subquery("held")
    )
    many = func.coalesce(held.c.held, 0)
    found = (
        select(trial.c.campaign_id, trial.c.given, many.label("held"))
        .outerjoin(held, and_(held.c.brand_id == trial.c.brand_id, held.c.campaign_id == trial.c.campaign_id))
        .where(trial.c.given != many)
    )
    for one in stream(session, found):
        yield Problem("count", "trial", str(one.campaign_id), f"counts {one.given} places; {one.held} are somebody's")


def _key(session: Session) -> ColumnElement[str]:
    """The key of the adjustment by which an application's place is given."""
    row = table(TrialApplication)
    return literal(KEY, String) + named(session, row.c.id) + literal("/", String) + cast(row.c.round, String)


def given(session: Session) -> Iterator[Problem]:
    """Places that were taken and never given, and that passed on while the item was kept."""
    row, decided, reward = table(TrialApplication), table(Adjustment), table(Reward)
    found = (
        select(row.c.id, row.c.state, reward.c.state.label("worth"))
        .outerjoin(decided, and_(decided.c.brand_id == row.c.brand_id, decided.c.key == _key(session)))
        .outerjoin(
            reward,
            and_(
                reward.c.brand_id == decided.c.brand_id,
                reward.c.cause == literal(CAUSE, String) + named(session, decided.c.id),
            ),
        )
        .where(
            or_(
                and_(row.c.state.in_(TAKEN), decided.c.id.is_(None)),
                and_(row.c.state.not_in(TAKEN), decided.c.id.is_not(None), reward.c.state != "clawed_back"),
            )
        )
    )
    for one in stream(session, found):
        detail = "was given nothing" if one.worth is None else f"has no place, and what was given is {one.worth}"
        yield Problem("place", "trial_application", str(one.id), f"is {one.state} and {detail}")


def asked(session: Session) -> Iterator[Problem]:
    """Items that were given for a place in a trial for which nobody applied."""
    row, decided = table(TrialApplication), table(Adjustment)
    applied = as_raw(session, func.substr(decided.c.key, len(KEY) + 1, NAMED))
    found = (
        select(decided.c.id, decided.c.key)
        .outerjoin(row, and_(row.c.brand_id == decided.c.brand_id, raw(session, row.c.id) == applied))
        .where(decided.c.actor == ACTOR, decided.c.key.like(f"{KEY}%"), row.c.id.is_(None))
    )
    for one in stream(session, found):
        yield Problem("place", "adjustment", str(one.id), f"is for {one.key}, and nobody applied so")


CHECKS = (counted, given, asked)
