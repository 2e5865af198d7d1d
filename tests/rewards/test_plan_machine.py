"""Whatever happens in whatever order, also when a unit dies at any of its statements: nothing is created or lost, caps
and budgets hold, both sides of a reward come together, and what is told again pays nothing."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event, select
from sqlmodel import Session, col

from core import clock, events
from referral import stays
from referral.conversions import Order, RefundOrder
from referral.orders import record_orders
from referral.qualifying import qualify
from referral.referrals import Referral, reverse
from referral.refunds import record_refunds
from rewards import schedule
from rewards.caps import FALLEN, LIVE, LOST
from rewards.plans import Plan
from rewards.rewards import QUIET, Reward, release_due
from rewards.verify import verify
from tests.house import House
from tests.rewards.shop import Shop, open_shop, waiting_referrals

T = TypeVar("T")
NAMES = ("Ann", "Ben", "Cai", "Dan", "Eve", "Fay", "Gus")
PLAN = Plan.model_validate(
    {
        "budget": 5000,
        "budgets": {"CNY": 5000},
        "cap": 3,
        "rules": [
            {"to": "friend", "amount": 50},
            {
                "name": "tiers",
                "to": "advocate",
                "hold_days": 3,
                "tiers": {"mode": "cumulative", "steps": [{"from": 1, "amount": 20}, {"from": 2, "amount": 40}]},
            },
            {
                "name": "steps",
                "to": "advocate",
                "milestones": [{"reach": 2, "amount": 90}, {"reach": 3, "amount": 150}],
            },
            {
                "name": "orders",
                "to": "advocate",
                "on": "purchased",
                "asset": "CNY",
                "basis_points": 1000,
                "rounding": "half_up",
                "when": "order.net >= 100",
                "hold_days": 1,
                "caps": {"friend": 200, "advocate": 450, "day": 300, "campaign": 700},
            },
            {"name": "thanks", "to": "friend", "on": "purchased", "asset": "CNY", "amount": 20},
        ],
    }
)
crashes = st.none() | st.integers(1, 40)
names = st.sampled_from(NAMES)
_shops = count()


class Crash(Exception):
    """The process died here."""


@contextmanager
def dying(house: House, at: int) -> Iterator[None]:
    """The `at`-th statement from now on is never executed, and its unit ends there."""
    statements = count(1)

    def before(*_: Any) -> None:
        if next(statements) == at:
            raise Crash

    event.listen(house.engine, "before_cursor_execute", before)
    try:
        yield
    finally:
        event.remove(house.engine, "before_cursor_execute", before)


class Machine(RuleBasedStateMachine):
    """A shop, an advocate, seven people who may come, stay, buy, give back, leave and be found out."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.start = clock.offset()
        self.came: set[str] = set()
        self.orders: dict[str, Order] = {}

    @initialize(points=st.sampled_from([100, 400, 5000]), fen=st.sampled_from([150, 5000]))
    def open(self, points: int, fen: int) -> None:
        self.plan = PLAN.model_copy(update={"budget": points, "budgets": {"CNY": fen}})
        self.shop: Shop = open_shop(self.house, self.plan, name=f"Shop {next(_shops)}")

    def teardown(self) -> None:
        clock.move(self.start)
        assert self.house.ask(verify) == []

    def do(self, unit: Callable[[Session], T], crash: int | None) -> None:
        """The unit, dead at first at some statement, then told whole, then once more."""
        if crash is not None:
            with dying(self.house, crash), suppress(Crash):
                self.house.do(unit)
        self.house.do(unit)
        self.house.do(unit)

    @rule(who=st.lists(names, max_size=4, unique=True), days=st.sampled_from([1, 7]), crash=crashes)
    def come_and_stay(self, who: list[str], days: int, crash: int | None) -> None:
        for name in who:
            if name not in self.came:
                self.shop.brings(name)
                self.came.add(name)
        clock.move(clock.offset() + timedelta(days=days))
        self.do(stays.qualify_due, crash)

    @rule(crash=crashes)
    def holds_end(self, crash: int | None) -> None:
        clock.move(clock.offset() + timedelta(days=1))
        self.do(release_due, crash)

    @rule(data=st.data(), number=st.integers(1, 4), net=st.integers(50, 2500), crash=crashes)
    def buy(self, data: st.DataObject, number: int, net: int, crash: int | None) -> None:
        """Some of those who came buy at once; who bought before they came would not be new."""
        orders = []
        for name in data.draw(st.lists(st.sampled_from(sorted(self.came) or NAMES), max_size=3, unique=True)):
            key = f"{name}/{number}"
            if name in self.came:
                who = ("telegram", name.lower())
                made = Order(self.shop.brand.id, "till", key, "CNY", net, clock.now(), account=who)
                orders.append(self.orders.setdefault(key, made))
        if orders:
            self.do(lambda session: record_orders(session, orders), crash)

    @rule(name=names, number=st.integers(1, 4), amount=st.integers(1, 2500), crash=crashes)
    def gives_back(self, name: str, number: int, amount: int, crash: int | None) -> None:
        of = f"{name}/{number}"
        refund = RefundOrder(self.shop.brand.id, "till", f"{of}/{amount}", of, amount, "CNY", clock.now())
        self.do(lambda session: record_refunds(session, [refund]), crash)

    @rule(name=names)
    def leaves(self, name: str) -> None:
        if name in self.came:
            self.shop.leaves(name)

    @rule(name=names)
    def is_found_out(self, name: str) -> None:
        if name in self.came:
            self.shop.reverses(name)

    @invariant()
    def all_is_well(self) -> None:
        if hasattr(self, "shop"):
            check_all(self.shop, self.plan)


def check_all(shop: Shop, plan: Plan = PLAN) -> None:
    """Everything that must be so at any moment."""

    def read(session: Session) -> tuple[list[Reward], dict[UUID, Referral]]:
        mine = select(Reward).where(col(Reward.brand_id) == shop.brand.id)
        referrals = session.scalars(select(Referral).where(col(Referral.brand_id) == shop.brand.id)).all()
        return list(session.scalars(mine)), {one.id: one for one in referrals}

    rewards, referrals = shop.house.ask(read)
    nothing_is_lost(shop, plan, rewards)
    limits_hold(rewards, referrals)
    schedules_hold(rewards, referrals)
    sides_come_together(rewards)


def now(reward: Reward) -> int:
    """What a reward is worth."""
    return 0 if reward.state == "capped" else reward.amount - reward.taken_back


def nothing_is_lost(shop: Shop, plan: Plan, rewards: list[Reward]) -> None:
    """What was funded is in the budget or in rewards; what is in rewards is in the purses."""
    for asset in plan.assets:
        live = [one for one in rewards if one.asset == asset]
        assert shop.budget(asset) + sum(map(now, live)) == plan.budget_of(asset)
        assert shop.budget(asset) >= 0
        for member in {one.member_id for one in live}:
            purses = {name: amount for (name, held), amount in shop.accounts(member).items() if held == asset}
            assert sum(purses.values()) == sum(now(one) for one in live if one.member_id == member)


def limits_hold(rewards: list[Reward], referrals: dict[UUID, Referral]) -> None:
    spent: dict[tuple[Any, ...], int] = defaultdict(int)
    friends: dict[UUID, set[UUID]] = defaultdict(set)
    for one in rewards:
        assert one.referral_id is not None
        if one.state in LIVE:
            friends[referrals[one.referral_id].advocate_id].add(one.referral_id)
        if one.rule == "orders":
            day = one.created_at.astimezone(ZoneInfo("Asia/Shanghai")).date()
            advocate = referrals[one.referral_id].advocate_id
            for key in (("friend", one.referral_id), ("advocate", advocate), ("day", day), ("campaign",)):
                spent[key] += now(one)
    caps = next(one for one in PLAN.rules if one.name == "orders").caps
    assert all(amount <= getattr(caps, key[0]) for key, amount in spent.items())
    assert all(len(brought) <= (PLAN.cap or 0) for brought in friends.values())


def schedules_hold(rewards: list[Reward], referrals: dict[UUID, Referral]) -> None:
    """What lives of a schedule is never more than the friends who count are worth."""
    for plan_rule in (one for one in PLAN.rules if one.scheduled):
        counting: dict[UUID, set[UUID]] = defaultdict(set)
        live: dict[UUID, int] = defaultdict(int)
        for one in rewards:
            if one.rule != plan_rule.name or one.referral_id is None:
                continue
            referral = referrals[one.referral_id]
            live[referral.advocate_id] += now(one)
            if referral.state not in FALLEN and (one.state in LIVE or one.reason in ("counted", LOST)):
                counting[referral.advocate_id].add(referral.id)
        for advocate, amount in live.items():
            assert amount <= schedule.total(plan_rule, len(counting[advocate]))


def sides_come_together(rewards: list[Reward]) -> None:
    """What one event earned was granted whole or not at all."""
    granted: dict[tuple[UUID | None, str], set[bool]] = defaultdict(set)
    for one in rewards:
        if one.reason not in QUIET:
            granted[(one.referral_id, one.cause)].add(one.state != "capped")
    assert all(len(sides) == 1 for sides in granted.values())


def test_whatever_happens(house: House) -> None:
    machine = type("PlanMachine", (Machine,), {"house": house})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=house.runs(10), stateful_step_count=16, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def found_out(session: Session, referral_id: UUID) -> None:
    """A referral is reversed, if it counts by now."""
    mine = select(Referral).where(col(Referral.id) == referral_id).with_for_update()
    referral = session.scalars(mine.execution_options(populate_existing=True)).one()
    if referral.state == "qualified":
        events.emit(session, reverse(session, [referral], "fraud"))


def test_two_writers_at_once(house: House) -> None:
    """Friends stay, buy and are found out in two places at the same moment; what they contend for is one budget, one
    cap, one tier."""
    shop = open_shop(house, PLAN)
    stay = waiting_referrals(shop, list(NAMES))
    second = House(house.url)
    start, errors = threading.Barrier(6), list[BaseException]()
    orders = [
        Order(shop.brand.id, "till", f"{name}/{n}", "CNY", 900, clock.now(), account=("telegram", name.lower()))
        for n in range(3)
        for name in NAMES
    ]

    def run(where: House, units: list[Callable[[Session], object]]) -> None:
        start.wait()
        for unit in units:
            try:
                where.do(unit)
            except BaseException as error:
                errors.append(error)

    qualifying: list[Callable[[Session], object]] = [partial(qualify, commands=[command]) for command in stay]
    buying: list[Callable[[Session], object]] = [partial(record_orders, orders=[order]) for order in orders]
    undoing: list[Callable[[Session], object]] = [partial(found_out, referral_id=one.referral_id) for one in stay[:3]]
    # Both writers tell of everything, each in an order of its own.
    work = [(house, qualifying), (second, qualifying[::-1]), (house, buying), (second, buying[::-1])]
    work += [(house, undoing), (second, undoing[::-1])]
    threads = [threading.Thread(target=run, args=(where, units)) for where, units in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert errors == []
    check_all(shop)
    assert shop.problems() == []
    house.do(release_due)
    check_all(shop)
