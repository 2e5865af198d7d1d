"""Orders and refunds in any order, told again and again, units that break off anywhere, payouts in between: at every
moment each order's rewards are worth what the rules say of what is left of it, and nothing is created or lost.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import event, select
from sqlmodel import Session, col

from core import clock
from referral.conversions import Conversion, Order, RefundOrder
from referral.orders import record_orders
from referral.referrals import Referral
from referral.refunds import record_refunds
from rewards import corrections, ledger, rewards
from rewards.payouts.payees import set_payee
from rewards.payouts.payouts import OPEN, Payout, payouts_of
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from rewards.payouts.withdrawals import withdraw
from rewards.plans import Plan, Rule
from rewards.rewards import Reward
from rewards.schedule import percent_of
from tests.house import House
from tests.rewards.shop import Shop, open_shop

T = TypeVar("T")
BUDGET = 1_000_000
PLAN = Plan(
    asset="CNY",
    rules=(
        Rule(to="advocate", on="purchased", basis_points=1_234, hold_days=2),
        Rule(name="even", to="friend", on="purchased", basis_points=333, rounding="half_even"),
        Rule(name="each", to="advocate", on="purchased", amount=7, hold_days=2),
        Rule(name="once", to="friend", amount=50, hold_days=1),
    ),
    budget=BUDGET,
)
FRIENDS = ("Bob", "Carol")
NETS = (10_000, 1, 777, 12_345, 50_001, 999)
ASKED = (1, 400, 5_000, 333, None, 99_999, 776, 12_000, 9_999)
_shops = count()
LIVE = ("held", "payable", "in_payout", "paid")
orders = st.integers(0, len(NETS) - 1)
refunds = st.integers(0, len(ASKED) - 1)


class BrokenOffError(Exception):
    """The unit ends here, as if the process had."""


class Machine(RuleBasedStateMachine):
    """Order `n` is of friend `n % 2`; refund `n` is of order `n % 6`. What was told is the model."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.began = clock.offset()
        self.shop: Shop = open_shop(self.house, PLAN, name=f"Shop {next(_shops)}", event="purchased")
        self.friends = [self.shop.brings(name) for name in FRIENDS]
        self.at: datetime = clock.now()
        self.sold: set[int] = set()
        self.asked: list[int] = []
        self.keys = count()
        for who in (self.shop.alice, *self.friends):
            details = {"name": "Somebody", "account": "6222 0212 3456 7894"}
            self.house.do(partial(set_payee, brand_id=self.brand, member_id=who, provider="manual", details=details))

    def teardown(self) -> None:
        clock.move(self.began)
        assert self.shop.problems() == []

    @property
    def brand(self) -> UUID:
        return self.shop.brand.id

    def order(self, number: int) -> Order:
        who = self.friends[number % 2]
        return Order(self.brand, "till", str(number), "CNY", NETS[number] + 5, self.at, tax=5, member_id=who)

    def refund(self, number: int) -> RefundOrder:
        return RefundOrder(self.brand, "till", f"r{number}", str(number % 6), ASKED[number], "CNY", self.at)

    def left(self, number: int) -> int:
        """What is left of an order by what was told: refunds in the order in which they were told."""
        left = NETS[number]
        for one in self.asked:
            if one % 6 == number:
                asked = ASKED[one]
                left = 0 if asked is None else max(0, left - asked)
        return left

    # What the shop tells

    @rule(numbers=st.lists(orders, min_size=1, max_size=4))
    def orders_are_told(self, numbers: list[int]) -> None:
        told = [self.order(number) for number in numbers]
        self.house.do(lambda session: record_orders(session, told))
        self.sold |= set(numbers)

    @rule(numbers=st.lists(refunds, min_size=1, max_size=4))
    def refunds_are_told(self, numbers: list[int]) -> None:
        told = [self.refund(number) for number in numbers]
        self.house.do(lambda session: record_refunds(session, told))
        self.asked += [one for at, one in enumerate(numbers) if one not in (*self.asked, *numbers[:at])]

    @rule(order=orders, refund=refunds, after=st.integers(0, 60))
    def a_unit_breaks_off(self, order: int, refund: int, after: int) -> None:
        def unit(session: Session) -> None:
            with breaking_off(session, after):
                record_orders(session, [self.order(order)])
                record_refunds(session, [self.refund(refund)])
            raise BrokenOffError

        with pytest.raises(BrokenOffError):
            self.house.do(unit)

    # What happens meanwhile

    @rule(hours=st.sampled_from([5, 25, 49]))
    def time_passes(self, hours: int) -> None:
        clock.move(clock.offset() + timedelta(hours=hours))
        self.house.do(rewards.release_due)

    @rule(who=st.integers(0, 2), part=st.sampled_from([1, 2, 3]))
    def somebody_takes_money_out(self, who: int, part: int) -> None:
        member = (self.shop.alice, *self.friends)[who]
        amount = self.shop.purse(member).get("payable", 0) // part
        if amount > 0:
            key = f"k{next(self.keys)}"
            self.house.do(lambda session: withdraw(session, self.brand, member, "manual", "CNY", amount, key))

    @precondition(lambda self: self.payouts(OPEN))
    @rule(state=st.sampled_from(["completed", "failed"]), data=st.data())
    def a_payout_ends(self, state: Any, data: Any) -> None:
        payout = data.draw(st.sampled_from(self.payouts(OPEN)))
        answer = Answer(state, "bank", None)
        self.house.do(lambda session: conclude(session, self.brand, payout.id, answer, "import"))

    def payouts(self, states: Any) -> list[Payout]:
        people = (self.shop.alice, *self.friends)
        found = [self.house.ask(partial(payouts_of, brand_id=self.brand, member_id=who, limit=1000)) for who in people]
        return sorted((one for some in found for one in some if one.state in states), key=lambda one: one.id)

    # What must hold

    def read(self, session: Session) -> tuple[dict[str, Conversion], list[Reward], dict[UUID, Referral]]:
        def all_of(model: Any) -> list[Any]:
            return list(session.scalars(select(model).where(model.brand_id == self.brand)))

        rows = {row.external_id: row for row in all_of(Conversion)}
        return rows, all_of(Reward), {row.friend_id: row for row in all_of(Referral)}

    @invariant()
    def all_is_as_the_rules_say(self) -> None:
        def check(session: Session) -> None:
            rows, granted, referrals = self.read(session)
            granted = [one for one in granted if one.state in LIVE]
            self.every_order_is_worth_what_is_left_of_it(rows, granted, referrals)
            self.members_have_what_their_rewards_say(session, granted)

        self.house.ask(check)

    def every_order_is_worth_what_is_left_of_it(
        self, rows: dict[str, Conversion], granted: list[Reward], referrals: dict[UUID, Referral]
    ) -> None:
        assert rows.keys() == {str(number) for number in self.sold}
        alive: dict[int, bool] = defaultdict(bool)
        for number in self.sold:
            row, left = rows[str(number)], self.left(number)
            assert (row.left, row.status) == (left, "attributed")
            alive[number % 2] |= left > 0
            live: dict[str, int] = defaultdict(int)
            for one in granted:
                if one.cause == corrections.order_cause(row.id):
                    live[one.rule] += one.amount - one.taken_back
            assert live["advocate"] == percent_of(left, 1_234, "down")
            assert live["even"] == percent_of(left, 333, "half_even")
            assert live["each"] == (7 if left else 0)
        for number, friend in enumerate(self.friends):
            once = [one for one in granted if one.rule == "once" and one.member_id == friend]
            assert sum(one.amount - one.taken_back for one in once) == (50 if alive[number] else 0)
            assert (referrals[friend].state == "qualified") == alive[number]

    def members_have_what_their_rewards_say(self, session: Session, granted: list[Reward]) -> None:
        """Less what they were paid, or are about to be."""
        worth: dict[UUID, int] = defaultdict(int)
        for one in granted:
            worth[one.member_id] += one.amount - one.taken_back
        for who in (self.shop.alice, *self.friends):
            payouts = payouts_of(session, self.brand, who, 1000)
            gone = sum(one.amount + one.fee for one in payouts if one.state in (*OPEN, "completed"))
            owned = ledger.balances_of(session, self.brand, who)
            held, payable = owned.get(("member.held", "CNY"), 0), owned.get(("member.payable", "CNY"), 0)
            assert held + payable == worth[who] - gone
            assert corrections.debt_of(session, self.brand, who) == ({"CNY": -payable} if payable < 0 else {})
        budget = ledger.balances_of(session, self.brand, self.shop.campaign.id)
        assert budget[("campaign.budget", "CNY")] == BUDGET - sum(worth.values())


class breaking_off:  # noqa: N801  # reads like the function it is
    """Every statement after the first `after` ones of this block fails."""

    def __init__(self, session: Session, after: int) -> None:
        self.engine, self.left = session.connection().engine, after

    def __enter__(self) -> None:
        event.listen(self.engine, "before_cursor_execute", self.count)

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self.count)

    def count(self, connection: object, cursor: object, statement: str, *_: object) -> None:
        self.left -= 1
        if self.left < 0 and not statement.startswith("ROLLBACK"):
            raise BrokenOffError


@pytest.fixture(autouse=True)
def _the_clock_comes_back() -> Iterator[None]:
    before = clock.offset()
    yield
    clock.move(before)


def test_orders_are_worth_what_is_left_of_them_whatever_happens(house: House) -> None:
    machine = type("OrdersMachine", (Machine,), {"house": house})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=house.runs(6), stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_two_processes_are_told_the_same_at_once(house: House) -> None:
    """Each of two writers is told all orders and refunds by several threads; each counts once."""
    shop = open_shop(house, PLAN, event="purchased")
    friends = [shop.brings(name) for name in FRIENDS]
    at, second = clock.now(), House(house.url)
    units: list[Callable[[Session], object]] = []
    for number, net in enumerate(NETS):
        order = Order(shop.brand.id, "till", str(number), "CNY", net, at, member_id=friends[number % 2])
        part = RefundOrder(shop.brand.id, "till", f"r{number}", str(number), (net + 1) // 2, "CNY", at)
        units += [partial(record_orders, orders=[order]), partial(record_refunds, refunds=[part])]
    start, errors = threading.Barrier(4), list[BaseException]()

    def tell(where: House, turned: int) -> None:
        start.wait()
        for unit in units[turned:] + units[:turned]:
            try:
                where.do(unit)
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=tell, args=((house, second)[n % 2], 3 * n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert errors == []
    lefts = [net - (net + 1) // 2 for net in NETS]
    expected = sum(percent_of(left, 1_234, "down") + (7 if left else 0) for left in lefts)
    assert shop.purse(shop.alice) == {"held": expected}
    told = house.ask(lambda session: session.scalars(select(Conversion).order_by(col(Conversion.external_id))).all())
    assert [row.left for row in told] == lefts
    assert shop.problems() == []
