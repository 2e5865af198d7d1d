"""Statements as files: read back as a spreadsheet, a CSV reader and a program would, with nothing that is reckoned."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from core import i18n
from core.money import LARGEST, Money
from rewards.rewards import QUIET
from rewards.statements import campaign, files
from rewards.statements.brand import brand_statement
from rewards.statements.files import harmless, write
from rewards.statements.member import member_statement
from rewards.statements.sheets import Book, Cell, Sheet, columns
from rewards.verify.transfers import KINDS
from tests.house import House
from tests.rewards.payouts.till import open_till

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
WICKED = [
    '=HYPERLINK("http://x","y")',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1+1",
    "＋1",
    "－1",
    "＠a",
    "\n=1",
]


def book(*rows: Sequence[Cell], locale: str = "en") -> Book:
    """A statement of one sheet with a column of each kind."""
    shown = columns(member="text", rewards="number", amount="amount", at="moment")
    return Book((Sheet("rewards", shown, rows),), locale, "Asia/Shanghai")


def written(found: Book, format: str, sheet: str | None = None) -> bytes:
    to = io.BytesIO()
    write(found, format, to, sheet)
    return to.getvalue()


def cells(data: bytes, sheet: int = 0) -> list[list[Any]]:
    page = load_workbook(io.BytesIO(data)).worksheets[sheet]
    return [list(row) for row in page.iter_rows()]


def test_a_csv_file_opens_in_excel_with_its_chinese() -> None:
    data = written(
        book(("王芳", 3, Money(-1_230, "CNY"), NOON), ('a,b\n"c"', None, None, None), locale="zh_Hans"), "csv"
    )
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\r\n") == 3
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))) == [
        ["成员", "笔数", "金额", "时间"],
        ["王芳", "3", "-12.30", "2026-03-01 12:00:00"],
        ['a,b\n"c"', "", "", ""],
    ]


def test_a_spreadsheet_has_numbers_with_the_decimals_of_their_asset() -> None:
    rows = [("Bob", 3, Money(minor, asset), NOON) for minor, asset in ((1_230, "CNY"), (7, "PTS"), (5, "JPY"))]
    head, *found = cells(written(book(*rows, ("gift", 1, Money(2, "item:mug"), None)), "xlsx"))
    assert [cell.value for cell in head] == ["Member", "Rewards", "Amount", "Time"]
    assert [(row[2].value, row[2].number_format) for row in found] == [
        (12.3, "#,##0.00"),
        (7, "#,##0"),
        (5, "#,##0"),
        (2, "#,##0"),
    ]
    assert found[0][3].value == datetime(2026, 3, 1, 12, 0)  # noqa: DTZ001  # a spreadsheet knows no zones
    assert found[3][3].value is None


@pytest.mark.parametrize("text", WICKED)
def test_no_text_is_reckoned_with(text: str) -> None:
    [_, [name, *_]] = csv.reader(
        io.StringIO(written(book((text, 1, None, None)), "csv").decode("utf-8-sig"), newline="")
    )
    assert name == f"'{text}"
    [_, [cell, *_]] = cells(written(book((text, 1, None, None)), "xlsx"))
    assert cell.data_type == "s"
    assert str(cell.value).replace("\r\n", "\n").strip() == text.replace("\r\n", "\n").strip()
    assert json.loads(written(book((text, 1, None, None)), "json"))["rewards"][0]["member"] == text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20))
def test_any_name_survives_in_every_format(name: str) -> None:
    rows = book((name, 1, Money(1, "CNY"), NOON))
    [_, [said, *_]] = csv.reader(io.StringIO(written(rows, "csv").decode("utf-8-sig"), newline=""))
    assert said == harmless(name)
    assert not said.lstrip()[:1] or said.lstrip()[0] not in "=+-@＝＋－＠"
    assert len(cells(written(rows, "xlsx"))) == 2


@pytest.mark.parametrize("minor", [LARGEST, -LARGEST, 10**15 - 1, 0, 1, -1])
def test_the_largest_amounts_are_exact(minor: int) -> None:
    rows = book(("Bob", 1, Money(minor, "CNY"), None))
    exact = Decimal(minor) / 100
    [_, row] = csv.reader(io.StringIO(written(rows, "csv").decode("utf-8-sig"), newline=""))
    assert Decimal(row[2]) == exact
    [_, sheet] = cells(written(rows, "xlsx"))
    assert Decimal(str(sheet[2].value)) == exact  # a text, where Excel would lose a digit
    assert json.loads(written(rows, "json"))["rewards"][0]["amount"] == minor


def test_rows_are_taken_one_after_another() -> None:
    """A file of many rows is written while they come; nothing asks for the second before the first is away."""
    taken: list[int] = []

    def rows() -> Iterator[Sequence[Cell]]:
        for number in range(5_000):
            taken.append(number)
            yield f"member {number}", number, Money(number, "PTS"), NOON

    class Counting(io.BytesIO):
        most = 0

        def write(self, data: Any) -> int:
            self.most = max(self.most, len(data))
            return super().write(data)

    for kind in ("csv", "json"):
        to = Counting()
        shown = columns(member="text", rewards="number", amount="amount", at="moment")
        write(Book((Sheet("rewards", shown, rows()),), "en", "UTC"), kind, to)
        assert to.most < 1_000
        assert len(to.getvalue()) > 100_000
    assert len(taken) == 10_000


def test_a_full_sheet_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS_MAX", 3)
    data = written(book(*((f"m{number}", number, None, None) for number in range(7))), "xlsx")
    opened = load_workbook(io.BytesIO(data))
    assert opened.sheetnames == ["Rewards", "Rewards 2", "Rewards 3"]
    assert [page.max_row for page in opened.worksheets] == [4, 4, 2]


@pytest.mark.parametrize("locale", i18n.LOCALES)
def test_every_heading_and_word_exists(house: House, locale: str) -> None:
    till = open_till(house)
    known = i18n.catalogue(locale)

    def keys(session: Any) -> list[str]:
        books = (
            member_statement(session, till.brand, till.alice, locale=locale, timezone="UTC"),
            brand_statement(session, till.brand, locale=locale, timezone="UTC"),
            campaign.campaign_statement(session, till.shop.campaign, locale=locale),
        )
        sheets = [sheet for found in books for sheet in found.sheets]
        columns = [f"statement.column.{column.key}" for sheet in sheets for column in sheet.columns]
        return [*columns, *(f"statement.sheet.{sheet.key}" for sheet in sheets)]

    reasons = {key.split(".")[1] for key in known if key.startswith("reason.")} | set(QUIET)
    wanted = [
        *house.ask(keys),
        *(f"statement.kind.{kind}" for kind in (*KINDS, "adjust", "link")),
        *(f"statement.reason.{reason}" for reason in reasons),
    ]
    assert [key for key in wanted if key not in known] == []


def test_a_sheet_of_a_book_can_be_asked_for() -> None:
    two = Book(
        (Sheet("rules", columns(rule="text"), [["a"]]), Sheet("checks", columns(asset="text"), [["CNY"]])), "en", "UTC"
    )
    assert b"CNY" in written(two, "csv", "checks")
    assert b"CNY" not in written(two, "csv")
    assert json.loads(written(two, "json")) == {"rules": [{"rule": "a"}], "checks": [{"asset": "CNY"}]}
