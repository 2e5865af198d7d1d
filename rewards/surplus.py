"""A friend who counts no longer may cost a step that was reached: what is too much is taken back, the newest first.

Where the remaining friends reach the step without them, what was granted for it goes on to the newest of those.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core import ids
from core.db import among_keys, table
from referral.referrals import Referral
from rewards import schedule
from rewards.caps import LIVE, LOST, counts, standings_of
from rewards.corrections import take_back
from rewards.granting import book
from rewards.plans import Rule, cached_plan
from rewards.rewards import Reward

Key = tuple[UUID, UUID, UUID]
"""(brand, campaign, advocate)."""


@dataclass(frozen=True, slots=True)
class Fallen:
    """A living reward of a schedule whose friend counts no longer, as it was before it was taken back."""

    reward: Reward
    amount: int
    state: str


def steps_among(session: Session, rewards: Sequence[Reward]) -> list[Fallen]:
    """Those of these rewards that are alive and of a schedule."""
    return [
        Fallen(one, one.amount - one.taken_back, one.state)
        for one in rewards
        if one.state in LIVE and one.role == "advocate" and _rule_of(session, one) is not None
    ]


def take_back_lost(session: Session, pairs: set[Key]) -> None:
    """Make what lives of each schedule of these advocates no more than their remaining friends are worth.

    An advocate's schedule is that of the campaign's version under which its latest reward was granted. The campaigns'
    budgets are locked by the caller, so that nobody grants by the same schedule meanwhile.
    """
    rows = _scheduled(session, pairs)
    if not rows:
        return
    rules = {key: rule for key, (rule, _) in rows.items()}
    standings = standings_of(session, pairs, {rule.name for rule in rules.values()})
    for (_, campaign_id, advocate_id, name), (rule, live) in rows.items():
        standing = standings[(campaign_id, advocate_id, name)]
        too_much = standing.live - schedule.total(rule, standing.friends)
        amounts: dict[UUID, int] = {}
        for reward in live:
            if too_much <= 0:
                break
            amounts[reward.id] = min(too_much, reward.amount - reward.taken_back)
            too_much -= amounts[reward.id]
        if amounts:
            take_back(session, [reward for reward in live if reward.id in amounts], LOST, amounts=amounts)


def pass_on(session: Session, pairs: set[Key], fallen: Sequence[Fallen]) -> None:
    """Grant again, for the newest friend who counts, what fell with one and is due without them too.

    Never more than fell, out of the budget it went back to, held as long as it was: no cap or budget can be passed.
    """
    grouped: dict[tuple[UUID, UUID, UUID, str], list[Fallen]] = defaultdict(list)
    for one in fallen:
        grouped[(one.reward.brand_id, one.reward.campaign_id, one.reward.member_id, one.reward.rule)].append(one)
    if not grouped:
        return
    standings = standings_of(session, pairs, {key[3] for key in grouped})
    heirs = _newest(session, pairs, {key[3] for key in grouped})
    rows = []
    for key, mine in grouped.items():
        standing, heir = standings.get(key[1:]), heirs.get(key)
        rule = _rule_of(session, mine[-1].reward)
        if standing is None or heir is None or rule is None:
            continue
        missing = schedule.total(rule, standing.friends) - standing.live
        amount = min(missing, sum(one.amount for one in mine))
        if amount > 0:
            rows.append(_heirloom(mine, heir, amount))
    book(session, rows)


def _heirloom(fallen: Sequence[Fallen], referral_id: UUID, amount: int) -> dict[str, Any]:
    """The row of the reward that takes the place of these."""
    last = max(fallen, key=lambda one: one.reward.created_at).reward
    held = any(one.state in ("held", "in_review") for one in fallen)
    same = ("brand_id", "campaign_id", "campaign_version", "member_id", "role", "rule", "event", "asset", "created_at")
    return {name: getattr(last, name) for name in same} | {
        "id": ids.new(),
        "referral_id": referral_id,
        "community_id": None,
        "cause": f"step/{last.id}",
        "amount": amount,
        "taken_back": 0,
        "paid_out": 0,
        "state": "held" if held else "payable",
        "reason": None,
        "facts": None,
        "hold_until": max(one.reward.hold_until for one in fallen),
    }


def _newest(session: Session, pairs: set[Key], rules: set[str]) -> dict[tuple[UUID, UUID, UUID, str], UUID]:
    """The referral of the newest friend who counts towards each schedule."""
    reward, referral = table(Reward), table(Referral)
    key = (referral.c.brand_id, referral.c.campaign_id, referral.c.advocate_id)
    rows = session.execute(
        select(*key, reward.c.rule, reward.c.referral_id)
        .join(reward, (referral.c.brand_id == reward.c.brand_id) & (referral.c.id == reward.c.referral_id))
        .where(among_keys(session, key, pairs), reward.c.rule.in_(rules), counts(reward, referral))
        .order_by(reward.c.created_at, reward.c.id)
    )
    return {(brand, campaign, advocate, rule): found for brand, campaign, advocate, rule, found in rows}


def _rule_of(session: Session, reward: Reward) -> Rule | None:
    """The rule of a schedule that granted a reward, if one did."""
    plan = cached_plan(session, reward.brand_id, reward.campaign_id, reward.campaign_version)
    rule = plan.rule_named(reward.rule)
    return rule if rule is not None and rule.scheduled else None


def _scheduled(session: Session, pairs: set[Key]) -> dict[tuple[UUID, UUID, UUID, str], tuple[Rule, list[Reward]]]:
    """The living rewards of schedules of these advocates, the newest first, with the rule of the newest."""
    if not pairs:
        return {}
    reward, referral = table(Reward), table(Referral)
    rows = session.execute(
        select(Reward, referral.c.advocate_id)
        .join(referral, (referral.c.brand_id == reward.c.brand_id) & (referral.c.id == reward.c.referral_id))
        .where(
            among_keys(session, (referral.c.brand_id, referral.c.campaign_id, referral.c.advocate_id), pairs),
            reward.c.role == "advocate",
            reward.c.state.in_(LIVE),
        )
        .order_by(reward.c.created_at.desc(), reward.c.id.desc())
    ).all()
    found: dict[tuple[UUID, UUID, UUID, str], tuple[Rule, list[Reward]]] = {}
    grouped: dict[tuple[UUID, UUID, UUID, str], list[Reward]] = defaultdict(list)
    for one, advocate_id in rows:
        grouped[(one.brand_id, one.campaign_id, advocate_id, one.rule)].append(one)
    for key, live in grouped.items():
        rule = _rule_of(session, live[0])
        if rule is not None:
            found[key] = (rule, live)
    return found
