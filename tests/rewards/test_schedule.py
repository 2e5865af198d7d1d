"""What a number of friends is worth: tables of tiers and milestones, and the rounding of percentages."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import LARGEST
from rewards.plans import Milestone, Rounding, Rule, Step, Tiers
from rewards.schedule import due, next_reach, percent_of, total

STEPS = (Step(start=1, amount=100), Step(start=4, amount=150), Step(start=6, amount=200))
MARGINAL = Rule(to="advocate", tiers=Tiers(mode="marginal", steps=STEPS))
CUMULATIVE = Rule(to="advocate", tiers=Tiers(mode="cumulative", steps=STEPS))
LATE = Rule(to="advocate", tiers=Tiers(mode="marginal", steps=(Step(start=3, amount=10),)))
MILESTONES = Rule(to="advocate", milestones=(Milestone(reach=2, amount=50), Milestone(reach=5, amount=500)))


@pytest.mark.parametrize(
    ("rule", "totals"),
    [
        (MARGINAL, [0, 100, 200, 300, 450, 600, 800, 1000]),
        (CUMULATIVE, [0, 100, 200, 300, 600, 750, 1200, 1400]),
        (LATE, [0, 0, 0, 10, 20, 30, 40, 50]),
        (MILESTONES, [0, 0, 50, 50, 50, 550, 550, 550]),
    ],
    ids=["marginal", "cumulative", "late", "milestones"],
)
def test_what_so_many_friends_are_worth(rule: Rule, totals: list[int]) -> None:
    assert [total(rule, friends) for friends in range(8)] == totals


def test_a_million_friends_are_reckoned_at_once() -> None:
    assert total(MARGINAL, 1_000_000) == 3 * 100 + 2 * 150 + 999_995 * 200


@pytest.mark.parametrize(
    ("friends", "live", "owed"),
    [
        (4, 300, 150),  # the usual case: the fourth friend
        (4, 200, 250),  # one of the first three was taken back and comes again
        (3, 450, 0),  # more lives than three are worth: nothing, and never less than nothing
    ],
)
def test_a_friend_brings_what_is_missing(friends: int, live: int, owed: int) -> None:
    assert due(MARGINAL, friends, live) == owed


def test_the_next_step_is_known() -> None:
    assert [next_reach(MILESTONES, friends) for friends in (0, 1, 2, 4, 5)] == [2, 2, 5, 5, None]
    assert [next_reach(MARGINAL, friends) for friends in (0, 3, 6)] == [1, 4, None]


step_lists = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 1000)), min_size=1, max_size=6, unique_by=lambda pair: pair[0]
).map(sorted)


@given(step_lists, st.sampled_from(["marginal", "cumulative"]), st.integers(0, 60))
def test_more_friends_are_never_worth_less(steps: list[tuple[int, int]], mode: str, friends: int) -> None:
    amounts = sorted(amount for _, amount in steps)
    rising = tuple(Step(start=start, amount=amount) for (start, _), amount in zip(steps, amounts, strict=True))
    rule = Rule(to="advocate", tiers=Tiers.model_validate({"mode": mode, "steps": rising}))
    assert total(rule, friends) <= total(rule, friends + 1)


@given(step_lists, st.integers(0, 60))
def test_marginal_steps_are_the_sum_of_each_friends_step(steps: list[tuple[int, int]], friends: int) -> None:
    rule = Rule(
        to="advocate", tiers=Tiers(mode="marginal", steps=tuple(Step(start=s, amount=amount) for s, amount in steps))
    )
    one_by_one = sum(
        next((amount for start, amount in reversed(steps) if start <= number), 0) for number in range(1, friends + 1)
    )
    assert total(rule, friends) == one_by_one


@pytest.mark.parametrize(
    ("net", "basis_points", "rounding", "amount"),
    [
        (1999, 500, "down", 99),
        (1999, 500, "half_up", 100),
        (1990, 500, "half_up", 100),
        (1990, 500, "half_even", 100),
        (2010, 500, "half_even", 100),
        (2030, 500, "half_even", 102),
        (1, 1, "down", 0),
        (LARGEST, 10_000, "half_up", LARGEST),
    ],
)
def test_a_percentage_is_rounded_as_said(net: int, basis_points: int, rounding: Rounding, amount: int) -> None:
    assert percent_of(net, basis_points, rounding) == amount


@given(st.integers(0, LARGEST), st.integers(1, 10_000))
def test_the_rounding_is_that_of_the_decimal_module(net: int, basis_points: int) -> None:
    exact = Decimal(net) * basis_points / 10_000
    modes: dict[Rounding, str] = {"down": ROUND_DOWN, "half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}
    for rounding, mode in modes.items():
        assert percent_of(net, basis_points, rounding) == int(exact.quantize(Decimal(1), rounding=mode))
