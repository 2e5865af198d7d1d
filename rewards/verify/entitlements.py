"""Rewards: what their transfers leave is what their state says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import ColumnElement, String, Subquery, and_, case, func, literal, or_, select
from sqlmodel import Session

from core.db import table
from referral.referrals import Referral
from rewards.adjustments import CAUSE, Adjustment
from rewards.corrections import ANEW, credited_in, first_cause
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.plans import cached_plan
from rewards.rewards import BY, OF_CONTEST, STATES, Reward
from rewards.verify.linked import Linked
from rewards.verify.problem import Problem, as_raw, named, raw, stream

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


OTHER_CAUSES = ("order/", "step/")
"""How causes begin that are not the event itself: an order, and a step that a fallen friend's reward had been for. What
was granted anew after a review has the case behind its first cause."""


def sided(session: Session) -> Iterator[Problem]:
    """Rewards of somebody who is not that side of their referral, or of another campaign; or without a true cause."""
    t, referral, linked = table(Reward), table(Referral), Linked(session)
    side = case((t.c.role == "advocate", referral.c.advocate_id), (t.c.role == "friend", referral.c.friend_id))
    alone = or_(t.c.cause.like(f"{CAUSE}%"), t.c.cause.like(f"{OF_CONTEST}%"))
    found = (
        select(t.c.brand_id, t.c.id, t.c.role, t.c.member_id, t.c.cause, side.label("side"), referral.c.campaign_id)
        .add_columns(t.c.campaign_id.label("own_campaign"), t.c.referral_id, t.c.event)
        .outerjoin(referral, and_(referral.c.brand_id == t.c.brand_id, referral.c.id == t.c.referral_id))
        .where(
            or_(
                t.c.referral_id.is_(None) != alone,
                and_(
                    ~alone,
                    *(t.c.cause.not_like(f"{of}%") for of in OTHER_CAUSES),
                    t.c.cause != t.c.event,
                    t.c.cause.not_like(t.c.event + f"{ANEW}%"),
                ),
                and_(t.c.referral_id.is_not(None), referral.c.id.is_(None)),
                referral.c.campaign_id != t.c.campaign_id,
                and_(t.c.role.in_(("advocate", "friend")), side != t.c.member_id),
                t.c.cause.like(f"order/%{BY}%"),
                t.c.role.not_in(("advocate", "friend", "admin")),
            )
        )
    )
    for row in stream(session, found):
        whole = row.referral_id is not None and row.campaign_id == row.own_campaign
        fits = first_cause(row.cause) == row.event or row.cause.startswith(OTHER_CAUSES)
        # Whether an advocate named in a cause has a share of the order, `orders.shared` proves.
        of_right = row.side
        with suppress(ValueError):  # it names nobody at all
            of_right = credited_in(row.cause) or row.side
        if whole and fits and of_right is not None and linked.are(row.brand_id, of_right, row.member_id):
            continue
        detail = f"is for {row.cause} on {row.event}, as {row.role}, which its referral and campaign do not say"
        yield Problem("cause", "reward", str(row.id), detail)


def planned(session: Session) -> Iterator[Problem]:
    """Rewards that no rule of their campaign's plan gives. Plans are few, so each is asked once for all of a kind."""
    t = table(Reward)
    columns = [t.c[name] for name in ("brand_id", "campaign_id", "campaign_version", "rule", "role", "asset")]
    by_rule = and_(t.c.cause.not_like(f"{CAUSE}%"), t.c.cause.not_like(f"{OF_CONTEST}%"))
    kinds = select(*columns).where(by_rule).distinct()
    for kind in session.execute(kinds).all():
        plan = cached_plan(session, kind.brand_id, kind.campaign_id, kind.campaign_version)
        rule = plan.rule_named(kind.rule)
        if rule is not None and rule.to == kind.role and plan.asset_of(rule) == kind.asset:
            continue
        detail = f"no rule {kind.rule} of version {kind.campaign_version} gives the {kind.role} {kind.asset}"
        same = [column == value for column, value in zip(columns, kind, strict=True)]
        for (row_id,) in stream(session, select(t.c.id).where(*same, by_rule)):
            yield Problem("rule", "reward", str(row_id), detail)


def adjusted(session: Session) -> Iterator[Problem]:
    """Decisions without the reward or the transfer that they are, and goodwill that nobody decided.

    Whose a transfer is, its own check says.
    """
    t, reward, moved, linked = table(Adjustment), table(Reward), table(Transfer), Linked(session)
    cause = literal(CAUSE, String) + named(session, t.c.id)
    given = and_(reward.c.campaign_id == t.c.campaign_id, reward.c.asset == t.c.asset, reward.c.amount == t.c.amount)
    found = (
        select(t.c.brand_id, t.c.id, t.c.amount, t.c.asset, t.c.member_id)
        .add_columns(reward.c.member_id.label("owner"), case((given, 1), else_=0).label("given"))
        .outerjoin(reward, and_(reward.c.brand_id == t.c.brand_id, reward.c.cause == cause))
        .outerjoin(moved, and_(moved.c.brand_id == t.c.brand_id, moved.c.reference == cause))
        .where(
            or_(
                and_(t.c.amount > 0, or_(reward.c.id.is_(None), ~given, reward.c.member_id != t.c.member_id)),
                and_(t.c.amount < 0, moved.c.id.is_(None)),
            )
        )
    )
    for row in stream(session, found):
        if not row.given or not linked.are(row.brand_id, row.member_id, row.owner):
            detail = f"decides {row.amount} {row.asset} for {row.member_id}, which was not booked so"
            yield Problem("adjusted", "adjustment", str(row.id), detail)
    decision = as_raw(session, func.substr(reward.c.cause, len(CAUSE) + 1))
    undecided = (
        select(reward.c.id, reward.c.cause)
        .outerjoin(t, and_(t.c.brand_id == reward.c.brand_id, raw(session, t.c.id) == decision))
        .where(reward.c.cause.like(f"{CAUSE}%"), t.c.id.is_(None))
    )
    for row in stream(session, undecided):
        yield Problem("adjusted", "reward", str(row.id), f"is for {row.cause}, which nobody decided")


CHECKS = (left, sided, planned, adjusted)
