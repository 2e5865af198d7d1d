"""How an export reads its rows: a page at a time.

A page begins after the key the one before ended with, so no transaction stays open while a large file is written and
memory does not grow with the rows. What changes meanwhile is told as it was when its page was read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column as DbColumn
from sqlalchemy import Select, Table, func, select
from sqlmodel import Session

from core import i18n
from core.db import table
from referral.campaigns import Campaign
from rewards.exports.exports import Export
from rewards.statements.causes import reason_words
from rewards.statements.sheets import Cell, Column

UNREAD = frozenset({"facts", "lines"})
"""Columns of documents: reading them costs more than all the others."""
AT_ONCE = 2000
"""Rows of one page."""
Row = Sequence[Cell]
Page = tuple[list[Row], Any]
"""(rows, the key to go on after); fewer than `AT_ONCE` rows are the last."""


PageOf = Callable[[Session, Export, Any], Page]


@dataclass(frozen=True, slots=True)
class Kind:
    """`count`: about how many rows there will be."""

    columns: Callable[[Session, Export], tuple[Column, ...]]
    page: PageOf
    count: Callable[[Session, Export], int]


def always(columns: tuple[Column, ...]) -> Callable[[Session, Export], tuple[Column, ...]]:
    """The same columns whatever is wanted."""
    return lambda session, export: columns


def mine(export: Export, t: Table, moment: DbColumn[Any] | None) -> Select[Any]:
    """All of the brand's rows that are wanted, in no order, without the columns no file shows."""
    found = select(*(column for column in t.c if column.name not in UNREAD)).where(t.c.brand_id == export.brand_id)
    if export.campaign_id is not None and "campaign_id" in t.c:
        found = found.where(t.c.campaign_id == export.campaign_id)
    if moment is not None:
        found = found.where(moment < export.until)
        if export.since is not None:
            found = found.where(moment >= export.since)
    return found


def counted(model: Any, moment: str | None) -> Callable[[Session, Export], int]:
    """How many rows are wanted of this table."""

    def count(session: Session, export: Export) -> int:
        t = table(model)
        wanted = mine(export, t, t.c[moment] if moment else None)
        return int(session.scalar(select(func.count()).select_from(wanted.subquery())) or 0)

    return count


def by_id(session: Session, export: Export, model: Any, moment: str, after: Any) -> Sequence[Any]:
    """A page in the order of the key, which is nearly that of time: identifiers begin with it."""
    t = table(model)
    wanted = mine(export, t, t.c[moment]).order_by(t.c.brand_id, t.c.id).limit(AT_ONCE)
    if after is not None:
        wanted = wanted.where(t.c.id > after)
    return session.execute(wanted).all()


def titles_of(session: Session, export: Export) -> dict[UUID | None, str]:
    """What the brand's campaigns are called."""
    t = table(Campaign)
    rows = session.execute(select(t.c.id, t.c.title).where(t.c.brand_id == export.brand_id))
    return {key: i18n.pick(title, export.locale) for key, title in rows}


def last_of(rows: Sequence[Any]) -> Any:
    """The key to go on after."""
    return rows[-1].id if rows else None


def why(reason: str | None, locale: str) -> str:
    """Why an order or a friend does not count, in words."""
    if reason is None:
        return ""
    known = f"api.reason.{reason}"
    return i18n.text(locale, known) if known in i18n.catalogue(locale) else reason_words(reason, locale)
