"""Payouts: each has exactly the transfers and lines of its state, and rewards say the same of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from sqlalchemy import ColumnElement, Table, and_, case, exists, func, literal, or_, select
from sqlmodel import Session

from core.db import table
from rewards.ledger import Transfer
from rewards.payouts.payouts import OPEN, STATES, EventKind, Payee, Payout, PayoutBatch, PayoutEvent, PayoutLine
from rewards.rewards import Reward
from rewards.verify.entitlements import PAYABLE, RELEASED
from rewards.verify.linked import Linked
from rewards.verify.problem import Problem, named, stream

PARTS = ("start", "fee", "done", "back", "fee-back")


def moved(session: Session) -> Iterator[Problem]:
    """Payouts that have not exactly the transfers of their state."""
    t, transfer = table(Payout), table(Transfer)
    name = literal("payout/") + named(session, t.c.id)

    def has(part: str) -> ColumnElement[bool]:
        return exists().where(transfer.c.brand_id == t.c.brand_id, transfer.c.reference == name + f"/{part}")

    failed, fee = t.c.state == "failed", t.c.fee > 0
    wanted = {
        "start": t.c.amount > 0,
        "fee": fee,
        "done": t.c.state == "completed",
        "back": failed,
        "fee-back": and_(failed, fee),
    }
    marks = {part: case((has(part), 1), else_=0) for part in PARTS}
    wrong = [marks[part] != case((wanted[part], 1), else_=0) for part in PARTS]
    found = select(t.c.id, t.c.state, *(mark.label(part) for part, mark in marks.items())).where(
        or_(*wrong, t.c.state.not_in(STATES))
    )
    for row in stream(session, found):
        there = [part for part in PARTS if row._mapping[part]]
        yield Problem("state", "payout", str(row.id), f"is {row.state} with the transfers {', '.join(there) or 'none'}")


def lines(session: Session) -> Iterator[Problem]:
    """Payouts that cover more of rewards than they take, and lines of somebody else's reward or another asset."""
    t, line, reward = table(Payout), table(PayoutLine), table(Reward)
    covered = func.sum(line.c.amount)
    whole = (
        select(t.c.id, t.c.amount, t.c.fee, covered.label("covered"))
        .join(line, and_(line.c.brand_id == t.c.brand_id, line.c.payout_id == t.c.id))
        .group_by(t.c.brand_id, t.c.id, t.c.amount, t.c.fee)
        .having(covered > t.c.amount + t.c.fee)
    )
    for row in stream(session, whole):
        yield Problem("lines", "payout", str(row.id), f"takes {row.amount} and {row.fee}, its lines are {row.covered}")
    strange = (
        select(line.c.id, line.c.amount, t.c.asset, reward.c.asset.label("reward_asset"))
        .outerjoin(t, and_(t.c.brand_id == line.c.brand_id, t.c.id == line.c.payout_id))
        .outerjoin(reward, and_(reward.c.brand_id == line.c.brand_id, reward.c.id == line.c.reward_id))
        .where(or_(t.c.id.is_(None), reward.c.id.is_(None), t.c.asset != reward.c.asset, line.c.amount <= 0))
    )
    for row in stream(session, strange):
        detail = f"covers {row.amount} of a reward in {row.reward_asset} by a payout in {row.asset}"
        yield Problem("line", "payout_line", str(row.id), detail)


def covered(session: Session) -> Iterator[Problem]:
    """Rewards whose `paid_out` is not the sum of the lines of payouts that did not fail, or whose state is another."""
    t, line, payout = table(Reward), table(PayoutLine), table(Payout)
    standing, open_ = payout.c.state != "failed", payout.c.state.in_(OPEN)
    sums = (
        select(
            line.c.brand_id,
            line.c.reward_id,
            func.sum(case((standing, line.c.amount), else_=0)).label("standing"),
            func.sum(case((open_, line.c.amount), else_=0)).label("open"),
        )
        .join(payout, and_(payout.c.brand_id == line.c.brand_id, payout.c.id == line.c.payout_id))
        .group_by(line.c.brand_id, line.c.reward_id)
        .subquery("sums")
    )
    paid, on_the_way = func.coalesce(sums.c.standing, 0), func.coalesce(sums.c.open, 0)
    follows = case((paid < t.c.amount - t.c.taken_back, "payable"), (on_the_way > 0, "in_payout"), else_="paid")
    wrong = [
        t.c.paid_out != paid,
        and_(t.c.state.in_(PAYABLE), t.c.state != follows),
        and_(t.c.state.not_in(RELEASED), paid != 0),
    ]
    found = (
        select(t.c.id, t.c.state, t.c.paid_out, paid.label("paid"), on_the_way.label("on_the_way"))
        .outerjoin(sums, and_(sums.c.brand_id == t.c.brand_id, sums.c.reward_id == t.c.id))
        .where(or_(*wrong))
    )
    for row in stream(session, found):
        detail = f"is {row.state}, {row.paid_out} paid out; payouts cover {row.paid}, {row.on_the_way} on the way"
        yield Problem("paid_out", "reward", str(row.id), detail)


def told(session: Session) -> Iterator[Problem]:
    """Payouts of whose beginning or end their history knows nothing."""
    t, event = table(Payout), table(PayoutEvent)

    def heard(*states: str, kind: str | None = None) -> ColumnElement[bool]:
        said = [event.c.brand_id == t.c.brand_id, event.c.payout_id == t.c.id]
        said += [event.c.state.in_(states)] if states else [event.c.kind == kind]
        return exists().where(*said)

    silent = or_(
        ~heard(kind="ask"),
        and_(t.c.state == "completed", ~heard("completed")),
        # A payout that is not to be sent any more fails when its provider never heard of it.
        and_(t.c.state == "failed", ~heard("failed", "not_found")),
    )
    for row in stream(session, select(t.c.id, t.c.state).where(silent)):
        yield Problem("history", "payout", str(row.id), f"is {row.state}, but its history does not say how it came so")
    strange = select(event.c.id, event.c.kind, event.c.state).where(
        or_(event.c.kind.not_in(KINDS), event.c.state.not_in(ANSWERS), ~exists().where(*_of(event, t)))
    )
    for row in stream(session, strange):
        yield Problem("history", "payout_event", str(row.id), f"says {row.kind} {row.state} of a payout")


def _of(event: Table, payout: Table) -> tuple[ColumnElement[bool], ...]:
    return payout.c.brand_id == event.c.brand_id, payout.c.id == event.c.payout_id


def addressed(session: Session) -> Iterator[Problem]:
    """Payouts to a payee of somebody else or of another provider, and item rewards that do not cover their own."""
    t, payee, line, linked = table(Payout), table(Payee), table(PayoutLine), Linked(session)
    elsewhere = (
        select(t.c.brand_id, t.c.id, t.c.member_id, t.c.provider, t.c.payee_id, payee.c.member_id.label("owner"))
        .add_columns(payee.c.provider.label("own_provider"))
        .outerjoin(payee, and_(payee.c.brand_id == t.c.brand_id, payee.c.id == t.c.payee_id))
        .where(
            t.c.payee_id.is_not(None),
            or_(payee.c.id.is_(None), payee.c.member_id != t.c.member_id, payee.c.provider != t.c.provider),
        )
    )
    for row in stream(session, elsewhere):
        if row.owner is None or row.own_provider != row.provider:
            yield Problem("payee", "payout", str(row.id), f"its payee {row.payee_id} is not one of {row.provider}")
        elif not linked.are(row.brand_id, row.owner, row.member_id):
            yield Problem("payee", "payout", str(row.id), f"its payee {row.payee_id} is somebody else's")
    covers = exists().where(
        line.c.brand_id == t.c.brand_id, line.c.payout_id == t.c.id, line.c.reward_id == t.c.reward_id
    )
    for (row_id,) in stream(session, select(t.c.id).where(t.c.reward_id.is_not(None), ~covers)):
        yield Problem("lines", "payout", str(row_id), "hands a reward over, but covers another")


def owned(session: Session) -> Iterator[Problem]:
    """Lines that cover the reward of somebody else."""
    t, line, reward, linked = table(Payout), table(PayoutLine), table(Reward), Linked(session)
    found = (
        select(line.c.brand_id, line.c.id, t.c.member_id, reward.c.member_id.label("owner"))
        .join(t, and_(t.c.brand_id == line.c.brand_id, t.c.id == line.c.payout_id))
        .join(reward, and_(reward.c.brand_id == line.c.brand_id, reward.c.id == line.c.reward_id))
        .where(t.c.member_id != reward.c.member_id)
    )
    for row in stream(session, found):
        if not linked.are(row.brand_id, row.member_id, row.owner):
            yield Problem("owner", "payout_line", str(row.id), "covers the reward of somebody else")


def batched(session: Session) -> Iterator[Problem]:
    """Batches whose payouts are not as many, not of the provider and asset, or not the sum they were made with."""
    t, payout = table(PayoutBatch), table(Payout)
    inside = and_(payout.c.brand_id == t.c.brand_id, payout.c.batch_id == t.c.id)
    many, total = func.count(payout.c.id), func.coalesce(func.sum(payout.c.amount), 0)
    strange = func.sum(case((or_(payout.c.provider != t.c.provider, payout.c.asset != t.c.asset), 1), else_=0))
    found = (
        select(t.c.id, t.c["count"].label("made_with"), t.c.total, many.label("there"), total.label("sum"))
        .outerjoin(payout, inside)
        .group_by(t.c.brand_id, t.c.id, t.c["count"], t.c.total)
        .having(or_(many != t.c["count"], total != t.c.total, strange > 0))
    )
    for row in stream(session, found):
        detail = f"was made with {row.made_with} payouts of {row.total}, it has {row.there} of {row.sum}"
        yield Problem("batch", "payout_batch", str(row.id), detail)
    batch = table(PayoutBatch)
    homeless = ~exists().where(batch.c.brand_id == payout.c.brand_id, batch.c.id == payout.c.batch_id)
    for (row_id,) in stream(session, select(payout.c.id).where(payout.c.batch_id.is_not(None), homeless)):
        yield Problem("batch", "payout", str(row_id), "there is no such batch")


KINDS = get_args(EventKind)
ANSWERS = (*STATES, "not_found")
CHECKS = (moved, lines, covered, told, addressed, owned, batched)
