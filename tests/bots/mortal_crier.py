"""Runs that plan and carry a broadcast and die on the way: before or after any commit, before or after any message.

Each is a process of its own with a fuse, as in `tests.rewards.mortal`; what it says to people is a line in a file
outside, which no rollback takes back.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bots.adapter import Capability, OnIncoming, Status
from bots.message import Address, Reply
from bots.outreach.crier import Crier, lane
from bots.pace import Pace
from core import clock, events, vault
from core.db import make_engine
from core.outbox import LEASE, Dispatcher
from core.reader import Reader
from core.writer import Writer
from daixin.bootstrap import join_parts
from referral import members
from referral.outreach import broadcasts, messages
from tests.forked import forks
from tests.rewards.mortal import watch

AT_ONCE = 3
"""Messages a run has in hand."""
PIECE = 3
"""People planned for in one unit."""
PATIENCE = 60.0


@dataclass
class Street:
    """Where people hear us: a line for each message that reached somebody."""

    path: Path
    burn: Callable[[], None] = lambda: None
    platform: str = "telegram"
    capabilities: frozenset[Capability] = frozenset()
    status: Status = field(default_factory=lambda: Status("ready"))

    async def run(self, on_incoming: OnIncoming) -> None: ...

    async def close(self) -> None: ...

    async def send(self, address: Address, reply: Reply) -> None:
        self.burn()
        with self.path.open("a") as file:
            file.write(address.chat + "\n")
        self.burn()

    def heard(self) -> list[str]:
        return self.path.read_text().split() if self.path.exists() else []


def die_and_go_on(url: str, street: Path, longest: int) -> int:
    """Runs with fuses of 1, 2, 3 … until one comes to its end; how many died."""
    context = forks()
    for fuse in range(1, longest):
        offset = clock.offset() + fuse * (LEASE + timedelta(seconds=1))
        process = context.Process(target=cry, args=(url, street, offset, fuse))
        process.start()
        process.join(PATIENCE)
        assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
        if process.exitcode == 0:
            return fuse - 1
    raise AssertionError("it never comes to an end")


def cry(url: str, street: Path, offset: timedelta, fuse: int) -> None:
    """One run, in a process of its own."""
    members.set_fingerprint_key("test-secret")
    vault.set_keys("", "test-secret")
    clock.move(offset)
    broadcasts.PIECE = PIECE
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
        writer, reader = Writer(engine, bus).start(), Reader(make_engine(url, writer=False))
        dispatcher = Dispatcher(writer)
        crier = Crier(Street(street, burn), reader, writer, Pace(1000))
        dispatcher.on(messages.TOPIC + "telegram", crier, lane, apart=AT_ONCE)
        while await writer.run(broadcasts.plan_due):
            continue
        while await dispatcher.deliver_due():
            continue
        await writer.run(broadcasts.finish_due)
        writer.close()
        reader.close()

    asyncio.run(live())
