"""Hears what happened in `referral` and turns it into rewards, inside the same unit of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import events, ids
from core.events import Bus
from referral.referrals import FriendActed, FriendLeft, FriendQualified, Referral, ReferralReversed, reverse
from rewards import budget, caps, circumstances, surplus
from rewards.contests.reserve import held_back
from rewards.corrections import OF_ORDER, take_back
from rewards.decisions import Balance, Books, Case, Event, Line, decide, rules_for
from rewards.granting import book
from rewards.ledger import Account, Purpose
from rewards.plans import Plan, cached_plan
from rewards.rewards import BY, Reward, rewards_for


def listen(bus: Bus) -> None:
    """Join the rewards to the referrals."""
    bus.on(FriendQualified, on_earned)
    bus.on(FriendActed, on_earned)
    bus.on(FriendLeft, on_left)
    bus.on(ReferralReversed, on_reversed)


def on_earned(session: Session, happened: Sequence[Event]) -> None:
    """Grant what the plan in force says. What one event earns is granted together or not at all."""
    cases = []
    for event in happened:
        plan = cached_plan(session, event.brand_id, event.campaign_id, event.campaign_version)
        if rules := rules_for(plan, event):
            cases.append(Case(event, plan, rules))
    if not cases:
        return
    books = Books(budget.lock(session, {(case.event.brand_id, case.event.campaign_id) for case in cases}))
    prized = {(case.event.brand_id, case.event.campaign_id) for case in cases if case.plan.prizes}
    for kept, amount in held_back(session, prized).items():
        books.left[kept] -= amount
    asking = [case for case in cases if not case.plan.simple]
    if asking:
        circumstances.find(session, asking)
    caps.load(session, cases, books)
    book(session, [row for case in cases for row in _rows(case, decide(case, books))])
    budget.watch(session, _budgets(cases), books)


def _budgets(cases: Sequence[Case]) -> dict[Balance, tuple[Account, Plan]]:
    """The accounts that these cases draw on, each with a plan that does."""
    found: dict[Balance, tuple[Account, Plan]] = {}
    for case in cases:
        brand_id, campaign_id = case.event.brand_id, case.event.campaign_id
        for rule in case.rules:
            key = (campaign_id, case.plan.asset_of(rule))
            if key not in found:
                found[key] = (Account(brand_id, campaign_id, Purpose.BUDGET, key[1]), case.plan)
    return found


def _rows(case: Case, lines: Sequence[Line]) -> list[dict[str, Any]]:
    event = case.event
    return [
        {
            "brand_id": event.brand_id,
            "id": ids.new(),
            "campaign_id": event.campaign_id,
            "campaign_version": event.campaign_version,
            "referral_id": event.referral_id,
            "member_id": line.member_id,
            "community_id": case.admin[0] if case.admin and line.rule.to == "admin" else None,
            "role": line.rule.to,
            "rule": line.rule.name,
            "event": event.event,
            "cause": f"{case.cause}{BY}{line.member_id}" if line.shared else case.cause,
            "asset": case.plan.asset_of(line.rule),
            "amount": line.amount,
            "taken_back": 0,
            "paid_out": 0,
            "state": "capped" if line.reason else ("held" if hold else "payable"),
            "reason": line.reason,
            "facts": circumstances.kept(case, line.rule),
            "hold_until": event.at + timedelta(days=hold),
            "created_at": event.at,
        }
        for line in lines
        for hold in (line.rule.hold_of(risky=case.risky),)
    ]


def on_left(session: Session, happened: Sequence[FriendLeft]) -> None:
    """A friend who leaves while the reward is held was no friend for long: the referral is reversed.

    What is held for an order is not for staying.
    """
    by_brand: dict[UUID, list[UUID]] = defaultdict(list)
    left: dict[UUID | None, datetime] = {}
    for event in happened:
        by_brand[event.brand_id].append(event.referral_id)
        left[event.referral_id] = event.at
    for brand_id, referrals in by_brand.items():
        held = {
            reward.referral_id
            for reward in rewards_for(session, brand_id, referrals)
            if _is_held(reward, left[reward.referral_id]) and not reward.cause.startswith(OF_ORDER)
        }
        if held:
            rows = session.scalars(
                select(Referral).where(col(Referral.brand_id) == brand_id, col(Referral.id).in_(held))
            ).all()
            events.emit(session, reverse(session, rows, "left_during_hold"))


def _is_held(reward: Reward, at: datetime) -> bool:
    """Whether its hold still runs; one that a person looks at stays no longer than that, however long they take."""
    return reward.state == "held" or (reward.state == "in_review" and at < reward.hold_until)


def on_reversed(session: Session, happened: Sequence[ReferralReversed]) -> None:
    """Take back what was granted for a referral that counts no longer, and what its friend had helped to reach."""
    budget.lock(session, {(event.brand_id, event.campaign_id) for event in happened})
    advocates = {(event.brand_id, event.campaign_id, event.advocate_id) for event in happened}
    fallen: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for event in happened:
        fallen[(event.brand_id, event.reason)].append(event.referral_id)
    steps: list[surplus.Fallen] = []
    for (brand_id, reason), referrals in fallen.items():
        rewards = rewards_for(session, brand_id, referrals)
        steps += surplus.steps_among(session, rewards)
        take_back(session, rewards, reason)
    surplus.take_back_lost(session, advocates)
    surplus.pass_on(session, advocates, steps)
