"""The database: engines, the types that keep time and identity, and set-based inserts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Table,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool
from sqlmodel import Field, Session, SQLModel

from core import ids

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
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


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
            url, poolclass=QueuePool, pool_size=1 if writer else 8, max_overflow=0, connect_args={"timeout": 30}
        )
        _configure_sqlite(engine, writer)
        return engine
    options: dict[str, Any] = {"pool_size": 1, "max_overflow": 2} if writer else {"pool_size": 8}
    if not writer:
        options["execution_options"] = {"postgresql_readonly": True}
    return create_engine(url, pool_pre_ping=True, **options)


def _configure_sqlite(engine: Engine, writer: bool) -> None:
    @event.listens_for(engine, "connect")
    def _connected(connection: Any, record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.execute("PRAGMA cache_size=-65536")
        if not writer:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _began(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")


def insert(session: Session, into: Table) -> Any:
    """An INSERT of the session's own dialect, so that `on_conflict_…` is at hand."""
    return pg_insert(into) if session.get_bind().dialect.name == "postgresql" else sqlite_insert(into)


def insert_new(
    session: Session, into: Table, rows: Sequence[Mapping[str, Any]], key: Sequence[str], returning: Column[Any]
) -> set[Any]:
    """Insert the rows whose `key` is not there yet; the `returning` values of those that were inserted."""
    if not rows:
        return set()
    statement = insert(session, into).on_conflict_do_nothing(index_elements=list(key)).returning(returning)
    return set(session.execute(statement, list(rows)).scalars())


def insert_all(session: Session, into: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows with few statements.

    PostgreSQL gets them as one multi-row statement (through RETURNING), so that statement triggers run once.
    """
    if not rows:
        return
    statement = insert(session, into)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(statement.returning(next(iter(into.primary_key))), list(rows)).all()
    else:
        session.execute(statement, list(rows))
