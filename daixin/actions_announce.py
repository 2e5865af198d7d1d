"""What `daixin announce …` does in the database: units of work that return what is printed."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from core import i18n
from core.errors import BadInput, NotFound
from daixin.console import brand_named
from referral.announcing import log_of, try_again
from referral.brands import communities_of
from referral.campaigns import find_campaign
from referral.staff import OPERATOR

Document = dict[str, Any]
MOMENTS = ("queued_at", "asked_at", "sent_at", "pinned_at", "unpinned_at")


def log(session: Session, brand: str | None, slug: str) -> list[Document]:
    """Every post of a campaign, the oldest first. Raises `NotFound("campaign")`."""
    campaign = find_campaign(session, brand_named(session, brand).id, slug)
    return [
        {
            "what": row.what,
            "turn": row.turn,
            "group": f"{place.platform}:{place.group_id}",
            "title": place.title,
            "state": row.state,
            "tries": row.tries,
            "message": row.message,
            "reason": row.reason,
            **{name: at.isoformat() if (at := getattr(row, name)) else None for name in MOMENTS},
        }
        for row, place in log_of(session, campaign)
    ]


def retry(session: Session, brand: str | None, slug: str) -> int:
    """Queue again what was refused; how many. Raises `NotFound("campaign")`."""
    return try_again(session, find_campaign(session, brand_named(session, brand).id, slug), OPERATOR)


def speak(session: Session, brand: str | None, group: str, language: str) -> Document:
    """Set the language of a connected group. Raises `NotFound("community")`, `BadInput("announce_language")`."""
    owner = brand_named(session, brand)
    platform, _, group_id = group.partition(":")
    places = [one for one in communities_of(session, owner.id) if (one.platform, one.group_id) == (platform, group_id)]
    if not places:
        raise NotFound("community", community=group[:100])
    if language not in (*i18n.LOCALES, "brand"):
        raise BadInput("announce_language", language=language[:40], known=", ".join((*i18n.LOCALES, "brand")))
    place = places[0]
    place.locale = None if language == "brand" else language
    session.add(place)
    session.flush()
    return {"group": group, "language": place.locale or owner.locale}
