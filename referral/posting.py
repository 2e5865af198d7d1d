"""What becomes of one announcement on its way into a group: every step is a row's change, made once, and logged.

The order of a post: `begin` notes that the platform is being asked, the platform is asked, `posted` keeps its answer.
Whoever dies in between is asked again; `begin` then says that it is not the first time. Pins go the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from core import clock, events
from core.db import table
from core.outbox import put
from referral.announcing import (
    REASON_LENGTH,
    Announcement,
    AnnouncementRefused,
    again,
    announce_in,
    terms_of,
    unpin_message,
)
from referral.brands import Community
from referral.campaigns import Campaign, runs_in
from referral.connecting import CommunityConnected, CommunityLeft, disconnect_group

LIVE = {"start": ("running", "paused"), "reminder": ("running",), "end": ("ended", "settled")}
"""In which states of its campaign an announcement is still true; results are whenever they come."""
OURS = "system"
"""Who disconnects a group that the platform says the bot is not in."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done now. `post`: the message is still to be posted. `again`: it was asked for before. `message`:
    the platform's id of what is there already. `pin`: whether it is to be pinned."""

    announcement: Announcement
    campaign: Campaign
    community: Community
    post: bool
    again: bool
    pin: bool


def begin(session: Session, brand_id: UUID, announcement_id: UUID) -> Step | None:
    """Note that the platform is asked; None where nothing is to be done (any more)."""
    found = _find(session, brand_id, announcement_id)
    if found is None:
        return None
    row, campaign, community = found
    if community.removed_at is not None:
        _change(session, row, ("queued",), state="gone", reason="removed")
        return None
    if row.state == "queued" and not runs_in(campaign, community.id):
        _change(session, row, ("queued",), state="skipped", reason="late")
        return None
    pin = _wants_pin(session, row, campaign)
    if row.state == "queued":
        if campaign.state not in LIVE.get(row.what, (campaign.state,)):
            _change(session, row, ("queued",), state="skipped", reason="late")
            return None
        asked = row.asked_at is not None
        if not asked:
            _change(session, row, ("queued",), asked_at=clock.now())
        return Step(row, campaign, community, post=True, again=asked, pin=pin)
    if row.state == "sent" and pin and row.message and row.reason is None and row.unpinned_at is None:
        return Step(row, campaign, community, post=False, again=True, pin=True)
    return None


def _wants_pin(session: Session, row: Announcement, campaign: Campaign) -> bool:
    terms = terms_of(session, [campaign]).get((campaign.brand_id, campaign.id))
    return row.what == "start" and terms is not None and terms.pin and campaign.state in LIVE["start"]


def posted(session: Session, row: Announcement, message: str) -> None:
    """The platform has it, under this id (empty if it names none)."""
    _change(session, row, ("queued",), state="sent", message=message or None, sent_at=clock.now(), reason=None)


def not_yet(session: Session, row: Announcement) -> None:
    """The platform asks to wait: it has not posted anything, so the next time is the first time."""
    _change(session, row, ("queued",), asked_at=None)


def pinned(session: Session, row: Announcement) -> None:
    """It is pinned. Where the campaign has ended meanwhile the pin is to come down again."""
    changed = _change(session, row, ("sent",), state="pinned", pinned_at=clock.now(), reason=None)
    found = _find(session, row.brand_id, row.id)
    if changed and found is not None and found[1].state not in LIVE["start"]:
        put(session, [unpin_message(row.brand_id, row.id, found[2].platform, found[2].group_id)])


def not_pinned(session: Session, row: Announcement, reason: str) -> None:
    """It stands in the group, but is not pinned; whoever runs the brand is told why."""
    if _change(session, row, ("sent",), reason=reason[:REASON_LENGTH]):
        _tell(session, row, reason, pin=True)


def no_pins(session: Session, row: Announcement) -> None:
    """The platform has no pins: that is said in the log, and nobody needs to do anything."""
    _change(session, row, ("sent",), reason="no_pins")


def refused(session: Session, row: Announcement, reason: str) -> None:
    """The platform does not take it; whoever runs the brand is told why."""
    if _change(session, row, ("queued",), state="failed", reason=reason[:REASON_LENGTH]):
        _tell(session, row, reason, pin=False)


def skipped(session: Session, row: Announcement) -> None:
    """There is nothing to say."""
    _change(session, row, ("queued",), state="skipped", reason="empty")


def to_unpin(session: Session, brand_id: UUID, announcement_id: UUID) -> Step | None:
    """What is pinned and is to be so no more; None if somebody took it down, or nobody can."""
    found = _find(session, brand_id, announcement_id)
    if found is None or found[0].state != "pinned":
        return None
    row, campaign, community = found
    if community.removed_at is not None:
        _change(session, row, ("pinned",), state="sent", reason="removed")
        return None
    return Step(row, campaign, community, post=False, again=False, pin=False)


def unpinned(session: Session, row: Announcement, reason: str | None = None) -> None:
    """The pin is down, or (`reason`) cannot be taken down by us."""
    at = None if reason else clock.now()
    _change(session, row, ("pinned",), state="sent", unpinned_at=at, reason=reason and reason[:REASON_LENGTH])


def not_there(session: Session, row: Announcement) -> None:
    """The platform says that the bot is not in the group: then it is the brand's no more, as if we had been told."""
    community = session.get_one(Community, (row.brand_id, row.community_id))
    disconnect_group(session, community, OURS, removed=True)
    _change(session, row, ("queued",), state="gone", reason="removed")
    _change(session, row, ("pinned",), state="sent", reason="removed")


def on_left(session: Session, left: Sequence[CommunityLeft]) -> None:
    """What was still to be posted in a group that is not the brand's any more is gone."""
    t = table(Announcement)
    for event in left:
        session.execute(
            update(t)
            .where(t.c.brand_id == event.brand_id, t.c.community_id == event.community_id, t.c.state == "queued")
            .values(state="gone", reason="removed")
        )


def on_connected(session: Session, connected: Sequence[CommunityConnected]) -> None:
    """A group came, or came back: campaigns that run are told there, once."""
    for event in connected:
        community = session.get_one(Community, (event.brand_id, event.community_id))
        announce_in(session, community)
        lost = session.scalars(
            select(Announcement)
            .join(
                Campaign,
                (col(Campaign.brand_id) == col(Announcement.brand_id))
                & (col(Campaign.id) == col(Announcement.campaign_id)),
            )
            .where(
                col(Announcement.brand_id) == event.brand_id,
                col(Announcement.community_id) == event.community_id,
                col(Announcement.state) == "gone",
                col(Announcement.what) == "start",
                col(Campaign.state) == "running",
            )
        )
        again(session, [(row, community) for row in lost])


def listen(bus: events.Bus) -> None:
    """Hear of groups that go and come."""
    bus.on(CommunityLeft, on_left)
    bus.on(CommunityConnected, on_connected)


def _find(session: Session, brand_id: UUID, announcement_id: UUID) -> tuple[Announcement, Campaign, Community] | None:
    """The row as it stands now, with what it belongs to."""
    row = session.get(Announcement, (brand_id, announcement_id), populate_existing=True)
    if row is None:
        return None
    campaign = session.get_one(Campaign, (brand_id, row.campaign_id), populate_existing=True)
    return row, campaign, session.get_one(Community, (brand_id, row.community_id), populate_existing=True)


def _change(session: Session, row: Announcement, before: Sequence[str], **values: Any) -> bool:
    """Change a row that is in one of these states and was not queued anew meanwhile; whether it was."""
    t = table(Announcement)
    changed = session.execute(
        update(t)
        .where(
            t.c.brand_id == row.brand_id,
            t.c.id == row.id,
            t.c.tries == row.tries,
            t.c.state.in_(before),
        )
        .values(**values)
        .returning(t.c.id)
    ).all()
    return bool(changed)


def _tell(session: Session, row: Announcement, reason: str, *, pin: bool) -> None:
    events.emit(session, [AnnouncementRefused(row.brand_id, row.campaign_id, row.community_id, pin, reason)])
