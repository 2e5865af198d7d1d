"""Every value of a TOML file has its place, and what is no TOML does no harm."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rewards.toml_places import line_and_column, nearest, places

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.toml"))
ODD = '''
a = 1 # [b]
"q.k" = "x # y"
[rewards] # c
budgets = { CNY = 5_0, "item:mug" = 2 }
m = """line
two ] }"""
rules = [
  { to = "advocate", tiers = { steps = [{ from = 1 }, { from = 2 }] } }, # ]
  { when = 'a "b" }' },
]
d.e = 2026-01-01T00:00:00
[[r.x]]
a = 1
[[r.x]]
a = 2
[r.x.y]
b = 3
'''


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of everything that is neither a table nor a list."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield path
    else:
        for key, one in inner:
            yield from leaves(one, (*path, str(key)))


@pytest.mark.parametrize("text", [ODD, *(path.read_text() for path in EXAMPLES)])
def test_every_value_has_its_place(text: str) -> None:
    found = places(text)
    assert set(leaves(tomllib.loads(text))) <= found.keys()


def test_a_place_is_where_the_value_begins() -> None:
    found = places(ODD)
    assert line_and_column(ODD, found[("rewards", "rules", "0", "tiers", "steps", "1", "from")]) == (9, 64)
    assert line_and_column(ODD, found[("r", "x", "1", "y", "b")]) == (18, 5)
    assert nearest(found, ("rewards", "rules", "1", "amount")) == found[("rewards", "rules", "1")]
    assert nearest(found, ("nowhere",)) is None


@example("a=[}")
@example("a={]")
@given(st.text(alphabet="a=[]{}\"'#,.\n 1\\", max_size=60))
def test_what_is_no_file_ends_all_the_same(text: str) -> None:
    for offset in places(text).values():
        assert 0 <= offset <= len(text)
