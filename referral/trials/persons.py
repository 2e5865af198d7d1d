"""Applications follow the persons they belong to: two become one, one becomes two again, one is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import Session, col

from core import clock, i18n, ids
from referral.campaigns import Campaign
from referral.linking import LinkUndone, MemberLink, MembersLinked
from referral.members import Member
from referral.referrals import referral_of
from referral.shelf import forget_unused
from referral.trials import credit, line
from referral.trials.applications import answers_of, applications_by, ask_somebody, finish
from referral.trials.feedback import feedback_of
from referral.trials.places import (
    IN_LINE,
    Trial,
    TrialApplication,
    application_of,
    campaign_of,
    lock,
    locked,
    step,
    terms_of,
)

LINKED = "linked"
"""Why one of two applications of one person was withdrawn."""
FURTHEST = (
    *("withdrawn", "declined", "lapsed", "applied", "waiting"),
    *("approved", "no_show", "taken", "delivered", "reviewed"),
)
"""Of two applications of one person the one that came further stays; of equals the earlier."""


def on_linked(session: Session, happened: Sequence[MembersLinked]) -> None:
    """A person has one application in a campaign. What was handed over twice stays handed over."""
    for event in happened:
        noted: dict[str, Any] = {"moved": [], "swapped": [], "withdrawn": {}}
        campaigns = {row.campaign_id for row in _both(session, event)}
        for campaign_id in sorted(campaigns):
            trial = lock(session, event.brand_id, campaign_id)
            _join(session, trial, event, noted)
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        link.moved = {**link.moved, "applications": noted}
        session.add(link)
        session.flush()


def _both(session: Session, event: MembersLinked | LinkUndone) -> list[TrialApplication]:
    return [
        *applications_by(session, event.brand_id, event.kept_id),
        *applications_by(session, event.brand_id, event.absorbed_id),
    ]


def _join(session: Session, trial: Trial, event: MembersLinked, noted: dict[str, Any]) -> None:
    mine = application_of(session, trial.brand_id, trial.campaign_id, event.kept_id)
    theirs = application_of(session, trial.brand_id, trial.campaign_id, event.absorbed_id)
    campaign = campaign_of(session, trial)
    if theirs is not None and mine is None:
        theirs.member_id = event.kept_id
        session.add(theirs)
        session.flush()
        noted["moved"].append(str(theirs.id))
    elif theirs is not None and mine is not None:
        session.refresh(mine)
        session.refresh(theirs)
        better = max((mine, theirs), key=lambda row: (FURTHEST.index(row.state), -row.applied_at.timestamp()))
        if better is theirs:
            _swap(session, mine, theirs)
            noted["swapped"].append([str(mine.id), str(theirs.id)])
        other = theirs if better is mine else mine
        if other.state in (*IN_LINE, "approved"):
            noted["withdrawn"][str(other.id)] = other.state
            step(session, trial, other, "withdrawn", reason=LINKED)
            finish(session, trial, campaign, other)
            credit.hold_window(session, campaign, terms_of(session, campaign), event.kept_id)
    _count(session, trial, campaign, event.kept_id)


def _count(session: Session, trial: Trial, campaign: Campaign, *members: UUID) -> None:
    """Count anew for these members and whoever brought them, and give what is free."""
    ways = [referral_of(session, trial.brand_id, member_id, trial.campaign_id) for member_id in members]
    line.recount(session, trial, {*members, *(way.advocate_id for way in ways if way is not None)})
    line.fill(session, trial, campaign)


def _swap(session: Session, one: TrialApplication, other: TrialApplication) -> None:
    """Exchange the members of two applications; the key is unique at every moment, so one waits with nobody."""
    aside = Member(brand_id=one.brand_id, id=ids.new(), name="", created_at=clock.now())
    session.add(aside)
    session.flush()
    ones, others = one.member_id, other.member_id
    for row, member_id in ((one, aside.id), (other, ones), (one, others)):
        row.member_id = member_id
        session.add(row)
        session.flush()
    session.execute(delete(Member).where(col(Member.brand_id) == one.brand_id, col(Member.id) == aside.id))


def on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """Each has their own application again; one that the link withdrew stands in line where it stood."""
    for event in happened:
        noted = session.get_one(MemberLink, (event.brand_id, event.link_id)).moved.get("applications")
        if not noted:
            continue
        for campaign_id in sorted({row.campaign_id for row in _both(session, event)}):
            lock(session, event.brand_id, campaign_id)
        for one in noted["moved"]:
            row = session.get(TrialApplication, (event.brand_id, UUID(one)), populate_existing=True)
            if row is not None and row.member_id == event.kept_id:
                row.member_id = event.absorbed_id
                session.add(row)
        session.flush()
        for pair in noted["swapped"]:
            rows = [session.get_one(TrialApplication, (event.brand_id, UUID(one))) for one in pair]
            if {row.member_id for row in rows} == {event.kept_id, event.absorbed_id}:
                _swap(session, *rows)
        for one, state in noted["withdrawn"].items():
            _stand_again(session, event.brand_id, UUID(one), state)
        for campaign_id in sorted({row.campaign_id for row in _both(session, event)}):
            trial = lock(session, event.brand_id, campaign_id)
            _count(session, trial, campaign_of(session, trial), event.kept_id, event.absorbed_id)


def _stand_again(session: Session, brand_id: UUID, application_id: UUID, state: str) -> None:
    trial, row = locked(session, brand_id, application_id)
    campaign = campaign_of(session, row)
    if (row.state, row.reason) != ("withdrawn", LINKED) or trial.over_at or campaign.state not in ("running", "ended"):
        return
    if state == "applied" and trial.drawn_at is None:
        row.round += 1  # its case was closed; somebody is asked anew
        step(session, trial, row, "applied")
        if trial.approve == "hand":
            ask_somebody(session, campaign, row)
    else:
        step(session, trial, row, "waiting")
    credit.hold_window(session, campaign, terms_of(session, campaign), row.member_id)


def forget(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Forget what these members wrote; who still waits does no longer. A rating stays as a figure, without words,
    without a picture, and not to be published."""
    found = [row for member_id in members for row in applications_by(session, brand_id, member_id)]
    for row in sorted(found, key=lambda row: (row.campaign_id, row.id)):
        trial, _ = locked(session, brand_id, row.id)
        row.sealed = None
        session.add(row)
        if row.state in (*IN_LINE, "approved"):
            step(session, trial, row, "withdrawn", reason="erased")
            finish(session, trial, campaign_of(session, row), row)
        said = feedback_of(session, row)
        if said is not None:
            picture = said.picture
            said.text, said.picture, said.consent = "", None, False
            session.add(said)
            forget_unused(session, brand_id, [picture] if picture else [])
        session.flush()


def export(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    """A member's applications with what they answered and said, oldest first, ready for JSON."""
    return [_exported(session, row) for row in reversed(applications_by(session, brand_id, member_id))]


def _exported(session: Session, row: TrialApplication) -> dict[str, Any]:
    said = feedback_of(session, row)
    moments = ("applied_at", "approved_at", "taken_at", "delivered_at", "reviewed_at", "ended_at")
    return {
        "campaign": campaign_of(session, row).slug,
        "state": row.state,
        "friends": row.friends,
        "answers": [
            {"question": question, "answer": answer} for question, answer in answers_of(session, row, i18n.DEFAULT)
        ],
        **{name: _moment(getattr(row, name)) for name in moments},
        "feedback": None
        if said is None
        else {
            "rating": said.rating,
            "text": said.text,
            "picture": said.picture,
            "consent": said.consent,
            "at": _moment(said.given_at),
        },
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
