"""A budget runs low: each level is told once for a funding, and raising the budget watches it anew."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlmodel import Session

from core import clock
from referral.campaigns import Campaign, enroll
from rewards.budget import BudgetWarned
from rewards.campaign_files import apply_campaign, read_campaign
from rewards.plans import Plan
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop

TEN = Plan.model_validate({"budget": 100, "rules": [{"to": "advocate", "amount": 10}]})


class Ears:
    """The levels that were told, with what was left."""

    def __init__(self, house: House) -> None:
        self.heard: list[tuple[int, int]] = []
        house.bus.on(BudgetWarned, self._hear)

    def _hear(self, session: Session, happened: Sequence[BudgetWarned]) -> None:
        self.heard += [(event.level, event.left) for event in happened]


def friends_stay(shop: Shop, *names: str) -> None:
    for name in names:
        shop.brings(name)
    with later(days=7):
        shop.stays()


def test_each_level_is_told_once(house: House) -> None:
    shop, ears = open_shop(house, TEN), Ears(house)
    friends_stay(shop, *(f"Early {number}" for number in range(7)))
    assert ears.heard == []
    friends_stay(shop, "Eighth")
    assert ears.heard == [(80, 20)]
    friends_stay(shop, "Ninth")
    assert ears.heard == [(80, 20)]
    friends_stay(shop, "Tenth")
    assert ears.heard == [(80, 20), (100, 0)]
    friends_stay(shop, "Eleventh")
    assert ears.heard == [(80, 20), (100, 0)]
    assert shop.problems() == []


def test_a_budget_too_small_for_the_next_reward_has_stopped(house: House) -> None:
    shop, ears = open_shop(house, TEN, funded=15), Ears(house)
    friends_stay(shop, "Bob")
    friends_stay(shop, "Carol")
    assert ears.heard[-1] == (100, 5)


def test_what_comes_back_warns_of_nothing_twice(house: House) -> None:
    shop, ears = open_shop(house, TEN), Ears(house)
    friends_stay(shop, *(f"Early {number}" for number in range(8)))
    shop.reverses("Early 3")
    friends_stay(shop, "Bob")
    assert ears.heard == [(80, 20)]


FILE = """
[campaign]
slug = "tea"
title = {{ zh_Hans = "茶", en = "Tea" }}
benefit = {{ zh_Hans = "茶", en = "Tea" }}
starts_at = 2026-03-01T00:00:00
ends_at = 2026-05-01T00:00:00
[rewards]
budget = {budget}
rules = [{{ to = "advocate", amount = 10 }}]
"""


@pytest.fixture
def spring() -> object:
    with clock.moved(clock.parse("2026-03-02T04:00:00Z") - clock.now()):
        yield


@pytest.mark.usefixtures("spring")
def test_more_money_watches_anew(house: House) -> None:
    shop, ears = open_shop(house, TEN), Ears(house)
    campaign = house.do(lambda s: apply_campaign(s, shop.brand, read_campaign(FILE.format(budget=100)))).campaign

    def spend(amount: int) -> list[tuple[int, int]]:
        """Friends of the campaign's newest version bring ten each."""
        shop.campaign = house.ask(lambda s: s.get_one(Campaign, (shop.brand.id, campaign.id)))
        shop.code = house.do(lambda s: enroll(s, s.get_one(Campaign, (shop.brand.id, campaign.id)), shop.alice))
        friends_stay(shop, *(f"At {clock.now()} {amount} {number}" for number in range(amount // 10)))
        return ears.heard

    assert spend(80) == [(80, 20)]
    house.do(lambda s: apply_campaign(s, shop.brand, read_campaign(FILE.format(budget=200))))
    assert spend(70) == [(80, 20)]
    assert spend(10) == [(80, 20), (80, 40)]
