"""What the plan check refuses and what it warns of, before anybody is promised anything."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from core import i18n
from rewards.plan_check import check, explain_finding
from rewards.plans import HOLD_DAYS_MAX, Plan, Rule

ADVOCATE = Rule(to="advocate", amount=100, hold_days=3)
FRIEND = Rule(to="friend", amount=50, hold_days=3)
CHATS = frozenset({"telegram", "wechat", "webchat"})


def found(plan: Plan, event: str = "retained", platforms: frozenset[str] = CHATS, **more: bool) -> set[str]:
    return {f"{finding.severity} {finding.code}" for finding in check(plan, event, platforms, **more)}


def test_a_reward_for_staying_is_fine() -> None:
    assert found(Plan(rules=(ADVOCATE, FRIEND), budget=150)) == set()


def test_a_budget_below_one_reward_is_refused() -> None:
    assert found(Plan(rules=(ADVOCATE, FRIEND), budget=149)) == {"refuse budget_below_one"}
    assert found(Plan()) == set()


def test_a_side_is_paid_by_one_rule() -> None:
    assert found(Plan(rules=(ADVOCATE, ADVOCATE), budget=1000)) == {"refuse side_twice"}


def test_a_bare_join_asks_for_retention_a_cap_and_a_hold() -> None:
    at_once = Rule(to="friend", amount=50)
    assert found(Plan(rules=(ADVOCATE, at_once), budget=1000), "joined") == {
        "warn bare_join",
        "warn join_without_cap",
        "warn join_without_hold",
    }
    assert found(Plan(rules=(ADVOCATE, FRIEND), budget=1000, cap=5), "joined") == {"warn bare_join"}
    assert found(Plan(), "joined") == set()


def test_discord_forbids_rewards_for_a_bare_join() -> None:
    plan = Plan(rules=(ADVOCATE, FRIEND), budget=1000, cap=5)
    everywhere = CHATS | {"discord"}
    assert "refuse discord_join" in found(plan, "joined", everywhere)
    assert "refuse discord_join" not in found(plan, "joined", everywhere, joins_allowed=True)
    assert found(plan, "retained", everywhere) == set()


PERCENT = {"to": "advocate", "on": "purchased", "asset": "CNY", "basis_points": 500, "hold_days": 15}
TIERS = {
    "to": "advocate",
    "tiers": {"mode": "marginal", "steps": [{"from": 1, "amount": 10}, {"from": 3, "amount": 20}]},
}
YUAN = {"budgets": {"CNY": 1000}}


def steps(mode: str, *pairs: tuple[int, int]) -> dict[str, object]:
    return {"mode": mode, "steps": [{"from": start, "amount": amount} for start, amount in pairs]}


@pytest.mark.parametrize(
    ("rule", "more", "said"),
    [
        (PERCENT, YUAN, None),
        (TIERS, {"cap": 10}, None),
        ({"to": "advocate"}, {}, "refuse worth_unclear rewards.rules.0"),
        ({"to": "advocate", "amount": 1, "basis_points": 1}, {}, "refuse worth_unclear rewards.rules.0"),
        (TIERS | {"amount": 1}, {"cap": 10}, "refuse worth_unclear rewards.rules.0"),
        (PERCENT | {"asset": "PTS"}, {}, "refuse percent_of_no_money rewards.rules.0.basis_points"),
        (PERCENT | {"on": None}, YUAN, "refuse percent_without_order rewards.rules.0.basis_points"),
        (PERCENT | {"hold_days": 2}, YUAN, "warn percent_without_hold rewards.rules.0.hold_days"),
        (PERCENT, {"payout": {"provider": "telegram_gift"}} | YUAN, "refuse not_carried payout.provider"),
        (PERCENT, {}, "refuse budget_below_one rewards.budgets.CNY"),
        (TIERS, {"cap": 10, **YUAN}, "warn budget_unused rewards.budgets.CNY"),
        (TIERS, {"cap": 10, "budgets": {"PTS": 5}}, "refuse budget_twice rewards.budgets.PTS"),
        (TIERS, {}, "warn tiers_without_cap rewards.rules.0.tiers.steps"),
        (TIERS, {"cap": 2}, "warn step_beyond_cap rewards.rules.0.tiers.steps"),
        (TIERS | {"to": "friend"}, {"cap": 10}, "refuse schedule_side rewards.rules.0.to"),
        (
            {"to": "advocate", "tiers": steps("marginal", (3, 10), (1, 20))},
            {"cap": 10},
            "refuse steps_unordered rewards.rules.0.tiers.steps",
        ),
        (
            {"to": "advocate", "tiers": steps("cumulative", (1, 20), (3, 10))},
            {"cap": 10},
            "refuse steps_fall rewards.rules.0.tiers.steps",
        ),
        (
            {"to": "advocate", "milestones": [{"reach": 5, "amount": 1}, {"reach": 5, "amount": 1}]},
            {},
            "refuse steps_unordered rewards.rules.0.milestones",
        ),
        (
            {"to": "advocate", "tiers": steps("marginal", (1, 1), (2, 2**53 - 1))},
            {"cap": 9},
            "refuse schedule_too_large rewards.rules.0.tiers.steps",
        ),
        ({"to": "advocate", "amount": 5, "caps": {"day": 4}}, {}, "refuse cap_below_one rewards.rules.0.caps.day"),
        ({"to": "friend", "on": "retained", "amount": 5}, {}, None),
        ({"to": "friend", "amount": 5, "when": "order.net > 5"}, {}, "warn order_without_order rewards.rules.0.when"),
        (
            {"to": "friend", "amount": 5, "why": {"en": "x", "zh_Hans": "x"}},
            {},
            "refuse why_without_when rewards.rules.0.why",
        ),
        (
            {"to": "friend", "amount": 5, "risky_hold_days": 5},
            {},
            "refuse risky_unknown rewards.rules.0.risky_hold_days",
        ),
        (
            {"to": "friend", "amount": 5, "hold_days": 9, "risky_hold_days": 5},
            {"risky": "friend.accounts > 3"},
            "refuse risky_hold_shorter rewards.rules.0.risky_hold_days",
        ),
    ],
)
def test_what_is_said_of_a_rule(rule: dict[str, object], more: dict[str, object], said: str | None) -> None:
    plan = Plan.model_validate({"budget": 1000, "rules": [rule]} | more)
    findings = check(plan, "retained", CHATS)
    for finding in findings:
        for locale in i18n.LOCALES:
            assert not explain_finding(finding, locale).endswith(finding.code)
    told = [f"{finding.severity} {finding.code} {finding.where}" for finding in findings]
    assert (said in told) if said else told == []


def test_an_event_that_never_comes_is_refused() -> None:
    plan = Plan.model_validate({"budget": 5, "rules": [{"to": "friend", "amount": 5, "on": "retained"}]})
    assert found(plan, "purchased") == {"refuse event_never"}


def test_rules_are_named_by_their_side_and_told_apart_by_their_names() -> None:
    plan = Plan.model_validate({"rules": [{"to": "friend", "amount": 1}, PERCENT, PERCENT | {"on": None}]})
    assert [rule.name for rule in plan.rules] == ["friend", "advocate", "advocate-2"]
    twice = Plan.model_validate({"budget": 9, "rules": [{"to": "friend", "amount": 1, "name": name} for name in "aa"]})
    assert found(twice) == {"refuse name_twice"}
    named = Plan.model_validate({"budget": 9, "rules": [{"to": "friend", "amount": 1, "name": name} for name in "ab"]})
    assert found(named) == set()


def test_a_plan_comes_back_from_its_document_as_it_was() -> None:
    whole = Plan.model_validate(
        {
            "asset": "CNY",
            "budget": 10_000,
            "budgets": {"item:mug": 3},
            "cap": 7,
            "risky": "friend.accounts > 3",
            "rules": [
                PERCENT | {"when": "order.first", "why": {"en": "first", "zh_Hans": "首单"}, "caps": {"week": 9}},
                TIERS | {"risky_hold_days": 9},
                {"to": "friend", "asset": "item:mug", "amount": 1},
            ],
            "payout": {"provider": "wechatpay", "minimum": 100, "fee": 1, "day_limit": 5},
        }
    )
    assert Plan.model_validate(json.loads(json.dumps(whole.model_dump(mode="json")))) == whole


@pytest.mark.parametrize(
    "bad",
    [
        {"rules": ({"to": "advocate_of_advocate", "amount": 1},)},
        {"rules": ({"to": "advocate", "amount": 0},)},
        {"rules": ({"to": "advocate", "amount": "5"},)},
        {"rules": ({"to": "advocate", "amount": 1, "hold_days": HOLD_DAYS_MAX + 1},)},
        {"asset": "XXY"},
        {"asset": "item:"},
        {"levels": 2},
        {"cap": 0},
        {"budget": -1},
        {"budget": 2**53},
        {"budgets": {"CNY": 0}},
        {"budgets": {"YEN": 5}},
        {"rules": ({"to": "advocate", "basis_points": 10_001},)},
        {"rules": ({"to": "advocate", "basis_points": 5, "rounding": "up"},)},
        {"rules": ({"to": "advocate", "amount": 5, "when": " "},)},
        {"rules": ({"to": "advocate", "amount": 5, "name": "Two words"},)},
        {"rules": ({"to": "advocate", "amount": 5, "caps": {"month": 5}},)},
        {"rules": ({"to": "advocate", "amount": 5, "on": "clicked"},)},
        {"rules": ({"to": "advocate", "tiers": {"mode": "marginal", "steps": []}},)},
        {"rules": ({"to": "advocate", "amount": 5, "when": "true", "why": {"en": "only"}},)},
        {"payout": {"provider": "cash"}},
        {"payout": {"fee_basis_points": 10_000}},
    ],
)
def test_what_no_plan_may_say(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate(bad)
