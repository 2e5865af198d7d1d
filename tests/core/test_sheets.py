"""Tables in files: safe to open, patient to read, and nothing so large that it fills the machine."""

from __future__ import annotations

import io
import time
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from core import sheets
from core.errors import BadInput
from core.sheets import read_sheet, read_table, sheet_bytes, write_sheet

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "＝1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_would_be_a_formula_is_text(tmp_path: Path, text: str) -> None:
    write_sheet(tmp_path / "a.csv", "a", [["x", text]])
    line = (tmp_path / "a.csv").read_bytes().decode("utf-8-sig")
    assert line.startswith(("x,'", "x,\"'"))
    write_sheet(tmp_path / "a.xlsx", "a", [["x", text]])
    cell = load_workbook(tmp_path / "a.xlsx").worksheets[0]["B1"]
    assert cell.data_type == "s"


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_numbers_stay_numbers_and_come_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    assert write_sheet(path, "a", [["name", "n"], ["王", Decimal("10.50")], ["b", 7], ["", None], ["-c", -3]]) == 5
    ten = "10.50" if ending == "csv" else "10.5"
    assert [cells for _, cells in read_sheet(path)] == [["name", "n"], ["王", ten], ["b", "7"], ["-c", "-3"]]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_open_to_others_is_not_any_more(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("before")
    path.chmod(0o644)
    write_sheet(path, "a", [["x"]])
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("parted_by", [",", ";", "\t"])
def test_every_way_a_spreadsheet_saves_text(tmp_path: Path, encoding: str, parted_by: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"编号{parted_by}结果\r\n\r\nP-1{parted_by}成功\r\n".encode(encoding))
    assert [*read_sheet(path)] == [(1, ["编号", "结果"]), (3, ["P-1", "成功"])]


@given(st.binary(max_size=300))
def test_whatever_is_in_a_file_is_rows_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    for ending in ("csv", "xlsx"):
        path = tmp_path_factory.getbasetemp() / f"any.{ending}"
        path.write_bytes(raw)
        try:
            rows = [*read_sheet(path)]
        except BadInput:
            continue
        assert all(any(cells) for _, cells in rows)


def crafted(path: Path, sheet: str) -> Path:
    """A workbook whose one sheet is this XML."""
    book, made = io.BytesIO(), io.BytesIO()
    Workbook().save(book)
    with zipfile.ZipFile(book) as honest, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in honest.namelist():
            text = sheet.encode() if name == "xl/worksheets/sheet1.xml" else honest.read(name)
            archive.writestr(name, text)
    path.write_bytes(made.getvalue())
    return path


def test_a_small_file_that_claims_to_be_endless_is_read_in_no_time(tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="A1048576"><v>2</v></c><c r="XFD1048576"><v>3</v></c></row>'
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row>%s</sheetData></worksheet>'
    )
    began = time.process_time()
    assert [*read_sheet(crafted(tmp_path / "wide.xlsx", sheet % far))] == [(1, ["1"]), (1048576, ["2"])]
    with pytest.raises(BadInput, match="sheet_large"):
        [*read_sheet(crafted(tmp_path / "far.xlsx", sheet % far.replace("1048576", "99999999999")))]
    assert time.process_time() - began < 20


def test_another_program_s_document_is_no_table(tmp_path: Path) -> None:
    letter = io.BytesIO()
    with zipfile.ZipFile(letter, "w") as archive:
        kinds = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
        archive.writestr("[Content_Types].xml", kinds)
        archive.writestr("word/document.xml", "<w/>")
    (tmp_path / "letter.xlsx").write_bytes(letter.getvalue())
    with pytest.raises(BadInput, match="sheet_unreadable"):
        [*read_sheet(tmp_path / "letter.xlsx")]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_file_that_lies_nowhere_reads_the_same(ending: str) -> None:
    made = sheet_bytes(ending, "a", [["name"], ["王\uffff"], ["=1"]])
    assert [cells for _, cells in read_table(made, f"a.{ending}")][2:] == [["=1"]]


def test_what_is_too_large_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)
    (tmp_path / "bomb.xlsx").write_bytes(packed.getvalue())
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1_000_000)
    monkeypatch.setattr(sheets, "LARGEST_FILE", 100_000)
    (tmp_path / "long.csv").write_bytes(b"x\n" * 60_000)
    for name in ("bomb.xlsx", "long.csv"):
        with pytest.raises(BadInput) as refused:
            [*read_sheet(tmp_path / name)]
        assert refused.value.code == "sheet_large"
