"""Orders: whose they are, when they count, and that telling twice changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlmodel import Session

from core import clock, ids
from core.errors import BadInput, Conflict, NotFound
from referral import members
from referral.conversions import Conversion, Line, Recorded, customer_hash, hash_of_digest
from referral.orders import assign_order
from referral.qualifying import QualifyingEvent
from tests.house import House, later
from tests.referral.till import Ears, by, order, tells
from tests.referral.town import Town, build_town, open_campaign

TICK = timedelta(microseconds=1)


@pytest.fixture
def shop(house: House) -> Town:
    """A town whose campaign counts purchases, within 30 days of the touch."""
    return build_town(house, event="purchased")


@pytest.mark.parametrize("spelling", ["TeaShop", "ｔｅａｓｈｏｐ", "teashoP", "Éclair", "e\u0301clair"])
def test_a_shop_has_one_spelling_or_its_orders_would_be_paid_twice(shop: Town, spelling: str) -> None:
    shop.brings("Alice", "Bob")
    tells(shop, order(shop, **by("Bob")))
    with pytest.raises(BadInput) as refused:
        tells(shop, replace(order(shop, **by("Bob")), source=spelling))
    assert refused.value.code == "order_source"
    assert refused.value.params["written"] in ("teashop", "éclair")
    tells(shop, replace(order(shop, **by("Bob")), source="小店 2"))  # which is another shop


def test_bob_buys_tea_and_alice_is_credited(shop: Town) -> None:
    ears = Ears(shop)
    shop.brings("Alice", "Bob")
    assert shop.referral("Bob").state == "joined", "to join is not what counts here"
    assert shop.referral("Bob").due_at is None
    with later(days=2):
        [told] = tells(shop, order(shop, **by("Bob")))
    assert (told.status, told.reason, told.referral_id) == ("attributed", None, shop.referral("Bob").id)
    assert shop.referral("Bob").state == "qualified"
    assert shop.score("Alice") == 1
    assert ears.kinds() == [("FriendQualified", "purchased")]
    assert ears.heard[0].conversion_id == told.conversion_id
    with later(days=3):
        tells(shop, order(shop, "2", **by("Bob")))
    assert ears.kinds()[1:] == [("FriendActed", "purchased")]
    assert shop.score("Alice") == 1, "a friend counts once"
    shop.has_true_counters()


def test_an_order_told_twice_is_one_order(shop: Town) -> None:
    ears = Ears(shop)
    shop.brings("Alice", "Bob")
    one = order(shop, **by("Bob"))
    first, second = tells(shop, one, one)
    [third] = tells(shop, one)
    assert first == second == third
    assert [told.repeated for told in (first, second, third)] == [False, True, True]
    assert len(ears.heard) == 1


@pytest.mark.parametrize(
    "change", [{"gross": 9_999, "lines": ()}, {"currency": "USD"}, {"discount": 1}, {"lines": (Line("cup", 10_000),)}]
)
def test_an_order_told_again_with_other_figures_is_a_conflict(shop: Town, change: dict[str, Any]) -> None:
    one = order(shop, lines=(Line("tea", 10_000),))
    tells(shop, one)
    for together in ((replace(one, **change),), (one, replace(one, **change))):
        with pytest.raises(Conflict, match="order_differs"):
            tells(shop, *together)


def test_figures_of_an_order_make_its_net(shop: Town) -> None:
    lines = (Line("sencha", 6_000, quantity=2, name="Sencha", category="tea"), Line("cup", 2_000))
    [told] = tells(shop, order(shop, gross=10_000, discount=1_000, tax=1_200, shipping=800, lines=lines))
    assert told.net == 7_000
    assert (told.status, told.reason) == ("unattributed", "guest")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"gross": -1}, "order_amount"),
        ({"gross": 1.5}, "order_amount"),
        ({"gross": True}, "order_amount"),
        ({"gross": 2**53}, "order_amount"),
        ({"discount": 10_001}, "order_below_zero"),
        ({"currency": "PTS"}, "unknown_asset"),
        ({"currency": "cny"}, "unknown_asset"),
        ({"currency": "XYZ"}, "unknown_asset"),
        ({"external_id": ""}, "order_name"),
        ({"external_id": "1\n2"}, "order_name"),
        ({"source": "s" * 41}, "order_name"),
        ({"lines": (Line("tea", 9_999),)}, "order_lines_sum"),
        ({"lines": (Line("tea", 10_001), Line("gift", -1))}, "order_amount"),
        ({"lines": tuple(Line(str(number), 0) for number in range(501))}, "order_lines_many"),
        ({"lines": (Line("tea", 10_000, name="a\x00b"),)}, "order_name"),
        ({"lines": (Line("tea", 10_000, category="\ud800"),)}, "order_name"),
        ({"ordered_at": datetime(2026, 1, 1)}, "moment_without_zone"),  # noqa: DTZ001  # that is the point
    ],
)
def test_what_cannot_be_an_order_is_refused(shop: Town, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput, match=code):
        tells(shop, replace(order(shop), **wrong))


def test_an_order_counts_from_the_touch_on_and_not_at_the_end_of_the_window(shop: Town) -> None:
    shop.brings("Alice", "Bob")
    start, end = shop.referral("Bob").started_at, shop.referral("Bob").expires_at
    told = tells(
        shop,
        order(shop, "early", ordered_at=start - TICK, **by("Bob")),
        order(shop, "late", ordered_at=end, **by("Bob")),
        order(shop, "first", ordered_at=start, **by("Bob")),
        order(shop, "last", ordered_at=end - TICK, **by("Bob")),
    )
    assert [(one.status, one.reason) for one in told] == [
        ("rejected", "outside_window"),
        ("rejected", "outside_window"),
        ("attributed", None),
        ("attributed", None),
    ]
    assert shop.referral("Bob").qualified_at == start


def test_the_end_of_the_campaign_ends_the_window_for_those_who_had_qualified_too(shop: Town) -> None:
    shop.brings("Alice", "Bob")
    tells(shop, order(shop, **by("Bob")))
    with later(days=5):
        shop.does("end")
        ended = clock.now()
    with later(days=6):
        before, after = tells(
            shop,
            order(shop, "2", ordered_at=ended - timedelta(days=1), **by("Bob")),
            order(shop, "3", ordered_at=ended + timedelta(minutes=1), **by("Bob")),
        )
    assert (before.status, before.reason) == ("attributed", None)
    assert (after.status, after.reason) == ("rejected", "outside_window")


def test_an_order_that_is_told_after_the_window_counts_by_the_day_it_was_made(shop: Town) -> None:
    shop.brings("Alice", "Bob")
    with later(days=29):
        made = clock.now()
    with later(days=31):
        assert shop.night() == (0, 1)
        assert shop.referral("Bob").state == "expired"
        [told] = tells(shop, order(shop, ordered_at=made, **by("Bob")))
    assert told.status == "attributed"
    assert (shop.referral("Bob").state, shop.referral("Bob").reason) == ("qualified", None)
    assert shop.score("Alice") == 1


def test_whoever_came_but_never_joined_a_group_counts_by_buying_where_purchases_count(shop: Town) -> None:
    code = shop.invites("Alice")
    shop.comes("Bob", code)
    [told] = tells(shop, order(shop, **by("Bob")))
    assert told.status == "attributed"
    assert shop.referral("Bob").state == "qualified"


def test_where_staying_counts_a_purchase_is_told_once_the_friend_has_joined(town: Town) -> None:
    ears = Ears(town)
    code = town.invites("Alice")
    town.comes("Bob", code)
    [before] = tells(town, order(town, "1", **by("Bob")))
    assert (before.status, before.reason) == ("rejected", "not_joined")
    town.joins("Bob")
    [after] = tells(town, order(town, "2", **by("Bob")))
    assert (after.status, after.reason) == ("attributed", None)
    assert ears.kinds() == [("FriendActed", "purchased")]
    assert town.referral("Bob").state == "joined", "a purchase is not what counts here"


def test_nothing_paid_is_nothing_earned(shop: Town) -> None:
    ears = Ears(shop)
    shop.brings("Alice", "Bob")
    [told] = tells(shop, order(shop, discount=10_000, **by("Bob")))
    assert (told.status, told.reason, told.net) == ("attributed", "nothing_paid", 0)
    assert ears.heard == []
    assert shop.referral("Bob").state == "joined"


def test_a_reversed_referral_takes_no_orders(shop: Town) -> None:
    shop.brings("Alice", "Bob")
    from referral.referrals import reverse

    referral = shop.referral("Bob")
    shop.house.do(lambda session: reverse(session, [session.merge(referral)], "fraud"))
    [told] = tells(shop, order(shop, **by("Bob")))
    assert (told.status, told.reason) == ("rejected", "referral_reversed")


def test_who_bought_can_be_said_in_many_ways(shop: Town) -> None:
    shop.brings("Alice", "Bob")
    bob = shop.who("Bob")
    told = tells(
        shop,
        order(shop, "member", member_id=bob),
        order(shop, "referral", referral_id=shop.referral("Bob").id),
        order(shop, "account", account=("telegram", "bob")),
    )
    assert {(one.status, one.member_id) for one in told} == {("attributed", bob)}
    mail = customer_hash("Bob@Example.org")
    tells(shop, order(shop, "both", member_id=bob, customer_hash=mail, consent=True))
    [later_on] = tells(shop, order(shop, "mail", customer_hash=customer_hash(" bob@example.ORG ")))
    assert (later_on.status, later_on.member_id) == ("attributed", bob), "the shop's customer is known by now"


def count(town: Town, model: type) -> int:
    """How many rows there are."""
    return town.house.ask(lambda session: session.scalar(select(func.count()).select_from(model)) or 0)


def test_guests_strangers_and_contradictions_are_kept_with_their_reason(shop: Town) -> None:
    shop.brings("Alice", "Bob")
    told = tells(
        shop,
        order(shop, "guest"),
        order(shop, "nobody", member_id=ids.new()),
        order(shop, "stranger", account=("telegram", "zoe")),
        order(shop, "two", account=("telegram", "bob"), member_id=shop.who("Alice")),
        order(shop, "nobody's friend", account=("telegram", "alice")),
        order(shop, "no code", code="not a code"),
    )
    assert [(one.status, one.reason) for one in told] == [
        ("unattributed", "guest"),
        ("unattributed", "unknown_buyer"),
        ("unattributed", "unknown_buyer"),
        ("unattributed", "ambiguous_buyer"),
        ("unattributed", "no_referral"),
        ("unattributed", "guest"),
    ]
    assert count(shop, Conversion) == 6


def test_a_new_customer_with_a_code_at_the_till_is_a_friend(shop: Town) -> None:
    code = shop.invites("Alice")
    carol = customer_hash("carol@example.org")
    [told] = tells(shop, order(shop, code=code.lower(), customer_hash=carol))
    assert (told.status, told.reason) == ("attributed", None)
    assert told.member_id is not None
    assert shop.referral_of(told.member_id).state == "qualified"
    assert shop.score("Alice") == 1
    [again] = tells(shop, order(shop, "2", customer_hash=carol))
    assert again.referral_id == told.referral_id


def test_an_old_customer_with_a_code_is_not_new(shop: Town) -> None:
    code = shop.invites("Alice")
    carol = customer_hash("+86 138 0013 8000")
    tells(shop, order(shop, "1", customer_hash=carol))
    with later(days=1):
        [told] = tells(shop, order(shop, "2", customer_hash=customer_hash("13800138000"), code=code))
    assert (told.status, told.reason) == ("rejected", "not_new")
    assert shop.score("Alice") == 0


def test_ones_own_code_at_the_till_earns_nothing(shop: Town) -> None:
    code = shop.invites("Alice")
    [told] = tells(shop, order(shop, code=code, **by("Alice")))
    assert (told.status, told.reason) == ("rejected", "self_referral")


def test_of_two_campaigns_the_one_of_the_code_then_the_one_that_counts_purchases(house: House) -> None:
    town = build_town(house, event="purchased")
    stay = house.do(lambda session: open_campaign(session, town.brand, "stay"))
    spring, other = town.invites("Alice"), town.invites("Zoe", campaign=stay)
    town.comes("Bob", spring)
    town.joins("Bob")

    def came_to_both(session: Session) -> UUID:
        from referral.referrals import Referral

        first = session.scalars(select(Referral)).one()
        values = first.model_dump() | {"id": ids.new(), "campaign_id": stay.id, "code": other, "state": "joined"}
        session.add(Referral(**values))
        session.flush()
        return first.id

    first = house.do(came_to_both)
    plain, with_code = tells(town, order(town, "1", **by("Bob")), order(town, "2", code=other, **by("Bob")))
    assert plain.referral_id == first
    assert with_code.referral_id not in (None, first)


def test_what_a_new_customer_bought_besides_is_theirs_too(shop: Town) -> None:
    code, carol = shop.invites("Alice"), customer_hash("carol@example.org")
    first = order(shop, "1", code=code, customer_hash=carol)
    with_code, without = tells(shop, first, order(shop, "2", customer_hash=carol, ordered_at=clock.now()))
    assert (with_code.status, without.status) == ("attributed", "attributed")
    assert with_code.referral_id == without.referral_id


def test_the_code_of_another_brand_is_no_code(house: House) -> None:
    here, there = build_town(house, "Here", event="purchased"), build_town(house, "There", event="purchased")
    code = there.invites("Alice")
    [told] = tells(here, order(here, code=code, customer_hash=customer_hash("carol@example.org")))
    assert (told.status, told.reason) == ("unattributed", "unknown_buyer")
    assert here.referrals() == []


def test_a_person_decides_who_bought(shop: Town) -> None:
    ears = Ears(shop)
    shop.brings("Alice", "Bob")
    bob = shop.who("Bob")
    tells(shop, order(shop))

    def assigns(number: str = "1", member: UUID = bob) -> Recorded:
        return shop.house.do(lambda session: assign_order(session, shop.brand.id, "teashop", number, member))

    first, again = assigns(), assigns()
    assert first == again
    assert (first.status, first.referral_id) == ("attributed", shop.referral("Bob").id)
    assert ears.kinds() == [("FriendQualified", "purchased")]
    with pytest.raises(Conflict, match="order_assigned"):
        assigns(member=shop.who("Alice"))
    for wrong in ({"number": "9"}, {"member": shop.brand.id}):
        with pytest.raises(NotFound):
            assigns(**wrong)


def test_orders_of_two_brands_do_not_meet(house: House) -> None:
    here, there = build_town(house, "Here", event="purchased"), build_town(house, "There", event="purchased")
    here.brings("Alice", "Bob")
    [one], [other] = tells(here, order(here, **by("Bob"))), tells(there, order(there, **by("Bob")))
    assert one.status == "attributed"
    assert (other.status, other.reason) == ("unattributed", "unknown_buyer")


def test_many_orders_of_many_friends_in_one_batch(shop: Town) -> None:
    names = [f"Friend {number}" for number in range(30)]
    for name in names:
        shop.brings("Alice", name)
    told = tells(shop, *(order(shop, f"{name}/{number}", **by(name)) for name in names for number in range(2)))
    assert {one.status for one in told} == {"attributed"}
    assert shop.score("Alice") == 30
    assert count(shop, QualifyingEvent) == 30
    shop.has_true_counters()


@pytest.mark.parametrize("contact", ["", "no", "12-34", "call me", "1" * 21])
def test_a_contact_that_is_none_is_refused(contact: str) -> None:
    with pytest.raises(BadInput, match="contact_unreadable"):
        customer_hash(contact)


def test_a_number_is_one_number_however_written() -> None:
    members.set_fingerprint_key("test-secret")
    written = ("+86 138 0013 8000", "0086-13800138000", "138 0013 8000", "＋８６（１３８）００１３８０００")
    assert len({customer_hash(number) for number in written}) == 1
    assert customer_hash("+1 380 013 8000") != customer_hash("13800138000")


def test_an_address_is_compared_in_lower_case_as_shops_hash_it() -> None:
    members.set_fingerprint_key("test-secret")
    digest = sha256("straße@example.org".encode()).hexdigest()
    assert customer_hash(" STRAßE@Example.org") == hash_of_digest(digest)
    assert customer_hash("strasse@example.org") != hash_of_digest(digest), "which is somebody else's"
