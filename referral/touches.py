"""Touches: every click, start, code entry and join that may have brought a friend, kept with what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text, update
from sqlmodel import Field, Session, col

from core import clock
from core.db import Json, TenantRow, UtcDateTime, table

KINDS = ("click", "start", "code", "invite", "join")
ADDRESS_KEPT = timedelta(days=30)
"""After this even the keyed hash of a visitor's address is gone."""


class Touch(TenantRow, table=True):
    """One touch.

    `outcome`: referred, again (through the same advocate), a refusal of `referral.rules`, or None for a mere click.
    """

    __tablename__ = "touch"
    __table_args__ = (
        Index("ix_touch_code", "brand_id", "campaign_id", "code", "touched_at"),
        # Most touches are clicks of nobody we know: only what is looked for is indexed.
        Index(
            "ix_touch_member",
            "brand_id",
            "member_id",
            "touched_at",
            sqlite_where=text("member_id IS NOT NULL"),
            postgresql_where=text("member_id IS NOT NULL"),
        ),
        Index("ix_touch_address", "address_expires_at"),
    )

    campaign_id: UUID | None = None
    code: str | None = None
    kind: str
    touched_at: datetime = Field(sa_type=UtcDateTime)
    platform: str = "web"
    community_id: UUID | None = None
    member_id: UUID | None = None
    certainty: str = "code"
    outcome: str | None = None
    facts: dict[str, Any] | None = Field(default=None, sa_column=Column(Json))
    device: str | None = None
    referrer: str | None = None
    robot: bool = False
    address_hash: str | None = None
    address_expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def forget_addresses(session: Session) -> None:
    """Drop the address hashes whose time is over."""
    session.execute(
        update(table(Touch))
        .where(col(Touch.address_expires_at) <= clock.now())
        .values(address_hash=None, address_expires_at=None)
    )
