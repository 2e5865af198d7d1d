"""How sure a figure is: intervals against published tables, and how few carry how much."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral.insight.statistics import concentration, of_count, of_ratio, share, wilson


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Newcombe, “Two-sided confidence intervals for the single proportion”, Statistics in Medicine 17 (1998), table I
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_the_one_in_the_tables(part: int, whole: int, low: float, high: float) -> None:
    found = wilson(part, whole)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("number", "low", "high"),
    # The exact limits of a Poisson count (Garwood 1936); Byar's approximation is within a hundredth of them from ten on
    [(10, 4.7954, 18.3904), (20, 12.2165, 30.8884), (50, 37.1110, 65.9183), (100, 81.3639, 121.6276)],
)
def test_the_interval_of_a_count_is_near_the_exact_one(number: int, low: float, high: float) -> None:
    found = of_count(number)
    assert found.low == pytest.approx(low, rel=0.01)
    assert found.high == pytest.approx(high, rel=0.01)


def test_of_nothing_nothing_is_claimed() -> None:
    assert share(0, 0) is None
    assert wilson(0, 0) is None
    assert wilson(3, 2) is None  # the next step of a funnel may be larger: somebody bought who never joined
    assert of_count(0).low == 0
    assert of_ratio([(1.0, 1.0)] * 4) is None
    assert of_ratio([(1.0, 0.0)] * 9) is None
    assert concentration([]) is None
    assert concentration([(0, 5), (3, 0)]) is None


def test_a_ratio_that_is_the_same_every_day_is_certain() -> None:
    found = of_ratio([(6.0 * day, 2.0 * day) for day in range(1, 9)])
    assert found is not None
    assert (found.low, found.high) == (3.0, 3.0)


@given(st.integers(1, 10_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_share_lies_in_its_interval(pair: tuple[int, int]) -> None:
    found = wilson(*pair)
    assert found is not None
    assert 0 <= found.low <= pair[0] / pair[1] + 1e-12
    assert pair[0] / pair[1] - 1e-12 <= found.high <= 1


def test_one_who_brings_all_is_the_whole_and_equals_share_it() -> None:
    alone = concentration([(40, 1)])
    assert alone is not None
    assert alone.index == alone.equal == alone.top == 1
    equal = concentration([(2, 50)])
    assert equal is not None
    assert (equal.index, equal.equal, equal.top) == (Fraction(1, 50), Fraction(50), Fraction(1, 5))
    assert not equal.narrow


def test_few_who_carry_most_are_warned_of_but_not_among_a_handful() -> None:
    few = concentration([(100, 2), (1, 40)])
    assert few is not None
    assert few.narrow
    assert few.top == Fraction(208, 240)
    handful = concentration([(10, 1), (1, 3)])
    assert handful is not None
    assert not handful.narrow
    assert handful.early


@pytest.mark.parametrize(
    ("board", "narrow"), [([(40, 1)], True), ([(8, 5)], True), ([(4, 10)], False), ([(4, 11)], False)]
)
def test_one_advocate_with_all_the_friends_is_no_health(board: list[tuple[int, int]], narrow: bool) -> None:
    found = concentration(board)
    assert found is not None
    assert not found.early
    assert found.narrow is narrow
