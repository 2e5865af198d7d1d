"""Answers already given: the same `Idempotency-Key` with the same request gets the same answer; nothing is done twice.

The answer is kept in the unit of work that did what was asked, so the two are never apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, delete, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Json, Row, UtcDateTime, among_keys, insert_new, table
from core.errors import Conflict

KEPT = timedelta(days=2)
"""How long a repeat is recognized. An order is still recorded once after that, by its own number."""
LONGEST_KEY = 255
Asked = tuple[UUID, str]
"""(brand, Idempotency-Key)"""


class ApiAnswer(Row, table=True):
    """What a request with this key was answered. `digest`: SHA-256 of method, path and body."""

    __tablename__ = "api_answer"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str
    status: int
    body: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime, index=True)


@dataclass(slots=True)
class Answer:
    """Status and body of an answer. `repeated`: it had been given before."""

    status: int
    body: dict[str, Any]
    repeated: bool = False


def given(session: Session, asked: Collection[Asked]) -> dict[Asked, tuple[str, Answer]]:
    """The answers to these keys so far, each with the digest of what was asked."""
    if not asked:
        return {}
    t = table(ApiAnswer)
    rows = session.execute(select(t).where(among_keys(session, (t.c.brand_id, t.c.key), set(asked))))
    return {(row.brand_id, row.key): (row.digest, Answer(row.status, row.body, repeated=True)) for row in rows}


def keep(session: Session, answers: Mapping[Asked, tuple[str, Answer]]) -> None:
    """Remember these answers; the first under a key stays.

    Raises `Conflict("idempotency_key")` where another process answered another request under the key meanwhile.
    """
    now = clock.now()
    rows = [
        {
            "brand_id": brand_id,
            "key": key,
            "digest": digest,
            "status": answer.status,
            "body": answer.body,
            "created_at": now,
        }
        for (brand_id, key), (digest, answer) in answers.items()
    ]
    target = table(ApiAnswer)
    if len(insert_new(session, target, rows, ["brand_id", "key"], returning=target.c.key)) < len(rows):
        for name, (digest, _) in given(session, answers).items():
            if digest != answers[name][0]:
                raise Conflict("idempotency_key", given=name[1][:60])


def forget(session: Session) -> None:
    """Drop the answers nobody asks for again."""
    session.execute(delete(ApiAnswer).where(col(ApiAnswer.created_at) < clock.now() - KEPT))
