"""Every decision about an order, as it was taken: what it saw, by which policy, who has the credit and why.

One row for each order, also for one that counts for nobody; a person's later decision about who bought is the next
revision. Rows are never changed. Where a policy may credit others than the friend's advocate, each advocate's part is a
`CreditShare` as well; the database refuses parts beyond the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, select
from sqlmodel import Field, Session, col

from core.db import Json, Row, UtcDateTime, among_keys, insert_all, table
from referral.attribution.policy import USUAL, Credit
from referral.attribution.split import WHOLE


class Attribution(Row, table=True):
    """A decision. `policy`: `Policy.text`, or `USUAL`. `touches`: the ids of all it saw, in the order of time.
    `shares`: [touch, advocate, millionths] in the order of time. `reason`: a code of `attribution.reason.*`, or of
    `api.reason.*` where the order counts for nobody by another rule."""

    __tablename__ = "attribution"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "conversion_id"], ["conversion.brand_id", "conversion.id"]),
        CheckConstraint("revision > 0", name="revision"),
    )

    brand_id: UUID = Field(primary_key=True)
    conversion_id: UUID = Field(primary_key=True)
    revision: int = Field(default=1, primary_key=True)
    campaign_id: UUID | None = None
    campaign_version: int | None = None
    referral_id: UUID | None = None
    policy: str | None = None
    touches: list[str] = Field(sa_column=Column(Json, nullable=False))
    shares: list[list[Any]] = Field(sa_column=Column(Json, nullable=False))
    reason: str
    decided_at: datetime = Field(sa_type=UtcDateTime)


class CreditShare(Row, table=True):
    """An advocate's part of an order, in millionths."""

    __tablename__ = "credit_share"
    __table_args__ = (
        ForeignKeyConstraint(
            ["brand_id", "conversion_id", "revision"],
            ["attribution.brand_id", "attribution.conversion_id", "attribution.revision"],
        ),
        ForeignKeyConstraint(["brand_id", "advocate_id"], ["member.brand_id", "member.id"]),
        CheckConstraint("0 < share AND share <= 1000000", name="share"),
        Index("ix_credit_share_advocate", "brand_id", "advocate_id", "campaign_id"),
    )

    brand_id: UUID = Field(primary_key=True)
    conversion_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    advocate_id: UUID = Field(primary_key=True)
    campaign_id: UUID
    share: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about an order. `credit`: of a campaign with a policy; without one `touch_id` brought the
    friend and `advocate_id` has the whole. Neither: nobody has it, for the `reason`."""

    brand_id: UUID
    conversion_id: UUID
    reason: str
    campaign_id: UUID | None = None
    campaign_version: int | None = None
    referral_id: UUID | None = None
    advocate_id: UUID | None = None
    touch_id: UUID | None = None
    policy: str | None = None
    touches: tuple[UUID, ...] = ()
    credit: Credit | None = None
    revision: int = 1


def keep(session: Session, decisions: Sequence[Decision], at: datetime) -> None:
    """Write these decisions down, after their orders: one statement, and one for the shares where there are any."""
    if not decisions:
        return
    insert_all(session, table(Attribution), [_row(one, at) for one in decisions])
    insert_all(session, table(CreditShare), [row for one in decisions if one.credit for row in _shares(one)])


def _row(one: Decision, at: datetime) -> dict[str, Any]:
    if one.credit is not None:
        touches = [str(touch) for touch in one.touches]
        shares = [[str(part.touch_id), str(part.advocate_id), part.share] for part in one.credit.shares]
    elif one.touch_id is not None:
        touches = [str(one.touch_id)]
        shares = [[touches[0], str(one.advocate_id), WHOLE]] if one.advocate_id is not None else []
    else:
        touches, shares = [], []
    return {
        "brand_id": one.brand_id,
        "conversion_id": one.conversion_id,
        "revision": one.revision,
        "campaign_id": one.campaign_id,
        "campaign_version": one.campaign_version,
        "referral_id": one.referral_id,
        "policy": one.policy,
        "touches": touches,
        "shares": shares,
        "reason": one.reason,
        "decided_at": at,
    }


def _shares(one: Decision) -> list[dict[str, Any]]:
    assert one.credit is not None
    key = {"brand_id": one.brand_id, "conversion_id": one.conversion_id, "revision": one.revision}
    return [
        key | {"advocate_id": advocate_id, "campaign_id": one.campaign_id, "share": share}
        for advocate_id, share in one.credit.advocates.items()
    ]


def decisions_of(session: Session, brand_id: UUID, conversion_id: UUID) -> list[Attribution]:
    """Every decision about an order, the first one first; the last is in force."""
    return list(
        session.scalars(
            select(Attribution)
            .where(col(Attribution.brand_id) == brand_id, col(Attribution.conversion_id) == conversion_id)
            .order_by(col(Attribution.revision))
        )
    )


Given = tuple[tuple[UUID, int], ...]
"""(advocate, millionths) touch by touch, in the order of time: what parts of an amount are reckoned by."""


def shares_of(session: Session, orders: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Given]:
    """The shares in force of these (brand, order), whoever has them; missing for orders without a decision."""
    if not orders:
        return {}
    t = table(Attribution)
    rows = session.execute(
        select(t.c.brand_id, t.c.conversion_id, t.c.shares)
        .where(among_keys(session, (t.c.brand_id, t.c.conversion_id), orders))
        .order_by(t.c.revision)
    )
    return {
        (brand_id, conversion_id): tuple((UUID(advocate), share) for _, advocate, share in shares)
        for brand_id, conversion_id, shares in rows
    }


def is_usual(policy: str | None) -> bool:
    """Whether a decision was taken without a policy of the campaign's own."""
    return policy in (None, USUAL)
