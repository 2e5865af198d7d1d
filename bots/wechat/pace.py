"""Keeps the account below the rates at which WeChat restricts it."""

from __future__ import annotations

from bisect import insort
from collections.abc import Awaitable, Callable
from math import inf

MINUTE = 60.0
ROUNDING = 0.001
"""Two moments this close to a minute apart are a minute apart, whatever the last digits of the floats say."""


class Pace:
    """Gives every message its moment: `per_second` in one chat, `per_minute` in all, first come first served."""

    def __init__(
        self,
        per_second: float,
        per_minute: int,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        self._gap = 1 / per_second
        self._per_minute = per_minute
        self._clock = clock
        self._sleep = sleep
        self._moments: list[float] = []
        self._next: dict[str, float] = {}
        self._latest = -inf
        self._held = -inf

    def wait(self, chat: str) -> float:
        """Seconds a message to this chat would have to wait now."""
        return max(0.0, self._moment(chat) - self._clock())

    async def turn(self, chat: str) -> None:
        """Take the next free moment of the chat and wait for it."""
        moment = self._moment(chat)
        insort(self._moments, moment)
        self._next[chat] = moment + self._gap
        delay = moment - self._clock()
        if delay > 0:
            await self._sleep(delay)

    def hold(self, seconds: float) -> None:
        """Say nothing to anybody for a while: WeChat has had enough of the account."""
        self._held = max(self._held, self._clock() + seconds)

    def _moment(self, chat: str) -> float:
        now = self._clock()
        if now < self._latest:  # the clock was set back: old moments would block for hours
            self._moments.clear()
            self._next.clear()
            self._held = -inf
        self._latest = now
        self._next = {chat: free for chat, free in self._next.items() if free > now}
        self._moments = [taken for taken in self._moments if taken > now - MINUTE]
        moment = max(now, self._held, self._next.get(chat, now))
        while (
            len(near := [taken for taken in self._moments if abs(taken - moment) < MINUTE - ROUNDING])
            >= self._per_minute
        ):
            moment = near[0] + MINUTE
        return moment
