"""Mei's tea shop counts its days: who came, how far they got, who bought for the first time, what it cost."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlmodel import Session, col

from core import clock, ids
from core.db import table
from referral import members, orders, rejection
from referral.brands import Brand
from referral.conversions import Order
from referral.insight import figures
from referral.insight import recount as recounting
from referral.insight.figures import Period
from referral.insight.models import InsightDay, InsightMark
from referral.insight.recount import OVERLAP
from referral.linking import link, undo_link
from referral.referrals import Referral
from rewards.insight import costs, returns
from tests.house import House, later
from tests.referral.insight.teashop import Shop


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
    rate = figures.referral_rate(found, found.of("customers"))
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
        today = clock.now().astimezone(ZoneInfo(shop.brand.timezone)).date()
        period = Period(today - timedelta(days=2), today + timedelta(days=1))
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
    found = shop.sums()
    assert (found.of("qualified"), found.of("came"), found.brought) == (0, 1, 0)
    assert found.of("customers") == 1, "they have bought all the same"
    assert found.of("revenue") == found.of("orders") == 0, "what they bought nobody brought, as its journey says"


def test_two_accounts_of_one_person_are_one_friend_while_they_are_linked(house: House) -> None:
    shop = Shop(house)
    code = shop.code_of("Alice")
    bob, other = shop.brings(code, ["Bob", "Bobby"])
    assert bob is not None
    assert other is not None
    for member in (bob, other):
        shop.buys(member_id=member)

    def people() -> list[int]:
        shop.counts()
        found = shop.sums()
        return [*(found.of(step) for step in figures.STEPS[1:]), found.of("customers"), found.brought]

    assert people() == [2, 2, 2, 2, 2, 2]
    house.do(lambda session: link(session, shop.brand.id, bob, other))
    assert people() == [1, 1, 1, 1, 1, 1]
    house.do(lambda session: undo_link(session, shop.brand.id, bob))
    assert people() == [2, 2, 2, 2, 2, 2]


def test_two_accounts_of_one_advocate_are_one_advocate_while_they_are_linked(house: House) -> None:
    shop = Shop(house)
    for name, friend in (("Alice", "Bob"), ("Alicia", "Carol")):
        shop.brings(shop.code_of(name), [friend])
    names = ("alice", "alicia")
    alice, alicia = (
        house.ask(lambda session, name=name: members.find_identity(session, shop.brand.id, "telegram", name))  # type: ignore[misc]
        for name in names
    )
    assert alice is not None
    assert alicia is not None

    def advocates() -> int:
        shop.counts()
        return shop.sums().of("advocates")

    assert advocates() == 2
    house.do(lambda session: link(session, shop.brand.id, alice.member_id, alicia.member_id))
    assert advocates() == 1
    house.do(lambda session: undo_link(session, shop.brand.id, alice.member_id))
    assert advocates() == 2


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


def long_ago(shop: Shop) -> None:
    """Whatever was written so far lies well behind the mark, where nobody looks for something new."""
    ahead = UUID(int=ids.new().int + (int(2 * OVERLAP.total_seconds() * 1000) << 80))
    t = table(InsightMark)
    shop.house.do(lambda session: session.execute(update(t).where(t.c.brand_id == shop.brand.id).values(seen_id=ahead)))


def with_a_late_refund(house: House) -> Shop:
    """Bob's order, many since, and sixty days after it what nothing tells its day of: Bob sends it back."""
    shop = Shop(house)
    (bob,) = shop.brings(shop.code_of("Alice"), ["Bob"])
    first = shop.buys(member_id=bob)
    for day in (57, 58, 59):
        with later(days=day):
            shop.buys(customer_hash=f"{day:032x}")
    with later(days=60):
        shop.counts()
        shop.sends_back(first)
    long_ago(shop)
    return shop


def revenue(shop: Shop) -> int:
    return shop.sums().whole[("revenue", "CNY")]


def test_an_old_day_has_its_turn_though_today_takes_all_the_time_there_is(house: House) -> None:
    shop = with_a_late_refund(house)
    t = table(InsightDay)
    newest = select(func.max(t.c.day)).where(t.c.brand_id == shop.brand.id, t.c.source == "conversion")
    for hour in range(1, 9):
        with later(days=60, hours=hour):
            of_today = (t.c.brand_id == shop.brand.id, t.c.day == newest.scalar_subquery())
            house.do(lambda session, here=of_today: session.execute(update(t).where(*here).values(stale=True)))  # type: ignore[misc]
            shop.counts(seconds=0)
    assert revenue(shop) == 0


def test_old_days_come_round_however_many_may_still_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = with_a_late_refund(house)
    monkeypatch.setattr(recounting, "AT_ONCE", 2)  # so that the open days alone are more than fit
    for hour in range(1, 9):
        with later(days=60, hours=hour):
            shop.counts()
    assert revenue(shop) == 0
