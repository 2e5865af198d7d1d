"""Reviews: what was granted anew has the decision behind it, and lives instead of what fell, never beside it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session

from core.db import table
from referral.cases import Case
from rewards.corrections import ALIVE, ANEW, first_cause
from rewards.rewards import Reward
from rewards.verify.problem import Problem, as_raw, raw, stream

LENGTH = 36
"""Of the case's identifier, with which the cause ends."""


def decided(session: Session) -> Iterator[Problem]:
    """Rewards granted anew that no upheld appeal for their referral brought back."""
    t, case = table(Reward), table(Case)
    named = as_raw(session, func.substr(t.c.cause, func.length(t.c.cause) - LENGTH + 1))
    found = (
        select(t.c.id, t.c.cause)
        .outerjoin(case, and_(case.c.brand_id == t.c.brand_id, raw(session, case.c.id) == named))
        .where(
            t.c.cause.like(f"%{ANEW}%"),
            or_(
                case.c.id.is_(None),
                case.c.kind != "appeal",
                func.coalesce(case.c.verdict, "") != "approve",
                case.c.referral_id.is_(None),
                case.c.referral_id != t.c.referral_id,
            ),
        )
    )
    for row in stream(session, found):
        yield Problem("review", "reward", str(row.id), f"is for {row.cause}, which no upheld appeal says")


def once(session: Session) -> Iterator[Problem]:
    """Rewards granted anew while another for the same thing lives."""
    t, other = table(Reward), table(Reward).alias("other")
    same = and_(
        other.c.brand_id == t.c.brand_id,
        other.c.referral_id == t.c.referral_id,
        other.c.rule == t.c.rule,
        other.c.id != t.c.id,
    )
    found = (
        select(t.c.id, t.c.cause, other.c.id.label("other"), other.c.cause.label("of"))
        .join(other, same)
        .where(t.c.cause.like(f"%{ANEW}%"), t.c.state.in_(ALIVE), other.c.state.in_(ALIVE))
    )
    for row in stream(session, found):
        if first_cause(row.cause) == first_cause(row.of):
            yield Problem("review", "reward", str(row.id), f"was granted anew, and reward {row.other} lives as well")


CHECKS = (decided, once)
