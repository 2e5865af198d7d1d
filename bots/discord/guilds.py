"""The watches of all guilds, and what they ask of the connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

import discord

from bots.adapter import Store
from bots.discord import rights
from bots.discord.decode import CHANNEL, PLATFORM, person
from bots.discord.invites import Reading
from bots.discord.joins import Arrival, Departure, GuildWatch
from bots.discord.settings import DiscordSettings
from bots.message import Address, Incoming, Person, Place

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Guilds whose members are read at the same time."""


class GuildWatches:
    """One `GuildWatch` with its task per guild. They outlive the client, which may be replaced."""

    def __init__(
        self,
        settings: DiscordSettings,
        store: Store,
        now: Callable[[], datetime],
        guild: Callable[[int], discord.Guild | None],
        tell: Callable[[Incoming], Awaitable[None]],
    ) -> None:
        self.now = now
        self._settings = settings
        self._store = store
        self._guild = guild
        self._tell = tell
        self._few = asyncio.Semaphore(AT_ONCE)
        self._watches: dict[int, tuple[GuildWatch, asyncio.Task[None]]] = {}

    # ---- what happened

    def lost(self) -> None:
        """The connection is gone."""
        for watch, _ in self._watches.values():
            watch.lost()

    def session_began(self) -> None:
        """A new session."""
        for watch, _ in self._watches.values():
            watch.session_began()

    def away(self, guild: int) -> None:
        """One guild has an outage."""
        watch = self._watch(guild)
        watch.lost()
        watch.session_began()

    def back(self, guilds: Sequence[int]) -> None:
        """These guilds can be heard."""
        for guild in guilds:
            self._watch(guild).back()

    def joined(self, guild: int, who: Person, at: datetime | None) -> None:
        """Somebody joined."""
        self._watch(guild).note(Arrival(who, at))

    def departed(self, guild: int, who: Person) -> None:
        """Somebody left."""
        self._watch(guild).note(Departure(who))

    def invite_made(self, guild: int, code: str, limit: int) -> None:
        """An invite came to be."""
        self._watch(guild).invite_made(code, limit)

    def invite_deleted(self, guild: int, code: str) -> None:
        """An invite went."""
        self._watch(guild).invite_deleted(code)

    async def forget(self, guild: int) -> None:
        """The bot is no longer there."""
        if guild in self._watches:
            _, task = self._watches.pop(guild)
            await _cancelled(task)

    async def settled(self, seconds: float) -> None:
        """Wait until every watch has told what it knows, but no longer than this."""
        idle = [asyncio.create_task(watch.idle.wait()) for watch, _ in self._watches.values() if not watch.gap]
        if idle:
            _, late = await asyncio.wait(idle, timeout=seconds)
            for task in late:
                task.cancel()

    async def stop(self) -> None:
        """End all workers."""
        for guild in list(self._watches):
            await self.forget(guild)

    # ---- what the watches ask (`joins.Guilds`)

    async def members(self, guild: int) -> Sequence[Arrival]:
        """Everybody but bots: over the gateway, or page by page over REST when that does not answer."""
        found = self._guild(guild)
        if found is None:
            raise LookupError(f"guild {guild} is not available")
        async with self._few:
            try:
                members = await asyncio.wait_for(found.chunk(cache=False), self._settings.members_timeout)
            except TimeoutError:
                log.warning("the gateway does not list the members of guild %s; asking over REST", guild)
                members = [member async for member in found.fetch_members(limit=None)]
        return [Arrival(person(member), member.joined_at) for member in members if not member.bot]

    async def reading(self, guild: int) -> Reading | None:
        """The invite counters."""
        found = self._guild(guild)
        if found is None:
            return None
        try:
            return await rights.reading(found)
        except Exception as error:
            log.warning("the invites of guild %s could not be read: %s", guild, error)
            return None

    def place(self, guild: int, known: discord.Guild | None = None) -> Place:
        """A guild as a place; messages go where newcomers arrive."""
        found = known or self._guild(guild)
        channel = rights.channel(found) if found and not found.unavailable else None
        address = Address(PLATFORM, f"{CHANNEL}{channel.id if channel else guild}")
        return Place(address, group=str(guild), title=found.name if found else "")

    async def tell(self, incoming: Incoming) -> None:
        """Hand it to the core."""
        await self._tell(incoming)

    def _watch(self, guild: int) -> GuildWatch:
        if guild not in self._watches:
            watch = GuildWatch(guild, self, self._store, self._settings.settle)
            self._watches[guild] = (watch, asyncio.create_task(watch.run(), name=f"discord-guild-{guild}"))
        return self._watches[guild][0]


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
