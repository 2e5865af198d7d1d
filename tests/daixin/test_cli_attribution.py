"""Whose an order is, as an operator asks."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from core import clock
from tests.daixin.program import Shell, migrated
from tests.daixin.test_cli_orders import CAMPAIGN, code_of


def test_an_order_is_shown_with_its_decision_and_told_again_under_another_policy(
    daixin: Shell, tmp_path: Path, migrated_sqlite: Path
) -> None:
    house = migrated(tmp_path, migrated_sqlite)
    assert daixin(house, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    (house / "tea.toml").write_text(CAMPAIGN + '[attribution]\nmodel = "last_touch"\n')
    done = daixin(house, "campaign", "apply", "tea.toml")
    assert done.status == 0, done.err
    code, at = code_of(daixin, house, "alice"), (clock.now() + timedelta(hours=1)).isoformat()
    order = ("order", "record", "A-1", "--gross", "100.00", "--currency", "CNY", "--at", at)
    done = daixin(house, *order, "--code", code, "--contact", "bob@example.org")
    assert done.status == 0, done.err
    shown = json.loads(daixin(house, "attribution", "show", "A-1").out)
    [decision] = shown["decisions"]
    assert decision["reason"] == "till_code"
    assert decision["in_words"] == "Their code came with the order"
    assert decision["policy_in_words"].startswith("Last touch: the advocate who reached the friend last in the 30 days")
    assert [share for _, _, share in decision["shares"]] == [1_000_000]
    told = daixin(house, "attribution", "whatif", "tea", "--split", "linear", "--precedence", "link")
    *people, sums = [json.loads(line) for line in told.out.splitlines()]
    assert [(one["orders_now"], one["orders_then"]) for one in people] == [(1.0, 1.0)]
    assert (sums["orders"], sums["moved"]) == (1, 0)
    wrong = daixin(house, "attribution", "whatif", "tea", "--split", "heads")
    assert (wrong.status, "the policy's split is wrong" in wrong.err) == (1, True)
