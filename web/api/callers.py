"""Who calls: the bearer key of a request, what it may do, and how often."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import limits
from fastapi import Request, Response
from starlette.exceptions import HTTPException

from core import clock
from core.errors import NotAllowed
from core.reader import Reader
from core.writer import Writer
from referral.api_keys import USED_EVERY, Holder, digest_of, holder_of, note_use

FRESH_SECONDS = 5.0
"""How long a key is believed without asking the database again: a revoked one closes everywhere after this."""
KNOWN_KEYS = 10_000
BEARER = "bearer "
COUNTED = "daixin.counted"
"""Where a request carries the headers it was given when it was counted, if it has been."""


@dataclass(slots=True)
class Window:
    """What each key has asked in the present window; all windows begin together and are forgotten together.

    Our own, since counting with `limits` was a third of what answering an order costs, and its storage in memory keeps
    starting threads.
    """

    _number: int = -1
    _spent: dict[UUID, int] = field(default_factory=dict)

    def spend(self, key: UUID, cost: int, length: int) -> tuple[int, int]:
        """What the key has asked by now, with this, and in how many seconds (1 to `length`) the next window begins."""
        number, into = divmod(time.time(), length)
        if number != self._number:
            self._number, self._spent = int(number), {}
        spent = self._spent[key] = self._spent.get(key, 0) + cost
        return spent, math.ceil(length - into)


@dataclass(slots=True)
class Callers:
    """Looks up keys, and counts what each asks. `rate`: as `limits` reads it, such as `1000 per 10 second`."""

    reader: Reader
    writer: Writer
    rate: str
    _known: OrderedDict[str, tuple[float, Holder | None]] = field(default_factory=OrderedDict)
    _item: limits.RateLimitItem = field(init=False)
    _policy: str = field(init=False)
    _window: Window = field(default_factory=Window)

    def __post_init__(self) -> None:
        self._item = limits.parse(self.rate)
        self._policy = f'"key";q={self._item.amount};w={self._item.get_expiry()}'

    async def known(self, said: str) -> Holder | None:
        """Whose key this header carries, if it opens anything."""
        digest = _digest(said)
        until, found = self._known.get(digest, (0.0, None))
        if digest and until < time.monotonic():
            found = await self._look_up(digest)
        opens = found is not None and (found.expires_at is None or found.expires_at > clock.now())
        return found if opens else None

    async def holder(self, request: Request) -> Holder:
        """Whose key the request carries. Raises `HTTPException(401)`."""
        said = request.headers.get("authorization", "")
        found = await self.known(said)
        if found is None:
            problem = ', error="invalid_token"' if said else ""
            raise HTTPException(401, headers={"WWW-Authenticate": f'Bearer realm="daixin"{problem}'})
        return found

    async def _look_up(self, digest: str) -> Holder | None:
        found = await self.reader.run(lambda session: holder_of(session, digest))
        self._known[digest] = (time.monotonic() + FRESH_SECONDS, found)
        self._known.move_to_end(digest)
        if len(self._known) > KNOWN_KEYS:
            self._known.popitem(last=False)
        if found is not None and (found.used_at is None or found.used_at + USED_EVERY <= clock.now()):
            await self.writer.run(lambda session: note_use(session, found))
        return found

    def count(self, holder: Holder, cost: int = 1) -> dict[str, str]:
        """Take `cost` from what the key may still ask; headers that say what is left. Raises `TooMany`."""
        spent, wait = self._window.spend(holder.key_id, cost, self._item.get_expiry())
        left = max(0, self._item.amount - spent)
        headers = {"RateLimit-Policy": self._policy, "RateLimit": f'"key";r={left};t={wait}'}
        if spent > self._item.amount:
            raise TooMany(429, headers={**headers, "Retry-After": str(wait)})
        return headers


class TooMany(HTTPException):
    """The key has asked too often; `Retry-After` says how many seconds to wait."""


def _digest(said: str) -> str:
    return digest_of(said[len(BEARER) :].strip()) if said[: len(BEARER)].lower() == BEARER else ""


def allowed(callers: Callers, scope: str) -> Callable[[Request, Response], Awaitable[UUID]]:
    """A dependency: the brand whose key may do this. Raises `NotAllowed("key_may_not")`, and what `Callers` raises."""

    async def brand_of(request: Request, response: Response) -> UUID:
        holder = await callers.holder(request)
        response.headers.update(request.scope.get(COUNTED) or callers.count(holder))
        if scope not in holder.scopes:
            raise NotAllowed("key_may_not", scope=scope)
        return holder.brand_id

    return brand_of
