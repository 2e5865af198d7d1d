"""What CEL's compiler found in an expression, read from its own serialized form; and the message type of order lines.

The shapes are those of `cel.expr.CheckedExpr` (google/cel-spec, proto/cel/expr/checked.proto and syntax.proto), as far
as they are needed; numbers below are its field numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from rewards.conditions.dictionary import LINE

_Field = descriptor_pb2.FieldDescriptorProto
_KINDS = {"int": _Field.TYPE_INT64, "string": _Field.TYPE_STRING, "bool": _Field.TYPE_BOOL, "bytes": _Field.TYPE_BYTES}
_MANY = "*"
_SHAPES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "Any": {"type_url": (1, "string"), "value": (2, "bytes")},
    "Checked": {"references": (2, "*Referenced"), "types": (3, "*Typed"), "root": (4, "Expr"), "source": (5, "Source")},
    "Referenced": {"id": (1, "int"), "to": (2, "Reference")},
    "Reference": {"name": (1, "string"), "overloads": (3, "*string")},
    "Typed": {"id": (1, "int"), "type": (2, "Type")},
    "Type": {"any": (1, "Nothing"), "list": (6, "ListOf"), "map": (7, "Nothing")},
    "ListOf": {"of": (1, "Type")},
    "Nothing": {},
    "Source": {"positions": (4, "*Position")},
    "Position": {"id": (1, "int"), "offset": (2, "int")},
    "Expr": {
        "id": (2, "int"),
        "constant": (3, "Constant"),
        "ident": (4, "Ident"),
        "select": (5, "Select"),
        "call": (6, "Call"),
        "list": (7, "List"),
        "made": (8, "Nothing"),
        "loop": (9, "Loop"),
    },
    "Constant": {"text": (6, "string")},
    "Ident": {"name": (1, "string")},
    "Select": {"of": (1, "Expr")},
    "Call": {"target": (1, "Expr"), "function": (2, "string"), "arguments": (3, "*Expr")},
    "List": {"elements": (1, "*Expr")},
    "Loop": {
        "over": (2, "Expr"),
        "start": (4, "Expr"),
        "condition": (5, "Expr"),
        "step": (6, "Expr"),
        "result": (7, "Expr"),
    },
    "Line": {name: (number, declared.partition(" ")[0]) for number, (name, declared) in enumerate(LINE.items(), 1)},
}
PACKAGE = "daixin"


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="daixin.proto", package=PACKAGE, syntax="proto3")
    for shape, fields in _SHAPES.items():
        message = file.message_type.add(name=shape)
        for name, (number, kind) in fields.items():
            plain = kind.removeprefix(_MANY)
            repeated = _Field.LABEL_REPEATED if kind.startswith(_MANY) else _Field.LABEL_OPTIONAL
            field = message.field.add(
                name=name, number=number, label=repeated, type=_KINDS.get(plain, _Field.TYPE_MESSAGE)
            )
            if plain not in _KINDS:
                field.type_name = f".{PACKAGE}.{plain}"
            if shape == "Line":  # explicit presence, so that has(line.sku) can be asked
                field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{name}")
    return file


pool = descriptor_pool.DescriptorPool()
"""Holds `daixin.Line`, the type of an order's lines."""
pool.AddSerializedFile(_described().SerializeToString())


def _message(shape: str) -> Any:
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{shape}"))


_Any, _Checked, _Type, _Line = (_message(shape) for shape in ("Any", "Checked", "Type", "Line"))


def line(given: Mapping[str, Any]) -> Message:
    """An order's line as CEL sees it; fields that are not known or None are left out."""
    made: Message = _Line(**{name: given[name] for name in LINE if given.get(name) is not None})
    return made


class Tree:
    """A checked expression. Raises protobuf's `DecodeError` for one that is nested too deep to be read."""

    def __init__(self, serialized: bytes) -> None:
        checked = _Checked.FromString(_Any.FromString(serialized).value)
        self._root = checked.root
        self._positions = {place.id: place.offset for place in checked.source.positions}
        self._types = checked.types
        self._references = {entry.id: entry.to for entry in checked.references}

    @property
    def names(self) -> frozenset[str]:
        """Everything the expression names: attributes, and its own loop variables."""
        return frozenset(reference.name for reference in self._references.values() if not reference.overloads)

    def functions(self) -> Iterator[tuple[str, int]]:
        """(overload, offset) of every function and operator written; the offset counts code points from 0.

        `map` and `filter` are written as loops that add to a list of their own: that + is nobody's.
        """
        for expr in self._walk(self._root):
            if expr.HasField("call") and not _of_macro(expr.call):
                for overload in self._references[expr.id].overloads:
                    yield overload, self._positions.get(expr.id, 0)

    def nested(self) -> Iterator[int]:
        """The offsets of lists in lists, lists of anything, maps and messages: values that may hold themselves."""
        types = {entry.id: entry.type for entry in self._types}
        for expr in self._walk(self._root):
            found = types.get(expr.id, _Type())
            of = found.list.of
            if (
                expr.HasField("made")
                or found.HasField("map")
                or of.HasField("list")
                or of.HasField("map")
                or (of.HasField("any") and expr.list.elements)
            ):
                yield self._positions.get(expr.id, 0)

    def compared(self) -> Iterator[tuple[str, str, int]]:
        """(attribute, text, offset) wherever a name is compared with a text, by ==, != or `in [...]`."""
        for expr in self._walk(self._root):
            call = expr.call
            if call.function in ("_==_", "_!=_"):
                left, right = call.arguments
                yield from self._pairs(left, [right])
                yield from self._pairs(right, [left])
            elif call.function == "@in":
                yield from self._pairs(call.arguments[0], call.arguments[1].list.elements)

    def patterns(self) -> Iterator[tuple[str, int]]:
        """(pattern, offset) of every regular expression that is written out."""
        for expr in self._walk(self._root):
            if expr.call.function == "matches":
                pattern = expr.call.arguments[-1]
                if pattern.HasField("constant"):
                    yield pattern.constant.text, self._positions.get(pattern.id, 0)

    def _pairs(self, name: Any, values: Any) -> Iterator[tuple[str, str, int]]:
        if name.HasField("ident"):
            for value in values:
                if value.HasField("constant"):
                    yield name.ident.name, value.constant.text, self._positions.get(value.id, 0)

    def _walk(self, expr: Any) -> Iterator[Any]:
        waiting = [expr]
        while waiting:
            found = waiting.pop()
            yield found
            match _kind(found):
                case "call":
                    waiting += [found.call.target, *found.call.arguments]
                case "select":
                    waiting.append(found.select.of)
                case "list":
                    waiting += found.list.elements
                case "loop":
                    loop = found.loop
                    waiting += [loop.over, loop.start, loop.condition, loop.step, loop.result]


def _of_macro(call: Any) -> bool:
    return bool(call.function == "_+_" and call.arguments[0].ident.name == "@result")


def _kind(expr: Any) -> str | None:
    return next((name for name in ("call", "select", "list", "loop") if expr.HasField(name)), None)
