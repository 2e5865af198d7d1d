"""Engines of one kind share a dialect and its compiled statements: each test has a database of its own, and to compile
every statement anew for each took half of the run."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import Engine

from core import db

STATEMENTS = 5000
"""More than there are in all tests together."""
_first: dict[str, Engine] = {}


def share_compiled() -> None:
    """Let every engine made from now on use what the first of its kind has compiled."""

    def create_engine(url: Any, **options: Any) -> Engine:
        made: Engine = sqlalchemy.create_engine(url, query_cache_size=STATEMENTS, **options)
        first = _first.setdefault(made.dialect.name, made)
        # Once it has been connected a dialect knows all it asks a server for.
        if first is not made and getattr(first.dialect, "server_version_info", None):
            made.dialect, made.pool._dialect = first.dialect, first.dialect
            made._compiled_cache = first._compiled_cache
        return made

    db.create_engine = create_engine  # type: ignore[attr-defined]  # what it imports is not for others, but for this
