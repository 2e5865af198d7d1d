"""Campaigns: what counts, when and where, their states, and who takes part (enrollments with their codes)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index, UniqueConstraint, select, update
from sqlmodel import Field, Session, col

from core import clock, events, ids
from core.db import Json, Row, TenantRow, UtcDateTime, insert_missing, insert_new, table
from core.errors import NotFound, Refused
from referral import codes

KINDS = ("referral", "trial", "contest")
QUALIFYING = ("joined", "retained", "purchased", "trial_claimed", "feedback_given")
STATES = ("draft", "scheduled", "running", "paused", "ended", "settled")
MOVES = {
    "launch": {"draft": "running", "scheduled": "running"},
    "schedule": {"draft": "scheduled"},
    "pause": {"running": "paused"},
    "resume": {"paused": "running"},
    "end": {"running": "ended", "paused": "ended", "scheduled": "ended"},
    "settle": {"ended": "settled"},
}
"""What can be done to a campaign, from which state, leading where."""


class Campaign(TenantRow, table=True):
    """A campaign as it stands now; `version` names the terms in force (`CampaignVersion`)."""

    __tablename__ = "campaign"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        UniqueConstraint("brand_id", "slug"),
        Index("ix_campaign_state", "state", "ends_at"),
    )

    slug: str
    kind: str = "referral"
    state: str = "draft"
    version: int = 1
    title: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    benefit: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    """What the friend gets, in the words of the card and the landing page; per locale."""
    timezone: str = "Asia/Shanghai"
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    event: str = "retained"
    """The qualifying event that earns."""
    stay_days: int = 7
    """For `retained`: how many days a friend stays."""
    window_days: int = 30
    """How long after the touch a friend may still qualify."""
    communities: list[str] = Field(default_factory=list, sa_column=Column(Json, nullable=False))
    """Community ids the campaign runs in; empty means all of the brand's."""
    picture: str | None = None
    """For its cards, by the name `referral.pictures` keeps it under."""
    created_at: datetime = Field(sa_type=UtcDateTime)


class CampaignVersion(Row, table=True):
    """The whole campaign file as it was applied; decisions keep the version they were taken under."""

    __tablename__ = "campaign_version"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),)

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    version: int = Field(primary_key=True)
    document: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)


class Enrollment(TenantRow, table=True):
    """A member takes part in a campaign as an advocate."""

    __tablename__ = "enrollment"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        UniqueConstraint("brand_id", "campaign_id", "member_id"),
    )

    campaign_id: UUID
    member_id: UUID
    campaign_version: int
    """The version of the terms the advocate accepted."""
    enrolled_at: datetime = Field(sa_type=UtcDateTime)


class InviteCode(Row, table=True):
    """A code belongs to an enrollment. Looked up before the brand is known, so its key is the code alone."""

    __tablename__ = "invite_code"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "enrollment_id"], ["enrollment.brand_id", "enrollment.id"]),
        Index("ix_invite_code_enrollment", "brand_id", "enrollment_id"),
    )

    code: str = Field(primary_key=True)
    brand_id: UUID
    enrollment_id: UUID
    created_at: datetime = Field(sa_type=UtcDateTime)


class PlatformInvite(Row, table=True):
    """A platform's own invite into a community (chat link, guild invite) made for one code."""

    __tablename__ = "platform_invite"
    __table_args__ = (ForeignKeyConstraint(["code"], ["invite_code.code"]),)

    brand_id: UUID = Field(primary_key=True)
    community_id: UUID = Field(primary_key=True)
    code: str = Field(primary_key=True)
    url: str = Field(index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class CodeOwner:
    """Everything a code stands for, in one row."""

    code: str
    brand_id: UUID
    enrollment_id: UUID
    advocate_id: UUID
    campaign: Campaign


@dataclass(frozen=True, slots=True)
class CampaignMoved:
    """A campaign changed its state."""

    brand_id: UUID
    campaign_id: UUID
    before: str
    after: str


def owners_of(session: Session, wanted: Sequence[str], brand_id: UUID | None = None) -> dict[str, CodeOwner]:
    """What these (normalized) codes stand for; unknown ones are missing. `brand_id`: only those of this brand."""
    found = (
        select(InviteCode, Enrollment, Campaign)
        .join(
            Enrollment,
            (col(Enrollment.brand_id) == col(InviteCode.brand_id))
            & (col(Enrollment.id) == col(InviteCode.enrollment_id)),
        )
        .join(
            Campaign,
            (col(Campaign.brand_id) == col(Enrollment.brand_id)) & (col(Campaign.id) == col(Enrollment.campaign_id)),
        )
        .where(col(InviteCode.code).in_(set(wanted)))
    )
    if brand_id is not None:
        found = found.where(col(InviteCode.brand_id) == brand_id)
    return {
        code.code: CodeOwner(code.code, code.brand_id, enrollment.id, enrollment.member_id, campaign)
        for code, enrollment, campaign in session.execute(found)
    }


def find_campaign(session: Session, brand_id: UUID, slug: str) -> Campaign:
    """The brand's campaign of this slug. Raises `NotFound`."""
    here = select(Campaign).where(col(Campaign.brand_id) == brand_id, col(Campaign.slug) == slug)
    campaign = session.scalar(here) if slug.isprintable() else None  # PostgreSQL takes no text with a zero in it
    if campaign is None:
        raise NotFound("campaign", slug=slug[:60])
    return campaign


def campaigns_of(session: Session, brand_id: UUID, states: Sequence[str] = STATES) -> list[Campaign]:
    """The brand's campaigns in these states, the newest first."""
    return list(
        session.scalars(
            select(Campaign)
            .where(col(Campaign.brand_id) == brand_id, col(Campaign.state).in_(states))
            .order_by(col(Campaign.starts_at).desc(), col(Campaign.id))
        )
    )


def current_campaign(session: Session, brand_id: UUID) -> Campaign | None:
    """The campaign people mean when they name none: the newest running one, else the newest paused or ended."""
    for states in (("running",), ("paused",), ("scheduled",), ("ended", "settled")):
        found = campaigns_of(session, brand_id, states)
        if found:
            return found[0]
    return None


def runs_in(campaign: Campaign, community_id: UUID) -> bool:
    """Whether a community takes part in the campaign."""
    return not campaign.communities or str(community_id) in campaign.communities


def move(session: Session, campaign: Campaign, what: str) -> None:
    """Pause, resume, end … a campaign, once however many try. Raises `Refused("campaign_state")` if it cannot be."""
    allowed = MOVES[what]
    before = campaign.state
    after = allowed.get(before)
    if after is None:
        raise Refused("campaign_state", state=before, action=what)
    changed = session.execute(
        update(table(Campaign))
        .where(
            col(Campaign.brand_id) == campaign.brand_id, col(Campaign.id) == campaign.id, col(Campaign.state) == before
        )
        .values(state=after, **({"ends_at": min(campaign.ends_at, clock.now())} if after == "ended" else {}))
        .returning(col(Campaign.id))
    ).all()
    if not changed:
        session.refresh(campaign)
        raise Refused("campaign_state", state=campaign.state, action=what)
    session.refresh(campaign)
    events.emit(session, [CampaignMoved(campaign.brand_id, campaign.id, before, after)])


def enroll(session: Session, campaign: Campaign, member_id: UUID) -> str:
    """The member's code in this campaign, made at the first call. Raises `Refused` unless it is running."""
    existing = code_of(session, campaign, member_id)
    if existing is not None:
        return existing
    if campaign.state != "running":
        raise Refused("campaign_not_running", state=campaign.state)
    now = clock.now()
    row = {
        "brand_id": campaign.brand_id,
        "id": ids.new(),
        "campaign_id": campaign.id,
        "member_id": member_id,
        "campaign_version": campaign.version,
        "enrolled_at": now,
    }
    insert_missing(session, table(Enrollment), [row], ["brand_id", "campaign_id", "member_id"])
    return code_of(session, campaign, member_id) or _new_code(session, campaign, member_id, now)


def _new_code(session: Session, campaign: Campaign, member_id: UUID, now: datetime) -> str:
    enrollment_id = session.scalars(
        select(col(Enrollment.id)).where(
            col(Enrollment.brand_id) == campaign.brand_id,
            col(Enrollment.campaign_id) == campaign.id,
            col(Enrollment.member_id) == member_id,
        )
    ).one()
    while True:
        code = codes.new()
        row = {"code": code, "brand_id": campaign.brand_id, "enrollment_id": enrollment_id, "created_at": now}
        if insert_new(session, table(InviteCode), [row], ["code"], returning=table(InviteCode).c.code):
            return code


def code_of(session: Session, campaign: Campaign, member_id: UUID) -> str | None:
    """The member's first code in this campaign, if they are enrolled."""
    return next(iter(codes_of(session, campaign, member_id)), None)


def codes_of(session: Session, campaign: Campaign, member_id: UUID) -> list[str]:
    """All codes of a member in this campaign, the first one first (linking accounts can bring a second)."""
    return list(
        session.scalars(
            select(col(InviteCode.code))
            .join(
                Enrollment,
                (col(Enrollment.brand_id) == col(InviteCode.brand_id))
                & (col(Enrollment.id) == col(InviteCode.enrollment_id)),
            )
            .where(
                col(Enrollment.brand_id) == campaign.brand_id,
                col(Enrollment.campaign_id) == campaign.id,
                col(Enrollment.member_id) == member_id,
            )
            .order_by(col(InviteCode.created_at), col(InviteCode.code))
        )
    )


def keep_invite(session: Session, brand_id: UUID, community_id: UUID, code: str, url: str) -> None:
    """Remember the platform's own invite that was made for a code; the first one stays."""
    row = {
        "brand_id": brand_id,
        "community_id": community_id,
        "code": code,
        "url": url,
        "created_at": clock.now(),
    }
    target = table(PlatformInvite)
    insert_missing(session, target, [row], ["brand_id", "community_id", "code"])


def invites_of(session: Session, brand_id: UUID, code: str) -> dict[UUID, str]:
    """The platform invites of a code, per community."""
    rows = session.execute(
        select(col(PlatformInvite.community_id), col(PlatformInvite.url)).where(
            col(PlatformInvite.brand_id) == brand_id, col(PlatformInvite.code) == code
        )
    )
    return dict(rows.all())


def code_of_invite(session: Session, brand_id: UUID, community_id: UUID, url: str) -> str | None:
    """Whose code a platform invite belongs to, if it is one of ours."""
    return session.scalar(
        select(col(PlatformInvite.code)).where(
            col(PlatformInvite.brand_id) == brand_id,
            col(PlatformInvite.community_id) == community_id,
            col(PlatformInvite.url) == url,
        )
    )
