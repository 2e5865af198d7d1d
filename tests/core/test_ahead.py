"""Statements nobody waits for: what is wrong with one comes to light in its own unit of work, and stays there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table, create_engine, select, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from core.db import insert_all, insert_missing, make_engine, update_each, upsert
from core.events import Bus
from core.writer import Writer

NOTE = Table(
    "note",
    MetaData(),
    Column("body", String, primary_key=True),
    Column("times", Integer, CheckConstraint("times < 10")),
)


@pytest.fixture
def writer(database_url: str) -> Iterator[Writer]:
    engine = create_engine(database_url)
    NOTE.metadata.create_all(engine)
    engine.dispose()
    made = Writer(make_engine(database_url, writer=True), Bus()).start()
    yield made
    made.close()


def add(body: str, times: int = 1) -> Callable[[Session], str]:
    def unit(session: Session) -> str:
        insert_all(session, NOTE, [{"body": body, "times": times}])
        return body

    return unit


def notes(session: Session) -> dict[str, int]:
    return {note.body: note.times for note in session.execute(select(NOTE))}


def test_what_follows_sees_what_was_sent(writer: Writer) -> None:
    def unit(session: Session) -> dict[str, int]:
        insert_all(session, NOTE, [{"body": "a", "times": 1}, {"body": "b", "times": 2}])
        update_each(session, NOTE, [{"body": "b", "times": 3}], ["body"])
        upsert(session, NOTE, [{"body": "a", "times": 4}, {"body": "c", "times": 5}], ["body"], [], add=["times"])
        insert_missing(session, NOTE, [{"body": "c", "times": 9}, {"body": "d", "times": 6}], ["body"])
        return notes(session)

    expected = {"a": 5, "b": 3, "c": 5, "d": 6}
    assert writer.run_sync(unit) == expected
    assert writer.run_sync(notes) == expected


@pytest.mark.parametrize("asked", [False, True], ids=["at the commit", "at the next statement"])
def test_one_that_fails_undoes_its_unit(writer: Writer, asked: bool) -> None:
    def unit(session: Session) -> None:
        insert_all(session, NOTE, [{"body": "a", "times": 1}])
        insert_all(session, NOTE, [{"body": "b", "times": 10}])
        if asked:
            notes(session)

    with pytest.raises(IntegrityError, match=r"(?i)check"):
        writer.run_sync(unit)
    assert writer.run_sync(notes) == {}
    writer.run_sync(add("c"))
    assert writer.run_sync(notes) == {"c": 1}


def test_a_unit_that_gives_up_says_its_own_reason(writer: Writer) -> None:
    def unit(session: Session) -> None:
        insert_all(session, NOTE, [{"body": "a", "times": 10}] if writer_is_postgres(session) else [])
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        writer.run_sync(unit)
    assert writer.run_sync(notes) == {}


def writer_is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


async def test_of_units_that_share_a_commit_one_fails_alone(writer: Writer) -> None:
    units = [add("a"), add("b", 10), add("a", 2), add("c")]
    found = await asyncio.gather(*(writer.run(unit) for unit in units), return_exceptions=True)
    assert [found[0], found[3]] == ["a", "c"]
    assert isinstance(found[1], IntegrityError)
    assert isinstance(found[2], IntegrityError)
    assert await writer.run(notes) == {"a": 1, "c": 1}
    assert writer.counts.commits == 2, "they shared one"


def test_a_connection_that_is_lost_meanwhile_is_another_try(writer: Writer, postgres_url: str) -> None:
    made = Writer(make_engine(postgres_url, writer=True), Bus()).start()
    engine = create_engine(postgres_url)
    NOTE.metadata.create_all(engine)
    tries: list[int] = []

    def unit(session: Session) -> None:
        tries.append(session.scalar(text("SELECT pg_backend_pid()")) or 0)
        insert_all(session, NOTE, [{"body": "a", "times": 1}])
        if len(tries) == 1:
            with engine.begin() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": tries[0]})

    try:
        made.run_sync(unit)
        assert made.run_sync(notes) == {"a": 1}
        assert len(set(tries)) == 2
    finally:
        made.close()
        engine.dispose()
