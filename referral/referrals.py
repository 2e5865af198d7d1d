"""Referrals: which advocate brought which friend, and the events that tell of them.

States: started → joined → qualified, or rejected | expired | reversed. A friend has one advocate per campaign; the
database's unique key says so, not a read before a write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    bindparam,
    func,
    literal_column,
    select,
    text,
)
from sqlmodel import Field, Session, col

from core.db import Json, TenantRow, UtcDateTime, connection_of, table
from referral import leaderboard, rules
from referral.brands import Brand
from referral.campaigns import Campaign
from referral.members import Member

STATES = ("started", "joined", "qualified", "rejected", "expired", "reversed")
OPEN = ("started", "joined", "qualified")
"""States in which an advocate and a friend belong together."""


_IS_JOINED, _IS_UNDER_WAY = text("state = 'joined'"), text("state IN ('started', 'joined')")
_IS_QUALIFIED = text("state = 'qualified'")


class Referral(TenantRow, table=True):
    """An advocate and a friend in a campaign.

    `stay_since`: since when the friend is in one of the campaign's communities (None: is not). `due_at`: when they
    qualify if they stay. `expires_at`: after this they no longer can. `reason`: why it was rejected or reversed.
    """

    __tablename__ = "referral"
    __table_args__ = (
        # The friend before the campaign, so that it also finds all of a friend's referrals.
        UniqueConstraint("brand_id", "friend_id", "campaign_id"),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        ForeignKeyConstraint(["brand_id", "advocate_id"], ["member.brand_id", "member.id"]),
        ForeignKeyConstraint(["brand_id", "friend_id"], ["member.brand_id", "member.id"]),
        Index("ix_referral_advocate", "brand_id", "advocate_id", "campaign_id"),
        # Only of those the jobs look for: a referral that is over costs its indexes nothing more.
        Index("ix_referral_due", "due_at", sqlite_where=_IS_JOINED, postgresql_where=_IS_JOINED),
        Index("ix_referral_expiry", "expires_at", sqlite_where=_IS_UNDER_WAY, postgresql_where=_IS_UNDER_WAY),
        # Boards of a day, a week, a month are counted from this alone; SQLite reads the table for what it tests unless
        # that is in the index too.
        Index(
            "ix_referral_qualified",
            *("brand_id", "campaign_id", "qualified_at", "advocate_id", "state"),
            sqlite_where=_IS_QUALIFIED,
            postgresql_where=_IS_QUALIFIED,
        ),
    )

    campaign_id: UUID
    campaign_version: int
    advocate_id: UUID
    friend_id: UUID
    code: str
    touch_id: UUID
    platform: str
    certainty: str
    state: str = "started"
    started_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    joined_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stay_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    qualified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = None
    facts: dict[str, Any] | None = Field(default=None, sa_column=Column(Json))


IS_JOINED = col(Referral.state) == literal_column("'joined'")
IS_QUALIFIED = col(Referral.state) == literal_column("'qualified'")
IS_UNDER_WAY = col(Referral.state).in_((literal_column("'started'"), literal_column("'joined'")))
"""Conditions as the partial indexes have them: a bound parameter would not be recognised."""

NONE: Mapping[UUID, Collection[UUID]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MemberReferred:
    """A friend came through an advocate's code."""

    brand_id: UUID
    campaign_id: UUID
    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class FriendJoined:
    """A referred friend is in one of the campaign's communities for the first time.

    `due_at`: when they qualify by staying; None where the campaign counts something else.
    """

    brand_id: UUID
    campaign_id: UUID
    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Act:
    """What a friend did in a campaign, and when. `conversion_id`: the order, if it is one. `shares`: (advocate,
    millionths) touch by touch, where the credit for the order is not all `advocate_id`'s."""

    brand_id: UUID
    campaign_id: UUID
    campaign_version: int
    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    event: str
    at: datetime
    conversion_id: UUID | None = None
    shares: tuple[tuple[UUID, int], ...] = ()


@dataclass(frozen=True, slots=True)
class FriendQualified(Act):
    """A friend did what the campaign counts."""


@dataclass(frozen=True, slots=True)
class ScoreRose:
    """More friends of an advocate have qualified in a campaign than before; not told where a score is counted anew."""

    brand_id: UUID
    campaign_id: UUID
    campaign_version: int
    advocate_id: UUID
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class FriendActed(Act):
    """A friend did something that can earn, other than what made the referral count: a further purchase, or a join
    where the campaign counts something else."""


@dataclass(frozen=True, slots=True)
class FriendLeft:
    """A friend who had qualified is in none of the campaign's communities any more."""

    brand_id: UUID
    campaign_id: UUID
    referral_id: UUID
    friend_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class ReferralReversed:
    """A referral that had counted does no longer."""

    brand_id: UUID
    campaign_id: UUID
    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    reason: str


def terms_of(campaign: Campaign) -> rules.Terms:
    """The campaign as the rules see it."""
    return rules.Terms(
        campaign.state,
        campaign.starts_at,
        campaign.ends_at,
        campaign.event,
        campaign.stay_days,
        campaign.window_days,
    )


def lock_graph(session: Session, brand_id: UUID) -> None:
    """Let one unit of work at a time ask about loops among a brand's known members and add to them.

    Without it two people who bring each other at the same moment, in two processes, would each see no loop. New
    members can close none, so the hot path does not come here; nor does it wait (the lock leaves keys alone).
    SQLite has one writer anyway.
    """
    connection = connection_of(session)
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"brand": brand_id})


_B = table(Brand).c
_LOCK = select(_B.id).where(_B.id == bindparam("brand")).with_for_update(key_share=True)


def is_upstream(
    session: Session, brand_id: UUID, member_id: UUID, *, of: UUID, pending: Mapping[UUID, Collection[UUID]] = NONE
) -> bool:
    """Whether `member_id` brought, directly or through others, the member `of` (in any campaign of the brand).

    `pending`: advocates per friend that this batch is about to write.
    """
    seen: set[UUID] = set()
    level = {of}
    while level:
        seen |= level
        rows = session.execute(
            select(col(Referral.advocate_id)).where(
                col(Referral.brand_id) == brand_id,
                col(Referral.friend_id).in_(level),
                col(Referral.state).in_(OPEN),
            )
        )
        level = set(rows.scalars()).union(*(pending.get(friend, ()) for friend in level)) - seen
        if member_id in level:
            return True
    return False


def referrals_by(session: Session, brand_id: UUID, advocate_id: UUID, campaign_id: UUID) -> list[Referral]:
    """The friends a member brought in a campaign, the latest first."""
    return list(
        session.scalars(
            select(Referral)
            .where(
                col(Referral.brand_id) == brand_id,
                col(Referral.advocate_id) == advocate_id,
                col(Referral.campaign_id) == campaign_id,
            )
            .order_by(col(Referral.started_at).desc(), col(Referral.id).desc())
        )
    )


def referral_of(session: Session, brand_id: UUID, friend_id: UUID, campaign_id: UUID) -> Referral | None:
    """How a member came to a campaign, if through somebody."""
    return session.scalar(
        select(Referral).where(
            col(Referral.brand_id) == brand_id,
            col(Referral.friend_id) == friend_id,
            col(Referral.campaign_id) == campaign_id,
        )
    )


def recount(session: Session, brand_id: UUID, pairs: Iterable[tuple[UUID, UUID]]) -> None:
    """Count the scores of these (campaign, advocate) again from the referrals. Who was erased has none."""
    after: dict[leaderboard.Key, tuple[int, datetime] | None] = {}
    for campaign_id, advocate_id in set(pairs):
        score, reached = session.execute(
            select(func.count(), func.max(col(Referral.qualified_at))).where(
                col(Referral.brand_id) == brand_id,
                col(Referral.campaign_id) == campaign_id,
                col(Referral.advocate_id) == advocate_id,
                col(Referral.state) == "qualified",
                select(col(Member.id))
                .where(col(Member.brand_id) == brand_id, col(Member.id) == advocate_id, col(Member.erased_at).is_(None))
                .exists(),
            )
        ).one()
        after[(brand_id, campaign_id, advocate_id)] = (score, reached) if score else None
    leaderboard.replace(session, after)


def reverse(session: Session, referrals: Sequence[Referral], reason: str) -> list[ReferralReversed]:
    """Make these referrals count no longer; the events are the caller's to emit when its own rows are in order."""
    for referral in referrals:
        referral.state, referral.reason, referral.stay_since, referral.due_at = "reversed", reason, None, None
        session.add(referral)
    session.flush()
    for brand_id in {referral.brand_id for referral in referrals}:
        recount(session, brand_id, [(r.campaign_id, r.advocate_id) for r in referrals if r.brand_id == brand_id])
    return [ReferralReversed(r.brand_id, r.campaign_id, r.id, r.advocate_id, r.friend_id, reason) for r in referrals]
