"""Whatever is bought, promised, refilled, sent back and broken off in whatever order: each code is given once, no limit
is passed, and no point is created or lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlmodel import Session, select

from core import clock
from core.errors import Refused
from rewards.adjustments import adjust
from rewards.items import parcels, redeem, shipments, vouchers
from rewards.items.items import Item, ItemCount
from rewards.items.promo_codes import PromoCode
from rewards.items.shipments import Shipment
from rewards.items.vouchers import Voucher
from rewards.ledger import fund
from rewards.payouts.payouts import Payout
from tests.house import House
from tests.rewards.items.counter import POINTS, check_books, fill, offer, plan, rich_people
from tests.rewards.items.test_shipments import HOME
from tests.rewards.shop import Shop, open_shop
from tests.rewards.test_plan_machine import Crash, dying

PEOPLE = 3
PRICE = {"coffee": 100, "code": 60, "teapot": 200}
LIMIT = {"coffee": None, "code": 3, "teapot": 2}
STOCK = {"coffee": None, "code": 6, "teapot": 4}
REFUSED = {"sold_out", "limit_reached", "too_few_points"}
_rounds = count()


class Counter(RuleBasedStateMachine):
    """Three members, a pool of vouchers, promo codes, and parcels, each with a limit of its own."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.number = next(_rounds)
        self.start = clock.offset()
        self.shop: Shop = open_shop(self.house, plan(budget=100_000), name=f"Shop {self.number}")
        offer(self.shop, "coffee", price=PRICE["coffee"])
        offer(self.shop, "code", "promo_code", price=PRICE["code"], stock=STOCK["code"], per_member=LIMIT["code"])
        offer(self.shop, "teapot", "physical", price=PRICE["teapot"], stock=STOCK["teapot"], per_member=LIMIT["teapot"])
        self.people = rich_people(self.shop, PEOPLE, POINTS)
        self.uploaded = 0

    def teardown(self) -> None:
        clock.move(self.start)

    def do(self, unit: Any, cut: int | None = None) -> Any:
        """Run it; with `cut` it is broken off at that statement and run again, as whoever asked would."""
        if cut is not None:
            with dying(self.house, cut), suppress(Crash):
                return self.house.do(unit)
        return self.house.do(unit)

    @rule(
        who=st.integers(0, PEOPLE - 1),
        slug=st.sampled_from(sorted(PRICE)),
        key=st.integers(0, 5),
        quantity=st.integers(1, 2),
        cut=st.none() | st.integers(1, 40),
    )
    def buys(self, who: int, slug: str, key: int, quantity: int, cut: int | None) -> None:
        brand, member = self.shop.brand.id, self.people[who]
        name = f"{slug}/{key}/{quantity}"
        unit = partial(redeem.redeem, brand_id=brand, member_id=member, slug=slug, key=name, quantity=quantity)
        try:
            first = self.do(unit, cut)
        except Refused as refused:
            if refused.code not in REFUSED:
                raise
            return
        assert self.do(unit).id == first.id

    @rule(codes=st.integers(1, 3), days=st.none() | st.integers(1, 20), cut=st.none() | st.integers(1, 12))
    def refill(self, codes: int, days: int | None, cut: int | None) -> None:
        end = f"{(clock.now() + timedelta(days=days)).isoformat()}" if days else ""
        fresh = [f"T-{self.uploaded + number},{end}" for number in range(codes)]
        self.uploaded += codes
        if cut is not None:
            with dying(self.house, cut), suppress(Crash):
                fill(self.shop, fresh)
        assert fill(self.shop, fresh).available >= codes

    @rule(who=st.integers(0, PEOPLE - 1), cut=st.none() | st.integers(1, 40))
    def is_promised_one(self, who: int, cut: int | None) -> None:
        """Goodwill in coffee: an item reward, which hands itself over or waits for the pool."""
        brand, member, campaign = self.shop.brand.id, self.people[who], self.shop.campaign.id
        name = f"promise/{next(_rounds)}"

        def promise(session: Session) -> None:
            fund(session, brand, campaign, "item:coffee", 1, f"fund/{campaign}/{name}")
            adjust(session, brand, member, campaign, "item:coffee", 1, reason="sorry", actor="ann", key=name)

        self.do(promise, cut)

    @rule(cut=st.none() | st.integers(1, 20))
    def the_worker_comes(self, cut: int | None) -> None:
        self.do(redeem.deliver_waiting, cut)
        self.do(vouchers.watch_pools, cut)
        self.do(shipments.follow_clock, cut)

    @rule(days=st.integers(1, 12))
    def days_pass(self, days: int) -> None:
        clock.move(clock.offset() + timedelta(days=days))

    @rule(step=st.sampled_from(("address", "ship", "cancel")), cut=st.none() | st.integers(1, 30))
    def a_parcel_moves(self, step: str, cut: int | None) -> None:
        def move(session: Session) -> None:
            rows = session.exec(select(Shipment).where(Shipment.brand_id == self.shop.brand.id)).all()
            for row in rows:
                if step == "address" and row.state == "asked":
                    payout = session.get_one(Payout, (row.brand_id, row.payout_id))
                    shipments.set_address(session, payout, HOME)
                elif step == "ship" and row.state == "ready":
                    parcels.ship(session, row, "SF", "1")
                elif step == "cancel" and row.state in ("asked", "ready"):
                    parcels.cancel(session, row, "ann")
                    return

        self.do(move, cut)

    # What must be so at all times

    def _mine(self, model: Any) -> list[Any]:
        return list(self.house.ask(lambda s: s.exec(select(model).where(model.brand_id == self.shop.brand.id)).all()))

    def _payouts(self) -> dict[str, list[Payout]]:
        slugs = {item.id: item.slug for item in self._mine(Item)}
        found: dict[str, list[Payout]] = {slug: [] for slug in PRICE}
        for payout in self._mine(Payout):
            assert payout.item_id is not None
            found[slugs[payout.item_id]].append(payout)
        return found

    @invariant()
    def each_code_is_given_once_to_who_paid(self) -> None:
        bought = {one.id: one.quantity for one in self._payouts()["coffee"] if one.state == "completed"}
        given: dict[UUID, int] = {}
        for row in self._mine(Voucher):
            if row.payout_id is not None:
                given[row.payout_id] = given.get(row.payout_id, 0) + 1
                assert row.state == "given"
                assert row.given_at < row.ends_at
        assert given == bought
        assert len(self._mine(Voucher)) == self.uploaded
        made = [row.key for row in self._mine(PromoCode)]
        assert len(made) == len(set(made)) == sum(one.quantity for one in self._payouts()["code"])

    @invariant()
    def stock_and_limits_hold(self) -> None:
        payouts = self._payouts()
        counts = self._mine(ItemCount)
        for item in self._mine(Item):
            live = [one for one in payouts[item.slug] if one.state != "failed"]
            if item.kind != "voucher":
                assert item.given == sum(one.quantity for one in live) <= (item.stock or 0)
            for member in self.people:
                mine = sum(one.quantity for one in live if one.member_id == member and one.reward_id is None)
                counted = sum(row.taken for row in counts if (row.item_id, row.member_id) == (item.id, member))
                assert mine == counted <= (item.per_member or counted)

    @invariant()
    def nobody_pays_for_what_they_do_not_have(self) -> None:
        for member in self.people:
            spent = sum(
                one.amount
                for rows in self._payouts().values()
                for one in rows
                if one.member_id == member and one.asset == "PTS" and one.state != "failed"
            )
            assert self.shop.purse(member).get("payable", 0) == POINTS - spent >= 0
        check_books(self.shop)


@pytest.fixture(autouse=True)
def _the_clock_comes_back() -> Iterator[None]:
    before = clock.offset()
    yield
    clock.move(before)


@pytest.mark.slow
def test_each_code_once_no_limit_passed_no_point_lost(house: House) -> None:
    machine = type("CounterMachine", (Counter,), {"house": house})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=house.runs(5), stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
