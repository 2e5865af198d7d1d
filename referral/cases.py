"""Cases: what no rule could decide and a person must, with the evidence, and the decision once it is taken.

Kinds: `attribution` (several people may have brought a friend), `referral` (a friend looks wrong), `application` (for a
trial) and `appeal` (against an earlier decision). States: open → decided, or closed when there is nothing left to
decide. What a decision leads to is not known here: whoever opened the case hears `CaseDecided`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    select,
    text,
    update,
)
from sqlmodel import Field, Session, col

from core import clock, events, ids
from core.db import Json, TenantRow, UtcDateTime, insert_new, table
from core.errors import BadInput, NotFound, Refused

KINDS = ("attribution", "referral", "application", "appeal")
STATES = ("open", "decided", "closed")
VERDICTS = ("approve", "decline")
WAITS = timedelta(hours=48)
"""How old an open case may grow before somebody is reminded of it."""
LONGEST_REASON = 200


class Case(TenantRow, table=True):
    """Something a person must decide.

    `key` names what it is about, once per kind. `member_id`: whom the decision concerns, and who is told of it.
    `subject_id`: the application, or whatever else the kind is about. `facts`: the evidence, ready for JSON.
    `choice`: the candidate that was chosen, of a kind that has several. `decided_by`: the account, `telegram:123`.
    `appeal_of`: the case whose decision is appealed against. `reminded`: how often somebody was reminded of it.
    """

    __tablename__ = "review_case"
    __table_args__ = (
        UniqueConstraint("brand_id", "kind", "key"),
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        ForeignKeyConstraint(["brand_id", "referral_id"], ["referral.brand_id", "referral.id"]),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        ForeignKeyConstraint(["brand_id", "appeal_of"], ["review_case.brand_id", "review_case.id"]),
        CheckConstraint("(state = 'decided') = (verdict IS NOT NULL)", name="verdict"),
        Index("ix_review_case_queue", "brand_id", "state", "opened_at", "id"),
        Index("ix_review_case_remind", "state", "remind_at"),
        Index("ix_review_case_member", "brand_id", "member_id"),
        Index(
            "ix_review_case_referral",
            "brand_id",
            "referral_id",
            sqlite_where=text("referral_id IS NOT NULL"),
            postgresql_where=text("referral_id IS NOT NULL"),
        ),
    )

    kind: str
    key: str
    member_id: UUID | None = None
    referral_id: UUID | None = None
    campaign_id: UUID | None = None
    subject_id: UUID | None = None
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    state: str = "open"
    opened_at: datetime = Field(sa_type=UtcDateTime)
    remind_at: datetime = Field(sa_type=UtcDateTime)
    reminded: int = 0
    verdict: str | None = None
    choice: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    appeal_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class CaseOpened:
    """Something waits for a person's decision."""

    brand_id: UUID
    case_id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class CaseDecided:
    """A person has decided. `verdict`: approve or decline; `choice`: see `Case`."""

    brand_id: UUID
    case_id: UUID
    kind: str
    verdict: str
    reason: str
    actor: str
    member_id: UUID | None
    referral_id: UUID | None
    campaign_id: UUID | None
    subject_id: UUID | None
    appeal_of: UUID | None
    choice: str | None = None


def open_case(
    session: Session,
    brand_id: UUID,
    kind: str,
    key: str,
    *,
    member_id: UUID | None = None,
    referral_id: UUID | None = None,
    campaign_id: UUID | None = None,
    subject_id: UUID | None = None,
    facts: Mapping[str, Any] | None = None,
    appeal_of: UUID | None = None,
) -> Case:
    """Ask a person to decide; the case. Whatever the key names is asked once: a repeat returns the first case."""
    if kind not in KINDS:
        raise ValueError(f"no kind of case: {kind}")
    now = clock.now()
    row = {
        "brand_id": brand_id,
        "id": ids.new(),
        "kind": kind,
        "key": key,
        "member_id": member_id,
        "referral_id": referral_id,
        "campaign_id": campaign_id,
        "subject_id": subject_id,
        "facts": dict(facts or {}),
        "opened_at": now,
        "remind_at": now + WAITS,
        "appeal_of": appeal_of,
    }
    target = table(Case)
    made = insert_new(session, target, [row], ["brand_id", "kind", "key"], returning=target.c.id)
    found = session.scalars(
        select(Case).where(col(Case.brand_id) == brand_id, col(Case.kind) == kind, col(Case.key) == key)
    ).one()
    if made:
        events.emit(session, [CaseOpened(brand_id, found.id, kind)])
    return found


def find_case(session: Session, brand_id: UUID, case_id: UUID) -> Case:
    """A case as it stands now. Raises `NotFound("case")`."""
    found = session.get(Case, (brand_id, case_id), populate_existing=True)
    if found is None:
        raise NotFound("case")
    return found


def decide(session: Session, case: Case, verdict: str, reason: str, actor: str, *, choice: str | None = None) -> Case:
    """Take the decision, once however many press: the database lets one of them.

    Raises `BadInput("case_reason")` for a reason that is none or too long, and `Refused("case_decided")` with `state`,
    `verdict` and `by` if it is over already.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"no verdict: {verdict}")
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise BadInput("case_reason", most=LONGEST_REASON)
    t = table(Case)
    values = {"state": "decided", "verdict": verdict, "reason": reason, "decided_by": actor, "choice": choice}
    mine = (t.c.brand_id == case.brand_id) & (t.c.id == case.id)
    changed = session.execute(
        update(t).where(mine, t.c.state == "open").values(**values, decided_at=clock.now()).returning(t.c.id)
    ).all()
    session.refresh(case)
    if not changed:
        raise Refused("case_decided", state=case.state, verdict=case.verdict, by=case.decided_by)
    events.emit(session, [_decided(case)])
    return case


def _decided(case: Case) -> CaseDecided:
    if not (case.verdict and case.reason and case.decided_by):
        raise ValueError("only what was decided is told")
    return CaseDecided(
        case.brand_id,
        case.id,
        case.kind,
        case.verdict,
        case.reason,
        case.decided_by,
        case.member_id,
        case.referral_id,
        case.campaign_id,
        case.subject_id,
        case.appeal_of,
        case.choice,
    )


def close_cases(session: Session, brand_id: UUID, kind: str, keys: Collection[str], reason: str) -> int:
    """Nobody need decide these any more (what they are about is gone, or decided elsewhere); how many were open."""
    if not keys:
        return 0
    t = table(Case)
    closed = session.execute(
        update(t)
        .where(t.c.brand_id == brand_id, t.c.kind == kind, t.c.key.in_(list(keys)), t.c.state == "open")
        .values(state="closed", reason=reason, decided_at=clock.now())
        .returning(t.c.id)
        .execution_options(synchronize_session="fetch")
    ).all()
    return len(closed)


def open_cases(session: Session, brand_id: UUID, kinds: Sequence[str] = KINDS, limit: int = 20) -> list[Case]:
    """What waits for a decision, the oldest first."""
    return list(
        session.scalars(
            select(Case)
            .where(col(Case.brand_id) == brand_id, col(Case.state) == "open", col(Case.kind).in_(kinds))
            .order_by(col(Case.opened_at), col(Case.id))
            .limit(limit)
        )
    )


def open_counts(session: Session, brand_id: UUID) -> dict[str, int]:
    """How many cases of each kind wait; kinds with none are missing."""
    rows = session.execute(
        select(col(Case.kind), func.count())
        .where(col(Case.brand_id) == brand_id, col(Case.state) == "open")
        .group_by(col(Case.kind))
    )
    return dict(rows.all())
