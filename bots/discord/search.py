"""Asking Discord afterwards how somebody joined.

`members-search` tells the invite for certain, but it is not in the official documentation, knows nobody younger than
about twenty seconds and needs Manage Server. So it only confirms, later, a join whose invite stayed open; without an
answer the join stays as it was told.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import discord
from discord.http import Route

from bots.discord.invites import url
from bots.discord.sending import FAILURES
from bots.message import Incoming, Joined

log = logging.getLogger(__name__)

BY_INVITE = 5
"""Discord's `join_source_type` of a join by an invite (6 is the vanity address)."""
OPEN = ("ambiguous", "unknown")
AT_ONCE = 100
ROUNDS = 3

Search = Callable[[int, Sequence[str]], Awaitable[Mapping[str, str | None]]]


async def search(client: discord.Client, guild: int, accounts: Sequence[str]) -> dict[str, str | None]:
    """By account, the code each of these members came with (None: by no invite); those not indexed yet are missing.

    Raises the library's errors. While Discord builds its index it answers 202 without members.
    """
    body = {"limit": len(accounts), "and_query": {"user_id": {"or_query": list(accounts)}}}
    route = Route("POST", "/guilds/{guild_id}/members-search", guild_id=guild)
    data: Mapping[str, Any] = await client.http.request(route, json=body)
    return {str(found["member"]["user"]["id"]): _code(found) for found in data.get("members") or ()}


class Confirmations:
    """Joins whose invite is open, asked for again after a while, some at once per guild."""

    def __init__(self, search: Search, tell: Callable[[Incoming], Awaitable[None]], after: float | None) -> None:
        self._search = search
        self._tell = tell
        self._after = after
        self._open: dict[int, dict[str, tuple[Joined, int]]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def consider(self, joined: Joined) -> None:
        """Look after a join, if its invite is open and searching is wanted at all."""
        if self._after is None or joined.certainty not in OPEN or joined.place.group is None:
            return
        guild = int(joined.place.group)
        self._open.setdefault(guild, {})[joined.person.account] = (joined, 0)
        if guild not in self._tasks:
            self._tasks[guild] = asyncio.create_task(self._work(guild, self._after), name=f"discord-search-{guild}")

    async def stop(self) -> None:
        """Forget what is open."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._open.clear()
        self._tasks.clear()

    async def _work(self, guild: int, after: float) -> None:
        try:
            while self._open.get(guild):
                await asyncio.sleep(after)
                await self._ask(guild)
        except FAILURES as error:
            log.info("the members of guild %s cannot be searched: %s", guild, error)
        finally:
            self._open.pop(guild, None)
            self._tasks.pop(guild, None)

    async def _ask(self, guild: int) -> None:
        waiting = self._open[guild]
        asked = list(waiting)[:AT_ONCE]
        found = await self._search(guild, asked)
        for account in asked:
            joined, rounds = waiting.pop(account)
            code = found.get(account)
            if code is not None:
                await self._tell(replace(joined, invite=url(code), candidates=(), certainty="search"))
            elif account not in found and rounds + 1 < ROUNDS:
                waiting[account] = (joined, rounds + 1)


def _code(found: Mapping[str, Any]) -> str | None:
    code = found.get("source_invite_code") if found.get("join_source_type") == BY_INVITE else None
    return str(code) if code else None
