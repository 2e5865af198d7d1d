"""The cost bound: what a plan can cost at most, and what exactly bounds it.

A budget is a hard stop: the books refuse a grant that it does not cover. Below it the rules' own limits may bound the
cost earlier. What can come on top is what members owe and never settle: a reward taken back after it was paid out
returns to the budget as a debt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from referral.conversions import PURCHASED
from rewards import schedule
from rewards.forecast import Frame
from rewards.plans import Plan, Rule

ANY_ORDER = "any_order"
"""A percentage of orders of any size."""
ANY_ORDERS = "any_orders"
"""Any number of orders of a friend."""
ANY_FRIENDS = "any_friends"
"""Any number of friends of an advocate."""
ANY_ADVOCATES = "any_advocates"
"""Any number of advocates."""


@dataclass(frozen=True, slots=True)
class RuleBound:
    """The most a rule pays, in minor units of its asset; None: its own limits do not bound it, for the reasons in
    `open`."""

    rule: str
    asset: str
    friend: int | None
    advocate: int | None
    campaign: int | None
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssetBound:
    """The most a plan costs in an asset: the budget, or less where the rules stop earlier (`rules`; None: they do
    not). `prizes`: what all prizes of a contest come to, which rules cannot spend."""

    asset: str
    budget: int
    rules: int | None
    prizes: int = 0

    @property
    def most(self) -> int:
        """What it can cost at most."""
        return self.budget if self.rules is None else min(self.budget, self.rules + self.prizes)


@dataclass(frozen=True, slots=True)
class Bound:
    """The cost bound of a plan, by asset and by rule."""

    assets: tuple[AssetBound, ...]
    rules: tuple[RuleBound, ...]


def cost_bound(plan: Plan, frame: Frame, *, advocates: int | None = None, largest_order: int | None = None) -> Bound:
    """What the plan can cost at most. `advocates`, `largest_order` (net, minor units): known limits of the world."""
    rules = tuple(_of_rule(plan, rule, frame, advocates, largest_order) for rule in plan.rules)
    assets = []
    for asset in plan.assets:
        parts = [one.campaign for one in rules if one.asset == asset]
        assets.append(AssetBound(asset, plan.budget_of(asset), _sum(parts), plan.reserve(asset)))
    return Bound(tuple(assets), rules)


def _of_rule(plan: Plan, rule: Rule, frame: Frame, advocates: int | None, largest_order: int | None) -> RuleBound:
    friend, by_friend = _of_friend(rule, largest_order)
    advocate, by_advocate = _of_advocate(plan, rule, friend, by_friend)
    by_periods = _least([_times(rule.caps.day, _days(frame)), _times(rule.caps.week, _weeks(frame))])
    everybody = _times(advocate, advocates)
    campaign = _least([rule.caps.campaign, by_periods, everybody])
    by_campaign = [] if campaign is not None else [*by_advocate, *([] if advocates is not None else [ANY_ADVOCATES])]
    friend = _least([friend, advocate]) if rule.scheduled else friend
    return RuleBound(rule.name, plan.asset_of(rule), friend, advocate, campaign, tuple(by_campaign))


def _of_friend(rule: Rule, largest_order: int | None) -> tuple[int | None, list[str]]:
    """The most for one friend, and what leaves it open."""
    if rule.scheduled:  # after others were taken back one friend may bring as much as all of them
        return rule.caps.friend, []
    each = rule.amount
    if rule.basis_points is not None and largest_order is not None:
        each = schedule.percent_of(largest_order, rule.basis_points, rule.rounding)
    many = rule.on == PURCHASED
    open_ = [ANY_ORDER] * (each is None) + [ANY_ORDERS] * many
    friend = _least([rule.caps.friend, None if many else each])
    return friend, ([] if friend is not None else open_)


def _of_advocate(plan: Plan, rule: Rule, friend: int | None, by_friend: list[str]) -> tuple[int | None, list[str]]:
    """The most for all friends of one advocate, and what leaves it open."""
    limits = [rule.caps.advocate, _times(friend, plan.cap)]
    if rule.milestones:
        limits.append(schedule.total(rule, plan.cap or max(one.reach for one in rule.milestones)))
    elif rule.tiers is not None and plan.cap is not None:
        limits.append(schedule.total(rule, plan.cap))
    advocate = _least(limits)
    return advocate, ([] if advocate is not None else [*by_friend, *([ANY_FRIENDS] if plan.cap is None else [])])


def _days(frame: Frame) -> int:
    """Calendar days that the campaign touches: one more than its length, since it may begin at noon."""
    return frame.days + 1


def _weeks(frame: Frame) -> int:
    return frame.days // 7 + 2


def _times(amount: int | None, count: int | None) -> int | None:
    return None if amount is None or count is None else amount * count


def _least(limits: Iterable[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


def _sum(parts: Iterable[int | None]) -> int | None:
    total = 0
    for part in parts:
        if part is None:
            return None
        total += part
    return total
