"""The tables of outreach: a brand's manners, what members chose, broadcasts, and every message with its fate."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, text
from sqlmodel import Field

from core.db import Json, Row, TenantRow, UtcDateTime
from referral.outreach.hours import DAY

MOST_A_WEEK = 20
UNDER_WAY = "state IN ('planning', 'sending')"


class OutreachSettings(Row, table=True):
    """A brand's own manners. Quiet hours in minutes since midnight of the brand's zone; `weekly_cap`: counted
    messages to one person in any seven days. `cheers`: milestones, and one friend short of a prize. `nudges`: a word
    to advocates who fell silent. `digest`: the week's figures for those who run the brand; `digested_at`: the Monday
    for which it was last sent."""

    __tablename__ = "outreach_settings"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        CheckConstraint(f"quiet_from BETWEEN 0 AND {DAY - 1}", name="quiet_from"),
        CheckConstraint(f"quiet_until BETWEEN 0 AND {DAY - 1}", name="quiet_until"),
        CheckConstraint(f"weekly_cap BETWEEN 0 AND {MOST_A_WEEK}", name="weekly_cap"),
    )

    brand_id: UUID = Field(primary_key=True)
    quiet_from: int = 21 * 60
    quiet_until: int = 9 * 60
    weekly_cap: int = 3
    cheers: bool = True
    nudges: bool = True
    digest: bool = True
    digested_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OutreachChoice(Row, table=True):
    """What a member chose: `quiet` is no unasked messages."""

    __tablename__ = "outreach_choice"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),)

    brand_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    quiet: bool
    changed_at: datetime = Field(sa_type=UtcDateTime)


class Broadcast(TenantRow, table=True):
    """One text to many people. `state`: draft → planning → sending → done, or discarded, or stopped.

    `cursor`: the last member who was planned for; `planned`: how many messages that made.
    """

    __tablename__ = "broadcast"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["brand_id", "created_by"], ["member.brand_id", "member.id"]),
        # One at a time for a brand, whoever presses the button and where.
        Index(
            "ix_broadcast_under_way",
            "brand_id",
            unique=True,
            sqlite_where=text(UNDER_WAY),
            postgresql_where=text(UNDER_WAY),
        ),
        Index("ix_broadcast_state", "state"),
        CheckConstraint("planned >= 0", name="planned"),
    )

    text: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    audience: str
    state: str = "draft"
    cursor: UUID | None = None
    planned: int = 0
    created_by: UUID
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Outreach(Row, table=True):
    """One unasked message to one person. `subject` is what it is about, and unique for the person.

    `state`: waiting → sending → sent, or failed (`reason` as the platform gave it), or skipped (`reason`: quiet, cap,
    stopped, unreachable, moot). `counted`: against the weekly cap. `at`: when it was let out.
    """

    __tablename__ = "outreach"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        Index("ix_outreach_subject", "brand_id", "subject", "state", "reason"),
    )

    brand_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    kind: str
    campaign_id: UUID | None = None
    platform: str
    account: str
    facts: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    counted: bool = True
    state: str = "waiting"
    reason: str | None = None
    planned_at: datetime = Field(sa_type=UtcDateTime)
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)
