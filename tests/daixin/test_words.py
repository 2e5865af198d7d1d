"""No refusal is left without words: every code the house raises stands in both catalogues."""

from __future__ import annotations

import re

import pytest

from core import i18n
from core.errors import NotFound
from daixin.console import explain
from tests.daixin.program import ROOT

PARTS = ("core", "referral", "rewards", "bots", "web", "daixin")
RAISED = re.compile(r"raise (?:Refused|NotFound|Conflict|NotAllowed|BadInput|Unavailable)\(\s*\"([a-z_]+)\"")
OWN_WORDS = ROOT / "bots/webchat"
"""The web chat's page has a `Refused` of its own, with words of its own."""


def raised() -> set[str]:
    """Every code that some `raise` of ours names."""
    files = (path for part in PARTS for path in (ROOT / part).rglob("*.py") if OWN_WORDS not in path.parents)
    return {code for path in files for code in RAISED.findall(path.read_text())}


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_refusal_has_words(locale: str) -> None:
    codes = raised()
    assert len(codes) > 30
    assert [code for code in sorted(codes) if f"error.{code}" not in i18n.catalogue(locale)] == []


def test_a_code_without_words_is_still_one_line() -> None:
    assert explain(NotFound("unheard_of", slug="x")) == "unheard_of {'slug': 'x'}"
    assert explain(RuntimeError("a bug deserves its traceback")) is None
