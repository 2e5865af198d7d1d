"""What the plan check refuses and what it warns of, before anybody is promised anything."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rewards.plan_check import check
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
    ],
)
def test_what_no_plan_may_say(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate(bad)
