"""Mei's tea shop counts its days: who came, how far they got, who bought for the first time, what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlmodel import Session, col

from core import clock, ids
from core.db import insert_all, table
from referral import brands, members, orders, refunds, rejection
from referral.arrivals import Arrive, arrive
from referral.brands import Brand
from referral.campaigns import Campaign, enroll
from referral.conversions import Order, RefundOrder
from referral.insight import figures
from referral.insight.counting import SOURCES
from referral.insight.figures import Period, Sums
from referral.insight.models import InsightDay
from referral.insight.recount import recount
from referral.referrals import Referral
from referral.touches import Touch
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.insight import costs, returns, spending
from tests.house import House, later, person

ALL = (*SOURCES, spending.SOURCE)


class Shop:
    """Mei's shop: a campaign that pays the advocate 60 yuan for a friend's purchase."""

    def __init__(self, house: House, amount: int = 6_000) -> None:
        self.house = house
        self.brand, self.campaign = house.do(lambda session: self._open(session, amount))
        self.number = 0

    def _open(self, session: Session, amount: int) -> tuple[Brand, Campaign]:
        brand = brands.create_brand(session, "Mei", slug="mei", timezone="Asia/Shanghai")
        brands.connect(session, brand.id, "telegram", "-100", "Tea friends")
        now = clock.now()
        raw: dict[str, Any] = {
            "campaign": {
                "slug": "spring",
                "title": {"en": "Spring", "zh_Hans": "春茶"},
                "benefit": {"en": "A cup", "zh_Hans": "一杯茶"},
                "timezone": "Asia/Shanghai",
                "starts_at": now - timedelta(days=2),
                "ends_at": now + timedelta(days=200),
            },
            "qualify": {"event": "purchased", "window_days": 30},
            "rewards": {
                "asset": "CNY",
                "budget": 10_000_000,
                "rules": [{"to": "advocate", "amount": amount, "hold_days": 0}],
            },
        }
        return brand, apply_campaign(session, brand, build_campaign(raw)).campaign

    def code_of(self, name: str) -> str:
        def unit(session: Session) -> str:
            known = members.meet(session, self.brand.id, [person(name)], [clock.now()], "message")[0]
            return enroll(session, session.get_one(Campaign, (self.brand.id, self.campaign.id)), known.member_id)

        return self.house.do(unit)

    def brings(self, code: str, names: Sequence[str]) -> list[UUID | None]:
        came = [Arrive(code, person(name), clock.now()) for name in names]
        return [one.member_id for one in self.house.do(lambda session: arrive(session, came))]

    def buys(self, net: int = 10_000, currency: str = "CNY", **who: Any) -> str:
        self.number += 1
        number = f"o{self.number}"
        order = Order(self.brand.id, "till", number, currency, net, clock.now(), **who)
        self.house.do(lambda session: orders.record_orders(session, [order]))
        return number

    def sends_back(self, number: str, currency: str = "CNY") -> None:
        back = RefundOrder(self.brand.id, "till", f"r{number}", number, None, currency, clock.now())
        self.house.do(lambda session: refunds.record_refunds(session, [back]))

    def clicks(self, code: str, *addresses: str | None, robot: bool = False) -> None:
        rows = [
            {
                "brand_id": self.brand.id,
                "id": ids.new(),
                "campaign_id": self.campaign.id,
                "code": code,
                "kind": "click",
                "touched_at": clock.now(),
                "address_hash": address,
                "robot": robot,
            }
            for address in addresses
        ]
        self.house.do(lambda session: insert_all(session, table(Touch), rows))

    def counts(self, seconds: float = 60) -> int:
        return self.house.do(
            lambda session: recount(session, session.get_one(Brand, self.brand.id), ALL, seconds, clock.now())
        )

    def sums(self, days: int = 30) -> Sums:
        today = clock.now().date() + timedelta(days=1)
        period = Period(today - timedelta(days=days), today)
        return self.house.ask(lambda session: figures.sums(session, self.brand.id, period))


def test_seven_of_twenty_new_customers_were_brought_which_is_exactly_35_percent(house: House) -> None:
    shop = Shop(house)
    friends = shop.brings(shop.code_of("Alice"), [f"friend{number}" for number in range(7)])
    for friend in friends:
        shop.buys(member_id=friend)
    for number in range(13):
        shop.buys(customer_hash=f"{number:032x}")  # whom only the shop knows
    shop.buys(member_id=friends[0])  # again: no new customer
    shop.buys(customer_hash=f"{0:032x}")
    shop.buys()  # names nobody
    shop.counts()
    found = shop.sums()
    rate = figures.referral_rate(found)
    assert (rate.part, rate.whole, rate.value) == (7, 20, Fraction(35, 100))
    assert rate.interval is not None
    assert (round(rate.interval.low, 4), round(rate.interval.high, 4)) == (
        0.1812,
        0.5671,
    )  # Wilson's, as tables have it
    assert found.of("nameless") == 1


def test_sixty_yuan_against_a_baseline_of_a_hundred_are_exactly_40_percent_less(house: House) -> None:
    shop = Shop(house)
    for friend in shop.brings(shop.code_of("Alice"), ["Bob", "Carol", "Dora"]):
        shop.buys(member_id=friend)
    shop.counts()
    house.do(lambda session: costs.set_baseline(session, shop.brand.id, "operator", "CNY", 10_000, "ads of October"))
    found = shop.sums()
    spent, unvalued = returns.spending(found, {}, {})
    base = house.ask(lambda session: costs.baselines_of(session, shop.brand.id))
    cac = returns.acquisition(spent["CNY"], found.brought, base["CNY"])
    assert unvalued == []
    assert cac.value == 6_000
    assert cac.change == Fraction(-40, 100)
    assert returns.returned(found, spent["CNY"], Period(clock.now().date(), clock.now().date())).value == Fraction(5, 3)


def test_people_are_counted_not_what_they_do_twice_and_robots_not_at_all(house: House) -> None:
    shop = Shop(house)
    code = shop.code_of("Alice")
    shop.clicks(code, "home", "home", "office", "cafe")
    shop.clicks(code, "crawler1", "crawler2", robot=True)
    bob, _ = shop.brings(code, ["Bob", "Carol"])
    shop.buys(member_id=bob)
    shop.buys(member_id=bob)
    shop.counts()
    found = shop.sums()
    assert [found.of(step) for step in figures.STEPS] == [3, 2, 1, 1, 1]


def test_what_changes_long_after_is_found_when_its_day_is_counted_again(house: House) -> None:
    shop = Shop(house)
    code = shop.code_of("Alice")
    bob, carol = shop.brings(code, ["Bob", "Carol"])
    first = shop.buys(member_id=bob)
    shop.buys(member_id=carol)
    shop.counts()
    assert (shop.sums().of("customers"), shop.sums().whole[("revenue", "CNY")]) == (2, 20_000)
    with later(days=3):
        shop.sends_back(first)
        shop.buys(member_id=bob)  # Bob's first order that stands
        shop.counts()
        found = shop.sums()
        assert found.brought == 2
        assert found.whole[("revenue", "CNY")] == 20_000
        assert found.whole[("granted", "CNY")] - found.whole[("taken_back", "CNY")] == 12_000
        period = Period(clock.now().date() - timedelta(days=2), clock.now().date() + timedelta(days=1))
        late = house.ask(lambda session: figures.sums(session, shop.brand.id, period))
        assert late.brought == 1  # his day is the later one now


def test_a_friend_who_is_taken_back_counts_no_longer(house: House) -> None:
    shop = Shop(house)
    (bob,) = shop.brings(shop.code_of("Alice"), ["Bob"])
    shop.buys(member_id=bob)
    shop.counts()
    assert shop.sums().of("qualified") == 1

    def undo(session: Session) -> None:
        referral = session.scalars(select(Referral).where(col(Referral.brand_id) == shop.brand.id)).one()
        rejection.reject(session, shop.brand.id, referral.id, reason="one person", actor="operator")

    house.do(undo)
    shop.counts()
    assert (shop.sums().of("qualified"), shop.sums().of("came")) == (0, 1)


def test_an_order_told_late_lands_on_its_own_day(house: House) -> None:
    shop = Shop(house)
    (bob,) = shop.brings(shop.code_of("Alice"), ["Bob"])
    shop.counts()
    asked = clock.now()
    with later(days=10):
        told = Order(shop.brand.id, "till", "late", "CNY", 9_900, asked, member_id=bob)
        house.do(lambda session: orders.record_orders(session, [told]))
        shop.counts()
        day = asked.astimezone(ZoneInfo("Asia/Shanghai")).date()
        found = house.ask(lambda session: figures.sums(session, shop.brand.id, Period(day, day)))
        assert (found.brought, found.whole[("revenue", "CNY")]) == (1, 9_900)


def test_counting_again_changes_nothing_and_little_time_counts_the_newest_day_first(house: House) -> None:
    shop = Shop(house)
    code = shop.code_of("Alice")
    for day in range(3):
        with later(days=day):
            shop.brings(code, [f"friend{day}"])
    with later(days=3):
        assert shop.counts(seconds=0) > 0  # a day of each kind of record, and the rest waits
        assert shop.sums().of("came") == 1
        while shop.counts(seconds=0):
            pass
        once = dict(shop.sums().daily)
        shop.counts()
        assert dict(shop.sums().daily) == once
        assert shop.sums().of("came") == 3


def test_another_time_zone_has_other_days(house: House) -> None:
    shop = Shop(house)
    shop.brings(shop.code_of("Alice"), ["Bob"])
    shop.counts()

    def move(session: Session) -> None:
        t = table(Brand)
        session.execute(update(t).where(t.c.id == shop.brand.id).values(timezone="Asia/Kolkata"))

    house.do(move)
    shop.counts()
    days = house.ask(
        lambda session: session.scalars(select(col(InsightDay.day)).where(col(InsightDay.source) == "referral")).all()
    )
    assert shop.sums().of("came") == 1
    assert clock.now().astimezone(ZoneInfo("Asia/Kolkata")).date() in days
