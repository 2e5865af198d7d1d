"""What `daixin trial …` does in the database: units of work that return what is printed or written to a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core.errors import NotFound
from core.sheets import write_sheet
from daixin.console import LOCALE, brand_named, member_named
from referral.campaigns import Campaign, find_campaign
from referral.pictures import picture_of
from referral.staff import OPERATOR
from referral.trials import applications
from referral.trials.feedback import all_feedback
from referral.trials.funnel import funnel
from referral.trials.line import standing
from referral.trials.places import IN_LINE, TrialApplication, application_of, terms_of
from rewards.trials import draw_of

Document = dict[str, Any]
APPLICATION = ("application", "member", "name", "state", "number", "friends", "applied_at", "due_at", "reason")


def _campaign(session: Session, brand: str | None, slug: str) -> Campaign:
    """Raises `NotFound`: campaign, trial."""
    found = find_campaign(session, brand_named(session, brand).id, slug)
    terms_of(session, found)
    return found


def listed(session: Session, brand: str | None, slug: str, state: str | None) -> list[Document]:
    """Applications in the order of the line, with where each stands and what was answered."""
    campaign = _campaign(session, brand, slug)
    found = applications.applications_of(session, campaign.brand_id, campaign.id, (state,) if state else ())
    return [_line(session, campaign, row, member.name) for row, member in found]


def _line(session: Session, campaign: Campaign, row: TrialApplication, name: str) -> Document:
    zone = ZoneInfo(campaign.timezone)
    number = standing(session, row).number if row.state in IN_LINE else None
    moments = {
        key: at.astimezone(zone).isoformat("T", "minutes") if (at := getattr(row, key)) else None
        for key in ("applied_at", "due_at")
    }
    return {
        "application": str(row.id),
        "member": str(row.member_id),
        "name": name,
        "state": row.state,
        "number": number,
        "friends": row.friends,
        **moments,
        "reason": row.reason,
        "answers": dict(applications.answers_of(session, row, LOCALE)),
    }


def write_applications(session: Session, brand: str | None, slug: str, state: str | None, file: Path) -> int:
    """Applications with a column for each question as `.csv` or `.xlsx`, readable by this user alone; how many."""
    rows = listed(session, brand, slug, state)
    asked = list(dict.fromkeys(question for row in rows for question in row["answers"]))
    lines = [[_cell(row[key]) for key in APPLICATION] + [row["answers"].get(one, "") for one in asked] for row in rows]
    write_sheet(file, "applications", [[*APPLICATION, *asked], *lines])
    return len(rows)


def _cell(value: Any) -> Any:
    return "" if value is None else value


def decide(session: Session, brand: str | None, slug: str, member: str, verdict: str, reason: str) -> Document:
    """Decide about a member's application as the operator. Raises `NotFound`: member, application, case; `Refused`."""
    campaign = _campaign(session, brand, slug)
    member_id = member_named(session, campaign.brand_id, member)
    row = application_of(session, campaign.brand_id, campaign.id, member_id)
    if row is None:
        raise NotFound("application")
    applications.decide(session, campaign.brand_id, row.id, verdict, reason, OPERATOR)
    session.refresh(row)
    return _line(session, campaign, row, "")


def feedback(session: Session, brand: str | None, slug: str, *, to_publish: bool) -> list[Document]:
    """What was said, oldest first; `to_publish`: only what may be shown around."""
    campaign = _campaign(session, brand, slug)
    zone = ZoneInfo(campaign.timezone)
    return [
        {
            "application": str(row.id),
            "name": member.name,
            "rating": said.rating,
            "text": said.text,
            "picture": said.picture,
            "may_publish": said.consent,
            "given_at": said.given_at.astimezone(zone).isoformat("T", "minutes"),
        }
        for said, row, member in all_feedback(session, campaign.brand_id, campaign.id, to_publish=to_publish)
    ]


def write_feedback(session: Session, brand: str | None, slug: str, file: Path, *, to_publish: bool) -> int:
    """Feedback as `.csv` or `.xlsx`, readable by this user alone; how many lines."""
    rows = feedback(session, brand, slug, to_publish=to_publish)
    heads = ("application", "name", "rating", "text", "picture", "may_publish", "given_at")
    lines = [
        ["yes" if row[key] is True else "no" if row[key] is False else _cell(row[key]) for key in heads] for row in rows
    ]
    write_sheet(file, "feedback", [heads, *lines])
    return len(rows)


def write_pictures(session: Session, brand: str | None, slug: str, folder: Path, *, to_publish: bool) -> int:
    """The photos of the feedback into a folder, readable by this user alone; how many. Named after the application."""
    campaign = _campaign(session, brand, slug)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = 0
    for said, row, _ in all_feedback(session, campaign.brand_id, campaign.id, to_publish=to_publish):
        if said.picture:
            file = folder / f"{row.id}.jpg"
            file.touch(mode=0o600)
            file.write_bytes(picture_of(session, campaign.brand_id, said.picture))
            written += 1
    return written


def figures(session: Session, brand: str | None, slug: str) -> Document:
    """How many came how far."""
    return asdict(funnel(session, _campaign(session, brand, slug)))


def drawn(session: Session, brand: str | None, slug: str) -> Document:
    """The draw that was held, for anybody to check with `daixin draw verify`. Raises `NotFound("draw")` before it."""
    return draw_of(session, _campaign(session, brand, slug))
