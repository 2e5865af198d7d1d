"""`daixin webhook …` as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.daixin.program import Shell, migrated


def test_an_address_is_added_paused_and_let_go(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "Tea").status == 0
    inside = daixin(folder, "webhook", "add", "https://127.0.0.1/hook")
    assert (inside.status, "private network" in inside.err) == (1, True)
    (folder / ".env").open("a").write("\nDAIXIN_WEBHOOK_ALLOW=127.0.0.1\n")
    made = json.loads(daixin(folder, "webhook", "add", "http://127.0.0.1:9999/", "--event", "campaign.moved").out)
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["campaign.moved"]
    listed = daixin(folder, "webhook", "list").out
    assert made["secret"] not in listed
    assert json.loads(listed)["waiting"] == 0
    assert json.loads(daixin(folder, "webhook", "pause", made["id"]).out)["state"] == "paused"
    assert json.loads(daixin(folder, "webhook", "replay", made["id"], "--after", "0").out) == {"sent": 0, "next": None}
    assert json.loads(daixin(folder, "webhook", "resume", made["id"]).out)["state"] == "on"
    new = json.loads(daixin(folder, "webhook", "rotate", made["id"]).out)["secret"]
    assert new != made["secret"]
    assert daixin(folder, "webhook", "test", made["id"]).status == 0
    assert daixin(folder, "webhook", "deliveries", made["id"]).out == ""
    assert daixin(folder, "webhook", "remove", made["id"]).status == 0
    gone = daixin(folder, "webhook", "remove", made["id"])
    assert (gone.status, gone.err) == (1, "There is no such webhook, or it was removed.\n")
    unknown = daixin(folder, "webhook", "add", "http://127.0.0.1:9999/", "--event", "everything")
    assert (unknown.status, "referral.joined" in unknown.err) == (1, True)
