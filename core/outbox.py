"""What leaves the building: written in the unit of work that causes it, delivered after the commit.

Delivery is at least once. Each message has a unique `key`, which makes a repeat harmless for who receives it. A
message whose delivery fails for good becomes a dead letter that one can see and requeue (`daixin outbox`).
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Column, Index, Text, delete, select, update
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Json, Row, UtcDateTime, among, insert_missing, table
from core.writer import Batch, Writer, announce

log = structlog.get_logger()

ATTEMPTS = 12
"""Tries before a message is dead: with the backoff below about a day and a half."""
LEASE = timedelta(minutes=2)
"""How long a claim lasts; a process that dies lets go of its messages after this."""
LONGEST_WAIT = timedelta(hours=6)
KEEP_DELIVERED = timedelta(days=7)


class Outbox(Row, table=True):
    """One message. `state`: pending, delivered or dead."""

    __tablename__ = "outbox"
    # With the id behind: a broadcast's messages are due at one moment, and none of them is sorted to find the first.
    __table_args__ = (Index("ix_outbox_due", "topic", "state", "due_at", "id"),)

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    brand_id: UUID | None = None
    key: str = Field(unique=True)
    topic: str
    payload: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    state: str = "pending"
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    error: str | None = Field(default=None, sa_type=Text)


@dataclass(frozen=True, slots=True)
class Message:
    """Something to deliver. `key` names its cause, so that the same cause is told once. `due_at`: not before then;
    None is at once."""

    topic: str
    key: str
    payload: dict[str, Any]
    brand_id: UUID | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message in our hands until the lease ends."""

    id: UUID
    key: str
    topic: str
    payload: dict[str, Any]
    attempts: int


class Undeliverable(Exception):
    """Raised by a handler. permanent: never try again. retry_after: seconds to wait. tried: False where it was only
    put off, which costs none of its attempts."""

    def __init__(
        self, reason: str, *, permanent: bool = False, retry_after: float | None = None, tried: bool = True
    ) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.retry_after = retry_after
        self.tried = tried


def put(session: Session, messages: Sequence[Message]) -> None:
    """Queue messages in this unit of work; one whose key is already there is dropped."""
    now = clock.now()
    rows = [
        {
            "id": ids.new(),
            "brand_id": message.brand_id,
            "key": message.key,
            "topic": message.topic,
            "payload": message.payload,
            "state": "pending",
            "attempts": 0,
            "due_at": message.due_at or now,
            "created_at": now,
        }
        for message in messages
    ]
    insert_missing(session, table(Outbox), rows, ["key"])
    for topic in {message.topic for message in messages}:
        announce(session, topic)


def claim(session: Session, topics: Sequence[str], limit: int) -> list[Claimed]:
    """Take up to `limit` due messages, oldest first, for the length of `LEASE`."""
    now = clock.now()
    due = (
        select(col(Outbox.id))
        .where(col(Outbox.topic).in_(topics), col(Outbox.state) == "pending", col(Outbox.due_at) <= now)
        .order_by(col(Outbox.due_at), col(Outbox.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(table(Outbox))
        .where(table(Outbox).c.id.in_(due.scalar_subquery()))
        .values(due_at=now + LEASE, attempts=table(Outbox).c.attempts + 1)
        .returning(*(table(Outbox).c[name] for name in ("id", "key", "topic", "payload", "attempts")))
    )
    rows = [Claimed(*row) for row in session.execute(taken)]
    return sorted(rows, key=lambda row: row.id)


def delivered(session: Session, messages: Sequence[Claimed]) -> list[None]:
    """Mark them done; the rows stay for `KEEP_DELIVERED`, so that their keys still stop a repeat."""
    t = table(Outbox)
    done = among(session, t.c.id, [message.id for message in messages])
    session.execute(update(t).where(done).values(state="delivered", error=None))
    return [None] * len(messages)


def failed(session: Session, message: Claimed, error: Undeliverable) -> None:
    """Put it back with growing waits, or lay it aside as dead."""
    attempts = message.attempts - (not error.tried)
    dead = error.permanent or attempts >= ATTEMPTS
    wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else _backoff(message.attempts)
    # Whoever took longer than the lease has nothing to say: it may be delivered by now, or in other hands.
    t = table(Outbox)
    ours = (t.c.id == message.id, t.c.state == "pending", t.c.attempts == message.attempts)
    session.execute(
        update(t)
        .where(*ours)
        .values(
            state="dead" if dead else "pending", attempts=attempts, due_at=clock.now() + wait, error=str(error)[:500]
        )
    )


def _backoff(attempts: int) -> timedelta:
    seconds = min(LONGEST_WAIT.total_seconds(), 2.0 ** min(attempts, 20))
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret


def dead_letters(session: Session, limit: int = 100) -> list[Outbox]:
    """Messages that were given up, newest first."""
    found = select(Outbox).where(col(Outbox.state) == "dead").order_by(col(Outbox.created_at).desc()).limit(limit)
    return list(session.execute(found).scalars())


def requeue(session: Session, which: Sequence[UUID] | None = None) -> int:
    """Give dead letters (all, or these) another full set of tries; how many."""
    chosen = table(Outbox).c.state == "dead"
    if which is not None:
        chosen = chosen & table(Outbox).c.id.in_(which)
    found = session.execute(
        update(table(Outbox))
        .where(chosen)
        .values(state="pending", attempts=0, due_at=clock.now())
        .returning(table(Outbox).c.topic)
    )
    topics = list(found.scalars())
    for topic in set(topics):
        announce(session, topic)
    return len(topics)


def forget_delivered(session: Session) -> None:
    """Drop what was delivered long ago."""
    old = clock.now() - KEEP_DELIVERED
    session.execute(delete(Outbox).where(col(Outbox.state) == "delivered", col(Outbox.created_at) < old))


Parting = tuple[Batch[Any, Any], Any]
"""A batch function and a command for it (see `Writer.call`)."""
Deliver = Callable[[Claimed], Awaitable[Parting | None]]
"""Delivers one message. What it returns is committed together with the mark that the message is delivered."""
Lane = Callable[[Claimed], str]


@dataclass(slots=True)
class _Round:
    """Topics that are claimed together, `parallel` messages at a time."""

    parallel: int
    handlers: dict[str, tuple[Deliver, Lane]] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


def _by_lane(one: _Round, batch: Sequence[Claimed]) -> dict[tuple[str, str], list[Claimed]]:
    lanes: dict[tuple[str, str], list[Claimed]] = {}
    for message in batch:
        lanes.setdefault((message.topic, one.handlers[message.topic][1](message)), []).append(message)
    return lanes


class Dispatcher:
    """Delivers the topics this process has handlers for, `parallel` at a time, until stopped."""

    def __init__(self, writer: Writer, *, parallel: int = 16, poll: float = 1.0) -> None:
        self._writer = writer
        self._poll = poll
        self._together = _Round(parallel)
        self._rounds = [self._together]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        writer.on_commit(self._committed)

    def on(
        self,
        topic: str,
        deliver: Deliver,
        lane: Lane = lambda message: message.key,
        *,
        apart: int | None = None,
    ) -> None:
        """Deliver messages of `topic` with this function, which raises `Undeliverable` when it cannot.

        Messages of one `lane` (a chat) go out one after another in the order they were written. A topic that is slow
        by intention is delivered `apart`, so many at a time: no other waits for it, and of its own lanes none for
        another.
        """
        if apart is None:
            self._together.handlers[topic] = deliver, lane
        else:
            self._rounds.append(_Round(apart, {topic: (deliver, lane)}))

    async def run(self) -> None:
        """Deliver until `stop`; what is in hand is finished first, also when the database went away."""
        self._loop = asyncio.get_running_loop()
        broken = asyncio.Event()
        apart = (self._deliver_as_they_come(one, broken) for one in self._rounds[1:])
        results = await asyncio.gather(
            self._deliver_round_by_round(self._together, broken), *apart, return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _deliver_round_by_round(self, one: _Round, broken: asyncio.Event) -> None:
        try:
            while not (self._stopping or broken.is_set()):
                one.wake.clear()
                if not await self._deliver_round(one):
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(one.wake.wait(), self._poll)
        finally:
            broken.set()

    async def _deliver_as_they_come(self, one: _Round, broken: asyncio.Event) -> None:
        """Without rounds: what takes long keeps its own place only. Places are filled again when half of them are
        free, since a claim costs the same for one as for many, and now and then whatever is free."""
        held: dict[asyncio.Task[None], int] = {}
        lanes: dict[tuple[str, str], asyncio.Task[None]] = {}
        claimed_at = -self._poll
        try:
            while not (self._stopping or broken.is_set()):
                one.wake.clear()
                batch: list[Claimed] = []
                room = one.parallel - sum(held.values())
                if room and (room * 2 >= one.parallel or time.monotonic() >= claimed_at + self._poll):
                    batch, claimed_at = await self._claim(one, room), time.monotonic()
                for lane, messages in _by_lane(one, batch).items():
                    task = asyncio.create_task(self._deliver_in_order(one, messages, lanes.get(lane)))
                    task.add_done_callback(lambda _: one.wake.set())
                    held[task], lanes[lane] = len(messages), task
                if not batch:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(one.wake.wait(), self._poll)
                for task in [task for task in held if task.done()]:
                    del held[task]
                    task.result()  # raises where the database went away
                lanes = {lane: task for lane, task in lanes.items() if not task.done()}
        finally:
            broken.set()
            await asyncio.gather(*held, return_exceptions=True)

    def _committed(self, topics: set[str]) -> None:
        """Called in the writer's thread."""
        if self._loop is None or self._loop.is_closed():
            return
        for one in self._rounds:
            if topics & one.handlers.keys():
                self._loop.call_soon_threadsafe(one.wake.set)

    async def deliver_due(self) -> int:
        """One round of each: claim what is due and deliver it; how many were claimed."""
        return sum(await asyncio.gather(*map(self._deliver_round, self._rounds)))

    async def _deliver_round(self, one: _Round) -> int:
        batch = await self._claim(one, one.parallel)
        await asyncio.gather(*(self._deliver_in_order(one, messages) for messages in _by_lane(one, batch).values()))
        return len(batch)

    async def _claim(self, one: _Round, limit: int) -> list[Claimed]:
        topics = list(one.handlers)
        return await self._writer.run(lambda session: claim(session, topics, limit)) if topics else []

    async def _deliver_in_order(
        self, one: _Round, messages: Sequence[Claimed], after: asyncio.Task[None] | None = None
    ) -> None:
        if after is not None:
            await asyncio.wait([after])
        for message in messages:
            await self._deliver(one, message)

    async def _deliver(self, one: _Round, message: Claimed) -> None:
        try:
            parting = await one.handlers[message.topic][0](message)
        except Undeliverable as error:
            problem = error
        except Exception as error:
            log.exception("outbox.handler_failed", topic=message.topic, key=message.key)
            problem = Undeliverable(repr(error))
        else:
            # Asked for in one turn of the loop, so the writer gets both at once and flushes the disk once.
            marks = [self._writer.call(delivered, message)]
            marks += [self._writer.call(*parting)] if parting is not None else []
            await asyncio.gather(*marks)
            return
        if problem.tried:
            log.warning("outbox.not_delivered", topic=message.topic, key=message.key, permanent=problem.permanent)
        await self._writer.run(lambda session: failed(session, message, problem))

    def stop(self) -> None:
        """Finish the rounds in hand, then return from `run`."""
        self._stopping = True
        for one in self._rounds:
            one.wake.set()
