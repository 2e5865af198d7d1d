"""What somebody was given stays with the person: through linking and its undoing, and until they are forgotten."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from sqlmodel import Session

from core.errors import Refused
from referral.linking import link, undo_link
from referral.privacy import forget_member
from rewards.items import redeem, shipments, vouchers
from rewards.items.items import items_of, taken_by
from rewards.items.promo_codes import owner_of
from rewards.payouts.payouts import Payout, payouts_of
from rewards.payouts.settling import cancel_payout
from rewards.plans import Plan, Rule
from rewards.privacy import export_rewards, forget_rewards
from rewards.rewards import release_due
from tests.house import House, later
from tests.rewards.items.counter import buy, check_books, codes, earn, fill, offer, open_counter, plan, rich_people
from tests.rewards.items.test_shipments import HOME, parcel, ships, wants_a_teapot
from tests.rewards.shop import Shop, open_shop


def takes(shop: Shop, member: UUID) -> Payout:
    return shop.house.do(lambda s: redeem.redeem(s, shop.brand.id, member, "code", "1"))


def test_two_accounts_of_one_person_share_one_limit(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "code", "promo_code", price=10, per_member=2)
    [other] = rich_people(shop, 1)
    mine, theirs = buy(shop, "code"), takes(shop, other)
    [code] = codes(shop, theirs)
    made = house.do(lambda s: link(s, shop.brand.id, shop.alice, other))
    owner = house.ask(lambda s: owner_of(s, shop.brand.id, code.lower().replace("-", " ")))
    assert owner is not None
    assert owner.member_id == made.kept_id == shop.alice
    with pytest.raises(Refused) as over:
        buy(shop, "code", key="more")
    assert over.value.code == "limit_reached"
    house.do(lambda s: undo_link(s, shop.brand.id, made.id))
    back = house.ask(lambda s: owner_of(s, shop.brand.id, code))
    assert back is not None
    assert back.member_id == other
    assert buy(shop, "code", key="more").id != mine.id
    check_books(shop)


def test_what_failed_while_two_were_one_counts_for_neither_of_them(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "teapot", "physical", price=10, per_member=2)
    [other] = rich_people(shop, 1)
    buy(shop, "teapot")
    theirs = house.do(lambda s: redeem.redeem(s, shop.brand.id, other, "teapot", "1"))
    made = house.do(lambda s: link(s, shop.brand.id, shop.alice, other))
    house.do(lambda s: cancel_payout(s, shop.brand.id, theirs.id, "ann"))
    house.do(lambda s: undo_link(s, shop.brand.id, made.id))

    def counted(member: UUID) -> list[int]:
        return house.ask(lambda s: list(taken_by(s, shop.brand.id, member).values()))

    assert (counted(shop.alice), counted(other)) == ([1], [0])
    check_books(shop)


def test_a_copy_of_my_data_has_my_codes_and_address(house: House) -> None:
    shop, payout = wants_a_teapot(house)
    offer(shop, "code", "promo_code", price=10)
    [code] = codes(shop, buy(shop, "code", key="2"))
    house.do(lambda s: shipments.set_address(s, payout, HOME))
    document = house.ask(lambda s: export_rewards(s, shop.brand.id, shop.alice))
    assert [one["item"] for one in document["items"]] == ["teapot", "code"]
    assert document["items"][0]["shipment"]["address"] == HOME
    assert document["items"][1]["codes"] == [code]
    json.dumps(document)


def erase(shop: Shop) -> None:
    def forget(session: Session) -> None:
        forget_rewards(session, shop.brand.id, shop.alice)
        forget_member(session, shop.brand.id, shop.alice)

    shop.house.do(forget)


def vouchers_left(shop: Shop) -> int | None:
    [coffee] = shop.house.ask(lambda s: items_of(s, shop.brand.id))
    return shop.house.ask(lambda s: vouchers.available(s, shop.brand.id, coffee.id))


def test_what_waited_for_somebody_who_is_forgotten_goes_to_others(house: House) -> None:
    shop = open_shop(house, plan(1, "item:coffee", 10))
    offer(shop, price=None)
    earn(shop, ["Bob"])
    erase(shop)
    fill(shop, ["TEA-1"])
    house.do(redeem.deliver_waiting)
    [payout] = house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    assert (payout.state, payout.reason, vouchers_left(shop)) == ("failed", "cancelled", 1)
    with pytest.raises(Refused):
        house.do(lambda s: redeem.give_again(s, shop.brand.id, payout.id, "ann"))
    check_books(shop)


def test_what_is_released_after_somebody_was_forgotten_is_not_handed_over(house: House) -> None:
    rule = Rule(to="advocate", amount=1, hold_days=3)
    shop = open_shop(house, Plan(rules=(rule,), asset="item:coffee", budget=10))
    offer(shop, price=None)
    fill(shop, ["TEA-1"])
    earn(shop, ["Bob"])
    erase(shop)
    with later(days=4):
        house.do(release_due)
    assert vouchers_left(shop) == 1
    assert house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice)) == []
    check_books(shop)


@pytest.mark.parametrize("on_its_way", [False, True])
def test_who_is_forgotten_leaves_no_address(house: House, on_its_way: bool) -> None:
    shop, payout = wants_a_teapot(house)
    house.do(lambda s: shipments.set_address(s, payout, HOME))
    if on_its_way:
        ships(shop, payout)
    erase(shop)
    row = parcel(shop, payout)
    assert (row.sealed, row.tracking) == (None, None)
    assert row.state == ("shipped" if on_its_way else "cancelled")
    check_books(shop)
