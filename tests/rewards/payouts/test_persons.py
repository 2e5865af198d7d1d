"""Payouts follow the person: when two members become one, when one becomes two again, when somebody is forgotten."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import Session

from referral import privacy
from referral.linking import MemberLink, finish_link, start_link, undo_link
from rewards.payouts.payees import payee_of
from rewards.payouts.payouts import Payee, PayeeShared, Payout, payout_of
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from rewards.privacy import forget_rewards
from tests.house import House
from tests.rewards.payouts.till import Till, open_till


@pytest.fixture
def till(house: House) -> Till:
    return open_till(house, fee=10)


def alice_on_discord(till: Till) -> UUID:
    """The same person, not yet known to be: she came with her own code, and is owed 500."""
    found = till.shop.house.comes("Alice2", till.shop.code, "discord").member_id
    assert found is not None
    till.earns(500, found)
    till.payee(found, name="Alice", account="13900000000")
    return found


def link(till: Till, younger: UUID) -> MemberLink:
    def both(session: Session) -> MemberLink:
        done = finish_link(session, till.brand, younger, start_link(session, till.brand, till.alice))
        assert isinstance(done, MemberLink)
        return done

    return till.shop.house.do(both)


def undo(till: Till, one: MemberLink) -> None:
    till.shop.house.do(lambda session: undo_link(session, till.brand, one.id))


def answered(till: Till, payout: Payout, answer: Answer) -> None:
    till.shop.house.do(lambda session: conclude(session, till.brand, payout.id, answer, "notice"))


def owner(till: Till, payout: Payout) -> UUID:
    return till.shop.house.ask(lambda session: payout_of(session, till.brand, payout.id)).member_id


def test_what_is_on_its_way_comes_back_to_the_one_person(till: Till) -> None:
    other = alice_on_discord(till)
    payout = till.takes(300, member=other)
    link(till, other)
    assert owner(till, payout) == till.alice
    assert till.payable() == 200
    answered(till, payout, Answer("failed", reason="account_closed"))
    assert till.payable() == 500
    assert till.shop.problems() == []


def test_undone_what_failed_meanwhile_goes_to_whom_it_belonged(till: Till) -> None:
    other = alice_on_discord(till)
    payout = till.takes(300, member=other)
    linked = link(till, other)
    answered(till, payout, Answer("failed", reason="account_closed"))
    undo(till, linked)
    assert (till.payable(), till.payable(other)) == (0, 500)
    assert owner(till, payout) == other
    assert till.offers(other)[0].most == 500
    assert till.shop.problems() == []


@pytest.mark.parametrize("had_one", [False, True])
def test_undone_the_payee_given_meanwhile_holds(till: Till, had_one: bool) -> None:
    if had_one:
        till.payee()
    other = alice_on_discord(till)
    linked = link(till, other)
    newest = till.payee(other, name="Alice", account="13711111111")  # from a page that was open before
    undo(till, linked)
    found = till.shop.house.ask(lambda session: payee_of(session, till.brand, other, till.provider))
    assert found is not None
    assert found.masked == newest
    assert till.shop.problems() == []


def test_undone_before_the_answer_it_comes_back_by_itself(till: Till) -> None:
    other = alice_on_discord(till)
    payout = till.takes(300, member=other)
    undo(till, link(till, other))
    assert till.payable(other) == 200
    answered(till, payout, Answer("completed"))
    assert till.payable(other) == 200
    assert till.shop.problems() == []


def test_what_the_one_person_took_out_meanwhile_stays_paid_and_is_a_debt(till: Till) -> None:
    other = alice_on_discord(till)
    till.payee()
    linked = link(till, other)
    payout = till.takes(500)
    undo(till, linked)
    assert (till.payable(), till.payable(other)) == (-500, 500)
    assert till.offers(other)[0].most == 500
    assert till.shop.problems() == []
    answered(till, payout, Answer("failed", reason="account_closed"))
    assert (till.payable(), till.payable(other)) == (0, 500)
    assert till.shop.problems() == []


def test_each_keeps_their_payee_and_it_is_no_signal(till: Till) -> None:
    other = alice_on_discord(till)
    till.payee(name="Alice", account="13800000000")
    linked = link(till, other)
    assert current(till, till.alice) == "A** …0000"
    assert current(till, other) is None
    undo(till, linked)
    assert current(till, other) == "A** …0000"
    assert till.heard(PayeeShared) == []


def current(till: Till, member: UUID) -> str | None:
    found = till.shop.house.ask(lambda session: payee_of(session, till.brand, member, "manual"))
    return found.masked if found else None


def test_forgotten_once_it_is_not_needed_any_more(till: Till) -> None:
    till.earns(500)
    till.payee(name="Alice", account="13700000000")
    till.payee(name="Alice", account="13800000000")
    payout = till.takes(500)

    def forget(session: Session) -> None:
        forget_rewards(session, till.brand, till.alice)
        privacy.forget_member(session, till.brand, till.alice)

    till.shop.house.do(forget)
    assert sorted(bool(payee.sealed) for payee in payees(till)) == [False, True]
    answered(till, payout, Answer("completed"))
    assert [(payee.sealed, payee.masked) for payee in payees(till)] == [("", "")] * 2


def payees(till: Till) -> list[Payee]:
    return till.shop.house.ask(lambda session: list(session.scalars(select(Payee))))
