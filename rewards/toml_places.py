"""Where the values of a TOML file stand, so that a mistake in one can be shown: `tomllib` keeps no places.

Only for texts that `tomllib` has read, so nothing is checked here; what is not understood has simply no place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

Path = tuple[str, ...]

_GAP = re.compile(r"(?:[ \t]|\r?\n|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|\\\r?\n|"(?!""))*"{3,5}' + r"|'''(?:.|\n)*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]+")


@dataclass(slots=True)
class _Scan:
    text: str
    at: int = 0
    found: dict[Path, int] = field(default_factory=dict)
    """Where each value begins; for a table without one, its header."""
    lists: dict[Path, int] = field(default_factory=lambda: defaultdict(int))
    """How many `[[headers]]` each list of tables has had."""

    def file(self) -> None:
        here: Path = ()
        while self.gap() < len(self.text):
            if self.text[self.at] == "[":
                here = self.header()
            else:
                self.entry(here)

    def gap(self) -> int:
        found = _GAP.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def header(self) -> Path:
        start, double = self.at, self.text.startswith("[[", self.at)
        self.at += 1 + double
        here = self.within(self.keys())
        self.at = self.text.index("]", self.at) + 1 + double
        if double:
            here = (*here, str(self.lists[here]))
            self.lists[here[:-1]] += 1
        self.found.setdefault(here, start)
        return here

    def within(self, path: Path) -> Path:
        """A header below a list of tables means its last one."""
        here: Path = ()
        for name in path[:-1]:
            here = (*here, name)
            if here in self.lists:
                here = (*here, str(self.lists[here] - 1))
        return (*here, path[-1])

    def keys(self) -> Path:
        names = []
        while found := _KEY.match(self.text, self.at):
            names.append(found[1].strip("\"'"))
            self.at = found.end()
            if not self.text.startswith(".", self.at):
                break
            self.at += 1
        return tuple(names)

    def entry(self, here: Path) -> None:
        path = (*here, *self.keys())
        self.at = self.text.index("=", self.at) + 1
        self.gap()
        self.value(path)

    def value(self, path: Path) -> None:
        self.found[path] = self.at
        if self.text[self.at] in "[{":
            self.several(path, "]" if self.text[self.at] == "[" else "}")
        else:
            found = _TEXT.match(self.text, self.at) or _PLAIN.match(self.text, self.at)
            if found is None:
                raise ValueError("no value")
            self.at = found.end()

    def several(self, path: Path, end: str) -> None:
        self.at += 1
        number = 0
        while self.gap() < len(self.text) and self.text[self.at] != end:
            if end == "]":
                self.value((*path, str(number)))
                number += 1
            else:
                self.entry(path)
            if self.gap() < len(self.text) and self.text[self.at] == ",":
                self.at += 1
        self.at += 1


def places(text: str) -> dict[Path, int]:
    """The offset at which each value begins, by its path: `("rewards", "rules", "0", "amount")`."""
    scan = _Scan(text)
    with suppress(ValueError, IndexError):  # of a text that is no TOML, what was understood so far
        scan.file()
    return scan.found


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Both counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def nearest(found: Mapping[Path, int], path: Path) -> int | None:
    """Where a value stands, or the nearest thing above it that is there."""
    return next((found[path[:depth]] for depth in range(len(path), 0, -1) if path[:depth] in found), None)
