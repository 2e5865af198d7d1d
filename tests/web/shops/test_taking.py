"""What a message says is booked part by part, once, whatever comes before or at the same moment."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from core import clock
from core.db import make_engine
from core.errors import NotFound, Unavailable
from core.writer import Writer
from referral import brands, campaigns, members, shops
from referral.attribution.decisions import Attribution
from referral.campaigns import Campaign
from referral.conversions import Conversion, Refund
from referral.shops import Opened, ShopRefund
from referral.touches import Touch
from tests.house import House, person
from tests.rewards.items.counter import buy, offer, open_counter
from tests.rewards.items.counter import codes as promo_codes
from web.hooks.news import Back, Item, Sale, Told
from web.hooks.taking import goods_part, take_in


def sale(number: str = "pi_1", **more: Any) -> Sale:
    """Goods for 80.00 of the 108.00 that were paid."""
    usual = Sale(number, "EUR", 12_800, clock.now(), 2_000, 1_000, 1_800, contacts=("bob@example.com",))
    return replace(usual, **more)


def back(number: str, paid: int, order: str = "pi_1") -> Back:
    return Back(number, order, "EUR", clock.now(), paid=paid)


def open_shop(house: House) -> tuple[Opened, str]:
    """A connected shop, and Alice's code."""

    def unit(session: Session) -> tuple[Opened, str]:
        brand = brands.create_brand(session, "Wild", slug="wild")
        campaign = Campaign(
            brand_id=brand.id,
            slug="tea",
            state="running",
            event="purchased",
            title={"en": "Tea"},
            benefit={"en": "Tea"},
            starts_at=clock.now() - timedelta(days=1),
            ends_at=clock.now() + timedelta(days=30),
            created_at=clock.now(),
        )
        session.add(campaign)
        session.flush()
        alice = members.meet(session, brand.id, [person("Alice")], [clock.now()], "message")[0].member_id
        code = campaigns.enroll(session, campaign, alice)
        shop = shops.connect_shop(session, brand.id, "stripe", "Till", {})
        return Opened(brand.id, shop.id, shop.kind, shop.source, shop.options, {}), code

    return house.do(unit)


def take(house: House, shop: Opened, *items: Item) -> str:
    told = Told("event", "order", items)
    return house.do(lambda session: take_in(session, shop, told, str(hash(items)))).outcome


def orders(house: House) -> list[Conversion]:
    return house.ask(lambda session: list(session.exec(select(Conversion).order_by(col(Conversion.id)))))


def test_one_part_that_is_wrong_keeps_no_other_out(house: House) -> None:
    shop, code = open_shop(house)
    wrong = sale("pi_2", shipping=99_999)
    assert take(house, shop, sale(codes=(code,)), wrong, back("re_1", 5_400)) == "refused"
    assert [(row.external_id, row.status, row.refunded) for row in orders(house)] == [("pi_1", "attributed", 4_000)]
    (line,) = house.ask(lambda session: shops.deliveries_of(session, shop.brand_id, shop.shop_id))
    assert (line.reason, line.params) == ("order_below_zero", {"net": "-90999"})


def test_a_refund_that_contradicts_its_order_keeps_no_order_out(house: House) -> None:
    shop, code = open_shop(house)
    assert take(house, shop, replace(back("re_1", 5_400), currency="USD"), back("re_2", 5_400)) == "waiting"
    assert take(house, shop, sale(codes=(code,))) == "refused"
    assert [(row.status, row.refunded) for row in orders(house)] == [("attributed", 4_000)]
    assert house.ask(lambda session: session.exec(select(ShopRefund)).all()) == []


def test_what_only_may_have_been_a_code_is_not_kept(house: House) -> None:
    shop, _ = open_shop(house)
    take(house, shop, sale(maybe=("user_123", "please ring twice")))
    take(house, shop, sale("pi_2", codes=("NONE",)))
    assert [row.code for row in orders(house)] == [None, "NONE"]


@pytest.mark.parametrize(("robot", "kept"), [(False, True), (True, False)])
def test_a_click_of_another_link_stays_beside_the_code_that_was_typed(house: House, robot: bool, kept: bool) -> None:
    """So that the campaign's policy can weigh the two; a robot's click says nothing."""
    shop, code = open_shop(house)

    def bens(session: Session) -> tuple[str, UUID]:
        campaign = session.exec(select(Campaign)).one()
        ben = members.meet(session, shop.brand_id, [person("Ben")], [clock.now()], "message")[0].member_id
        click = Touch(
            brand_id=shop.brand_id,
            campaign_id=campaign.id,
            code=campaigns.enroll(session, campaign, ben),
            kind="click",
            touched_at=clock.now(),
            robot=robot,
        )
        session.add(click)
        session.flush()
        return str(click.code), click.id

    clicked, click = house.do(bens)
    take(house, shop, sale("typed", codes=(code,), clicks=(str(click),)))
    take(house, shop, sale("the same", codes=(clicked,), clicks=(str(click),), contacts=("carl@example.com",)))
    decided = house.ask(lambda session: session.exec(select(Attribution)).all())
    assert [row.code for row in orders(house)] == [code, clicked]
    assert {one.click_id for one in decided} == ({click, None} if kept else {None})


def test_parts_of_a_whole_refund_leave_nothing(house: House) -> None:
    shop, _ = open_shop(house)
    take(house, shop, sale())
    for number, paid in enumerate((1, 3_599, 3_600, 3_600)):
        take(house, shop, back(f"re_{number}", paid))
    (row,) = orders(house)
    assert (row.net, row.left) == (8_000, 0)
    assert goods_part(row, 10_800) == 8_000
    assert goods_part(row, 10**15) == 8_000


def test_what_a_database_cannot_keep_is_never_handed_to_it(house: House) -> None:
    shop, _ = open_shop(house)
    assert take(house, shop, sale("a\x00b")) == "refused"
    assert take(house, shop, sale("x" * 201)) == "refused"
    assert take(house, shop, sale("pi_2", codes=("x" * 100, "\N{CIRCLED DIGIT ONE}", "' OR 1=1 --"))) == "recorded"
    assert take(house, shop, sale("pi_3", contacts=("not a contact", "@", "12"), customer="7")) == "recorded"


def test_a_promo_code_names_the_member_who_had_it_of_us(house: House) -> None:
    counter = open_counter(house)
    offer(counter, "code", "promo_code", price=10)
    [promo] = promo_codes(counter, buy(counter, "code"))

    def connected(session: Session) -> Opened:
        shop = shops.connect_shop(session, counter.brand.id, "shopify", "Till", {})
        return Opened(counter.brand.id, shop.id, shop.kind, shop.source, shop.options, {})

    shop = house.do(connected)
    take(house, shop, sale(maybe=("SUMMER", promo.lower())))
    (row,) = orders(house)
    assert row.code is not None
    assert house.ask(lambda session: campaigns.owners_of(session, [row.code or ""])[row.code or ""]).advocate_id == (
        counter.alice
    )


def test_an_order_and_its_refund_in_two_processes_see_each_other(house: House) -> None:
    shop, code = open_shop(house)
    other = Writer(make_engine(house.url, writer=True), house.bus).start()
    try:
        for number in range(6):
            order, refund = sale(f"pi_{number}", codes=(code,)), back(f"re_{number}", 5_400, f"pi_{number}")
            ready = threading.Barrier(2)

            def run(writer: Writer, item: Item, ready: threading.Barrier = ready) -> None:
                ready.wait(10)
                told = Told("event", "", (item,))
                writer.run_sync(lambda session: take_in(session, shop, told, str(hash(item))))

            both = [threading.Thread(target=run, args=pair) for pair in ((house.writer, order), (other, refund))]
            for one in both:
                one.start()
            for one in both:
                one.join(30)
        assert [row.refunded for row in orders(house)] == [4_000] * 6
        assert house.ask(lambda session: session.exec(select(ShopRefund)).all()) == []
        assert len(house.ask(lambda session: session.exec(select(Refund)).all())) == 6
    finally:
        other.close()


def test_a_shop_disconnected_meanwhile_books_nothing(house: House) -> None:
    shop, _ = open_shop(house)
    house.do(lambda session: shops.end_shop(session, shop.brand_id, shop.source))
    with pytest.raises(NotFound, match="shop"):
        take(house, shop, sale())
    assert orders(house) == []


def test_secrets_are_sealed_and_open_only_their_own_shop(house: House) -> None:
    shop, _ = open_shop(house)

    def swap(session: Session) -> shops.Shop:
        first = shops.set_secrets(session, shop.brand_id, "stripe", {"secret": "whsec_1"})
        second = shops.connect_shop(session, shop.brand_id, "stripe", "Other", {})
        second.sealed = first.sealed
        return second

    assert "whsec_1" not in house.do(swap).sealed
    with pytest.raises(Unavailable):
        house.ask(lambda session: shops.opened(session, "wild", "stripe-2"))
