"""A shop that used to send and sends no more is told of; of one that never had a habit nobody guesses."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from sqlmodel import Session

from referral import shops
from referral.brands import create_brand
from referral.shop_silence import Silent, silent_shops
from referral.shops import Delivery, Shop
from tests.house import House, later

DAILY = [*range(21)]


def opened(house: House, brand: str = "Tea") -> Shop:
    """A brand with a shop."""

    def unit(session: Session) -> Shop:
        return shops.connect_shop(session, create_brand(session, brand).id, "shopify", "Hill", {})

    return house.do(unit)


def sends(house: House, shop: Shop, days: list[int], *, each: int = 1) -> None:
    """Messages of the shop on these days from now, so many each."""

    def unit(session: Session, day: int) -> None:
        for number in range(each):
            told = Delivery(f"{day}-{number}", "orders/paid", "#1", "recorded")
            shops.remember(session, shop.brand_id, shop.id, told)

    for day in days:
        with later(days=day):
            house.do(partial(unit, day=day))


def silent(house: House, brand_id: UUID, day: int, hours: int = 1) -> list[Silent]:
    """Who is told of on this day."""
    with later(days=day, hours=hours):
        return house.ask(lambda session: silent_shops(session, brand_id))


def test_a_shop_that_sent_daily_is_told_of_after_a_week_of_silence(house: House) -> None:
    shop = opened(house)
    stranger = opened(house, "Coffee")
    sends(house, shop, DAILY)
    assert silent(house, shop.brand_id, 27, hours=23) == []
    assert silent(house, shop.brand_id, 28) == [Silent("shopify", "Hill", 8)]
    assert silent(house, shop.brand_id, 50) == [Silent("shopify", "Hill", 30)]
    assert silent(house, stranger.brand_id, 50) == []
    sends(house, shop, [49])
    assert silent(house, shop.brand_id, 50) == []
    assert silent(house, shop.brand_id, 90) == [], "it has been silent for a month before"


def test_a_shop_that_was_disconnected_is_silent_by_our_own_will(house: House) -> None:
    shop = opened(house)
    sends(house, shop, DAILY)
    house.do(lambda session: shops.end_shop(session, shop.brand_id, shop.source))
    assert silent(house, shop.brand_id, 50) == []


@pytest.mark.parametrize(
    ("days", "each", "told"),
    [
        ([], 1, False),  # it never sent
        ([0, 7, 14], 1, False),  # too few to tell a habit
        ([0, 7, 14, 21, 28], 1, True),
        ([0, 7, 16, 21, 28], 1, False),  # it has been longer than a week before
        ([0, 1, 2], 4, False),  # tried out for three days
        ([0, 1, 2], 40, True),  # more than we keep: a busy one
    ],
)
def test_nobody_guesses_where_there_was_no_habit(house: House, days: list[int], each: int, told: bool) -> None:
    shop = opened(house)
    sends(house, shop, days, each=each)
    assert bool(silent(house, shop.brand_id, 60)) is told
