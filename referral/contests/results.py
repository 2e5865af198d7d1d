"""The frozen final of a contest: its document, one revision after another, never changed.

The first revision is made when the time for objections is over; a decision after that makes the next one. What is in
the document, prizes included, is put together by `rewards.contests`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Text, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Row, UtcDateTime, among_keys, table
from core.events import Bus
from referral.campaigns import Campaign, CampaignMoved
from referral.contests.terms import terms_of
from referral.lifecycle import Key, read_anew, ring_at

FINAL = "final"
"""The timer of a contest's final."""


class ContestResult(Row, table=True):
    """One revision. `document`: canonical JSON, as it was published. `version`: the campaign's terms it was made by.
    `decisions`: how many there had been. `salt`: makes the public marks; the same in every revision."""

    __tablename__ = "contest_result"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        CheckConstraint("revision > 0", name="revision"),
    )

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int
    decisions: int
    salt: str = Field(repr=False)
    document: str = Field(sa_type=Text)
    sha256: str
    frozen_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class ContestFrozen:
    """The final of a contest stands, or a further revision of it."""

    brand_id: UUID
    campaign_id: UUID
    revision: int
    at: datetime


def listen(bus: Bus) -> None:
    """Hear of contests that end."""
    bus.on(CampaignMoved, on_moved)


def on_moved(session: Session, moves: Sequence[CampaignMoved]) -> None:
    """What has ended is frozen when the time for objections is over."""
    ended = read_anew(session, [(moved.brand_id, moved.campaign_id) for moved in moves if moved.after == "ended"])
    moments: dict[Key, datetime] = {
        (one.brand_id, one.id): terms_of(session, one).final_at(min(one.ends_at, clock.now()))
        for one in ended
        if one.kind == "contest"
    }
    ring_at(session, FINAL, moments)


def canonical(document: Mapping[str, Any]) -> str:
    """The one way to write a document: keys in order, no spaces, letters as they are."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sealed(document: Mapping[str, Any]) -> tuple[str, str]:
    """The document's text with the SHA-256 of what it says without it, and that hash."""
    bare = {name: value for name, value in document.items() if name != "sha256"}
    digest = hashlib.sha256(canonical(bare).encode()).hexdigest()
    return canonical(bare | {"sha256": digest}), digest


def result_of(session: Session, brand_id: UUID, campaign_id: UUID, revision: int | None = None) -> ContestResult | None:
    """A revision of the final, the latest if none is named; None before the final."""
    chosen = (
        select(ContestResult)
        .where(col(ContestResult.brand_id) == brand_id, col(ContestResult.campaign_id) == campaign_id)
        .order_by(col(ContestResult.revision).desc())
        .limit(1)
    )
    if revision is not None:
        chosen = chosen.where(col(ContestResult.revision) == revision)
    return session.scalar(chosen)


class Final(NamedTuple):
    """A revision without its document, which may be long."""

    revision: int
    version: int
    decisions: int
    salt: str
    sha256: str


def final_of(session: Session, brand_id: UUID, campaign_id: UUID) -> Final | None:
    """The latest revision of the final, for who need not read it; None before there is one."""
    t = table(ContestResult)
    row = session.execute(
        select(*(t.c[name] for name in Final._fields))
        .where(t.c.brand_id == brand_id, t.c.campaign_id == campaign_id)
        .order_by(t.c.revision.desc())
        .limit(1)
    ).one_or_none()
    return Final(*row) if row is not None else None


def frozen_among(session: Session, campaigns: Sequence[Key]) -> set[UUID]:
    """Which of these campaigns have a final."""
    t = table(ContestResult)
    named = among_keys(session, (t.c.brand_id, t.c.campaign_id), campaigns)
    return set(session.execute(select(t.c.campaign_id).where(named, t.c.revision == 1)).scalars())


def keep(
    session: Session,
    campaign: Campaign,
    document: Mapping[str, Any],
    *,
    revision: int,
    decisions: int,
    version: int,
    salt: str,
    at: datetime,
) -> ContestResult:
    """Write a revision down; of two made at once the key lets one through."""
    text, digest = sealed(document)
    made = ContestResult(
        brand_id=campaign.brand_id,
        campaign_id=campaign.id,
        revision=revision,
        version=version,
        decisions=decisions,
        salt=salt,
        document=text,
        sha256=digest,
        frozen_at=at,
    )
    session.add(made)
    session.flush()
    return made
