"""Everything at the same moment: two runs, two processes, two withdrawals."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from functools import partial

from core.errors import Refused
from rewards.payouts.payouts import PayoutCompleted
from rewards.payouts.port import Answer
from rewards.payouts.runner import PayoutRunner
from rewards.payouts.settling import conclude
from rewards.payouts.withdrawals import withdraw
from tests.forked import forks
from tests.house import House
from tests.rewards.payouts.kill import PACE, Rig, serve
from tests.rewards.payouts.standins.counter import CounterProvider, counter
from tests.rewards.payouts.till import open_till


def test_two_withdrawals_at_once_never_take_more_than_there_is(house: House) -> None:
    till = open_till(house)
    till.earns(1000)
    till.payee()
    second = House(house.url)
    start = threading.Barrier(8)

    def take(where: House, number: int) -> None:
        start.wait()
        ask = partial(withdraw, provider="manual", asset="CNY", amount=400, key=f"{number}")
        with suppress(Refused):
            where.do(lambda session: ask(session, till.brand, till.alice))

    threads = [threading.Thread(target=take, args=((house, second)[n % 2], n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert len(till.payouts()) == 2
    assert till.payable() == 200
    assert till.shop.problems() == []


def test_one_key_asked_for_at_once_by_many_is_one_payout(house: House) -> None:
    till = open_till(house)
    till.earns(1000)
    till.payee()
    second = House(house.url)
    start = threading.Barrier(6)
    answers: list[object] = []

    def take(where: House) -> None:
        start.wait()
        ask = partial(withdraw, provider="manual", asset="CNY", amount=100, key="the same")
        answers.append(where.do(lambda session: ask(session, till.brand, till.alice)).id)

    threads = [threading.Thread(target=take, args=((house, second)[n % 2],)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert till.payable() == 900


def test_an_answer_that_comes_from_two_sides_at_once_moves_money_once(house: House) -> None:
    till = open_till(house)
    till.earns(1000)
    till.payee()
    payout = till.takes(1000)
    second = House(house.url)
    start = threading.Barrier(6)

    def tell(where: House, answer: Answer) -> None:
        start.wait()
        where.do(lambda session: conclude(session, till.brand, payout.id, answer, "notice"))

    answers = [Answer("completed", "B-1"), Answer("failed", reason="returned")] * 3
    threads = [threading.Thread(target=tell, args=((house, second)[n % 2], answers[n])) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert till.payable() == (0 if till.payouts()[0].state == "completed" else 1000)
    assert till.shop.problems() == []


async def test_two_runners_share_the_work(house: House) -> None:
    till = open_till(house, "paypal", "USD")
    till.earns(10_000)
    till.payee(email="alice@example.com")
    for number in range(30):
        await asyncio.to_thread(till.takes, 100, f"{number}")
    second = House(house.url)
    with counter() as outside:
        runners = [
            PayoutRunner(where.writer, {"paypal": CounterProvider(outside.url)}, pace=PACE) for where in (house, second)
        ]
        for _ in range(300):
            if await asyncio.gather(*(runner.run_due() for runner in runners)) == [0, 0]:
                if all(payout.state == "completed" for payout in till.payouts()):
                    break
                await asyncio.sleep(0.1)
        await asyncio.gather(*(runner.close() for runner in runners))
        assert outside.paid == {payout.reference: [100] for payout in till.payouts()}
    second.close()
    assert len(till.heard(PayoutCompleted)) <= 30
    assert {payout.state for payout in till.payouts()} == {"completed"}


def test_two_processes_share_the_work(house: House) -> None:
    till = open_till(house, "paypal", "USD")
    till.earns(10_000)
    till.payee(email="alice@example.com")
    for number in range(40):
        till.takes(100, f"{number}")
    with counter() as outside:
        rig = Rig("paypal", "USD", f"{CounterProvider.__module__}:CounterProvider", {"url": outside.url})
        context = forks()
        pipes = [context.Pipe(duplex=False) for _ in range(2)]
        processes = [context.Process(target=serve, args=(house.url, rig, theirs)) for _, theirs in pipes]
        for process in processes:
            process.start()
        deadline = threading.Event()
        for _ in range(600):
            if all(payout.state == "completed" for payout in till.payouts()):
                break
            deadline.wait(0.1)
        for process in processes:
            process.kill()
            process.join()
        assert outside.paid == {payout.reference: [100] for payout in till.payouts()}
    assert till.shop.problems() == []
