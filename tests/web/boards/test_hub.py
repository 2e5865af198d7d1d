"""However many watch, one look is enough; and whoever watches misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse

from core.db import make_engine
from core.errors import Unavailable
from core.events import Bus
from core.writer import Writer
from referral.brands import Brand, create_brand, find_brand
from tests.house import House, fresh_sqlite
from web.boards import hub as hubs
from web.boards.hub import Hub, Sight, Still, Topic


@dataclass
class Hall:
    """A house whose brand's name is watched. `drawn`: how often it was read; `trouble`: what the next looks meet."""

    house: House
    hub: Hub
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    looked: int = 0
    drawn: list[str] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    @property
    def topic(self) -> Topic:
        return Topic("name", self.look)

    def look(self, session: Session, last: Sight | None) -> Sight:
        self.looked += 1
        if self.trouble:
            raise self.trouble.pop()
        name = find_brand(session, "hall").name
        if last is not None and last.basis == name:
            return last
        self.drawn.append(name)
        return Sight(None if name == "gone" else name, name)

    def rename(self, name: str) -> None:
        self.house.do(lambda session: rename(session, name))


def rename(session: Session, name: str) -> None:
    brand: Brand = find_brand(session, "hall")
    brand.name = name
    session.add(brand)


@asynccontextmanager
async def hall(folder: Path) -> AsyncIterator[Hall]:
    house = House(fresh_sqlite(folder))
    house.do(lambda session: create_brand(session, "first", slug="hall"))
    stopping = asyncio.Event()
    made = Hall(house, Hub(house.reader, lambda: house.writer.counts.commits, stopping.is_set), stopping)
    try:
        async with asyncio.timeout(30):
            yield made
    finally:
        stopping.set()
        await asyncio.sleep(0.3)
        house.close()


async def heard(stream: AsyncIterator[str]) -> str:
    """What the next event of a stream says."""
    async for text in stream:
        if "data: " in text:
            return text.partition("data: ")[2].strip()
    return "(closed)"


async def test_fifty_watchers_cost_one_look_for_each_change(tmp_path: Path) -> None:
    async with hall(tmp_path) as made:
        streams = [made.hub.follow(made.topic) for _ in range(50)]
        assert await asyncio.gather(*map(heard, streams)) == ["first"] * 50
        assert made.looked == 1, "fifty who come at once wait for one look"
        for name in ("second", "third"):
            made.rename(name)
            assert await asyncio.gather(*map(heard, streams)) == [name] * 50
        assert made.drawn == ["first", "second", "third"]
        assert made.hub.watchers == 50
        await asyncio.gather(*(stream.aclose() for stream in streams))  # type: ignore[attr-defined]
        assert made.hub.watchers == 0


async def test_what_another_process_commits_is_seen_too(tmp_path: Path) -> None:
    async with hall(tmp_path) as made:
        stream = made.hub.follow(made.topic)
        assert await heard(stream) == "first"
        other = Writer(make_engine(made.house.url, writer=True), Bus()).start()
        other.run_sync(lambda session: rename(session, "from elsewhere"))
        other.close()
        assert await heard(stream) == "from elsewhere"


async def test_nobody_looks_when_nobody_watches(tmp_path: Path) -> None:
    async with hall(tmp_path) as made:
        stream = made.hub.follow(made.topic)
        assert await heard(stream) == "first"
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(hubs.ASK_SECONDS)
        looked = made.looked
        made.rename("second")
        await asyncio.sleep(3 * hubs.ASK_SECONDS)
        assert made.looked == looked
        assert (await made.hub.now(made.topic)).body == "second"


async def test_whoever_comes_back_hears_only_what_is_new(tmp_path: Path) -> None:
    async with hall(tmp_path) as made:
        seen = (await made.hub.now(made.topic)).id
        assert seen == Sight("first").id, "the same in every process"
        stream = made.hub.follow(made.topic, seen)
        waiting = asyncio.create_task(heard(stream))
        await asyncio.sleep(2 * hubs.ASK_SECONDS)
        assert not waiting.done()
        made.rename("second")
        assert await waiting == "second"


async def test_a_database_that_is_away_for_a_moment_ends_nothing(tmp_path: Path) -> None:
    async with hall(tmp_path) as made:
        stream = made.hub.follow(made.topic)
        assert await heard(stream) == "first"
        made.trouble += [Unavailable("database_unavailable")] * 2
        made.rename("second")
        assert await heard(stream) == "second"


async def test_streams_end_with_what_they_show_with_the_right_to_see_it_and_with_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hubs, "KEEP_ALIVE_SECONDS", 0.2)
    async with hall(tmp_path) as made:

        async def not_any_more() -> bool:
            return False

        barred = made.hub.follow(made.topic, None, not_any_more)
        assert await heard(barred) == "first"
        assert await heard(barred) == "(closed)"

        shown = made.hub.follow(made.topic)
        assert await heard(shown) == "first"
        made.rename("gone")
        assert await heard(shown) == ""
        assert await heard(shown) == "(closed)"

        made.rename("back")
        kept = made.hub.follow(made.topic)
        assert await heard(kept) == "back"
        made.stopping.set()
        assert await heard(kept) == "(closed)"
        assert made.hub.watchers == 0


async def test_there_is_room_for_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MOST_WATCHERS", 2)
    monkeypatch.setattr(hubs, "RESERVED", 1)

    async def signed_in() -> bool:
        return True

    async with hall(tmp_path) as made:
        asked = Request({"type": "http", "method": "HEAD", "headers": []})
        streams = [made.hub.follow(made.topic) for _ in range(2)]
        assert await heard(streams[0]) == "first"
        with pytest.raises(Unavailable) as refused:
            made.hub.stream(asked, made.topic)
        assert refused.value.code == "boards_full"
        assert made.hub.stream(asked, made.topic, signed_in).status_code == 200, "strangers leave room for the brand"
        assert await heard(streams[1]) == "first"
        with pytest.raises(Unavailable):
            made.hub.stream(asked, made.topic, signed_in)


async def test_one_visitor_does_not_take_everybodys_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MOST_OF_ONE", 2)

    async def signed_in() -> bool:
        return True

    def from_(host: str) -> Request:
        return Request({"type": "http", "method": "GET", "headers": [], "query_string": b"", "client": (host, 5)})

    async with hall(tmp_path) as made:

        async def watch(host: str, still: Still = hubs._always) -> AsyncIterator[str]:
            """A stream that is listened to; `HTTPException` where there is no room."""
            response = made.hub.stream(from_(host), made.topic, still)
            assert isinstance(response, StreamingResponse)
            events = cast(AsyncIterator[str], response.body_iterator)
            assert await heard(events) == "first"
            return events

        open_ones = [await watch("2001:db8::1") for _ in range(2)]
        with pytest.raises(HTTPException) as refused:
            await watch("2001:db8::2")  # another address of the same household
        assert refused.value.status_code == 429
        assert int((refused.value.headers or {})["Retry-After"]) > 0
        for _ in range(2):
            await watch("2001:db8:0:1::1")
            await watch("2001:db8::1", signed_in)  # strangers leave the brand's own screen its room
        with pytest.raises(HTTPException):
            await watch("2001:db8::1", signed_in)

        await open_ones[0].aclose()  # type: ignore[attr-defined]
        await watch("2001:db8::1")
        made.stopping.set()


async def test_boards_nobody_watches_any_more_are_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "KEPT", 3)
    async with hall(tmp_path) as made:
        stream = made.hub.follow(made.topic)
        assert await heard(stream) == "first"
        for number in range(10):
            await made.hub.now(Topic(number, made.look))
        assert len(made.hub._channels) <= 4
        made.rename("second")
        assert await heard(stream) == "second", "the one that is watched is never let go"
