"""The plan check: what is wrong or unwise with a plan, said before anybody is promised anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from core import i18n
from core.money import ITEM, LARGEST, Money, is_currency
from rewards import schedule
from rewards.conditions.expressions import compile_condition
from rewards.payouts.port import carries
from rewards.plans import FRIENDS_MAX, Plan, Rule, default_name

ADVISED_HOLD = 7
"""Days a percentage of an order had better wait: most returns come sooner."""
NEVER = {"joined": {"retained"}, "purchased": {"retained"}}
"""Events that a campaign counting another one never tells of."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the plan check says: `severity` refuse or warn, `code` the message id `plan.<code>`.

    `where`: the field it is about, as `rewards.rules.0.caps`; `line` of the file where that is known.
    """

    severity: Literal["refuse", "warn"]
    code: str
    where: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    line: int | None = None


def explain_finding(finding: Finding, locale: str) -> str:
    """A finding in words, with its place."""
    params = {name: one.format(locale) if isinstance(one, Money) else one for name, one in finding.params.items()}
    words = i18n.text(locale, f"plan.{finding.code}", **params)
    place = ": ".join(str(part) for part in (finding.line, finding.where) if part)
    return f"{place}: {words}" if place else words


def check(plan: Plan, event: str, platforms: frozenset[str], *, joins_allowed: bool = False) -> list[Finding]:
    """What is wrong or unwise with paying this when the campaign counts that event, on those platforms.

    Joins cost nothing, so no reward for a bare join is safe from many accounts of one person: it asks for retention,
    a cap and a hold. Discord's platform policy forbids invite rewards for a bare join: refused unless overridden.
    """
    return [
        *_joins(plan, event, platforms, joins_allowed),
        *_names(plan),
        *(finding for index, rule in enumerate(plan.rules) for finding in _rule(plan, event, index, rule)),
        *_budgets(plan),
        *_payouts(plan),
    ]


def _joins(plan: Plan, event: str, platforms: frozenset[str], joins_allowed: bool) -> Iterator[Finding]:
    joining = [rule for rule in plan.rules if (rule.on or event) == "joined"]
    if not joining:
        return
    if "discord" in platforms and not joins_allowed:
        yield Finding("refuse", "discord_join")
    yield Finding("warn", "bare_join")
    if plan.cap is None:
        yield Finding("warn", "join_without_cap", "rewards.cap")
    if not all(rule.hold_days for rule in joining):
        yield Finding("warn", "join_without_hold", "rewards.rules")


def _names(plan: Plan) -> Iterator[Finding]:
    """Two rules for one side and event are a mistake unless each was given a name of its own."""
    seen: set[str] = set()
    nameless: dict[tuple[str, str | None], int] = defaultdict(int)
    sides: dict[str, int] = defaultdict(int)
    for index, rule in enumerate(plan.rules):
        where = f"rewards.rules.{index}"
        if rule.name in seen:
            yield Finding("refuse", "name_twice", f"{where}.name", {"name": rule.name})
        seen.add(rule.name)
        sides[rule.to] += 1
        if rule.name == default_name(rule.to, sides[rule.to]):
            nameless[(rule.to, rule.on)] += 1
            if nameless[(rule.to, rule.on)] == 2:
                yield Finding("refuse", "side_twice", where)


def _rule(plan: Plan, event: str, index: int, rule: Rule) -> Iterator[Finding]:
    where = f"rewards.rules.{index}"
    yield from _worth(plan, event, where, rule)
    if (rule.on or event) in NEVER.get(event, ()):
        yield Finding("refuse", "event_never", f"{where}.on", {"event": rule.on, "counted": event})
    if rule.risky_hold_days is not None and plan.risky is None:
        yield Finding("refuse", "risky_unknown", f"{where}.risky_hold_days")
    if rule.risky_hold_days is not None and rule.risky_hold_days < rule.hold_days:
        yield Finding("refuse", "risky_hold_shorter", f"{where}.risky_hold_days")
    if rule.why is not None and rule.when is None:
        yield Finding("refuse", "why_without_when", f"{where}.why")
    if (rule.on or event) != "purchased" and any(name.startswith("order.") for name in names_in(rule.when)):
        yield Finding("warn", "order_without_order", f"{where}.when")
    first = first_payment(rule)
    for name, most in rule.caps:
        if most is not None and most < first:
            params = {"least": first}
            yield Finding("refuse", "cap_below_one", f"{where}.caps.{name}", params)


def names_in(expression: str | None) -> frozenset[str]:
    """The attributes a condition asks about."""
    return compile_condition(expression).names if expression else frozenset()


def _worth(plan: Plan, event: str, where: str, rule: Rule) -> Iterator[Finding]:
    given = [rule.amount, rule.basis_points, rule.tiers, rule.milestones or None]
    if sum(one is not None for one in given) != 1:
        yield Finding("refuse", "worth_unclear", where)
    if rule.basis_points is not None:
        if not is_currency(plan.asset_of(rule)):
            yield Finding("refuse", "percent_of_no_money", f"{where}.basis_points", {"asset": plan.asset_of(rule)})
        if (rule.on or event) != "purchased":
            yield Finding("refuse", "percent_without_order", f"{where}.basis_points")
        if rule.hold_days < ADVISED_HOLD:
            yield Finding("warn", "percent_without_hold", f"{where}.hold_days", {"days": ADVISED_HOLD})
    if rule.scheduled:
        yield from _schedule(plan, where, rule)


def _schedule(plan: Plan, where: str, rule: Rule) -> Iterator[Finding]:
    if rule.to != "advocate":
        yield Finding("refuse", "schedule_side", f"{where}.to")
    if rule.tiers is not None:
        where = f"{where}.tiers.steps"
        starts = [step.start for step in rule.tiers.steps]
        amounts = [step.amount for step in rule.tiers.steps]
        if rule.tiers.mode == "cumulative" and any(after < before for before, after in pairwise(amounts)):
            yield Finding("refuse", "steps_fall", where)
    else:
        where = f"{where}.milestones"
        starts = [one.reach for one in rule.milestones]
    if any(after <= before for before, after in pairwise(starts)):
        yield Finding("refuse", "steps_unordered", where)
    elif schedule.total(rule, plan.cap or max(starts)) > LARGEST:
        yield Finding("refuse", "schedule_too_large", where, {"limit": LARGEST})
    if plan.cap is not None and max(starts) > plan.cap:
        yield Finding("warn", "step_beyond_cap", where, {"reach": max(starts), "cap": plan.cap})
    if rule.tiers is not None and plan.cap is None and rule.caps.advocate is None:
        yield Finding("warn", "tiers_without_cap", where)


def _budgets(plan: Plan) -> Iterator[Finding]:
    if plan.asset in plan.budgets:
        yield Finding("refuse", "budget_twice", f"rewards.budgets.{plan.asset}", {"asset": plan.asset})
    need: dict[str, dict[str | None, int]] = defaultdict(lambda: defaultdict(int))
    for rule in plan.rules:
        need[plan.asset_of(rule)][rule.on] += first_payment(rule)
    for asset in dict.fromkeys((*need, *map(plan.prize_asset, plan.prizes))):
        prizes = plan.reserve(asset)
        least = max(need[asset].values(), default=0) + prizes
        if plan.budget_of(asset) < least:
            where = "rewards.budget" if asset == plan.asset else f"rewards.budgets.{asset}"
            params = {"asset": asset, "least": Money(least, asset)}
            if prizes:
                yield Finding("refuse", "budget_below_prizes", where, params | {"prizes": Money(prizes, asset)})
            else:
                yield Finding("refuse", "budget_below_one", where, params)
    for asset in plan.budgets:
        if asset not in need:
            yield Finding("warn", "budget_unused", f"rewards.budgets.{asset}", {"asset": asset})


def _payouts(plan: Plan) -> Iterator[Finding]:
    """Money must be able to leave by the provider; points buy items, and items hand themselves over."""
    provider = plan.payout.provider
    for asset in plan.assets:
        if asset != "PTS" and not asset.startswith(ITEM) and not carries(provider, asset):
            yield Finding("refuse", "not_carried", "payout.provider", {"provider": provider, "asset": asset})


def first_payment(rule: Rule) -> int:
    """The least a rule pays when it pays: in minor units, 1 for a percentage."""
    if rule.amount is not None:
        return rule.amount
    if rule.scheduled:
        reach = schedule.next_reach(rule, 0)
        return schedule.total(rule, reach) if reach is not None and reach <= FRIENDS_MAX else 1
    return 1
