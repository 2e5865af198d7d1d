"""Shares sum to the whole, money to the cent, nobody gains by a second account, and refunds take from everybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import permutations
from math import factorial
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.money import LARGEST
from referral.attribution.policy import MODELS, SPLITS, Policy, Seen, Share, by_advocate, credit
from referral.attribution.split import WHOLE, Model, airport, apportion, parts_of, weights

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
ANN, BEN, CID, DOT = (UUID(int=number) for number in range(1, 5))
quick = settings(max_examples=150, deadline=None)
minutes = st.integers(0, 45 * 24 * 60)
stories = st.lists(st.tuples(minutes, st.sampled_from([ANN, BEN, CID])), max_size=12)
policies = st.builds(
    Policy,
    st.sampled_from([*MODELS, *SPLITS[1:]]),
    st.integers(1, 40).map(lambda days: timedelta(days=days)),
    st.integers(0, 20).map(lambda days: timedelta(days=days)),
    st.sampled_from(["code", "link"]),
    st.integers(1, 30).map(lambda days: timedelta(days=days)),
)


def touches(story: list[tuple[int, UUID]]) -> list[Seen]:
    """The story's touches; each at its minute."""
    return [Seen(UUID(int=100 + n), who, BEGIN + timedelta(minutes=at)) for n, (at, who) in enumerate(story)]


@quick
@given(policies, stories, minutes, st.none() | st.sampled_from([ANN, BEN, CID, DOT]))
def test_an_order_is_credited_whole_or_not_at_all(
    policy: Policy, story: list[tuple[int, UUID]], at: int, code: UUID | None
) -> None:
    moment = BEGIN + timedelta(minutes=at)
    till = Seen(UUID(int=99), code, moment) if code else None
    found = credit(policy, touches(story), moment, till)
    assert sum(one.share for one in found.shares) == (WHOLE if found.shares else 0)
    assert all(one.share > 0 for one in found.shares)
    assert policy.splits or len(found.shares) <= 1
    valid = {one.id: one for one in [*touches(story), *([till] if till else [])]}
    for one in found.shares:
        seen = valid[one.touch_id]
        assert seen.advocate_id == one.advocate_id
        assert seen.at <= moment < seen.at + policy.validity


@quick
@given(
    policies,
    stories,
    minutes,
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.integers(0, 10**6),
    st.none() | st.sampled_from([ANN, BEN]),
)
def test_a_second_account_never_gains(
    policy: Policy, story: list[tuple[int, UUID]], at: int, other: list[bool], total: int, code: UUID | None
) -> None:
    """Ann makes the same touches, some of them from a second account, Dot's, that nobody has linked to hers; so she may
    have given that account's code to whoever types one at the till."""
    moment = BEGIN + timedelta(minutes=at)
    mine = touches(story)
    spread = [
        Seen(one.id, DOT if one.advocate_id == ANN and other[n] else one.advocate_id, one.at)
        for n, one in enumerate(mine)
    ]
    till = Seen(UUID(int=99), code, moment) if code else None
    dots = Seen(UUID(int=99), DOT, moment) if code == ANN and other[-1] else till
    honest, split = credit(policy, mine, moment, till).shares, credit(policy, spread, moment, dots).shares
    assert _of(split, total, ANN, DOT) <= _of(honest, total, ANN)
    if policy.model != "binding":
        assert _of(split, total, ANN, DOT) == _of(honest, total, ANN), "nor does it lose: touches are what counts"


def _of(shares: tuple[Share, ...], total: int, *whose: UUID) -> int:
    parts = parts_of(total, [(one.advocate_id, one.share) for one in shares])
    return sum(parts.get(who, 0) for who in whose)


@quick
@given(st.integers(0, LARGEST), st.lists(st.integers(0, WHOLE), min_size=1, max_size=64))
def test_parts_sum_to_the_whole_and_are_next_to_what_is_due(total: int, among: list[int]) -> None:
    parts = apportion(total, among)
    weight = sum(among)
    assert sum(parts) == (total if weight else 0)
    assert all(part >= 0 for part in parts)
    for part, one in zip(parts, among, strict=True):
        due = Fraction(total * one, weight) if weight else Fraction(0)
        assert 2 * abs(part - due) < max(2, len(among)), "Webster stays near the quota"


@quick
@given(st.integers(0, 500), st.integers(0, 500), st.lists(st.integers(0, 50), min_size=1, max_size=9))
def test_when_less_is_left_nobody_has_more(one: int, other: int, among: list[int]) -> None:
    less, more = sorted((one, other))
    assert all(a <= b for a, b in zip(apportion(less, among), apportion(more, among), strict=True))


def test_largest_remainders_would_make_somebody_richer_by_a_refund() -> None:
    """Why they are not used: the Alabama paradox, with three advocates and an order of 11 that becomes one of 10."""

    def largest_remainders(total: int, among: list[int]) -> list[int]:
        due = [Fraction(total * one, sum(among)) for one in among]
        parts = [int(one) for one in due]
        for index in sorted(range(len(due)), key=lambda i: -(due[i] - parts[i]))[: total - sum(parts)]:
            parts[index] += 1
        return parts

    shares = [6, 6, 2]
    assert (largest_remainders(11, shares), largest_remainders(10, shares)) == ([5, 5, 1], [4, 4, 2])
    assert (apportion(11, shares), apportion(10, shares)) == ([5, 5, 1], [5, 4, 1])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=6))
def test_shapley_values_are_those_of_the_definition(strengths: list[int]) -> None:
    """The mean over all orders in which touches may arrive of what each adds to the strongest so far."""
    number = len(strengths)
    added = [0] * number
    for order in permutations(range(number)):
        best = 0
        for index in order:
            added[index] += max(0, strengths[index] - best)
            best = max(best, strengths[index])
    found = airport(strengths)
    scale = Fraction(sum(found), max(strengths)) if max(strengths) else Fraction(0)
    assert [Fraction(one) for one in found] == [Fraction(one, factorial(number)) * scale for one in added]


@pytest.mark.parametrize("model", get_args(Model))
def test_one_touch_has_it_all(model: Model) -> None:
    assert apportion(WHOLE, weights(model, [BEGIN], timedelta(days=7))) == [WHOLE]


def test_an_equal_part_for_each_advocate_would_pay_for_a_second_account() -> None:
    """Why credit goes by touches: by heads, Ann with two accounts would have two thirds instead of a half."""
    by_heads = {1: Fraction(1, 2), 2: Fraction(2, 3)}
    assert by_heads[2] > by_heads[1]
    day = timedelta(days=1)
    policy = Policy("linear", 30 * day, 30 * day, "code", 7 * day)
    story = [
        Seen(UUID(int=1), ANN, BEGIN),
        Seen(UUID(int=2), BEN, BEGIN + day),
        Seen(UUID(int=3), ANN, BEGIN + 2 * day),
    ]
    whole = by_advocate(credit(policy, story, BEGIN + 3 * day).shares)
    story[2] = Seen(UUID(int=2), DOT, BEGIN + 2 * day)
    split = by_advocate(credit(policy, story, BEGIN + 3 * day).shares)
    assert whole[ANN] == split[ANN] + split[DOT]
