"""What waits for the writer: handed over by each event loop once a turn, taken by the writer many at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import Generic, TypeVar

from core.errors import Unavailable

T = TypeVar("T")
Loop = asyncio.AbstractEventLoop

BUSY = 4
"""Callers answered at once from which on there are enough that waiting for them to ask again pays."""
TURNS = 6
"""Turns an event loop then needs at most: answers are written, sent, what is asked next is read, worked at and handed
over."""
GATHER = 0.001
"""Seconds that are given after them, as often as more of the callers have come."""
ROUND = 0.05
"""Seconds a loop has for all that; one that is held up longer is not waited for."""


class Inbox(Generic[T]):
    """A queue for one reader. Callers who all ask again when they are answered are taken together: fewer, fuller
    commits. A lone caller never waits.

    When there is enough to take, the loops decide: a reader that woke to look would take the interpreter from them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._gathered: dict[Loop, list[T]] = {}
        self._waiting: list[T] = []
        self._wanted = 1
        self._turning: set[Loop] = set()
        self._closed = False

    def put(self, item: T, loop: Loop | None) -> None:
        """Accept an item from a turn of this event loop, or from a thread without one. What one turn puts is handed
        over together: waking the writer for the first would make it commit that one alone while the others queue.

        Raises `Unavailable("stopping")` once closed."""
        with self._lock:
            if self._closed:
                raise Unavailable("stopping")
            if loop is None:
                self._hand_over([item])
            elif loop in self._gathered:
                self._gathered[loop].append(item)
            else:
                self._gathered[loop] = [item]
                loop.call_soon(self._turn_ends, loop)

    def take(self) -> list[T]:
        """The next items, `most` at most; none once closed and empty."""
        with self._lock:
            if self._turning:
                self._changed.wait_for(lambda: self._enough() or not self._turning, ROUND)
            self._wanted, self._turning = 1, set()
            self._changed.wait_for(self._enough)
            taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            return taken

    def answered(self, many: int, loops: Collection[Loop]) -> None:
        """What was taken is done, and so many callers in these loops are about to be told."""
        if many >= BUSY:
            with self._lock:
                self._wanted = min(len(self._waiting) + many, self._most)
                self._turning = set(loops)

    def turn(self, loop: Loop, left: int = TURNS) -> None:
        """In a loop, once its callers have been told: count its turns. Only the loop itself may do so: it may end as
        soon as they know."""
        if loop not in self._turning:
            return
        if left:
            loop.call_soon(self.turn, loop, left - 1)
        else:
            self._settle(loop, -1)

    def close(self) -> bool:
        """Accept no more, and hand over what was; whether it was open."""
        with self._lock:
            was_open, self._closed = not self._closed, True
            for items in self._gathered.values():
                self._waiting += items
            self._gathered.clear()
            self._changed.notify()
            return was_open

    def _settle(self, loop: Loop, before: int) -> None:
        """Let the writer take what is there, unless there is more of it than before."""
        with self._lock:
            there = len(self._waiting)
            if before < there < self._wanted:
                loop.call_later(GATHER, self._settle, loop, there)
                return
            self._turning.discard(loop)
            if not self._turning:
                self._changed.notify()

    def _turn_ends(self, loop: Loop) -> None:
        with self._lock:
            self._hand_over(self._gathered.pop(loop, []))  # none: `close` was faster

    def _hand_over(self, items: list[T]) -> None:
        self._waiting += items
        if self._enough():
            self._changed.notify()

    def _enough(self) -> bool:
        return len(self._waiting) >= self._wanted or self._closed
