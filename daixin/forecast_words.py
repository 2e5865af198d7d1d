"""The cost bound, the look at the past and the simulator in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core import i18n
from core.money import Money
from rewards.cost_bound import AssetBound, Bound, RuleBound
from rewards.decisions import Line
from rewards.forecast import Expectation, Sample, Step, assumed
from rewards.plans import Plan


def bound_words(bound: Bound, locale: str) -> Iterator[str]:
    """The most by asset, then rule by rule with what leaves it open."""
    yield i18n.text(locale, "forecast.most")
    for asset in bound.assets:
        yield "  " + _asset(asset, locale)
    yield i18n.text(locale, "forecast.by_rule")
    for rule in bound.rules:
        yield "  " + _rule(rule, locale)
    yield i18n.text(locale, "forecast.debts")


def _asset(bound: AssetBound, locale: str) -> str:
    most, budget = (Money(amount, bound.asset).format(locale) for amount in (bound.most, bound.budget))
    if bound.prizes and bound.rules is not None:
        rewards, prizes = Money(bound.rules, bound.asset), Money(bound.prizes, bound.asset)
        return i18n.text(locale, "forecast.with_prizes", most=most, budget=budget, rules=rewards, prizes=prizes)
    if bound.prizes:
        return i18n.text(locale, "forecast.prizes_aside", most=most, prizes=Money(bound.prizes, bound.asset))
    if bound.rules is None:
        return i18n.text(locale, "forecast.by_budget", most=most)
    if bound.rules > bound.budget:
        rules = Money(bound.rules, bound.asset).format(locale)
        return i18n.text(locale, "forecast.budget_first", most=most, rules=rules)
    return i18n.text(locale, "forecast.rules_first", most=most, budget=budget)


def _rule(bound: RuleBound, locale: str) -> str:
    def said(amount: int | None) -> str:
        return i18n.text(locale, "forecast.open") if amount is None else Money(amount, bound.asset).format(locale)

    figures = {"friend": said(bound.friend), "advocate": said(bound.advocate), "campaign": said(bound.campaign)}
    words = i18n.text(locale, "forecast.rule", rule=bound.rule, **figures)
    reasons = [i18n.text(locale, f"forecast.{reason}") for reason in bound.open]
    return words + (i18n.text(locale, "forecast.because", reasons=_listed(reasons, locale)) if reasons else "")


def past_words(found: Expectation, days: int, locale: str) -> Iterator[str]:
    """What it would have cost on each past campaign, and at that pace."""
    if found.cost is None:
        yield i18n.text(locale, "forecast.no_past")
        return
    yield i18n.text(locale, "forecast.past")
    for sample in found.samples:
        yield "  " + _sample(sample, locale)
    yield i18n.text(locale, "forecast.expected", n=days, cost=_amounts(found.cost, locale))
    yield from _assumed(found.assumed, locale)


def _sample(sample: Sample, locale: str) -> str:
    given = {name: getattr(sample, name) for name in ("days", "advocates", "friends", "orders", "refused")}
    slug = i18n.text(locale, "forecast.so_far", slug=sample.slug) if sample.running else sample.slug
    return i18n.text(locale, "forecast.sample", slug=slug, cost=_amounts(sample.cost, locale), **given)


def _assumed(rules: tuple[str, ...], locale: str) -> Iterator[str]:
    if rules:
        yield i18n.text(locale, "forecast.assumed", rules=_listed(list(rules), locale))


def steps_words(plan: Plan, steps: list[Step], locale: str) -> Iterator[str]:
    """One line a friend: what each side gets for this one, and so far."""
    for step in steps:
        gained = [_line(plan, line, locale) for line in step.lines]
        yield i18n.text(
            locale,
            "forecast.step",
            friend=step.friend,
            gained=_listed([one for one in gained if one], locale) or i18n.text(locale, "forecast.nothing"),
            total=_total(step, locale) or i18n.text(locale, "forecast.nothing"),
        )
    yield from _assumed(assumed(plan), locale)


def _line(plan: Plan, line: Line, locale: str) -> str:
    side = i18n.text(locale, f"forecast.side_{line.rule.to}")
    if line.reason is None:
        return f"{side} {Money(line.amount, plan.asset_of(line.rule)).format(locale)}"
    return f"{side} {i18n.text(locale, f'forecast.refused_{line.reason}')}"


def _total(step: Step, locale: str) -> str:
    return _listed(
        [
            f"{i18n.text(locale, f'forecast.side_{side}')} {Money(amount, asset).format(locale)}"
            for (side, asset), amount in step.total.items()
            if amount
        ],
        locale,
    )


def _amounts(amounts: Mapping[str, int], locale: str) -> str:
    said = [Money(amount, asset).format(locale) for asset, amount in sorted(amounts.items())]
    return _listed(said, locale) or i18n.text(locale, "forecast.nothing")


def _listed(parts: list[str], locale: str) -> str:
    return i18n.text(locale, "forecast.and").join(parts)


def bound_json(bound: Bound) -> dict[str, Any]:
    """The bound for programs; amounts in minor units, null where open."""
    return {
        "assets": [
            {name: getattr(one, name) for name in ("asset", "budget", "rules", "prizes", "most")}
            for one in bound.assets
        ],
        "rules": [
            {name: getattr(one, name) for name in ("rule", "asset", "friend", "advocate", "campaign", "open")}
            for one in bound.rules
        ],
    }


def past_json(found: Expectation) -> dict[str, Any]:
    """The look at the past for programs."""
    return {
        "samples": [{name: getattr(sample, name) for name in Sample.__dataclass_fields__} for sample in found.samples],
        "cost": found.cost,
        "assumed": found.assumed,
    }


def steps_json(plan: Plan, steps: list[Step]) -> list[dict[str, Any]]:
    """The simulation for programs."""
    return [
        {
            "friend": step.friend,
            "lines": [
                {
                    "rule": line.rule.name,
                    "to": line.rule.to,
                    "asset": plan.asset_of(line.rule),
                    "amount": 0 if line.reason else line.amount,
                    "reason": line.reason,
                }
                for line in step.lines
            ],
            "total": [{"to": side, "asset": asset, "amount": amount} for (side, asset), amount in step.total.items()],
        }
        for step in steps
    ]
