"""What a check says, and how both databases write identifiers and moments in a statement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, String, cast, func, literal, type_coerce
from sqlmodel import Session

AT_ONCE = 2000
"""Rows read at once; what bounds the memory."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that does not fit. `kind` says in one word what is wrong, `detail` with which numbers."""

    kind: str
    table: str
    row_id: str
    detail: str


def is_lite(session: Session) -> bool:
    """Whether identifiers are 32 hexadecimal digits here (SQLite)."""
    return session.get_bind().dialect.name == "sqlite"


def stream(session: Session, statement: Select[Any]) -> Iterator[Row[Any]]:
    """The rows, never many of them in memory."""
    return iter(session.execute(statement.execution_options(yield_per=AT_ONCE)))


def raw(session: Session, column: ColumnElement[Any]) -> ColumnElement[str]:
    """An identifier as text without turning it into an object, as this database writes it."""
    return type_coerce(column, String) if is_lite(session) else cast(column, String)


def raw_moment(session: Session, column: ColumnElement[Any]) -> ColumnElement[str]:
    """A moment as text: SQLite's own, which lacks the T and the Z, or PostgreSQL's whole."""
    if is_lite(session):
        return type_coerce(column, String)
    return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')


def named(session: Session, column: ColumnElement[Any]) -> ColumnElement[str]:
    """An identifier as references write it: with dashes."""
    text = raw(session, column)
    if not is_lite(session):
        return text
    parts = [func.substr(text, begin, length) for begin, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))]
    dash = literal("-", String)
    return parts[0] + dash + parts[1] + dash + parts[2] + dash + parts[3] + dash + parts[4]


def as_raw(session: Session, reference: ColumnElement[str]) -> ColumnElement[str]:
    """The identifier in a reference as `raw` gives it, so that it finds its row by the key's index."""
    # Without the cast it would have no affinity, and SQLite would join by no index.
    return cast(func.replace(reference, "-", ""), String) if is_lite(session) else reference


def dashed(text: str) -> str:
    """`raw` text as references write it."""
    if len(text) != 32:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
