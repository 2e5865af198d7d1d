"""Orders, refunds and decisions as an operator types them."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core import clock
from tests.daixin.program import Done, Shell, migrated

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
event = "purchased"
[rewards]
asset = "CNY"
budget = 100000
[[rewards.rules]]
to = "advocate"
on = "purchased"
basis_points = 1000
hold_days = 7
"""


@pytest.fixture
def shop(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A brand whose campaign pays a tenth of each order of a friend."""
    house = migrated(tmp_path, migrated_sqlite)
    assert daixin(house, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    (house / "tea.toml").write_text(CAMPAIGN)
    done = daixin(house, "campaign", "apply", "tea.toml")
    assert done.status == 0, done.err
    return house


def code_of(daixin: Shell, shop: Path, name: str) -> str:
    """Somebody asks for their code in the web chat."""
    said = daixin(shop, "say", "/invite", "--as", name, "--json").out
    found = re.search(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]", said)
    assert found is not None, said
    return found[0]


def answer(done: Done) -> dict[str, Any]:
    """What it printed."""
    assert done.status == 0, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_an_order_a_refund_and_what_became_of_them(daixin: Shell, shop: Path) -> None:
    code = code_of(daixin, shop, "alice")
    order = ("order", "record", "A-1", "--gross", "100.00", "--currency", "CNY")
    who = ("--code", code, "--contact", "bob@example.org")
    first = answer(daixin(shop, *order, *who))
    assert (first["status"], first["net"], first["repeated"]) == ("attributed", 10_000, False)
    assert answer(daixin(shop, *order, *who)) == first | {"repeated": True}
    assert answer(daixin(shop, "order", "refund", "R-1", "A-1", "--amount", "25"))["status"] == "applied"
    shown = answer(daixin(shop, "order", "show", "A-1"))
    assert shown["order"]["left"] == 7_500
    assert [(one["amount"], one["taken_back"], one["state"]) for one in shown["rewards"]] == [(1_000, 250, "held")]
    again = daixin(shop, "order", "record", "A-1", "--gross", "99.00", "--currency", "CNY")
    assert again.status == 1
    assert "other figures" in again.err
    nothing = daixin(shop, "order", "refund", "R-2", "B-9")
    assert nothing.status == 1
    assert "no order B-9" in nothing.err
    rejected = answer(daixin(shop, "referral", "reject", first["referral_id"], "--reason", "one person", "--by", "mei"))
    assert (rejected["state"], rejected["reason"]) == ("reversed", "fraud")
    assert rejected["facts"]["rejected"]["actor"] == "mei"
    assert answer(daixin(shop, "order", "show", "A-1"))["rewards"][0]["state"] == "voided"
    assert daixin(shop, "ledger", "verify").status == 0


def test_a_file_of_orders_is_taken_once(daixin: Shell, shop: Path) -> None:
    code = code_of(daixin, shop, "alice")
    lines = [
        "order,at,currency,gross,discount,code,contact,refund,amount",
        f"A-1,{clock.now().isoformat()},CNY,100.00,10,{code},bob@example.org,,",
        f"A-1,{clock.now().isoformat()},CNY,,,,,R-1,45.00",
        f"A-2,{clock.now().isoformat()},CNY,8.5,,,,,",
    ]
    (shop / "orders.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    command = ("order", "import", "orders.csv", "--source", "teashop")
    assert answer(daixin(shop, *command))["outcomes"] == {"attributed": 1, "unattributed": 1, "applied": 1}
    assert answer(daixin(shop, *command))["outcomes"] == {"repeated": 3}
    guest = json.loads(daixin(shop, "order", "unattributed").out)
    assert (guest["external_id"], guest["reason"]) == ("A-2", "guest")
    lines[3] = lines[3].replace("8.5", "9.5")
    (shop / "orders.csv").write_text("\n".join(lines))
    changed = daixin(shop, *command)
    assert changed.status == 1
    assert "orders.csv:4:" in changed.err
    assert json.loads(changed.out) == {"file": "orders.csv", "outcomes": {"repeated": 2}, "refused": 1}


def test_a_malformed_file_is_refused_with_its_lines(daixin: Shell, shop: Path) -> None:
    lines = ["order,at,currency,gross", "A-1,yesterday,CNY,1", "A-2,2026-01-01,CNY,1.001", "A-3,2026-01-01,CNY,1"]
    (shop / "orders.csv").write_text("\n".join(lines))
    done = daixin(shop, "order", "import", "orders.csv")
    assert done.status == 1
    assert "orders.csv:2: yesterday is no moment" in done.err
    assert "orders.csv:3:" in done.err
    assert daixin(shop, "order", "unattributed").out == ""
    (shop / "other.csv").write_text("id,price\n1,2\n")
    other = daixin(shop, "order", "import", "other.csv")
    assert other.status == 1
    assert "order, at, currency" in other.err


def test_goodwill_and_a_deduction(daixin: Shell, shop: Path) -> None:
    code_of(daixin, shop, "alice")
    with closing(sqlite3.connect(shop / "daixin.db")) as base:
        [(platform, account)] = base.execute("SELECT platform, account FROM identity").fetchall()
    give = (
        "adjust",
        f"{platform}:{account}",
        "--campaign",
        "tea",
        "--asset",
        "CNY",
        "--reason",
        "Sorry",
        "--by",
        "mei",
    )
    assert answer(daixin(shop, *give, "--amount", "5.00", "--key", "t-1"))["amount"] == 500
    assert answer(daixin(shop, *give, "--amount=-7.50", "--key", "t-2"))["debt"] == {"CNY": 250}
    assert daixin(shop, *give, "--amount", "1", "--key", "t-1").status == 1
