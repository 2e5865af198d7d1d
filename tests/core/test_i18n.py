"""Both languages say everything: every message used exists, in both, with the same placeholders."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from core import i18n

ROOT = Path(__file__).parents[2]
PARTS = ("bots", "web", "daixin", "referral", "rewards")
SAYS = {"text", "say", "reply", "button", "_say", "_text"}
KEY = re.compile(r"[a-z][a-z_]*(?:\.[a-z0-9_]+)+")


def forms(locale: str, key: str) -> tuple[str, ...]:
    found = i18n.catalogue(locale)[key]
    return (found,) if isinstance(found, str) else found


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def keys_used() -> Iterator[tuple[str, str]]:
    """(key, where) of every literal message key handed to a function that says it."""
    for file in (path for part in PARTS for path in (ROOT / part).rglob("*.py") if "node_modules" not in path.parts):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SAYS:
                for given in node.args[:2]:
                    if isinstance(given, ast.Constant) and isinstance(given.value, str) and KEY.fullmatch(given.value):
                        yield given.value, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_both_catalogues_hold_the_same_messages() -> None:
    chinese, english = (set(i18n.catalogue(locale)) for locale in i18n.LOCALES)
    assert chinese ^ english == set()
    assert len(english) > 50


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_no_message_is_empty(locale: str) -> None:
    assert [key for key in i18n.catalogue(locale) if not all(forms(locale, key))] == []


def test_both_languages_fill_the_same_placeholders() -> None:
    different = {}
    for key in i18n.catalogue("en"):
        chinese, english = (set().union(*map(placeholders, forms(locale, key))) for locale in i18n.LOCALES)
        if chinese != english:
            different[key] = chinese ^ english
    assert different == {}


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_a_message_stands_in_one_file_only(locale: str) -> None:
    counts: Counter[str] = Counter()
    for file in (ROOT / "core/locales" / locale / "LC_MESSAGES").glob("*.po"):
        with file.open("rb") as opened:
            for message in read_po(opened, locale=locale):
                counts[message.id if isinstance(message.id, str) else message.id[0]] += bool(message.id)
    assert [key for key, times in counts.items() if times > 1] == []


def test_every_message_that_is_said_exists() -> None:
    used = list(keys_used())
    assert len(used) > 50
    assert sorted({f"{key} in {where}" for key, where in used if key not in i18n.catalogue("en")}) == []


@pytest.mark.parametrize(
    ("wanted", "ours"),
    [
        ("zh-hans", "zh_Hans"),
        ("zh_CN", "zh_Hans"),
        ("ZH-TW", "zh_Hans"),
        ("en-GB", "en"),
        ("fr", "en"),
        (None, "en"),
        ("", "en"),
    ],
)
def test_any_chinese_is_chinese(wanted: str | None, ours: str) -> None:
    assert i18n.negotiate(wanted) == ours


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("fr,zh;q=0.8,en;q=0.5", "zh_Hans"),
        ("en;q=0.3,zh-CN;q=0.9", "zh_Hans"),
        ("garbage;;q=x,,", "en"),
        (None, "en"),
    ],
)
def test_a_browser_is_answered_in_the_first_language_we_have(header: str | None, ours: str) -> None:
    assert i18n.negotiate_header(header) == ours


def test_plurals_follow_the_language() -> None:
    assert i18n.text("en", "campaign_file.friend_gets", n=1).startswith("1 point ")
    assert i18n.text("en", "campaign_file.friend_gets", n=2).startswith("2 points ")
    assert i18n.text("zh_Hans", "campaign_file.friend_gets", n=2) == "新朋友达标可得 2 积分"
