"""Tables on their way to a file: columns with a kind, rows that come one after another and are never all in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.money import Money

Cell = str | int | Money | datetime | None
Kind = Literal["text", "number", "amount", "moment"]


@dataclass(frozen=True, slots=True)
class Column:
    """`key`: the message `statement.column.<key>` is its heading, and JSON calls it by that name."""

    key: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table. `key`: the message `statement.sheet.<key>` is its title. `rows` may be read once."""

    key: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Book:
    """The sheets of one statement; moments are shown in `timezone`. The first sheet is what a CSV file holds unless
    another is asked for."""

    sheets: Sequence[Sheet]
    locale: str
    timezone: str
    zoned: bool = False
    """Whether the headings of moments name the zone."""

    def sheet(self, key: str) -> Sheet:
        """The sheet of this key. Raises `StopIteration` if there is none."""
        return next(sheet for sheet in self.sheets if sheet.key == key)


def amounts(*keys: str) -> dict[str, Kind]:
    """These columns, all of amounts, for `columns`."""
    return dict.fromkeys(keys, "amount")


def columns(**kinds: Kind) -> tuple[Column, ...]:
    """Columns by key and kind, in this order."""
    return tuple(Column(key, kind) for key, kind in kinds.items())
