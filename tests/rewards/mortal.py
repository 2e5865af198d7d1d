"""Lives of campaigns led by processes that die: at every step that changes something, one after another.

A run is a process of its own with the house's real parts: all jobs, the outbox, and a wall in the place of the groups.
It has a fuse: before and after each commit that changes a row, and before and after each call to the outside, one unit
of it burns, and at its end the process sends itself SIGKILL. At each moment of the story runs with fuses of 1, 2, 3 …
follow one another until one comes to its end.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bots.adapter import Capability, OnIncoming, Status
from bots.announcements import Announcer
from bots.message import Address, Reply
from core import clock, events, vault
from core.db import make_engine
from core.outbox import LEASE, Dispatcher
from core.writer import Writer
from daixin import jobs
from daixin.bootstrap import join_parts
from referral import members
from referral.announcing import TOPIC
from tests.forked import forks

LONGEST_FUSE = 40
"""Runs at one moment after which the story would not be going on any more."""
PATIENCE = 60.0
"""Seconds a run may take."""


@dataclass
class Wall:
    """Groups as one file outside, a line for each call; it knows a post by its key, as Discord does."""

    path: Path
    burn: Callable[[], None] = lambda: None
    platform: str = "telegram"
    capabilities: frozenset[Capability] = frozenset({Capability.POSTS, Capability.PINS})
    status: Status = field(default_factory=lambda: Status("ready"))

    async def run(self, on_incoming: OnIncoming) -> None: ...

    async def send(self, address: Address, reply: Reply) -> None: ...

    async def close(self) -> None: ...

    async def post(self, group: str, reply: Reply, *, key: str, again: bool = False) -> str:
        self._write(do="post", key=key, group=group, again=again, text=reply.text)
        return key

    async def pin(self, group: str, message: str) -> None:
        self._write(do="pin", key=message)

    async def unpin(self, group: str, message: str) -> None:
        self._write(do="unpin", key=message)

    def _write(self, **call: Any) -> None:
        self.burn()
        with self.path.open("a") as file:
            file.write(json.dumps(call) + "\n")
        self.burn()

    def calls(self, do: str) -> list[dict[str, Any]]:
        """The calls of one kind, in order."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return [call for call in map(json.loads, lines) if call["do"] == do]

    def posts(self) -> dict[str, str]:
        """What people see, by key: the first of each; whoever asked for it once more knew that it was not the first."""
        asked = self.calls("post")
        fresh = Counter(call["key"] for call in asked if not call["again"])
        assert all(times == 1 for times in fresh.values()), "somebody posted twice without knowing"
        return {call["key"]: call["text"] for call in reversed(asked)}


@dataclass
class Deaths:
    """Leads a house's campaigns through their moments. `kills`: how many runs died."""

    url: str
    wall: Wall
    kills: int = 0

    def until(self, **after: float) -> None:
        """Everything that is due so long after the present moment of the caller's clock is done, by runs that die."""
        begins = clock.offset() + timedelta(**after)
        for number in range(1, LONGEST_FUSE):
            # What a run that died had in hand is free again after the lease.
            offset = begins + number * (LEASE + timedelta(seconds=1))
            if self._run(offset, number) == 0:
                break
            self.kills += 1
        else:
            raise AssertionError("it never comes to an end")

    def together(self, **after: float) -> None:
        """Everything that is due so long after the present moment is done by two runs at the same time."""
        twins = [self._start(clock.offset() + timedelta(**after), 0) for _ in range(2)]
        for process in twins:
            process.join(PATIENCE)
            assert process.exitcode == 0

    def _run(self, offset: timedelta, fuse: int) -> int:
        process = self._start(offset, fuse)
        process.join(PATIENCE)
        assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
        return int(process.exitcode)

    def _start(self, offset: timedelta, fuse: int) -> Any:
        process = forks().Process(target=lead, args=(self.url, self.wall.path, offset, fuse))
        process.start()
        return process


def lead(url: str, wall: Path, offset: timedelta, fuse: int) -> None:
    """One run, in a process of its own; `fuse` 0 burns for ever."""
    members.set_fingerprint_key("test-secret")
    vault.set_keys("", "test-secret")
    clock.move(offset)
    left = fuse

    def burn() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def live() -> None:
        bus = events.Bus()
        join_parts(bus)
        engine = make_engine(url, writer=True)
        watch(engine, burn)
        writer = Writer(engine, bus).start()
        dispatcher = Dispatcher(writer)
        groups = Wall(wall, burn)
        dispatcher.on(TOPIC + groups.platform, Announcer(groups, writer), lambda message: str(message.payload["chat"]))
        await jobs.run_all(writer)
        while await dispatcher.deliver_due():
            await jobs.run_all(writer)
        writer.close()

    asyncio.run(live())


def watch(engine: Any, burn: Callable[[], None]) -> None:
    """Burn before and after every commit that changes a row."""
    changed = False

    @event.listens_for(engine, "after_cursor_execute")
    def _executed(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        nonlocal changed
        if cursor.rowcount > 0 and statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            changed = True

    @event.listens_for(engine, "commit")
    def _commits(connection: Any) -> None:
        if changed:
            burn()

    @event.listens_for(engine, "begin")
    def _begins(connection: Any) -> None:
        nonlocal changed
        if changed:  # the commit before this one was carried out
            changed = False
            burn()
