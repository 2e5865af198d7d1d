"""Rows that go to the database as whole columns come back as they were, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text, Uuid, select
from sqlmodel import Session

from core import ids
from core.arrays import pack
from core.db import Json, UtcDateTime, among_keys, insert_all, insert_new, make_engine, update_each

THINGS = Table(
    "thing",
    MetaData(),
    Column("brand_id", Uuid(), primary_key=True),
    Column("id", Uuid(), primary_key=True),
    Column("parent", Uuid()),
    Column("name", String()),
    Column("story", Text()),
    Column("small", Integer()),
    Column("large", BigInteger()),
    Column("yes", Boolean()),
    Column("at", UtcDateTime()),
    Column("facts", Json),
)
BRAND, OTHER = ids.new(), ids.new()
FULL: dict[str, Any] = {
    "parent": BRAND,
    "name": "带新 “Zoë” 🎉 {a,b} \\N",
    "story": "",
    "small": -(2**31),
    "large": 2**63 - 1,
    "yes": True,
    "at": datetime(1969, 12, 31, 23, 59, 59, 999999, UTC),
    "facts": {"深": [1, None, {"é": "\u2028"}]},
}
EMPTY: dict[str, Any] = dict.fromkeys(FULL)
ELSEWHERE = datetime(2026, 3, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    engine = make_engine(database_url, writer=True)
    THINGS.metadata.create_all(engine)
    with Session(engine) as opened:
        yield opened
    engine.dispose()


def _row(brand: Any, **more: Any) -> dict[str, Any]:
    return {"brand_id": brand, "id": ids.new(), **more}


def test_every_kind_of_column_comes_back_as_it_was(session: Session) -> None:
    rows = [_row(BRAND, **FULL), _row(BRAND, **EMPTY), _row(OTHER, **FULL | {"yes": False, "at": ELSEWHERE})]
    insert_all(session, THINGS, rows)
    found = {row.id: row._asdict() for row in session.execute(select(THINGS))}
    assert [found[row["id"]] for row in rows] == rows


def test_a_column_of_one_value_comes_back_too(session: Session) -> None:
    rows = [_row(BRAND, **FULL) for _ in range(3)]
    insert_all(session, THINGS, rows)
    assert [row._asdict() for row in session.execute(select(THINGS).order_by(THINGS.c.id))] == rows


def test_what_is_there_already_is_not_inserted_again(session: Session) -> None:
    old, new = _row(BRAND, **FULL), _row(BRAND, **FULL)
    insert_all(session, THINGS, [old])
    assert insert_new(session, THINGS, [old, new], ["brand_id", "id"], returning=THINGS.c.id) == {new["id"]}


def test_each_row_is_updated_with_what_stands_beside_its_key(session: Session) -> None:
    rows = [_row(BRAND, **FULL), _row(BRAND, **FULL), _row(OTHER, **FULL)]
    insert_all(session, THINGS, rows)
    named = [{"brand_id": row["brand_id"], "id": row["id"], "small": n, "at": None} for n, row in enumerate(rows[1:])]
    update_each(session, THINGS, named, ["brand_id", "id"])
    found = {row.id: (row.small, row.at) for row in session.execute(select(THINGS))}
    assert found == {rows[0]["id"]: (FULL["small"], FULL["at"]), rows[1]["id"]: (0, None), rows[2]["id"]: (1, None)}


def test_rows_are_found_by_whole_keys_only(session: Session) -> None:
    rows = [_row(BRAND, **FULL), _row(BRAND, **FULL), _row(OTHER, **FULL)]
    insert_all(session, THINGS, rows)
    key = (THINGS.c.brand_id, THINGS.c.id)

    def found(*keys: tuple[Any, Any]) -> set[Any]:
        return set(session.execute(select(THINGS.c.id).where(among_keys(session, key, keys))).scalars())

    first, second, third = (row["id"] for row in rows)
    assert found((BRAND, first), (BRAND, second), (BRAND, third)) == {first, second}
    assert found((BRAND, first), (OTHER, second)) == {first}
    assert found((OTHER, third)) == {third}
    assert found() == set()


def test_a_moment_without_time_zone_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="time zone"):
        pack("TIMESTAMP WITH TIME ZONE", [datetime(2026, 1, 1)])  # noqa: DTZ001  # what is refused
    with pytest.raises(ValueError, match="time zone"):
        insert_all(session, THINGS, [_row(BRAND, **FULL | {"at": datetime(2026, 1, 1)})])  # noqa: DTZ001
