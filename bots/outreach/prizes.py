"""What the next friend would bring, where that is more than a friend usually brings: the next tier or milestone."""

from __future__ import annotations

from bots.context import Safe
from bots.news import Voice
from referral.campaigns import Campaign
from rewards import schedule
from rewards.caps import standings_of
from rewards.ledger import Account, Purpose, balance
from rewards.plans import Caps, Plan, Rule, cached_plan


def _promises(plan: Plan) -> list[Rule]:
    """The advocate's tiers and milestones whose next step can be told for sure: nothing else decides about them."""
    return [
        rule
        for rule in plan.rules
        if rule.to == "advocate" and rule.scheduled and rule.on is None and rule.when is None and rule.caps == Caps()
    ]


def reaches(plan: Plan) -> frozenset[int]:
    """The numbers of friends at which the plan pays more, beyond the first."""
    steps: set[int] = set()
    for rule in _promises(plan):
        at = schedule.next_reach(rule, 1)
        while at is not None:
            steps.add(at)
            at = schedule.next_reach(rule, at)
    return frozenset(steps)


def next_prize(voice: Voice, campaign: Campaign) -> Safe | None:
    """What one more friend brings this person, if that is a step up, they can still be paid for it, and the budget
    still has it."""
    brand_id, plan = voice.brand.id, cached_plan(voice.session, voice.brand.id, campaign.id, campaign.version)
    for rule in _promises(plan):
        standing = standings_of(voice.session, {(brand_id, campaign.id, voice.member.id)}, {rule.name}).get(
            (campaign.id, voice.member.id, rule.name)
        )
        if standing is None or schedule.next_reach(rule, standing.friends) != standing.friends + 1:
            continue
        amount, asset = schedule.due(rule, standing.friends + 1, standing.live), plan.asset_of(rule)
        left = balance(voice.session, Account(brand_id, campaign.id, Purpose.BUDGET, asset))
        if 0 < amount <= left and (plan.cap is None or standing.friends < plan.cap):
            return voice.amount(amount, asset)
    return None
