"""Naming a group's admin on the command line, and plans that are refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daixin.program import Shell, migrated

PLAN = """
[campaign]
slug = "tea"
title = { en = "Tea", zh_Hans = "茶" }
benefit = { en = "Tea", zh_Hans = "茶" }
starts_at = 2020-01-01T00:00:00
ends_at = 2021-12-31T00:00:00
[rewards]
budget = 5
rules = [
  { to = "advocate", amount = 100 },
  { to = "friend", amount = 1, when = 'friend.hat' },
]
"""


@pytest.fixture
def house(tmp_path: Path, migrated_sqlite: Path, daixin: Shell) -> Path:
    """A folder with a database in which there is a brand."""
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "Tea", "--slug", "tea").status == 0
    return folder


def test_the_admin_of_a_group_is_a_person_who_talked_to_us(daixin: Shell, house: Path) -> None:
    assert daixin(house, "say", "/start", "--as", "Alice").status == 0
    assert daixin(house, "community", "connect", "discord", "1001", "Tea").status == 0
    done = daixin(house, "community", "admin", "discord:1001", "webchat:say:Alice")
    assert done.status == 0, done.err
    assert done.json["title"] == "Tea"
    nobody = daixin(house, "community", "admin", "discord:1001", "webchat:nobody")
    assert (nobody.status, nobody.out) == (1, "")
    nowhere = daixin(house, "community", "admin", "discord:9", "webchat:say:Alice")
    assert "discord:9 is no connected group of this brand" in nowhere.err


def test_a_plan_is_refused_with_places_and_reasons(daixin: Shell, house: Path) -> None:
    (house / "tea.toml").write_text(PLAN)
    done = daixin(house, "campaign", "apply", "tea.toml")
    assert done.status == 1
    assert "12:40: rewards.rules.1.when: there is no attribute" in done.err
    (house / "tea.toml").write_text(PLAN.replace(", when = 'friend.hat'", ""))
    done = daixin(house, "campaign", "apply", "tea.toml")
    assert done.status == 1
    assert "9: rewards.budget: the budget in PTS does not cover one reward; make it at least 101 points" in done.err
