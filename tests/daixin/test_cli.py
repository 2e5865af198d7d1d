"""Every command as an operator types it, on a database of its own; one clear line for whatever goes wrong."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock
from tests.daixin.program import ROOT, Done, Shell, migrated

EXAMPLE = ROOT / "examples/campaigns/spring-tea.toml"
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
def house(tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A folder with an empty, migrated database."""
    return migrated(tmp_path, migrated_sqlite)


@pytest.fixture
def shop(daixin: Shell, house: Path) -> Path:
    """The same with a brand and a running campaign."""
    assert daixin(house, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    (house / "tea.toml").write_text(CAMPAIGN)
    assert daixin(house, "campaign", "apply", "tea.toml").status == 0
    return house


def refused(done: Done, words: str, status: int = 1) -> None:
    """It said why, in words, and how it ended; nothing else was printed."""
    assert done.status == status, done.err
    assert words in done.err
    assert "Traceback" not in done.err + done.out
    assert done.out == ""


def test_help_names_every_command(daixin: Shell, tmp_path: Path) -> None:
    done = daixin(tmp_path, "--help")
    assert done.status == 0
    for name in ("serve", "demo", "migrate", "doctor", "brand", "campaign", "leaderboard", "say", "ledger", "health"):
        assert name in done.out


def test_a_database_is_brought_to_the_present_schema_twice(daixin: Shell, tmp_path: Path) -> None:
    first, second = daixin(tmp_path, "migrate"), daixin(tmp_path, "migrate")
    assert first.status == second.status == 0
    assert first.out == second.out != ""
    assert first.err == ""


def test_no_command_works_on_a_database_that_is_behind(daixin: Shell, tmp_path: Path) -> None:
    refused(daixin(tmp_path, "campaign", "list"), "run `daixin migrate` first")
    refused(daixin(tmp_path, "say", "--as", "Alice", "hello"), "run `daixin migrate` first")
    assert not (tmp_path / "daixin.db").exists()


def test_a_new_brand_shows_its_key_this_once(daixin: Shell, house: Path) -> None:
    made = daixin(house, "brand", "create", "山茶 Tea", "--slug", "tea-house").json
    assert {"id", "slug", "name", "api_key"} == made.keys()
    assert made["slug"] == "tea-house"
    assert made["api_key"].encode() not in (house / "daixin.db").read_bytes()
    refused(daixin(house, "brand", "create", "Another", "--slug", "tea-house"), "already a brand tea-house")


def test_a_campaign_file_is_applied_as_often_as_one_likes(daixin: Shell, house: Path) -> None:
    refused(daixin(house, "campaign", "apply", str(EXAMPLE)), "--brand SLUG")
    assert daixin(house, "brand", "create", "Tea", "--slug", "tea-house").status == 0
    (house / "tea.toml").write_text(CAMPAIGN)
    first, again = (daixin(house, "campaign", "apply", "tea.toml").json for _ in range(2))
    assert (first["changed"], again["changed"]) == ("created", "unchanged")
    assert first["version"] == again["version"] == 1
    (house / "tea.toml").write_text(CAMPAIGN.replace("stay_days = 3", "stay_days = 4"))
    assert daixin(house, "campaign", "apply", "tea.toml").json["version"] == 2


def test_a_wrong_campaign_file_says_every_mistake_with_its_line(daixin: Shell, shop: Path) -> None:
    (shop / "tea.toml").write_text(CAMPAIGN.replace("stay_days = 3", 'stay_days = "many"\ncolour = "red"'))
    done = daixin(shop, "campaign", "apply", "tea.toml")
    refused(done, "The campaign file has problems")
    assert "11: " in done.err
    assert "colour" in done.err
    refused(daixin(shop, "campaign", "apply", "nowhere.toml"), "no file nowhere.toml")
    (shop / "latin.toml").write_bytes("[campaign]\ntitle = 'Café'".encode("latin-1"))
    refused(daixin(shop, "campaign", "apply", "latin.toml"), "UTF-8")


def test_a_campaign_is_listed_shown_paused_resumed_and_ended(daixin: Shell, shop: Path) -> None:
    assert "tea" in daixin(shop, "campaign", "list").out
    assert [row["slug"] for row in daixin(shop, "campaign", "list", "--json").json] == ["tea"]
    assert daixin(shop, "campaign", "show", "tea").json["title"]["zh_Hans"] == "双人茶"
    assert daixin(shop, "campaign", "pause", "tea").json == {"slug": "tea", "state": "paused"}
    assert daixin(shop, "campaign", "resume", "tea").json["state"] == "running"
    assert daixin(shop, "campaign", "end", "tea").json["state"] == "ended"
    refused(daixin(shop, "campaign", "resume", "tea"), "no longer possible")
    refused(daixin(shop, "campaign", "pause", "coffee"), "no campaign coffee")
    refused(daixin(shop, "campaign", "list", "--brand", "nobody"), "no brand nobody")


def test_alice_and_bob_talk_to_the_bot_from_a_script(daixin: Shell, shop: Path) -> None:
    invited = daixin(shop, "say", "--as", "Alice", "/invite", "--json").json
    code = next(word for word in invited[0]["text"].split() if "-" in word and "`" in word).strip("`")
    assert invited[0]["image"].endswith(".jpg")
    welcomed = daixin(shop, "say", "--as", "Bob", f"/start {code}")
    assert "Welcome, Bob! Alice invited you" in welcomed.out
    assert "邀请" in daixin(shop, "say", "--as", "Carol", "--locale", "zh_Hans", "帮助").out
    assert daixin(shop, "leaderboard", "tea", "--json").json == []
    assert daixin(shop, "ledger", "verify").out == "The books are in order.\n"


def test_a_row_changed_behind_our_back_is_found_and_named(daixin: Shell, shop: Path) -> None:
    with sqlite3.connect(shop / "daixin.db") as raw:
        raw.execute("UPDATE ledger_account SET balance = balance + 5 WHERE purpose = 'campaign.budget'")
        raw.execute("UPDATE ledger_account SET balance = balance - 5 WHERE purpose = 'external'")
    done = daixin(shop, "ledger", "verify")
    assert done.status == 1
    assert "ledger_account" in done.err
    rows = daixin(shop, "ledger", "verify", "--json")
    assert rows.status == 1
    assert all({"kind", "table", "id", "detail"} == row.keys() for row in rows.json)


def test_the_doctor_says_what_to_do(daixin: Shell, tmp_path: Path, house: Path) -> None:
    sick = daixin(house, "doctor", public_url="http://shop.example", database_url="sqlite:////nowhere/at/all.db")
    assert sick.status == 1
    assert "DAIXIN_PUBLIC_URL" in sick.out
    assert "database" in sick.out
    findings = daixin(house, "doctor", "--json").json
    assert [one["what"] for one in findings if not one["ok"]] == ["0 brand(s)"]
    assert daixin(house, "brand", "create", "Tea").status == 0
    well = daixin(house, "doctor")
    assert (well.status, "fix" in well.out) == (0, False)


def test_a_wrong_setting_is_named(daixin: Shell, house: Path) -> None:
    refused(daixin(house, "campaign", "list", web_port="many"), "DAIXIN_WEB_PORT cannot be used")
    refused(daixin(house, "campaign", "list", secret_key="short"), "too short")
    refused(daixin(house, "campaign", "list", secret_key="", secret_key_file="/nowhere"), "/nowhere")
    gone = daixin(house, "campaign", "list", database_url="postgresql://me:hush-hush@127.0.0.1:1/tea")
    refused(gone, "The database cannot be used")
    assert "hush-hush" not in gone.err
    refused(daixin(house, "serve", telegram_token="1:x", telegram_webhook_url="https://x.example"), "needs a secret")


def test_what_is_typed_wrong_is_a_question_of_usage(daixin: Shell, house: Path) -> None:
    for words in (["sing"], ["serve", "--only", "phone"], ["say", "hello"], ["campaign", "apply"]):
        done = daixin(house, *words)
        assert done.status == 2, words
        assert "Traceback" not in done.err


def test_health_without_a_server_is_a_clear_no(daixin: Shell, house: Path) -> None:
    refused(daixin(house, "health", web_port="9"), "No answer from 127.0.0.1:9")


def test_lost_messages_are_shown_and_queued_again(daixin: Shell, shop: Path) -> None:
    assert daixin(shop, "outbox", "dead").out == ""
    row = ("0" * 32, "k1", "chat:telegram", json.dumps({"key": "news.joined"}), "dead", 12)
    moment = "2026-01-01 00:00:00.000000"
    with sqlite3.connect(shop / "daixin.db") as raw:
        raw.execute(
            "INSERT INTO outbox (id, key, topic, payload, state, attempts, due_at, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*row, moment, moment),
        )
    assert json.loads(daixin(shop, "outbox", "dead").out)["key"] == "k1"
    assert daixin(shop, "outbox", "requeue").out == "1 messages queued again.\n"
    assert daixin(shop, "outbox", "dead").out == ""
