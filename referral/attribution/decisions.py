"""Every decision about an order, as it was taken: what it saw, by which policy, who has the credit and why.

One row for each order, also for one that counts for nobody; a person's later decision about who bought is the next
revision. Rows are never changed. Where a policy may credit others than the friend's advocate, each advocate's part is a
`CreditShare` as well; the database refuses parts beyond the whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, func, select
from sqlmodel import Field, Session, col

from core.db import Json, Row, UtcDateTime, among_keys, insert_all, table
from referral import codes
from referral.attribution.evidence import Asked, Came, Judged, owners_of_codes
from referral.attribution.policy import USUAL, Share, by_advocate
from referral.attribution.split import WHOLE
from referral.conversions import Conversion

NOBODY = "nobody"
"""The reason of an order about which nothing else is known."""


class Attribution(Row, table=True):
    """A decision. `policy`: `Policy.text`, or `USUAL`. `touches`: the ids of all it saw, in the order of time; a code
    given without an account goes by the order's own id. `click_id`: the click the order came by, if it said so.
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
    click_id: UUID | None = None
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


@dataclass(slots=True)
class Decision:
    """What was decided about an order. `touches`: all that was seen; `shares`: nobody's where it counts for nobody.
    `shared`: decided by a policy of the campaign's own, so that others than the friend's advocate may have a part."""

    brand_id: UUID
    conversion_id: UUID
    reason: str
    campaign_id: UUID | None = None
    campaign_version: int | None = None
    referral_id: UUID | None = None
    policy: str | None = None
    touches: tuple[UUID, ...] = ()
    shares: tuple[Share, ...] = ()
    shared: bool = False
    click_id: UUID | None = None
    revision: int = 1


def keep(session: Session, decisions: Sequence[Decision], at: datetime) -> None:
    """Write these decisions down, after their orders: one statement, and one for the shares where there are any."""
    insert_all(session, table(Attribution), [_row(one, at) for one in decisions])
    insert_all(session, table(CreditShare), [row for one in decisions if one.shared for row in _shares(one)])


def _row(one: Decision, at: datetime) -> dict[str, Any]:
    return {
        "brand_id": one.brand_id,
        "conversion_id": one.conversion_id,
        "revision": one.revision,
        "campaign_id": one.campaign_id,
        "campaign_version": one.campaign_version,
        "referral_id": one.referral_id,
        "policy": one.policy,
        "click_id": one.click_id,
        "touches": one.touches,
        "shares": [(part.touch_id, part.advocate_id, part.share) for part in one.shares],
        "reason": one.reason,
        "decided_at": at,
    }


def _shares(one: Decision) -> list[dict[str, Any]]:
    key = {"brand_id": one.brand_id, "conversion_id": one.conversion_id, "revision": one.revision}
    return [
        key | {"advocate_id": advocate_id, "campaign_id": one.campaign_id, "share": share}
        for advocate_id, share in by_advocate(one.shares).items()
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


Verdicts = Mapping[tuple[UUID, UUID], Judged]
"""What policies say, by (order, referral)."""


class Counted(Protocol):
    """What is asked of an order that was judged."""

    id: UUID
    status: str
    reason: str | None


class Bringing(Came, Protocol):
    """What is asked of the referral by which it was."""

    touch_id: UUID


def decision(
    brand_id: UUID,
    row: Counted,
    came: Bringing | None,
    judged: Verdicts,
    *,
    click_id: UUID | None = None,
    revision: int = 1,
) -> Decision:
    """The decision about an order; `came`: the referral it belongs to, also where it does not count by it."""
    made = Decision(brand_id, row.id, row.reason or NOBODY, click_id=click_id, revision=revision)
    if came is None:
        return made
    made.campaign_id, made.campaign_version, made.referral_id = came.campaign_id, came.campaign_version, came.id
    verdict = judged.get((row.id, came.id)) if judged else None
    counts = row.status == "attributed"
    if verdict is None:
        made.policy, made.touches = USUAL, (came.touch_id,)
        if counts:
            made.reason, made.shares = "bound", (Share(came.touch_id, came.advocate_id, WHOLE),)
        return made
    made.policy, made.touches = verdict.policy.text, verdict.touches
    if counts:
        made.reason, made.shares, made.shared = verdict.credit.reason, verdict.credit.shares, True
    return made


def given_to(row: Counted, came: Came, judged: Verdicts) -> Given:
    """The shares as they are told to the rewards: none where all of it is the friend's advocate's."""
    verdict = judged.get((row.id, came.id)) if judged else None
    if verdict is None or all(one.advocate_id == came.advocate_id for one in verdict.credit.shares):
        return ()
    return tuple((one.advocate_id, one.share) for one in verdict.credit.shares)


def valid_until(row: Counted, came: Came, judged: Verdicts) -> datetime | None:
    """When the touches that decided about an order are valid no more; None without a policy."""
    verdict = judged.get((row.id, came.id)) if judged else None
    return verdict.credit.until if verdict is not None else None


def asked_again(session: Session, row: Conversion, came: Sequence[Came]) -> Asked:
    """An order about which somebody decided who bought it, with the code or click that it came with."""
    code = codes.read(row.code) if row.code else None
    owners = owners_of_codes(session, {(row.brand_id, code)}) if code else {}
    campaign_id, advocate_id = next(((key[1], owner) for key, owner in owners.items()), (None, None))
    first = session.get(Attribution, (row.brand_id, row.id, 1))
    click_id = first.click_id if first is not None else None
    return Asked(row.id, row.ordered_at, came, campaign_id, advocate_id, click_id, code=code)


def next_revision(session: Session, brand_id: UUID, conversion_id: UUID) -> int:
    """The number of the next decision about an order."""
    t = table(Attribution)
    last = session.scalar(
        select(func.max(t.c.revision)).where(t.c.brand_id == brand_id, t.c.conversion_id == conversion_id)
    )
    return (last or 0) + 1


def share_of(session: Session, brand_id: UUID, conversion_id: UUID, advocate_id: UUID) -> int:
    """An advocate's part of an order, in millionths."""
    given = shares_of(session, {(brand_id, conversion_id)}).get((brand_id, conversion_id), ())
    return sum(share for who, share in given if who == advocate_id)
