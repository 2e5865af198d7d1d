"""Jobs in order within a chat, side by side across chats."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]

_log = logging.getLogger(__name__)


class ChatQueues:
    """Runs every job it was given, even if others fail. A chat with nothing to do costs nothing."""

    def __init__(self, most: int = 10_000) -> None:
        self._waiting: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._most = most
        self._count = 0
        self._room = asyncio.Event()
        self._room.set()

    def put(self, chat: str, job: Job) -> None:
        """Take a job on; it runs after those put earlier for the same chat."""
        self._count += 1
        if self._count >= self._most:
            self._room.clear()
        waiting = self._waiting.get(chat)
        if waiting is not None:
            waiting.append(job)
            return
        self._waiting[chat] = deque([job])
        task = asyncio.create_task(self._work(chat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def room(self) -> None:
        """Wait until fewer than `most` jobs are waiting, so that a flood stays on Telegram's side."""
        await self._room.wait()

    async def drain(self) -> None:
        """Wait until every job is done."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self, chat: str) -> None:
        waiting = self._waiting[chat]
        while waiting:
            try:
                await waiting.popleft()()
            except Exception:
                _log.exception("handling an update failed in chat %s", chat)
            finally:
                self._count -= 1
                if self._count < self._most:
                    self._room.set()
        del self._waiting[chat]
