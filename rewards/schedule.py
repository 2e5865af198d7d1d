"""What friends are worth by their number: tiers and milestones as one pure function of how many friends count.

The `k`-th friend's reward is what `k` friends are worth in all less what was granted for the earlier ones and not
taken back. So the sum that lives never exceeds `total(count)`, whatever is taken back in between and in which order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rewards.plans import WHOLE, Rounding, Rule, Step, Tiers


def total(rule: Rule, friends: int) -> int:
    """What this many counted friends are worth in all by a rule of tiers or milestones, in minor units.

    Never falls as friends are added: tiers that would are refused by the plan check.
    """
    if rule.tiers is not None:
        return _of_tiers(rule.tiers, friends)
    return sum(milestone.amount for milestone in rule.milestones if milestone.reach <= friends)


def due(rule: Rule, friends: int, live: int) -> int:
    """What the friend who makes it `friends` brings, when `live` was granted so far and not taken back."""
    return max(0, total(rule, friends) - live)


def next_reach(rule: Rule, friends: int) -> int | None:
    """The friend's number at which the rule pays next or pays another amount, after this many; None: nothing more."""
    starts = [step.start for step in rule.tiers.steps] if rule.tiers else [one.reach for one in rule.milestones]
    return min((start for start in starts if start > friends), default=None)


def _of_tiers(tiers: Tiers, friends: int) -> int:
    if tiers.mode == "cumulative":
        return friends * _rate(tiers.steps, friends)
    spans = [(step.start, after.start - 1, step.amount) for step, after in pairwise(tiers.steps)]
    last = tiers.steps[-1]
    spans.append((last.start, friends, last.amount))
    return sum(amount * max(0, min(end, friends) - start + 1) for start, end, amount in spans)


def _rate(steps: Sequence[Step], number: int) -> int:
    """What a friend of this number is worth: the last step that begins at or before it; 0 before the first."""
    return max(((step.start, step.amount) for step in steps if step.start <= number), default=(0, 0))[1]


def percent_of(net: int, basis_points: int, rounding: Rounding) -> int:
    """Basis points of an amount of at least 0, in whole minor units.

    `down` cuts; `half_up` and `half_even` round to the nearest, a half up or to the even one (as in IEEE 754).
    """
    whole, rest = divmod(net * basis_points, WHOLE)
    if rounding == "half_up":
        return whole + (2 * rest >= WHOLE)
    if rounding == "half_even":
        return whole + (2 * rest > WHOLE or (2 * rest == WHOLE and whole % 2 == 1))
    return whole
