"""What a plan can cost at most, what it would have cost before, and what each further friend brings."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, ids
from core.money import LARGEST
from referral.campaigns import Campaign, move
from referral.conversions import Conversion
from rewards.cost_bound import cost_bound
from rewards.forecast import Frame, Orders, expected_cost, simulate
from rewards.plans import Plan, Rule
from rewards.rewards import Reward
from tests.house import House, later
from tests.rewards.shop import BOTH, Shop, open_shop

SPRING = Frame("retained", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
TEN, TWENTY = {"from": 1, "amount": 10}, {"from": 3, "amount": 20}


def plan(*rules: dict[str, Any], **more: Any) -> Plan:
    return Plan.model_validate({"budget": 1_000_000, "rules": rules} | more)


def amounts(found: Plan, friends: int, frame: Frame = SPRING, **more: Any) -> list[int]:
    """What the advocate gets for each friend."""
    return [
        sum(line.amount for line in step.lines if line.reason is None and line.rule.to == "advocate")
        for step in simulate(found, frame, friends, **more)
    ]


@pytest.mark.parametrize(
    ("worth", "expected"),
    [
        ({"amount": 100}, [100, 100, 100, 100]),
        ({"tiers": {"mode": "marginal", "steps": [TEN, TWENTY]}}, [10, 10, 20, 20]),
        ({"tiers": {"mode": "cumulative", "steps": [TEN, TWENTY]}}, [10, 10, 40, 20]),
        ({"milestones": [{"reach": 2, "amount": 50}, {"reach": 4, "amount": 70}]}, [0, 50, 0, 70]),
    ],
)
def test_each_friend_brings_what_the_rule_says(worth: dict[str, Any], expected: list[int]) -> None:
    found = plan({"to": "advocate"} | worth)
    assert amounts(found, 4) == expected
    assert simulate(found, SPRING, 4)[-1].total == {("advocate", "PTS"): sum(expected)}


def test_both_sides_stand_in_one_line_and_add_up() -> None:
    steps = simulate(plan({"to": "advocate", "amount": 100}, {"to": "friend", "amount": 50}), SPRING, 3)
    assert [step.friend for step in steps] == [1, 2, 3]
    assert steps[2].total == {("advocate", "PTS"): 300, ("friend", "PTS"): 150}


def test_caps_and_the_budget_stop_it() -> None:
    both = ({"to": "advocate", "amount": 100}, {"to": "friend", "amount": 50})
    assert amounts(plan(*both, cap=2), 3) == [100, 100, 0]
    steps = simulate(plan(*both, budget=310), SPRING, 3)
    assert {line.reason for line in steps[2].lines} == {"budget_empty"}
    assert steps[2].total == {("advocate", "PTS"): 200, ("friend", "PTS"): 100}
    daily = plan({"to": "advocate", "amount": 100, "caps": {"day": 250}})
    assert amounts(daily, 4, per_day=4) == [100, 100, 0, 0]
    assert amounts(daily, 4) == [100, 100, 100, 100]


def test_a_percentage_is_of_the_orders_that_are_given() -> None:
    percent = {"to": "advocate", "on": "purchased", "asset": "CNY", "basis_points": 250, "rounding": "half_up"}
    found = plan(percent, {"to": "friend", "amount": 5}, budgets={"CNY": 1_000_000})
    assert amounts(found, 2) == [0, 0]
    assert amounts(found, 2, orders=Orders(9_980, 2)) == [500, 500]  # 249.5 each, half up
    buying = Frame("purchased", SPRING.starts_at, SPRING.ends_at)
    assert amounts(found, 1, buying) == [250]


def test_conditions_are_taken_as_met() -> None:
    assert amounts(plan({"to": "advocate", "amount": 7, "when": "friend.age_days > 300"}), 1) == [7]


def test_a_budget_bounds_what_rules_do_not() -> None:
    bound = cost_bound(plan({"to": "advocate", "amount": 100}), SPRING)
    [asset], [rule] = bound.assets, bound.rules
    assert (asset.most, asset.rules) == (1_000_000, None)
    assert (rule.friend, rule.advocate, rule.campaign) == (100, None, None)
    assert rule.open == ("any_friends", "any_advocates")


def test_what_leaves_a_rule_open_is_named() -> None:
    percent = plan(
        {"to": "advocate", "on": "purchased", "asset": "CNY", "basis_points": 100}, cap=5, budgets={"CNY": 9}
    )
    assert cost_bound(percent, SPRING).rules[0].open == ("any_order", "any_orders", "any_advocates")
    with_limits = cost_bound(percent, SPRING, advocates=3, largest_order=10_000)
    assert with_limits.rules[0].open == ("any_orders",)
    assert [(one.asset, one.most) for one in with_limits.assets] == [("PTS", 0), ("CNY", 9)]


def test_rules_may_stop_before_the_budget() -> None:
    bound = cost_bound(
        plan({"to": "advocate", "amount": 100}, {"to": "friend", "amount": 50}, cap=4), SPRING, advocates=5
    )
    assert bound.assets[0].most == 4 * 150 * 5
    milestones = cost_bound(plan({"to": "advocate", "milestones": [{"reach": 5, "amount": 70}]}), SPRING, advocates=2)
    assert milestones.assets[0].most == 140
    weekly = cost_bound(plan({"to": "advocate", "amount": 100, "caps": {"week": 300}}), SPRING)
    assert weekly.rules[0].campaign == 300 * 6


def rules() -> st.SearchStrategy[dict[str, Any]]:
    """Rules of every worth, with and without limits."""
    amount = st.integers(1, 500)
    steps = st.lists(amount, min_size=1, max_size=3).map(
        lambda found: [{"from": 1 + 2 * place, "amount": one} for place, one in enumerate(sorted(found))]
    )
    tiers = st.builds(
        lambda mode, found: {"mode": mode, "steps": found}, st.sampled_from(["marginal", "cumulative"]), steps
    )
    milestones = st.lists(amount, min_size=1, max_size=3).map(
        lambda found: [{"reach": 2 * place + 1, "amount": one} for place, one in enumerate(found)]
    )
    caps = st.fixed_dictionaries(
        {}, optional={name: st.integers(1, 2000) for name in ("friend", "advocate", "day", "week", "campaign")}
    )
    fixed = {"amount": amount, "to": st.sampled_from(["advocate", "friend", "admin"]), "caps": caps}
    return st.one_of(
        st.fixed_dictionaries(fixed, optional={"on": st.sampled_from(["joined", "purchased"])}),
        st.fixed_dictionaries({"to": st.just("advocate"), "tiers": tiers, "caps": caps}),
        st.fixed_dictionaries({"to": st.just("advocate"), "milestones": milestones, "caps": caps}),
        st.fixed_dictionaries(
            {
                "to": st.sampled_from(["advocate", "friend"]),
                "on": st.just("purchased"),
                "asset": st.just("CNY"),
                "basis_points": st.integers(1, 10_000),
                "rounding": st.sampled_from(["down", "half_up", "half_even"]),
                "caps": caps,
            }
        ),
    )


@settings(max_examples=60, deadline=None)
@given(
    given_rules=st.lists(rules(), min_size=1, max_size=4),
    cap=st.none() | st.integers(1, 8),
    budget=st.integers(1, 5_000),
    net=st.integers(0, 5_000),
    per_day=st.integers(1, 12),
)
def test_nothing_that_can_happen_costs_more_than_the_bound(
    given_rules: list[dict[str, Any]], cap: int | None, budget: int, net: int, per_day: int
) -> None:
    found = plan(*given_rules, cap=cap, budget=budget, budgets={"CNY": budget})
    bound = cost_bound(found, SPRING, advocates=1, largest_order=net)
    steps = simulate(found, SPRING, 12, orders=Orders(net, 2), per_day=per_day)
    spent: dict[str, int] = defaultdict(int)
    by_rule: dict[str, int] = defaultdict(int)
    by_friend: dict[tuple[str, int], int] = defaultdict(int)
    for step in steps:
        for line in step.lines:
            if line.reason is None:
                spent[found.asset_of(line.rule)] += line.amount
                by_rule[line.rule.name] += line.amount
                by_friend[(line.rule.name, step.friend)] += line.amount
    for asset in bound.assets:
        assert spent[asset.asset] <= asset.most
    for rule in bound.rules:
        for most, real in (
            (rule.advocate, by_rule[rule.rule]),
            (rule.campaign, by_rule[rule.rule]),
            (rule.friend, max((amount for (name, _), amount in by_friend.items() if name == rule.rule), default=0)),
        ):
            assert most is None or real <= most
        assert (rule.campaign is None) == bool(rule.open)


def test_the_largest_figures_stay_exact() -> None:
    found = plan({"to": "advocate", "amount": LARGEST}, cap=1_000_000, budget=LARGEST)
    assert cost_bound(found, SPRING, advocates=1_000_000).assets[0].most == LARGEST


def ended(shop: Shop) -> None:
    """The shop's campaign is over."""
    key = (shop.brand.id, shop.campaign.id)
    shop.house.do(lambda session: move(session, session.get_one(Campaign, key), "end"))


def granted(shop: Shop) -> int:
    """What the campaign's living rewards are worth."""

    def read(session: Session) -> int:
        rows = session.scalars(select(Reward).where(col(Reward.state).in_(("held", "payable")))).all()
        return sum(row.amount - row.taken_back for row in rows)

    return shop.house.ask(read)


def expect(shop: Shop, found: Plan, days: int) -> Any:
    now = clock.now()
    frame = Frame("retained", now, now + timedelta(days=days))
    return shop.house.ask(lambda session: expected_cost(session, shop.brand.id, found, frame))


def test_without_a_past_there_is_no_expectation(house: House) -> None:
    shop = open_shop(house)
    assert expect(shop, BOTH, 30).cost is None
    shop.brings("Bob")
    with later(days=7):
        shop.stays()
        assert expect(shop, BOTH, 30).cost is None  # it runs for a week only
        ended(shop)
        assert expect(shop, BOTH, 30).cost is not None


def test_the_same_plan_on_the_same_campaign_costs_what_it_did(house: House) -> None:
    shop = open_shop(house)
    for name in ("Bob", "Carol", "Dan"):
        shop.brings(name)
    with later(days=7):
        assert shop.stays() == 3
        shop.leaves("Dan")  # and is taken back
        ended(shop)
        found = expect(shop, BOTH, 9)  # a begun day counts whole
    [sample] = found.samples
    assert granted(shop) == 300
    assert sample.cost == {"PTS": 300}
    assert (sample.slug, sample.days, sample.advocates, sample.friends, sample.orders) == ("spring", 9, 1, 2, 0)
    assert found.cost == {"PTS": 300}
    assert expect(shop, BOTH, 3).cost == {"PTS": 100}
    assert expect(shop, BOTH.model_copy(update={"budget": 200}), 80).cost == {"PTS": 200}
    assert expect(shop, BOTH.model_copy(update={"cap": 1}), 8).samples[0].refused == 1


def test_a_campaign_that_still_runs_counts_so_far(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    with later(days=7):
        shop.stays()
    with later(days=14):
        found = expect(shop, BOTH, 160)
    [sample] = found.samples
    assert (sample.running, sample.days, sample.cost) == (True, 16, {"PTS": 150})
    assert found.cost == {"PTS": 1000}  # ten times as long: 1,500, and the budget stops it


def test_orders_of_the_past_are_paid_by_their_net_less_refunds(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")

    def buy(session: Session, net: int, refunded: int, referral: UUID) -> None:
        session.add(
            Conversion(
                brand_id=shop.brand.id,
                source="store",
                external_id=str(ids.new()),
                member_id=bob,
                referral_id=referral,
                campaign_id=shop.campaign.id,
                currency="CNY",
                gross=net,
                net=net,
                refunded=refunded,
                status="attributed",
                ordered_at=clock.now(),
                received_at=clock.now(),
            )
        )

    with later(days=7):
        shop.stays()
        referral = shop.rewards(bob)[0].referral_id
        assert referral is not None
        for net, refunded in ((10_000, 0), (10_000, 4_000), (5_000, 5_000)):
            house.do(partial(buy, net=net, refunded=refunded, referral=referral))
        ended(shop)
        percent = Rule(to="advocate", on="purchased", asset="CNY", basis_points=500, when="order.net > 1")
        found = expect(shop, Plan(rules=(percent,), budget=0, budgets={"CNY": 100_000}), 8)
    assert found.samples[0].orders == 2
    assert found.samples[0].cost == {"CNY": 500 + 300}
    assert found.assumed == ("advocate",)
