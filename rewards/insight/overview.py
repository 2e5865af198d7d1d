"""Everything the first page says of a brand, or of one campaign, in a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import Session

from referral.insight import figures
from referral.insight.figures import Counting, Kind, Period, Rate, Sums, Virality
from referral.insight.statistics import Concentration
from rewards.insight import costs, returns
from rewards.insight.returns import Acquisition, Return


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the funnel: how many people got there, and the share of those of the step before, None for the first
    and where more got here than there."""

    name: str
    people: int
    rate: Rate | None


@dataclass(frozen=True, slots=True)
class Place:
    """What came by one platform or community (None: through no community)."""

    platform: str
    community_id: UUID | None
    came: int
    joined: int
    qualified: int
    purchased: int

    @property
    def rate(self) -> Rate:
        """Of the friends who came, how many count."""
        return figures.rate(self.qualified, self.came)


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of a period. `unvalued`: assets that were spent and that nobody has said the worth of."""

    period: Period
    counting: Counting
    sums: Sums
    funnel: tuple[Step, ...]
    referral_rate: Rate
    k_factor: Virality
    acquisitions: tuple[Acquisition, ...]
    returns: tuple[Return, ...]
    unvalued: tuple[str, ...]
    platforms: tuple[Place, ...]
    communities: tuple[Place, ...]
    kinds: tuple[Kind, ...]
    concentration: Concentration | None

    @property
    def nothing(self) -> bool:
        """Whether nothing at all was counted."""
        return not any(self.sums.whole.values()) and self.concentration is None


def overview(session: Session, brand_id: UUID, period: Period, campaign_id: UUID | None = None) -> Overview:
    """The brand's figures of a period, or one campaign's. Outside costs are the brand's: they stand in the figures of
    all campaigns together only."""
    found = figures.sums(session, brand_id, period, campaign_id)
    everybody = found.of("customers") if campaign_id is None else figures.new_customers(session, brand_id, period)
    own = costs.spread_costs(costs.costs_of(session, brand_id), period.first, period.last) if not campaign_id else {}
    spent, unvalued = returns.spending(found, costs.values_of(session, brand_id), own)
    baselines = costs.baselines_of(session, brand_id)
    kinds, narrow = figures.spread(figures.board(session, brand_id, campaign_id))
    advocates = figures.advocates_until(session, brand_id, period.last, campaign_id)
    return Overview(
        period,
        figures.counting(session, brand_id),
        found,
        funnel_of(found),
        figures.referral_rate(found, everybody),
        figures.k_factor(found, advocates),
        tuple(returns.acquisition(one, found.brought, baselines.get(currency)) for currency, one in spent.items()),
        tuple(returns.all_returned(found, spent, period)),
        tuple(unvalued),
        _places(found, communities=False),
        _places(found, communities=True),
        tuple(kinds),
        narrow,
    )


def funnel_of(found: Sums) -> tuple[Step, ...]:
    """How many people got to each of `figures.STEPS`."""
    steps: list[Step] = []
    for name in figures.STEPS:
        people = found.of(name)
        # Whoever buys without counting is no part of those who count: of the step before there is no share then.
        within = bool(steps) and people <= steps[-1].people
        steps.append(Step(name, people, figures.rate(people, steps[-1].people) if within else None))
    return tuple(steps)


def _places(found: Sums, *, communities: bool) -> tuple[Place, ...]:
    """By platform, or by community; most friends first."""
    counted: dict[tuple[str, str], dict[str, int]] = {}
    for what in figures.STEPS[1:]:
        for part, people in found.parts(what).items():
            platform, _, community = part.partition("/")
            steps = counted.setdefault(("", community) if communities else (platform, ""), {})
            steps[what] = steps.get(what, 0) + people
    places = [
        Place(platform, UUID(community) if community else None, *(steps.get(what, 0) for what in figures.STEPS[1:]))
        for (platform, community), steps in counted.items()
    ]
    return tuple(sorted(places, key=lambda place: (-place.came, place.platform, str(place.community_id))))


def latest(today: date, days: int) -> Period:
    """The last so many days, today among them."""
    return Period(date.fromordinal(today.toordinal() - days + 1), today)
