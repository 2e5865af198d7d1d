"""The tables: where events are sent, the events themselves, and what became of each on its way.

An event is written in the unit of work in which it happened, without a number. After the commit it gets the next
number of its brand, in one place at a time, and only then can it be read or sent: whoever has read up to a number
has missed nothing before it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field

from core.db import Json, Row, TenantRow, UtcDateTime

TYPES = (
    *("referral.joined", "referral.qualified", "referral.reversed", "referral.reinstated"),
    *("conversion.recorded", "conversion.refunded"),
    *("reward.granted", "reward.released", "reward.taken_back"),
    *("payout.completed", "payout.failed"),
    "campaign.moved",
)
"""What can be heard."""
TEST = "webhook.test"
"""Sent to one address only, when somebody asks for it."""
STATES = ("on", "paused", "off")
"""Of an endpoint: `paused` by a person, `off` because nobody answered."""
WAITING, DELIVERED, FAILED = "waiting", "delivered", "failed"
_IS_WAITING = text("state = 'waiting'")
_KEPT = text("removed_at IS NULL")
_UNNUMBERED = text("number IS NULL")


class WebhookEndpoint(TenantRow, table=True):
    """An address of the brand's that is told of events.

    `events`: the types it wants, all if empty. `sealed`: its secret, and the one before while both are signed with,
    which is until `before_until`. `failures` in a row since `failing_since`; nothing is tried before `resume_at`.
    `reason`: why it is off, `failing` or `gone`.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        CheckConstraint("state IN ('on', 'paused', 'off')", name="state"),
        Index("uq_webhook_endpoint_url", "brand_id", "url", unique=True, sqlite_where=_KEPT, postgresql_where=_KEPT),
    )

    url: str
    events: list[str] = Field(sa_column=Column(Json, nullable=False))
    sealed: str = Field(repr=False)
    before_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: str = "on"
    reason: str | None = None
    failures: int = 0
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resume_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class WebhookEvent(TenantRow, table=True):
    """Something that happened. `id` stays the same however often it is sent; `number`: 1, 2, … within the brand."""

    __tablename__ = "webhook_event"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        UniqueConstraint("brand_id", "number"),
        Index(
            "ix_webhook_event_unnumbered",
            *("brand_id", "id"),
            sqlite_where=_UNNUMBERED,
            postgresql_where=_UNNUMBERED,
        ),
        Index("ix_webhook_event_at", "at"),
    )

    type: str
    at: datetime = Field(sa_type=UtcDateTime)
    data: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    number: int | None = Field(default=None, sa_type=BigInteger)


class WebhookHead(Row, table=True):
    """The last number given to an event of the brand; whoever gives the next ones holds this row."""

    __tablename__ = "webhook_head"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    number: int = Field(default=0, sa_type=BigInteger)


class WebhookDelivery(TenantRow, table=True):
    """One event on its way to one address; once for each pair. `status`: of the last answer, `said`: how it began,
    `error`: what kept it from being one; `took`: milliseconds."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("brand_id", "endpoint_id", "event_id"),
        ForeignKeyConstraint(["brand_id", "endpoint_id"], ["webhook_endpoint.brand_id", "webhook_endpoint.id"]),
        ForeignKeyConstraint(
            ["brand_id", "event_id"], ["webhook_event.brand_id", "webhook_event.id"], ondelete="CASCADE"
        ),
        CheckConstraint("state IN ('waiting', 'delivered', 'failed')", name="state"),
        Index("ix_webhook_delivery_number", "brand_id", "endpoint_id", "number"),
        Index("ix_webhook_delivery_event", "brand_id", "event_id"),
        Index(
            "ix_webhook_delivery_waiting",
            *("brand_id", "endpoint_id", "due_at"),
            sqlite_where=_IS_WAITING,
            postgresql_where=_IS_WAITING,
        ),
    )

    endpoint_id: UUID
    event_id: UUID
    number: int = Field(sa_type=BigInteger)
    test: bool = False
    state: str = WAITING
    attempts: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    status: int | None = None
    error: str | None = None
    said: str = Field(default="", sa_type=Text)
    took: int | None = None
