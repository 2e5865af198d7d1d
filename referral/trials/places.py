"""The tables of trials: the places of a campaign, the applications for them, and the feedback of who tried.

States of an application: applied (a person or the draw decides) → waiting (in line for a place) → approved (a place is
kept for them) → taken → delivered → reviewed; or declined | withdrawn | lapsed (not taken in time) | no_show (no
feedback in time). Who may change an application holds the lock of its campaign's `Trial` (`lock`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlmodel import Field, Session, col

from core import clock, events
from core.db import Json, Row, TenantRow, UtcDateTime
from core.errors import NotFound
from referral.campaigns import Campaign, CampaignVersion
from referral.trials.terms import TrialTerms

STATES = (
    *("applied", "waiting", "approved", "taken", "delivered", "reviewed"),
    *("declined", "withdrawn", "lapsed", "no_show"),
)
IN_LINE = ("applied", "waiting")
"""Who hopes for a place."""
WITH_PLACE = ("approved", "taken", "delivered", "reviewed", "no_show")
"""Whose place nobody else can have."""
UNFINISHED = ("applied", "waiting", "approved", "taken", "delivered")
"""Something may still come of these."""


class Trial(Row, table=True):
    """The places of one trial campaign. `given`: how many are somebody's; the database refuses more than the quota.

    `closes_at`: when applications close; `closed_at`: when that was acted upon. `commitment`, `sealed`: the draw's
    SHA-256 and its secret until it is drawn; `document`: the draw as anybody can check it. `over_at`: since when no
    place passes on any more.
    """

    __tablename__ = "trial"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        CheckConstraint("0 <= given AND given <= quota", name="given"),
        Index("ix_trial_closes", "closed_at", "closes_at"),
    )

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    quota: int
    given: int = 0
    approve: str
    friends: int = 0
    closes_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    draw_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    commitment: str | None = None
    sealed: str | None = Field(default=None, repr=False)
    document: dict[str, Any] | None = Field(default=None, sa_column=Column(Json))
    drawn_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def free(self) -> int:
        """Places that are nobody's."""
        return self.quota - self.given


class TrialApplication(TenantRow, table=True):
    """One person's application in one campaign. `round`: which time they apply; more than one after a withdrawal.

    `friends`: how many they brought who applied themselves. `sealed`: the answers, bound to this row. `due_at`: what
    the state lasts until (a place is taken, an address given, feedback given); `remind_at`: when to say so.
    `claimed_at`: since when it counts as a place taken (the address is known, or the code was handed over). `reason`,
    `decided_by`: of the last step, where it has any.
    """

    __tablename__ = "trial_application"
    __table_args__ = (
        UniqueConstraint("brand_id", "campaign_id", "member_id"),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["trial.brand_id", "trial.campaign_id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        Index("ix_trial_application_line", "brand_id", "campaign_id", "state", "friends", "applied_at"),
        Index("ix_trial_application_member", "brand_id", "member_id"),
        Index("ix_trial_application_due", "state", "due_at"),
        Index("ix_trial_application_remind", "remind_at"),
    )

    campaign_id: UUID
    member_id: UUID
    campaign_version: int
    round: int = 1
    state: str
    friends: int = 0
    sealed: str | None = Field(default=None, repr=False)
    applied_at: datetime = Field(sa_type=UtcDateTime)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    taken_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    remind_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = None
    decided_by: str | None = None

    @property
    def case_key(self) -> str:
        """What its case is called: a person who withdraws and applies again is looked at again."""
        return f"{self.id}/{self.round}"


class TrialFeedback(Row, table=True):
    """What a trier said, once. `picture`: of `referral.pictures`. `consent`: whether the brand may publish it."""

    __tablename__ = "trial_feedback"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "application_id"], ["trial_application.brand_id", "trial_application.id"]),
        CheckConstraint("1 <= rating AND rating <= 5", name="rating"),
        Index("ix_trial_feedback_campaign", "brand_id", "campaign_id", "given_at"),
    )

    brand_id: UUID = Field(primary_key=True)
    application_id: UUID = Field(primary_key=True)
    campaign_id: UUID
    rating: int
    text: str = ""
    picture: str | None = None
    consent: bool = False
    given_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class ApplicationMoved:
    """An application is in another state. `before` is "" for a new one; `reason` where the step has one.
    `own`: it came of what the applicant did just now, and is shown to them in answer."""

    brand_id: UUID
    campaign_id: UUID
    application_id: UUID
    member_id: UUID
    before: str
    after: str
    reason: str | None
    at: datetime
    own: bool = False


@dataclass(frozen=True, slots=True)
class ApplicationDue:
    """What an application's state waits for is due soon: whose it is should hear."""

    brand_id: UUID
    campaign_id: UUID
    application_id: UUID
    member_id: UUID
    state: str
    due_at: datetime


def terms_of(session: Session, campaign: Campaign, version: int | None = None) -> TrialTerms:
    """The campaign's terms in force, or of an earlier version. Raises `NotFound("trial")` where it is no trial."""
    found = session.get(CampaignVersion, (campaign.brand_id, campaign.id, version or campaign.version))
    said = (found.document if found else {}).get("trial")
    if said is None:
        raise NotFound("trial", slug=campaign.slug)
    return TrialTerms.model_validate(said)


def trial_of(session: Session, brand_id: UUID, campaign_id: UUID) -> Trial | None:
    """The places of a campaign; None for one that is no trial."""
    return session.get(Trial, (brand_id, campaign_id))


def lock(session: Session, brand_id: UUID, campaign_id: UUID) -> Trial:
    """The places of a campaign, locked until the commit: one unit of work at a time gives and frees them.

    Raises `NotFound("trial")`.
    """
    found = session.scalar(
        select(Trial)
        .where(col(Trial.brand_id) == brand_id, col(Trial.campaign_id) == campaign_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("trial", slug="")
    return found


def locked(session: Session, brand_id: UUID, application_id: UUID) -> tuple[Trial, TrialApplication]:
    """An application as it stands now, with its campaign's places, locked. Raises `NotFound("application")`."""
    found = session.get(TrialApplication, (brand_id, application_id))
    if found is None:
        raise NotFound("application")
    trial = lock(session, brand_id, found.campaign_id)
    session.refresh(found)
    return trial, found


def application_of(session: Session, brand_id: UUID, campaign_id: UUID, member_id: UUID) -> TrialApplication | None:
    """A member's application in a campaign."""
    return session.scalar(
        select(TrialApplication).where(
            col(TrialApplication.brand_id) == brand_id,
            col(TrialApplication.campaign_id) == campaign_id,
            col(TrialApplication.member_id) == member_id,
        )
    )


def campaign_of(session: Session, row: Trial | TrialApplication) -> Campaign:
    """The campaign of places or of an application."""
    return session.get_one(Campaign, (row.brand_id, row.campaign_id))


def step(
    session: Session,
    trial: Trial,
    row: TrialApplication,
    after: str,
    *,
    reason: str | None = None,
    actor: str | None = None,
    due_at: datetime | None = None,
    remind_at: datetime | None = None,
) -> None:
    """Bring an application into another state, count its place, and tell. The caller holds the lock."""
    now, before = clock.now(), row.state
    row.state, row.reason, row.due_at, row.remind_at = after, reason, due_at, remind_at
    if actor is not None:
        row.decided_by = actor
    if f"{after}_at" in STAMPED:
        setattr(row, f"{after}_at", now)
    row.ended_at = now if after in ENDED else None
    trial.given += (after in WITH_PLACE) - (before in WITH_PLACE)
    session.add_all((row, trial))
    session.flush()
    tell(session, row, before, now)


STAMPED = ("approved_at", "taken_at", "delivered_at", "reviewed_at")
ENDED = ("declined", "withdrawn", "lapsed", "no_show")


def tell(session: Session, row: TrialApplication, before: str, at: datetime) -> None:
    """Say that an application is where it is now."""
    who = (row.brand_id, row.campaign_id, row.id, row.member_id)
    own = session.info.get(ANSWERED) == row.id
    events.emit(session, [ApplicationMoved(*who, before, row.state, row.reason, at, own)])


ANSWERED = "trial.answered"


@contextmanager
def answering(session: Session, application_id: UUID) -> Iterator[None]:
    """What becomes of this application meanwhile is the answer to what its applicant just did."""
    before = session.info.get(ANSWERED)
    session.info[ANSWERED] = application_id
    try:
        yield
    finally:
        session.info[ANSWERED] = before
