"""A campaign that is over gives back what it did not spend."""

from __future__ import annotations

import pytest

from core.errors import Refused
from referral.campaigns import Campaign, move
from rewards import rewards
from rewards.ledger import Account, Purpose, balance
from rewards.settlement import settle
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop


def settled(shop: Shop) -> dict[str, int]:
    return shop.house.do(lambda session: settle(session, session.get_one(Campaign, (shop.brand.id, shop.campaign.id))))


def end(shop: Shop) -> None:
    shop.house.do(lambda session: move(session, session.get_one(Campaign, (shop.brand.id, shop.campaign.id)), "end"))


def outside(shop: Shop) -> int:
    """What the brand has put in and not got back, below zero."""
    account = Account(shop.brand.id, shop.brand.id, Purpose.EXTERNAL, "PTS")
    return shop.house.ask(lambda session: balance(session, account))


def test_what_was_not_spent_goes_back_to_the_brand(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    with later(days=7):
        shop.stays()
        with pytest.raises(Refused, match="campaign_state"):
            settled(shop)
        end(shop)
        with pytest.raises(Refused, match="rewards_held") as refused:
            settled(shop)
        assert refused.value.params == {"held": 1}
    with later(days=11):
        house.do(rewards.release_due)
        assert settled(shop) == {"PTS": 850}
        assert (shop.budget(), outside(shop)) == (0, -150)
        assert settled(shop) == {}
        assert shop.problems() == []


def test_what_corrections_bring_back_later_is_returned_by_settling_again(house: House) -> None:
    shop = open_shop(house)
    shop.brings("Bob")
    with later(days=7):
        shop.stays()
        end(shop)
    with later(days=11):
        house.do(rewards.release_due)
        settled(shop)
        shop.reverses("Bob")
        assert settled(shop) == {"PTS": 150}
        assert outside(shop) == 0
        assert shop.problems() == []
