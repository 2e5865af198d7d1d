"""Rewards: entitlements of one beneficiary, with the money behind them in the ledger.

States: held → payable → in_payout → paid, or capped | voided | clawed_back | in_review.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Session, col

from core import clock, events
from core.db import TenantRow, UtcDateTime, among_keys, table
from rewards.ledger import Account, Move, Purpose, transfer

STATES = ("held", "payable", "in_payout", "paid", "capped", "voided", "clawed_back", "in_review")
QUIET = ("not_met", "counted", "nothing_due")
"""Reasons of decisions that granted nothing and are told to nobody unasked: the rule's condition did not hold, the
friend counts towards a step not reached yet, a percentage came to less than one minor unit."""
OF_CONTEST = "contest/"
"""How the cause of a contest's prize begins, which no single friend is the reason of; the revision and the place
follow."""
BY = "/by/"
"""What stands between an order and the advocate in the cause of a share: `order/<conversion>/by/<advocate>`, where the
credit for an order is not all its friend's advocate's."""
RELEASED_AT_ONCE = 2000
"""Rewards released in one unit of work by the job."""


_Facts = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Reward(TenantRow, table=True):
    """What one beneficiary gets for one event, by one rule of the plan.

    `cause`: what it is for (the event, `order/<conversion>`, `adjust/<id>`, `contest/<n>/<place>`; see `BY`). `amount`
    never changes: what the reward is worth now is `amount - taken_back`. `paid_out`: how much of that payouts cover.
    `facts`: the attributes the decision used. `reason`: why it is capped, voided or clawed back.
    """

    __tablename__ = "reward"
    __table_args__ = (
        UniqueConstraint("brand_id", "referral_id", "cause", "rule"),
        ForeignKeyConstraint(["brand_id", "referral_id"], ["referral.brand_id", "referral.id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        CheckConstraint("0 <= taken_back AND taken_back <= amount", name="taken_back"),
        CheckConstraint("0 <= paid_out AND paid_out <= amount", name="paid_out"),
        Index("ix_reward_member", "brand_id", "member_id", "created_at"),
        Index("ix_reward_campaign", "brand_id", "campaign_id", "created_at"),
        Index("ix_reward_due", "state", "hold_until"),
    )

    campaign_id: UUID
    campaign_version: int
    referral_id: UUID | None = None
    """None for goodwill and for a contest's prize."""
    member_id: UUID
    community_id: UUID | None = None
    role: str
    rule: str
    event: str
    cause: str
    asset: str
    amount: int = Field(sa_type=BigInteger)
    taken_back: int = Field(default=0, sa_type=BigInteger)
    paid_out: int = Field(default=0, sa_type=BigInteger)
    state: str
    reason: str | None = None
    facts: dict[str, Any] | None = Field(default=None, sa_column=Column(_Facts))
    hold_until: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class RewardGranted:
    """A reward came into being: `state` is held, payable or capped. `referral_id` is None for goodwill."""

    brand_id: UUID
    reward_id: UUID
    campaign_id: UUID
    referral_id: UUID | None
    member_id: UUID
    role: str
    asset: str
    amount: int
    state: str
    hold_until: datetime
    event: str


@dataclass(frozen=True, slots=True)
class RewardReleased:
    """The hold is over: the beneficiary may dispose of `amount`, which is what was not taken back before."""

    brand_id: UUID
    reward_id: UUID
    campaign_id: UUID
    referral_id: UUID | None
    member_id: UUID
    role: str
    asset: str
    amount: int


@dataclass(frozen=True, slots=True)
class RewardVoided:
    """`amount` of a reward was taken back, before or after its release.

    `whole`: nothing of it is left, and `state` is voided or clawed_back. `debt`: how far the beneficiary's payable
    balance is below zero after it. `cause`: what apart from the reward makes this correction unique.
    """

    brand_id: UUID
    reward_id: UUID
    campaign_id: UUID
    referral_id: UUID | None
    member_id: UUID
    role: str
    asset: str
    amount: int
    state: str
    reason: str
    whole: bool = True
    debt: int = 0
    cause: str = ""


Told = TypeVar("Told", RewardGranted, RewardReleased, RewardVoided)


def tell(kind: type[Told], reward: Mapping[str, Any] | Reward, **more: Any) -> Told:
    """The event of this kind about a reward, or about its columns; `more` is what the row does not say, or not so."""
    wanted = [name for name in kind.__dataclass_fields__ if name not in more and name in _OF_ROW]
    if isinstance(reward, Reward):
        return kind(reward_id=reward.id, **{name: getattr(reward, name) for name in wanted}, **more)
    return kind(reward_id=reward["id"], **{name: reward[name] for name in wanted}, **more)


_OF_ROW = frozenset(table(Reward).c.keys())


def grant_move(reward_id: UUID, brand_id: UUID, campaign_id: UUID, member_id: UUID, asset: str, amount: int) -> Move:
    """The transfer that sets a reward aside from the campaign's budget."""
    budget = Account(brand_id, campaign_id, Purpose.BUDGET, asset)
    held = Account(brand_id, member_id, Purpose.HELD, asset)
    return Move(f"grant/{reward_id}", "grant", budget, held, amount)


def release_move(reward_id: UUID, brand_id: UUID, member_id: UUID, asset: str, amount: int) -> Move:
    """The transfer at the end of the hold."""
    held = Account(brand_id, member_id, Purpose.HELD, asset)
    payable = Account(brand_id, member_id, Purpose.PAYABLE, asset)
    return Move(f"release/{reward_id}", "release", held, payable, amount)


def release_due(session: Session) -> int:
    """Release the rewards whose hold is over; how many (at most `RELEASED_AT_ONCE`)."""
    now = clock.now()
    t = table(Reward)
    left = (t.c.amount - t.c.taken_back).label("amount")
    due = session.execute(
        select(*(left if name == "amount" else t.c[name] for name in _RELEASED))
        .where(t.c.state == "held", t.c.hold_until <= now)
        .order_by(t.c.hold_until, t.c.id)
        .limit(RELEASED_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    if not due:
        return 0
    # They are ours until the commit: nobody else has changed them since.
    keys = [(row.brand_id, row.id) for row in due]
    session.execute(
        update(t).where(among_keys(session, (t.c.brand_id, t.c.id), keys)).values(state="payable", settled_at=now)
    )
    released = [RewardReleased(*row) for row in due]
    transfer(session, [release_move(r.reward_id, r.brand_id, r.member_id, r.asset, r.amount) for r in released])
    events.emit(session, released)
    return len(released)


# In the order of the event's fields: a job of thousands makes its events by position.
_RELEASED = tuple("id" if name == "reward_id" else name for name in RewardReleased.__dataclass_fields__)


def rewards_of(session: Session, brand_id: UUID, member_id: UUID, limit: int = 20) -> list[Reward]:
    """A member's rewards, the newest first, without decisions that only tell why there is none (`QUIET`)."""
    loud = col(Reward.reason).is_(None) | col(Reward.reason).not_in(QUIET)
    return list(
        session.scalars(
            select(Reward)
            .where(col(Reward.brand_id) == brand_id, col(Reward.member_id) == member_id, loud)
            .order_by(col(Reward.created_at).desc(), col(Reward.id).desc())
            .limit(limit)
        )
    )


def rewards_for(session: Session, brand_id: UUID, referrals: Sequence[UUID]) -> list[Reward]:
    """Every reward that came from these referrals, and every decision that granted nothing."""
    return list(
        session.scalars(select(Reward).where(col(Reward.brand_id) == brand_id, col(Reward.referral_id).in_(referrals)))
    )
