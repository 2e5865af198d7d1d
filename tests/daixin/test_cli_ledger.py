"""`daixin ledger …` as an operator and a doubting member type it."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock, events
from core.db import make_engine
from core.writer import Writer
from rewards.proofs import blocks
from tests.daixin.program import Shell, migrated

TODAY = clock.now().date()
CAMPAIGN = f"""
[campaign]
slug = "tea"
title = {{ en = "Tea for two", zh_Hans = "双人茶" }}
benefit = {{ en = "A tin of tea", zh_Hans = "一罐茶" }}
timezone = "UTC"
starts_at = {TODAY - timedelta(days=9)}T00:00:00
ends_at = {TODAY + timedelta(days=90)}T00:00:00
[qualify]
event = "retained"
stay_days = 3
[rewards]
budget = 10000
rules = [{{ to = "advocate", amount = 100 }}]
"""


@pytest.fixture
def shop(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A folder with a brand whose campaign was given its budget: one transfer."""
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    (folder / "tea.toml").write_text(CAMPAIGN)
    assert daixin(folder, "campaign", "apply", "tea.toml").status == 0
    return folder


def seal(folder: Path) -> None:
    writer = Writer(make_engine(f"sqlite:///{folder / 'daixin.db'}", writer=True), events.Bus()).start()
    assert writer.run_sync(blocks.seal_due) == 1
    writer.close()


def test_a_transfer_is_proved_and_the_proof_checked_where_there_is_no_database(
    daixin: Shell, shop: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with sqlite3.connect(shop / "daixin.db") as raw:
        [(transfer, reference)] = raw.execute("SELECT id, reference FROM transfer")
    early = daixin(shop, "ledger", "prove", transfer)
    assert (early.status, early.err) == (
        1,
        "This transfer is not sealed yet. Blocks are sealed every minute; try again then.\n",
    )
    seal(shop)
    proof, same = (daixin(shop, "ledger", "prove", name) for name in (transfer, reference))
    assert proof.json == same.json
    root = daixin(shop, "ledger", "root").json
    assert (root["height"], len(root["root"])) == (0, 64)

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "proof.json").write_text(proof.out)
    checked = daixin(elsewhere, "ledger", "check-proof", "proof.json", "--root", root["root"])
    assert checked.status == 0
    assert checked.out.startswith("The transfer is in the books. It is transfer 1 of 1 in block 0, sealed at ")
    assert list(elsewhere.glob("*.db")) == []

    (elsewhere / "forged.json").write_text(json.dumps({**proof.json, "position": 3}))
    forged = daixin(elsewhere, "ledger", "check-proof", "forged.json")
    assert (forged.status, forged.out) == (1, "")
    assert forged.err == "The block has 1 transfers, this would be one beyond them.\n"
    as_json = daixin(elsewhere, "ledger", "check-proof", "forged.json", "--json")
    assert (as_json.status, as_json.json["ok"], as_json.json["code"]) == (1, False, "position")
    missing = daixin(elsewhere, "ledger", "check-proof", "nowhere.json")
    assert missing.status == 1
    assert "nowhere.json" in missing.err
    assert "Traceback" not in missing.err


def test_the_books_with_blocks_are_in_order_and_a_changed_block_is_named(daixin: Shell, shop: Path) -> None:
    seal(shop)
    assert daixin(shop, "ledger", "verify").out == "The books are in order.\n"
    with sqlite3.connect(shop / "daixin.db") as raw:
        raw.execute("DROP TRIGGER block_not_changed")
        raw.execute("UPDATE block SET root = previous")
    done = daixin(shop, "ledger", "verify")
    assert done.status == 1
    assert "block " in done.err


def test_what_is_not_there_is_said(daixin: Shell, shop: Path) -> None:
    assert "There is no transfer grant/x" in daixin(shop, "ledger", "prove", "grant/x").err
    assert "No block was sealed on 2020-01-01." in daixin(shop, "ledger", "root", "--day", "2020-01-01").err
    today = clock.now().date().isoformat()
    assert "No block was sealed on" in daixin(shop, "ledger", "root", "--day", today).err


def test_the_operator_chooses_where_the_roots_are_posted(daixin: Shell, shop: Path) -> None:
    on = daixin(shop, "ledger", "publish", "on", "--to", "telegram:-100", "--to", "discord:c:5")
    assert on.json == {"brand": "tea-house", "posted_in": ["discord:c:5", "telegram:-100"]}
    assert daixin(shop, "ledger", "publish", "off").json["posted_in"] == []
    assert "does not name a chat" in daixin(shop, "ledger", "publish", "on", "--to", "telegram").err
    for wrong in (["on"], ["off", "--to", "telegram:-100"], ["perhaps"]):
        done = daixin(shop, "ledger", "publish", *wrong)
        assert done.status == 2
        assert "PLATFORM:CHAT" in done.err
