"""Reads from a compiled statement what holds each of its tables to one brand (see `core.tenants`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.sql import operators
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ClauseElement,
    CollectionAggregate,
    ColumnClause,
    Grouping,
    Tuple,
)
from sqlalchemy.sql.functions import Function
from sqlalchemy.sql.selectable import (
    CTE,
    AliasedReturnsRows,
    CompoundSelect,
    FromGrouping,
    Join,
    Select,
    SelectBase,
    SelectStatementGrouping,
    Subquery,
    TableValuedAlias,
)

COLUMN = "brand_id"
OWNED = {"web_user": ("id", "user_id")}
"""Tables of nobody whose rows may be looked at beside what a brand has of them: joined by this column with that one of
a table that is held."""
Node = tuple[int, str]
"""A column of one element of a FROM: the element's hash, which its annotated copies share, and the column's name."""


class Unheld(Exception):
    """This table is not held to a brand."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


@dataclass(frozen=True, slots=True)
class Need:
    """A parameter that must be the brand: its `name`, and in a list of keys the place of the brand in each; `table` is
    held by it."""

    name: str
    table: str
    many: bool = False
    place: int | None = None

    def check(self, given: Mapping[str, Any], expanded: Mapping[str, Any], brand_id: UUID) -> None:
        """Raises `Unheld` unless it is."""
        if not self.many:
            values = [given.get(self.name)]
        elif self.name in expanded:
            names = expanded[self.name]
            values = [given.get(name) for name in names]
            if self.place is not None:
                values = [given.get(name) for name in names if name.rpartition("_")[2] == str(self.place + 1)]
        else:
            listed = given.get(self.name) or ()
            values = [row if self.place is None else row[self.place] for row in listed]
        if any(value != brand_id for value in values):
            raise Unheld(self.table)


@dataclass(slots=True)
class _Scope:
    """One SELECT, UPDATE or DELETE. `held`: columns known to be the brand; `links`: equalities, each with the elements
    it may hold (None is any: the ON of an outer join holds only the side that may be missing)."""

    tables: dict[int, str] = field(default_factory=dict)
    columns: dict[int, str] = field(default_factory=dict)
    held: set[Node] = field(default_factory=set)
    links: list[tuple[Node, Node, frozenset[int] | None]] = field(default_factory=list)
    binds: list[tuple[Node, Need, frozenset[int] | None]] = field(default_factory=list)
    owned: dict[int, str] = field(default_factory=dict)
    leaves: set[int] = field(default_factory=set)


class _Reader:
    """Walks one compiled statement."""

    def __init__(self, compiled: Any, shared: frozenset[str]) -> None:
        self.shared = shared
        self.needs: list[Need] = []
        self._names = compiled.bind_names
        self._by_key = {bind.key: name for bind, name in compiled.bind_names.items()}
        self._reading: set[int] = set()

    def statement(self, statement: Any, outer: _Scope | None = None) -> None:
        while isinstance(statement, SelectStatementGrouping):
            statement = statement.element
        match statement:
            case Select():
                self._select(statement, outer)
            case CompoundSelect():
                for one in statement.selects:
                    self.statement(one, outer)
            case Update() | Delete():
                self._change(statement)
            case Insert():
                self._insert(statement)
            case _:
                raise Unheld(type(statement).__name__)

    def _select(self, statement: Any, outer: _Scope | None) -> None:
        scope = _Scope()
        froms = statement.get_final_froms()
        theirs = self._of_outer(statement, froms, outer)
        for element in froms:
            if hash(element) not in theirs:
                self._from(element, scope, None)
        for clause in statement._where_criteria:
            self._condition(clause, scope, None)
        self._settle(scope, outer)
        rest = [*statement._raw_columns, *statement._where_criteria, *statement._having_criteria]
        rest += [*statement._order_by_clauses, *statement._group_by_clauses]
        for element in froms:
            rest += list(_conditions_in(element))
        for clause in rest:
            for inner in _selects_in(clause):
                self.statement(inner, scope)

    def _of_outer(self, statement: Any, froms: list[Any], outer: _Scope | None) -> set[int]:
        """Which of its tables are those of the statement around it (SQLAlchemy's rules of correlation)."""
        if outer is None:
            return set()
        around = {hash(one) for one in froms} & outer.leaves
        if statement._correlate_except is not None:
            return around - {hash(one) for one in statement._correlate_except}
        if statement._correlate:
            return around & {hash(one) for one in statement._correlate}
        return around if statement._auto_correlate and len(froms) > 1 else set()

    def _from(self, element: Any, scope: _Scope, only: frozenset[int] | None) -> None:
        while isinstance(element, FromGrouping):
            element = element.element
        if isinstance(element, Join):
            self._join(element, scope)
            return
        key = hash(element)
        scope.leaves.add(key)
        inner = element.element if isinstance(element, AliasedReturnsRows) else element
        if isinstance(inner, FromGrouping):
            inner = inner.element
        if isinstance(inner, Table):
            self._table(key, inner, scope)
        elif isinstance(inner, SelectBase):
            self._derived(element, inner, scope)
        elif isinstance(element, TableValuedAlias):
            self._function(key, element, scope)
        else:
            for nested in _selects_in(inner):
                self.statement(nested, scope)

    def _table(self, key: int, found: Table, scope: _Scope) -> None:
        if COLUMN in found.c:
            scope.tables[key], scope.columns[key] = found.name, COLUMN
        elif found.name == "brand":
            scope.tables[key], scope.columns[key] = found.name, "id"
        elif found.name in OWNED:
            scope.owned[key] = found.name
        elif found.name not in self.shared:
            raise Unheld(found.name)

    def _derived(self, element: Any, inner: Any, scope: _Scope) -> None:
        """A statement in place of a table is held by itself, and what it calls the brand is the brand."""
        key = hash(element)
        scope.held.add((key, COLUMN))
        mark = hash(inner)
        if mark in self._reading:  # a recursive query, on itself
            return
        self._reading.add(mark)
        lateral = type(element).__name__ == "Lateral"
        self.statement(inner, scope if lateral else None)
        if not isinstance(element, CTE):
            self._reading.discard(mark)

    def _function(self, key: int, element: Any, scope: _Scope) -> None:
        """`unnest` of several lists as a table: the list of brands must hold only this one."""
        function = element.element
        arguments = list(getattr(function, "clauses", ()))
        for column, argument in zip(element.c, arguments, strict=False):
            if column.name == COLUMN and isinstance(argument, BindParameter):
                self.needs.append(Need(self._name(argument), "unnest", many=True))
                scope.held.add((key, COLUMN))
        for argument in arguments:
            for nested in _selects_in(argument):
                self.statement(nested, scope)

    def _join(self, join: Any, scope: _Scope) -> None:
        before = set(scope.leaves)
        self._from(join.left, scope, None)
        left = frozenset(scope.leaves - before)
        self._from(join.right, scope, None)
        right = frozenset(scope.leaves - before - left)
        only = frozenset() if join.full else (right if join.isouter else None)
        if join.onclause is not None:
            self._condition(join.onclause, scope, only)

    def _condition(self, clause: Any, scope: _Scope, only: frozenset[int] | None) -> None:
        """What always holds where this condition does."""
        clause = _bare(clause)
        if isinstance(clause, Function) and clause.name == "likelihood":  # SQLite's: how often its argument holds
            clause = _bare(next(iter(clause.clauses)))
        if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
            for one in clause.clauses:
                self._condition(one, scope, only)
        elif isinstance(clause, BinaryExpression):
            left, right = _bare(clause.left), _bare(clause.right)
            if clause.operator is operators.eq:
                self._equal(left, right, scope, only)
            elif clause.operator is operators.in_op and isinstance(right, BindParameter):
                self._among(left, right, scope, only)

    def _equal(self, left: Any, right: Any, scope: _Scope, only: frozenset[int] | None) -> None:
        if isinstance(left, BindParameter | CollectionAggregate):
            left, right = right, left
        node = _node(left)
        if node is None:
            return
        if isinstance(right, BindParameter):
            scope.binds.append((node, Need(self._name(right), ""), only))
        elif isinstance(right, CollectionAggregate) and right.operator is operators.any_op:
            inner = _bare(right.element)
            if isinstance(inner, BindParameter):
                scope.binds.append((node, Need(self._name(inner), "", many=True), only))
        elif (other := _node(right)) is not None:
            scope.links.append((node, other, only))

    def _among(self, left: Any, right: Any, scope: _Scope, only: frozenset[int] | None) -> None:
        if isinstance(left, Tuple):
            for place, column in enumerate(left.clauses):
                node = _node(column)
                if node is not None and node[1] in (COLUMN, "id"):
                    scope.binds.append((node, Need(self._name(right), "", many=True, place=place), only))
        elif (node := _node(left)) is not None:
            scope.binds.append((node, Need(self._name(right), "", many=True), only))

    def _settle(self, scope: _Scope, outer: _Scope | None) -> None:
        """Follow the equalities from what is held; whoever is left over is not."""
        held = scope.held
        if outer is not None:
            # Its own table hides that of the same name around it.
            held |= {node for node in outer.held if node[0] not in scope.leaves}
            scope.leaves |= outer.leaves
        for node, need, only in scope.binds:
            leaf = node[0]
            if scope.columns.get(leaf) == node[1] and node not in held and (only is None or leaf in only):
                self.needs.append(Need(need.name, scope.tables[leaf], need.many, need.place))
                held.add(node)
        spreading = True
        while spreading:
            spreading = _spread(held, scope.links)
        for leaf, name in scope.tables.items():
            if (leaf, scope.columns[leaf]) not in held:
                raise Unheld(name)
        for leaf, name in scope.owned.items():
            mine, theirs = OWNED[name]
            ends = [(one, other) for a, b, only in scope.links if only is None for one, other in ((a, b), (b, a))]
            if not any(one == (leaf, mine) and other[0] in scope.tables and other[1] == theirs for one, other in ends):
                raise Unheld(name)

    def _change(self, statement: Any) -> None:
        scope = _Scope()
        self._from(statement.table, scope, None)
        around = select(1).where(*statement._where_criteria).get_final_froms()
        for element in around:
            if hash(element) not in scope.leaves:
                self._from(element, scope, None)
        for clause in statement._where_criteria:
            self._condition(clause, scope, None)
        self._settle(scope, None)
        for clause in statement._where_criteria:
            for inner in _selects_in(clause):
                self.statement(inner, scope)

    def _insert(self, statement: Any) -> None:
        name = statement.table.name
        if COLUMN not in statement.table.c:
            if name not in self.shared:
                raise Unheld(name)
            return
        if statement.select is not None:
            raise Unheld(name)
        self.needs.append(Need(COLUMN, name))

    def _name(self, bind: Any) -> str:
        found = self._names.get(bind) or self._by_key.get(bind.key)
        if found is None:  # rendered into the text: its value is not ours to compare
            raise Unheld(str(bind.key))
        return str(found)


def needs_of(compiled: Any, shared: frozenset[str]) -> tuple[Need, ...]:
    """The parameters that must be the brand for this statement to be about nothing else. Raises `Unheld`."""
    state = compiled.compile_state
    reader = _Reader(compiled, shared)
    reader.statement(getattr(state, "statement", None) if state is not None else compiled.statement)
    return tuple(dict.fromkeys(reader.needs))


def _spread(held: set[Node], links: list[tuple[Node, Node, frozenset[int] | None]]) -> bool:
    """Hold what is equal to something held; whether there was any."""
    before = len(held)
    for one, other, only in links:
        for known, node in ((one, other), (other, one)):
            if known in held and (only is None or node[0] in only):
                held.add(node)
    return len(held) > before


def _bare(clause: Any) -> Any:
    while isinstance(clause, Grouping):
        clause = clause.element
    return clause


def _node(column: Any) -> Node | None:
    column = _bare(column)
    if isinstance(column, ColumnClause) or hasattr(column, "table"):
        owner = getattr(column, "table", None)
        return None if owner is None else (hash(owner), str(column.name))
    return None


def _selects_in(clause: Any) -> Iterator[Any]:
    """The statements within an expression, none of those within them."""
    waiting: list[Any] = [clause]
    while waiting:
        element = waiting.pop()
        if isinstance(element, SelectBase):
            yield element
        elif isinstance(element, Subquery):
            yield element.element
        elif isinstance(element, ClauseElement):
            waiting.extend(element.get_children())


def _conditions_in(element: Any) -> Iterable[Any]:
    """The ON conditions of a FROM."""
    if isinstance(element, Join):
        yield element.onclause
        yield from _conditions_in(element.left)
        yield from _conditions_in(element.right)
