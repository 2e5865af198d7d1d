"""One person's accounts over platforms, linked by a two-step code kept in the database; reversible."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index
from sqlmodel import Field

from core.db import Json, Row, TenantRow, UtcDateTime


class LinkCode(Row, table=True):
    """A short-lived code that a member shows on their other platform. Only its keyed hash is kept."""

    __tablename__ = "link_code"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),)

    brand_id: UUID = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    member_id: UUID
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class MemberLink(TenantRow, table=True):
    """Two members became one: `absorbed_id` is now `kept_id`. `moved` lists the rows that went over, to undo it."""

    __tablename__ = "member_link"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "kept_id"], ["member.brand_id", "member.id"]),
        ForeignKeyConstraint(["brand_id", "absorbed_id"], ["member.brand_id", "member.id"]),
        Index("ix_member_link_kept", "brand_id", "kept_id"),
    )

    kept_id: UUID
    absorbed_id: UUID
    moved: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    linked_at: datetime = Field(sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
