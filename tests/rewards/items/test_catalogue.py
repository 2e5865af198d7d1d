"""What a member sees on the shelf, and codes that are made on the spot."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from core import clock
from core.errors import BadInput, Conflict, Refused
from referral import codes
from referral.members import Identity
from rewards.items import promo_codes, redeem
from rewards.items.items import ItemForm, find_item, form_of, retire, save_item
from rewards.items.kinds import KINDS, SETTINGS, read_settings
from rewards.payouts.payouts import payouts_of
from tests.house import House, later
from tests.rewards.items.counter import buy, check_books, earn, fill, offer, open_counter, plan
from tests.rewards.items.counter import codes as codes_in
from tests.rewards.shop import Shop, open_shop


def shelf(shop: Shop) -> dict[str, tuple[int | None, str | None]]:
    """What Alice sees: how many are left, and why she cannot have it."""
    found = shop.house.ask(lambda s: redeem.catalogue(s, shop.brand.id, shop.alice))
    return {one.item.slug: (one.left, one.refusal) for one in found}


def test_the_shelf_says_what_one_can_have(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    offer(shop, "code", "promo_code", price=10, per_member=1)
    offer(shop, "pot", "physical", price=5000, stock=3)
    offer(shop, "role", "discord_role", price=20, settings={"role": "Gold", "group": "1"})
    offer(shop, "ticket", "ticket", price=30)
    offer(shop, "prize", "promo_code", price=None)
    offer(shop, "old", "promo_code", price=1)
    house.do(lambda s: retire(s, shop.brand.id, "old"))
    assert list(shelf(shop)) == ["code", "role", "ticket", "coffee", "pot"]
    assert shelf(shop)["coffee"] == (0, "sold_out")
    fill(shop, ["A", "B"])
    buy(shop, "code")
    assert shelf(shop) == {
        "coffee": (2, None),
        "code": (None, "limit_reached"),
        "pot": (3, "too_few_points"),
        "role": (None, "needs_account"),
        "ticket": (None, "no_draw"),
    }
    nobody = house.ask(lambda s: redeem.catalogue(s, shop.brand.id))
    assert {one.item.slug for one in nobody if one.refusal} == {"ticket"}


def test_an_item_stays_what_it_is_and_never_below_what_was_given(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "code", "promo_code", price=10, stock=5)
    buy(shop, "code", quantity=3)
    form = form_of(house.ask(lambda s: find_item(s, shop.brand.id, "code")))
    assert house.do(lambda s: save_item(s, shop.brand.id, form))[1] is False
    with pytest.raises(Refused) as below:
        offer(shop, "code", "promo_code", stock=2)
    assert below.value.code == "stock_below_given"
    with pytest.raises(Conflict):
        offer(shop, "code", "voucher")
    offer(shop, "code", "promo_code", stock=3)
    assert shelf(shop)["code"] == (0, "sold_out")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("discord_role", {"role": "Gold"}),
        ("discord_role", {"role": "Gold", "group": "1", "days": 0}),
        ("telegram_tag", {"tag": "x" * 17, "group": "-1"}),
        ("telegram_premium", {"months": 5}),
        ("physical", {"countries": ["China"]}),
        ("promo_code", {"pattern": "FREE-????"}),
        ("promo_code", {"pattern": "????????-##"}),
        ("promo_code", {"pattern": "tea-????????"}),
        ("ticket", {"anything": 1}),
        ("car", {}),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind: str, given: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        read_settings(kind, given)


def test_a_form_has_words_in_our_languages(house: House) -> None:
    shop = open_counter(house)
    for title in ({}, {"en": " "}, {"fr": "Thé"}, {"en": "x" * 65}):
        with pytest.raises(BadInput) as caught:
            house.do(lambda s, title=title: save_item(s, shop.brand.id, ItemForm("a", "ticket", title, {})))  # type: ignore[misc]
        assert caught.value.code == "item_words"
    assert set(SETTINGS) == set(KINDS)


@given(parts=st.lists(st.sampled_from(["TEA", "-", "2", "?", "??"]), max_size=8))
@settings(max_examples=100, deadline=None)
def test_a_code_keeps_its_pattern_and_its_check_symbol(parts: list[str]) -> None:
    pattern = "".join(parts)[:20] + "-????????-#"
    made = promo_codes.draw(pattern)
    form = re.escape(pattern).replace(r"\?", "([2-9A-HJ-NP-Z])").replace(r"\#", "(.)")
    found = re.fullmatch(form, made)
    assert found is not None
    *body, check = found.groups()
    assert check == codes.check_symbol("".join(body))
    assert promo_codes.key_of(made.lower().replace("-", " ")) == promo_codes.key_of(made)


def test_a_promo_code_ends_when_it_was_said(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "code", "promo_code", price=10, settings={"days": 30})
    [code] = codes_in(shop, buy(shop, "code"))
    row = house.ask(lambda s: promo_codes.owner_of(s, shop.brand.id, f" {code.lower()} "))
    assert row is not None
    assert row.expires_at is not None
    assert (row.member_id, (row.expires_at - row.created_at).days) == (shop.alice, 30)
    assert house.ask(lambda s: promo_codes.owner_of(s, shop.brand.id, "nothing")) is None


def test_an_item_reward_waits_until_its_owner_is_on_the_platform(house: House) -> None:
    shop = open_shop(house, plan(1, "item:premium", 10))
    offer(shop, "premium", "telegram_premium", price=None, settings={"months": 3})

    def moves(session: Session, platform: str) -> None:
        row = session.exec(select(Identity).where(Identity.member_id == shop.alice)).one()
        session.delete(row)
        session.flush()
        session.add(
            Identity(brand_id=shop.brand.id, platform=platform, account="1", member_id=shop.alice, seen_at=clock.now())
        )

    house.do(lambda s: moves(s, "webchat"))
    earn(shop, ["Bob"])
    [waiting] = house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    assert (waiting.state, waiting.reason) == ("pending", "needs_account")
    house.do(redeem.deliver_waiting)
    house.do(lambda s: moves(s, "telegram"))
    with later(minutes=1):
        house.do(redeem.deliver_waiting)
    [going] = house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    assert (going.state, going.reason, going.detail["taken"]) == ("pending", None, 1)
    check_books(shop)
