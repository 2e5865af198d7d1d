"""News of a trial: a place kept, a step of an application, what is due soon, a friend who moved somebody up.

What happens at one's own press is shown there and then, and not told again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.context import name_of, sentences
from bots.message import Reply
from bots.news import News, Voice, tell
from bots.trial_words import Telling, moved_up, stands
from core import clock
from core.events import Bus
from referral.referrals import OPEN, referral_of
from referral.trials.places import ApplicationDue, ApplicationMoved, TrialApplication, application_of, campaign_of

TOLD = ("waiting", "approved", "delivered", "declined", "lapsed", "no_show")


def listen(bus: Bus) -> None:
    """Hear of applications."""
    bus.on(ApplicationMoved, _on_moved)
    bus.on(ApplicationDue, _on_due)


def _on_moved(session: Session, happened: Sequence[ApplicationMoved]) -> None:
    news = []
    for event in happened:
        row = session.get_one(TrialApplication, (event.brand_id, event.application_id))
        if _is_news(event):
            news.append(_news(event, "trial_moved", f"{event.after}/{event.at.isoformat()}", state=event.after))
        if event.before in ("", "withdrawn") and event.after in ("applied", "waiting"):
            news += _to_advocate(session, event, row)
    tell(session, news)


def _is_news(event: ApplicationMoved) -> bool:
    if event.after == "withdrawn":
        return event.reason == "called_off"
    return event.after in TOLD and bool(event.before) and not event.own


def _to_advocate(session: Session, event: ApplicationMoved, row: TrialApplication) -> list[News]:
    """Whoever brought the applicant and stands in line themselves."""
    way = referral_of(session, event.brand_id, event.member_id, event.campaign_id)
    if way is None or way.state not in OPEN:
        return []
    theirs = application_of(session, event.brand_id, event.campaign_id, way.advocate_id)
    if theirs is None:
        return []
    facts = {"application": str(theirs.id), "friend": str(event.member_id)}
    cause = f"trial/{theirs.id}/friend/{row.id}"
    return [News(event.brand_id, way.advocate_id, "trial_friend", cause, facts)]


def _on_due(session: Session, happened: Sequence[ApplicationDue]) -> None:
    tell(
        session,
        [_news(event, "trial_due", f"due/{event.due_at.isoformat()}", state=event.state) for event in happened],
    )


def _news(event: ApplicationMoved | ApplicationDue, kind: str, cause: str, **facts: str) -> News:
    told = {"application": str(event.application_id), **facts}
    return News(event.brand_id, event.member_id, kind, f"trial/{event.application_id}/{cause}", told)


def _row(voice: Voice, facts: Mapping[str, Any]) -> tuple[Telling, TrialApplication]:
    row = voice.session.get_one(TrialApplication, (voice.brand.id, UUID(facts["application"])))
    return Telling(voice.session, voice.brand, campaign_of(voice.session, row), voice.locale), row


def _moved(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    telling, row = _row(voice, facts)
    if row.state != facts["state"]:
        return None  # it went on since, which is told by itself
    text, rows = stands(telling, row)
    return Reply(text, buttons=rows, private=True)


def _due(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    telling, row = _row(voice, facts)
    if row.state != facts["state"] or row.due_at is None or row.due_at <= clock.now():
        return None
    text, rows = stands(telling, row)
    return Reply(sentences(voice.locale, telling.say("trial.reminder"), text), buttons=rows, private=True)


def _friend(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    telling, row = _row(voice, facts)
    friend = name_of(voice.session, voice.brand.id, UUID(facts["friend"]), voice.locale)
    words = moved_up(telling, row, friend)
    return Reply(words, private=True) if words is not None else None


KINDS = {"trial_moved": _moved, "trial_due": _due, "trial_friend": _friend}
