"""`daixin key …` as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.daixin.program import Shell, migrated


def test_a_key_is_made_followed_by_another_and_revoked(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "Tea").status == 0
    made = json.loads(daixin(folder, "key", "create", "till", "--scope", "conversions:write", "--days", "30").out)
    assert made["scopes"] == ["conversions:write"]
    assert made["api_key"].startswith("dx_")
    following = json.loads(daixin(folder, "key", "rotate", made["id"], "--hours", "1").out)
    assert following["expires_at"] > made["expires_at"]
    listed = daixin(folder, "key", "list").out
    rows = {row["id"]: row for row in map(json.loads, listed.splitlines())}
    assert rows[made["id"]]["expires_at"] < made["expires_at"]
    assert made["api_key"] not in listed
    assert daixin(folder, "key", "revoke", made["id"]).status == 0
    again = daixin(folder, "key", "revoke", made["id"])
    assert (again.status, again.err) == (1, "There is no such key, or it was revoked.\n")
    unknown = daixin(folder, "key", "create", "x", "--scope", "everything")
    assert unknown.status == 1
    assert "conversions:read" in unknown.err
