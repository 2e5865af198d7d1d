"""Keys of many rows as SQLite is given them: what varies as lists of JSON. (PostgreSQL is given arrays, `core.arrays`.)

A list of JSON is one parameter: the statement stays the same for any number of keys, and SQLite looks them up, where
for a long list of parameters it would rather read all rows of a brand. What all keys have in common, the brand above
all, is an equality.

SQLite keeps no statistics here. It would take a brand to have ten rows, and read all of them for the few that are asked
for wherever an index of the brand has them in the order that is wanted. So each part says what share of a table's rows
it lets through (https://sqlite.org/lang_corefunc.html#likelihood).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnElement, and_, func, literal_column, select, tuple_

from core.documents import write_json

MOST: ColumnElement[float] = literal_column("0.99")
FEW: ColumnElement[float] = literal_column("0.0001")
"""The share of a table's rows with what all keys have in common, and with what tells them apart."""


def varying(keys: Sequence[Sequence[Any]]) -> tuple[int, ...]:
    """Which columns of these keys (columns of one value at least) have more than one value."""
    return tuple(at for at, values in enumerate(keys) if any(v is not values[0] and v != values[0] for v in values))


def parameters(
    keys: Sequence[Sequence[Any]], varies: Sequence[int], write: Callable[[int, Sequence[Any]], Sequence[Any]]
) -> list[Any]:
    """What the parameters of `of_keys` are, in its order. `write`: makes of a column's values what SQLite keeps."""
    same = [values[0] for at, values in enumerate(keys) if at not in varies]
    if not varies:
        return same
    lists = [write(at, keys[at]) for at in varies]
    return [*same, write_json(list(zip(*lists, strict=True)) if len(lists) > 1 else list(dict.fromkeys(lists[0])))]


def of_keys(
    columns: Sequence[Column[Any]], varies: Sequence[int], given: Sequence[BindParameter[Any]]
) -> ColumnElement[bool]:
    """Whether the columns together are one of the keys. `given`: a parameter for each column that does not vary, then
    one for those that do."""
    same = [column for at, column in enumerate(columns) if at not in varies]
    parts = [
        func.likelihood(column == value, MOST if varies or column.name == "brand_id" else FEW)
        for column, value in zip(same, given, strict=False)
    ]
    if varies:
        value = func.json_each(given[-1]).table_valued("value").c.value
        lists = [columns[at] for at in varies]
        if len(lists) == 1:
            named = lists[0].in_(select(value))
        else:
            cells = (func.json_extract(value, f"$[{place}]") for place in range(len(lists)))
            named = tuple_(*lists).in_(select(*cells))
        parts.append(func.likelihood(named, FEW))
    return and_(*parts)
