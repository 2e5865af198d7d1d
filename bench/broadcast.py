"""`broadcast`: a text to 100,000 people on Telegram, planned, queued and delivered, against what its rate allows.

Ours is the job that plans (piece by piece, until nothing is left), then the outbox with everything between it and the
wire: the decision about each message, its words, its turn, python-telegram-bot with its rate limiter, and the marks
that it is sent. Only the network is played, and the clock: the event loop's time moves when nothing else can happen
but waiting, so an hour passes in minutes while every limiter believes in it. The limit is 100,000 messages at 30 a
second. What it takes on the real clock is stated: it must be far less than the hour it has.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session
from telegram.request import BaseRequest

from bench import town
from bench.report import Line, line, timed
from bots.adapter import Adapter
from bots.message import Address, Reply
from bots.outreach.crier import Crier, lane
from bots.pace import RATES, SLACK, Pace
from bots.telegram.client import Client
from bots.telegram.client import Pace as TelegramPace
from bots.telegram.delivery import Delivery
from bots.telegram.settings import TelegramSettings
from core import clock, migrations
from core.db import make_engine, table
from core.outbox import Dispatcher, Outbox
from core.reader import Reader
from core.writer import Writer
from daixin import collector
from referral import brands, members
from referral.members import Account, Member
from referral.outreach import broadcasts, messages, people
from referral.outreach.models import Outreach

BOUND = 1.05
PEOPLE = 100_000
MET_AT_ONCE = 1000
T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while threads work, and jumps when all that is left is to wait."""

    def __init__(self) -> None:
        self.now = 0.0
        self.under_way = 0
        super().__init__(_Selector(self))

    def time(self) -> float:
        return self.now


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._virtual = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self._virtual.under_way or timeout is None:
            return super().select(10)
        self._virtual.now += timeout
        return []


class Watched:
    """The writer and the reader, with what they have in hand counted for the loop."""

    def __init__(self, loop: VirtualLoop, writer: Writer, reader: Reader) -> None:
        self._loop = loop
        self._writer = writer
        self._reader = reader

    def call(self, batch: Any, command: Any) -> Awaitable[Any]:
        self._loop.under_way += 1
        done = cast("asyncio.Future[Any]", self._writer.call(batch, command))
        done.add_done_callback(self._done)
        return done

    def _done(self, _: object) -> None:
        self._loop.under_way -= 1

    async def run(self, unit: Callable[[Session], T]) -> T:
        self._loop.under_way += 1
        try:
            return await self._writer.run(unit)
        finally:
            self._loop.under_way -= 1

    def on_commit(self, hook: Callable[[set[str]], None]) -> None:
        self._writer.on_commit(hook)

    async def read(self, query: Callable[[Session], T]) -> T:
        self._loop.under_way += 1
        try:
            return await self._reader.run(query)
        finally:
            self._loop.under_way -= 1


class Reading:
    """The reader's side of `Watched`."""

    def __init__(self, watched: Watched) -> None:
        self.run = watched.read


class Wire(BaseRequest):
    """Telegram as far as sending goes: every message arrives, and when it did is kept."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.arrived: list[float] = []

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(self, url: str, method: str, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        self.arrived.append(self._loop.time())
        sent = {"message_id": len(self.arrived), "date": 0, "chat": {"id": 1, "type": "private"}, "text": "x"}
        return 200, json.dumps({"ok": True, "result": sent}).encode()


class Telegram:
    """As much of the adapter as sends."""

    platform = "telegram"

    def __init__(self, loop: VirtualLoop, wire: Wire) -> None:
        settings = TelegramSettings("1:bench")
        client = Client(
            settings.token,
            request=wire,
            get_updates_request=wire,
            rate_limiter=TelegramPace(settings, loop.time),
        )
        self._delivery = Delivery(client)

    async def send(self, address: Address, reply: Reply) -> None:
        await self._delivery.send(int(address.chat), reply)


def _fill(writer: Writer) -> UUID:
    """A brand without quiet hours, so that the bench runs at any time of day, and its people; the brand's id."""

    def found(session: Session) -> UUID:
        brand = brands.create_brand(session, "Bench", slug="bench")
        people.change_settings(session, brand.id, "bench", quiet_from=0, quiet_until=0)
        return brand.id

    brand_id = writer.run_sync(found)
    for begin in range(0, PEOPLE, MET_AT_ONCE):
        names = [str(number) for number in range(begin + 1, begin + MET_AT_ONCE + 1)]
        crowd = [Account("telegram", name, f"Fan {name}", locale="en", chat=name) for name in names]
        at = [clock.now() - timedelta(days=1)] * len(crowd)
        writer.run_sync(
            lambda session, crowd=crowd, at=at: members.meet(session, brand_id, crowd, at, "message")  # type: ignore[misc]
        )
    return brand_id


def _start(session: Session, brand_id: UUID) -> None:
    member_id = session.scalar(select(table(Member).c.id).limit(1))
    assert member_id is not None
    text = {"en": "The new tea is here! Live on Friday at 8 pm.", "zh_Hans": "新茶到了！周五晚 8 点直播。"}
    broadcasts.start(session, broadcasts.draft(session, brand_id, text, "all", member_id), "bench")


def _plan(writer: Writer) -> None:
    while writer.run_sync(broadcasts.plan_due):
        continue


def _deliver(writer: Writer, reader: Reader) -> Sequence[float]:
    """Everything goes out; when each message arrived, in seconds of the loop's time."""
    loop = VirtualLoop()
    wire = Wire(loop)
    watched = Watched(loop, writer, reader)
    pace = Pace(RATES["telegram"], loop.time)
    dispatcher = Dispatcher(cast(Writer, watched))
    adapter = cast(Adapter, Telegram(loop, wire))
    crier = Crier(adapter, cast(Reader, Reading(watched)), cast(Writer, watched), pace)
    dispatcher.on(messages.TOPIC + "telegram", crier, lane, apart=pace.at_once)

    async def until_done() -> None:
        while await dispatcher.deliver_due():
            continue

    try:
        loop.run_until_complete(until_done())
    finally:
        loop.close()
    return wire.arrived


def _check(session: Session, arrived: Sequence[float]) -> None:
    """What was timed must be the real thing: everybody has it once, and at no time faster than Telegram bears."""
    t = table(Outreach)
    sent = session.scalar(select(func.count()).select_from(t).where(t.c.state == "sent"))
    left = session.scalar(select(func.count()).select_from(table(Outbox)).where(table(Outbox).c.state != "delivered"))
    most = max((following - number for number, following in _windows(arrived)), default=0)
    if (sent, len(arrived), left) != (PEOPLE, PEOPLE, 0) or most > RATES["telegram"] + SLACK + 1:
        raise RuntimeError(f"{sent} sent, {len(arrived)} arrived, {left} left, {most} in one second")


def _windows(arrived: Sequence[float]) -> list[tuple[int, int]]:
    """For every message: its number, and that of the first which is a second later."""
    found, end = [], 0
    for number, at in enumerate(arrived):
        while end < len(arrived) and arrived[end] < at + 1:
            end += 1
        found.append((number, end))
    return found


def run() -> Line:
    """One broadcast, from the button to the last message."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        migrations.migrate(url)
        writer, reader = town.open_writer(url), Reader(make_engine(url, writer=False))
        try:
            brand_id = _fill(writer)
            collector.settle()  # as `daixin serve` does
            writer.run_sync(lambda session: _start(session, brand_id))
            planning, _ = timed(lambda: _plan(writer))
            delivering, arrived = timed(lambda: _deliver(writer, reader))
            writer.run_sync(lambda session: _check(session, arrived))
        finally:
            writer.close()
            reader.close()
    limit = PEOPLE / RATES["telegram"]
    took = arrived[-1] - arrived[0] + 1 / RATES["telegram"]
    return line(
        "broadcast",
        took / limit,
        BOUND,
        "lower",
        delivery_virtual_seconds=round(took, 1),
        limit_virtual_seconds=round(limit, 1),
        planned_people_per_second=round(PEOPLE / planning),
        planned_rows_per_second=round(2 * PEOPLE / planning),
        delivered_per_real_second=round(PEOPLE / delivering),
        people=PEOPLE,
    )


if __name__ == "__main__":
    print(json.dumps(run()), flush=True)
