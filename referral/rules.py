"""Who counts: the rules of a referral as pure functions over facts. No database here.

A refusal is a code, which is also the message id `why.<code>` that explains it to the advocate and to the friend.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

REFUSALS = (
    "campaign_not_started",
    "campaign_paused",
    "campaign_over",
    "advocate_gone",
    "self_referral",
    "loop",
    "already_referred",
    "not_new",
)


BY_STAYING = ("joined", "retained")
"""Qualifying events that come by themselves to a friend who is in a group."""

HELLO = timedelta(days=1)
"""How long after a first hello to the bot a person may still say who sent them."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rules need of a campaign."""

    state: str
    starts_at: datetime
    ends_at: datetime
    event: str
    stay_days: int
    window_days: int

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.window_days)

    @property
    def stay(self) -> timedelta:
        return timedelta(days=self.stay_days) if self.event == "retained" else timedelta()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a friend comes with a code.

    `seen_at`/`seen_via`: when and how the brand first saw the friend's account; `touched_at`: the touch being judged.
    `friend_created`: the member was made by this very touch.
    """

    advocate_id: UUID
    friend_id: UUID
    touched_at: datetime
    seen_at: datetime
    seen_via: str
    friend_created: bool
    earlier_advocate: UUID | None = None
    upstream: bool = False
    advocate_gone: bool = False
    """The advocate asked to be forgotten; their code stays known and counts no longer."""


def refusal(terms: Terms, facts: Facts) -> str | None:
    """Why this touch makes no referral, or None if it does.

    The campaign's time is half-open: `starts_at <= touch < ends_at`. The reason given first is the one that the
    person could not have changed by waiting.
    """
    if facts.touched_at < terms.starts_at or terms.state in ("draft", "scheduled"):
        return "campaign_not_started"
    if terms.state in ("ended", "settled") or facts.touched_at >= terms.ends_at:
        return "campaign_over"
    if terms.state == "paused":
        return "campaign_paused"
    if facts.advocate_gone:
        return "advocate_gone"
    if facts.friend_id == facts.advocate_id:
        return "self_referral"
    if facts.upstream:
        return "loop"
    if facts.earlier_advocate is not None:
        return "already_referred"
    if not is_new(terms, facts):
        return "not_new"
    return None


def is_new(terms: Terms, facts: Facts) -> bool:
    """Never seen by this brand before the touch.

    Joining a community is itself a touch: somebody whose first sight was a join inside the campaign, and who names
    the inviter within the window, is as new as they were at that join. So is somebody who opened the conversation
    with a mere hello and names the inviter within `HELLO`: few people send the code as their very first word.
    """
    if facts.seen_at >= facts.touched_at:
        return True
    grace = {"join": terms.window, "hello": HELLO}.get(facts.seen_via)
    return grace is not None and facts.seen_at >= terms.starts_at and facts.touched_at < facts.seen_at + grace


def due_at(terms: Terms, stay_since: datetime) -> datetime | None:
    """When a friend who stays from then on qualifies; None where staying is not what counts."""
    return stay_since + terms.stay if terms.event in BY_STAYING else None
