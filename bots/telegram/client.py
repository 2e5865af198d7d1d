"""python-telegram-bot set up for us: raw updates, polite pace, a token that stays out of the logs."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError
from telegram.ext import AIORateLimiter, ExtBot
from telegram.request import HTTPXRequest

from bots.adapter import SendError
from bots.telegram.settings import TelegramSettings

FLOOD_RETRIES = 3
REMEMBERED_CHATS = 4096
TALKATIVE = ("httpx", "telegram.Bot", "telegram.ext.ExtBot")
"""The loggers that write the token; a filter on a logger does not reach those below it."""

POOL_PATIENCE = 60
"""Seconds a request waits for a free connection; the library's one second would drop answers under load."""


class FloodError(Exception):
    """Telegram asks for a longer wait than we sit out. Not a TelegramError, so that no retry catches it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Telegram asks to wait {seconds:g} s")
        self.seconds = seconds


class Pace(AIORateLimiter):
    """The library's limits (overall, per group), and one message per `chat_interval` seconds in a chat.

    A short flood wait is sat out and tried again; the library halts all requests meanwhile, so a long one raises
    `FloodError` at once instead.
    """

    def __init__(
        self,
        settings: TelegramSettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        super().__init__(
            overall_max_rate=settings.messages_per_second,
            group_max_rate=settings.group_messages_per_minute,
            max_retries=FLOOD_RETRIES,
        )
        self._lines = asyncio.Semaphore(settings.connections)
        self._interval = settings.chat_interval
        self._longest_wait = settings.longest_wait
        self._clock = clock
        self._sleep = sleep
        self._free_at: dict[int | str, float] = {}

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Make one request in its turn. Raises `FloodError`, and what the request raises."""
        if endpoint.startswith("send") and self._interval > 0:
            chat = data.get("chat_id")
            await self._turn(data["user_id"] if chat is None else chat)  # a gift goes to a user

        async def patient(*args: Any, **kwargs: Any) -> Any:
            try:
                # httpx looks at every waiting request whenever one is done, so the waiting is done out here.
                async with self._lines:
                    return await callback(*args, **kwargs)
            except RetryAfter as flood:
                if (wait := seconds(flood)) > self._longest_wait:
                    raise FloodError(wait) from flood
                raise

        return await super().process_request(patient, args, kwargs, endpoint, data, rate_limit_args)

    async def _turn(self, chat: int | str) -> None:
        now = self._clock()
        turn = max(now, self._free_at.get(chat, now))
        if len(self._free_at) >= REMEMBERED_CHATS:
            self._free_at = {chat: free for chat, free in self._free_at.items() if free > now}
        self._free_at[chat] = turn + self._interval
        if turn > now:
            await self._sleep(turn - now)


class Client(ExtBot[int]):
    """The bot of the library, with updates as they came over the wire."""

    async def raw_updates(self, offset: int, wait: int, allowed: tuple[str, ...]) -> list[Any]:
        """Up to 100 updates from `offset` on, which acknowledges all before it; waits up to `wait` seconds.

        The library's own `get_updates` parses a batch as a whole: one update it cannot read would come back for
        ever. Raises `TelegramError`.
        """
        asked = {"offset": offset, "timeout": wait, "allowed_updates": list(allowed)}
        updates = await self._post("getUpdates", asked, read_timeout=wait + 10)
        if not isinstance(updates, list):
            raise TelegramError("the answer to getUpdates is not a list")
        return updates


def make_client(settings: TelegramSettings) -> Client:
    """A client for one token, not connected yet; its token is kept out of the logs from here on."""
    hide_token(settings.token)
    base = settings.api_url.rstrip("/")
    request = HTTPXRequest(
        connection_pool_size=settings.connections, pool_timeout=POOL_PATIENCE, read_timeout=20, write_timeout=20
    )
    return Client(
        settings.token,
        base_url=f"{base}/bot",
        base_file_url=f"{base}/file/bot",
        request=request,
        get_updates_request=HTTPXRequest(connection_pool_size=1),
        rate_limiter=Pace(settings),
    )


class _Redact(logging.Filter):
    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def filter(self, record: logging.LogRecord) -> bool:
        if self.token in (message := record.getMessage()):
            record.msg, record.args = message.replace(self.token, "<token>"), ()
        return True


def hide_token(token: str) -> None:
    """Keep the token out of the log lines of httpx and of the library, which write the addresses they use."""
    for name in TALKATIVE:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _Redact) and known.token == token for known in logger.filters):
            logger.addFilter(_Redact(token))


def seconds(flood: RetryAfter) -> float:
    """How long Telegram wants us to wait."""
    wait = flood.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def as_send_error(error: TelegramError | FloodError) -> SendError:
    """What a failure of the library means for the caller.

    403 (blocked, never started, not in the chat) and 400 (no such chat, refused content) stay so whatever one
    repeats; a network failure leaves it open whether the message was sent.
    """
    match error:
        case FloodError():
            return SendError(str(error), retry_after=error.seconds)
        case RetryAfter():
            return SendError(error.message, retry_after=seconds(error))
        case Forbidden() | BadRequest() | ChatMigrated():
            return SendError(error.message, permanent=True)
        case _:
            return SendError(error.message)
