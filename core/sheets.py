"""Tables in files that people open in a spreadsheet: CSV and XLSX, written safely and read patiently.

What somebody typed never becomes a formula: in CSV an apostrophe stands before a cell that would be one (OWASP, "CSV
injection"), in XLSX text is written as text. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell

from core.errors import BadInput

Cell = str | int | Decimal | None
Line = tuple[int, list[str]]
"""A line's number in its file, and its cells as text."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; some take the wide forms as well."""
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""What cannot be written in XML; nobody means it."""
LARGEST_FILE = 20 * 2**20
LARGEST_UNPACKED = 200 * 2**20
"""Bytes of a file we read, and of what it unpacks to."""
MOST_ROWS = 200_000
MOST_COLUMNS = 200
LAST_ROW = 2**20
"""How far a sheet is looked at: a few bytes may claim that it has more of either, and going there took days."""


def write_sheet(path: Path, title: str, rows: Iterable[Sequence[Cell]]) -> int:
    """Write rows as `.csv` (UTF-8 with a mark, for Excel; RFC 4180) or `.xlsx`, readable by this user alone; how many.

    Streams: memory does not grow with the rows. Raises `BadInput("table_format")` for another ending.
    """
    check_ending(path)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(handle, 0o600)  # it may have been there, open to others
    with os.fdopen(handle, "wb") as file:
        return (_write_csv if path.suffix.lower() == ".csv" else _write_xlsx)(file, title, rows)


def check_ending(path: Path) -> None:
    """Raises `BadInput("table_format")` for a file that `write_sheet` would not write."""
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise BadInput("table_format", path=path.name)


def sheet_bytes(ending: str, title: str, rows: Iterable[Sequence[Cell]]) -> bytes:
    """The same as bytes, for a file that is to lie nowhere. `ending`: `csv` or `xlsx`."""
    file = io.BytesIO()
    (_write_csv if ending == "csv" else _write_xlsx)(file, title, rows)
    return file.getvalue()


def _write_csv(file: BinaryIO, title: str, rows: Iterable[Sequence[Cell]]) -> int:
    count = 0
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text)
    for count, row in enumerate(rows, 1):  # noqa: B007  # the last one is how many there were
        writer.writerow([_harmless(cell) for cell in row])
    text.detach()
    return count


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _write_xlsx(file: BinaryIO, title: str, rows: Iterable[Sequence[Cell]]) -> int:
    count = 0
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    for count, row in enumerate(rows, 1):  # noqa: B007
        sheet.append([_text(sheet, cell) if isinstance(cell, str) else cell for cell in row])
    book.save(file)
    return count


def _text(sheet: Any, value: str) -> Any:
    cell = WriteOnlyCell(sheet, value=UNSEEN.sub("", value))
    cell.data_type = "s"
    return cell


def read_sheet(path: Path) -> Iterator[Line]:
    """(line, cells as text) of a `.csv` or of an `.xlsx` file's first sheet, empty lines left out.

    CSV in UTF-8 with or without a mark, UTF-16 with one, or GB18030 (Excel in Chinese); columns parted by commas,
    semicolons or tabs. Raises `BadInput`: sheet_large, sheet_unreadable (said), not_text, table_format (path).
    """
    if path.stat().st_size > LARGEST_FILE:
        raise BadInput("sheet_large", limit=LARGEST_FILE // 2**20)
    yield from read_table(path.read_bytes(), path.name)


def read_table(raw: bytes, name: str, unpacked: int | None = None) -> Iterator[Line]:
    """The same of a file's bytes; `name` tells by its ending what they are, `unpacked` bounds what a workbook may
    hold. Takes as long as the file is large: never in the writer's thread. Raises as `read_sheet`."""
    match Path(name).suffix.lower():
        case ".csv" | ".txt":
            rows = _read_csv(raw)
        case ".xlsx":
            rows = _read_xlsx(raw, unpacked or LARGEST_UNPACKED)
        case _:
            raise BadInput("table_format", path=name)
    for count, (line, cells) in enumerate(rows):
        if count >= MOST_ROWS:
            raise BadInput("sheet_large", limit=LARGEST_FILE // 2**20)
        yield line, cells


def decode(raw: bytes) -> str:
    """The text of a file whose encoding nobody told. Raises `BadInput("not_text")`."""
    marked = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadInput("not_text")


def _read_csv(raw: bytes) -> Iterator[Line]:
    text = decode(raw)
    head = text.partition("\n")[0]
    parted_by = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=parted_by, strict=True)
    try:
        for cells in reader:
            # The apostrophe that keeps a cell from being a formula is no part of what it says.
            bare = [c[1:] if c.startswith("'") and c[1:].startswith(FORMULA) else c for c in map(str.strip, cells)]
            if any(bare):
                yield reader.line_num, bare
    except csv.Error as error:
        raise BadInput("sheet_unreadable", said=f"{reader.line_num}: {error}") from None


def _read_xlsx(raw: bytes, largest: int) -> Iterator[Line]:
    """Anything may be in the archive, and the library says so in as many ways: each of them means the same to us."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(part.file_size for part in packed.infolist()) > largest:
                raise BadInput("sheet_large", limit=largest // 2**20)
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        page = book.worksheets[0]
        page.reset_dimensions()  # what the file says of its size: every row would be made as wide as that
        for line, row in enumerate(page.iter_rows(values_only=True), 1):
            if line > LAST_ROW:
                raise BadInput("sheet_large", limit=largest // 2**20)
            cells = [_said(value) for value in row[:MOST_COLUMNS]]
            if any(cells):
                yield line, _ended(cells)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput("sheet_unreadable", said=type(error).__name__) from None


def _ended(cells: list[str]) -> list[str]:
    """Without the empty cells behind the last one that says something."""
    while not cells[-1]:
        cells.pop()
    return cells


def _said(value: Any) -> str:
    """A cell as somebody would type it; whole numbers without a fraction, others as short as they are exact."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()
