"""`daixin user …` as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.daixin.program import Shell, migrated


def test_an_operator_invites_shuts_out_and_forgets(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = migrated(tmp_path, migrated_sqlite)
    made = daixin(folder, "brand", "create", "Tea")
    assert "daixin user invite --brand tea" in made.err
    assert json.loads(made.out)["slug"] == "tea"
    invited = json.loads(daixin(folder, "user", "invite").out)
    assert (invited["role"], invited["days"]) == ("owner", 7)
    assert invited["link"].startswith("http://127.0.0.1:")
    assert daixin(folder, "user", "list").out == ""
    unknown = daixin(folder, "user", "reset", "mei@example.com")
    assert (unknown.status, unknown.err) == (1, "There is no such user.\n")
    wrong = daixin(folder, "user", "invite", "--role", "king")
    assert wrong.status == 1
