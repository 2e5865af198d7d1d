"""Statements that are asked again and again for rows of many keys: built once, not each time they are asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Row, Select, and_, bindparam, func
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from core.arrays import PackedArray
from core.db import as_kept, connection_of
from core.lists import of_keys, parameters, varying

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]  # theirs


class Keyed:
    """`statement`, narrowed to the rows whose `columns` together are one of many keys; as `core.db.among_keys`, which
    says why each database is asked in its own way. Nothing is flushed before it is asked."""

    def __init__(self, statement: Select[Any], *columns: Column[Any]) -> None:
        self._statement = statement
        self._columns = columns
        self._shapes: dict[tuple[int, ...], Select[Any]] = {}
        self._names = [f"key_{number}" for number in range(len(columns))]

    def ask(self, session: Session, keys: Collection[Sequence[Any]], **values: Any) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of these keys. `values`: the statement's other parameters."""
        if not keys:
            return ()
        connection = connection_of(session)
        columns = list(zip(*keys, strict=True))
        if connection.dialect.name == "postgresql":
            return connection.execute(self._arrays, values | dict(zip(self._names, columns, strict=True))).all()
        varies = varying(columns)
        given = parameters(columns, varies, as_kept(connection.dialect, self._columns))
        return connection.execute(self._among(varies), values | dict(zip(self._names, given, strict=False))).all()

    def _among(self, varies: tuple[int, ...]) -> Select[Any]:
        if varies not in self._shapes:
            names = self._names[: len(self._columns) - len(varies) + bool(varies)]
            self._shapes[varies] = self._statement.where(of_keys(self._columns, varies, list(map(bindparam, names))))
        return self._shapes[varies]

    @cached_property
    def _arrays(self) -> Select[Any]:
        arrays = [
            bindparam(name, type_=PackedArray(column.type.compile(_POSTGRES)))
            for name, column in zip(self._names, self._columns, strict=True)
        ]
        names = [column.name for column in self._columns]
        given = func.unnest(*arrays).table_valued(*names, name="given").render_derived()
        return self._statement.where(and_(*(column == given.c[column.name] for column in self._columns)))
