"""A friend who counts no longer may cost a step that was reached: what is too much is taken back, the newest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import among_keys, table
from referral.referrals import Referral, ReferralReversed
from rewards import schedule
from rewards.caps import LIVE, LOST, standings_of
from rewards.corrections import take_back
from rewards.plans import Rule, cached_plan
from rewards.rewards import Reward

Key = tuple[UUID, UUID, UUID]
"""(brand, campaign, advocate)."""


def take_back_lost(session: Session, happened: Sequence[ReferralReversed]) -> None:
    """Make what lives of each schedule of these advocates no more than their remaining friends are worth.

    An advocate's schedule is that of the campaign's version under which its latest reward was granted. The campaigns'
    budgets are locked by the caller, so that nobody grants by the same schedule meanwhile.
    """
    pairs = {(event.brand_id, event.campaign_id, event.advocate_id) for event in happened}
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
        newest = live[0]
        plan = cached_plan(session, newest.brand_id, newest.campaign_id, newest.campaign_version)
        rule = plan.rule_named(newest.rule)
        if rule is not None and rule.scheduled:
            found[key] = (rule, live)
    return found
