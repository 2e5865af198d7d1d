"""`daixin attributes` lists the dictionary in the reader's language, and the handbook's pages are what it says."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from daixin.attribute_page import page
from daixin.cli import program
from rewards.conditions.dictionary import ATTRIBUTES
from tests.daixin.program import ROOT


def said(*words: str, language: str = "en_GB.UTF-8") -> str:
    """What the command answers in a terminal of this language."""
    found = CliRunner().invoke(program, ["attributes", *words], env={"LC_ALL": language})
    assert found.exit_code == 0, found.output
    return found.output


def test_it_lists_everything_in_the_terminals_language() -> None:
    english, chinese = said(), said(language="zh_CN.UTF-8")
    for name in ATTRIBUTES:
        assert name in english
        assert name in chinese
    assert "what was paid for the goods alone" in english
    assert "商品实付" in chinese


def test_the_language_and_the_group_can_be_said() -> None:
    assert "商品实付" in said("--locale", "zh_Hans")
    lines = said("--group", "order").splitlines()
    assert lines
    assert all(line.startswith("order.") for line in lines)


def test_it_is_json_for_programs() -> None:
    rows = json.loads(said("--json"))
    assert [row["name"] for row in rows if row["name"] == "order.net"] == ["order.net"]
    assert len(rows) == len(ATTRIBUTES)


@pytest.mark.parametrize(("file", "locale"), [("attributes.md", "en"), ("attributes.zh.md", "zh_Hans")])
def test_the_handbooks_page_is_current(file: str, locale: str) -> None:
    assert (ROOT / "docs" / file).read_text() == page(locale), f"daixin attributes --markdown > docs/{file}"
