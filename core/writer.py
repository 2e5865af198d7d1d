"""The writer: one thread that runs units of work one after another and commits many at once (group commit).

Each unit runs in a SAVEPOINT of its own: one that fails rolls back alone. Commands given with `call` are handed,
all that wait of one kind, to their batch function. A batch that fails as a whole (deadlock, lost connection) is
run again one by one. A caller gets its result only after the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from core import events
from core.db import bind
from core.errors import Unavailable
from core.inbox import Inbox

T = TypeVar("T")
C = TypeVar("C")
Unit = Callable[[Session], T]
Batch = Callable[[Session, Sequence[C]], Sequence[T]]
log = structlog.get_logger()

MAX_BATCH = 256
"""Units in one commit; more would make the first caller wait too long for the last."""
RETRIES = 3
"""How often a unit is tried alone when the database itself failed (deadlock, lost connection)."""


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T]):
    """A unit and who waits for it. `batch` is set for commands, `unit` for everything else."""

    loop: asyncio.AbstractEventLoop | None
    future: Any
    unit: Unit[T] | None = None
    batch: Batch[Any, T] | None = None
    command: Any = None
    result: Any = None
    error: BaseException | None = None

    def alone(self, session: Session) -> T:
        if self.unit is not None:
            return self.unit(session)
        assert self.batch is not None
        return self.batch(session, [self.command])[0]


@dataclass(slots=True)
class Counts:
    """Counts commits for `/metrics`."""

    units: int = 0
    commits: int = 0
    failures: int = 0


class Writer:
    """Runs every change of the database. One per process; start it, hand it units, close it."""

    def __init__(self, engine: Engine, bus: events.Bus, *, max_batch: int = MAX_BATCH) -> None:
        self._engine = engine
        self._bus = bus
        self._inbox: Inbox[_Waiting[Any]] = Inbox(max_batch)
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._serve, name="writer", daemon=True)
        self.counts = Counts()
        self._hooks: list[Callable[[set[str]], None]] = []

    def start(self) -> Writer:
        """Begin to serve; returns itself."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Finish everything accepted, then stop. Later units are refused."""
        if not self._inbox.close():
            return
        if self._thread.is_alive():
            self._thread.join()
        self._engine.dispose()

    def on_commit(self, hook: Callable[[set[str]], None]) -> None:
        """Call `hook(topics)` in the writer's thread after each commit; topics are what `announce` named."""
        self._hooks.append(hook)

    async def run(self, unit: Unit[T]) -> T:
        """Run one unit of work; its result once it is committed, or its exception once it is rolled back."""
        loop = asyncio.get_running_loop()
        item: _Waiting[T] = _Waiting(loop, loop.create_future(), unit=unit)
        self._inbox.put(item, loop)
        return cast(T, await item.future)

    def call(self, batch: Batch[C, T], command: C) -> Awaitable[T]:
        """Run a hot command together with all others of its kind that wait now; await the result.

        A plain function that hands out the future: on this path a coroutine or two would be felt.
        """
        loop = asyncio.get_running_loop()
        item: _Waiting[T] = _Waiting(loop, loop.create_future(), None, batch, command)
        self._inbox.put(item, loop)
        return cast(Awaitable[T], item.future)

    def run_sync(self, unit: Unit[T]) -> T:
        """`run` for the command line and the demo: blocks until it is committed."""
        done = threading.Event()
        item: _Waiting[T] = _Waiting(None, done, unit=unit)
        self._inbox.put(item, None)
        done.wait()
        if item.error is not None:
            raise item.error
        return cast(T, item.result)

    def _serve(self) -> None:
        try:
            self._take_turns()
        finally:
            self._disconnect()

    def _take_turns(self) -> None:
        while waiting := self._inbox.take():
            self._commit(waiting)

    def _commit(self, waiting: list[_Waiting[Any]]) -> None:
        try:
            topics = self._attempt(waiting)
        except Exception as error:
            log.warning("writer.batch_failed", units=len(waiting), error=repr(error)[:300])
            topics = set()
            for item in waiting:
                topics |= self._one_by_one(item)
        self.counts.commits += 1
        self.counts.units += len(waiting)
        for hook in self._hooks:
            hook(topics)
        self._resolve(waiting)

    def _resolve(self, waiting: list[_Waiting[Any]]) -> None:
        """Wake all callers of one event loop with one call into it."""
        loops: dict[asyncio.AbstractEventLoop, list[_Waiting[Any]]] = {}
        for item in waiting:
            if item.loop is None:
                item.future.set()
            else:
                loops.setdefault(item.loop, []).append(item)
        self._inbox.answered(len(waiting), loops)
        for loop, items in loops.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._wake, loop, items)

    def _wake(self, loop: asyncio.AbstractEventLoop, items: list[_Waiting[Any]]) -> None:
        for item in items:
            if item.future.done():  # the caller was cancelled; what it asked for is committed all the same
                continue
            if item.error is not None:
                item.future.set_exception(item.error)
            else:
                item.future.set_result(item.result)
        self._inbox.turn(loop)

    def _attempt(self, waiting: list[_Waiting[Any]]) -> set[str]:
        """All of them in one transaction; raises only if the transaction as a whole failed."""
        # One connection for life: taking it from the pool each time would cost as much as a small batch.
        if self._connection is None:
            self._connection = self._engine.connect()
        try:
            return self._in_one_transaction(self._connection, waiting)
        except BaseException:
            self._disconnect()
            raise

    def _in_one_transaction(self, connection: Connection, waiting: list[_Waiting[Any]]) -> set[str]:
        with Session(connection, expire_on_commit=False) as session:
            events.attach(session, self._bus)
            bind(session)
            groups = _groups(waiting)
            if len(groups) == 1 and len(waiting) > 1 and waiting[0].batch is not None:
                # Nothing else is in this transaction, so it is the savepoint; a failure runs them one by one.
                _answer(waiting, waiting[0].batch(session, [item.command for item in waiting]))
            else:
                for group in groups:
                    self._run_group(session, group)
            session.commit()
            return cast(set[str], session.info.get("topics", set()))

    def _disconnect(self) -> None:
        """Let the connection go, whatever is wrong with it; the next attempt opens another."""
        if self._connection is not None:
            with contextlib.suppress(DBAPIError):
                self._connection.close()
            self._connection = None

    def _run_group(self, session: Session, group: list[_Waiting[Any]]) -> None:
        batch = group[0].batch
        if batch is not None and len(group) > 1:
            try:
                with session.begin_nested():
                    results = batch(session, [item.command for item in group])
                _answer(group, results)
                return
            except Exception as error:
                _raise_if_broken(error)
        for item in group:
            try:
                with session.begin_nested():
                    item.result = item.alone(session)
                item.error = None
            except Exception as error:
                _raise_if_broken(error)
                item.error = error
                self.counts.failures += 1

    def _one_by_one(self, item: _Waiting[Any]) -> set[str]:
        """One unit in a transaction of its own, tried again when the database failed, not the unit."""
        for left in reversed(range(RETRIES)):
            try:
                return self._attempt([item])
            except Exception as error:
                item.error = _explain(error)
                if not left:
                    self.counts.failures += 1
                    log.error("writer.unit_failed", error=repr(error)[:300])
        return set()


def announce(session: Session, topic: str) -> None:
    """Name something that waits outside for this commit (an outbox topic), see `Writer.on_commit`."""
    session.info.setdefault("topics", set()).add(topic)


def _answer(group: list[_Waiting[Any]], results: Sequence[Any]) -> None:
    for item, result in zip(group, results, strict=True):
        item.result, item.error = result, None


def _groups(waiting: list[_Waiting[Any]]) -> list[list[_Waiting[Any]]]:
    """Commands of one kind together, at the place of the first; every other unit alone."""
    groups: list[list[_Waiting[Any]]] = []
    kinds: dict[Any, list[_Waiting[Any]]] = {}
    for item in waiting:
        if item.batch is not None and item.batch in kinds:
            kinds[item.batch].append(item)
            continue
        groups.append([item])
        if item.batch is not None:
            kinds[item.batch] = groups[-1]
    return groups


def _raise_if_broken(error: Exception) -> None:
    """Raise when the transaction itself is lost, so that no later unit runs in it."""
    if isinstance(error, OperationalError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
        raise error


def _explain(error: Exception) -> Exception:
    """The database's own trouble in the words of `core.errors`."""
    # SQLite gives the whole transaction up when the disk is full: what comes to us then is only that the savepoint
    # is gone; the cause stands behind it.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DBAPIError) and ("full" in str(cause.orig) or "No space" in str(cause.orig)):
            return Unavailable("storage_full")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, OperationalError):
        return Unavailable("database_unavailable")
    return error
