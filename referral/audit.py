"""Who did what for a brand: every act of its staff, in a chain of hashes that is only ever added to.

An entry's hash is SHA-256 over its canonical JSON, which holds the hash of the entry before it; so nothing in the
middle can be changed, left out or put in without every later hash giving it away. The brand's head row holds the last
hash, and whoever writes locks it first: two processes never go on from the same entry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, select
from sqlalchemy import Row as Stored
from sqlmodel import Field, Session, col

from core import clock
from core.db import Json, Row, UtcDateTime, insert_all, insert_missing, table

START = "0" * 64
"""What the first entry of a chain has for the hash before it."""
PAGE = 500


class AuditEntry(Row, table=True):
    """One act. `actor`: `platform:account` of whoever did it, or `operator` for the command line. `subject`: what it
    was done to (a slug, an identifier); never a name. Hashes are 64 hexadecimal digits."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        CheckConstraint("number > 0", name="number"),
        Index("ix_audit_entry_subject", "brand_id", "subject"),
    )

    brand_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    act: str
    subject: str = ""
    details: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    before: str
    hash: str


class AuditHead(Row, table=True):
    """The end of a brand's chain: its last entry's number and hash."""

    __tablename__ = "audit_head"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    number: int = 0
    hash: str = START


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold. `what`: `missing` (a number is not there), `link` (it does not follow the one
    before), `content` (it was changed), `head` (entries were taken from the end, or put there)."""

    number: int
    what: str


def record(session: Session, brand_id: UUID, actor: str, act: str, subject: str = "", **details: Any) -> AuditEntry:
    """Write down an act, in the unit of work that does it. `details`: facts ready to be read later, none of them a
    person's name; what JSON does not know (identifiers, moments) is kept as text."""
    target = table(AuditHead)
    insert_missing(session, target, [{"brand_id": brand_id, "number": 0, "hash": START}], ["brand_id"])
    last, before = session.execute(
        select(target.c.number, target.c.hash).where(target.c.brand_id == brand_id).with_for_update()
    ).one()
    entry = AuditEntry(
        brand_id=brand_id,
        number=last + 1,
        at=clock.now(),
        actor=actor,
        act=act,
        subject=subject,
        details=_plain(details),
        before=before,
        hash="",
    )
    entry.hash = hash_of(entry)
    insert_all(session, table(AuditEntry), [entry.model_dump()])
    session.execute(target.update().where(target.c.brand_id == brand_id).values(number=entry.number, hash=entry.hash))
    return entry


def hash_of(entry: AuditEntry | Stored[Any]) -> str:
    """The hash this entry must have: SHA-256 over JSON with sorted keys, no spaces, in UTF-8."""
    document = {
        "act": entry.act,
        "actor": entry.actor,
        "at": entry.at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z",
        "before": entry.before,
        "brand": str(entry.brand_id),
        "details": entry.details,
        "number": entry.number,
        "subject": entry.subject,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def verify_chain(session: Session, brand_id: UUID) -> list[Break]:
    """Where the brand's chain does not hold; empty if it does."""
    breaks: list[Break] = []
    number, before = 0, START
    for entry in _all(session, brand_id):
        if entry.number != number + 1:
            breaks.append(Break(number + 1, "missing"))
        elif entry.before != before:
            breaks.append(Break(entry.number, "link"))
        if hash_of(entry) != entry.hash:
            breaks.append(Break(entry.number, "content"))
        number, before = entry.number, entry.hash
    h = table(AuditHead)
    head = session.execute(select(h.c.number, h.c.hash).where(h.c.brand_id == brand_id)).one_or_none()
    if tuple(head or (0, START)) != (number, before):
        breaks.append(Break(number, "head"))
    return breaks


def entries_of(
    session: Session, brand_id: UUID, *, subject: str | None = None, acts: Sequence[str] = (), most: int = 50
) -> list[AuditEntry]:
    """The latest entries, the newest first; `acts` as `campaign.pause`, `subject` as it was recorded."""
    query = select(AuditEntry).where(col(AuditEntry.brand_id) == brand_id)
    if subject is not None:
        query = query.where(col(AuditEntry.subject) == subject)
    if acts:
        query = query.where(col(AuditEntry.act).in_(acts))
    return list(session.scalars(query.order_by(col(AuditEntry.number).desc()).limit(most)))


def _all(session: Session, brand_id: UUID) -> Iterator[Stored[Any]]:
    """The whole chain in order, a page in memory at a time."""
    t, number = table(AuditEntry), 0
    following = select(t).where(t.c.brand_id == brand_id).order_by(t.c.number).limit(PAGE)
    while page := session.execute(following.where(t.c.number > number)).all():
        yield from page
        number = page[-1].number


def _plain(value: Any) -> Any:
    """What reads back from either database exactly as it was written: no fractions, no zero bytes."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value).replace("\x00", "")
