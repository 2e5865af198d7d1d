"""`daixin campaign cost` and `simulate`: what a file would cost, in words and as JSON, before anything is launched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core import i18n
from daixin.cli import program
from rewards.rewards import QUIET
from tests.daixin.program import ROOT, Shell, migrated

CLUB = str(ROOT / "examples/campaigns/tea-club.toml")


def said(*words: str) -> str:
    """What the command answers; no database is asked."""
    found = CliRunner().invoke(program, ["campaign", *words])
    assert found.exit_code == 0, found.output
    return found.output


def test_the_bound_is_said_in_both_languages() -> None:
    english = said("cost", CLUB, "--no-past")
    assert "200,000 points: the budget stops it" in english
    assert "any number of advocates" in english
    assert "由预算封顶" in said("cost", CLUB, "--no-past", "--locale", "zh_Hans")


def test_known_limits_lower_the_bound() -> None:
    found = json.loads(said("cost", CLUB, "--no-past", "--json", "--advocates", "1"))
    points = next(one for one in found["bound"]["assets"] if one["asset"] == "PTS")
    assert points["rules"] == points["most"] < points["budget"]


def test_each_friend_has_a_line() -> None:
    lines = said("simulate", CLUB, "--friends", "6", "--order", "9900").splitlines()
    assert len(lines) == 7
    assert lines[4].startswith("5: ")
    assert "500 points" in lines[4]
    assert "orders" in lines[6]
    assert "第 6 位" in said("simulate", CLUB, "--friends", "6", "--locale", "zh_Hans")


def test_the_simulation_is_json_for_programs() -> None:
    steps = json.loads(said("simulate", CLUB, "--friends", "2", "--json"))
    assert [step["friend"] for step in steps] == [1, 2]
    assert {"to": "friend", "asset": "PTS", "amount": 100} in steps[1]["total"]


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_refusal_has_words(locale: str) -> None:
    caps = {f"cap_{name}" for name in ("reached", "friend", "advocate", "day", "week", "campaign")}
    for reason in {*QUIET, *caps, "budget_empty", "currency_differs", "self_dealing"}:
        assert f"forecast.refused_{reason}" in i18n.catalogue(locale)


def test_a_brand_without_a_past_hears_so(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> None:
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    done = daixin(folder, "campaign", "cost", CLUB)
    assert done.status == 0, done.err
    assert "no campaign that counted the same event" in done.out
    assert daixin(folder, "campaign", "cost", CLUB, "--json").json["past"]["cost"] is None
