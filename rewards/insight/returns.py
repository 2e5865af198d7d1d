"""CAC and ROAS: what a customer who was brought cost, and what comes back for what was spent.

Each currency stands alone; nothing is exchanged. Points and goods count as what the brand says they cost; while it has
said nothing they are left out, and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from core.money import is_currency
from referral.insight.figures import Period, Sums
from referral.insight.statistics import Interval, of_count, of_ratio
from rewards.insight.costs import AssetValue, CostBaseline


@dataclass(frozen=True, slots=True)
class Spending:
    """What referring cost in one currency, in minor units: rewards less what was taken back, what points and goods
    cost, outside costs, less fees that members paid."""

    currency: str
    rewards: Fraction
    valued: Fraction
    outside: Fraction
    kept: Fraction

    @property
    def whole(self) -> Fraction:
        """All of it."""
        return self.rewards + self.valued + self.outside - self.kept


@dataclass(frozen=True, slots=True)
class Acquisition:
    """获客成本: spending ÷ new customers who were brought, in minor units. `change`: against the baseline, -0.4 is 40 %
    less; None without one."""

    spending: Spending
    customers: int
    value: Fraction | None
    interval: Interval | None
    baseline: int | None
    change: Fraction | None


@dataclass(frozen=True, slots=True)
class Return:
    """ROAS: what friends' orders came to, less what was given back ÷ spending."""

    currency: str
    revenue: int
    spending: Fraction
    value: Fraction | None
    interval: Interval | None


def spending(
    found: Sums, values: Mapping[str, AssetValue], outside: Mapping[str, Fraction]
) -> tuple[dict[str, Spending], list[str]]:
    """By currency; and the assets that were spent but are worth nobody has said what."""
    net: dict[str, int] = {}
    for asset in {*found.parts("granted"), *found.parts("taken_back")}:
        net[asset] = found.whole[("granted", asset)] - found.whole[("taken_back", asset)]
    valued: dict[str, Fraction] = {}
    unvalued = []
    for asset, amount in sorted(net.items()):
        if is_currency(asset):
            continue
        if (worth := values.get(asset)) is not None:
            price = Fraction(worth.amount * amount, worth.units)
            valued[worth.currency] = valued.get(worth.currency, Fraction()) + price
        elif amount:
            unvalued.append(asset)
    kept = {asset: amount for asset, amount in found.parts("kept").items() if is_currency(asset)}
    currencies = {asset for asset in net if is_currency(asset)} | {*valued, *outside, *kept}
    return {
        currency: Spending(
            currency,
            Fraction(net.get(currency, 0)),
            valued.get(currency, Fraction()),
            outside.get(currency, Fraction()),
            Fraction(kept.get(currency, 0)),
        )
        for currency in sorted(currencies)
    }, unvalued


def acquisition(cost: Spending, customers: int, baseline: CostBaseline | None) -> Acquisition:
    """CAC with its change against the baseline. The interval is that of the number of customers (Byar): what was spent
    is known to the cent."""
    value = cost.whole / customers if customers else None
    around = of_count(customers)
    interval = (
        Interval(float(cost.whole) / around.high, float(cost.whole) / around.low)
        if customers and around.low > 0 and cost.whole > 0
        else None
    )
    compared = baseline.amount if baseline is not None else None
    change = value / compared - 1 if value is not None and compared else None
    return Acquisition(cost, customers, value, interval, compared, change)


def all_returned(found: Sums, costs: Mapping[str, Spending], period: Period) -> list[Return]:
    """ROAS in each currency; also in those in which friends bought and nothing was spent, where it has no figure."""
    nothing = Fraction()
    free = {one: Spending(one, nothing, nothing, nothing, nothing) for one in found.parts("revenue")}
    return [returned(found, cost, period) for _, cost in sorted((free | dict(costs)).items())]


def returned(found: Sums, cost: Spending, period: Period) -> Return:
    """ROAS with the interval of a ratio of sums over the days (Cochran), where spending has days of its own."""
    revenue = found.whole[("revenue", cost.currency)]
    days = period.all()
    fixed = float(cost.whole - cost.rewards) / len(days)
    pairs = list(
        zip(
            map(float, found.series("revenue", days, cost.currency)),
            (
                granted - back + fixed
                for granted, back in zip(
                    found.series("granted", days, cost.currency),
                    found.series("taken_back", days, cost.currency),
                    strict=True,
                )
            ),
            strict=True,
        )
    )
    value = Fraction(revenue) / cost.whole if cost.whole > 0 else None
    return Return(cost.currency, revenue, cost.whole, value, of_ratio(pairs) if value is not None else None)
