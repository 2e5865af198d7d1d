"""Paying by hand: a batch goes out as a file, and comes back with what the bank said in its last columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sqlmodel import Session

from core import clock, i18n
from core.errors import BadInput, Refused
from core.money import Money, decimals
from core.sheets import Cell, Line
from rewards.payouts import payees
from rewards.payouts.approvals import is_paid
from rewards.payouts.batches import batch_of, batches_of, payouts_in
from rewards.payouts.payouts import OPEN, Payee, Payout, PayoutBatch
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude, note

GIVEN = ("batch", "reference", "amount", "asset", "name", "account", "bank")
ANSWERED = ("status", "bank_reference", "reason")
MARK = "P-"
"""Stands before a reference, lest a spreadsheet takes one of digits for a number."""
NAME = "manual"
SHOWN = 50
"""Problems told at once."""

PAID = ("paid", "completed", "success", "ok", "yes", "1", "已打款", "已付款", "已支付", "已完成", "成功", "是")
FAILED = ("failed", "rejected", "returned", "no", "0", "失败", "打款失败", "退回", "退票", "否")
"""What people write into the status; an empty one is not paid yet."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong in a line. `what` is a code: its words are `result_file.<what>`; `said` what it is about."""

    line: int
    what: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A line of a result file that says something."""

    line: int
    payout_id: UUID
    state: Literal["completed", "failed"]
    bank_reference: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `repeated`: was known already. `left`: lines that say nothing yet."""

    completed: int
    failed: int
    repeated: int
    left: int


def export_batch(session: Session, brand_id: UUID, batch_id: UUID, actor: str, locale: str) -> list[list[Cell]]:
    """What of a batch is still to be paid, payees in full, as lines for a file that is written after the commit.

    From the first export on its payouts are on their way: they can be exported again, not cancelled. Raises `Refused`:
    batch_not_manual, batch_not_approved (number), batch_empty when all of it is settled; `Unavailable("sealed")`.
    """
    batch = batch_of(session, brand_id, batch_id, lock=True)
    if batch.provider != NAME:
        raise Refused("batch_not_manual")
    if batch.approved_at is None:
        raise Refused("batch_not_approved", number=batch.number)
    payouts = [payout for payout in payouts_in(session, batch, lock=True) if payout.state in OPEN]
    if not payouts:
        raise Refused("batch_empty")
    header: list[Cell] = [_title(locale, name) for name in (*GIVEN, *ANSWERED)]
    rows = [_row(session, batch, payout) for payout in payouts]
    for payout in payouts:
        _hand_over(session, payout, actor)
    batch.exported_at = batch.exported_at or clock.now()
    session.add(batch)
    session.flush()
    return [header, *rows]


def _title(locale: str, name: str) -> str:
    return i18n.text(locale, f"result_file.column.{name}")


def _row(session: Session, batch: PayoutBatch, payout: Payout) -> list[Cell]:
    payee = session.get(Payee, (payout.brand_id, payout.payee_id)) if payout.payee_id else None
    details = payees.details_of(payee) if payee else {}
    account = details.get("account", "")
    if account.isdecimal() and len(account) > 11:
        # Otherwise a spreadsheet keeps fifteen digits of a card's number and makes the rest zeros.
        account = " ".join(account[at : at + 4] for at in range(0, len(account), 4))
    amount = Decimal(payout.amount).scaleb(-decimals(payout.asset))
    known: list[Cell] = [f"{batch.number}", MARK + payout.reference, amount, payout.asset]
    return [*known, details.get("name", ""), account, details.get("bank", ""), *("" for _ in ANSWERED)]


def _hand_over(session: Session, payout: Payout, actor: str) -> None:
    payout.state = "processing"
    payout.attempts += 1
    payout.sent_at = payout.sent_at or clock.now()
    session.add(payout)
    session.flush()
    note(session, payout, "export", Answer("processing"), actor)


def import_results(
    session: Session, brand_id: UUID, lines: Sequence[Line], actor: str, batch: int | None = None
) -> Imported:
    """Take in what the lines of a result file say; partial files and repeats do no harm. With `batch` (its number) all
    lines have to be of that one.

    Nobody says of what they are paid themselves that it failed. All or nothing: raises
    `Refused("result_file", problems)` with every `RowProblem`; `BadInput("result_file_columns", missing)`.
    """
    results, problems, left = _read(session, brand_id, lines, batch)
    fresh: list[Result] = []
    repeated = 0
    for result in results:
        payout = _payout(session, brand_id, result.payout_id)
        assert payout is not None
        if payout.state in OPEN and result.state == "failed" and is_paid(session, payout, actor):
            problems.append(RowProblem(result.line, "own"))
        elif payout.state in OPEN:
            fresh.append(result)
        elif _says_the_same(payout, result):
            repeated += 1
        else:
            problems.append(RowProblem(result.line, "settled_otherwise", payout.state))
    if problems:
        raise Refused("result_file", problems=sorted(problems, key=lambda problem: problem.line))
    for result in fresh:
        reason = (result.reason or "bank_refused") if result.state == "failed" else None
        answer = Answer(result.state, result.bank_reference or None, reason)
        conclude(session, brand_id, result.payout_id, answer, "import", actor=actor)
    done = sum(result.state == "completed" for result in fresh)
    return Imported(done, len(fresh) - done, repeated, left)


def _says_the_same(payout: Payout, result: Result) -> bool:
    if payout.state != result.state:
        return False
    return not result.bank_reference or payout.external_id in (None, result.bank_reference)


def _read(
    session: Session, brand_id: UUID, lines: Sequence[Line], batch: int | None
) -> tuple[list[Result], list[RowProblem], int]:
    """(what the file says, once per payout; what is wrong with it; how many lines say nothing)."""
    rows = iter(lines)
    columns = _columns(rows)
    numbers = {found.id: found.number for found in batches_of(session, brand_id, limit=1_000_000)}
    by_payout: dict[UUID, Result] = {}
    problems: list[RowProblem] = []
    left = 0
    for line, cells in rows:
        row = {name: cells[at].strip() if at < len(cells) else "" for name, at in columns.items()}
        found = _checked(session, brand_id, line, row, numbers, batch)
        if isinstance(found, RowProblem):
            problems.append(found)
        elif found is None:
            left += 1
        elif (before := by_payout.setdefault(found.payout_id, found)) is not found and _differs(before, found):
            problems.append(RowProblem(line, "contradicts", str(before.line)))
    return list(by_payout.values()), problems, left


def _differs(one: Result, other: Result) -> bool:
    return (one.state, one.bank_reference, one.reason) != (other.state, other.bank_reference, other.reason)


def _columns(rows: Iterator[Line]) -> dict[str, int]:
    """Where each column stands, by its title in any of our languages."""
    _, header = next(rows, (1, []))
    names = (*GIVEN, *ANSWERED)
    titles = {_title(locale, name).casefold(): name for locale in i18n.LOCALES for name in names}
    columns = {titles[cell.casefold()]: at for at, cell in enumerate(header) if cell.casefold() in titles}
    missing = [name for name in ("batch", "reference", "amount", "asset", "status") if name not in columns]
    if missing:
        raise BadInput("result_file_columns", missing=", ".join(missing))
    return columns


def _checked(
    session: Session, brand_id: UUID, line: int, row: dict[str, str], numbers: dict[UUID, int], batch: int | None
) -> Result | RowProblem | None:
    """What a line says, what is wrong with it, or None when it says nothing yet."""
    payout = _payout(session, brand_id, _id(row["reference"]))
    if payout is None:
        return RowProblem(line, "unknown_reference", row["reference"][:40])
    number = numbers.get(payout.batch_id) if payout.batch_id else None
    if payout.provider != NAME or not payout.sent_at or number is None:
        return RowProblem(line, "not_exported", row["reference"][:40])
    if row["batch"] != str(number) or (batch is not None and number != batch):
        return RowProblem(line, "other_batch", row["batch"][:40])
    if row["asset"].upper() != payout.asset or not _same_amount(row["amount"], payout):
        return RowProblem(line, "amount_differs", f"{row['amount']} {row['asset']}"[:40])
    status = row["status"].casefold()
    if not status:
        return None
    if status not in PAID + FAILED:
        return RowProblem(line, "status_unreadable", row["status"][:40])
    state: Literal["completed", "failed"] = "completed" if status in PAID else "failed"
    said = (row.get("bank_reference", "")[:100], row.get("reason", "")[:100])
    return Result(line, payout.id, state, *said)


def _same_amount(text: str, payout: Payout) -> bool:
    try:
        return Money.parse(text.replace(",", ""), payout.asset).minor == payout.amount
    except BadInput:
        return False


def _id(reference: str) -> UUID | None:
    bare = reference.upper().removeprefix(MARK)
    try:
        return UUID(hex=bare) if len(bare) == 32 else None
    except ValueError:
        return None


def _payout(session: Session, brand_id: UUID, payout_id: UUID | None) -> Payout | None:
    return session.get(Payout, (brand_id, payout_id)) if payout_id else None


def _about(locale: str, problem: RowProblem) -> str:
    return i18n.text(locale, f"desk.answer.{problem.said}") if problem.what == "settled_otherwise" else problem.said


def problem_words(locale: str, problems: Sequence[RowProblem]) -> str:
    """The problems, a line each, in the words of this locale."""
    told = [
        i18n.text(locale, f"result_file.{problem.what}", line=problem.line, said=_about(locale, problem))
        for problem in problems[:SHOWN]
    ]
    if len(problems) > SHOWN:
        told.append(i18n.text(locale, "result_file.more", n=len(problems) - SHOWN))
    return "".join(f"\n  {line}" for line in told)
