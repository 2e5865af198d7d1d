"""Kills a payout run again and again, and asks the world outside what it paid.

The run is a process of its own with the house's real parts: writer, events, runner, provider. It is forked from a
process that has imported everything already, so a hundred of them take seconds. Each is sent SIGKILL at a random moment
after it began; the last one is left alone until everything is settled.
"""

from __future__ import annotations

import asyncio
import importlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from core import events, vault
from core.db import make_engine
from core.writer import Writer
from daixin.bootstrap import join_parts
from referral import members
from rewards.payouts.payouts import OPEN, Payout
from rewards.payouts.port import Provider
from rewards.payouts.runner import PayoutRunner
from rewards.payouts.settling import Pace
from tests.forked import forks
from tests.house import House
from tests.rewards.payouts.till import Till, open_till

PACE = Pace(
    lease=timedelta(seconds=2),
    settle=timedelta(seconds=1.5),
    first=timedelta(milliseconds=100),
    longest=timedelta(seconds=1),
    look_ups=1_000,
)
PATIENCE = 120.0
"""Seconds the last run may take."""
FIRST_CALL = 0.5
"""Seconds a run gets for its first call; it makes none while everybody's payout is leased to a run that died."""


def _amount(n: int) -> int:
    return 1000 + n


@dataclass(frozen=True)
class Rig:
    """Which provider, and how to make it. The whole rig goes into the process: its functions are those of a module.

    `factory`: `package.module:function`; the function gets `settings` as keyword arguments, in the killed process, and
    makes the provider. `payee(n)`: the details of the n-th person, None where the provider needs none. `amount(n)`:
    what they take out, in minor units. `platform`: where the persons' accounts are; the n-th one's is `person<n>`.
    """

    provider: str
    asset: str
    factory: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    payee: Callable[[int], dict[str, str]] | None = None
    amount: Callable[[int], int] = _amount
    platform: str = "telegram"
    pace: Pace = PACE
    parallel: int = 4


@dataclass(frozen=True)
class Outcome:
    """`payouts`: all of them as they ended, in the order of the persons. `kills`: how many runs were killed, `cut`: how
    many of these kills left a call without its answer noted."""

    payouts: list[Payout]
    kills: int
    cut: int
    till: Till


def run_killed(
    house: House,
    rig: Rig,
    *,
    people: int = 60,
    kills: int = 100,
    longest: float = 0.2,
    calls: Callable[[], int] | None = None,
) -> Outcome:
    """Pay `people`, killing the run `kills` times, then to the end. Every kill comes while somebody waits to be paid:
    the persons ask one after another as the runs go on.

    `calls`: how many calls the world outside has heard. Most kills then count from the run's first call, so that they
    come in the midst of things however slow the machine is.
    """
    till = open_till(house, rig.provider, rig.asset, funded=10**9)
    persons = [_person(till, rig, n) for n in range(people)]
    context = forks()
    cut, asked = 0, 0
    for kill in range(kills):
        while asked < people and asked <= kill * people // kills:
            till.takes(rig.amount(asked), key="1", member=persons[asked])
            asked += 1
        heard = calls() if calls else 0
        with _started(context, house.url, rig):
            if calls and kill % 4:
                _await_call(calls, heard)
            time.sleep(random.uniform(0, longest))
        cut += any(payout.reason == "asking" for payout in _open(till))
    while asked < people:
        till.takes(rig.amount(asked), key="1", member=persons[asked])
        asked += 1
    until = time.monotonic() + PATIENCE
    with _started(context, house.url, rig):
        while waiting := _open(till):
            assert time.monotonic() < until, [(one.state, one.reason, one.attempts) for one in waiting]
            time.sleep(0.1)
    return Outcome([till.payouts(member)[0] for member in persons], kills, cut, till)


def _await_call(calls: Callable[[], int], heard: int) -> None:
    until = time.monotonic() + FIRST_CALL
    while calls() == heard and time.monotonic() < until:
        time.sleep(0.002)


def _person(till: Till, rig: Rig, n: int) -> Any:
    member = till.shop.house.comes(f"Person{n}", till.shop.code, rig.platform).member_id
    assert member is not None
    till.earns(rig.amount(n), member)
    if rig.payee is not None:
        till.payee(member, **rig.payee(n))
    return member


def _open(till: Till) -> Sequence[Payout]:
    found = select(Payout).where(col(Payout.brand_id) == till.brand, col(Payout.state).in_(OPEN))
    return till.shop.house.ask(lambda session: session.scalars(found).all())


@contextmanager
def _started(context: Any, url: str, rig: Rig) -> Iterator[None]:
    """A run that is at work; killed in the end."""
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(url, rig, theirs))
    process.start()
    theirs.close()
    try:
        assert mine.poll(30), "the run did not begin"
        mine.recv()
        yield
    finally:
        process.kill()
        process.join()
        mine.close()


def serve(url: str, rig: Rig, ready: Connection) -> None:
    """The run itself, in a process of its own."""
    members.set_fingerprint_key("test-secret")
    vault.set_keys("", "test-secret")
    bus = events.Bus()
    join_parts(bus)
    module, _, name = rig.factory.partition(":")

    async def work() -> None:
        writer = Writer(make_engine(url, writer=True), bus).start()
        provider: Provider = getattr(importlib.import_module(module), name)(**rig.settings)
        runner = PayoutRunner(writer, {rig.provider: provider}, parallel=rig.parallel, poll=0.05, pace=rig.pace)
        ready.send(True)
        await runner.run()

    asyncio.run(work())
