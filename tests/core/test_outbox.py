"""What leaves the building: delivered at least once, with growing waits, or laid aside where one can see it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from core import clock
from core.db import make_engine
from core.errors import Unavailable
from core.events import Bus
from core.outbox import (
    ATTEMPTS,
    LEASE,
    Claimed,
    Dispatcher,
    Message,
    Undeliverable,
    claim,
    dead_letters,
    delivered,
    failed,
    put,
    requeue,
)
from core.writer import Writer

HELLO = Message("chat", "hello/1", {"text": "你好"})


@pytest.fixture
def writer(migrated_url: str) -> Iterator[Writer]:
    made = Writer(make_engine(migrated_url, writer=True), Bus()).start()
    yield made
    made.close()


def claimed(writer: Writer) -> list[Claimed]:
    return writer.run_sync(lambda session: claim(session, ["chat"], 10))


async def test_a_message_is_delivered_once_and_its_key_stops_a_repeat(writer: Writer) -> None:
    got: list[str] = []
    dispatcher = Dispatcher(writer)

    async def deliver(message: Claimed) -> None:
        got.append(message.payload["text"])

    dispatcher.on("chat", deliver)
    for _ in range(2):
        await writer.run(lambda session: put(session, [HELLO]))
        await dispatcher.deliver_due()
    assert got == ["你好"]


async def test_a_chat_hears_in_the_order_it_was_written_to_and_chats_do_not_wait_for_each_other(writer: Writer) -> None:
    got: list[str] = []
    slow = asyncio.Event()
    dispatcher = Dispatcher(writer)

    async def deliver(message: Claimed) -> None:
        if message.key == "alice/1":
            await asyncio.wait_for(slow.wait(), 10)
        got.append(message.key)
        if message.key == "bob/1":
            slow.set()

    dispatcher.on("chat", deliver, lambda message: str(message.payload["to"]))
    news = [Message("chat", f"{who}/{number}", {"to": who}) for who in ("alice", "bob") for number in (1, 2)]
    await writer.run(lambda session: put(session, news))
    await dispatcher.deliver_due()
    assert got.index("bob/1") < got.index("alice/1") < got.index("alice/2")
    assert got.index("bob/1") < got.index("bob/2")


def test_a_claim_lasts_as_long_as_its_lease(writer: Writer) -> None:
    writer.run_sync(lambda session: put(session, [HELLO]))
    assert [message.key for message in claimed(writer)] == ["hello/1"]
    assert claimed(writer) == []
    with clock.moved(LEASE + timedelta(seconds=1)):  # who had it died: it is delivered again
        [again] = claimed(writer)
        assert (again.key, again.attempts) == ("hello/1", 2)


def test_who_took_longer_than_the_lease_brings_nothing_back(writer: Writer) -> None:
    writer.run_sync(lambda session: put(session, [HELLO]))
    [slow] = claimed(writer)
    with clock.moved(LEASE + timedelta(seconds=1)):
        [quick] = claimed(writer)
        writer.run_sync(lambda session: failed(session, slow, Undeliverable("timeout", permanent=True)))
        assert writer.run_sync(dead_letters) == []
        writer.run_sync(lambda session: delivered(session, [quick]))
        writer.run_sync(lambda session: failed(session, slow, Undeliverable("timeout", retry_after=0)))
        assert claimed(writer) == []


async def test_what_fails_is_tried_later_and_what_fails_for_good_is_dead(writer: Writer) -> None:
    await writer.run(lambda session: put(session, [HELLO, Message("chat", "gone/1", {})]))
    dispatcher = Dispatcher(writer)

    async def deliver(message: Claimed) -> None:
        raise Undeliverable("no", permanent=message.key == "gone/1")

    dispatcher.on("chat", deliver)
    assert await dispatcher.deliver_due() == 2
    assert await dispatcher.deliver_due() == 0
    dead = await writer.run(dead_letters)
    assert [(row.key, row.error) for row in dead] == [("gone/1", "no")]
    for attempt in range(1, ATTEMPTS):
        with clock.moved(timedelta(days=attempt)):
            assert await dispatcher.deliver_due() == 1
    assert {row.key for row in await writer.run(dead_letters)} == {"gone/1", "hello/1"}
    assert await writer.run(requeue) == 2
    assert {message.key for message in await writer.run(lambda s: claim(s, ["chat"], 10))} == {"gone/1", "hello/1"}


async def test_a_handler_that_breaks_does_not_lose_the_message(writer: Writer) -> None:
    await writer.run(lambda session: put(session, [HELLO]))
    dispatcher = Dispatcher(writer)
    tries: list[int] = []

    async def deliver(message: Claimed) -> None:
        tries.append(message.attempts)
        if len(tries) == 1:
            raise RuntimeError("a defect")

    dispatcher.on("chat", deliver)
    await dispatcher.deliver_due()
    with clock.moved(timedelta(minutes=1)):
        await dispatcher.deliver_due()
        assert await dispatcher.deliver_due() == 0
    assert tries == [1, 2]


def test_the_platform_says_how_long_to_wait(writer: Writer) -> None:
    writer.run_sync(lambda session: put(session, [HELLO]))
    [message] = claimed(writer)
    from_platform = Undeliverable("slow down", retry_after=100)
    writer.run_sync(lambda session: failed(session, message, from_platform))
    with clock.moved(timedelta(seconds=95)):
        assert claimed(writer) == []
    with clock.moved(timedelta(seconds=101)):
        assert len(claimed(writer)) == 1


def test_a_message_may_wait_for_its_moment(writer: Writer) -> None:
    morning = clock.now() + timedelta(hours=9)
    writer.run_sync(lambda session: put(session, [Message("chat", "later/1", {}, due_at=morning)]))
    assert claimed(writer) == []
    with clock.moved(timedelta(hours=9, seconds=1)):
        assert [message.key for message in claimed(writer)] == ["later/1"]


def test_what_is_put_off_costs_no_try(writer: Writer) -> None:
    writer.run_sync(lambda session: put(session, [HELLO]))
    for hour in range(ATTEMPTS + 3):
        with clock.moved(timedelta(hours=hour)):
            [message] = claimed(writer)
            assert message.attempts == 1
            night = Undeliverable("quiet hours", retry_after=1800, tried=False)
            writer.run_sync(lambda session, m=message, n=night: failed(session, m, n))  # type: ignore[misc]


async def test_what_is_slow_by_intention_holds_nothing_else_up(writer: Writer) -> None:
    got: list[str] = []
    slow = asyncio.Event()
    dispatcher = Dispatcher(writer, parallel=1, poll=0.01)

    async def crawl(message: Claimed) -> None:
        got.append(message.key)
        await asyncio.wait_for(slow.wait(), 10)

    async def deliver(message: Claimed) -> None:
        got.append(message.key)
        if len(got) == 4:
            slow.set()
            dispatcher.stop()

    dispatcher.on("slow", crawl, apart=1)
    dispatcher.on("chat", deliver)
    await writer.run(lambda session: put(session, [Message("slow", f"slow/{number}", {}) for number in range(9)]))
    await writer.run(lambda session: put(session, [Message("chat", f"chat/{number}", {}) for number in range(3)]))
    await asyncio.wait_for(dispatcher.run(), 20)
    assert [key for key in got if key.startswith("chat")] == ["chat/0", "chat/1", "chat/2"]
    assert [key for key in got if key.startswith("slow")] == ["slow/0"]


async def test_one_that_is_slow_keeps_its_own_place_only(writer: Writer) -> None:
    got: list[str] = []
    slow = asyncio.Event()
    dispatcher = Dispatcher(writer, poll=0.01)

    async def deliver(message: Claimed) -> None:
        if message.key == "slow/1":
            await asyncio.wait_for(slow.wait(), 10)
        got.append(message.key)
        if len(got) == 6:
            slow.set()
        if len(got) == 8:
            dispatcher.stop()

    def shop(message: Claimed) -> str:
        return message.key.partition("/")[0]

    dispatcher.on("parcel", deliver, shop, apart=3)
    keys = [f"slow/{number}" for number in (1, 2)] + [f"quick/{number}" for number in range(6)]
    for key in keys:
        await writer.run(lambda session, key=key: put(session, [Message("parcel", key, {})]))  # type: ignore[misc]
    await asyncio.wait_for(dispatcher.run(), 20)
    assert got == [*keys[2:], "slow/1", "slow/2"]


async def test_what_belongs_to_a_delivery_is_kept_with_it(writer: Writer) -> None:
    kept: list[str] = []

    def keep(session: Session, keys: Sequence[str]) -> list[None]:
        kept.extend(keys)
        return [None] * len(keys)

    async def deliver(message: Claimed) -> tuple[Any, str]:
        return keep, message.key

    dispatcher = Dispatcher(writer)
    dispatcher.on("chat", deliver)
    await writer.run(lambda session: put(session, [HELLO]))
    assert await dispatcher.deliver_due() == 1
    assert kept == ["hello/1"]


async def test_one_part_that_loses_the_database_ends_the_others_after_what_they_have_in_hand(writer: Writer) -> None:
    got: list[str] = []
    dispatcher = Dispatcher(writer, poll=0.01)

    async def deliver(message: Claimed) -> None:
        got.append(message.key)
        writer.close()

    dispatcher.on("chat", deliver)
    dispatcher.on("slow", deliver, apart=1)
    await writer.run(lambda session: put(session, [HELLO]))
    with pytest.raises(Unavailable):
        await asyncio.wait_for(dispatcher.run(), 20)
    assert got == ["hello/1"]
