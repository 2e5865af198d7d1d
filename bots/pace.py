"""How fast a platform is written to unasked: what its limits leave after answers and news.

Adapters keep to their platform's limits themselves, first come first served; thousands of unasked messages in that
line would make somebody who waits for an answer wait for all of them. So unasked ones come one by one, at a rate that
is the platform's own, and let everything else go first.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence

from bots.adapter import OnIncoming
from bots.message import Incoming, Reply
from core.outbox import Claimed, Deliver, Parting

RATES = {
    "telegram": 30.0,  # its own limit for a bot, over all chats
    "discord": 10.0,  # of 50 requests a second; a private message takes two, and many at once look like spam
    "wechat": 40 / 60,  # what an account is known to bear
    "webchat": 200.0,  # our own database is the limit
}
"""Messages a second, over all chats. No chat gets two in one second: a person gets a few a week."""
SLOWEST = 1.0
"""For a platform that is not named above."""
SLACK = 4
"""Turns that may be made up for at once after a pause of the machine: so many more than the rate in one second."""


class Pace:
    """Turns on one platform. `clock` and `sleep` in seconds, so that tests and benches pass hours in no time."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._free_at = -math.inf
        self._first = asyncio.Lock()

    @property
    def at_once(self) -> int:
        """Messages to have in hand at a time: a second's worth, so that none is held long before its turn."""
        return max(1, math.ceil(self.per_second))

    async def turn(self) -> None:
        """Wait for the next free moment and take it; whoever asked first goes first."""
        async with self._first:
            while (wait := self._free_at - self._clock()) > 0:  # an answer may have moved it meanwhile
                await self._sleep(wait)
            self._take(1)

    def spent(self, messages: int) -> None:
        """Something else went out: unasked messages wait for as long as that takes."""
        self._take(messages)

    def hold(self, seconds: float) -> None:
        """The platform asks for a pause."""
        self._free_at = max(self._free_at, self._clock() + seconds)

    def _take(self, messages: int) -> None:
        earliest = self._clock() - SLACK / self.per_second
        self._free_at = max(self._free_at, earliest) + messages / self.per_second


def pace_of(platform: str) -> Pace:
    """The pace of a platform, by the real clock."""
    return Pace(RATES.get(platform, SLOWEST))


def noting(pace: Pace, hear: OnIncoming) -> OnIncoming:
    """`hear`, with its answers noted as spent."""

    async def heard(incoming: Incoming) -> Sequence[Reply]:
        replies = await hear(incoming)
        pace.spent(len(replies))
        return replies

    return heard


def spending(pace: Pace, deliver: Deliver) -> Deliver:
    """`deliver` of news that somebody waits for, noted as spent."""

    async def delivered(message: Claimed) -> Parting | None:
        pace.spent(1)
        return await deliver(message)

    return delivered


def seconds_for(by_platform: dict[str, int]) -> float:
    """How long so many messages take, each platform at its own pace and all at the same time."""
    return max((count / RATES.get(platform, SLOWEST) for platform, count in by_platform.items()), default=0.0)
