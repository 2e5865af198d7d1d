"""Whatever happens in whatever order, with a crash between any two steps: nobody is paid twice and nothing is lost.

The machine does by hand what the runner does: claim, ask, conclude. So it can die between them. The bank pays every
request it hears, as often as it hears it: that it hears one a payout is what is proved.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock, ids
from core.errors import Refused
from referral import members
from referral.brands import create_brand
from referral.campaigns import Campaign
from rewards import ledger
from rewards.adjustments import adjust
from rewards.corrections import take_back
from rewards.ledger import Account, Purpose
from rewards.payouts.opening import lock_payable
from rewards.payouts.payees import set_payee
from rewards.payouts.payouts import OPEN, EventKind, Payout
from rewards.payouts.port import Answer
from rewards.payouts.runner import Task, claim
from rewards.payouts.settling import Pace, cancel_payout, conclude
from rewards.payouts.withdrawals import withdraw
from rewards.plans import PayoutTerms, Plan, Rule, save_plan
from rewards.rewards import Reward
from rewards.verify import verify
from tests.house import House, person

T = TypeVar("T")
PACE = Pace(timedelta(seconds=20), timedelta(), timedelta(seconds=2), timedelta(seconds=9), look_ups=100)
EARNED = 1_000_000
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
people = st.integers(0, 1)
moods = st.sampled_from(["fine", "fine", "deaf", "mute", "holds", "refuses"])


class Died(Exception):
    """The process, at the last statement of a unit of work."""


@dataclass
class InHand:
    """A payout a run has claimed; `answer` once the bank was asked."""

    task: Task
    since: datetime
    answer: Answer | None = None


@dataclass
class Bank:
    """What it knows of each reference. `heard` counts the requests to pay."""

    knows: dict[str, str] = field(default_factory=dict)
    heard: dict[str, int] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)

    def ask_to_pay(self, reference: str, amount: int, mood: str) -> Answer:
        if mood == "deaf":
            return Answer("unknown", reason="no_answer")
        self.heard[reference] = self.heard.get(reference, 0) + 1
        self.knows[reference] = {"holds": "processing", "refuses": "failed"}.get(mood, "completed")
        if self.knows[reference] == "completed":
            self.paid[reference] = self.paid.get(reference, 0) + amount
        return Answer("unknown", reason="no_answer") if mood == "mute" else self.look(reference)

    def look(self, reference: str) -> Answer:
        match self.knows.get(reference):
            case "completed":
                return Answer("completed", f"B-{reference}")
            case "failed":
                return Answer("failed", reason="payee_refused")
            case "processing":
                return Answer("processing", reason="confirm")
            case _:
                return Answer("not_found")


class Payouts(RuleBasedStateMachine):
    """Two members, one bank, one run that keeps dying."""

    house: House
    now = BEGIN
    """The machine's own time stands still between two rules, so that an example can be played again."""

    @initialize(fee=st.sampled_from([0, 30]))
    def open(self, fee: int) -> None:
        type(self).now = BEGIN
        self.bank = Bank()
        self.in_hand: list[InHand] = []
        self.owed = False
        plan = Plan(
            asset="USD",
            budget=EARNED,
            rules=(Rule(to="advocate", amount=100),),
            payout=PayoutTerms(provider="paypal", fee=fee),
        )
        self.brand, self.campaign, self.members = self.do(lambda session: _found(session, plan))
        for who in (0, 1):
            for amount in (300, 400):
                self.earn(who, amount)
                self.ask(who, amount + 100 * who, key=amount, dies=False)

    def do(self, unit: Callable[[Session], T], dies: bool = False) -> T:
        """A unit of work; if it dies, it was never there."""

        def whole(session: Session) -> T:
            done = unit(session)
            session.flush()
            if dies:
                raise Died
            return done

        return self.house.do(whole)

    def payouts(self) -> list[Payout]:
        found = select(Payout).where(col(Payout.brand_id) == self.brand).order_by(col(Payout.id))
        return self.house.ask(lambda session: list(session.scalars(found)))

    @rule(who=people, amount=st.integers(1, 500))
    def earn(self, who: int, amount: int) -> None:
        self.do(lambda session: _earn(session, self.brand, self.campaign, self.members[who], amount))

    @rule(who=people, amount=st.integers(1, 600), key=st.integers(0, 30), dies=st.booleans())
    def ask(self, who: int, amount: int, key: int, dies: bool) -> None:
        member = self.members[who]
        before = self.do(lambda session: lock_payable(session, self.brand, member, "USD"))
        with suppress(Refused, Died):
            self.do(lambda s: withdraw(s, self.brand, member, "paypal", "USD", amount, f"{key}/{amount}"), dies)
        if dies:
            assert self.do(lambda session: lock_payable(session, self.brand, member, "USD")) == before

    @rule(seconds=st.integers(1, 30))
    def wait(self, seconds: int) -> None:
        type(self).now += timedelta(seconds=seconds)

    @rule(limit=st.integers(1, 3), dies=st.booleans())
    def claim(self, limit: int, dies: bool) -> None:
        try:
            tasks = self.do(lambda session: claim(session, ["paypal"], limit, PACE), dies)
        except Died:
            return
        self.in_hand += [InHand(task, self.now) for task in tasks if task.order.brand_id == self.brand]

    @precondition(lambda self: self.in_hand)
    @rule(which=st.integers(0, 5), mood=moods)
    def question(self, which: int, mood: str) -> None:
        one = self.in_hand[which % len(self.in_hand)]
        if one.answer is not None:
            return
        order = one.task.order
        if one.task.step == "look_up":
            one.answer = Answer("unknown", reason="timeout") if mood == "deaf" else self.bank.look(order.reference)
        elif self.now - one.since > PACE.lease / 2:
            self.in_hand.remove(one)  # as the runner does: too late to begin
        else:
            one.answer = self.bank.ask_to_pay(order.reference, order.amount, mood)

    @precondition(lambda self: any(one.answer for one in self.in_hand))
    @rule(which=st.integers(0, 5), dies=st.booleans())
    def note(self, which: int, dies: bool) -> None:
        answered = [one for one in self.in_hand if one.answer]
        one = answered[which % len(answered)]
        self.in_hand.remove(one)
        self._conclude(one.task.order.id, one.answer or Answer("unknown"), one.task.step == "start", dies)

    def _conclude(self, payout_id: UUID, answer: Answer, started: bool, dies: bool = False) -> None:
        kind: EventKind = "start" if started else "look_up"
        with suppress(Died):
            self.do(lambda session: conclude(session, self.brand, payout_id, answer, kind, pace=PACE), dies)

    @rule(mood=moods, then=st.sampled_from(["ends", "ends", "dies claimed", "dies asked", "dies noting"]))
    def one_round(self, mood: str, then: str) -> None:
        """All steps of a run for one payout, as far as it comes."""
        type(self).now += timedelta(seconds=10)
        known = len(self.in_hand)
        self.claim(1, dies=False)
        if len(self.in_hand) == known or then == "dies claimed":
            return self.in_hand.clear()
        self.question(known, mood)
        if then == "dies asked":
            return self.in_hand.clear()
        one = self.in_hand.pop(known)
        assert one.answer is not None
        self._conclude(one.task.order.id, one.answer, one.task.step == "start", then == "dies noting")

    @rule()
    def crash(self) -> None:
        self.in_hand.clear()

    @precondition(lambda self: self.bank.knows)
    @rule(which=st.integers(0, 20), pays=st.booleans(), notices=st.integers(0, 2))
    def the_bank_has_news(self, which: int, pays: bool, notices: int) -> None:
        """It decides what it held, and tells it, perhaps twice; or tells again what it told before."""
        reference = sorted(self.bank.knows)[which % len(self.bank.knows)]
        payout = next(payout for payout in self.payouts() if payout.reference == reference)
        if self.bank.knows[reference] == "processing":
            self.bank.knows[reference] = "completed" if pays else "failed"
            if pays:
                self.bank.paid[reference] = self.bank.paid.get(reference, 0) + payout.amount
        answer = self.bank.look(reference)
        for _ in range(notices):
            self.do(lambda session: conclude(session, self.brand, payout.id, answer, "notice", pace=PACE))

    @rule(which=st.integers(0, 20))
    def cancel(self, which: int) -> None:
        payouts = self.payouts()
        if payouts:
            with suppress(Refused):
                self.do(lambda s: cancel_payout(s, self.brand, payouts[which % len(payouts)].id, "mei"))

    @rule(who=people, part=st.integers(1, 300))
    def correct(self, who: int, part: int) -> None:
        def some(session: Session) -> None:
            reward = session.scalars(
                select(Reward)
                .where(col(Reward.brand_id) == self.brand, col(Reward.member_id) == self.members[who])
                .order_by(col(Reward.id))
                .limit(1)
            ).one_or_none()
            if reward is not None:
                take_back(session, [reward], "refunded", amounts={reward.id: part}, cause=f"refund/{ids.new()}")

        self.do(some)
        self.owed = True

    @invariant()
    def nobody_is_paid_twice(self) -> None:
        assert all(times == 1 for times in self.bank.heard.values())
        for payout in self.payouts():
            if payout.state in ("completed", "failed"):
                assert (payout.reference in self.bank.paid) == (payout.state == "completed")

    @invariant()
    def nothing_is_created_or_lost(self) -> None:
        for member in self.members:
            payable, owned, out = self.house.ask(partial(_sums, brand=self.brand, member=member))
            assert payable == owned - out
            assert payable >= 0 or self.owed
        assert self.house.ask(verify) == []

    def teardown(self) -> None:
        """Left alone, everything comes to its end."""
        self.in_hand.clear()
        for reference, known in self.bank.knows.items():
            if known == "processing":
                self.bank.knows[reference] = "failed"
        for _ in range(30):
            if not [payout for payout in self.payouts() if payout.state in OPEN]:
                break
            type(self).now += timedelta(minutes=1)
            for task in self.do(lambda session: claim(session, ["paypal"], 50, PACE)):
                order = task.order
                start = task.step == "start"
                ask = self.bank.ask_to_pay
                answer = ask(order.reference, order.amount, "fine") if start else self.bank.look(order.reference)
                self._conclude(order.id, answer, start)
        assert {payout.state for payout in self.payouts()} <= {"completed", "failed"}
        self.nobody_is_paid_twice()
        self.nothing_is_created_or_lost()


def _found(session: Session, plan: Plan) -> tuple[UUID, UUID, list[UUID]]:
    brand = create_brand(session, f"Acme {ids.new().hex}")
    campaign = Campaign(
        brand_id=brand.id,
        slug="spring",
        title={"en": "Spring"},
        benefit={},
        starts_at=clock.now(),
        ends_at=clock.now() + timedelta(days=9),
        created_at=clock.now(),
        state="running",
    )
    session.add(campaign)
    session.flush()
    save_plan(session, brand.id, campaign.id, 1, plan)
    ledger.fund(session, brand.id, campaign.id, "USD", EARNED, f"fund/{campaign.id}/1")
    both = [
        members.meet(session, brand.id, [person(name)], [clock.now()], "message")[0].member_id
        for name in ("Alice", "Bob")
    ]
    for member, name in zip(both, ("alice", "bob"), strict=True):
        set_payee(session, brand.id, member, "paypal", {"email": f"{name}@example.com"})
    return brand.id, campaign.id, both


def _earn(session: Session, brand: UUID, campaign: UUID, member: UUID, amount: int) -> None:
    key = ids.new().hex
    adjust(session, brand, member, campaign, "USD", amount, reason="well done", actor="mei", key=key)


def _sums(session: Session, brand: UUID, member: UUID) -> tuple[int, int, int]:
    """(what is payable, what the member's rewards are worth, what left for payouts that did not fail)."""
    worth = select(func.coalesce(func.sum(col(Reward.amount) - col(Reward.taken_back)), 0)).where(
        col(Reward.brand_id) == brand, col(Reward.member_id) == member
    )
    out = select(func.coalesce(func.sum(col(Payout.amount) + col(Payout.fee)), 0)).where(
        col(Payout.brand_id) == brand, col(Payout.member_id) == member, col(Payout.state) != "failed"
    )
    payable = ledger.balance(session, Account(brand, member, Purpose.PAYABLE, "USD"))
    return payable, int(session.scalar(worth) or 0), int(session.scalar(out) or 0)


@pytest.mark.timeout(300)
@pytest.mark.slow
def test_payouts_survive_whatever_happens(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class There(Payouts):
        pass

    There.house = house
    monkeypatch.setattr(clock, "now", lambda: There.now)
    run_state_machine_as_test(
        There,
        settings=settings(
            max_examples=house.runs(12), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
