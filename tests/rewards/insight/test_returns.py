"""What bringing people costs: money, points with a stated worth, outside costs by the day; no currency with another."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from uuid import UUID

import pytest

from core import clock
from core.errors import BadInput
from referral import audit, brands
from referral.insight.figures import Period, Sums
from rewards.insight import costs, returns
from rewards.insight.costs import OutsideCost
from tests.house import House

DAY = date(2026, 11, 5)


def spent(*, day: date = DAY, **amounts: int) -> Sums:
    found = Sums()
    for name, amount in amounts.items():
        what, _, part = name.rpartition("_")
        found.whole[(what, part)] += amount
        found.daily[(what, part, day)] += amount
    return found


def cost(month: date, amount: int, currency: str = "CNY", kind: str = "ads") -> OutsideCost:
    return OutsideCost(
        brand_id=UUID(int=1), month=month, currency=currency, kind=kind, amount=amount, set_by="", set_at=clock.now()
    )


def test_each_currency_stands_alone() -> None:
    found = spent(granted_CNY=9_000, taken_back_CNY=1_000, granted_USD=500)
    found.brought = 4
    whole, unvalued = returns.spending(found, {}, {"EUR": Fraction(300)})
    assert {currency: one.whole for currency, one in whole.items()} == {"CNY": 8_000, "EUR": 300, "USD": 500}
    assert unvalued == []
    assert returns.acquisition(whole["CNY"], found.brought, None).value == 2_000
    assert returns.acquisition(whole["USD"], found.brought, None).change is None


def test_points_count_as_what_the_brand_says_and_are_named_while_it_says_nothing() -> None:
    found = spent(granted_PTS=2_500)
    assert returns.spending(found, {}, {}) == ({}, ["PTS"])
    worth = costs.AssetValue(
        brand_id=UUID(int=1), asset="PTS", currency="CNY", units=100, amount=99, set_by="", set_at=clock.now()
    )
    whole, unvalued = returns.spending(found, {"PTS": worth}, {})
    assert whole["CNY"].valued == 2_475
    assert unvalued == []


def test_nobody_brought_costs_nothing_a_head_and_nothing_spent_returns_nothing() -> None:
    whole, _ = returns.spending(spent(granted_CNY=500), {}, {})
    nobody = returns.acquisition(whole["CNY"], 0, None)
    assert (nobody.value, nobody.interval) == (None, None)
    free, _ = returns.spending(spent(granted_CNY=500, taken_back_CNY=500), {}, {})
    back = returns.returned(spent(revenue_CNY=900), free["CNY"], Period(DAY, DAY))
    assert (back.value, back.revenue) == (None, 900)


def test_what_friends_buy_in_a_currency_nobody_was_paid_in_is_told_too() -> None:
    found = spent(granted_CNY=500, revenue_USD=900)
    whole, _ = returns.spending(found, {}, {})
    told = {one.currency: (one.revenue, one.value) for one in returns.all_returned(found, whole, Period(DAY, DAY))}
    assert told == {"CNY": (0, Fraction(0)), "USD": (900, None)}


def test_a_month_is_spread_over_its_days_and_a_whole_month_is_whole() -> None:
    november, february = cost(date(2026, 11, 1), 30_000), cost(date(2028, 2, 1), 2_900)
    assert costs.spread_costs([november], date(2026, 11, 1), date(2026, 11, 30)) == {"CNY": 30_000}
    assert costs.spread_costs([november], date(2026, 10, 20), date(2026, 11, 3)) == {"CNY": 3_000}
    assert costs.spread_costs([november], date(2026, 12, 1), date(2026, 12, 9)) == {}
    assert costs.spread_costs([february], date(2028, 2, 29), date(2028, 3, 5)) == {"CNY": 100}  # a leap day
    day, days = date(2026, 11, 1), []
    while day.month == 11:
        days.append(costs.spread_costs([november], day, day)["CNY"])
        day += timedelta(days=1)
    assert sum(days) == 30_000


def test_what_is_said_is_kept_changed_taken_away_and_each_time_written_down(house: House) -> None:
    brand_id = house.do(lambda session: brands.create_brand(session, "Mei", slug="mei").id)
    month = date(2026, 11, 1)
    for amount in (500, 700, 0):
        say = partial(costs.set_cost, brand_id=brand_id, actor="user:1", month=month, currency="CNY", kind="ads")
        house.do(partial(say, amount=amount))
        kept = house.ask(lambda session: costs.costs_of(session, brand_id))
        assert [one.amount for one in kept] == ([amount] if amount else [])
    house.do(lambda session: costs.set_value(session, brand_id, "user:1", "PTS", 100, "CNY", 100))
    assert house.ask(lambda session: costs.values_of(session, brand_id))["PTS"].units == 100
    with pytest.raises(BadInput):
        house.do(lambda session: costs.set_value(session, brand_id, "user:1", "gold", 100, "CNY", 100))
    with pytest.raises(BadInput):
        house.do(lambda session: costs.set_cost(session, brand_id, "user:1", month, "PTS", "ads", 5))
    acts = house.ask(lambda session: [entry.act for entry in audit.entries_of(session, brand_id)][::-1])
    assert acts == ["cost.set", "cost.set", "cost.set", "cost.value"]


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "11/2026", "2026-1-1", "２０２６-11x", "9999-12", "0001-01", "9" * 99]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        costs.read_month(text)
