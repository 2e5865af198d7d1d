"""The writer: many units to a commit, each fails alone, and a result is told only when it is safe."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text
from sqlmodel import Session

from core.db import is_sqlite, make_engine
from core.errors import Unavailable
from core.events import Bus
from core.writer import Writer

LONG = 10.0


@pytest.fixture
def writer(database_url: str) -> Iterator[Writer]:
    """A writer over a table `note(body)` that takes a body once."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE note (body VARCHAR PRIMARY KEY)"))
    engine.dispose()
    made = Writer(make_engine(database_url, writer=True), Bus()).start()
    yield made
    made.close()


def put(body: str) -> Callable[[Session], str]:
    def unit(session: Session) -> str:
        session.execute(text("INSERT INTO note VALUES (:body)"), {"body": body})
        return body

    return unit


def put_all(session: Session, bodies: Sequence[str]) -> list[str]:
    for body in bodies:
        session.execute(text("INSERT INTO note VALUES (:body)"), {"body": body})
    return [f"{body} of {len(bodies)}" for body in bodies]


def notes(url: str) -> set[str]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = set(connection.execute(text("SELECT body FROM note")).scalars())
    engine.dispose()
    return found


class Held:
    """Keeps the writer busy, so that what is asked meanwhile waits together."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()

    def unit(self, session: Session) -> None:
        self.begun.set()
        assert self.go.wait(LONG)


async def together(writer: Writer, *asked: Awaitable[object]) -> list[object]:
    """The results (or errors) of these awaitables, which all wait at the same time."""
    held = Held()
    first = asyncio.ensure_future(writer.run(held.unit))
    await asyncio.to_thread(held.begun.wait, LONG)
    tasks = [asyncio.ensure_future(one) for one in asked]
    await asyncio.sleep(0)
    held.go.set()
    await first
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_units_that_wait_share_a_commit_and_one_fails_alone(writer: Writer, database_url: str) -> None:
    before = writer.counts.commits
    asked = [writer.run(put(body)) for body in ("a", "b", "a", "c")]
    results = await together(writer, *asked)
    assert [isinstance(result, Exception) for result in results] == [False, False, True, False]
    assert writer.counts.commits - before == 2  # the one that was held, and all of these
    assert notes(database_url) == {"a", "b", "c"}


async def test_commands_of_a_kind_go_to_their_batch_together(writer: Writer, database_url: str) -> None:
    results = await together(writer, *(writer.call(put_all, body) for body in "xyz"))
    assert results == ["x of 3", "y of 3", "z of 3"]
    assert notes(database_url) == {"x", "y", "z"}


async def test_a_batch_that_fails_is_run_one_by_one(writer: Writer, database_url: str) -> None:
    results = await together(writer, *(writer.call(put_all, body) for body in "xyx"))
    assert results[:2] == ["x of 1", "y of 1"]
    assert isinstance(results[2], Exception)
    assert notes(database_url) == {"x", "y"}


async def test_a_result_comes_after_the_commit(writer: Writer, database_url: str) -> None:
    await writer.run(put("a"))
    assert notes(database_url) == {"a"}


async def test_a_caller_who_gave_up_changes_nothing_for_the_others(writer: Writer, database_url: str) -> None:
    held = Held()
    first = asyncio.ensure_future(writer.run(held.unit))
    await asyncio.to_thread(held.begun.wait, LONG)
    gave_up = asyncio.ensure_future(writer.run(put("a")))
    stays = asyncio.ensure_future(writer.run(put("b")))
    await asyncio.sleep(0)
    gave_up.cancel()
    held.go.set()
    await first
    assert await stays == "b"
    assert notes(database_url) == {"a", "b"}


async def test_closing_finishes_what_was_accepted_and_refuses_the_rest(writer: Writer, database_url: str) -> None:
    held = Held()
    first = asyncio.ensure_future(writer.run(held.unit))
    await asyncio.to_thread(held.begun.wait, LONG)
    accepted = [asyncio.ensure_future(writer.run(put(body))) for body in "abc"]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(asyncio.to_thread(writer.close))
    held.go.set()
    await asyncio.gather(first, closing)
    assert await asyncio.gather(*accepted) == ["a", "b", "c"]
    with pytest.raises(Unavailable, match="stopping"):
        await writer.run(put("late"))
    assert notes(database_url) == {"a", "b", "c"}


async def test_a_full_disk_is_said_and_nothing_is_half_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'full.db'}"
    assert is_sqlite(url)
    engine = make_engine(url, writer=True)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count=8"))
    writer = Writer(engine, Bus()).start()
    create_table = "CREATE TABLE note (body VARCHAR PRIMARY KEY)"
    await writer.run(lambda session: session.execute(text(create_table)).rowcount)  # type: ignore[attr-defined]

    def too_much(session: Session) -> None:
        for number in range(100):
            session.execute(text("INSERT INTO note VALUES (:body)"), {"body": f"{number}" * 1000})

    with pytest.raises(Unavailable, match="storage_full"):
        await writer.run(too_much)
    assert await writer.run(put("small")) == "small"
    writer.close()
    assert notes(url) == {"small"}
