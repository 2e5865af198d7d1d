"""Hears what happened in `referral` and turns it into rewards, inside the same unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import events, ids
from core.db import among_keys, insert_new, table
from core.events import Bus
from referral.referrals import FriendLeft, FriendQualified, Referral, ReferralReversed, reverse
from rewards.corrections import take_back
from rewards.ledger import Account, Move, Purpose, take_stock, transfer
from rewards.plans import Plan, cached_plan
from rewards.rewards import (
    Reward,
    RewardGranted,
    RewardReleased,
    grant_move,
    release_move,
    rewards_for,
    tell,
)


def listen(bus: Bus) -> None:
    """Join the rewards to the referrals."""
    bus.on(FriendQualified, on_qualified)
    bus.on(FriendLeft, on_left)
    bus.on(ReferralReversed, on_reversed)


def on_qualified(session: Session, happened: Sequence[FriendQualified]) -> None:
    """Grant what the plan in force says. Both sides of a double-sided reward are granted together or not at all."""
    plans = {
        id(event): cached_plan(session, event.brand_id, event.campaign_id, event.campaign_version) for event in happened
    }
    paying = [event for event in happened if plans[id(event)].rules]
    if not paying:
        return
    budgets = {
        id(event): Account(event.brand_id, event.campaign_id, Purpose.BUDGET, plans[id(event)].asset)
        for event in paying
    }
    left = take_stock(session, list(set(budgets.values())))
    paid_for = _paid_for(session, [event for event in paying if plans[id(event)].cap is not None])
    rows: list[dict[str, Any]] = []
    for event in paying:
        plan, budget = plans[id(event)], budgets[id(event)]
        reason = _refusal(plan, left[budget], paid_for[(event.campaign_id, event.advocate_id)])
        if reason is None:
            left[budget] -= sum(rule.amount or 0 for rule in plan.rules)
            paid_for[(event.campaign_id, event.advocate_id)] += 1
        rows.extend(_reward_rows(event, plan, reason))
    _book(session, rows)


def _refusal(plan: Plan, budget: int, paid_for: int) -> str | None:
    if plan.cap is not None and paid_for >= plan.cap:
        return "cap_reached"
    if sum(rule.amount or 0 for rule in plan.rules) > budget:
        return "budget_empty"
    return None


def _paid_for(session: Session, capped: Sequence[FriendQualified]) -> dict[tuple[UUID, UUID], int]:
    """How many friends each advocate was paid for so far, per (campaign, advocate); the budget's lock guards it."""
    counts: dict[tuple[UUID, UUID], int] = defaultdict(int)
    if capped:
        t = table(Reward)
        # What counts is no condition of the whole: it would lead the database to an index on states or roles.
        counted = (t.c.role == "advocate") & t.c.state.in_(("held", "payable", "in_payout", "paid", "in_review"))
        rows = session.execute(
            select(t.c.campaign_id, t.c.member_id, func.count(t.c.referral_id.distinct()).filter(counted))
            .where(
                among_keys(
                    session,
                    (t.c.brand_id, t.c.campaign_id, t.c.member_id),
                    {(event.brand_id, event.campaign_id, event.advocate_id) for event in capped},
                ),
            )
            .group_by(t.c.campaign_id, t.c.member_id)
        )
        for campaign_id, member_id, count in rows:
            counts[(campaign_id, member_id)] = count
    return counts


def _reward_rows(event: FriendQualified, plan: Plan, reason: str | None) -> list[dict[str, Any]]:
    return [
        {
            "brand_id": event.brand_id,
            "id": ids.new(),
            "campaign_id": event.campaign_id,
            "campaign_version": event.campaign_version,
            "referral_id": event.referral_id,
            "member_id": event.advocate_id if rule.to == "advocate" else event.friend_id,
            "role": rule.to,
            "rule": rule.name,
            "event": event.event,
            "cause": event.event,
            "asset": plan.asset,
            "amount": rule.amount,
            "taken_back": 0,
            "paid_out": 0,
            "state": "capped" if reason else ("held" if rule.hold_days else "payable"),
            "reason": reason,
            "hold_until": event.at + timedelta(days=rule.hold_days),
            "created_at": event.at,
        }
        for rule in plan.rules
    ]


def _book(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    target = table(Reward)
    made = insert_new(session, target, rows, ["brand_id", "referral_id", "cause", "rule"], returning=target.c.id)
    moves: list[Move] = []
    told: list[RewardGranted | RewardReleased] = []
    for row in rows:
        if row["id"] not in made:
            continue
        told.append(tell(RewardGranted, row))
        if row["state"] == "capped":
            continue
        owner = (row["member_id"], row["asset"], row["amount"])
        moves.append(grant_move(row["id"], row["brand_id"], row["campaign_id"], *owner))
        if row["state"] == "payable":
            moves.append(release_move(row["id"], row["brand_id"], *owner))
            told.append(tell(RewardReleased, row))
    if moves:
        transfer(session, moves)
    events.emit(session, told)


def on_left(session: Session, happened: Sequence[FriendLeft]) -> None:
    """A friend who leaves while the reward is held was no friend for long: the referral is reversed."""
    by_brand: dict[UUID, list[UUID]] = defaultdict(list)
    for event in happened:
        by_brand[event.brand_id].append(event.referral_id)
    for brand_id, referrals in by_brand.items():
        held = {reward.referral_id for reward in rewards_for(session, brand_id, referrals) if reward.state == "held"}
        if held:
            rows = session.scalars(
                select(Referral).where(col(Referral.brand_id) == brand_id, col(Referral.id).in_(held))
            ).all()
            events.emit(session, reverse(session, rows, "left_during_hold"))


def on_reversed(session: Session, happened: Sequence[ReferralReversed]) -> None:
    """Take back what was granted for a referral that counts no longer."""
    for event in happened:
        take_back(session, rewards_for(session, event.brand_id, [event.referral_id]), event.reason)
