"""By which referral an order counts: people who were linked, forgotten, or said later to have bought."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import Session

from core import clock, ids
from core.errors import NotFound
from referral import linking
from referral.orders import assign_order
from referral.privacy import forget_member
from referral.referrals import Referral
from tests.house import House, later
from tests.referral.till import Ears, by, gives_back, order, refund, tells
from tests.referral.town import Town, build_town, open_campaign


@pytest.fixture
def shop(house: House) -> Town:
    """A town whose campaign counts purchases; Alice has brought Bob."""
    town = build_town(house, event="purchased")
    town.brings("Alice", "Bob")
    return town


def linked(shop: Town, one: UUID, other: UUID) -> linking.MemberLink:
    """The two turn out to be one person."""
    return shop.house.do(lambda session: linking.link(session, shop.brand.id, one, other))


def test_who_was_brought_by_themselves_earns_nothing_for_what_they_buy(shop: Town) -> None:
    """The referral had run out when the accounts were linked, and an order is told that was made before."""
    ears = Ears(shop)
    with later(days=29):
        made = clock.now()
    with later(days=31):
        shop.night()
        linked(shop, shop.who("Alice"), shop.who("Bob"))
        [told] = tells(shop, order(shop, ordered_at=made, **by("Bob")))
    assert (told.status, told.reason) == ("rejected", "referral_own")
    assert ears.heard == []


def test_nor_when_they_buy_again_after_all_had_gone_back(shop: Town) -> None:
    tells(shop, order(shop, **by("Bob")))
    gives_back(shop, refund(shop))
    linked(shop, shop.who("Alice"), shop.who("Bob"))
    with later(days=1):
        [told] = tells(shop, order(shop, "2", **by("Bob")))
    assert (told.status, told.reason) == ("rejected", "referral_own")


def test_an_advocate_who_was_forgotten_is_owed_nothing_for_later_orders(shop: Town) -> None:
    ears = Ears(shop)
    tells(shop, order(shop, "1", **by("Bob")))
    alice = shop.who("Alice")
    shop.house.do(lambda session: forget_member(session, shop.brand.id, alice))
    [told] = tells(shop, order(shop, "2", **by("Bob")))
    assert (told.status, told.reason) == ("rejected", "referral_forgotten")
    assert len(ears.heard) == 1, "what had counted stays as it was"


def test_the_number_of_a_member_names_them_also_after_they_were_linked(shop: Town) -> None:
    """The shop has kept Bob's number; then he linked an account he had had for longer."""
    bob = shop.who("Bob")
    with later(days=-2):
        older = shop.talks("Bobby", "discord")
    with later(days=-3):
        oldest = shop.talks("Bob", "wechat")
    assert linked(shop, bob, older).absorbed_id == bob
    assert linked(shop, older, oldest).absorbed_id == older
    told = tells(shop, order(shop, "1", member_id=bob), order(shop, "2", member_id=bob, **by("Bob")))
    assert [(one.status, one.member_id) for one in told] == [("attributed", oldest)] * 2
    tells(shop, order(shop, "3"))
    later_on = shop.house.do(lambda session: assign_order(session, shop.brand.id, "teashop", "3", bob))
    assert (later_on.status, later_on.member_id) == ("attributed", oldest)


def test_nobody_decides_that_somebody_bought_who_was_forgotten(shop: Town) -> None:
    tells(shop, order(shop))
    bob = shop.who("Bob")
    shop.house.do(lambda session: forget_member(session, shop.brand.id, bob))
    with pytest.raises(NotFound, match="member"):
        shop.house.do(lambda session: assign_order(session, shop.brand.id, "teashop", "1", bob))


def test_the_code_of_an_order_names_its_campaign_also_when_who_bought_is_decided_later(shop: Town) -> None:
    stay = shop.house.do(lambda session: open_campaign(session, shop.brand, "stay"))
    code = shop.invites("Zoe", campaign=stay)

    def came_to_both(session: Session) -> UUID:
        values = session.scalars(select(Referral)).one().model_dump()
        second = Referral(**values | {"id": ids.new(), "campaign_id": stay.id, "code": code, "state": "joined"})
        session.add(second)
        session.flush()
        return second.id

    second = shop.house.do(came_to_both)
    tells(shop, order(shop, code=code))
    bob = shop.who("Bob")
    told = shop.house.do(lambda session: assign_order(session, shop.brand.id, "teashop", "1", bob))
    assert (told.status, told.referral_id) == ("attributed", second)
