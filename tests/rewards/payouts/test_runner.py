"""The runner hands payouts over and asks what became of them; whatever goes wrong, nobody is paid twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, repeat

import pytest

from core import vault
from core.errors import Refused
from rewards.payouts.payouts import (
    Payout,
    PayoutCompleted,
    PayoutProgressed,
    PayoutStuck,
    events_of,
)
from rewards.payouts.port import Answer, PayoutOrder
from rewards.payouts.runner import PayoutRunner
from rewards.payouts.settling import Pace, decide, retry
from tests.house import House, later
from tests.rewards.payouts.till import Till, open_till

QUICK = Pace(timedelta(seconds=4), timedelta(), timedelta(seconds=1), timedelta(seconds=8), look_ups=5)


@dataclass
class Bank:
    """A provider as it should be: pays a reference once, however often it is asked. `moods`: what befalls the next
    calls: "fine", "deaf" (it never hears us), "mute" (it pays, we never hear), "slow" (says processing)."""

    moods: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    paid: Counter[str] = field(default_factory=Counter)
    held: dict[str, int] = field(default_factory=dict)
    name: str = "paypal"
    can_cancel: bool = True

    def carries(self, asset: str) -> bool:
        return asset == "USD"

    async def start(self, order: PayoutOrder) -> Answer:
        self.asked.append("start")
        mood = self._mood()
        if mood == "deaf":
            raise ConnectionError
        if mood == "slow":
            self.held[order.reference] = order.amount
            return Answer("processing", f"B-{order.reference}", reason="confirm")
        self.paid.setdefault(order.reference, order.amount)
        if mood == "mute":
            raise TimeoutError
        return Answer("completed", f"B-{order.reference}")

    async def look_up(self, order: PayoutOrder) -> Answer:
        self.asked.append("look_up")
        if self._mood() == "deaf":
            raise ConnectionError
        if order.reference in self.paid:
            return Answer("completed", f"B-{order.reference}")
        return Answer("processing" if order.reference in self.held else "not_found")

    async def cancel(self, order: PayoutOrder) -> Answer:
        self.asked.append("cancel")
        if order.reference in self.paid:
            return Answer("completed", f"B-{order.reference}")
        return Answer("failed" if self.held.pop(order.reference, None) else "not_found", reason="cancelled")

    async def close(self) -> None:
        pass

    def _mood(self) -> str:
        return self.moods.pop(0) if self.moods else "fine"


@dataclass
class LateBank(Bank):
    """Finds what it says of a reference at once, but says it only after what happens `meanwhile`."""

    meanwhile: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def look_up(self, order: PayoutOrder) -> Answer:
        found = await super().look_up(order)
        if self.meanwhile:
            await self.meanwhile.pop()()
        return found


def paying_by(house: House) -> Till:
    till = open_till(house, "paypal", "USD")
    till.earns(5000)
    till.payee(email="Alice@Example.com")
    return till


def runner_of(till: Till, bank: Bank) -> PayoutRunner:
    return PayoutRunner(till.shop.house.writer, {"paypal": bank}, pace=QUICK)


async def go_on(till: Till, bank: Bank, until: Callable[[Payout], bool]) -> Payout:
    """Rounds of the runner, time passing between them, until Alice's payout is as it should be."""
    runner = runner_of(till, bank)
    for seconds in chain(range(0, 200, 5)):
        with later(seconds=seconds):
            await runner.run_due()
        payout = till.payouts()[0]
        if until(payout):
            return payout
    raise AssertionError(f"still {payout.state}, asked {bank.asked}")


def settled(payout: Payout) -> bool:
    return payout.state in ("completed", "failed")


async def test_a_payout_is_handed_over_once_and_completed(house: House) -> None:
    till, bank = paying_by(house), Bank()
    await asyncio.to_thread(till.takes, 3000)
    payout = await go_on(till, bank, settled)
    assert (payout.state, payout.external_id) == ("completed", f"B-{payout.reference}")
    assert bank.asked == ["start"]
    assert bank.paid == {payout.reference: 3000}
    assert len(till.heard(PayoutCompleted)) == 1


@pytest.mark.parametrize(
    ("moods", "asked"),
    [
        (["deaf"], ["start", "look_up", "start"]),
        (["mute"], ["start", "look_up"]),
        (["mute", "deaf"], ["start", "look_up", "look_up"]),
        (["deaf", "deaf", "fine", "mute"], ["start", "look_up", "look_up", "start", "look_up"]),
    ],
)
async def test_what_nobody_answered_is_looked_up_and_never_sent_blindly(
    house: House, moods: list[str], asked: list[str]
) -> None:
    till, bank = paying_by(house), Bank(list(moods))
    await asyncio.to_thread(till.takes, 3000)
    payout = await go_on(till, bank, settled)
    assert payout.state == "completed"
    assert bank.asked == asked
    assert bank.paid == {payout.reference: 3000}


async def test_a_provider_that_stays_silent_is_left_to_a_person(house: House) -> None:
    till, bank = paying_by(house), Bank(["mute", *repeat("deaf", 20)])
    await asyncio.to_thread(till.takes, 3000)
    payout = await go_on(till, bank, lambda payout: payout.due_at is None)
    assert payout.state == "unknown"
    assert bank.asked.count("start") == 1
    assert len(till.heard(PayoutStuck)) == 1
    assert till.payable() == 2000


async def test_a_provider_that_takes_its_time_is_asked_again_and_the_member_hears_why(house: House) -> None:
    till, bank = paying_by(house), Bank(["slow"])
    await asyncio.to_thread(till.takes, 3000)
    payout = await go_on(till, bank, lambda payout: payout.state == "processing" and "look_up" in bank.asked)
    assert [event.reason for event in till.heard(PayoutProgressed)] == ["confirm"]
    bank.paid[payout.reference] = 3000
    with later(minutes=10):
        await runner_of(till, bank).run_due()
    assert till.payouts()[0].state == "completed"


async def test_what_needs_approval_waits(house: House) -> None:
    till, bank = paying_by(house), Bank()
    bob = (await asyncio.to_thread(house.comes, "Bob", till.shop.code)).member_id
    assert bob is not None
    await asyncio.to_thread(till.payee, bob, email="alice@example.com")
    payout = await asyncio.to_thread(till.takes, 3000)
    assert (payout.approved, payout.flag) == (False, "payee_shared")
    assert await runner_of(till, bank).run_due() == 0


async def test_cancelling_before_and_after_it_was_sent(house: House) -> None:
    till, bank = paying_by(house), Bank(["slow"])
    runner = runner_of(till, bank)
    first = await asyncio.to_thread(till.takes, 1000)
    assert (await runner.cancel(till.brand, first.id, "mei")).state == "failed"
    second = await asyncio.to_thread(till.takes, 1000, "2")
    await runner.run_due()
    assert (await runner.cancel(till.brand, second.id, "mei")).reason == "cancelled"
    assert bank.asked == ["start", "cancel"]
    assert till.payable() == 5000
    third = await asyncio.to_thread(till.takes, 1000, "3")
    await runner.run_due()
    with pytest.raises(Refused) as refused:
        await runner.cancel(till.brand, third.id, "mei")
    assert refused.value.code == "payout_settled"


async def test_a_cancelled_payout_that_never_left_is_not_sent_again(house: House) -> None:
    till, bank = paying_by(house), Bank(["deaf"])
    runner = runner_of(till, bank)
    payout = await asyncio.to_thread(till.takes, 1000)
    await runner.run_due()
    assert till.payouts()[0].state == "unknown"
    assert (await runner.cancel(till.brand, payout.id, "mei")).state == "failed"
    with later(minutes=10):
        await runner.run_due()
    assert not bank.paid


async def test_an_old_not_found_does_not_undo_what_was_sent_since(house: House) -> None:
    till, bank = paying_by(house), LateBank(["deaf"])
    runner = runner_of(till, bank)
    payout = await asyncio.to_thread(till.takes, 3000)
    await runner.run_due()

    async def sent_again() -> None:
        bank.moods = ["fine", "slow"]  # looked up once more, then handed over
        with later(seconds=10):
            await runner.run_due()
            await runner.run_due()

    bank.meanwhile.append(sent_again)
    await runner.look_up(till.brand, payout.id)
    assert bank.asked == ["start", "look_up", "look_up", "start"]
    after = till.payouts()[0]
    assert (after.state, after.reason, after.attempts) == ("processing", "confirm", 2)
    told = house.ask(lambda session: [(e.kind, e.state) for e in events_of(session, till.brand, payout.id)])
    assert told[-2:] == [("start", "processing"), ("look_up", "not_found")]


async def test_every_step_is_written_down(house: House) -> None:
    till, bank = paying_by(house), Bank(["mute"])
    payout = await asyncio.to_thread(till.takes, 3000)
    await go_on(till, bank, settled)
    told = house.ask(lambda session: [(e.kind, e.state) for e in events_of(session, till.brand, payout.id)])
    assert told == [("ask", "pending"), ("start", "processing"), ("start", "unknown"), ("look_up", "completed")]


async def test_a_payee_whose_key_is_missing_holds_up_nobody_else(house: House) -> None:
    till, bank = paying_by(house), Bank()
    lost = await asyncio.to_thread(till.takes, 1000)
    key = vault.new_key()
    vault.set_keys(key, "test-secret")
    await asyncio.to_thread(lambda: till.payee(email="second@example.com"))
    await asyncio.to_thread(till.takes, 2000, "2")
    vault.set_keys(key, "another secret")
    runner = runner_of(till, bank)
    await runner.run_due()
    assert sorted(bank.paid.values()) == [2000]
    waiting = next(payout for payout in till.payouts() if payout.id == lost.id)
    assert (waiting.state, waiting.reason, waiting.due_at) == ("pending", "sealed", None)
    vault.set_keys("", "test-secret")
    await asyncio.to_thread(house.do, lambda session: retry(session, till.brand, lost.id, "mei"))
    await runner.run_due()
    assert sorted(bank.paid.values()) == [1000, 2000]


async def test_a_person_decides_what_nobody_else_can_tell(house: House) -> None:
    till, bank = paying_by(house), Bank(["mute", *repeat("deaf", 20)])
    payout = await asyncio.to_thread(till.takes, 3000)
    paid = Answer("completed", "seen in the account")
    with pytest.raises(Refused, match="payout_not_unknown"):
        await asyncio.to_thread(house.do, lambda session: decide(session, till.brand, payout.id, paid, "mei"))
    await go_on(till, bank, lambda one: one.due_at is None)
    await asyncio.to_thread(house.do, lambda session: decide(session, till.brand, payout.id, paid, "mei"))
    after = till.payouts()[0]
    assert (after.state, after.external_id) == ("completed", "seen in the account")
    assert till.shop.problems() == []


async def test_what_was_not_found_a_moment_after_it_was_sent_may_yet_arrive(house: House) -> None:
    till, bank = paying_by(house), Bank(["deaf"])
    payout = await asyncio.to_thread(till.takes, 3000)
    patient = Pace(timedelta(seconds=4), timedelta(minutes=1), timedelta(seconds=1), timedelta(seconds=8))
    runner = PayoutRunner(house.writer, {"paypal": bank}, pace=patient)
    for seconds in range(0, 50, 10):
        with later(seconds=seconds):
            await runner.run_due()
    assert bank.asked == ["start", *["look_up"] * 4]
    for seconds in (70, 80):
        with later(seconds=seconds):
            await runner.run_due()
    assert bank.asked[-2:] == ["look_up", "start"]
    assert bank.paid == {payout.reference: 3000}
