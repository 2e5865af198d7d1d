"""Statements as files: CSV (RFC 4180, UTF-8 with a byte order mark for Excel), XLSX and JSON, written row by row.

A text that a spreadsheet would take for a formula gets an apostrophe before it in CSV and is typed as text in XLSX
(OWASP, “CSV Injection”). Amounts are numbers with the decimals of their asset, never texts with signs.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from core import i18n
from core.money import Money, decimals
from rewards.statements.sheets import Book, Cell, Sheet

FORMATS = ("csv", "xlsx", "json")
ROWS_MAX = 1_048_575
"""Rows below the heading that a sheet of Excel holds."""
EXACT = 10**15
"""Excel keeps fifteen digits: an amount with more is written as text rather than wrong."""
LONGEST = 32_767
"""Characters of a cell in Excel."""
_FORMULA = re.compile(r"\s*[=+\-@\t\r\n＝＋－＠]")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDTH = {"text": 24, "number": 10, "amount": 16, "moment": 20}


def write(book: Book, format: str, to: BinaryIO, sheet: str | None = None, *, mark: bool = True) -> None:
    """Write the statement in one of `FORMATS`. CSV holds one `sheet` (the first unless said) and begins with a byte
    order mark (`mark`), by which Excel knows UTF-8."""
    if format == "csv":
        _write_csv(book, book.sheet(sheet) if sheet else book.sheets[0], to, mark)
    elif format == "xlsx":
        _write_xlsx(book, to)
    else:
        _write_json(book, to)


def heading(book: Book, sheet: Sheet) -> list[str]:
    """The columns' headings in words."""
    found = []
    for column in sheet.columns:
        words = i18n.text(book.locale, f"statement.column.{column.key}")
        found.append(f"{words} ({book.timezone})" if book.zoned and column.kind == "moment" else words)
    return found


def harmless(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet would reckon with it."""
    shown = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    return f"'{shown}" if _FORMULA.match(shown) else shown


def _write_csv(book: Book, sheet: Sheet, to: BinaryIO, mark: bool) -> None:
    text = io.TextIOWrapper(to, encoding="utf-8-sig" if mark else "utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\r\n")
    zone = ZoneInfo(book.timezone)
    writer.writerow(heading(book, sheet))
    for row in sheet.rows:
        writer.writerow([_csv_cell(cell, zone) for cell in row])
    text.detach()


def _csv_cell(cell: Cell, zone: ZoneInfo) -> str:
    match cell:
        case None:
            return ""
        case Money():
            return format(_decimal(cell), "f")
        case datetime():
            return cell.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        case int():
            return str(cell)
        case str():
            return harmless(cell)


def _decimal(amount: Money) -> Decimal:
    return Decimal(amount.minor).scaleb(-decimals(amount.asset))


def _write_xlsx(book: Book, to: BinaryIO) -> None:
    workbook = Workbook(write_only=True)
    try:
        for sheet in book.sheets:
            title = i18n.text(book.locale, f"statement.sheet.{sheet.key}")
            rows = iter(sheet.rows)
            for number in count(1):
                if not _xlsx_sheet(workbook, book, sheet, title if number == 1 else f"{title} {number}", rows):
                    break
        workbook.save(to)
    except BaseException:
        _let_go(workbook)
        raise


def _let_go(workbook: Any) -> None:
    """The library keeps the rows of a workbook that is not saved in the temporary folder until the process ends."""
    for page in workbook.worksheets:
        if page._writer is not None:
            with contextlib.suppress(Exception):  # a full disk, for one, which is being told already
                page.close()
            Path(page._writer.out).unlink(missing_ok=True)


def _xlsx_sheet(workbook: Workbook, book: Book, sheet: Sheet, title: str, rows: Iterator[Sequence[Cell]]) -> bool:
    """Write as many rows as a sheet holds; whether it is full, so that another may have to follow."""
    page = workbook.create_sheet(title[:31])
    page.freeze_panes = "A2"
    for place, column in enumerate(sheet.columns, 1):
        page.column_dimensions[get_column_letter(place)].width = _WIDTH[column.kind]
    page.append([_xlsx_text(page, words, bold=True) for words in heading(book, sheet)])
    zone = ZoneInfo(book.timezone)
    written = 0
    for row in islice(rows, ROWS_MAX):
        page.append([_xlsx_cell(page, cell, zone) for cell in row])
        written += 1
    return written == ROWS_MAX


def _xlsx_cell(page: Any, cell: Cell, zone: ZoneInfo) -> Any:
    match cell:
        case None:
            return None
        case Money():
            return _xlsx_amount(page, cell)
        case datetime():
            made = WriteOnlyCell(page, cell.astimezone(zone).replace(tzinfo=None))
            made.number_format = "yyyy-mm-dd hh:mm:ss"
            return made
        case int():
            return cell
        case str():
            return _xlsx_text(page, cell)


def _xlsx_amount(page: Any, amount: Money) -> Any:
    value = _decimal(amount)
    if abs(amount.minor) >= EXACT:
        return _xlsx_text(page, format(value, "f"))
    made = WriteOnlyCell(page)
    made.value = value
    places = decimals(amount.asset)
    made.number_format = "#,##0" + ("." + "0" * places if places else "")
    return made


def _xlsx_text(page: Any, text: str, *, bold: bool = False) -> Any:
    shown = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)[:LONGEST]
    if not bold and not shown.startswith(("=", "#")):
        return shown  # plain text is taken for what it is, and a cell of its own takes five times as long
    made = WriteOnlyCell(page, shown)
    made.data_type = "s"  # whatever it begins with
    if bold:
        made.font = Font(bold=True)
    return made


def _write_json(book: Book, to: BinaryIO) -> None:
    """One document: a list of objects for each sheet. Amounts are in minor units beside their asset."""
    to.write(b"{")
    for place, sheet in enumerate(book.sheets):
        to.write(f"{',' if place else ''}{json.dumps(sheet.key)}:[".encode())
        for number, row in enumerate(sheet.rows):
            named = {column.key: _json_cell(cell) for column, cell in zip(sheet.columns, row, strict=True)}
            to.write(f"{',' if number else ''}\n{json.dumps(named, ensure_ascii=False)}".encode())
        to.write(b"\n]")
    to.write(b"}\n")


def _json_cell(cell: Cell) -> Any:
    if isinstance(cell, Money):
        return cell.minor
    return cell.isoformat() if isinstance(cell, datetime) else cell
