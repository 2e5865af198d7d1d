"""Who was disqualified from a contest, and who was let back in: decisions of people, added and never changed.

The reason is public: it stands in the frozen final and is shown to whoever asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, select
from sqlmodel import Field, Session, col

from core import clock, events
from core.db import Row, UtcDateTime
from core.errors import BadInput, NotFound, Refused
from referral import audit
from referral.campaigns import Campaign
from referral.linking import person_of, standing_links
from referral.members import Member

LONGEST_REASON = 200
OUT, IN = "disqualify", "reinstate"


class ContestDecision(Row, table=True):
    """One decision about one member. `number`: 1, 2, … within the contest. `what`: disqualify or reinstate."""

    __tablename__ = "contest_decision"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        CheckConstraint("what IN ('disqualify', 'reinstate')", name="what"),
    )

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_id: UUID
    what: str
    reason: str
    actor: str
    decided_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class MemberDisqualified:
    """Somebody is out of a contest, for a public reason. `accounts`: all members who are this person."""

    brand_id: UUID
    campaign_id: UUID
    member_id: UUID
    accounts: tuple[UUID, ...]
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MemberReinstated:
    """Somebody is back in a contest, for a public reason."""

    brand_id: UUID
    campaign_id: UUID
    member_id: UUID
    accounts: tuple[UUID, ...]
    reason: str
    at: datetime


def disqualify(session: Session, campaign: Campaign, member_id: UUID, *, reason: str, actor: str) -> UUID:
    """Take a person out of the contest, with every account linked to theirs; who that is. Their friends stay friends.

    Raises `BadInput("contest_reason")`, `NotFound("member")`; `Refused`: no_contest, already_out.
    """
    return _decide(session, campaign, member_id, OUT, reason, actor)


def reinstate(session: Session, campaign: Campaign, member_id: UUID, *, reason: str, actor: str) -> UUID:
    """Let a person back in. Raises as `disqualify`, with `Refused("not_out")` for somebody who is in."""
    return _decide(session, campaign, member_id, IN, reason, actor)


def _decide(session: Session, campaign: Campaign, member_id: UUID, what: str, reason: str, actor: str) -> UUID:
    if campaign.kind != "contest" or campaign.state == "draft":
        raise Refused("no_contest", slug=campaign.slug)
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise BadInput("contest_reason", limit=LONGEST_REASON)
    hold(session, campaign)
    person = person_of(session, campaign.brand_id, member_id)
    if session.get(Member, (campaign.brand_id, person)) is None:
        raise NotFound("member")
    accounts = (person, *(link.absorbed_id for link in standing_links(session, campaign.brand_id, person)))
    out = [one.member_id for one in standing_decisions(session, campaign.brand_id, campaign.id)]
    touched = [one for one in accounts if (one in out) == (what == IN)]
    if not touched:
        raise Refused("already_out" if what == OUT else "not_out")
    now, number = clock.now(), len(decisions_of(session, campaign.brand_id, campaign.id))
    for place, one in enumerate(touched, number + 1):
        session.add(
            ContestDecision(
                brand_id=campaign.brand_id,
                campaign_id=campaign.id,
                number=place,
                member_id=one,
                what=what,
                reason=reason,
                actor=actor,
                decided_at=now,
            )
        )
    session.flush()
    audit.record(session, campaign.brand_id, actor, f"contest.{what}", campaign.slug, member=str(person), reason=reason)
    told = MemberDisqualified if what == OUT else MemberReinstated
    events.emit(session, [told(campaign.brand_id, campaign.id, person, accounts, reason, now)])
    return person


def hold(session: Session, campaign: Campaign) -> None:
    """Let nobody else decide about this contest, or freeze it, until the commit. Members and referrals wait for
    nothing: the lock leaves keys alone."""
    session.refresh(campaign, with_for_update={"key_share": True})


def decisions_of(session: Session, brand_id: UUID, campaign_id: UUID) -> list[ContestDecision]:
    """All decisions of a contest, in their order."""
    return list(
        session.scalars(
            select(ContestDecision)
            .where(col(ContestDecision.brand_id) == brand_id, col(ContestDecision.campaign_id) == campaign_id)
            .order_by(col(ContestDecision.number))
        )
    )


def standing_decisions(
    session: Session, brand_id: UUID, campaign_id: UUID, upto: int | None = None
) -> list[ContestDecision]:
    """By which decisions members are out now, or were when there had been so many."""
    return out_by(decisions_of(session, brand_id, campaign_id)[:upto])


def out_by(decisions: Sequence[ContestDecision]) -> list[ContestDecision]:
    """The decisions that still stand after all of these, in their order."""
    last = {one.member_id: one for one in decisions}
    return [one for one in last.values() if one.what == OUT]
