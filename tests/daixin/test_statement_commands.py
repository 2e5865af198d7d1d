"""`daixin statement …` as an operator types it: files for a member, a brand and a campaign."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.daixin.program import ROOT, Shell, migrated

CAMPAIGN = ROOT / "examples/campaigns/spring-tea.toml"


@pytest.fixture
def shop(daixin: Shell, tmp_path: Path, migrated_sqlite: Path) -> Path:
    """A folder with a brand, its campaign and a member who has spoken."""
    folder = migrated(tmp_path, migrated_sqlite)
    assert daixin(folder, "brand", "create", "山茶 Tea", "--slug", "tea-house").status == 0
    assert daixin(folder, "campaign", "apply", str(CAMPAIGN)).status == 0
    assert daixin(folder, "say", "/invite", "--as", "alice").status == 0
    return folder


def test_a_campaigns_report_is_a_spreadsheet(daixin: Shell, shop: Path) -> None:
    done = daixin(shop, "statement", "campaign", "spring-tea", "-o", str(shop / "report.xlsx"))
    assert (done.status, done.err) == (0, "")
    opened = load_workbook(shop / "report.xlsx")
    assert opened.sheetnames == ["结算", "核对", "按规则", "奖励明细"]
    assert opened["结算"]["A2"].value == "PTS"
    assert not list(shop.glob("*.part"))


def test_the_brands_months_are_csv_in_the_language_asked_for(daixin: Shell, shop: Path) -> None:
    done = daixin(shop, "statement", "brand", "--locale", "en")
    assert done.status == 0, done.err
    head, row = csv.reader(io.StringIO(done.out.removeprefix("\ufeff")))
    assert head[:3] == ["Month", "Asset", "Funded"]
    assert row[1] == "PTS"


def test_a_member_is_named_by_an_account(daixin: Shell, shop: Path) -> None:
    done = daixin(shop, "statement", "member", "webchat:say:alice", "--format", "json")
    assert done.status == 0, done.err
    assert json.loads(done.out) == {"lines": [], "purse": []}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("member", "telegram:nobody"), "member"),
        (("member", "not-an-id"), "member"),
        (("campaign", "no-such"), "no-such"),
        (("campaign", "spring-tea", "--format", "pdf"), "pdf"),
        (("campaign", "spring-tea", "--format", "xlsx"), "-o"),
        (("campaign", "spring-tea", "--sheet", "lines"), "settlement"),
        (("brand", "--from", "2026-03-02", "--to", "2026-03-01"), "after"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(daixin: Shell, shop: Path, words: tuple[str, ...], said: str) -> None:
    done = daixin(shop, "statement", *words)
    assert done.status == 1
    assert said in done.err
    assert "Traceback" not in done.err
    assert done.out == ""
