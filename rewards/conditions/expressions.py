"""Conditions of reward plans: expressions in CEL, the Common Expression Language (https://cel.dev).

They are checked when a plan is saved: names, types, regular expressions and limits, each mistake with its place. They
end always: CEL has no unbounded loops, an evaluation that goes over 10,000 steps of its loops is given up, and what
could grow without bound (texts glued together, lists in lists) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from google.protobuf.message import DecodeError

from core import i18n
from core.errors import BadInput
from rewards.conditions.dictionary import ATTRIBUTES, CHOICES, LINE
from rewards.conditions.syntax_tree import PACKAGE, Tree, line, pool

LONGEST = 2000
"""Characters of an expression."""
DEEPEST = 32
"""How deep parentheses, calls and loops may be nested; the compiler's own limit."""
KEPT = 1024
"""Compiled conditions kept in the process."""

_TYPES = {
    "bool": cel.Type.BOOL,
    "int": cel.Type.INT,
    "string": cel.Type.STRING,
    "timestamp": cel.Type.TIMESTAMP,
    "duration": cel.Type.DURATION,
    "strings": cel.Type.List(cel.Type.STRING),
    "lines": cel.Type.List(cel.Type(f"{PACKAGE}.Line")),
}
_ENVIRONMENT = cel.NewEnv(pool, variables={name: _TYPES[one.type] for name, one in ATTRIBUTES.items()})
_GROUPS = {one.group for one in ATTRIBUTES.values()}
_REFUSED = {
    "add_string": "gluing",
    "add_bytes": "gluing",
    "add_list": "gluing",
    "to_dyn": "untyped",
    "type": "untyped",
}
"""Functions (by CEL's overload ids) with which a short expression could fill the memory, or hide from the checks."""

_SAID = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")
_UNKNOWN = re.compile(r"undeclared reference to '([^']*)'")
_FIELD = re.compile(r"undefined field '([^']*)' not found")
_OVERLOAD = re.compile(r"no matching overload for '([^']*)' applied to '\((.*)\)'")
_OUTSIDE = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|//[^\n]*")
_HAS = re.compile(r"\bhas\s*\(\s*([a-z_]+)\s*\.\s*([a-z_]+)\s*\)")
_INPUT = re.compile(r"(?:input|at:?) '(.*?)'(?: expecting|$)")


@dataclass(frozen=True, slots=True)
class Decision:
    """`missing`: attributes without a value on which it hung; `fault`: what went wrong in reckoning, if anything."""

    holds: bool
    missing: tuple[str, ...] = ()
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked expression that is true or not. `names`: the attributes it asks about."""

    text: str
    names: frozenset[str]
    _program: Any

    def decide(self, values: Mapping[str, Any]) -> Decision:
        """Whether it is true of these values. What has no value makes a comparison neither true nor false; `a || b`
        is true if one of them is. A division by zero, an overflow or too many steps make it not true."""
        try:
            given = {name: _given(name, values[name]) for name in self.names if values.get(name) is not None}
            found = self._program.eval(data=given)
        except (RuntimeError, TypeError, ValueError) as error:  # the last two: values of another type than declared
            return Decision(False, fault=str(error)[:200])
        if found.type() == cel.Type.BOOL:
            return Decision(bool(found.value()))
        missing = tuple(sorted(self.names - given.keys()))
        return Decision(False, missing, None if missing else str(found.value())[:200])

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true of these values (see `decide`)."""
        return self.decide(values).holds


def _given(name: str, value: Any) -> Any:
    return [line(one) for one in value] if ATTRIBUTES[name].type == "lines" else value


@lru_cache(maxsize=KEPT)
def compile_condition(text: str) -> Condition:
    """Check an expression that says when a reward is due.

    Raises `BadInput("expression")` with `position` ("line:column", from 1), `line`, `column`, `problem` (the message
    `expression.<problem>`), `details` (what fills it) and `message` (the same in English). `explain` puts it in words.
    """
    if len(text) > LONGEST:
        raise _refusal(text, LONGEST, "too_long", limit=LONGEST)
    if not text.isprintable() and not re.fullmatch(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*", text):
        raise _refusal(text, 0, "characters")
    try:
        program = _ENVIRONMENT.compile(text)
    except RuntimeError as error:
        raise _explained(text, str(error)) from None
    try:
        tree = Tree(program.serialize())
    except DecodeError:
        raise _refusal(text, 0, "too_deep", limit=DEEPEST) from None
    for refusal in _afterthoughts(text, tree):
        raise refusal
    if program.return_type() != cel.Type.BOOL:
        raise _refusal(text, 0, "not_a_condition", type=program.return_type().name())
    return Condition(text, tree.names & ATTRIBUTES.keys(), program)


def _afterthoughts(text: str, tree: Tree) -> Iterator[BadInput]:
    """What CEL lets pass and we do not."""
    for overload, offset in tree.functions():
        if overload in _REFUSED:
            yield _refusal(text, offset, _REFUSED[overload])
    for offset in tree.nested():
        yield _refusal(text, offset, "nested")
    for name, said, offset in tree.compared():
        if said not in CHOICES.get(name, {said}):
            yield _refusal(text, offset, "not_a_choice", name=name, said=said, choices=_listed(CHOICES[name]))
    for pattern, offset in tree.patterns():
        if _ENVIRONMENT.compile(f"''.matches({_quoted(pattern)})").eval().type() != cel.Type.BOOL:
            yield _refusal(text, offset, "pattern", pattern=pattern)
    for asked in _HAS.finditer(_OUTSIDE.sub(lambda found: " " * len(found[0]), text)):
        if f"{asked[1]}.{asked[2]}" in ATTRIBUTES:  # the library would answer with the value itself
            yield _refusal(text, asked.start(), "has", group=asked[1])


def _quoted(pattern: str) -> str:
    return "'" + "".join(f"\\U{ord(char):08x}" for char in pattern) + "'"


def _explained(text: str, said: str) -> BadInput:
    """The compiler's first complaint as a refusal of ours."""
    if "recursion" in said:
        return _refusal(text, 0, "too_deep", limit=DEEPEST)
    found = _SAID.search(said)
    if found is None or int(found[1]) < 1:
        return _refusal(text, 0, "syntax", said=said.splitlines()[0][:200])
    offset = _offset(text, int(found[1]), int(found[2]))
    complaint = found[3].removesuffix(" [INVALID_ARGUMENT]")
    if unknown := _UNKNOWN.search(complaint):
        return _unknown(text, offset, unknown[1])
    if field := _FIELD.search(complaint):
        return _refusal(text, offset, "unknown_field", name=field[1], known=_listed(LINE))
    if overload := _OVERLOAD.search(complaint):
        types = overload[2].replace(f"{PACKAGE}.Line", "line").replace("google.protobuf.", "").lower()
        return _refusal(text, offset, "types", operator=overload[1].strip("_@!") or overload[1], types=types)
    if token := _INPUT.search(complaint):
        return (
            _refusal(text, offset, "unfinished")
            if token[1] == "<EOF>"
            else _refusal(text, offset, "token", token=token[1])
        )
    return _refusal(text, offset, "syntax", said=complaint[:120])


def _unknown(text: str, offset: int, name: str) -> BadInput:
    # The place named is that of the dot; a name begins before it.
    start = text.rfind(name.partition(".")[0], 0, offset + len(name)) if name else offset
    start = start if start >= 0 else offset
    name = (re.match(r"[\w.]+", text[start:]) or [name])[0] if name in _GROUPS else name
    near = get_close_matches(name, ATTRIBUTES, n=1, cutoff=0.6)
    near = near or [one for one in sorted(ATTRIBUTES) if one.partition(".")[2] == name.rpartition(".")[2]][:1]
    if not near:
        return _refusal(text, start, "unknown", name=name)
    return _refusal(text, start, "unknown_near", name=name, near=near[0])


def _offset(text: str, row: int, column: int) -> int:
    return sum(len(one) + 1 for one in text.split("\n")[: row - 1]) + column - 1


def _listed(names: Mapping[str, str] | frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _refusal(text: str, offset: int, problem: str, **details: Any) -> BadInput:
    before = text[:offset]
    row, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    message = i18n.text("en", f"expression.{problem}", **details)
    return BadInput(
        "expression",
        position=f"{row}:{column}",
        line=row,
        column=column,
        problem=problem,
        details=details,
        message=message,
    )


def explain(error: BadInput, locale: str) -> str:
    """A refusal of `compile_condition` in words, without its place."""
    return i18n.text(locale, f"expression.{error.params['problem']}", **error.params["details"])
