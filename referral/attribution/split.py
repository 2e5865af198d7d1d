"""Sharing the credit of an order among its touches, exactly and blind to who made them.

Every model gives weights to *touches*, by their place and moment alone; an advocate has what their touches have. So
whoever spreads their touches over two accounts has together what one account would have had: no model can be gained
from by splitting (tests/referral/attribution/test_split.py proves it for each). What would tell accounts apart, such as
an equal part for each advocate or Shapley values of a game among advocates, pays for second accounts and is not offered
(Aziz, Bachrach, Elkind and Paterson 2011, "False-name manipulations in weighted voting games").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from math import exp2, lcm
from typing import Literal, TypeVar

Model = Literal["linear", "position", "time_decay", "shapley"]
Name = TypeVar("Name")

WHOLE = 1_000_000
"""Shares are in millionths of an order."""
OCCASION = timedelta(hours=1)
"""Of the touches in one clock hour (UTC) the last counts: clicking on and on gains nothing."""
_FINE = 2**40


def weights(model: Model, moments: Sequence[datetime], half_life: timedelta) -> list[int]:
    """What each touch weighs, in the order of time; only their proportions mean anything.

    `linear`: all the same. `position`: the first and the last have 40 % each, those between share 20 % (of two touches
    each has a half). `time_decay`: halved for every `half_life` before the last touch. `shapley`: see `airport`.
    """
    if model == "linear":
        return [1] * len(moments)
    if model == "position":
        return _by_position(len(moments))
    last = max(moments)
    strengths = [round(_FINE * exp2((moment - last) / half_life)) for moment in moments]
    return strengths if model == "time_decay" else airport(strengths)


def _by_position(number: int) -> list[int]:
    between = number - 2
    return [1] * number if between < 1 else [2 * between, *[1] * between, 2 * between]


def airport(strengths: Sequence[int]) -> list[int]:
    """The Shapley values, times a common factor, of the game whose players are touches and where a set of touches is
    worth its strongest: `v(S) = max(strength of S)`.

    Touches stand in for each other: any of them might have brought the friend, the fresher the more surely. What all
    have is shared by all, what only the fresher ones have on top by those. Exact for any number of players (Littlechild
    and Owen 1973, "A simple expression for the Shapley value in a special case").
    """
    number = len(strengths)
    common = lcm(*range(1, number + 1)) if number else 1
    ranked = sorted(range(number), key=lambda index: strengths[index])
    values, so_far, before = [0] * number, 0, 0
    for rank, index in enumerate(ranked):
        so_far += (strengths[index] - before) * (common // (number - rank))
        before = strengths[index]
        values[index] = so_far
    return values


def millionths(weighed: Sequence[int]) -> list[int]:
    """The share of each weight, by largest remainders, at a tie the earlier first: each is the exact one, cut or
    rounded up, and all sum to `WHOLE`."""
    weight = sum(weighed)
    parts = [WHOLE * one // weight for one in weighed]
    by_rest = sorted(range(len(weighed)), key=lambda index: (-(WHOLE * weighed[index] % weight), index))
    for index in by_rest[: WHOLE - sum(parts)]:
        parts[index] += 1
    return parts


def apportion(total: int, among: Sequence[int]) -> list[int]:
    """Whole parts of an amount, in minor units, in proportion to these weights; they sum to it exactly.

    By Webster's method (Sainte-Laguë), at a tie the earlier first. Unlike with largest remainders, nobody's part ever
    grows when the total shrinks (Balinski and Young 1982, "Fair Representation"): a refund takes from each, or leaves
    them be.
    """
    weight = sum(among)
    if weight <= 0 or total <= 0:
        return [0] * len(among)
    parts = [(2 * total * one + weight) // (2 * weight) for one in among]
    indices = [index for index, one in enumerate(among) if one]
    while sum(parts) < total:
        parts[min(indices, key=lambda i: (-Fraction(among[i], 2 * parts[i] + 1), i))] += 1
    while sum(parts) > total:
        held = [index for index in indices if parts[index]]
        parts[max(held, key=lambda i: (-Fraction(among[i], 2 * parts[i] - 1), i))] -= 1
    return parts


def parts_of(total: int, shares: Iterable[tuple[Name, int]]) -> dict[Name, int]:
    """What each has of `total`, in minor units, by their shares touch by touch; sums to it exactly."""
    given = list(shares)
    found: dict[Name, int] = {}
    for (name, _), part in zip(given, apportion(total, [share for _, share in given]), strict=True):
        found[name] = found.get(name, 0) + part
    return found
