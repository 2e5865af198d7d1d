"""How often somebody may do something: so many times in any minute."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime

MINUTE = 60.0
KEYS = 10_000


class Pace:
    """A sliding window per key; remembers at most `KEYS` keys, the longest unused are forgotten first."""

    def __init__(self, per_minute: int, now: Callable[[], datetime]) -> None:
        self._per_minute = per_minute
        self._now = now
        self._taken: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one turn. Returns 0.0 if there was one, else the seconds until the next (nothing is taken then)."""
        at = self._now().timestamp()
        taken = self._taken.setdefault(key, deque())
        self._taken.move_to_end(key)
        while len(self._taken) > KEYS:
            self._taken.popitem(last=False)
        while taken and taken[0] <= at - MINUTE:
            taken.popleft()
        if len(taken) >= self._per_minute:
            return taken[0] + MINUTE - at
        taken.append(at)
        return 0.0
