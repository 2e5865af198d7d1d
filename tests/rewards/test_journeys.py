"""The journey of an order and of a friend: everything that was recorded, in the order of time, and one answer."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlmodel import col, select

from core import clock, ids
from core.errors import NotFound
from referral import doubts, members
from referral.conversions import Conversion, Order, RefundOrder
from referral.journeys import listing
from referral.journeys.listing import Wanted
from referral.journeys.steps import Asked, Journey, Step
from referral.orders import record_orders
from referral.privacy import forget_member
from referral.referrals import referral_of
from referral.refunds import record_refunds
from referral.rejection import reject
from rewards import advocate, journeys
from rewards.plans import Plan, Rule
from rewards.rewards import release_due
from tests.house import House, later, person
from tests.referral.attribution.lane import open_lane
from tests.rewards.shop import Shop, open_shop
from web.dashboard.journey_words import Words

COMMISSION = Plan(
    asset="CNY",
    budget=100_000,
    rules=(Rule(to="advocate", on="purchased", basis_points=1000, hold_days=7), Rule(to="friend", amount=500)),
)


@pytest.fixture
def shop(house: House) -> Shop:
    return open_shop(house, COMMISSION, event="purchased")


def order_journey(shop: Shop, number: str) -> Journey:
    which = select(Conversion).where(col(Conversion.brand_id) == shop.brand.id, col(Conversion.external_id) == number)
    order = shop.house.ask(lambda session: session.exec(which).one())
    return shop.house.ask(lambda session: journeys.order_journey(session, shop.brand.id, order.id))


def told(journey: Journey) -> list[str]:
    return [step.what for step in journey.steps]


def step(journey: Journey, what: str) -> Step:
    return next(step for step in journey.steps if step.what == what)


def said(asked: Sequence[Asked]) -> dict[str, bool | None]:
    return {one.rule: one.held for one in asked}


def test_an_order_that_counted_is_told_from_the_first_touch_to_the_money(shop: Shop) -> None:
    shop.brings("Bob")
    with later(days=2):
        shop.buys("Bob", "A-1", 20_000)
    journey = order_journey(shop, "A-1")

    assert (journey.verdict.counted, journey.verdict.reason) == (True, "counted")
    assert journey.people[journey.verdict.facts["advocate"]].name == "Alice"
    assert told(journey) == [
        *("touch.code", "referral.started", "group.joined", "referral.joined"),
        *("order", "referral.qualified", "order.attributed", "attribution"),
        *("reward.held", "reward.granted"),
    ]
    came = step(journey, "touch.code")
    assert all(said(came.asked).values())
    assert len(came.asked) == 8
    (share,) = step(journey, "attribution").facts["shares"].items()
    assert share == (shop.alice, 1_000_000)
    assert [one["kind"] for one in step(journey, "attribution").facts["seen"]] == ["code"]
    commission = step(journey, "reward.held")
    assert (commission.facts["amount"], commission.facts["rule"]) == (2_000, "advocate")
    (move,) = commission.moves
    assert (move.amount, move.debit[0], move.credit[0]) == (2_000, "campaign.budget", "member.held")
    assert move.debit[1] == shop.campaign.id
    assert move.credit[1] == shop.alice
    assert [step.at for step in journey.steps] == sorted(step.at for step in journey.steps)


def test_a_refund_takes_its_share_and_the_rest_is_released(shop: Shop) -> None:
    shop.brings("Bob")
    shop.buys("Bob", "A-1", 20_000)
    refund = RefundOrder(shop.brand.id, "till", "R-1", "A-1", 5_000, "CNY", clock.now())
    shop.house.do(lambda session: record_refunds(session, [refund]))
    with later(days=8):
        shop.house.do(release_due)
    journey = order_journey(shop, "A-1")

    assert (journey.verdict.counted, journey.verdict.reason) == (True, "partly_refunded")
    taken = step(journey, "reward.void")
    assert (taken.facts["amount"], taken.facts["reason"]) == (500, "refunded")
    assert step(journey, "refund.applied").facts["amount"] == 5_000
    assert [move.amount for move in step(journey, "reward.released").moves] == [1_500]


def test_an_order_refunded_whole_after_release_was_clawed_back(shop: Shop) -> None:
    shop.brings("Bob")
    shop.buys("Bob", "A-1", 20_000)
    with later(days=8):
        shop.house.do(release_due)
        refund = RefundOrder(shop.brand.id, "till", "R-1", "A-1", None, "CNY", clock.now())
        shop.house.do(lambda session: record_refunds(session, [refund]))
    journey = order_journey(shop, "A-1")

    assert (journey.verdict.counted, journey.verdict.reason) == (False, "refunded")
    back = [step for step in journey.steps if step.what == "reward.clawback"]
    assert sorted(step.facts["amount"] for step in back) == [500, 2_000]
    assert told(journey).index("order") < told(journey).index("reward.clawback")
    assert step(journey, "referral.reversed").facts["reason"] == "refunded"


def test_a_buyer_known_before_the_click_did_not_count_and_the_journey_says_since_when(shop: Shop) -> None:
    shop.house.do(lambda session: members.meet(session, shop.brand.id, [person("Bob")], [clock.now()], "message"))
    with later(days=3):
        assert shop.house.comes("Bob", shop.code).outcome == "not_new"
        shop.buys("Bob", "A-1")
    journey = order_journey(shop, "A-1")

    assert (journey.verdict.counted, journey.verdict.reason) == (False, "not_new")
    assert journey.verdict.facts["before"] == 3
    assert told(journey)[0] == "seen"
    came = step(journey, "touch.code")
    assert said(came.asked)["not_new"] is False
    assert came.asked[-1].facts["via"] == "message"
    assert said(step(journey, "order.unattributed").asked)["brought"] is False


def test_an_order_whose_code_was_refused_says_the_rule_and_who_was_meant(shop: Shop) -> None:
    shop.buys("Bob", "A-0")  # a guest whom only the order makes known
    with later(days=3):
        account = ("telegram", "bob")
        order = Order(shop.brand.id, "till", "A-1", "CNY", 9_900, clock.now(), account=account, code=shop.code)
        shop.house.do(lambda session: record_orders(session, [order]))
    journey = order_journey(shop, "A-1")

    assert (journey.verdict.counted, journey.verdict.reason) == (False, "not_new")
    assert journey.verdict.facts["before"] == 3
    assert journey.people[journey.verdict.facts["advocate"]].name == "Alice"


def test_an_order_after_the_window_says_until_when(shop: Shop) -> None:
    shop.brings("Bob")
    with later(days=31):
        shop.buys("Bob", "A-1")
    journey = order_journey(shop, "A-1")

    assert journey.verdict.reason == "outside_window.after"
    asked = said(step(journey, "order.rejected").asked)
    assert asked == {"buyer": True, "brought": True, "window": False, "standing": None, "paid": None}


def test_a_guests_order_has_nobody_and_says_so(shop: Shop) -> None:
    order = Order(shop.brand.id, "till", "G-1", "CNY", 100, clock.now())
    shop.house.do(lambda session: record_orders(session, [order]))
    journey = order_journey(shop, "G-1")

    assert (journey.verdict.counted, journey.verdict.reason) == (False, "guest")
    assert told(journey) == ["order", "order.unattributed"]


def test_a_friends_journey_has_all_their_orders_and_what_a_person_decided(shop: Shop) -> None:
    friend = shop.brings("Bob")
    shop.buys("Bob", "A-1")
    shop.buys("Bob", "A-2")
    which = referral_id(shop, friend)
    before = shop.house.ask(lambda session: journeys.friend_journey(session, shop.brand.id, which))
    assert before.verdict.reason == "qualified"
    assert told(before).count("order.attributed") == 2

    with later(hours=1):
        shop.house.do(lambda session: reject(session, shop.brand.id, which, reason="one person", actor="operator"))
    after = shop.house.ask(lambda session: journeys.friend_journey(session, shop.brand.id, which))
    assert (after.verdict.counted, after.verdict.reason) == (False, "reversed.fraud")
    assert {"reward.void", "reward.clawback"} <= set(told(after))


def referral_id(shop: Shop, friend: UUID) -> UUID:
    found = shop.house.ask(lambda session: referral_of(session, shop.brand.id, friend, shop.campaign.id))
    assert found is not None
    return found.id


def test_another_brands_order_is_not_there(house: House, shop: Shop) -> None:
    other = open_shop(house, COMMISSION, name="Beta 咖啡", event="purchased")
    other.brings("Zoe")
    other.buys("Zoe", "Z-1")
    theirs = order_journey(other, "Z-1").order
    assert theirs is not None
    for wanted in (theirs.id, ids.new()):
        with pytest.raises(NotFound):
            house.ask(lambda session, wanted=wanted: journeys.order_journey(session, shop.brand.id, wanted))  # type: ignore[misc]


def test_a_forgotten_friend_is_erased_in_the_journey_too(shop: Shop) -> None:
    friend = shop.brings("Bob")
    shop.buys("Bob", "A-1")
    shop.house.do(lambda session: forget_member(session, shop.brand.id, friend))
    journey = order_journey(shop, "A-1")
    assert journey.people[friend].erased
    assert journey.people[friend].name == ""


def test_an_order_after_the_advocate_was_forgotten_says_so_and_pays_nobody(shop: Shop) -> None:
    shop.brings("Bob")
    shop.buys("Bob", "A-1")
    alice: UUID = order_journey(shop, "A-1").verdict.facts["advocate"]
    shop.house.do(lambda session: forget_member(session, shop.brand.id, alice))
    shop.buys("Bob", "A-2")
    journey = order_journey(shop, "A-2")
    assert (journey.verdict.counted, journey.verdict.reason) == (False, "referral_forgotten")
    assert said(step(journey, "order.rejected").asked)["standing"] is False
    assert len(shop.rewards(alice)) == 1, "what she had before stays"


def test_somebody_who_never_counted_has_a_journey_too(shop: Shop) -> None:
    bob = shop.house.do(lambda session: members.meet(session, shop.brand.id, [person("Bob")], [clock.now()], "message"))
    with later(days=3):
        shop.house.comes("Bob", shop.code)
    who = bob[0].member_id
    journey = shop.house.ask(lambda session: journeys.person_journey(session, shop.brand.id, who))
    assert (journey.verdict.counted, journey.verdict.reason) == (False, "not_new")
    alone = shop.house.ask(lambda session: journeys.person_journey(session, shop.brand.id, shop.alice))
    assert (alone.verdict.counted, alone.verdict.reason) == (False, "came_alone")
    (touch,) = shop.house.ask(lambda session: advocate.portrait(session, shop.brand.id, shop.alice)).tries
    assert (touch.member_id, touch.outcome) == (who, "not_new")


def test_while_somebody_looks_into_who_brought_a_friend_nothing_is_said_for_certain(shop: Shop) -> None:
    at = clock.now()
    shop.house.do(lambda session: doubts.doubt(session, shop.group, person("Bob"), at, [shop.code], "ambiguous"))
    bob = shop.house.do(lambda session: members.meet(session, shop.brand.id, [person("Bob")], [at], "join"))
    shop.buys("Bob", "A-1")
    journey = order_journey(shop, "A-1")
    assert (journey.verdict.counted, journey.verdict.reason) == (None, "in_doubt")
    assert "case.opened" in told(journey)
    whole = shop.house.ask(lambda session: journeys.person_journey(session, shop.brand.id, bob[0].member_id))
    assert whole.verdict.reason == "in_doubt"


def test_orders_are_listed_by_pages_and_by_what_is_asked_of_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    monkeypatch.setattr(listing, "LOOKED_AT", 3)
    shop.brings("Bob")
    for number in range(4):
        shop.buys("Bob", f"B-{number}")
    for number in range(3):
        guest = Order(shop.brand.id, "shopify", f"#{number}", "CNY", 100, clock.now())
        shop.house.do(lambda session, order=guest: record_orders(session, [order]))  # type: ignore[misc]

    def pages(wanted: Wanted) -> list[str]:
        found, after = [], None
        while True:
            page = shop.house.ask(
                lambda session, begin=after: listing.orders_page(session, shop.brand.id, wanted, begin)  # type: ignore[misc]
            )
            found += [order.external_id for order in page.orders]
            if page.older is None:
                return found
            after = page.older

    guests, bobs = ["#2", "#1", "#0"], ["B-3", "B-2", "B-1", "B-0"]
    assert pages(Wanted()) == [*guests, *bobs]
    assert pages(Wanted(status="attributed")) == pages(Wanted(campaign_id=shop.campaign.id)) == bobs
    for few in (Wanted(status="uncounted"), Wanted(reason="guest"), Wanted(source="shopify"), Wanted("unattributed")):
        assert pages(few) == guests
    assert pages(Wanted(status="rejected")) == pages(Wanted(source="nowhere")) == []
    assert pages(Wanted(number=" 1 ")) == ["#1"]
    assert shop.house.ask(lambda session: listing.sources_of(session, shop.brand.id)) == ["shopify", "till"]


def test_an_order_that_is_shared_tells_every_advocates_part_and_their_money(house: House) -> None:
    lane = open_lane(house, 'split = "linear"')
    lane.comes("Bob", "Ann")
    with later(days=1):
        lane.comes("Bob", "Ben")
    with later(days=2):
        told_of = lane.buys("Bob", "S-1")
        journey = house.ask(lambda session: journeys.order_journey(session, lane.brand.id, told_of.conversion_id))
    assert (journey.verdict.counted, journey.verdict.reason) == (True, "shared")
    assert journey.verdict.facts["shares"] == {lane.who("Ann"): 500_000, lane.who("Ben"): 500_000}
    assert [one["share"] for one in step(journey, "attribution").facts["seen"]] == [500_000, 500_000]
    words = Words(journey, "en", "Asia/Shanghai")
    assert words.verdict().startswith("Shared between advocates: ")
    for who in words.advocates():
        letter = words.letter(who)
        assert "your part is 50.0%" in letter
        assert "Your reward of" in letter
        assert "Bob" not in letter
    rewarded = {one.facts["member"] for one in journey.steps if one.what == "reward.held"}
    assert rewarded == {lane.who("Ann"), lane.who("Ben")}
