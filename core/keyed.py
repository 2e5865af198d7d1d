"""Statements that are asked again and again for rows of many keys: built once, not each time they are asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, Column, CursorResult, Select, and_, bindparam, func, tuple_
from sqlalchemy.dialects import postgresql
from sqlmodel import Session

from core.arrays import PackedArray

_POSTGRES = postgresql.dialect()  # type: ignore[no-untyped-call]  # theirs


class Keyed:
    """`statement`, narrowed to the rows whose `columns` together are one of many keys; as `core.db.among_keys`, which
    says why each database is asked in its own way. Nothing is flushed before it is asked."""

    def __init__(self, statement: Select[Any], *columns: Column[Any]) -> None:
        self._statement = statement
        self._columns = columns
        self._names = [f"key_{number}" for number in range(len(columns))]

    def ask(self, session: Session, keys: Collection[Sequence[Any]], **values: Any) -> CursorResult[*tuple[Any, ...]]:
        """The rows of these keys, of which there must be one at least. `values`: the statement's other parameters."""
        connection = session.connection()
        lists = list(zip(*keys, strict=True))
        if connection.dialect.name == "postgresql":
            return connection.execute(self._arrays, values | dict(zip(self._names, lists, strict=True)))
        distinct = [list(dict.fromkeys(column)) for column in lists]
        if sum(len(column) > 1 for column in distinct) <= 1:
            return connection.execute(self._lists, values | dict(zip(self._names, distinct, strict=True)))
        return connection.execute(self._tuples, values | {"keys": list(keys)})

    @cached_property
    def _arrays(self) -> Select[Any]:
        arrays = [
            bindparam(name, type_=PackedArray(column.type.compile(_POSTGRES)))
            for name, column in zip(self._names, self._columns, strict=True)
        ]
        names = [column.name for column in self._columns]
        given = func.unnest(*arrays).table_valued(*names, name="given").render_derived()
        return self._statement.where(and_(*(column == given.c[column.name] for column in self._columns)))

    @cached_property
    def _lists(self) -> Select[Any]:
        lists: list[BindParameter[Any]] = [bindparam(name, expanding=True) for name in self._names]
        return self._statement.where(and_(*(c.in_(given) for c, given in zip(self._columns, lists, strict=True))))

    @cached_property
    def _tuples(self) -> Select[Any]:
        return self._statement.where(tuple_(*self._columns).in_(bindparam("keys", expanding=True)))
