"""Unasked messages go out at the platform's rate, and everything else goes first."""

from __future__ import annotations

import asyncio

from bots.message import Address, Person, Place, Reply, Said
from bots.pace import RATES, SLACK, Pace, noting, pace_of, seconds_for, spending
from core import ids
from core.outbox import Claimed


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept = asyncio.Event()

    def __call__(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


async def turns(pace: Pace, clock: Clock, count: int) -> list[float]:
    """When each of so many turns came, in seconds from now."""
    began, came = clock.time, []
    for _ in range(count):
        await pace.turn()
        came.append(round(clock.time - began, 3))
    return came


async def test_turns_come_at_the_rate() -> None:
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    came = await turns(pace, clock, 100)
    assert came[: SLACK + 3] == [0] * (SLACK + 1) + [0.1, 0.2]
    assert came[-1] == round((99 - SLACK) / 10, 3)


async def test_who_waits_together_goes_in_turn() -> None:
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    await turns(pace, clock, SLACK + 1)
    came: list[tuple[int, float]] = []

    async def wait(number: int) -> None:
        await pace.turn()
        came.append((number, round(clock.time - 100, 1)))

    await asyncio.gather(*map(wait, range(3)))
    assert came == [(0, 0.1), (1, 0.2), (2, 0.3)]


async def test_an_answer_goes_first_and_the_next_unasked_message_waits_for_it() -> None:
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    await turns(pace, clock, SLACK + 1)

    async def answer(incoming: object) -> list[Reply]:
        return [Reply("one"), Reply("two")]

    said = Said(Person("alice", "Alice"), Place(Address("telegram", "alice")), "hello")
    assert len(await noting(pace, answer)(said)) == 2
    assert await turns(pace, clock, 1) == [0.3]


async def test_an_answer_that_comes_while_we_wait_moves_us() -> None:
    clock = Clock()

    async def sleep(seconds: float) -> None:
        if clock.time == 100:
            pace.spent(5)
        await clock.sleep(seconds)

    pace = Pace(10, clock, sleep)
    for _ in range(SLACK + 1):
        await pace.turn()
    assert await turns(pace, clock, 1) == [0.6]


async def test_news_counts_too() -> None:
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    await turns(pace, clock, SLACK + 1)
    told: list[str] = []

    async def tell(message: Claimed) -> None:
        told.append(message.key)

    await spending(pace, tell)(Claimed(ids.new(), "joined/1", "chat:telegram", {}, 1))
    assert told == ["joined/1"]
    assert await turns(pace, clock, 1) == [0.2]


async def test_the_platform_may_ask_for_a_pause() -> None:
    clock = Clock()
    pace = Pace(10, clock, clock.sleep)
    pace.hold(30)
    assert await turns(pace, clock, 2) == [30, 30.1]


def test_what_each_platform_bears() -> None:
    assert RATES["telegram"] == 30
    assert round(RATES["wechat"] * 60) == 40
    assert RATES["discord"] < 50
    assert (pace_of("telegram").at_once, pace_of("wechat").at_once, pace_of("elsewhere").at_once) == (30, 1, 1)


def test_how_long_it_takes() -> None:
    assert seconds_for({}) == 0
    assert seconds_for({"telegram": 100_000}) == 100_000 / 30
    assert seconds_for({"telegram": 300, "wechat": 40}) == 60
