"""Long polling that outlives whatever comes: poison updates, a second poller, an unreachable server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter, TelegramError

from bots.telegram.client import Client, FloodError, seconds
from bots.telegram.decode import ALLOWED_UPDATES
from bots.telegram.settings import TelegramSettings

LONGEST_BACKOFF = 30.0
_log = logging.getLogger(__name__)


class Polling:
    """Reads updates one by one and remembers how far it has come. `sleep` takes seconds.

    accept: takes one raw update on; must not raise. room: waits until there is room for another batch.
    """

    def __init__(
        self,
        client: Client,
        settings: TelegramSettings,
        accept: Callable[[Any], None],
        room: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._settings = settings
        self._accept = accept
        self._room = room
        self._sleep = sleep
        self._offset = 0

    async def run(self, heard: Callable[[], None], lost: Callable[[str], None]) -> None:
        """Poll until cancelled, calling `heard` after each answer, `lost` at each failure. Raises `InvalidToken`."""
        failures = 0
        while True:
            await self._room()
            try:
                updates = await self._client.raw_updates(self._offset, self._settings.poll_timeout, ALLOWED_UPDATES)
            except InvalidToken:
                raise
            except TelegramError as error:
                failures += 1
                lost(explain(error))
                await self._sleep(backoff(error, failures))
                continue
            failures = 0
            heard()
            self._take(updates)
            if not updates and self._settings.poll_interval:
                await self._sleep(self._settings.poll_interval)

    async def acknowledge(self) -> None:
        """Tell Telegram how far we have come, so that the next start does not hear the same again."""
        if self._offset:
            try:
                # One update may come along; as it is never acknowledged, the next start hears it.
                await self._client.raw_updates(self._offset, 0, ALLOWED_UPDATES)
            except TelegramError as error:
                _log.warning("the last updates may be heard again: %s", explain(error))

    def _take(self, updates: list[Any]) -> None:
        offset = self._offset
        for update in updates:
            self._accept(update)
            number = update.get("update_id") if isinstance(update, dict) else None
            if isinstance(number, int):
                offset = max(offset, number + 1)
        if updates and offset == self._offset:
            # Nothing in the batch says where it stands: step over one place, or it would come back for ever.
            offset += 1
        self._offset = offset


def explain(error: TelegramError) -> str:
    """What is wrong, for the operator."""
    match error:
        case Conflict() if "webhook" in error.message:
            return "a webhook is set for this bot, so it cannot poll: remove one of the two"
        case Conflict():
            return "another program polls with the same token: stop it, or give each its own bot"
        case InvalidToken():
            return "Telegram refuses the token: copy it anew from @BotFather"
        case NetworkError():
            return f"no contact with Telegram: {error.message}"
        case _:
            return error.message


def backoff(error: TelegramError | FloodError, failures: int) -> float:
    """Seconds to wait after so many failures in a row: what Telegram asks, else 1, 2, 4 … 30."""
    match error:
        case RetryAfter():
            return seconds(error)
        case FloodError():
            return error.seconds
        case _:
            # The exponent is bounded too: a night without network is a thousand failures.
            return min(2.0 ** min(failures - 1, 10), LONGEST_BACKOFF)
