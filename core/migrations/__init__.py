"""Brings a database, SQLite or PostgreSQL, to the present schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from core.db import is_sqlite, metadata

LOCK = 0x6461_6978  # "daix"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config


def migrate(url: str) -> None:
    """Run the missing migrations. Two processes that start at once do it once: the second waits for the first."""
    with _alone(url) as connection:
        command.upgrade(_config(connection), "head")


@contextmanager
def _alone(url: str) -> Iterator[Connection]:
    """A connection whose transaction nobody else migrates beside."""
    if is_sqlite(url):
        path = create_engine(url).url.database
        if path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        if is_sqlite(url):
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.isolation_level = None
            connection.exec_driver_sql("PRAGMA busy_timeout=60000")
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        yield connection
        if is_sqlite(url):
            connection.exec_driver_sql("COMMIT")
        else:
            connection.commit()


def revision_of(engine: Engine) -> str | None:
    """Which migration the database is at; None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest migration this program knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


def drift(engine: Engine) -> list[object]:
    """How the database differs from the models: empty when there is no drift."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))
