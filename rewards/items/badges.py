"""What a member wears on a platform for some time: a role, a tag beside the name.

The platform's side is done by `bots.goods`, which hears the outbox topic `goods.<platform>`. Both giving and taking
are harmless to repeat there. Who buys a role again before it ends wears it that much longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlmodel import Field, Session, col

from core import clock
from core.db import TenantRow, UtcDateTime, table
from core.outbox import Message, put
from referral.brands import community_of_group
from rewards.items.items import Item
from rewards.items.kinds import PLATFORM_OF
from rewards.payouts.payouts import Payout

TOPIC = "goods."
"""Outbox topic of what a platform gives or takes, with the platform behind it."""
WORN = ("discord_role", "telegram_tag")
ENDED_AT_ONCE = 200


class Badge(TenantRow, table=True):
    """One role or tag of one payout. `ends_at`: when it is taken away, None for one that stays."""

    __tablename__ = "badge"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "item_id"], ["item.brand_id", "item.id"]),
        ForeignKeyConstraint(["brand_id", "payout_id"], ["payout.brand_id", "payout.id"]),
        UniqueConstraint("brand_id", "payout_id"),
        CheckConstraint("state IN ('worn', 'ending', 'ended')", name="state"),
        Index("ix_badge_due", "state", "ends_at"),
        Index("ix_badge_member", "brand_id", "member_id"),
    )

    item_id: UUID
    member_id: UUID
    payout_id: UUID
    kind: str
    platform: str
    group_id: str
    account: str
    label: str
    state: str = "worn"
    given_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def wear(session: Session, item: Item, settings: Mapping[str, Any], payout: Payout, account: str) -> Badge:
    """The platform has given it: note until when. A repeat returns the first note.

    `settings`: the item's when it was bought.
    """
    known = badge_of(session, item.brand_id, payout.id)
    if known is not None:
        return known
    now = clock.now()
    badge = Badge(
        brand_id=item.brand_id,
        item_id=item.id,
        member_id=payout.member_id,
        payout_id=payout.id,
        kind=item.kind,
        platform=PLATFORM_OF[item.kind],
        group_id=settings["group"],
        account=account,
        label=settings["role" if item.kind == "discord_role" else "tag"],
        given_at=now,
    )
    if settings["days"]:
        same = (*_worn(badge), col(Badge.label) == badge.label)
        begins = session.scalar(select(func.max(col(Badge.ends_at))).where(*same)) or now
        badge.ends_at = max(now, begins) + timedelta(days=settings["days"] * payout.quantity)
    session.add(badge)
    session.flush()
    return badge


def is_ours(session: Session, brand_id: UUID, platform: str, group: str) -> bool:
    """Whether the group is one of the brand's communities: one bot serves several brands."""
    community = community_of_group(session, platform, group)
    return community is not None and community.brand_id == brand_id


def _worn(badge: Badge) -> list[ColumnElement[bool]]:
    """Badges of this kind that the same account wears in the same group, by whichever payout."""
    return [
        col(Badge.brand_id) == badge.brand_id,
        col(Badge.kind) == badge.kind,
        col(Badge.group_id) == badge.group_id,
        col(Badge.account) == badge.account,
        col(Badge.state) == "worn",
    ]


def badge_of(session: Session, brand_id: UUID, payout_id: UUID) -> Badge | None:
    """What a payout gave."""
    return session.scalar(select(Badge).where(col(Badge.brand_id) == brand_id, col(Badge.payout_id) == payout_id))


def end_due(session: Session) -> int:
    """Ask the platforms to take away what is over; how many."""
    now = clock.now()
    due = session.scalars(
        select(Badge)
        .where(col(Badge.state) == "worn", col(Badge.ends_at) <= now)
        .order_by(col(Badge.ends_at))
        .limit(ENDED_AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    take_away(session, due)
    return len(due)


def take_away(session: Session, badges: Sequence[Badge]) -> None:
    """Ask the platforms to take these away."""
    for badge in badges:
        badge.state = "ending"
        session.add(badge)
    session.flush()
    put(
        session,
        [
            Message(
                TOPIC + badge.platform,
                f"badge/{badge.id}/end",
                {"do": "take", "brand": str(badge.brand_id), "badge": str(badge.id)},
                badge.brand_id,
            )
            for badge in badges
        ],
    )


def still_worn(session: Session, badge: Badge) -> bool:
    """Whether nothing is to be taken: the account has the same role by another payout, or since got any other tag."""
    others = [*_worn(badge), col(Badge.ends_at).is_(None) | (col(Badge.ends_at) > clock.now())]
    if badge.kind == "discord_role":
        others.append(col(Badge.label) == badge.label)
    return session.scalar(select(col(Badge.id)).where(*others).limit(1)) is not None


def ended(session: Session, brand_id: UUID, badge_id: UUID) -> None:
    """The platform has taken it away, or cannot any more (the member has left)."""
    t = table(Badge)
    session.execute(update(t).where(t.c.brand_id == brand_id, t.c.id == badge_id).values(state="ended"))
