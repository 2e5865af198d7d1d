"""A person decides about a referral; friends leave, link their accounts and are forgotten while orders earn."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from core import clock
from core.errors import BadInput, NotFound, Refused
from referral import linking, members
from referral.conversions import Order, RefundOrder, customer_hash
from referral.orders import record_orders
from referral.privacy import export_member, forget_member
from referral.referrals import Referral, referral_of
from referral.refunds import record_refunds
from referral.rejection import reject
from rewards import rewards
from rewards.plans import Plan, Rule
from tests.house import House, later, person
from tests.rewards.shop import Shop, open_shop

SHARE = Rule(name="share", to="advocate", on="purchased", basis_points=1_000, hold_days=3)
SALES = Plan(asset="CNY", rules=(SHARE,), budget=100_000)
STAYS = Plan(asset="CNY", rules=(SHARE, Rule(to="advocate", amount=200, hold_days=1)), budget=100_000)


@pytest.fixture
def shop(house: House) -> Shop:
    """A shop that pays Alice a tenth of what her friends buy."""
    return open_shop(house, SALES, event="purchased")


def came(shop: Shop, name: str) -> Referral:
    """How somebody on Telegram came."""

    def read(session: Session) -> Referral:
        identity = members.find_identity(session, shop.brand.id, "telegram", name.lower())
        assert identity is not None
        found = referral_of(session, shop.brand.id, identity.member_id, shop.campaign.id)
        assert found is not None
        return found

    return shop.house.ask(read)


def rejects(shop: Shop, name: str) -> Referral:
    """Mei decides about somebody."""
    which = came(shop, name).id
    return shop.house.do(lambda s: reject(s, shop.brand.id, which, reason="two accounts", actor="mei"))


def test_fraud_takes_everything_back_once(shop: Shop) -> None:
    shop.brings("Bob")
    shop.buys("Bob", "1")
    with later(days=4):
        shop.house.do(rewards.release_due)
        assert shop.purse(shop.alice) == {"payable": 1_000}
        first, second = rejects(shop, "Bob"), rejects(shop, "Bob")
    assert (first.state, first.reason) == (second.state, second.reason) == ("reversed", "fraud")
    assert first.facts is not None
    assert first.facts["rejected"]["actor"] == "mei"
    assert shop.purse(shop.alice) == {}
    assert [(one.state, one.reason) for one in shop.rewards(shop.alice)] == [("clawed_back", "fraud")]
    shop.buys("Bob", "2")
    assert shop.purse(shop.alice) == {}, "who was rejected earns nothing any more"
    assert shop.problems() == []


def test_who_was_on_the_way_is_rejected_and_what_they_earned_taken_back(house: House) -> None:
    shop = open_shop(house, STAYS)
    shop.brings("Bob")
    shop.buys("Bob", "1")
    assert shop.purse(shop.alice) == {"held": 1_000}
    assert (rejects(shop, "Bob").state, came(shop, "Bob").reason) == ("rejected", "review")
    assert shop.purse(shop.alice) == {}
    with later(days=8):
        assert shop.stays() == 0
    assert shop.problems() == []


def test_what_is_over_cannot_be_rejected(shop: Shop) -> None:
    shop.brings("Bob")
    which = came(shop, "Bob").id
    with pytest.raises(BadInput, match="adjustment_text"):
        shop.house.do(lambda s: reject(s, shop.brand.id, which, reason=" ", actor="mei"))
    with pytest.raises(NotFound, match="referral"):
        shop.house.do(lambda s: reject(s, shop.brand.id, shop.alice, reason="x", actor="mei"))
    shop.reverses("Bob", "left_during_hold")
    with pytest.raises(Refused, match="referral_over"):
        rejects(shop, "Bob")


def test_a_friend_who_leaves_the_group_has_bought_all_the_same(shop: Shop) -> None:
    shop.brings("Bob")
    shop.buys("Bob", "1")
    shop.leaves("Bob")
    assert shop.purse(shop.alice) == {"held": 1_000}


def test_where_staying_counts_only_what_is_held_for_the_stay_falls_with_it(house: House) -> None:
    shop = open_shop(house, STAYS)
    shop.brings("Bob")
    with later(days=7):
        shop.stays()
    with later(days=9):
        house.do(rewards.release_due)
        shop.buys("Bob", "1")
        shop.leaves("Bob")
        assert shop.purse(shop.alice) == {"held": 1_000, "payable": 200}


def links(shop: Shop, one: str, other: str) -> linking.MemberLink:
    """Somebody's Discord account is linked with somebody's Telegram account."""

    def join(session: Session) -> linking.MemberLink:
        people = [
            members.meet(session, shop.brand.id, [person(name, on)], [clock.now()], "message")[0].member_id
            for name, on in ((one, "telegram"), (other, "discord"))
        ]
        return linking.link(session, shop.brand.id, *people)

    return shop.house.do(join)


def test_what_went_back_while_two_were_one_does_not_come_back_with_the_link_undone(shop: Shop) -> None:
    """Bob turns out to be Alice, gives half of an order back, and then turns out not to be Alice."""
    house, brand = shop.house, shop.brand.id
    house.comes("Bob", shop.code, "discord")
    order = Order(brand, "till", "1", "CNY", 10_000, clock.now(), account=("discord", "bob"))
    house.do(lambda session: record_orders(session, [order]))
    assert shop.purse(shop.alice) == {"held": 1_000}
    link = links(shop, "Alice", "Bob")
    assert shop.purse(shop.alice) == {}
    half = RefundOrder(brand, "till", "r1", "1", 5_000, "CNY", clock.now())
    house.do(lambda session: record_refunds(session, [half]))
    house.do(lambda session: linking.undo_link(session, brand, link.id))
    assert shop.purse(shop.alice) == {"held": 500}
    rest = RefundOrder(brand, "till", "r2", "1", None, "CNY", clock.now())
    house.do(lambda session: record_refunds(session, [rest]))
    assert shop.purse(shop.alice) == {}
    assert shop.problems() == []


def test_a_part_taken_back_from_linked_accounts_goes_with_the_account_it_was_earned_on(shop: Shop) -> None:
    """Alice earns on Telegram, is linked to Ann of Discord, a part goes back, and the link is undone."""
    house, brand = shop.house, shop.brand.id
    shop.brings("Bob")
    shop.buys("Bob", "1")
    with later(days=4):
        house.do(rewards.release_due)
        link = links(shop, "Alice", "Ann")
        part = RefundOrder(brand, "till", "r1", "1", 2_500, "CNY", clock.now())
        house.do(lambda session: record_refunds(session, [part]))
        house.do(lambda session: linking.undo_link(session, brand, link.id))
    assert shop.purse(shop.alice) == {"payable": 750}
    assert shop.problems() == []


def test_a_linked_customer_is_one_customer_and_a_forgotten_one_leaves_figures(shop: Shop) -> None:
    house, brand = shop.house, shop.brand.id
    shop.brings("Bob")
    mail = customer_hash("bob@example.org")
    who = {"account": ("telegram", "bob"), "customer_hash": mail}
    order = Order(brand, "till", "1", "CNY", 10_000, clock.now(), consent=True, **who)  # type: ignore[arg-type]
    house.do(lambda session: record_orders(session, [order]))
    bob = came(shop, "Bob").friend_id
    told = house.ask(lambda session: export_member(session, brand, bob))["orders"]
    assert [(one["external_id"], one["net"]) for one in told] == [("1", 10_000)]
    house.do(lambda session: forget_member(session, brand, bob))
    again = Order(brand, "till", "2", "CNY", 10_000, clock.now(), customer_hash=mail)
    [answer] = house.do(lambda session: record_orders(session, [again]))
    assert (answer.status, answer.reason) == ("unattributed", "unknown_buyer")
    [same] = house.do(lambda session: record_orders(session, [order]))
    assert same.repeated, "its figures are known for ever"
    with_code = Order(brand, "till", "3", "CNY", 1, clock.now(), customer_hash=mail, code=shop.code)
    [answer] = house.do(lambda session: record_orders(session, [with_code]))
    assert answer.reason == "not_new", "who was forgotten is not new"
    assert shop.problems() == []
