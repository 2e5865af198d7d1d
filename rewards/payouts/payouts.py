"""Payouts: everything that leaves the books, in one state machine.

pending → processing → completed | failed | unknown. What it takes lies in an account of its own (`payout.clearing`,
owned by the payout) from the moment it exists until it is completed or failed; both are final, in the database too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Index, UniqueConstraint, select, text
from sqlmodel import Field, Session, col

from core import events
from core.db import Json, TenantRow, UtcDateTime
from core.errors import NotFound
from rewards.ledger import Account, Move, Purpose

STATES = ("pending", "processing", "completed", "failed", "unknown")
OPEN = ("pending", "processing", "unknown")
SETTLED = ("completed", "failed")
EventKind = Literal["ask", "approve", "start", "look_up", "notice", "export", "import", "cancel", "retry", "decide"]


class Payout(TenantRow, table=True):
    """What one member is sent at once.

    `amount`: what they receive, `fee`: what the brand keeps of what they asked for, both in minor units of `asset`;
    both have left `member.payable`. `key` names what asked for it, so that asking again changes nothing.
    `flag`: why a person has to approve it. `due_at`: when the runner looks at it next, None when it does not.
    """

    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("brand_id", "key"),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        ForeignKeyConstraint(["brand_id", "payee_id"], ["payee.brand_id", "payee.id"]),
        ForeignKeyConstraint(["brand_id", "batch_id"], ["payout_batch.brand_id", "payout_batch.id"]),
        ForeignKeyConstraint(["brand_id", "reward_id"], ["reward.brand_id", "reward.id"]),
        CheckConstraint("amount > 0", name="amount"),
        CheckConstraint("fee >= 0", name="fee"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("state IN ('pending', 'processing', 'completed', 'failed', 'unknown')", name="state"),
        Index("ix_payout_due", "state", "due_at"),
        Index("ix_payout_member", "brand_id", "member_id", "created_at"),
        Index("ix_payout_batch", "brand_id", "batch_id"),
    )

    member_id: UUID
    provider: str
    asset: str
    amount: int = Field(sa_type=BigInteger)
    fee: int = Field(default=0, sa_type=BigInteger)
    key: str
    payee_id: UUID | None = None
    item_id: UUID | None = None
    quantity: int = 1
    reward_id: UUID | None = None
    """The reward that is handed over by itself (an item), without anybody asking."""
    batch_id: UUID | None = None
    state: str = "pending"
    approved: bool = True
    approved_by: str | None = None
    flag: str | None = None
    attempts: int = 0
    """How often it was handed to the provider."""
    look_ups: int = 0
    """How often in a row nobody could say what became of it."""
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    external_id: str | None = None
    reason: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def reference(self) -> str:
        """What a provider tells payouts apart by: 32 hexadecimal digits, the same for ever."""
        return self.id.hex


class PayoutLine(TenantRow, table=True):
    """How much of a reward a payout covers, fee included. Stays when the payout fails: only then it covers nothing."""

    __tablename__ = "payout_line"
    __table_args__ = (
        UniqueConstraint("brand_id", "payout_id", "reward_id"),
        ForeignKeyConstraint(["brand_id", "payout_id"], ["payout.brand_id", "payout.id"]),
        ForeignKeyConstraint(["brand_id", "reward_id"], ["reward.brand_id", "reward.id"]),
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_payout_line_reward", "brand_id", "reward_id"),
    )

    payout_id: UUID
    reward_id: UUID
    amount: int = Field(sa_type=BigInteger)


class PayoutEvent(TenantRow, table=True):
    """One thing that was said or done about a payout. Never changed. `actor`: the person, None for the house itself."""

    __tablename__ = "payout_event"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "payout_id"], ["payout.brand_id", "payout.id"]),
        Index("ix_payout_event_payout", "brand_id", "payout_id", "id"),
    )

    payout_id: UUID
    kind: str
    state: str
    """What was said: an answer's state; for `ask`, `approve` and `retry` the payout's."""
    external_id: str | None = None
    reason: str | None = None
    actor: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    at: datetime = Field(sa_type=UtcDateTime)


class PayoutBatch(TenantRow, table=True):
    """Payouts that are approved, and by hand also paid, together. `total` in minor units, as it was when made."""

    __tablename__ = "payout_batch"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        UniqueConstraint("brand_id", "number"),
        Index("ix_payout_batch_created", "brand_id", "created_at"),
    )

    number: int
    """1, 2, … within the brand: what people call it."""
    provider: str
    asset: str
    count: int
    total: int = Field(sa_type=BigInteger)
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    exported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Payee(TenantRow, table=True):
    """Where a member's money goes with one provider. Sealed, masked for display; replaced, never changed.

    `fingerprint`: keyed hash of the normalized details, by which the same payee of several members is noticed.
    """

    __tablename__ = "payee"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        Index(
            "uq_payee_current",
            *("brand_id", "member_id", "provider"),
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
        Index("ix_payee_fingerprint", "brand_id", "fingerprint"),
    )

    member_id: UUID
    provider: str
    sealed: str = Field(repr=False)
    fingerprint: str
    masked: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    replaced_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class PayoutStarted:
    """A payout was asked for and its amount set aside. `approved`: whether nobody has to look at it first."""

    brand_id: UUID
    payout_id: UUID
    member_id: UUID
    provider: str
    asset: str
    amount: int
    fee: int
    item_id: UUID | None
    approved: bool


@dataclass(frozen=True, slots=True)
class PayoutProgressed:
    """The provider has it and says what it waits for (`reason`, for instance the payee's own confirmation)."""

    brand_id: UUID
    payout_id: UUID
    member_id: UUID
    provider: str
    asset: str
    amount: int
    item_id: UUID | None
    reason: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PayoutCompleted:
    """The payee has it."""

    brand_id: UUID
    payout_id: UUID
    member_id: UUID
    provider: str
    asset: str
    amount: int
    fee: int
    item_id: UUID | None
    external_id: str | None


@dataclass(frozen=True, slots=True)
class PayoutFailed:
    """It will not be paid; amount and fee are payable again."""

    brand_id: UUID
    payout_id: UUID
    member_id: UUID
    provider: str
    asset: str
    amount: int
    fee: int
    item_id: UUID | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PayoutContradicted:
    """The provider said otherwise after a payout was settled. Nothing was moved: a person decides."""

    brand_id: UUID
    payout_id: UUID
    member_id: UUID
    provider: str
    had: str
    said: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class PayoutStuck:
    """Nobody can say what became of it, and we stopped asking: a person decides."""

    brand_id: UUID
    payout_id: UUID
    member_id: UUID
    provider: str


Told = TypeVar("Told", PayoutStarted, PayoutProgressed, PayoutCompleted, PayoutFailed, PayoutContradicted, PayoutStuck)


def tell(session: Session, kind: type[Told], payout: Payout, **more: Any) -> None:
    """Let the others hear what became of a payout; `more` is what its row does not say, or not so."""
    wanted = [field.name for field in fields(kind) if field.name != "payout_id" and field.name not in more]
    events.emit(session, [kind(payout_id=payout.id, **{name: getattr(payout, name) for name in wanted}, **more)])


@dataclass(frozen=True, slots=True)
class PayeeShared:
    """Several members are paid to the same place; payouts to it need approval."""

    brand_id: UUID
    provider: str
    members: tuple[UUID, ...]


def payout_of(session: Session, brand_id: UUID, payout_id: UUID, *, lock: bool = False) -> Payout:
    """A payout as it stands; with `lock` until the commit. Raises `NotFound("payout")`."""
    found = select(Payout).where(col(Payout.brand_id) == brand_id, col(Payout.id) == payout_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    payout = session.scalars(found).one_or_none()
    if payout is None:
        raise NotFound("payout")
    return payout


def payouts_of(session: Session, brand_id: UUID, member_id: UUID, limit: int = 20) -> list[Payout]:
    """A member's payouts, the newest first."""
    return list(
        session.scalars(
            select(Payout)
            .where(col(Payout.brand_id) == brand_id, col(Payout.member_id) == member_id)
            .order_by(col(Payout.created_at).desc(), col(Payout.id).desc())
            .limit(limit)
        )
    )


def events_of(session: Session, brand_id: UUID, payout_id: UUID) -> Sequence[PayoutEvent]:
    """Everything that was said and done about a payout, oldest first."""
    return session.scalars(
        select(PayoutEvent)
        .where(col(PayoutEvent.brand_id) == brand_id, col(PayoutEvent.payout_id) == payout_id)
        .order_by(col(PayoutEvent.id))
    ).all()


def start_moves(payout: Payout) -> list[Move]:
    """The transfers that set a payout aside: what it sends, and the brand's fee."""
    payable, clearing, funding, _ = _accounts(payout)
    moves = [Move(f"payout/{payout.id}/start", "payout_start", payable, clearing, payout.amount)]
    if payout.fee:
        moves.append(Move(f"payout/{payout.id}/fee", "payout_fee", payable, funding, payout.fee))
    return moves


def done_moves(payout: Payout) -> list[Move]:
    """The transfer of a payout that arrived."""
    _, clearing, _, outside = _accounts(payout)
    return [Move(f"payout/{payout.id}/done", "payout_done", clearing, outside, payout.amount)]


def back_moves(payout: Payout) -> list[Move]:
    """The transfers of a payout that failed: everything back, the fee included."""
    payable, clearing, funding, _ = _accounts(payout)
    moves = [Move(f"payout/{payout.id}/back", "payout_back", clearing, payable, payout.amount)]
    if payout.fee:
        moves.append(Move(f"payout/{payout.id}/fee-back", "payout_fee_back", funding, payable, payout.fee))
    return moves


def _accounts(payout: Payout) -> tuple[Account, Account, Account, Account]:
    """(the member's payable, the payout's clearing, the brand's funding, outside)."""
    brand_id, asset = payout.brand_id, payout.asset
    return (
        Account(brand_id, payout.member_id, Purpose.PAYABLE, asset),
        Account(brand_id, payout.id, Purpose.CLEARING, asset),
        Account(brand_id, brand_id, Purpose.FUNDING, asset),
        Account(brand_id, brand_id, Purpose.EXTERNAL, asset),
    )
