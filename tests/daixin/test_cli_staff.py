"""`daixin staff …` and `daixin audit …` as an operator types them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.daixin.program import Shell, migrated


@pytest.fixture
def shop(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A folder with a brand to which Mei and Ann have talked."""
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "Tea", "--slug", "tea").status == 0
    for name in ("Mei", "Ann"):
        assert daixin(folder, "say", "/start", "--as", name).status == 0
    return folder


def test_roles_are_given_and_taken_and_the_log_tells(daixin: Shell, shop: Path) -> None:
    assert daixin(shop, "staff", "give", "webchat:say:Mei", "owner").json["role"] == "owner"
    assert daixin(shop, "staff", "give", "webchat:say:Ann", "reviewer").status == 0
    shown = daixin(shop, "staff", "list").out.splitlines()
    assert [line.split()[0] for line in shown] == ["owner", "reviewer"]
    assert shown[0].endswith("Mei")
    refused = daixin(shop, "staff", "take", "webchat:say:Mei")
    assert (refused.status, refused.err.count("at least one owner")) == (1, 1)
    assert "choose owner, manager or reviewer" in daixin(shop, "staff", "give", "webchat:say:Ann", "boss").err
    assert daixin(shop, "staff", "take", "webchat:say:Ann").status == 0
    acts = [(row["act"], row["actor"]) for row in daixin(shop, "audit", "list", "--json").json]
    assert acts == [("staff.take", "operator"), ("staff.give", "operator"), ("staff.give", "operator")]
    assert daixin(shop, "audit", "verify").out == "The log is whole.\n"


def test_a_code_makes_an_owner_who_says_it(daixin: Shell, shop: Path) -> None:
    made = daixin(shop, "staff", "code", "owner").json
    said = daixin(shop, "say", made["say"], "--as", "Mei")
    assert "Tea" in said.out
    [mei] = daixin(shop, "staff", "list", "--json").json
    assert (mei["name"], mei["role"]) == ("Mei", "owner")
    assert daixin(shop, "staff", "code", "king").status == 2


def test_who_changes_the_log_is_found_out(daixin: Shell, shop: Path) -> None:
    assert daixin(shop, "community", "connect", "discord", "1001", "Tea").status == 0
    with sqlite3.connect(shop / "daixin.db") as raw:
        raw.execute("DROP TRIGGER audit_entry_not_changed")
        raw.execute("UPDATE audit_entry SET actor = 'nobody'")
    found = daixin(shop, "audit", "verify")
    assert (found.status, found.err) == (1, "entry 1: was changed\n")
