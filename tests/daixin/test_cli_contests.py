"""A contest on the command line: its board, its published final, the replay that checks it, and decisions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.daixin.program import Shell, migrated
from tests.daixin.test_cli import refused
from tests.house import House, later
from tests.rewards.arena import DAYS, open_arena


@pytest.fixture
def arena(tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A folder with a contest that is over and final: Alice brought two, Bob one."""
    folder = migrated(tmp_path, migrated_sqlite)
    house = House(f"sqlite:///{folder / 'daixin.db'}")
    try:
        played = open_arena(house)
        played.brings("Alice", 2)
        played.brings("Bob")
        with later(days=DAYS + 1):
            played.clock_strikes()
    finally:
        house.close()
    return folder


def test_a_final_is_shown_published_and_replayed(daixin: Shell, arena: Path) -> None:
    shown = daixin(arena, "contest", "show", "race").out
    assert shown.startswith("race: final, revision 1\n   1       2  Alice  ")
    published = daixin(arena, "contest", "document", "race").out
    document = json.loads(published)
    assert (document["format"], document["friends"]) == ("daixin-contest/1", 3)
    (arena / "kept.json").write_text(published, encoding="utf-8")
    again = daixin(arena, "contest", "replay", "race", "--published", "kept.json")
    assert (again.status, document["sha256"] in again.out) == (0, True)
    (arena / "kept.json").write_text(published.replace('"score":2', '"score":9'), encoding="utf-8")
    differs = daixin(arena, "contest", "replay", "race", "--published", "kept.json")
    assert (differs.status, "kept.json" in differs.err) == (1, True)


def test_a_replay_of_what_was_tampered_with_fails_and_names_the_place(daixin: Shell, arena: Path) -> None:
    house = House(f"sqlite:///{arena / 'daixin.db'}")
    house.do(lambda session: session.execute(text("DROP TRIGGER contest_result_not_changed")))
    forge = "UPDATE contest_result SET document = replace(document, :was, :now)"
    sums = {"was": '"amount":300', "now": '"amount":900'}
    house.do(lambda session: session.execute(text(forge), sums))
    house.close()
    done = daixin(arena, "contest", "replay", "race", "--json")
    assert done.status == 1
    assert {fault["where"] for fault in done.json["faults"]} == {"awards.0", "prizes.0"}
    assert "Revision 1 differs in awards.0." in daixin(arena, "contest", "replay", "race").err


def test_a_decision_makes_the_next_revision(daixin: Shell, arena: Path) -> None:
    out = daixin(arena, "contest", "disqualify", "race", "telegram:alice", "--reason", "bought accounts")
    assert (out.status, out.json["revision"]) == (0, 2)
    shown = daixin(arena, "contest", "show", "race", "--json").json
    assert [row["name"] for row in shown["board"]] == ["Bob"]
    assert [one["reason"] for one in shown["disqualified"]] == ["bought accounts"]
    refused(
        daixin(arena, "contest", "disqualify", "race", "telegram:alice", "--reason", "again"), "already disqualified"
    )
    assert daixin(arena, "contest", "reinstate", "race", "telegram:alice", "--reason", "a mistake").json["out"] is False
    assert daixin(arena, "contest", "replay", "race").status == 0
    assert daixin(arena, "ledger", "verify").status == 0
    first = daixin(arena, "contest", "document", "race", "--revision", "1").json
    assert len(first["standings"]) == 2


def test_what_there_is_not_is_said(daixin: Shell, arena: Path) -> None:
    refused(daixin(arena, "contest", "replay", "other"), "other")
    refused(daixin(arena, "contest", "document", "race", "--revision", "5"), "no final")
