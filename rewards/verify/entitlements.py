"""Rewards: what their transfers leave is what their state says."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Subquery, and_, case, func, or_, select
from sqlmodel import Session

from core.db import table
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.rewards import STATES, Reward
from rewards.verify.problem import Problem, as_raw, raw, stream

HELD = ("held", "in_review")
PAYABLE = ("payable", "in_payout", "paid")
GONE = ("voided", "clawed_back")
RELEASED = (*PAYABLE, "clawed_back")
"""States of a reward that was released once; the others never were."""


def reward_in(reference: ColumnElement[str], kind: ColumnElement[str]) -> ColumnElement[str]:
    """Which reward a reference names: `grant/<reward>`, `void/<reward>/<cause>`, `link/<link>/again/<reward>` …"""
    starts = {"grant": 7, "release": 9, "void": 6, "clawback": 10}
    again = (kind == "link") & (func.substr(reference, 42, 7) == "/again/")
    return case(
        *((kind == name, func.substr(reference, begin, 36)) for name, begin in starts.items()),
        (again, func.substr(reference, 49, 36)),
    )


def _legs(session: Session) -> Subquery:
    """What the transfers of each reward leave: (brand, reward, held, payable), and how often it was released."""
    moved, account = table(Transfer), table(LedgerAccount)
    # A reward that a link took back comes back to where it was.
    to_held = (
        select(account.c.purpose)
        .where(account.c.brand_id == moved.c.brand_id, account.c.id == moved.c.credit_id)
        .correlate(moved)
        .scalar_subquery()
    ) == Purpose.HELD
    kind, amount = moved.c.kind, moved.c.amount
    again = (kind == "link") & moved.c.reference.like("link/%/again/%")
    held = case(
        (kind == "grant", amount),
        (kind.in_(("release", "void")), -amount),
        (again & to_held, amount),
        else_=0,
    )
    payable = case((kind == "release", amount), (kind == "clawback", -amount), (again & ~to_held, amount), else_=0)
    reward = as_raw(session, reward_in(moved.c.reference, kind))
    return (
        select(
            moved.c.brand_id,
            reward.label("reward"),
            func.sum(held).label("held"),
            func.sum(payable).label("payable"),
            func.sum(case((kind == "release", 1), else_=0)).label("released"),
        )
        .where(or_(kind.in_(("grant", "release", "void", "clawback")), again))
        .group_by(moved.c.brand_id, reward)
        .subquery("legs")
    )


def left(session: Session) -> Iterator[Problem]:
    """Rewards of which not what their state says is held or payable."""
    t, legs = table(Reward), _legs(session)
    held, payable = func.coalesce(legs.c.held, 0), func.coalesce(legs.c.payable, 0)
    released = func.coalesce(legs.c.released, 0)
    worth = t.c.amount - t.c.taken_back
    sums = (held.label("held"), payable.label("payable"), released.label("released"))
    found = (
        select(t.c.id, t.c.state, t.c.amount, t.c.taken_back, *sums)
        .outerjoin(legs, (legs.c.brand_id == t.c.brand_id) & (legs.c.reward == raw(session, t.c.id)))
        .where(
            or_(
                held != case((t.c.state.in_(HELD), worth), else_=0),
                payable != case((t.c.state.in_(PAYABLE), worth), else_=0),
                released != case((t.c.state.in_(RELEASED), 1), else_=0),
                and_(t.c.state != "capped", t.c.state.in_(GONE) != (worth == 0)),  # a decision of nothing is capped
                and_(t.c.state == "capped", or_(legs.c.reward.is_not(None), t.c.taken_back != 0)),
                t.c.state.not_in(STATES),
            )
        )
    )
    for row in stream(session, found):
        detail = (
            f"is {row.state}, {row.amount} less {row.taken_back} taken back; "
            f"its transfers leave {row.held} held and {row.payable} payable"
            f", {'released' if row.released else 'never released'}"
        )
        yield Problem("state" if row.state not in STATES else "left", "reward", str(row.id), detail)


CHECKS = (left,)
