"""A campaign that has ended settles by itself, as soon as nothing can change its books any more and not before."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from referral import cases, stays
from referral.campaigns import Campaign, move
from rewards import rewards
from rewards.plans import Plan, Rule
from rewards.settlement import LATE_ORDERS, LOOK_AGAIN, settle, settle_due
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop


def ends(shop: Shop) -> None:
    shop.house.do(lambda session: move(session, campaign_of(session, shop), "end"))


def campaign_of(session: Session, shop: Shop) -> Campaign:
    return session.get_one(Campaign, (shop.brand.id, shop.campaign.id))


def state(shop: Shop) -> str:
    return shop.house.ask(lambda session: campaign_of(session, shop).state)


def settles(shop: Shop) -> int:
    """The job runs until nothing is due; how many campaigns it looked at."""
    return sum(iter(lambda: shop.house.do(settle_due), 0))


def test_with_nothing_to_wait_for_it_settles_at_once(house: House) -> None:
    shop = open_shop(house)
    assert settles(shop) == 0
    ends(shop)
    assert settles(shop) == 1
    assert (state(shop), shop.budget()) == ("settled", 0)
    assert settles(shop) == 0
    assert shop.problems() == []


def test_it_waits_for_the_last_hold(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    with later(days=7):
        shop.stays()
        ends(shop)
        assert settles(shop) == 1
        assert state(shop) == "ended"
        assert settles(shop) == 0  # it does not look again before there can be something new
    with later(days=9, hours=23):
        assert settles(shop) == 0
    with later(days=10, minutes=6):
        assert settles(shop) == 1  # the hold is over, but the job that says so has not run
        house.do(rewards.release_due)
    with later(days=10, minutes=12):
        assert settles(shop) == 1
        assert (state(shop), shop.budget()) == ("settled", 0)
        assert shop.problems() == []


def test_it_waits_for_the_job_that_lets_friends_go(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    ends(shop)
    settles(shop)
    assert state(shop) == "ended"
    house.do(stays.expire)
    with later(seconds=LOOK_AGAIN.total_seconds()):
        settles(shop)
        assert state(shop) == "settled"


@pytest.mark.parametrize("how", ["by purchase", "by another rule"])
def test_it_waits_for_orders_that_shops_tell_late(house: House, how: str) -> None:
    rules = [Rule(to="advocate", amount=100)]
    if how == "by another rule":
        rules.append(Rule(to="advocate", name="bought", amount=50, on="purchased"))
    shop = open_shop(
        house, Plan(rules=tuple(rules), budget=1000), event="purchased" if how == "by purchase" else "joined"
    )
    shop.brings("Bob")
    shop.buys("Bob", "1")
    ends(shop)
    with later(hours=1):
        settles(shop)
        assert state(shop) == "ended"
    with later(seconds=LATE_ORDERS.total_seconds() + 1):
        house.do(rewards.release_due)
        settles(shop)
        assert state(shop) == "settled"


def test_it_waits_for_a_decision(house: House) -> None:
    shop = open_shop(house)

    def ask(session: Session) -> None:
        cases.open_case(session, shop.brand.id, "appeal", "a", campaign_id=shop.campaign.id, member_id=shop.alice)

    house.do(ask)
    ends(shop)
    settles(shop)
    assert state(shop) == "ended"
    with later(days=1):
        house.do(lambda session: cases.close_cases(session, shop.brand.id, "appeal", ["a"], "moot"))
        settles(shop)
        assert state(shop) == "settled"


def test_what_an_operator_settles_first_is_left_alone(house: House) -> None:

    shop = open_shop(house)
    ends(shop)
    assert house.do(lambda session: settle(session, campaign_of(session, shop))) == {"PTS": 1000}
    assert settles(shop) == 1
    assert shop.problems() == []


def test_several_assets_go_back_each_once(house: House) -> None:
    plan = Plan(
        rules=(Rule(to="advocate", amount=100), Rule(to="friend", amount=5, asset="CNY")),
        budget=1000,
        budgets={"CNY": 700},
    )
    shop = open_shop(house, plan)
    ends(shop)
    with later(days=1):
        settles(shop)
    assert (shop.budget(), shop.budget("CNY")) == (0, 0)
    assert shop.problems() == []
