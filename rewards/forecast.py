"""What a plan can cost at most, what it would have cost on past campaigns, and what each further friend brings.

The past and the simulator are replayed through `rewards.decisions`, the very code that decides for real; only
conditions are taken as met, since what they ask about belongs to people who are not here. Nothing is guessed: where
there is no past there is no expectation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock, ids
from core.db import table
from core.money import is_currency
from referral.campaigns import Campaign, Enrollment
from referral.conversions import PURCHASED, Conversion
from referral.referrals import FriendActed, FriendQualified, Referral
from rewards import decisions
from rewards.campaign_format import CampaignFile
from rewards.decisions import Books, Case, Event, Line
from rewards.plans import Plan
from rewards.rewards import QUIET

PAST = ("ended", "settled")
PAST_CAMPAIGNS = 12
"""Of the brand's past campaigns, the newest this many are looked at."""
SO_FAR = timedelta(days=14)
"""How long a campaign that still runs must have run to be looked at; of it only the time so far counts."""
FRIENDS_MAX = 10_000
"""The most friends of one advocate that are simulated."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Frame:
    """What of a campaign matters to its cost, besides the plan."""

    event: str
    starts_at: datetime
    ends_at: datetime
    timezone: str = "UTC"

    @property
    def days(self) -> int:
        """The days of the campaign, a begun one counted whole."""
        return max(1, -((self.starts_at - self.ends_at) // _DAY))


def frame_of(file: CampaignFile) -> Frame:
    """The frame of a campaign file."""
    about = file.campaign
    return Frame(file.qualify.event, about.starts_at, about.ends_at, about.timezone)


def assumed(plan: Plan) -> tuple[str, ...]:
    """The rules whose condition is taken as met."""
    return tuple(rule.name for rule in plan.rules if rule.when is not None)


def _unconditional(plan: Plan) -> Plan:
    rules = tuple(rule.model_copy(update={"when": None}) for rule in plan.rules)
    return plan.model_copy(update={"rules": rules, "risky": None})


@dataclass(frozen=True, slots=True)
class Told:
    """An event to be replayed, with what its order came to."""

    event: Event
    values: Mapping[str, Any]


def replay(plan: Plan, timezone: str, told: Iterable[Told]) -> Iterator[tuple[Event, list[Line]]]:
    """What these events, in their order, would earn by the plan, with its caps and a full budget at the start."""
    free, zone = _unconditional(plan), ZoneInfo(timezone)
    books: Books | None = None
    for one in told:
        if books is None:
            campaign_id = one.event.campaign_id
            budgets = {(campaign_id, asset): plan.budget_of(asset) - plan.reserve(asset) for asset in plan.assets}
            books = Books(left=defaultdict(int, budgets))
        case = Case(
            one.event,
            free,
            decisions.rules_for(free, one.event),
            values=one.values,
            admin=(one.event.campaign_id, one.event.brand_id),  # somebody who is neither of the two
            periods={"day": clock.day_of(one.event.at, zone), "week": clock.week_of(one.event.at, zone)},
        )
        yield one.event, decisions.decide(case, books)


@dataclass(frozen=True, slots=True)
class Step:
    """What the `friend`-th friend brings: the lines of the decision, and by (side, asset) what came together so far."""

    friend: int
    lines: tuple[Line, ...]
    total: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Orders:
    """What each simulated friend buys: `count` orders of `net` minor units each."""

    net: int = 10_000
    count: int = 1


def simulate(plan: Plan, frame: Frame, friends: int, *, orders: Orders | None = None, per_day: int = 1) -> list[Step]:
    """What one advocate's friends bring one after another, `per_day` of them a day from the campaign's first day on.

    Without `orders` nobody buys, except where the campaign counts purchases: then each friend buys once.
    """
    if orders is None and frame.event == PURCHASED:
        orders = Orders()
    steps = []
    total: dict[tuple[str, str], int] = defaultdict(int)
    told = _imagined(plan, frame, min(friends, FRIENDS_MAX), orders, per_day)
    by_friend: dict[UUID, list[Line]] = {}
    for event, lines in replay(plan, frame.timezone, told):
        by_friend.setdefault(event.friend_id, []).extend(lines)
    for number, lines in enumerate(by_friend.values(), 1):
        for line in lines:
            if line.reason is None:
                total[(line.rule.to, plan.asset_of(line.rule))] += line.amount
        steps.append(Step(number, tuple(lines), dict(total)))
    return steps


def _imagined(plan: Plan, frame: Frame, friends: int, orders: Orders | None, per_day: int) -> Iterator[Told]:
    currency = next((asset for asset in plan.assets if is_currency(asset)), "CNY")
    values = _figures(orders.net, currency) if orders else {}
    brand_id, campaign_id, advocate_id = ids.new(), ids.new(), ids.new()
    for number in range(friends):
        at = frame.starts_at + number // per_day * _DAY
        bare = FriendActed(brand_id, campaign_id, 1, ids.new(), advocate_id, ids.new(), "joined", at)
        if frame.event != "joined":
            yield Told(bare, {})
        if frame.event != PURCHASED:
            yield Told(_qualified(bare, frame.event, at, None), {})
        for order in range(orders.count if orders else 0):
            bought = replace(bare, event=PURCHASED, conversion_id=ids.new())
            first = frame.event == PURCHASED and order == 0
            yield Told(_qualified(bought, PURCHASED, at, bought.conversion_id) if first else bought, values)


def _qualified(of: FriendActed, event: str, at: datetime, conversion_id: UUID | None) -> FriendQualified:
    return FriendQualified(
        of.brand_id,
        of.campaign_id,
        of.campaign_version,
        of.referral_id,
        of.advocate_id,
        of.friend_id,
        event,
        at,
        conversion_id,
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """What the plan would have cost on a past campaign, or on one that still runs (`running`), so far. `friends`:
    those that count still; `refused`: decisions that a cap or the budget stopped."""

    slug: str
    running: bool
    days: int
    advocates: int
    friends: int
    orders: int
    refused: int
    cost: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Expectation:
    """`cost` by asset for the planned days at the samples' pace, with all prizes of a contest, at most the budget; None
    where there is no past."""

    samples: tuple[Sample, ...]
    cost: Mapping[str, int] | None
    assumed: tuple[str, ...] = field(default=())


def expected_cost(session: Session, brand_id: UUID, plan: Plan, frame: Frame) -> Expectation:
    """What the plan would have cost on the brand's own campaigns that counted the same event and are over, or have
    run for `SO_FAR` at least.

    Referrals that were reversed and what was refunded cost nothing: they would have been taken back.
    """
    past = session.scalars(
        select(Campaign)
        .where(
            col(Campaign.brand_id) == brand_id,
            col(Campaign.event) == frame.event,
            col(Campaign.state).in_(PAST) | (col(Campaign.starts_at) <= clock.now() - SO_FAR),
            col(Campaign.state).in_((*PAST, "running", "paused")),
        )
        .order_by(col(Campaign.ends_at).desc(), col(Campaign.id))
        .limit(PAST_CAMPAIGNS)
    ).all()
    samples = tuple(sample for campaign in past if (sample := _sample(session, plan, campaign)).friends)
    if not samples:
        return Expectation((), None, assumed(plan))
    days = sum(sample.days for sample in samples)
    cost = {
        asset: min(
            plan.budget_of(asset),
            sum(one.cost.get(asset, 0) for one in samples) * frame.days // days + plan.reserve(asset),
        )
        for asset in plan.assets
    }
    return Expectation(samples, cost, assumed(plan))


def _sample(session: Session, plan: Plan, campaign: Campaign) -> Sample:
    cost: dict[str, int] = defaultdict(int)
    refused = friends = orders = 0
    for event, lines in replay(plan, campaign.timezone, _history(session, campaign)):
        friends += isinstance(event, FriendQualified)
        orders += event.conversion_id is not None
        refused += any(line.reason is not None and line.reason not in QUIET for line in lines)
        for line in lines:
            if line.reason is None:
                cost[plan.asset_of(line.rule)] += line.amount
    advocates = session.scalar(
        select(func.count()).where(
            col(Enrollment.brand_id) == campaign.brand_id, col(Enrollment.campaign_id) == campaign.id
        )
    )
    running = campaign.state not in PAST
    frame = Frame(campaign.event, campaign.starts_at, clock.now() if running else campaign.ends_at)
    return Sample(campaign.slug, running, frame.days, advocates or 0, friends, orders, refused, dict(cost))


def _history(session: Session, campaign: Campaign) -> list[Told]:
    """Everything that happened in a campaign and still counts, in its order."""
    r, c = table(Referral), table(Conversion)
    of_campaign = (r.c.brand_id == campaign.brand_id, r.c.campaign_id == campaign.id)
    referrals = session.execute(select(*r.c).where(*of_campaign, r.c.state.in_(("joined", "qualified")))).all()
    bought: dict[UUID, list[Any]] = defaultdict(list)
    orders = select(*c.c).where(
        c.c.brand_id == campaign.brand_id,
        c.c.campaign_id == campaign.id,
        c.c.status == "attributed",
        c.c.refunded < c.c.net,
    )
    for row in session.execute(orders.order_by(c.c.ordered_at, c.c.id)):
        bought[row.referral_id].append(row)
    told = [one for row in referrals for one in _happened(campaign.event, row, bought[row.id])]
    return sorted(told, key=lambda one: (one.event.at, isinstance(one.event, FriendQualified)))


def _happened(counted: str, row: Any, bought: Iterable[Any]) -> Iterator[Told]:
    bare = FriendActed(
        row.brand_id,
        row.campaign_id,
        row.campaign_version,
        row.id,
        row.advocate_id,
        row.friend_id,
        "joined",
        row.started_at,
    )
    if row.joined_at is not None and counted != "joined":
        yield Told(replace(bare, at=row.joined_at), {})
    if row.state == "qualified" and counted != PURCHASED:
        yield Told(_qualified(bare, counted, row.qualified_at, None), {})
    orders = iter(bought)
    if row.state == "qualified" and counted == PURCHASED:
        for order in islice(orders, 1):
            yield Told(
                _qualified(bare, PURCHASED, order.ordered_at, order.id),
                _figures(order.net - order.refunded, order.currency),
            )
    for order in orders:
        acted = replace(bare, event=PURCHASED, at=order.ordered_at, conversion_id=order.id)
        yield Told(acted, _figures(order.net - order.refunded, order.currency))


def _figures(left: int, currency: str) -> dict[str, Any]:
    """The figures of an order of which nothing will be refunded any more."""
    return {"order.net": left, "order.kept": left, "order.currency": currency}
