"""`daixin demo --prepare`: a past made by the real code, whose books are right and whose people are the seed's."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.daixin.program import Shell

COUNTS = {
    "members": "SELECT count(*) FROM member",
    "referrals": "SELECT state, count(*) FROM referral GROUP BY state ORDER BY state",
    "rewards": "SELECT state, count(*), sum(amount) FROM reward GROUP BY state ORDER BY state",
    "platforms": "SELECT platform, count(*) FROM identity GROUP BY platform ORDER BY platform",
    "board": "SELECT score, count(*) FROM score GROUP BY score ORDER BY score",
}


@pytest.fixture(scope="module")
def made(daixin: Shell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a demo of seed 1 was made, once for this module; nobody changes it."""
    home = tmp_path_factory.mktemp("demo")
    prepare(daixin, home, "demo")
    return home / "demo"


def prepare(daixin: Shell, home: Path, name: str, seed: int = 1) -> dict[str, list[tuple[object, ...]]]:
    """What a demo of 30 members holds, counted."""
    done = daixin(home, "demo", "--prepare", name, "--members", "30", "--seed", str(seed), secret_key="")
    assert done.status == 0, done.err
    return counts(home / name)


def counts(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(folder / "daixin.db")) as raw:
        return {what: raw.execute(query).fetchall() for what, query in COUNTS.items()}


def test_the_same_seed_makes_the_same_past_and_its_books_are_right(daixin: Shell, made: Path, tmp_path: Path) -> None:
    first = counts(made)
    assert first == prepare(daixin, tmp_path, "second")
    assert first != prepare(daixin, tmp_path, "other", seed=2)
    assert 30 <= int(str(first["members"][0][0])) <= 34
    assert {row[0] for row in first["platforms"]} >= {"telegram", "discord", "wechat", "webchat"}
    assert {row[0] for row in first["referrals"]} >= {"qualified"}
    books = daixin(tmp_path, "ledger", "verify", database_url=f"sqlite:///{made / 'daixin.db'}")
    assert (books.status, books.out) == (0, "The books are in order.\n")


def test_alice_stands_on_the_board_with_friends_of_her_own(daixin: Shell, made: Path) -> None:
    there = f"sqlite:///{made / 'daixin.db'}"
    board = daixin(made, "leaderboard", "spring-tea", "--json", database_url=there).json
    assert [place["score"] >= 1 for place in board if place["name"] == "Alice"] == [True]


def test_a_past_that_was_broken_off_is_made_again(daixin: Shell, made: Path, tmp_path: Path) -> None:
    half = tmp_path / "half"
    half.mkdir()
    (half / "daixin.db").write_bytes((made / "daixin.db").read_bytes()[:4096])
    (half / "daixin.db-wal").write_bytes(b"rubbish")
    assert prepare(daixin, tmp_path, "half") == counts(made)


def test_a_finished_past_is_kept_and_never_mistaken_for_another(daixin: Shell, made: Path) -> None:
    before = counts(made)
    assert json.loads((made / "prepared").read_text()) == {"members": 30, "seed": 1}
    assert prepare(daixin, made.parent, "demo") == before
    other = daixin(made.parent, "demo", "--prepare", "demo", "--members", "50")
    assert (other.status, other.out) == (1, "")
    assert "demo holds a demo already, of 30 members and seed 1" in other.err
    assert counts(made) == before
