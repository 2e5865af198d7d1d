"""Every attribute is real: what the conditions ask about comes from the tables, with the type the dictionary says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy import event as sqlalchemy_event
from sqlmodel import Session

from core import clock, i18n, ids
from core.db import table
from referral import members, stays
from referral.brands import connect
from referral.campaigns import Campaign
from referral.conversions import SHOP, Conversion
from referral.referrals import referral_of
from referral.touches import Touch
from rewards import ledger, rewards
from rewards.conditions.attributes import LOADERS, as_json, gather
from rewards.conditions.dictionary import ATTRIBUTES, LINE, PARTS, describe
from rewards.conditions.expressions import compile_condition
from rewards.conditions.facts.subject import Subject
from rewards.corrections import take_back
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop

PYTHON = {
    "bool": bool,
    "int": int,
    "string": str,
    "timestamp": datetime,
    "duration": timedelta,
    "strings": list,
    "lines": list,
}
ALL = frozenset(ATTRIBUTES)


def subject_of(shop: Shop, friend: UUID, *, event: str = "retained", conversion: UUID | None = None) -> Subject:
    """The friend's event, now."""
    found = shop.house.ask(lambda session: referral_of(session, shop.brand.id, friend, shop.campaign.id))
    assert found is not None
    at = found.qualified_at if found.qualified_at and event == "retained" else clock.now()
    return Subject(
        shop.brand.id, shop.campaign.id, 1, found.id, found.advocate_id, friend, event, at, conversion_id=conversion
    )


def values_of(shop: Shop, *subjects: Subject, names: frozenset[str] = ALL) -> list[dict[str, Any]]:
    return shop.house.ask(lambda session: gather(session, subjects, names))


def buys(shop: Shop, friend: UUID, net: int, **more: Any) -> UUID:
    """The friend's order, as it stands in the table."""
    given = {"gross": net, "discount": 0, "shipping": 0, "tax": 0} | more
    found = shop.house.ask(lambda session: referral_of(session, shop.brand.id, friend, shop.campaign.id))
    assert found is not None
    number = ids.new()
    row = Conversion(
        brand_id=shop.brand.id,
        id=number,
        source="store",
        external_id=f"order {number}",
        member_id=friend,
        referral_id=found.id,
        campaign_id=shop.campaign.id,
        currency=given.pop("currency", "CNY"),
        net=net,
        status="attributed",
        ordered_at=clock.now(),
        received_at=clock.now() + timedelta(minutes=5),
        **given,
    )
    shop.house.do(lambda session: session.add(row))
    return number


def test_every_part_has_its_loader_and_no_loader_is_idle() -> None:
    assert LOADERS.keys() == PARTS.keys()
    assert len(ATTRIBUTES) >= 100
    assert {attribute.type for attribute in ATTRIBUTES.values()} == PYTHON.keys()


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_attribute_has_words(locale: str) -> None:
    for name in (*ATTRIBUTES, *(f"line.{field}" for field in LINE)):
        assert describe(name, locale) != f"attribute.{name}"


def test_everything_there_is_about_an_order(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    with later(days=7):
        assert shop.stays() == 1
        earlier = buys(shop, bob, 500, refunded=200)
    with later(days=9):
        lines = [
            {"sku": "TEA", "amount": 900, "quantity": 3, "name": "Tea", "category": ""},
            {"sku": "CUP", "amount": 300, "quantity": 1, "name": "Cup", "category": "ware"},
        ]
        number = buys(
            shop, bob, 1000, gross=1350, discount=200, shipping=100, tax=50, lines=lines, code=shop.code, refunded=0
        )
        subject = subject_of(shop, bob, event="purchased", conversion=number)
        [found] = values_of(shop, subject)
    missing = ALL - found.keys()
    assert {name for name in missing if name.startswith(("order.", "time.", "campaign.", "advocate.friends"))} == {
        "order.customer_is_advocate",
        "order.customer_is_other",
    }
    for name, value in found.items():
        assert type(value) is PYTHON[ATTRIBUTES[name].type], name
    assert found["order.net"] == 1000
    assert found["order.discount_share"] == 1666
    assert (found["order.coded"], found["order.own_code"], found["order.code"]) == (True, True, shop.code)
    assert (found["order.line_count"], found["order.items"], found["order.largest_line"]) == (2, 4, 900)
    assert (found["order.skus"], found["order.categories"]) == (["CUP", "TEA"], ["ware"])
    assert (found["order.first"], found["order.number"], found["friend.orders"]) == (False, 2, 2)
    assert (found["friend.spent"], found["friend.largest_order"], found["friend.refunded_orders"]) == (1300, 1000, 1)
    assert found["friend.days_since_last_order"] == 2
    assert (found["advocate.orders"], found["advocate.revenue"], found["advocate.refunded_orders"]) == (2, 1300, 1)
    assert found["order.late_minutes"] == 5
    condition = compile_condition("order.lines.exists(line, has(line.category) && line.amount == 300)")
    assert condition.holds(found)
    assert not compile_condition("order.lines.all(line, has(line.category))").holds(found)
    assert earlier != number


def test_what_is_no_order_has_no_figures(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    with later(days=7):
        shop.stays()
        [found] = values_of(shop, subject_of(shop, bob))
    assert not found["order.present"]
    assert {name for name in found if name.startswith("order.")} == {"order.present"}
    decision = compile_condition("order.net > 100").decide(found)
    assert (decision.holds, decision.missing) == (False, ("order.net",))


def test_the_friend_the_advocate_and_their_way(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    shop.brings("Carol")
    with later(days=7):
        assert shop.stays() == 2
        shop.leaves("Carol")
        [found] = values_of(shop, subject_of(shop, bob))
    assert found["event.kind"] == "retained"
    assert (found["event.qualifies"], found["event.kinds"], found["event.days_since_join"]) == (True, 1, 7)
    assert (found["friend.age_days"], found["friend.platforms"], found["friend.stay_days"]) == (7, ["telegram"], 7)
    assert (found["friend.first_seen_via"], found["friend.referrals"], found["friend.invited"]) == ("code", 1, 0)
    assert (found["advocate.friends"], found["advocate.friends_joined"]) == (2, 2)
    assert found["advocate.friends_qualified"] + found["advocate.friends_reversed"] == 2
    assert (found["advocate.enrolled"], found["advocate.terms_version"]) == (True, 1)
    assert (found["touch.present"], found["touch.count"], found["touch.codes"]) == (True, 1, 1)
    assert (found["community.present"], found["community.title"], found["community.members"]) == (
        True,
        "Tea friends",
        1,
    )
    assert (found["community.friend_days"], found["community.advocate_present"]) == (7, False)
    assert (found["platform.name"], found["platform.shared"], found["platform.web"]) == ("telegram", True, False)
    assert (found["campaign.slug"], found["campaign.day"], found["campaign.length_days"]) == ("spring", 9, 201)
    assert (found["campaign.advocates"], found["campaign.referrals"]) == (1, 2)


def test_what_was_given_before_and_what_is_left(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    with later(days=7):
        shop.stays()
        carol = shop.brings("Carol")
    with later(days=14):
        [found] = values_of(shop, subject_of(shop, carol))
    assert (found["campaign.asset"], found["campaign.funded"], found["campaign.budget_left"]) == ("PTS", 1000, 850)
    assert found["campaign.budget_used"] == 1500
    assert (found["history.advocate_rewards"], found["history.advocate_amount"]) == (1, 100)
    assert (found["history.advocate_amount_today"], found["history.advocate_held"]) == (0, 100)
    assert (found["history.friend_rewards"], found["history.friend_rewards_ever"]) == (0, 0)

    def overdraw(session: Session) -> None:
        take_back(session, rewards.rewards_of(session, shop.brand.id, shop.alice), "fraud")
        purse = ledger.Account(shop.brand.id, shop.alice, ledger.Purpose.PAYABLE, "PTS")
        outside = ledger.Account(shop.brand.id, shop.brand.id, ledger.Purpose.EXTERNAL, "PTS")
        ledger.transfer(session, [ledger.Move("spent/1", "spent", purse, outside, 70)])

    house.do(overdraw)
    [found] = values_of(shop, subject_of(shop, carol, event="joined"))
    assert (found["history.advocate_amount"], found["history.advocate_taken_back"]) == (0, 1)
    assert (found["history.advocate_payable"], found["history.advocate_debt"]) == (0, 70)
    [found] = values_of(shop, subject_of(shop, bob))
    assert (found["history.friend_rewards"], found["history.friend_payable"]) == (1, 50)


def test_the_hour_is_that_of_the_campaign(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    at = datetime(2026, 3, 1, 17, 30, tzinfo=UTC)  # half past one on Monday in Shanghai
    subject = replace(subject_of(shop, bob), at=at)
    [found] = values_of(shop, subject, names=frozenset(PARTS["calendar"]))
    assert (found["time.hour"], found["time.minute"], found["time.weekday"]) == (1, 30, 1)
    assert (found["time.date"], found["time.week"], found["time.night"]) == ("2026-03-02", 10, True)
    assert (found["time.weekend"], found["time.day_of_year"], found["time.zone"]) == (False, 61, "Asia/Shanghai")


def test_the_same_address_and_the_clicks_are_counted(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    carol = shop.brings("Carol")

    def clicks(session: Session) -> None:
        for member, robot in ((bob, False), (carol, False), (None, True), (None, False)):
            session.add(
                Touch(
                    brand_id=shop.brand.id,
                    campaign_id=shop.campaign.id,
                    code=shop.code,
                    kind="click",
                    touched_at=clock.now(),
                    member_id=member,
                    robot=robot,
                    address_hash="a" * 32,
                    address_expires_at=clock.now() + timedelta(days=30),
                )
            )

    house.do(clicks)
    [found] = values_of(shop, subject_of(shop, bob, event="joined"))
    assert (found["advocate.clicks"], found["advocate.clicks_today"], found["advocate.robot_clicks"]) == (3, 3, 1)
    assert (found["touch.address_members"], found["touch.count"]) == (2, 2)


def test_the_customer_of_the_shop_may_be_the_advocate(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    hashes = {"alice": "1" * 32, "bob": "2" * 32}

    def known(session: Session) -> None:
        for name, member in (("alice", shop.alice), ("bob", bob)):
            session.add(
                members.Identity(
                    brand_id=shop.brand.id, platform=SHOP, account=hashes[name], member_id=member, seen_at=clock.now()
                )
            )

    house.do(known)
    own = subject_of(shop, bob, event="purchased", conversion=buys(shop, bob, 100, customer_hash=hashes["bob"]))
    strange = subject_of(shop, bob, event="purchased", conversion=buys(shop, bob, 100, customer_hash=hashes["alice"]))
    [first, second] = values_of(shop, own, strange)
    assert (first["order.customer_is_advocate"], first["order.customer_is_other"]) == (False, False)
    assert (second["order.customer_is_advocate"], second["order.customer_is_other"]) == (True, True)


@contextmanager
def statements(house: House) -> Iterator[list[str]]:
    """The statements that readers run meanwhile."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    engine = house.ask(lambda session: session.get_bind())
    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy_event.remove(engine, "before_cursor_execute", note)


def test_many_are_gathered_with_the_statements_of_one(house: House) -> None:
    shop = open_shop(house)
    friends = [shop.brings(name) for name in ("Bob", "Carol", "Dan", "Eve")]
    subjects = [subject_of(shop, friend, event="joined") for friend in friends]
    values_of(shop, subjects[0])  # the plan is remembered from now on
    with statements(house) as one:
        values_of(shop, subjects[0])
    with statements(house) as many:
        found = values_of(shop, *subjects)
    assert len(many) == len(one) <= 50
    assert [values["friend.created_at"] for values in found] == sorted(values["friend.created_at"] for values in found)
    with statements(house) as few:
        values_of(shop, *subjects, names=frozenset({"event.kind", "time.hour"}))
    assert len(few) == 1


def test_a_friend_without_anything_known_still_has_an_answer(house: House) -> None:
    """An account without a chat in no group, a touch that was forgotten: nothing crashes, and no value is None."""
    shop = open_shop(house)
    came = house.comes("Zoe", shop.code)
    assert came.member_id is not None

    def forget(session: Session) -> None:
        session.execute(delete(table(Touch)))

    house.do(forget)
    [found] = values_of(shop, subject_of(shop, came.member_id, event="joined"))
    assert not found["touch.present"]
    assert not found["community.present"]
    assert (found["friend.present"], found["touch.count"]) == (False, 0)
    assert None not in found.values()


def test_another_campaigns_friends_do_not_count_here(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    other = Campaign(
        brand_id=shop.brand.id,
        slug="autumn",
        title={},
        benefit={},
        starts_at=clock.now() - timedelta(days=1),
        ends_at=clock.now() + timedelta(days=9),
        created_at=clock.now(),
        state="running",
    )
    house.do(lambda session: session.add(other))
    subject = subject_of(shop, bob, event="joined")
    elsewhere = replace(subject, campaign_id=other.id)
    [here, there] = values_of(shop, subject, elsewhere, names=frozenset(PARTS["brought"]))
    assert (here["advocate.friends"], there["advocate.friends"]) == (1, 0)
    assert here["advocate.friends_ever"] == there["advocate.friends_ever"] == 1


def test_what_a_decision_used_is_kept_as_json(house: House) -> None:
    shop = open_shop(house)
    bob = shop.brings("Bob")
    names = frozenset({"event.at", "friend.age", "friend.platforms", "time.hour"})
    [found] = values_of(shop, subject_of(shop, bob, event="joined"), names=names)
    kept = as_json(found)
    assert list(kept) == sorted(names)
    assert datetime.fromisoformat(kept["event.at"]) == found["event.at"]
    assert kept["friend.age"] == int(found["friend.age"].total_seconds())


def test_two_people_at_once_know_their_own_places(house: House) -> None:
    shop = open_shop(house)
    guild = house.do(lambda session: connect(session, shop.brand.id, "discord", "900", "Tea guild"))
    bob = shop.brings("Bob")
    came = house.comes("Gia", shop.code, "discord")
    assert came.member_id is not None
    house.do(lambda session: stays.joined(session, guild, "gia", clock.now()))
    [one, two] = values_of(
        shop, subject_of(shop, bob, event="joined"), subject_of(shop, came.member_id, event="joined")
    )
    assert (one["community.title"], two["community.title"]) == ("Tea friends", "Tea guild")
    assert (one["platform.shared"], two["platform.shared"]) == (True, False)
