"""A hundred friends qualify at the same moment in two processes, and the budget holds for one."""

from __future__ import annotations

import sys
import threading
from functools import partial
from subprocess import PIPE, Popen

from referral.qualifying import Qualify, qualify
from rewards.plans import Plan, Rule
from tests.house import House
from tests.rewards.shop import Shop, open_shop, waiting_referrals

ONE = Plan(rules=(Rule(to="advocate", amount=100), Rule(to="friend", amount=50)), budget=150)
PROCESS = """
import sys
from datetime import datetime
from uuid import UUID

import daixin.models
from core.db import make_engine
from core.events import Bus
from core.writer import Writer
from referral.qualifying import Qualify, qualify
from rewards import accrual

url, at, *keys = sys.argv[1:]
bus = Bus()
accrual.listen(bus)
writer = Writer(make_engine(url, writer=True), bus).start()
print("ready", flush=True)
sys.stdin.readline()
for key in keys:
    brand, referral = map(UUID, key.split("/"))
    command = Qualify(brand, referral, "retained", datetime.fromisoformat(at))
    writer.run_sync(lambda session: qualify(session, [command]))
writer.close()
"""


def winners(shop: Shop) -> list[str]:
    return sorted(reward.state for reward in shop.rewards(shop.alice) if reward.state != "capped")


def run_as_process(url: str, commands: list[Qualify]) -> Popen[str]:
    keys = [f"{command.brand_id}/{command.referral_id}" for command in commands]
    return Popen(
        [sys.executable, "-c", PROCESS, url, commands[0].at.isoformat(), *keys], stdin=PIPE, stdout=PIPE, text=True
    )


def test_two_processes_pay_one(house: House) -> None:
    shop = open_shop(house, ONE)
    commands = waiting_referrals(shop, [f"Friend {number}" for number in range(40)])
    processes = [run_as_process(house.url, commands[half::2]) for half in (0, 1)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.communicate("go\n", timeout=60)
        assert process.returncode == 0
    assert winners(shop) == ["payable"]
    assert shop.budget() == 0
    assert shop.problems() == []


def test_a_hundred_claims_through_two_writers_pay_one(house: House) -> None:
    shop = open_shop(house, ONE)
    commands = waiting_referrals(shop, [f"Friend {number}" for number in range(100)])
    second = House(house.url)
    start = threading.Barrier(10)
    errors: list[BaseException] = []

    def claim(where: House, mine: list[Qualify]) -> None:
        start.wait()
        for command in mine:
            try:
                where.do(partial(qualify, commands=[command]))
            except BaseException as error:
                errors.append(error)

    threads = [
        threading.Thread(target=claim, args=((house, second)[number % 2], commands[number::10])) for number in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert errors == []
    assert winners(shop) == ["payable"]
    assert shop.budget() == 0
    assert len(shop.rewards(shop.alice)) == 100
    assert shop.problems() == []
