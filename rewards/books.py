"""When the books were last proved, and with what result: `rewards.verify`, kept for people to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Column, delete, select
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Json, Row, UtcDateTime
from core.reader import Reader
from core.writer import Writer
from rewards.verify import Problem, verify

log = structlog.get_logger()
EVERY = timedelta(days=1)
KEPT = timedelta(days=400)


class BooksCheck(Row, table=True):
    """A proof of all books of this installation. `kinds`: how many problems of each kind; what they are about is the
    operator's to see (`daixin ledger verify`), for a row may be any brand's. `seconds`: how long it took."""

    __tablename__ = "books_check"

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    checked_at: datetime = Field(sa_type=UtcDateTime)
    seconds: int
    problems: int
    kinds: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))


def check(reader: Reader, writer: Writer) -> BooksCheck:
    """Prove the books now and keep the result. Reads one moment, of which the result speaks."""
    began = clock.now()
    problems = reader.run_sync(verify)
    if problems:
        log.error("books.do_not_hold", problems=len(problems))
    return writer.run_sync(lambda session: keep(session, problems, began))


def keep(session: Session, problems: Sequence[Problem], began: datetime) -> BooksCheck:
    """Note the result of a proof that began then."""
    kinds = Counter(problem.kind for problem in problems)
    found = BooksCheck(
        checked_at=began, seconds=(clock.now() - began).seconds, problems=len(problems), kinds=dict(kinds)
    )
    session.add(found)
    session.execute(delete(BooksCheck).where(col(BooksCheck.checked_at) < began - KEPT))
    return found


def last_check(session: Session) -> BooksCheck | None:
    """The latest proof; None before the first."""
    return session.scalar(select(BooksCheck).order_by(col(BooksCheck.checked_at).desc()).limit(1))
