"""One look at a board for everybody who watches it.

What is watched is a `Topic`: a function of a session that says what there is to see. While anybody watches, one task
per topic looks: soon after this process has committed something, and now and then for what other processes have.
Five hundred browsers on one board cost one look per change. Each sight is whole, so whoever was away for a while
misses nothing: a browser that comes back with the id of what it saw last hears only what is new.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core.errors import Unavailable
from core.reader import Reader
from web.visitors import visitor_of

LOOK_SECONDS = 0.2
"""How soon a look follows a commit of this process, at the earliest."""
ASK_SECONDS = 0.4
"""How often a topic is looked at for the commits of other processes."""
COST, LONGEST_PAUSE = 4, 5.0
"""A look that takes long is followed by a pause this many times as long, up to so many seconds."""
KEEP_ALIVE_SECONDS = 15.0
KEPT = 256
"""Topics remembered that nobody watches any more."""
MOST_WATCHERS = 4000
"""Streams one process holds open; a browser that finds no room asks again by itself."""
RESERVED = 200
"""Of these for whoever is signed in: however many strangers watch a shared board, the brand's own screen has room."""
MOST_OF_ONE = 200
"""Of these for one visitor's address, strangers and signed-in people counted apart: nobody takes everybody's room."""
RETRY_MILLISECONDS = 1000
EVENTS = "text/event-stream"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look saw. `body`: as it is sent, one line; None where there is nothing to see any more. `basis`: what the
    next look may compare with."""

    body: str | None
    basis: Any = None

    @property
    def id(self) -> str:
        """The same for the same body, in every process."""
        return hashlib.blake2b((self.body or "").encode(), digest_size=9).hexdigest()


@dataclass(frozen=True, slots=True)
class Topic:
    """Something to watch. `look(session, last)` may give `last` back where nothing has changed since."""

    key: Hashable
    look: Callable[[Session, Sight | None], Sight]


@dataclass(slots=True, eq=False)
class _Channel:
    topic: Topic
    last: Sight | None = None
    frame: str = ""
    looked: float = float("-inf")
    commits: int = -1
    took: float = 0.0
    watchers: int = 0
    turned: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    task: asyncio.Task[None] | None = None


Still = Callable[[], Awaitable[bool]]
Visitor = tuple[str, bool]
"""(address, whether they are a stranger)"""


async def _always() -> bool:
    return True


class Hub:
    """All that is watched in this process. `commits`: how many commits it has made so far."""

    def __init__(self, reader: Reader, commits: Callable[[], int], stopping: Callable[[], bool]) -> None:
        self._reader = reader
        self._commits = commits
        self._stopping = stopping
        self._channels: OrderedDict[Hashable, _Channel] = OrderedDict()
        self._held: Counter[Visitor] = Counter()
        self.watchers = 0
        self.looks = 0

    async def now(self, topic: Topic) -> Sight:
        """What there is to see, seen after everything this process has committed."""
        channel = self._channel(topic)
        asked = self._commits()
        async with channel.lock:  # whoever waited here comes away with the look of the one before
            fresh = time.monotonic() - channel.looked < ASK_SECONDS
            if channel.last is None or not fresh or channel.commits < asked:
                await self._look(channel)
        assert channel.last is not None
        return channel.last

    def stream(self, request: Request, topic: Topic, still: Still = _always) -> Response:
        """The topic as server-sent events. `still`: whether who watches may, asked now and then; without it they are
        a stranger.

        What the browser saw last it says by itself when it comes back; `?seen=` says it for a page that has drawn
        the board already. Raises `Unavailable("boards_full")`, and `HTTPException(429)` for one visitor's too many.
        """
        who = (visitor_of(request), still is _always)
        if self.watchers >= MOST_WATCHERS - (RESERVED if still is _always else 0):
            raise Unavailable("boards_full")
        if self._held[who] >= MOST_OF_ONE:
            raise HTTPException(429, headers={"Retry-After": str(int(KEEP_ALIVE_SECONDS))})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if request.method == "HEAD":
            return Response(headers=headers, media_type=EVENTS)
        seen = request.headers.get("last-event-id") or request.query_params.get("seen")
        return StreamingResponse(self.follow(topic, seen, still, who), media_type=EVENTS, headers=headers)

    async def follow(
        self, topic: Topic, last_id: str | None = None, still: Still = _always, who: Visitor = ("", True)
    ) -> AsyncIterator[str]:
        """The events of a stream, until the topic ends, the server stops or the watcher may no longer."""
        channel = self._channel(topic)
        channel.watchers += 1
        self.watchers += 1
        self._held[who] += 1
        sent, asked = last_id, time.monotonic()
        try:
            yield f"retry: {RETRY_MILLISECONDS}\n\n"
            await self.now(topic)
            while not self._stopping():
                turned, sight = channel.turned, channel.last
                assert sight is not None
                if sight.body is None:
                    yield "event: over\ndata: \n\n"
                    return
                if sight.id != sent:
                    sent = sight.id
                    yield channel.frame
                self._keep_looking(channel)
                quiet = False
                try:
                    await asyncio.wait_for(turned.wait(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    quiet = True
                if time.monotonic() - asked >= KEEP_ALIVE_SECONDS:
                    asked = time.monotonic()
                    if not await still():
                        return
                if quiet:
                    yield ": still here\n\n"
        finally:
            channel.watchers -= 1
            self.watchers -= 1
            self._held[who] -= 1
            self._held += Counter()  # whoever holds none is forgotten

    def _channel(self, topic: Topic) -> _Channel:
        found = self._channels.get(topic.key)
        if found is None:
            found = self._channels[topic.key] = _Channel(topic)
            idle = [key for key, one in self._channels.items() if not one.watchers and one is not found]
            for key in idle[: max(0, len(self._channels) - KEPT)]:
                del self._channels[key]
        self._channels.move_to_end(topic.key)
        return found

    def _keep_looking(self, channel: _Channel) -> None:
        if channel.task is None or channel.task.done():
            channel.task = asyncio.create_task(self._watch(channel), name="board")

    async def _watch(self, channel: _Channel) -> None:
        while channel.watchers and not self._stopping():
            await asyncio.sleep(max(LOOK_SECONDS, min(COST * channel.took, LONGEST_PAUSE)))
            due = time.monotonic() - channel.looked >= ASK_SECONDS
            if self._commits() != channel.commits or due:
                async with channel.lock:
                    try:
                        await self._look(channel)
                    except Exception as error:
                        # A database that is away for a moment must not end what people watch.
                        log.warning("board.look_failed", error=repr(error)[:300])
                        channel.looked = time.monotonic()
        self._turn(channel)

    async def _look(self, channel: _Channel) -> None:
        commits, began = self._commits(), time.monotonic()
        last = channel.last
        sight = await self._reader.run(lambda session: channel.topic.look(session, last))
        self.looks += 1
        channel.commits, channel.looked = commits, time.monotonic()
        channel.took = channel.looked - began
        channel.last = sight
        if last is None or sight.body != last.body:
            channel.frame = f"id: {sight.id}\ndata: {sight.body}\n\n"
            self._turn(channel)

    def _turn(self, channel: _Channel) -> None:
        turned, channel.turned = channel.turned, asyncio.Event()
        turned.set()
