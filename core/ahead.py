"""PostgreSQL: a statement nobody asks for an answer is sent, and not waited for.

The server works on it while Python goes on. The driver's pipeline, opened by the first such statement, ends before the
next one that wants an answer, at the latest before the commit or the end of the savepoint: a statement that failed
raises there what SQLAlchemy would have raised.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

_OPEN = "pipeline"
"""Where a connection's `info` has its open pipeline."""


def allow(engine: Engine) -> None:
    """Let the connections of this engine send ahead."""
    event.listen(engine, "before_cursor_execute", lambda connection, *_: _end(connection))
    event.listen(engine, "commit", _end)
    event.listen(engine, "rollback", _drop)
    event.listen(engine, "rollback_savepoint", lambda connection, *_: _drop(connection))


@event.listens_for(Session, "before_commit")
def _settle(session: Session) -> None:
    # Also at the end of a savepoint, which SQLAlchemy takes back for what is raised here, not for a failed RELEASE.
    if session.in_transaction():
        _end(session.connection())


def send(connection: Connection, text: str, values: Sequence[Any]) -> None:
    """Let the server begin with this statement; what is wrong with it is raised by the next one, or by the commit.

    `core.tenants` does not see it: that holds what only reads.
    """
    raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    if _OPEN not in connection.info:
        pipeline = connection.info[_OPEN] = raw.pipeline()
        pipeline.__enter__()
    raw.execute(text.encode(), values)


def _end(connection: Connection) -> None:
    """Wait for what was sent."""
    pipeline = connection.info.pop(_OPEN, None)
    if pipeline is None:
        return
    try:
        pipeline.__exit__(None, None, None)
    except psycopg.Error as error:
        raise DBAPIError.instance(
            "(sent ahead)", None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


def _drop(connection: Connection) -> None:
    """Let be what was sent: all of it is rolled back."""
    with contextlib.suppress(DBAPIError):
        _end(connection)
