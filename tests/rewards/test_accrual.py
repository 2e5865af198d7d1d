"""Alice brings Bob, Bob stays a week, both are paid: what is granted, held, released and taken back."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from core import clock
from referral import stays
from referral.qualifying import qualify
from rewards import corrections, ledger, rewards
from rewards.plans import Plan, Rule
from tests.house import House, later
from tests.rewards.shop import BOTH, open_shop, waiting_referrals


def test_both_are_paid_when_the_friend_has_stayed_and_the_hold_is_over(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    with later(days=6, hours=23):
        assert shop.stays() == 0
    with later(days=7):
        assert shop.stays() == 1
        assert shop.purse(shop.alice) == {"held": 100}
        assert shop.purse(bob) == {"payable": 50}
        assert shop.budget() == 850
        assert house.do(rewards.release_due) == 0
    with later(days=10):
        assert house.do(rewards.release_due) == 1
        assert house.do(rewards.release_due) == 0
        assert shop.purse(shop.alice) == {"payable": 100}
    assert [reward.state for reward in shop.rewards(shop.alice)] == ["payable"]
    assert shop.problems() == []


def test_the_same_event_reported_twice_is_paid_once(house: House) -> None:
    shop = open_shop(house)
    [command] = waiting_referrals(shop, ["Bob"])
    assert house.do(lambda session: qualify(session, [command, command])) == [True, False]
    assert house.do(lambda session: qualify(session, [command])) == [False]
    assert shop.purse(shop.alice) == {"held": 100}
    assert shop.problems() == []


def test_a_friend_who_leaves_during_the_hold_earns_the_advocate_nothing(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    with later(days=7):
        shop.stays()
    with later(days=8):
        shop.leaves("Bob")
        assert shop.purse(shop.alice) == {}
        assert shop.purse(bob) == {}
        assert shop.budget() == 1000
    [reward] = shop.rewards(shop.alice)
    assert (reward.state, reward.reason) == ("voided", "left_during_hold")
    assert shop.rewards(bob)[0].state == "clawed_back"
    assert shop.problems() == []


def test_a_friend_who_leaves_after_the_hold_changes_nothing(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    with later(days=7):
        shop.stays()
    with later(days=11):
        house.do(rewards.release_due)
        shop.leaves("Bob")
        assert shop.purse(shop.alice) == {"payable": 100}
    assert shop.problems() == []


def test_what_was_taken_back_twice_is_taken_back_once(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    with later(days=7):
        shop.stays()

    def take_all_back(session: Session) -> None:
        corrections.take_back(session, rewards.rewards_of(session, shop.brand.id, shop.alice), "fraud")

    house.do(take_all_back)
    house.do(take_all_back)
    assert shop.purse(shop.alice) == {}
    assert shop.budget() == 950
    assert shop.problems() == []


def test_a_reward_taken_back_after_it_was_spent_becomes_a_debt(house: House) -> None:
    shop = open_shop(house, Plan(rules=(Rule(to="advocate", amount=100),), budget=1000))
    shop.brings("Bob")
    with later(days=7):
        shop.stays()

    def spend_then_claw_back(session: Session) -> None:
        purse = ledger.Account(shop.brand.id, shop.alice, ledger.Purpose.PAYABLE, "PTS")
        outside = ledger.Account(shop.brand.id, shop.brand.id, ledger.Purpose.EXTERNAL, "PTS")
        ledger.transfer(session, [ledger.Move("spent/1", "spent", purse, outside, 70)])
        corrections.take_back(session, rewards.rewards_of(session, shop.brand.id, shop.alice), "fraud")

    house.do(spend_then_claw_back)
    assert shop.purse(shop.alice) == {"payable": -70}
    assert {problem.kind for problem in shop.problems()} == {"kind"}  # nothing knows what "spent" is


def test_the_cap_counts_friends_that_were_paid_for(house: House) -> None:
    shop = open_shop(house, BOTH.model_copy(update={"cap": 1}))
    shop.brings("Bob")
    carol = shop.brings("Carol")
    with later(days=7):
        assert shop.stays() == 2
    states = sorted((reward.state, reward.reason) for reward in shop.rewards(shop.alice))
    assert states == [("capped", "cap_reached"), ("held", None)]
    assert shop.budget() == 850
    assert shop.problems() == []
    # Bob leaves: his place under the cap is free for the next friend, not for Carol, who was decided.
    with later(days=8):
        shop.leaves("Bob")
        shop.brings("Dan")
    with later(days=16):
        shop.stays()
        assert sum(reward.state == "held" for reward in shop.rewards(shop.alice)) == 1
    assert [reward.state for reward in shop.rewards(carol)] == ["capped"]
    assert shop.problems() == []


@pytest.mark.parametrize("funded", [0, 149])
def test_both_sides_get_it_or_neither(house: House, funded: int) -> None:
    shop = open_shop(house, funded=funded)
    bob = shop.brings("Bob")
    with later(days=7):
        shop.stays()
    for member in (shop.alice, bob):
        [reward] = shop.rewards(member)
        assert (reward.state, reward.reason) == ("capped", "budget_empty")
        assert shop.purse(member) == {}
    assert shop.budget() == funded
    assert shop.problems() == []


def test_a_budget_for_two_pays_two_of_three_in_one_batch(house: House) -> None:
    shop = open_shop(house, funded=300)
    commands = waiting_referrals(shop, ["Bob", "Carol", "Dan"])
    assert house.do(lambda session: qualify(session, commands)) == [True, True, True]
    assert sorted(reward.state for reward in shop.rewards(shop.alice)) == ["capped", "held", "held"]
    assert shop.budget() == 0
    assert shop.problems() == []


def test_a_friend_who_comes_back_is_not_paid_for_again(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    with later(days=7):
        shop.stays()
    with later(days=8):
        shop.leaves("Bob")
    with later(days=9):
        house.do(lambda session: stays.joined(session, shop.group, "bob", clock.now()))
    with later(days=20):
        assert shop.stays() == 0
        house.do(rewards.release_due)
        assert shop.purse(shop.alice) == shop.purse(bob) == {}
    assert shop.problems() == []
