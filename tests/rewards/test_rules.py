"""What rules of a plan earn, one story each: orders, conditions, tiers, milestones, caps, admins, risk."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session, col, select

from core import clock
from referral.admins import name_admin
from referral.brands import Community
from referral.linking import link, undo_link
from referral.members import meet
from referral.referrals import Referral
from rewards.plans import Plan
from rewards.privacy import forget_rewards
from rewards.rewards import Reward, release_due
from tests.house import House, later, person
from tests.rewards.shop import Shop, open_shop


def plan(*rules: dict[str, Any], **more: Any) -> Plan:
    return Plan.model_validate({"budget": 100_000, "rules": rules} | more)


PERCENT = {"to": "advocate", "on": "purchased", "asset": "CNY", "basis_points": 500}
YUAN = {"budgets": {"CNY": 100_000}}
TIERS = {
    "to": "advocate",
    "tiers": {"mode": "marginal", "steps": [{"from": 1, "amount": 10}, {"from": 3, "amount": 30}]},
}
MILESTONE = {"to": "advocate", "milestones": [{"reach": 2, "amount": 500}, {"reach": 4, "amount": 900}]}


def friends_stay(shop: Shop, *names: str) -> None:
    """These friends come, stay a week each, and qualify one after another."""
    for name in names:
        shop.brings(name)
        with later(days=7):
            assert shop.stays() == 1


def facts_of(shop: Shop, member: Any) -> list[dict[str, Any] | None]:
    rewards = shop.house.ask(
        lambda session: session.scalars(select(Reward).where(col(Reward.member_id) == member)).all()
    )
    return [reward.facts for reward in rewards]


def test_each_order_of_a_friend_pays_its_share(house: House) -> None:
    shop = open_shop(house, plan(PERCENT, **YUAN))
    shop.brings("Bob")
    shop.buys("Bob", "1", 19_99)
    shop.buys("Bob", "1", 19_99)
    shop.buys("Bob", "2", 100_00)
    assert [line[0] for line in shop.lines(shop.alice)] == [99, 500]
    assert shop.purse(shop.alice) == {"payable": 599}
    assert shop.budget("CNY") == 100_000 - 599
    assert facts_of(shop, shop.alice)[0] == {"order.currency": "CNY", "order.kept": 1999}
    assert shop.problems() == []


def test_an_order_in_another_currency_pays_neither_side(house: House) -> None:
    both = plan(PERCENT, PERCENT | {"to": "friend"}, **YUAN)
    shop = open_shop(house, both)
    bob = shop.brings("Bob")
    shop.buys("Bob", "1", 100_00, "USD")
    assert shop.lines(shop.alice) == shop.lines(bob) == [(500, "capped", "currency_differs")]
    assert shop.purse(shop.alice) == shop.purse(bob) == {}


def test_a_share_below_one_unit_is_nothing(house: House) -> None:
    shop = open_shop(house, plan(PERCENT, **YUAN))
    shop.brings("Bob")
    shop.buys("Bob", "1", 19)
    assert shop.lines(shop.alice) == [(0, "capped", "nothing_due")]
    assert shop.problems() == []


def test_the_first_order_qualifies_and_later_ones_earn_by_their_own_rule(house: House) -> None:
    once = {"to": "friend", "amount": 50}
    shop = open_shop(house, plan(once, PERCENT, **YUAN), event="purchased")
    bob = shop.brings("Bob")
    shop.buys("Bob", "1")
    shop.buys("Bob", "2")
    assert shop.lines(bob) == [(50, "payable", None)]
    assert shop.lines(shop.alice) == [(500, "payable", None)] * 2


def test_a_join_can_earn_where_staying_is_what_counts(house: House) -> None:
    shop = open_shop(house, plan({"to": "friend", "on": "joined", "amount": 5}, {"to": "advocate", "amount": 100}))
    bob = shop.brings("Bob")
    assert shop.lines(bob) == [(5, "payable", None)]
    assert shop.lines(shop.alice) == []
    with later(days=7):
        shop.stays()
    assert shop.lines(bob) == [(5, "payable", None)]
    assert shop.lines(shop.alice) == [(100, "payable", None)]


def test_a_condition_decides_and_what_it_saw_is_kept(house: House) -> None:
    shop = open_shop(house, plan(PERCENT | {"when": "order.net >= 5000 && order.first"}, **YUAN))
    shop.brings("Bob")
    shop.buys("Bob", "1", 49_99)
    assert shop.lines(shop.alice) == [(0, "capped", "not_met")]
    assert shop.rewards(shop.alice) == []  # nobody asked
    shop.brings("Carol")
    shop.buys("Carol", "2", 50_00)
    assert shop.lines(shop.alice)[1:] == [(250, "payable", None)]
    assert facts_of(shop, shop.alice)[1] == {
        "order.currency": "CNY",
        "order.first": True,
        "order.kept": 5000,
        "order.net": 5000,
    }


def test_tiers_pay_more_from_a_step_on(house: House) -> None:
    shop = open_shop(house, plan(TIERS))
    friends_stay(shop, "Bob", "Carol", "Dan", "Eve")
    assert [line[0] for line in shop.lines(shop.alice)] == [10, 10, 30, 30]
    assert shop.problems() == []


def test_cumulative_tiers_make_up_for_the_friends_before(house: House) -> None:
    steps = [{"from": 1, "amount": 10}, {"from": 3, "amount": 30}]
    shop = open_shop(house, plan({"to": "advocate", "tiers": {"mode": "cumulative", "steps": steps}}))
    friends_stay(shop, "Bob", "Carol", "Dan", "Eve")
    assert [line[0] for line in shop.lines(shop.alice)] == [10, 10, 70, 30]


def test_a_milestone_is_paid_when_reached_whoever_reaches_it(house: House) -> None:
    shop = open_shop(house, plan(MILESTONE))
    friends_stay(shop, "Bob", "Carol", "Dan")
    assert shop.lines(shop.alice) == [(0, "capped", "counted"), (500, "payable", None), (0, "capped", "counted")]
    assert [reward.amount for reward in shop.rewards(shop.alice)] == [500]
    assert shop.problems() == []


def test_friends_of_one_batch_reach_a_milestone_once(house: House) -> None:
    shop = open_shop(house, plan(MILESTONE))
    for name in ("Bob", "Carol", "Dan"):
        shop.brings(name)
    with later(days=7):
        assert shop.stays() == 3
    assert sorted(line[0] for line in shop.lines(shop.alice)) == [0, 0, 500]


def test_a_milestone_is_lost_with_a_friend_and_won_again(house: House) -> None:
    shop = open_shop(house, plan(MILESTONE))
    friends_stay(shop, "Bob", "Carol")
    shop.reverses("Bob")
    assert shop.purse(shop.alice) == {}
    assert shop.lines(shop.alice)[1] == (0, "clawed_back", "milestone_lost")
    assert shop.budget() == 100_000
    friends_stay(shop, "Dan")
    assert shop.purse(shop.alice) == {"payable": 500}
    # Carol's reward is gone already; that she falls now costs the milestone that Dan reached with her.
    shop.reverses("Carol")
    assert shop.purse(shop.alice) == {}
    assert shop.problems() == []


def test_a_step_that_is_reached_without_the_fallen_friend_stays_paid(house: House) -> None:
    shop = open_shop(house, plan(MILESTONE | {"hold_days": 9}))
    friends_stay(shop, "Bob", "Carol", "Dan")
    assert shop.lines(shop.alice)[1] == (500, "held", None)
    shop.reverses("Carol")
    assert shop.purse(shop.alice) == {"held": 500}
    assert shop.lines(shop.alice)[1:] == [
        (0, "voided", "fraud"),
        (500, "held", None),
        (0, "capped", "counted"),
    ]
    shop.reverses("Dan")
    assert shop.purse(shop.alice) == {}
    assert shop.problems() == []


def test_a_step_is_paid_once_when_a_fallen_friend_comes_back(house: House) -> None:
    shop = open_shop(house, plan(MILESTONE))
    carol = shop.brings("Carol")
    with later(days=7):
        shop.stays()
    friends_stay(shop, "Bob", "Dan")
    assert shop.purse(shop.alice) == {"payable": 500}
    joined = house.do(lambda session: link(session, shop.brand.id, shop.alice, carol))
    assert shop.purse(shop.alice) == {"payable": 500}
    house.do(lambda session: undo_link(session, shop.brand.id, joined.id))
    assert shop.purse(shop.alice) == {"payable": 500}
    assert shop.problems() == []


def test_of_tiers_only_the_surplus_is_taken_back(house: House) -> None:
    steps = [{"from": 1, "amount": 10}, {"from": 3, "amount": 30}]
    shop = open_shop(house, plan({"to": "advocate", "tiers": {"mode": "cumulative", "steps": steps}}))
    friends_stay(shop, "Bob", "Carol", "Dan")
    assert shop.purse(shop.alice) == {"payable": 90}
    shop.reverses("Bob")
    assert shop.purse(shop.alice) == {"payable": 20}
    assert [line[0] for line in shop.lines(shop.alice)] == [0, 10, 10]
    assert shop.problems() == []


def test_friends_beyond_the_cap_do_not_count_for_milestones(house: House) -> None:
    shop = open_shop(house, plan(MILESTONE, cap=1))
    friends_stay(shop, "Bob", "Carol")
    assert shop.lines(shop.alice) == [(0, "capped", "counted"), (500, "capped", "cap_reached")]


def test_a_friends_orders_count_once_towards_a_milestone(house: House) -> None:
    shop = open_shop(house, plan(MILESTONE | {"on": "purchased"}))
    shop.brings("Bob")
    for number in ("1", "2", "3"):
        shop.buys("Bob", number)
    assert shop.lines(shop.alice) == [(0, "capped", "counted")]
    shop.brings("Carol")
    shop.buys("Carol", "4")
    assert shop.purse(shop.alice) == {"payable": 500}


def test_a_friend_within_the_cap_goes_on_earning(house: House) -> None:
    shop = open_shop(house, plan(PERCENT, cap=1, **YUAN))
    shop.brings("Bob")
    shop.brings("Carol")
    for number, name in enumerate(("Bob", "Bob", "Carol", "Bob")):
        shop.buys(name, str(number))
    assert [state for _, state, _ in shop.lines(shop.alice)] == ["payable", "payable", "capped", "payable"]


def test_who_is_forgotten_takes_the_facts_along(house: House) -> None:
    shop = open_shop(house, plan(PERCENT, **YUAN))
    bob = shop.brings("Bob")
    shop.buys("Bob", "1")
    house.do(lambda session: forget_rewards(session, shop.brand.id, bob))
    assert facts_of(shop, shop.alice) == [None]
    assert shop.purse(shop.alice) == {"payable": 500}


@pytest.mark.parametrize(
    ("cap", "paid"),
    [
        ({"friend": 600}, [500, 500]),
        ({"advocate": 600}, [500]),
        ({"day": 1000}, [500, 500]),
        ({"campaign": 999}, [500]),
    ],
)
def test_a_cap_in_money_stops_the_whole_reward(house: House, cap: dict[str, int], paid: list[int]) -> None:
    shop = open_shop(house, plan(PERCENT | {"caps": cap}, PERCENT | {"to": "friend"}, **YUAN))
    bob, carol = shop.brings("Bob"), shop.brings("Carol")
    shop.buys("Bob", "1")
    shop.buys("Bob", "2")
    shop.buys("Carol", "3")
    granted = [amount for amount, state, _ in shop.lines(shop.alice) if state == "payable"]
    assert granted == paid
    # What stops one side stops the other.
    both = shop.lines(bob) + shop.lines(carol)
    assert sum(state == "payable" for _, state, _ in both) == len(paid)
    assert {reason for _, state, reason in both if state == "capped"} == {f"cap_{next(iter(cap))}"}
    assert shop.problems() == []


def test_a_day_begins_where_the_campaign_is(house: House) -> None:
    capped = plan(PERCENT | {"caps": {"day": 500}}, **YUAN)
    with clock.moved(clock.parse("2026-03-02T15:00:00Z") - clock.now()):  # 23:00 in Shanghai
        shop = open_shop(house, capped)
        shop.brings("Bob")
        shop.buys("Bob", "1")
        shop.buys("Bob", "2")
        with later(minutes=59):
            shop.buys("Bob", "3")
        with later(hours=1):
            shop.buys("Bob", "4")
    assert [state for _, state, _ in shop.lines(shop.alice)] == ["payable", "capped", "capped", "payable"]


def test_a_week_begins_on_monday(house: House) -> None:
    capped = plan(PERCENT | {"caps": {"week": 500}}, **YUAN)
    with clock.moved(clock.parse("2026-03-08T15:59:00Z") - clock.now()):  # Sunday, a minute to midnight
        shop = open_shop(house, capped)
        shop.brings("Bob")
        shop.buys("Bob", "1")
        shop.buys("Bob", "2")
        with later(minutes=1):
            shop.buys("Bob", "3")
    assert [state for _, state, _ in shop.lines(shop.alice)] == ["payable", "capped", "payable"]


def test_what_is_taken_back_makes_room_under_a_cap(house: House) -> None:
    shop = open_shop(house, plan({"to": "advocate", "amount": 100, "caps": {"campaign": 100}}))
    friends_stay(shop, "Bob", "Carol")
    assert shop.lines(shop.alice)[1] == (100, "capped", "cap_campaign")
    shop.reverses("Bob")
    friends_stay(shop, "Dan")
    assert shop.purse(shop.alice) == {"payable": 100}


def admin_of(shop: Shop, name: str) -> Any:
    """Make somebody on Telegram the admin of the group."""

    def make(session: Session) -> Any:
        meet(session, shop.brand.id, [person(name)], [clock.now()], "message")
        place = session.get_one(Community, (shop.brand.id, shop.group.id))
        return name_admin(session, place, "telegram", name.lower())

    return shop.house.do(make)


ADMIN = {"to": "admin", "amount": 10}


def test_the_admin_of_the_group_gets_a_share(house: House) -> None:
    shop = open_shop(house, plan({"to": "advocate", "amount": 100}, ADMIN))
    friends_stay(shop, "Bob")  # nobody is admin yet: nothing is held back for nobody
    zoe = admin_of(shop, "Zoe")
    friends_stay(shop, "Carol")
    assert shop.lines(zoe) == [(10, "payable", None)]
    assert shop.purse(shop.alice) == {"payable": 200}
    assert shop.problems() == []


@pytest.mark.parametrize("who", ["Alice", "Bob"])
def test_an_admin_gets_nothing_for_a_referral_of_their_own(house: House, who: str) -> None:
    shop = open_shop(house, plan({"to": "advocate", "amount": 100}, ADMIN))
    bob = shop.brings("Bob")
    admin_of(shop, who)
    with later(days=7):
        shop.stays()
    member = shop.alice if who == "Alice" else bob
    assert (0, "capped", "self_dealing") in shop.lines(member)
    assert shop.purse(shop.alice) == {"payable": 100}


def test_an_admin_with_two_accounts_is_one_person(house: House) -> None:
    shop = open_shop(house, plan({"to": "advocate", "amount": 100}, ADMIN))
    other = admin_of(shop, "Zoe")
    shop.house.do(lambda session: link(session, shop.brand.id, shop.alice, other))
    friends_stay(shop, "Bob")
    assert (0, "capped", "self_dealing") in shop.lines(shop.alice)


def test_a_risky_referral_waits_longer_and_stays_risky(house: House) -> None:
    risky = plan(
        {"to": "advocate", "amount": 100, "hold_days": 1, "risky_hold_days": 10},
        {"to": "advocate", "name": "orders", "on": "purchased", "amount": 7, "hold_days": 1, "risky_hold_days": 20},
        risky="advocate.friends_qualified == 1 && !order.present",
    )
    shop = open_shop(house, risky)
    friends_stay(shop, "Bob", "Carol")
    with later(days=8):
        shop.buys("Bob", "1")
        shop.buys("Carol", "2")

    def held(session: Session) -> list[tuple[str, int, bool]]:
        rows = session.scalars(select(Reward).order_by(col(Reward.created_at), col(Reward.id))).all()
        return [(row.rule, (row.hold_until - row.created_at).days, bool((row.facts or {})["risky"])) for row in rows]

    assert house.ask(held) == [
        ("advocate", 10, True),
        ("advocate", 1, False),
        ("orders", 20, True),
        ("orders", 1, False),
    ]
    flagged = house.ask(lambda session: [row.facts for row in session.scalars(select(Referral)).all() if row.facts])
    assert flagged == [{"risky": {"advocate.friends_qualified": 1, "order.present": False}}]
    with later(days=12):
        assert house.do(release_due) == 2
    assert shop.problems() == []


def test_an_item_is_counted_in_units(house: House) -> None:
    mugs = plan({"to": "friend", "asset": "item:mug", "amount": 1, "hold_days": 3}, budgets={"item:mug": 1})
    shop = open_shop(house, mugs)
    bob, carol = shop.brings("Bob"), shop.brings("Carol")
    with later(days=7):
        shop.stays()
    states = sorted(line[1:] for line in (*shop.lines(bob), *shop.lines(carol)))
    assert states == [("capped", "budget_empty"), ("held", None)]
    assert shop.budget("item:mug") == 0
