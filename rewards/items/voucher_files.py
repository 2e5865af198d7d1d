"""Files of voucher codes: CSV with a header `code` and, if codes end, `expires_at`."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from core import i18n
from core.errors import BadInput
from core.sheets import decode

CODE_LENGTH = 200
MOST = 1_000_000
COLUMNS = ("code", "expires_at")
SHOWN = 20
"""Problems told at once."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code as the file has it, and in which line."""

    text: str
    expires_at: datetime | None
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line: `what` is header, empty, long, control, duplicate (of line `of`), known, over, moment,
    columns."""

    line: int
    what: str
    of: int | None = None


def read_codes(raw: bytes, timezone: str) -> list[Code]:
    """The codes of a file. A day without an hour ends with that day in `timezone`.

    Raises `BadInput`: not_text, or voucher_file with every `Problem` found.
    """
    reader = csv.reader(io.StringIO(decode(raw), newline=""), strict=True)
    problems: list[Problem] = []
    codes: list[Code] = []
    seen: dict[str, int] = {}
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if not header or header[0] != COLUMNS[0] or header not in (list(COLUMNS[:1]), list(COLUMNS)):
            raise BadInput("voucher_file", problems=[Problem(1, "header")])
        for row in reader:
            if not row:  # an empty line, as editors leave at the end
                continue
            found = _read(row, reader.line_num, len(header), ZoneInfo(timezone))
            if isinstance(found, Problem):
                problems.append(found)
            elif found.text in seen:
                problems.append(Problem(found.line, "duplicate", seen[found.text]))
            else:
                seen[found.text] = found.line
                codes.append(found)
            if len(codes) > MOST:
                raise BadInput("voucher_file_large", limit=MOST)
    except csv.Error:
        problems.append(Problem(reader.line_num, "columns"))
    if problems:
        raise BadInput("voucher_file", problems=problems)
    if not codes:
        raise BadInput("voucher_file_empty")
    return codes


def _read(row: list[str], line: int, width: int, zone: ZoneInfo) -> Code | Problem:
    if len(row) != width:
        return Problem(line, "columns")
    text = row[0].strip()
    if not text:
        return Problem(line, "empty")
    if len(text) > CODE_LENGTH:
        return Problem(line, "long")
    if any(unicodedata.category(symbol) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for symbol in text):
        return Problem(line, "control")
    if width == 1 or not row[1].strip():
        return Code(text, None, line)
    try:
        return Code(text, _moment(row[1].strip(), zone), line)
    except (ValueError, OverflowError):
        return Problem(line, "moment")


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """A day (its end), or a moment, of ISO 8601."""
    found = datetime.fromisoformat(text.replace("/", "-"))
    if len(text) <= len("2026-12-31"):
        return datetime.combine(found.date() + timedelta(days=1), time(), zone)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def explain(problems: Sequence[Problem], locale: str) -> str:
    """The problems as lines of words, the first twenty of them."""
    told = [i18n.text(locale, f"voucher.problem.{one.what}", line=one.line, of=one.of) for one in problems[:SHOWN]]
    if len(problems) > SHOWN:
        told.append(i18n.text(locale, "voucher.problem.more", more=len(problems) - SHOWN))
    return "".join(f"\n  {words}" for words in told)
