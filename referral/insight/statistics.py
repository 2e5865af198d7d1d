"""Intervals of figures: how far off the number one would see again and again may be from the one just counted.

All are for 95 %. Shares and counts are taken as exact fractions; an interval is a float, for it is an estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt

Z = 1.959963984540054
"""The normal distribution's quantile for 95 %."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the figure lies with 95 % confidence."""

    low: float
    high: float


def share(part: int, whole: int) -> Fraction | None:
    """`part` of `whole`; None of nothing."""
    return Fraction(part, whole) if whole else None


def wilson(part: int, whole: int) -> Interval | None:
    """The interval of a share: the score interval of E. B. Wilson, “Probable inference, the law of succession, and
    statistical inference”, Journal of the American Statistical Association 22 (1927). None where there is no whole, or
    the part is more than it."""
    if whole <= 0 or not 0 <= part <= whole:
        return None
    rate = part / whole
    spread = Z * sqrt(rate * (1 - rate) / whole + Z * Z / (4 * whole * whole))
    middle, scale = rate + Z * Z / (2 * whole), 1 + Z * Z / whole
    return Interval(max((middle - spread) / scale, 0.0), min((middle + spread) / scale, 1.0))


def of_count(number: int) -> Interval:
    """The interval of a count of people who come independently of each other (Poisson): Byar's approximation, as in
    N. E. Breslow and N. E. Day, Statistical Methods in Cancer Research II (1987), formula 2.13."""
    low = number * (1 - 1 / (9 * number) - Z / (3 * sqrt(number))) ** 3 if number else 0.0
    more = number + 1
    return Interval(max(low, 0.0), more * (1 - 1 / (9 * more) + Z / (3 * sqrt(more))) ** 3)


def of_ratio(pairs: Sequence[tuple[float, float]]) -> Interval | None:
    """The interval of (sum of the first) ÷ (sum of the second), the days being the sample: the linearised variance of
    a ratio estimator, W. G. Cochran, Sampling Techniques (3rd edition, 1977), formula 6.13. None for fewer than five
    days or a second sum of nothing."""
    days, base = len(pairs), sum(second for _, second in pairs)
    if days < 5 or base <= 0:
        return None
    ratio = sum(first for first, _ in pairs) / base
    rest = sum((first - ratio * second) ** 2 for first, second in pairs)
    spread = Z * sqrt(days / (days - 1) * rest) / base
    return Interval(max(ratio - spread, 0.0), ratio + spread)


@dataclass(frozen=True, slots=True)
class Concentration:
    """How much of the friends few advocates bring.

    `index`: the Herfindahl–Hirschman index, the sum of the squared shares (0 … 1; 1: one person brought all).
    `equal`: as if so many people brought the same number each (1 ÷ index). `top`: the share of the first ten.
    """

    advocates: int
    friends: int
    index: Fraction
    top: Fraction

    @property
    def equal(self) -> Fraction:
        """How many equal advocates would be as concentrated."""
        return 1 / self.index

    @property
    def early(self) -> bool:
        """Whether there are too few friends to tell either way."""
        return self.friends < ENOUGH

    @property
    def narrow(self) -> bool:
        """Whether few carry it: an index above 0.18, where the merger guidelines of the US Department of Justice and
        Federal Trade Commission (2023) begin to call a market highly concentrated, or more than half of all friends by
        the first ten, where there are twice as many at least: ten of eleven always bring more than half."""
        of_many = self.advocates >= 2 * FIRST and self.top > Fraction(1, 2)
        return not self.early and (self.index > Fraction(18, 100) or of_many)


FIRST = 10
"""Advocates whose share is told as `Concentration.top`."""
ENOUGH = 30
"""Friends from which on something is said of concentration."""


def concentration(board: Sequence[tuple[int, int]]) -> Concentration | None:
    """Of (friends brought, advocates who brought exactly so many); None where nobody has brought anybody."""
    board = sorted(((score, members) for score, members in board if score > 0 and members > 0), reverse=True)
    friends = sum(score * members for score, members in board)
    if not friends:
        return None
    squares = sum(score * score * members for score, members in board)
    left, top = FIRST, 0
    for score, members in board:
        taken = min(left, members)
        top, left = top + taken * score, left - taken
    advocates = sum(members for _, members in board)
    return Concentration(advocates, friends, Fraction(squares, friends * friends), Fraction(top, friends))
