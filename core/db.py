"""The database: engines, the types that keep time and identity, and set-based inserts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnDefault,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Table,
    TypeDecorator,
    Uuid,
    and_,
    any_,
    bindparam,
    create_engine,
    event,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm.util import identity_key
from sqlalchemy.pool import QueuePool
from sqlmodel import Field, Session, SQLModel

from core import ahead, ids
from core.arrays import KINDS, Packed, PackedArray, PackedDumper, pack
from core.documents import write_json
from core.lists import of_keys, parameters, varying

T = TypeVar("T")
LARGEST_PIECE, PIECE = 64, 16
"""Rows of one INSERT on SQLite, far below its 32,766 parameters: a multiple of the second, or fewer than that."""
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata
Json = JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. Refuses naive datetimes on the way in; always aware on the way out (SQLite forgets)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _write_moment if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _read_moment if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return value.astimezone(UTC)


def _write_moment(value: datetime | None) -> str | None:
    """The same text SQLAlchemy keeps on SQLite, sooner: a click, which has two, is stored in a twelfth less time."""
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:-6]


def _read_moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


class Row(SQLModel):
    """Base of every table."""


class TenantRow(Row):
    """A row of one brand: `brand_id` comes first in its key, so that brands can be spread over machines."""

    brand_id: UUID = Field(primary_key=True)
    id: UUID = Field(default_factory=ids.new, primary_key=True)


def table(model: type[SQLModel]) -> Table:
    """The Core table of a model, for set-based statements."""
    found: Table = model.__table__  # type: ignore[attr-defined]  # SQLModel adds it at run time
    return found


def is_sqlite(url: str | URL) -> bool:
    """Whether this database is the embedded one."""
    return make_url(url).get_backend_name() == "sqlite"


def make_engine(url: str, *, writer: bool) -> Engine:
    """An engine for the writer (one connection, `BEGIN IMMEDIATE`) or for reading (a small pool, read-only)."""
    if is_sqlite(url):
        engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=1 if writer else 8,
            max_overflow=0,
            # The writer ends every transaction itself; a rollback more at each return is only a cost.
            pool_reset_on_return=None if writer else "rollback",
            connect_args={"timeout": 30},
            hide_parameters=True,
            json_serializer=write_json,
        )
        engine.dialect.colspecs = {**engine.dialect.colspecs, Uuid: ids.TextUuid}
        _configure_sqlite(engine, writer)
        return engine
    options: dict[str, Any] = {"pool_size": 1, "max_overflow": 2} if writer else {"pool_size": 8}
    options["json_serializer"] = write_json
    if not writer:
        options["execution_options"] = {"postgresql_readonly": True}
    # What a statement that failed was about would stand in logs: names, accounts, addresses.
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, **options)
    event.listen(engine, "connect", lambda raw, _: raw.adapters.register_dumper(Packed, PackedDumper))
    if writer:
        ahead.allow(engine)
    return engine


def _configure_sqlite(engine: Engine, writer: bool) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        # KiB for each connection, of which readers have several.
        cursor.execute(f"PRAGMA cache_size={-65536 if writer else -32768}")
        # 32 MB of log: the pages that every commit touches are copied into the file far less often.
        cursor.execute("PRAGMA wal_autocheckpoint=8000")
        if not writer:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _began(connection: Any) -> None:
        # Past SQLAlchemy's own execution, which would cost as much as the commit.
        connection.connection.dbapi_connection.execute("BEGIN IMMEDIATE" if writer else "BEGIN")


_CONNECTION = "connection"
"""Where a session's `info` has the connection that it goes over for all its life."""


def bind(session: Session) -> None:
    """Let `connection_of` have this session's connection at hand. For a session of one transaction."""
    session.info[_CONNECTION] = session.connection()


def connection_of(session: Session) -> Connection:
    """The session's connection: what goes over it needs no mapped object, and pays for none."""
    # To ask the session costs as much as a small statement; at a savepoint's beginning it is what makes it.
    at_hand: Connection | None = session.info.get(_CONNECTION)
    return session.connection() if at_hand is None or session.in_nested_transaction() else at_hand


def among(session: Session, column: Column[T], values: Collection[T]) -> ColumnElement[bool]:
    """Whether the column is one of many values; on PostgreSQL the statement's text does not depend on how many."""
    if session.get_bind().dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))
    return column.in_(values)


def among_keys(
    session: Session, columns: Sequence[Column[Any]], keys: Collection[Sequence[Any]]
) -> ColumnElement[bool]:
    """Whether the columns of a table together are one of many keys.

    PostgreSQL joins the keys as a table and so goes by the index of these columns from the first day on. Told a brand
    and a list, it would read all of the brand's rows until statistics say that a brand has many.
    """
    if not keys:
        return false()
    lists = [list(values) for values in zip(*keys, strict=True)]
    dialect = session.get_bind().dialect
    if dialect.name == "postgresql":
        arrays = [
            bindparam(None, values, type_=PackedArray(_kind(dialect, column.table, column.name)))
            for column, values in zip(columns, lists, strict=True)
        ]
        given = func.unnest(*arrays).table_valued(*(column.name for column in columns), name="given").render_derived()
        return and_(*(column == given.c[column.name] for column in columns))
    varies = varying(lists)
    values = parameters(lists, varies, as_kept(dialect, columns))
    return of_keys(columns, varies, [bindparam(None, value) for value in values])


def as_kept(dialect: Dialect, columns: Sequence[Column[Any]]) -> Callable[[int, Sequence[Any]], Sequence[Any]]:
    """What makes of values of the column at a place what the database keeps; for `core.lists.parameters`."""
    return lambda at, values: _prepared(dialect, columns[at].table, columns[at].name, values)


def insert(session: Session, into: Table) -> Any:
    """An INSERT of the session's own dialect, so that `on_conflict_…` is at hand."""
    return pg_insert(into) if session.get_bind().dialect.name == "postgresql" else sqlite_insert(into)


def insert_missing(session: Session, into: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> None:
    """Insert the rows whose `key` is not there yet, whichever they are."""
    if rows:
        _insert(connection_of(session), into, rows, f"ON CONFLICT ({_listed(key)}) DO NOTHING")


def insert_new(
    session: Session, into: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str], returning: Column[Any]
) -> set[Any]:
    """Insert the rows whose `key` is not there yet; the `returning` values of those that were inserted."""
    if not rows:
        return set()
    tail = f"ON CONFLICT ({_listed(key)}) DO NOTHING"
    connection = connection_of(session)
    if connection.dialect.name == "postgresql":
        text, values = _insert_arrays(connection, into, rows, f'{tail} RETURNING "{returning.name}"')
        return set(connection.exec_driver_sql(text, values).scalars().all())
    # All of them are new nearly always, and to be told how many were is cheaper than to be told which.
    connection.exec_driver_sql("SAVEPOINT insert_new")
    if _insert_pieces(connection, into, rows, tail) == len(rows):
        connection.exec_driver_sql("RELEASE insert_new")
        return {row[returning.name] for row in rows}
    connection.exec_driver_sql("ROLLBACK TO insert_new")
    connection.exec_driver_sql("RELEASE insert_new")
    statement = insert(session, into).on_conflict_do_nothing(index_elements=list(key)).returning(returning)
    return set(session.execute(statement, list(rows)).scalars())


def insert_all(session: Session, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows at once."""
    if rows:
        _insert(connection_of(session), into, rows, "")


def upsert(
    session: Session,
    into: Table,
    rows: Sequence[Mapping[str, Any]],
    key: Sequence[str],
    change: Sequence[str],
    add: Sequence[str] = (),
) -> None:
    """Insert rows of different keys; where a `key` is there already its columns `change` become the new row's, and
    the new row's columns `add` are added to its own."""
    if rows:
        changed = [f'"{name}" = excluded."{name}"' for name in change]
        added = [f'"{name}" = "{into.name}"."{name}" + excluded."{name}"' for name in add]
        changes = ", ".join([*changed, *added])
        _insert(connection_of(session), into, rows, f"ON CONFLICT ({_listed(key)}) DO UPDATE SET {changes}")


def update_each(session: Session, into: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> None:
    """Give the row of each `key` the values that stand beside it. Objects of the session do not notice."""
    if not rows:
        return
    connection = connection_of(session)
    names = tuple(name for name in rows[0] if name not in key)
    if connection.dialect.name == "postgresql":
        changes = ", ".join(f'"{name}" = given."{name}"' for name in names)
        where = " AND ".join(f'"{into.name}"."{name}" = given."{name}"' for name in key)
        source = _unnest(connection.dialect, into, (*names, *key))
        where = f"FROM {source} AS given({_listed((*names, *key))}) WHERE {where}"
    else:
        changes = ", ".join(f'"{name}" = ?' for name in names)
        where = "WHERE " + " AND ".join(f'"{name}" = ?' for name in key)
    columns = {name: [row[name] for row in rows] for name in (*names, *key)}
    text = " ".join(["UPDATE", f'"{into.name}"', "SET", changes, where])
    values = _values(connection, into, columns)
    if connection.dialect.name == "postgresql":
        ahead.send(connection, text, values)
    else:
        connection.exec_driver_sql(text, list(zip(*values, strict=True)))


def let_go(session: Session, model: type[SQLModel], keys: Iterable[Any]) -> None:
    """Whoever holds one of these rows as an object reads it anew: a set-based statement passed it by."""
    for key in keys:
        held = session.identity_map.get(identity_key(model, key))
        if held is not None:
            session.expire(held)


def _insert(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]], tail: str) -> None:
    if connection.dialect.name == "postgresql":
        ahead.send(connection, *_insert_arrays(connection, into, rows, tail))
    else:
        _insert_pieces(connection, into, rows, tail)


def _insert_arrays(
    connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]], tail: str
) -> tuple[str, tuple[Any, ...]]:
    """PostgreSQL: one statement with an array for each column, so its triggers run once and its text is the same
    for any number of rows."""
    columns = _columns(into, rows)
    source = " ".join(["SELECT * FROM", _unnest(connection.dialect, into, tuple(columns))])
    text = f'INSERT INTO "{into.name}" ({_listed(columns)}) {source} {tail}'
    return text, tuple(_values(connection, into, columns))


def _insert_pieces(connection: Connection, into: Table, rows: Sequence[Mapping[str, Any]], tail: str) -> int:
    """SQLite: statements of 64, 48, 32, or 16 and fewer rows; how many rows were inserted.

    The driver lets go of the interpreter for every statement, and gets it back only when the event loop pauses: one
    by one, a batch of clicks would wait for the loop as often as it has rows. Nineteen texts a table stay prepared.
    """
    columns = _columns(into, rows)
    given = list(zip(*_values(connection, into, columns), strict=True))
    inserted, at = 0, 0
    while at < len(given):
        left = min(len(given) - at, LARGEST_PIECE)
        size = left if left < PIECE else left - left % PIECE
        values = tuple(chain.from_iterable(given[at : at + size]))
        inserted += connection.exec_driver_sql(_insert_text(into, tuple(columns), size, tail), values).rowcount
        at += size
    return inserted


@lru_cache(maxsize=1024)
def _insert_text(into: Table, names: tuple[str, ...], size: int, tail: str) -> str:
    one = f"({', '.join('?' * len(names))})"
    return " ".join(["INSERT INTO", f'"{into.name}" ({_listed(names)})', "VALUES", ", ".join([one] * size), tail])


def _columns(into: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The rows by column. All have the columns of the first; what they leave out gets the model's default."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for column in into.columns:
        if column.name not in columns and isinstance(column.default, ColumnDefault):
            default = column.default
            columns[column.name] = [default.arg(None) if default.is_callable else default.arg for _ in rows]
    return columns


def _values(connection: Connection, into: Table, columns: dict[str, list[Any]]) -> list[Any]:
    """The columns as the driver wants them."""
    return [_prepared(connection.dialect, into, name, column) for name, column in columns.items()]


def _prepared(dialect: Dialect, into: Any, name: str, values: Sequence[Any]) -> Sequence[Any] | Packed:
    """PostgreSQL takes a column as one array, SQLite value by value.

    Rows written together have much in common, which is made ready once.
    """
    if dialect.name == "postgresql" and (kind := _kind(dialect, into, name)) in KINDS:
        return pack(kind, values)
    process = _processor(dialect, into, name)
    if process is None or not values:
        return values
    first = values[0]
    if all(value is first for value in values):
        return [process(first)] * len(values)
    if isinstance(into.c[name].type, UtcDateTime):
        known = {value: process(value) for value in set(values)}
        return [known[value] for value in values]
    return [process(value) for value in values]


@lru_cache(maxsize=1024)
def _processor(dialect: Dialect, into: Table, name: str) -> Callable[[Any], Any] | None:
    return into.c[name].type.dialect_impl(dialect).bind_processor(dialect)


@lru_cache(maxsize=1024)
def _unnest(dialect: Dialect, into: Table, names: tuple[str, ...]) -> str:
    return f"unnest({', '.join(f'%b::{_kind(dialect, into, name)}[]' for name in names)})"


@lru_cache(maxsize=1024)
def _kind(dialect: Dialect, into: Table, name: str) -> str:
    return into.c[name].type.compile(dialect)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
