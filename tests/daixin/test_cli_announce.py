"""`daixin announce …` as an operator types it."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

from core import clock
from tests.daixin.program import Shell, migrated

TODAY = clock.now().date()
CAMPAIGN = f"""
[campaign]
slug = "tea"
title = {{ en = "Tea for two", zh_Hans = "双人茶" }}
benefit = {{ en = "A tin of tea", zh_Hans = "一罐茶" }}
starts_at = {TODAY - timedelta(days=9)}T00:00:00
ends_at = {TODAY + timedelta(days=90)}T00:00:00
[rewards]
budget = 10000
rules = [{{ to = "advocate", amount = 100 }}]
[announce]
pin = false
"""


def test_the_log_names_each_post_and_what_was_refused_is_tried_again(
    daixin: Shell, tmp_path: Path, migrated_sqlite: Path
) -> None:
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    assert daixin(folder, "community", "connect", "--", "telegram", "-100", "Tea lovers").status == 0
    (folder / "tea.toml").write_text(CAMPAIGN)
    assert daixin(folder, "campaign", "apply", "tea.toml").status == 0
    [row] = [json.loads(line) for line in daixin(folder, "announce", "log", "tea").out.splitlines()]
    assert (row["what"], row["group"], row["state"], row["tries"]) == ("start", "telegram:-100", "queued", 1)
    assert daixin(folder, "announce", "retry", "tea").out == "0 post(s) on their way again.\n"

    with sqlite3.connect(folder / "daixin.db") as base:
        base.execute("UPDATE announcement SET state = 'failed', reason = 'not enough rights'")
    assert daixin(folder, "announce", "retry", "tea").out == "1 post(s) on their way again.\n"
    [row] = [json.loads(line) for line in daixin(folder, "announce", "log", "tea").out.splitlines()]
    assert (row["state"], row["reason"], row["tries"]) == ("queued", None, 2)


def test_a_group_gets_its_own_language(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    assert daixin(folder, "community", "connect", "--", "telegram", "-100", "Tea lovers").status == 0
    for language, spoken in (("en", "en"), ("brand", "zh_Hans")):
        done = daixin(folder, "announce", "language", "telegram:-100", language)
        assert done.json == {"group": "telegram:-100", "language": spoken}
    for words in (("telegram:-100", "fr"), ("telegram:-200", "en")):
        wrong = daixin(folder, "announce", "language", *words)
        assert wrong.status == 1
        assert words[1] in wrong.err or words[0] in wrong.err
