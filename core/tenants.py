"""Keeps a session to one brand: what it asks of a brand's table names that brand, or it is refused.

Within `only` every statement of the thread is looked at before it reaches the database. Each table in it that has a
`brand_id` must be held to the one brand in its own part of the statement: by `brand_id = <value>`, or by being equal to
the `brand_id` of a table that is. The structure is read once for each compiled statement, which SQLAlchemy keeps; from
then on only the values are compared. SQL that is text must compare `brand_id` and carry the brand among its values.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary, WeakSet

import structlog
from sqlalchemy import Connection, Engine, event
from sqlmodel import Session

from core.db import metadata
from core.errors import DaixinError
from core.tenant_shape import COLUMN, Need, Unheld, needs_of

log = structlog.get_logger()
SHARED = frozenset({"job_claim", "adapter_note", "alembic_version", "books_check"})
"""Tables that are nobody's: what they hold is about the installation."""

_bound: ContextVar[UUID | None] = ContextVar("tenant", default=None)
_guarded: WeakSet[Engine] = WeakSet()
_guarding = threading.Lock()
_known: WeakKeyDictionary[Any, tuple[Need, ...]] = WeakKeyDictionary()
_PLACE = re.compile(r"%\(\w+\)[bst]|(?<!:):\w+")
"""Where a driver puts a value, by its name."""
_HELD = re.compile(r"\bbrand_id\"?\s*=")


class Unbound(DaixinError):
    """A statement was about rows of another brand, or might have been: a mistake of ours, not of who asked."""


@contextmanager
def only(session: Session, brand_id: UUID) -> Iterator[None]:
    """Within this, statements about anything but this brand are refused: `Unbound("tenant_unbound")`."""
    _guard(session.get_bind().engine)
    before = _bound.set(brand_id)
    try:
        yield
    finally:
        _bound.reset(before)


def _guard(engine: Engine) -> None:
    if engine in _guarded:
        return
    with _guarding:
        if engine not in _guarded:
            event.listen(engine, "before_cursor_execute", _check)
            _guarded.add(engine)


def _check(connection: Connection, cursor: object, statement: str, given: Any, context: Any, many: bool) -> None:
    brand_id = _bound.get()
    if brand_id is None:
        return
    try:
        if context.compiled is None or context.isddl or context.compiled.compile_state is None:
            _check_text(statement, _listed(given), brand_id)
            return
        needs = _known.get(context.compiled)
        if needs is None:
            needs = _known[context.compiled] = needs_of(context.compiled, SHARED)
        for values in context.compiled_parameters:
            for need in needs:
                need.check(values, context._expanded_parameters, brand_id)
    except Unheld as error:
        log.error("tenants.unbound", table=error.table, statement=statement[:500])
        raise Unbound("tenant_unbound") from None


def _check_text(statement: str, values: Sequence[Any], brand_id: UUID) -> None:
    """SQL that nobody built is judged by its words."""
    named = [name for name in _words(statement) if name in _tables()]
    for name in named:
        if not _tables()[name]:
            raise Unheld(name)
    spelt = {brand_id, str(brand_id), brand_id.hex}
    if named and not (_HELD.search(statement) and any(value in spelt for value in values if _plain(value))):
        raise Unheld(named[0])


def _words(statement: str) -> set[str]:
    return set(re.findall(r"\w+", _PLACE.sub("", statement.lower())))


def _plain(value: object) -> bool:
    return isinstance(value, str | UUID)


@cache
def _tables() -> dict[str, bool]:
    """Every table that is not shared, and whether its rows are a brand's."""
    found = {one.name: COLUMN in one.c for one in metadata.tables.values()}
    return {name: held for name, held in found.items() if name not in SHARED}


def _listed(given: Any) -> Sequence[Any]:
    if isinstance(given, Mapping):
        return list(given.values())
    if isinstance(given, Sequence) and given and isinstance(given[0], Sequence | Mapping) and not _plain(given[0]):
        return [value for row in given for value in _listed(row)]
    return list(given or ())
