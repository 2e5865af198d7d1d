"""Who came and went in one guild, told in order, each join with how certain its invite is.

One worker per guild takes the moves one after another, so that two readings of the counters have exactly the
joins between them that the worker knows of. Readings are kept, so a restart does not lose them.

A *gap* is a time Discord will not replay to us (a new session). Joins of a gap are found by comparing `joined_at` with
the last join handled, both by Discord's clock, and are never certain.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bots.adapter import Store
from bots.discord.invites import Reading, Uses, Verdict, explain, missed, used
from bots.message import Incoming, Joined, Left, Person, Place, Present

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two tries to read the members."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody joined; `joined_at` is Discord's time of it, where it told."""

    person: Person
    joined_at: datetime | None


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody left or was removed."""

    person: Person


@dataclass(frozen=True, slots=True)
class Look:
    """Compare with the whole list of members."""


Move = Arrival | Departure | Look


class Guilds(Protocol):
    """What the worker asks of the connection."""

    async def members(self, guild: int) -> Sequence[Arrival]:
        """Everybody who is in the guild now, without bots."""

    async def reading(self, guild: int) -> Reading | None:
        """All invites with their uses; None when they may not be read or cannot be now."""

    def place(self, guild: int) -> Place:
        """The guild as a place."""

    async def tell(self, incoming: Incoming) -> None:
        """Hand it to the core; never raises."""

    def now(self) -> datetime:
        """The time, in UTC."""


class GuildWatch:
    """The worker of one guild. `run` it as a task; the other methods only note what happened."""

    def __init__(self, guild: int, guilds: Guilds, store: Store, settle: float) -> None:
        self.guild = guild
        self.gap = True
        self.idle = asyncio.Event()
        self._guilds = guilds
        self._store = store
        self._settle = settle
        self._moves: deque[Move] = deque()
        self._moved = asyncio.Event()
        self._known: set[str] = set()
        self._before: dict[str, Uses] | None = None
        self._last_join: datetime | None = None
        self._deleted: set[str] = set()
        self._unread = 0  # joins since the last reading that could be taken
        self._loaded = False
        self._online = asyncio.Event()
        self._drops = 0  # how often the connection or the session was lost

    def note(self, move: Move) -> None:
        """Something moved."""
        self._moves.append(move)
        self.idle.clear()
        self._moved.set()

    def invite_made(self, code: str, limit: int) -> None:
        """An invite came to be; without this a single-use one could come and go between two readings."""
        if self._before is not None:
            self._before.setdefault(code, Uses(0, limit))

    def invite_deleted(self, code: str) -> None:
        """An invite went, used up or by hand."""
        self._deleted.add(code)

    def lost(self) -> None:
        """The connection is gone: joins we have not heard of may be counted already, so no reading counts now."""
        self._drops += 1
        self._online.clear()

    def session_began(self) -> None:
        """A new session: what happened before it is not replayed."""
        self._drops += 1
        self.gap = True

    def back(self) -> None:
        """Connected again, with everything that was to be replayed."""
        self._online.set()
        self.note(Look())

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            if not self._moves:
                self.idle.set()
                self._moved.clear()
                await self._moved.wait()
            try:
                await self._load()
                await self._step()
            except Exception:
                log.exception("a move in guild %s could not be handled", self.guild)
                await asyncio.sleep(FIRST_PAUSE)

    async def _step(self) -> None:
        if isinstance(self._moves[0], Look):
            self._moves.popleft()
            await self._reconcile()
        elif self.gap and any(isinstance(move, Look) for move in self._moves):
            # Joins of a gap are found by the look itself; departures are told in their turn.
            move = self._moves.popleft()
            if isinstance(move, Departure):
                await self._depart(move)
        elif self.gap:
            self._moved.clear()
            await self._moved.wait()
        else:
            await self._live()

    async def _live(self) -> None:
        """Handle the moves at hand as lying between the same two readings."""
        moves = self._take()
        after: Reading | None = None
        if self._joins(moves):
            after = await self._read()
            moves += self._take()
            if after is None or (self._before is not None and used(self._before, after) < self._joins(moves)):
                after = await self._read() or after
                moves += self._take()
        if self.gap:
            self._moves.extendleft(reversed(moves))
            return
        joins = self._joins(moves)
        verdict = explain(self._before, after, self._deleted, joins + self._unread)
        for move in self._real(moves):
            if isinstance(move, Departure):
                await self._depart(move)
            else:
                await self._arrive(move, verdict)
        if joins:
            self._unread = self._unread + joins if after is None else 0
            await self._keep(after)

    def _joins(self, moves: Sequence[Move]) -> int:
        return sum(isinstance(move, Arrival) for move in self._real(moves))

    async def _read(self) -> Reading | None:
        """A reading during which the connection held, and time for the joins on their way to arrive."""
        while True:
            await self._online.wait()
            drops = self._drops
            after = await self._guilds.reading(self.guild)
            await asyncio.sleep(self._settle)
            if drops == self._drops:
                return after

    async def _reconcile(self) -> None:
        """Read everybody; whoever joined in a gap is told with the invites that may have been used.

        The members are read before the counters: a use that is counted but whose join comes later is credited to
        nobody, while the other way round it could be credited to somebody else. Without a gap, newcomers whose join
        waits in the queue are left to it.
        """
        drops, members = await self._everybody()
        if not self.gap:
            coming = {move.person.account for move in self._moves if isinstance(move, Arrival)}
            members = [
                member for member in members if member.person.account not in coming or not self._is_later(member)
            ]
        newcomers = [member for member in members if self._is_later(member)]
        if self.gap or newcomers:
            after = await self._guilds.reading(self.guild)
            verdict = missed(self._before, after)
            for member in newcomers:
                self._known.discard(member.person.account)
                await self._arrive(member, verdict)
            self._unread = 0
            self._last_join = max(filter(None, [self._last_join, *(m.joined_at for m in members)]), default=None)
            await self._keep(after)
        self._known = {member.person.account for member in members}
        self.gap = self.gap and drops != self._drops
        people = tuple(member.person for member in members)
        await self._guilds.tell(Present(self._guilds.place(self.guild), people, self._guilds.now(), complete=True))

    async def _everybody(self) -> tuple[int, Sequence[Arrival]]:
        """The members, and the count of drops before they were read."""
        pause = FIRST_PAUSE
        while True:
            await self._online.wait()
            drops = self._drops
            try:
                return drops, await self._guilds.members(self.guild)
            except Exception as error:
                log.warning("members of guild %s could not be read: %s", self.guild, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _take(self) -> list[Move]:
        """The moves up to the next look."""
        taken: list[Move] = []
        while self._moves and not isinstance(self._moves[0], Look):
            taken.append(self._moves.popleft())
        return taken

    def _real(self, moves: Sequence[Move]) -> list[Arrival | Departure]:
        """Without announcements of people who are there already, which Discord may make.

        Somebody we know whose joining is later than any we handled did come back: their leaving was missed.
        """
        present = set(self._known)
        told: set[Arrival] = set()
        real: list[Arrival | Departure] = []
        for move in moves:
            if isinstance(move, Departure):
                present.discard(move.person.account)
                real.append(move)
            elif isinstance(move, Arrival) and (
                move.person.account not in present or (move not in told and self._is_later(move))
            ):
                present.add(move.person.account)
                told.add(move)
                real.append(move)
        return real

    def _is_later(self, arrival: Arrival) -> bool:
        """Than any join we handled, by Discord's clock."""
        if self._last_join is None or arrival.joined_at is None:
            return False
        return arrival.joined_at > self._last_join

    async def _arrive(self, arrival: Arrival, verdict: Verdict) -> None:
        self._known.add(arrival.person.account)
        if arrival.joined_at is not None:
            self._last_join = max(filter(None, [self._last_join, arrival.joined_at]))
        at = arrival.joined_at or self._guilds.now()
        place = self._guilds.place(self.guild)
        await self._guilds.tell(
            Joined(
                arrival.person,
                place,
                at,
                invite=verdict.invite,
                candidates=verdict.candidates,
                certainty=verdict.certainty,
            )
        )

    async def _depart(self, departure: Departure) -> None:
        self._known.discard(departure.person.account)
        await self._guilds.tell(Left(departure.person, self._guilds.place(self.guild), self._guilds.now()))

    async def _load(self) -> None:
        if self._loaded:
            return
        kept: Mapping[str, Any] | None = await self._store.get(self._key)
        if kept:
            if kept["uses"] is not None:
                self._before = {code: Uses(*uses) for code, uses in kept["uses"].items()}
            self._last_join = datetime.fromisoformat(kept["last_join"]) if kept["last_join"] else None
        self._loaded = True

    async def _keep(self, after: Reading | None) -> None:
        """Remember the reading after its joins were told: a crash in between repeats a join rather than losing it."""
        if after is not None:
            self._before = dict(after)
            self._deleted.clear()
        uses = None if self._before is None else {code: [u.count, u.limit] for code, u in self._before.items()}
        last = self._last_join.isoformat() if self._last_join else None
        await self._store.put(self._key, {"uses": uses, "last_join": last})

    @property
    def _key(self) -> str:
        return f"discord:invites:{self.guild}"
