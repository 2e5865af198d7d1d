"""Corrections: what refunds, decisions and people do to rewards, before and after their release and their payout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col

from core import clock
from core.db import table
from core.errors import BadInput, Conflict, NotFound, Refused
from referral.campaigns import Campaign
from referral.conversions import Order, Recorded, RefundOrder
from referral.orders import record_orders
from referral.refunds import record_refunds
from rewards import corrections, ledger, rewards
from rewards.adjustments import Adjusted, Adjustment, adjust, adjustments_of
from rewards.plans import Plan, Rule
from rewards.rewards import Reward, RewardVoided
from tests.house import House, later
from tests.rewards.shop import Shop, open_shop

SALES = Plan(
    asset="CNY",
    rules=(
        Rule(to="advocate", on="purchased", basis_points=750, rounding="half_even", hold_days=3),
        Rule(name="thanks", to="advocate", on="purchased", amount=30, hold_days=3),
        Rule(to="friend", amount=50),
    ),
    budget=10_000,
)
"""7.5 % of each order and 0.30 yuan for it to the advocate, 0.50 once to the friend."""


@dataclass
class Till:
    """The tea shop with a till. Alice has brought Bob; amounts are fen."""

    shop: Shop
    bob: UUID
    voided: list[RewardVoided]

    def sells(self, number: str = "1", gross: int = 10_000, **more: Any) -> Recorded:
        """Bob buys something."""
        usual: dict[str, Any] = {
            "brand_id": self.shop.brand.id,
            "source": "till",
            "currency": "CNY",
            "member_id": self.bob,
        }
        order = Order(**(usual | {"external_id": number, "gross": gross, "ordered_at": clock.now()} | more))
        return self.shop.house.do(lambda session: record_orders(session, [order]))[0]

    def takes(self, amount: int | None, number: str = "r1", of: str = "1") -> None:
        """Bob gets something back."""
        refund = RefundOrder(self.shop.brand.id, "till", number, of, amount, "CNY", clock.now())
        self.shop.house.do(lambda session: record_refunds(session, [refund]))

    def rewards(self, who: UUID | None = None) -> dict[str, Reward]:
        """The rewards of somebody (Alice), by rule."""
        return {row.rule: row for row in self.shop.rewards(who or self.shop.alice)}

    def budget(self) -> int:
        """What the campaign has left to give."""
        owned = self.shop.house.ask(
            lambda session: ledger.balances_of(session, self.shop.brand.id, self.shop.campaign.id)
        )
        return owned[("campaign.budget", "CNY")]

    def debt(self, who: UUID | None = None) -> dict[str, int]:
        """What somebody (Alice) owes."""
        asked = who or self.shop.alice
        return self.shop.house.ask(lambda session: corrections.debt_of(session, self.shop.brand.id, asked))

    def spends(self, amount: int) -> None:
        """Alice is paid this much (the payouts' own tests go the whole way)."""
        purse = ledger.Account(self.shop.brand.id, self.shop.alice, ledger.Purpose.PAYABLE, "CNY")
        outside = ledger.Account(self.shop.brand.id, self.shop.brand.id, ledger.Purpose.EXTERNAL, "CNY")
        self.shop.house.do(
            lambda session: ledger.transfer(session, [ledger.Move("spent/1", "spent", purse, outside, amount)])
        )


@pytest.fixture
def till(house: House) -> Till:
    """A shop whose campaign counts purchases, and Bob, who has come."""
    shop = open_shop(house, SALES)
    house.do(
        lambda session: session.execute(
            update(table(Campaign)).where(col(Campaign.id) == shop.campaign.id).values(event="purchased")
        )
    )
    voided: list[RewardVoided] = []
    house.bus.on(RewardVoided, lambda _, happened: voided.extend(happened))
    return Till(shop, shop.brings("Bob"), voided)


def test_each_order_pays_and_a_part_that_goes_back_is_taken_exactly(till: Till) -> None:
    till.sells("1", 10_010)
    till.sells("2", 2_000)
    assert till.shop.purse(till.shop.alice) == {"held": 751 + 30 + 150 + 30}, "750.75 rounds to 751"
    assert till.shop.purse(till.bob) == {"payable": 50}
    till.takes(3_350, of="1")
    assert till.shop.purse(till.shop.alice) == {"held": 500 + 30 + 150 + 30}, "7.5 % of 66.60 is 499.5, to the even one"
    [told] = till.voided
    assert (told.amount, told.whole, told.state, told.reason, told.debt) == (251, False, "held", "refunded", 0)
    till.takes(None, "r2", of="1")
    assert till.shop.purse(till.shop.alice) == {"held": 150 + 30}, "nothing is left of the first order"
    assert till.shop.purse(till.bob) == {"payable": 50}, "Bob is still a customer"
    assert till.shop.problems() == []


def test_a_refund_that_came_first_makes_the_reward_what_it_would_be_after(till: Till) -> None:
    till.takes(3_350)
    till.sells("1", 10_010)
    assert till.shop.purse(till.shop.alice) == {"held": 500 + 30}
    assert till.voided == []
    assert till.shop.problems() == []


def test_a_refund_told_twice_takes_once(till: Till) -> None:
    till.sells()
    till.takes(5_000)
    till.takes(5_000)
    assert till.shop.purse(till.shop.alice) == {"held": 375 + 30}


def test_all_goes_back_before_the_release(till: Till) -> None:
    till.sells()
    till.takes(None)
    assert {name: (row.state, row.reason) for name, row in till.rewards().items()} == {
        "advocate": ("voided", "refunded"),
        "thanks": ("voided", "refunded"),
    }
    assert till.rewards(till.bob)["friend"].state == "clawed_back"
    assert till.shop.purse(till.shop.alice) == till.shop.purse(till.bob) == {}
    assert till.budget() == 10_000
    assert till.shop.problems() == []


def test_who_buys_again_after_giving_all_back_is_paid_for_again(till: Till) -> None:
    till.sells("1")
    till.takes(None)
    till.sells("2")
    assert till.shop.purse(till.shop.alice) == {"held": 750 + 30}
    assert till.shop.purse(till.bob) == {"payable": 50}
    assert till.shop.problems() == []


def test_a_part_that_goes_back_after_the_release_is_clawed_back(till: Till) -> None:
    till.sells()
    with later(days=4):
        till.shop.house.do(rewards.release_due)
        till.takes(4_000)
    assert till.shop.purse(till.shop.alice) == {"payable": 450 + 30}
    row = till.rewards()["advocate"]
    assert (row.state, row.amount, row.taken_back, row.reason) == ("payable", 750, 300, "refunded")
    assert till.shop.problems() == []


def test_a_part_that_goes_back_during_the_hold_is_not_released(till: Till) -> None:
    till.sells()
    till.takes(4_000)
    with later(days=4):
        till.shop.house.do(rewards.release_due)
    assert till.shop.purse(till.shop.alice) == {"payable": 450 + 30}
    assert till.shop.problems() == []


def test_what_was_paid_out_becomes_a_debt_that_the_next_reward_settles(till: Till) -> None:
    till.sells("1")
    with later(days=4):
        till.shop.house.do(rewards.release_due)
        till.spends(780)
        till.takes(None)
        assert till.debt() == {"CNY": 780}
        assert {event.debt for event in till.voided if event.member_id == till.shop.alice} == {780}
        till.sells("2", 20_000)
    with later(days=8):
        till.shop.house.do(rewards.release_due)
        assert till.shop.purse(till.shop.alice) == {"payable": 1_530 - 780}
        assert till.debt() == {}
    assert {problem.kind for problem in till.shop.problems()} == {"kind"}  # nothing knows what "spent" is


@pytest.mark.parametrize("state", ["held", "in_review", "payable", "in_payout", "paid", "capped"])
def test_every_state_is_taken_back_from_its_own_account(till: Till, state: str) -> None:
    till.sells()
    reward = till.rewards()["advocate"]

    def turn(session: Session) -> None:
        if state in corrections.RELEASED:
            move = rewards.release_move(reward.id, till.shop.brand.id, till.shop.alice, "CNY", reward.amount)
            ledger.transfer(session, [move])
        session.execute(update(table(Reward)).where(col(Reward.id) == reward.id).values(state=state))

    till.shop.house.do(turn)
    before = till.shop.purse(till.shop.alice)
    till.shop.house.do(partial(corrections.take_back, rewards=[reward], reason="fraud"))
    after, purse = till.rewards()["advocate"], till.shop.purse(till.shop.alice)
    side = "payable" if state in corrections.RELEASED else "held"
    expected = {"held": "voided", "in_review": "voided", "capped": "capped"}.get(state, "clawed_back")
    assert after.state == expected
    assert before.get(side, 0) - purse.get(side, 0) == (0 if state == "capped" else 750)


def test_a_decision_on_goodwill_is_a_reward_with_its_reason(till: Till) -> None:
    told: list[Adjusted] = []
    till.shop.house.bus.on(Adjusted, lambda _, happened: told.extend(happened))

    def give(session: Session, amount: int = 88, key: str = "ticket 7") -> Adjustment:
        return adjust(
            session,
            till.shop.brand.id,
            till.shop.alice,
            till.shop.campaign.id,
            "CNY",
            amount,
            reason="抱歉让你久等了",
            actor="mei@example.org",
            key=key,
        )

    first, second = till.shop.house.do(give), till.shop.house.do(give)
    assert first.id == second.id
    assert till.shop.purse(till.shop.alice) == {"payable": 88}
    assert till.budget() == 10_000 - 88
    [row] = till.shop.rewards(till.shop.alice)
    assert (row.referral_id, row.cause, row.state, row.facts) == (
        None,
        f"adjust/{first.id}",
        "payable",
        {"reason": "抱歉让你久等了"},
    )
    with pytest.raises(Conflict, match="adjustment_differs"):
        till.shop.house.do(lambda session: give(session, 89))
    till.shop.house.do(lambda session: give(session, -100, "ticket 8"))
    assert till.debt() == {"CNY": 12}
    assert [(one.amount, one.debt) for one in told] == [(88, 0), (-100, 12)]
    shown = till.shop.house.ask(lambda session: adjustments_of(session, till.shop.brand.id, till.shop.alice))
    assert [(one.amount, one.actor) for one in shown] == [(-100, "mei@example.org"), (88, "mei@example.org")]
    assert till.budget() == 10_000 + 12
    assert till.shop.problems() == []


def test_a_decision_that_cannot_be_is_refused(till: Till) -> None:
    usual: dict[str, Any] = {
        "brand_id": till.shop.brand.id,
        "member_id": till.shop.alice,
        "campaign_id": till.shop.campaign.id,
        "asset": "CNY",
        "amount": 1,
        "reason": "why not",
        "actor": "mei",
        "key": "k",
    }
    for wrong, kind, code in (
        ({"amount": 0}, BadInput, "adjustment_of_nothing"),
        ({"amount": 2**53}, BadInput, "amount_out_of_range"),
        ({"reason": " "}, BadInput, "adjustment_text"),
        ({"actor": "a\nb"}, BadInput, "adjustment_text"),
        ({"asset": "XYZ"}, BadInput, "unknown_asset"),
        ({"member_id": till.shop.brand.id}, NotFound, "member"),
        ({"campaign_id": till.shop.brand.id}, NotFound, "campaign"),
        ({"amount": 10_001}, Refused, "adjustment_budget"),
    ):
        with pytest.raises(kind, match=code):
            till.shop.house.do(partial(adjust, **(usual | wrong)))
    assert till.budget() == 10_000
    assert till.shop.problems() == []


def test_a_decision_is_never_changed(till: Till) -> None:
    def give(session: Session) -> None:
        where = (till.shop.brand.id, till.shop.alice, till.shop.campaign.id)
        adjust(session, *where, "CNY", 1, reason="x", actor="mei", key="k")

    till.shop.house.do(give)
    for statement in (update(Adjustment).values(amount=2), table(Adjustment).delete()):
        with pytest.raises(DBAPIError, match=r"never changed|never deleted"):
            till.shop.house.do(partial(Session.execute, statement=statement))
