"""The finance person pays by hand: a batch goes out as a file and comes back, in parts, twice, or wrong."""

from __future__ import annotations

import csv
import io
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from openpyxl import Workbook, load_workbook

from core.errors import BadInput, Refused
from core.sheets import read_sheet, write_sheet
from rewards.payouts import approvals
from rewards.payouts.approvals import approve
from rewards.payouts.batches import approve_batch, create_batch, progress_of
from rewards.payouts.manual import Imported, RowProblem, export_batch, import_results
from rewards.payouts.payouts import PayoutBatch, events_of
from tests.house import House
from tests.rewards.payouts.till import Till, open_till

STATUS, BANK_REFERENCE = 7, 8


def with_payouts(house: House, *amounts: int) -> Till:
    till = open_till(house)
    till.earns(sum(amounts))
    till.payee()
    for number, amount in enumerate(amounts):
        till.takes(amount, key=f"{number}")
    return till


def batch_in(till: Till, actor: str = "mei") -> PayoutBatch:
    return till.shop.house.do(lambda session: create_batch(session, till.brand, "manual", "CNY", actor))


def exported(till: Till, batch: PayoutBatch, path: Path, locale: str = "en") -> list[list[str]]:
    rows = till.shop.house.do(lambda session: export_batch(session, till.brand, batch.id, "mei", locale))
    write_sheet(path, "1", rows)
    return [["" if cell is None else str(cell) for cell in row] for row in rows]


def imported(till: Till, path: Path, batch: int | None = None) -> Imported:
    lines = list(read_sheet(path))
    return till.shop.house.do(lambda session: import_results(session, till.brand, lines, "mei", batch))


def save(path: Path, rows: list[list[str]], encoding: str = "utf-8", delimiter: str = ",") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def problems_of(till: Till, path: Path, batch: int | None = None) -> list[tuple[int, str]]:
    before = states(till)
    with pytest.raises(Refused) as refused:
        imported(till, path, batch)
    assert states(till) == before
    found: list[RowProblem] = refused.value.params["problems"]
    return [(problem.line, problem.what) for problem in found]


def states(till: Till) -> list[str]:
    return sorted(payout.state for payout in till.payouts())


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
def test_out_and_back_in_any_shape(house: House, tmp_path: Path, ending: str, locale: str) -> None:
    till = with_payouts(house, 1000, 2050)
    batch = batch_in(till)
    assert (batch.number, batch.count, batch.total, batch.approved_by) == (1, 2, 3050, "mei")
    path = tmp_path / f"batch.{ending}"
    rows = exported(till, batch, path, locale)
    assert path.stat().st_mode & 0o777 == 0o600
    assert rows[1][2:6] == ["10.00", "CNY", "Alice Wang", "6222 0212 3456 7894"]
    assert states(till) == ["processing", "processing"]
    assert imported(till, path) == Imported(0, 0, 0, 2)

    if ending == "csv":
        rows[1][STATUS], rows[1][BANK_REFERENCE] = "成功", "B-1"
        save(path, rows, "gb18030")
    else:
        book = load_workbook(path)
        book.worksheets[0].cell(2, STATUS + 1, "Paid")
        book.worksheets[0].cell(2, BANK_REFERENCE + 1, "B-1")
        book.save(path)
    assert imported(till, path) == Imported(1, 0, 0, 1)
    assert imported(till, path) == Imported(0, 0, 1, 1)
    assert states(till) == ["completed", "processing"]
    assert till.payable() == 0


def test_what_the_bank_sends_back_is_payable_again(house: House, tmp_path: Path) -> None:
    till = with_payouts(house, 1000)
    rows = exported(till, batch_in(till), tmp_path / "out.csv")
    rows[1][STATUS:] = ["failed", "B-7", "account closed"]
    path = save(tmp_path / "back.csv", rows, "utf-8-sig", ";")
    assert imported(till, path) == Imported(0, 1, 0, 0)
    assert till.payable() == 1000
    assert till.payouts()[0].reason == "account closed"
    told = house.ask(lambda session: [(e.kind, e.actor) for e in events_of(session, till.brand, till.payouts()[0].id)])
    assert told == [("ask", None), ("export", "mei"), ("import", "mei")]


def test_a_file_that_does_not_fit_is_refused_line_by_line(house: House, tmp_path: Path) -> None:
    till = with_payouts(house, 1000, 2000, 3000, 4000)
    first = exported(till, batch_in(till), tmp_path / "one.csv")
    till.earns(500)
    till.takes(500, key="late")
    second = exported(till, batch_in(till), tmp_path / "two.csv")
    for row in first[1:] + second[1:]:
        row[STATUS] = "paid"
    first[1][2] = "10.01"
    first[2][1] = "P-" + "0" * 32
    first[3][STATUS] = "perhaps"
    contradicting = [*first[4]]
    contradicting[STATUS] = "failed"
    moved = [*second[1]]
    moved[0] = "1"
    path = save(tmp_path / "back.csv", [*first, contradicting, moved])
    assert problems_of(till, path) == [
        (2, "amount_differs"),
        (3, "unknown_reference"),
        (4, "status_unreadable"),
        (6, "contradicts"),
        (7, "other_batch"),
    ]
    assert problems_of(till, save(tmp_path / "two.csv", second), batch=1) == [(2, "other_batch")]
    assert imported(till, save(tmp_path / "two.csv", [*second, second[1]])) == Imported(1, 0, 0, 0)
    second[1][STATUS] = "failed"
    assert problems_of(till, save(tmp_path / "two.csv", second)) == [(2, "settled_otherwise")]


def test_nobody_says_of_their_own_money_that_it_did_not_arrive(house: House, tmp_path: Path) -> None:
    till = with_payouts(house, 1000)
    rows = exported(till, batch_in(till), tmp_path / "out.csv")
    rows[1][STATUS] = "failed"
    lines = list(read_sheet(save(tmp_path / "back.csv", rows)))

    def by(actor: str) -> Imported:
        return till.shop.house.do(lambda session: import_results(session, till.brand, lines, actor))

    with pytest.raises(Refused) as refused:
        by("telegram:alice")
    assert refused.value.params["problems"] == [RowProblem(2, "own")]
    assert states(till) == ["processing"]
    assert by("mei") == Imported(0, 1, 0, 0)


def test_the_file_of_another_brand_names_nobody_here(tmp_path: Path, house: House) -> None:
    till = with_payouts(house, 1000)
    rows = exported(till, batch_in(till), tmp_path / "out.csv")
    rows[1][STATUS] = "paid"
    path = save(tmp_path / "back.csv", rows)
    other = UUID(int=7)
    with pytest.raises(Refused) as refused:
        house.do(lambda session: import_results(session, other, list(read_sheet(path)), "mei"))
    assert [problem.what for problem in refused.value.params["problems"]] == ["unknown_reference"]


def test_what_was_never_exported_cannot_be_paid_by_a_file(house: House, tmp_path: Path) -> None:
    till = with_payouts(house, 1000, 2000)
    rows = exported(till, batch_in(till), tmp_path / "out.csv")
    till.earns(500)
    late = till.takes(500, key="late")
    rows[1][1], rows[1][2], rows[1][STATUS] = f"P-{late.reference}", "5", "paid"
    assert problems_of(till, save(tmp_path / "back.csv", rows)) == [(2, "not_exported")]


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("x.csv", b"a,b\n1,2\n", "result_file_columns"),
        ("x.csv", b"", "result_file_columns"),
        ("x.csv", b"\xff\xfe\x00", "not_text"),
        ("x.csv", b"batch,reference\n\x00", "not_text"),
        ("x.xlsx", b"no zip", "sheet_unreadable"),
        ("x.pdf", b"%PDF", "table_format"),
    ],
)
def test_what_is_no_result_file(house: House, tmp_path: Path, name: str, raw: bytes, code: str) -> None:
    till = with_payouts(house, 1000)
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(BadInput) as refused:
        imported(till, tmp_path / name)
    assert refused.value.code == code


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_payee_that_would_be_a_formula_is_text(house: House, tmp_path: Path, ending: str) -> None:
    till = open_till(house)
    till.earns(1000)
    till.payee(name="=HYPERLINK(1)", account="+8613800000000")
    till.takes(1000)
    path = tmp_path / f"out.{ending}"
    exported(till, batch_in(till), path)
    if ending == "csv":
        assert "'=HYPERLINK(1),'+8613800000000" in path.read_text("utf-8-sig")
    else:
        cells = [*load_workbook(path).worksheets[0].iter_rows()][1]
        assert [(cell.value, cell.data_type) for cell in cells[4:6]] == [
            ("=HYPERLINK(1)", "s"),
            ("+8613800000000", "s"),
        ]
    assert imported(till, path).left == 1


def test_a_cell_too_many_and_empty_lines_do_not_matter(house: House, tmp_path: Path) -> None:
    till = with_payouts(house, 1000)
    rows = exported(till, batch_in(till), tmp_path / "out.csv")
    rows[1][STATUS] = "paid"
    book = Workbook()
    for row in ([*rows[0], "note"], [], [*rows[1], "thanks"], [], []):
        book.worksheets[0].append(row)
    book.save(tmp_path / "back.xlsx")
    assert imported(till, tmp_path / "back.xlsx") == Imported(1, 0, 0, 0)


def test_a_batch_above_the_limit_needs_a_second_person(house: House, tmp_path: Path) -> None:
    approvals.set_limits("CNY=15")
    till = with_payouts(house, 1000, 1000, 2000)
    assert [payout.flag for payout in till.payouts()] == ["above_limit", None, None]
    batch = batch_in(till, "mei")
    assert batch.approved_at is None
    with pytest.raises(Refused, match="batch_not_approved"):
        exported(till, batch, tmp_path / "out.csv")
    for actor in ("mei", "telegram:alice"):
        with pytest.raises(Refused, match="same_person"):
            house.do(partial(approve_batch, brand_id=till.brand, batch_id=batch.id, actor=actor))
    with pytest.raises(Refused, match="same_person"):
        house.do(lambda session: approve(session, till.brand, till.payouts()[0].id, "mei"))
    approved = house.do(lambda session: approve_batch(session, till.brand, batch.id, "bo"))
    assert approved.approved_by == "bo"
    assert all(payout.approved for payout in till.payouts())
    assert len(exported(till, batch, tmp_path / "out.csv")) == 4
    assert house.ask(lambda session: progress_of(session, batch)).amounts == {"processing": 4000}


def test_there_is_no_empty_batch(house: House) -> None:
    till = with_payouts(house, 1000)
    batch_in(till)
    with pytest.raises(Refused, match="batch_empty"):
        batch_in(till)
