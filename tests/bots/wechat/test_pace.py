"""The account's pace, on a clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bots.wechat.pace import Pace


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pace(self, per_second: float = 1, per_minute: int = 40) -> Pace:
        return Pace(per_second, per_minute, lambda: self.now, self.sleep)


async def test_the_first_message_goes_at_once_and_the_next_a_second_later() -> None:
    time = Time()
    pace = time.pace()
    await pace.turn("alice")
    assert time.now == 1000
    await pace.turn("alice")
    assert time.now == 1001


async def test_other_chats_do_not_wait_for_a_busy_one() -> None:
    time = Time()
    pace = time.pace()
    await pace.turn("alice")
    assert pace.wait("alice") == 1
    assert pace.wait("bob") == 0


async def test_forty_a_minute_in_all() -> None:
    time = Time()
    pace = time.pace()
    for number in range(40):
        await pace.turn(f"chat{number}")
    assert time.now == 1000
    await pace.turn("one more")
    assert time.now == 1060


async def test_held_back_nobody_is_written_to() -> None:
    time = Time()
    pace = time.pace()
    pace.hold(60)
    assert pace.wait("alice") == 60
    await pace.turn("bob")
    assert time.now == 1060
    assert pace.wait("alice") == 0


async def test_a_clock_set_back_does_not_block_for_hours() -> None:
    time = Time()
    pace = time.pace()
    await pace.turn("alice")
    time.now -= 3600
    assert pace.wait("alice") == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=60), st.integers(1, 8))
def test_no_minute_and_no_chat_ever_gets_more(messages: list[tuple[str, float]], per_minute: int) -> None:
    time = Time()
    pace = time.pace(per_minute=per_minute)
    sent: list[tuple[float, str]] = []

    async def send_all() -> None:
        for chat, pause in messages:
            time.now += pause
            await pace.turn(chat)
            sent.append((time.now, chat))

    asyncio.run(send_all())
    for at, chat in sent:
        minute = [one for one, _ in sent if at - 59.999 < one <= at]
        assert len(minute) <= per_minute
        assert len([one for one, other in sent if other == chat and at - 0.999 < one <= at]) <= 1


async def test_messages_asked_for_at_once_each_get_their_own_moment() -> None:
    moments: list[float] = []

    async def sleep(seconds: float) -> None:
        moments.append(round(seconds, 3))

    pace = Pace(1, 40, lambda: 0.0, sleep)
    await asyncio.gather(*(pace.turn("alice") for _ in range(4)))
    assert moments == [1, 2, 3]
