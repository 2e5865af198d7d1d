"""Work kept in order within a chat while different chats go on side by side."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

Job = Callable[[], Awaitable[None]]

log = logging.getLogger(__name__)


class Lanes:
    """One queue for each chat that has something to do; at most `room` jobs wait in all."""

    def __init__(self, room: int = 1000) -> None:
        self._room = asyncio.Semaphore(room)
        self._jobs: dict[str, deque[Job]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    async def put(self, lane: str, job: Job) -> None:
        """Add a job; waits while everything is full, which holds back the sender."""
        await self._room.acquire()
        if lane in self._jobs:
            self._jobs[lane].append(job)
            return
        self._jobs[lane] = deque([job])
        worker = asyncio.create_task(self._work(lane))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _work(self, lane: str) -> None:
        jobs = self._jobs[lane]
        try:
            while jobs:
                try:
                    await jobs[0]()
                except Exception:
                    log.exception("work for chat %s failed", lane)
                finally:
                    jobs.popleft()
                    self._room.release()
        finally:
            del self._jobs[lane]

    async def drain(self, patience: float) -> bool:
        """Wait until all jobs are done; False if that took longer than `patience` seconds."""
        if not self._workers:
            return True
        _, late = await asyncio.wait(self._workers, timeout=patience)
        return not late

    async def stop(self) -> None:
        """Give up what is not done."""
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
