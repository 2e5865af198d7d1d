"""Alice takes out what she earned."""

from __future__ import annotations

import pytest

from core.errors import BadInput, Conflict, Refused
from rewards.ledger import Purpose
from rewards.payouts.payouts import PayoutCompleted, PayoutContradicted, PayoutFailed, PayoutStarted
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from tests.house import House
from tests.rewards.payouts.till import open_till


def test_alice_takes_out_what_she_earned_and_it_arrives(house: House) -> None:
    till = open_till(house, fee=100, fee_basis_points=50)
    first, second = till.earns(3000), till.earns(5000)
    till.payee()
    payout = till.takes(6000)
    assert (payout.amount, payout.fee, payout.state, payout.approved) == (5870, 130, "pending", True)
    assert till.payable() == 2000
    assert till.balance(payout.id, Purpose.CLEARING) == 5870
    assert till.balance(till.brand, Purpose.FUNDING) == 130
    states = {reward.id: (reward.state, reward.paid_out) for reward in till.shop.rewards(till.alice)}
    assert states == {first: ("in_payout", 3000), second: ("payable", 3000)}
    assert [type(event) for event in till.told] == [PayoutStarted]

    for _ in range(2):
        house.do(lambda s: conclude(s, till.brand, payout.id, Answer("completed", "bank-1"), "notice"))
    assert till.balance(payout.id, Purpose.CLEARING) == 0
    states = {reward.id: (reward.state, reward.paid_out) for reward in till.shop.rewards(till.alice)}
    assert states == {first: ("paid", 3000), second: ("payable", 3000)}
    assert len(till.heard(PayoutCompleted)) == 1


def test_what_failed_is_payable_again(house: House) -> None:
    till = open_till(house, fee=100)
    till.earns(3000)
    till.payee()
    payout = till.takes(3000)
    house.do(lambda s: conclude(s, till.brand, payout.id, Answer("failed", reason="account_closed"), "notice"))
    assert till.payable() == 3000
    assert till.balance(till.brand, Purpose.FUNDING) == 0
    assert [(reward.state, reward.paid_out) for reward in till.shop.rewards(till.alice)] == [("payable", 0)]
    assert [event.reason for event in till.heard(PayoutFailed)] == ["account_closed"]
    assert till.takes(3000, key="2").state == "pending"


def test_a_contradiction_is_told_and_moves_nothing(house: House) -> None:
    till = open_till(house)
    till.earns(3000)
    till.payee()
    payout = till.takes(3000)
    house.do(lambda s: conclude(s, till.brand, payout.id, Answer("completed"), "notice"))
    house.do(lambda s: conclude(s, till.brand, payout.id, Answer("failed", reason="returned"), "notice"))
    assert till.payable() == 0
    assert till.payouts()[0].state == "completed"
    assert [(event.had, event.said) for event in till.heard(PayoutContradicted)] == [("completed", "failed")]


def test_asking_twice_with_one_key_is_asking_once(house: House) -> None:
    till = open_till(house)
    till.earns(3000)
    till.payee()
    assert till.takes(1000).id == till.takes(1000).id
    assert till.payable() == 2000
    with pytest.raises(Conflict):
        till.takes(1500)


@pytest.mark.parametrize(
    ("amount", "code"),
    [(99, "below_minimum"), (3001, "above_available"), (2001, "day_limit"), (0, "amount_out_of_range")],
)
def test_what_the_terms_do_not_allow(house: House, amount: int, code: str) -> None:
    till = open_till(house, minimum=100, day_limit=2000)
    till.earns(3000)
    till.payee()
    with pytest.raises((Refused, BadInput)) as refused:
        till.takes(amount)
    assert refused.value.code == code
    assert till.payable() == 3000


def test_without_a_payee_nothing_leaves(house: House) -> None:
    till = open_till(house)
    till.earns(3000)
    with pytest.raises(Refused) as refused:
        till.takes(1000)
    assert refused.value.code == "payee_missing"
    assert till.offers()[0].most == 3000
