"""Refunds: before their order, twice, in parts, too large, in another money; each has its one outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from core.errors import BadInput, Conflict
from referral.conversions import Conversion, PurchaseRefunded, Refund
from referral.referrals import ReferralReversed
from tests.house import House, later
from tests.referral.till import Ears, by, gives_back, heard, kept, order, refund, tells
from tests.referral.town import Town, build_town


@pytest.fixture
def shop(house: House) -> Town:
    """A town whose campaign counts purchases; Alice has brought Bob."""
    town = build_town(house, event="purchased")
    town.brings("Alice", "Bob")
    return town


def test_a_part_goes_back(shop: Town) -> None:
    told = heard(shop, PurchaseRefunded)
    tells(shop, order(shop, **by("Bob")))
    [answer] = gives_back(shop, refund(shop, amount=3_000))
    assert (answer.status, answer.applied, answer.rest) == ("applied", 3_000, 0)
    assert (kept(shop).net, kept(shop).left) == (10_000, 7_000)
    [event] = told
    assert (event.net_before, event.net_after, event.conversion_id) == (10_000, 7_000, kept(shop).id)
    assert shop.referral("Bob").state == "qualified", "a part does not undo the purchase"


def test_a_refund_under_another_spelling_of_its_shop_does_not_wait_for_an_order_that_never_comes(shop: Town) -> None:
    tells(shop, order(shop, **by("Bob")))
    with pytest.raises(BadInput) as refused:
        gives_back(shop, replace(refund(shop), source="TeaShop"))
    assert (refused.value.code, refused.value.params["written"]) == ("order_source", "teashop")
    assert kept(shop).left == 10_000


def test_an_order_that_was_recorded_with_capitals_is_still_refunded(shop: Town) -> None:
    tells(shop, order(shop, **by("Bob")))
    shop.house.do(lambda session: session.execute(update(Conversion).values(source="TeaShop")))
    [answer] = gives_back(shop, replace(refund(shop), source="TeaShop"))
    assert (answer.status, kept(shop).left) == ("applied", 0)
    [again] = gives_back(shop, replace(refund(shop), source="TeaShop"))
    assert again.repeated


def test_all_goes_back_and_the_friend_counts_no_longer(shop: Town) -> None:
    reversed_ = heard(shop, ReferralReversed)
    tells(shop, order(shop, **by("Bob")))
    gives_back(shop, refund(shop, "r1", amount=4_000), refund(shop, "r2", amount=6_000))
    assert (shop.referral("Bob").state, shop.referral("Bob").reason) == ("reversed", "refunded")
    assert [event.reason for event in reversed_] == ["refunded"]
    assert shop.score("Alice") == 0
    shop.has_true_counters()
    with later(days=1):
        [again] = tells(shop, order(shop, "2", **by("Bob")))
    assert again.status == "attributed", "who bought again is a customer again"
    assert shop.referral("Bob").state == "qualified"
    assert shop.score("Alice") == 1
    shop.has_true_counters()


def test_who_has_another_purchase_still_counts(shop: Town) -> None:
    tells(shop, order(shop, "1", **by("Bob")), order(shop, "2", **by("Bob")))
    gives_back(shop, refund(shop, "r1", of="1"))
    assert shop.referral("Bob").state == "qualified"
    gives_back(shop, refund(shop, "r2", of="2", amount=None))
    assert shop.referral("Bob").state == "reversed"


def test_where_staying_counts_a_refund_reverses_nobody(house: House) -> None:
    town = build_town(house)
    town.brings("Alice", "Bob")
    with later(days=8):
        town.night()
        tells(town, order(town, **by("Bob")))
        gives_back(town, refund(town))
    assert town.referral("Bob").state == "qualified"


def test_a_refund_before_its_order_waits_and_nets_out_when_the_order_comes(shop: Town) -> None:
    [waiting] = gives_back(shop, refund(shop, amount=3_000))
    assert (waiting.status, waiting.applied, waiting.conversion_id) == ("waiting", 0, None)
    told, ears = heard(shop, PurchaseRefunded), Ears(shop)
    tells(shop, order(shop, **by("Bob")))
    assert kept(shop).left == 7_000
    assert ears.kinds() == [("FriendQualified", "purchased")]
    assert told == [], "what was never counted is not taken back"
    [again] = gives_back(shop, refund(shop, amount=3_000))
    assert (again.refund_id, again.status, again.applied, again.repeated) == (waiting.refund_id, "applied", 3_000, True)


def test_a_whole_refund_before_its_order_leaves_nothing_to_count(shop: Town) -> None:
    gives_back(shop, refund(shop))
    ears = Ears(shop)
    [told] = tells(shop, order(shop, **by("Bob")))
    assert (told.status, told.reason) == ("attributed", "refunded")
    assert ears.heard == []
    assert shop.referral("Bob").state == "joined"


def test_a_refund_told_twice_is_one_refund(shop: Town) -> None:
    tells(shop, order(shop, **by("Bob")))
    one = refund(shop, amount=3_000)
    first, second = gives_back(shop, one, one)
    [third] = gives_back(shop, one)
    assert first == second == third
    assert kept(shop).refunded == 3_000


@pytest.mark.parametrize("change", [{"amount": 1}, {"amount": None}, {"order_id": "2"}, {"currency": "USD"}])
def test_a_refund_told_again_with_other_figures_is_a_conflict(shop: Town, change: dict[str, Any]) -> None:
    one = refund(shop, amount=3_000)
    gives_back(shop, one)
    with pytest.raises(Conflict, match="refund_differs"):
        gives_back(shop, replace(one, **change))


def test_a_refund_larger_than_the_order_is_cut_and_says_so(shop: Town) -> None:
    tells(shop, order(shop, **by("Bob")))
    first, second, third = gives_back(
        shop, refund(shop, "r1", amount=9_000), refund(shop, "r2", amount=2_500), refund(shop, "r3", amount=100)
    )
    assert (first.status, first.applied, first.rest) == ("applied", 9_000, 0)
    assert (second.status, second.applied, second.rest) == ("cut", 1_000, 1_500)
    assert (third.status, third.applied, third.rest) == ("cut", 0, 100)
    assert kept(shop).left == 0


def test_a_refund_of_all_that_is_left(shop: Town) -> None:
    tells(shop, order(shop, **by("Bob")))
    _, rest = gives_back(shop, refund(shop, "r1", amount=1), refund(shop, "r2", amount=None))
    assert (rest.status, rest.applied, rest.rest) == ("applied", 9_999, 0)


def test_another_money_is_refused_and_of_one_that_came_first_it_is_kept_why(shop: Town) -> None:
    tells(shop, order(shop, "1", **by("Bob")))
    with pytest.raises(Conflict, match="refund_currency"):
        gives_back(shop, refund(shop, "r1", currency="USD"))
    assert kept(shop).left == 10_000
    gives_back(shop, refund(shop, "r2", of="2", currency="USD"))
    tells(shop, order(shop, "2", **by("Bob")))
    [answer] = gives_back(shop, refund(shop, "r2", of="2", currency="USD"))
    assert (answer.status, answer.reason, answer.applied) == ("rejected", "refund_currency", 0)
    assert kept(shop, "2").left == 10_000
    shop.has_whole_books()


def test_a_refund_of_an_order_nobody_brought_is_kept_and_told_to_nobody(shop: Town) -> None:
    told = heard(shop, PurchaseRefunded)
    tells(shop, order(shop))
    gives_back(shop, refund(shop, amount=1))
    assert kept(shop).left == 9_999
    assert told == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": 0}, "refund_of_nothing"),
        ({"amount": -1}, "order_amount"),
        ({"currency": "XTR"}, "unknown_asset"),
        ({"order_id": ""}, "order_name"),
        ({"refunded_at": datetime(2026, 1, 1)}, "moment_without_zone"),  # noqa: DTZ001  # that is the point
    ],
)
def test_what_cannot_be_a_refund_is_refused(shop: Town, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput, match=code):
        gives_back(shop, replace(refund(shop), **wrong))
    assert shop.house.ask(lambda session: session.scalars(select(Refund)).all()) == []
