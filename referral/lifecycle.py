"""What campaigns do by the clock: start, remind of their end, end. Each once, whatever number of processes look.

A due campaign is taken by the database: locked where processes share it (others skip what is locked), and moved by an
update that asks for the state it had. What has a moment of its own (the reminder, the settlement) is a row of
`CampaignTimer`, and who deletes the row does the work in the same unit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKeyConstraint, Index, delete, select, tuple_, update
from sqlmodel import Field, Session, col

from core import clock, events
from core.db import Row, UtcDateTime, among_keys, table, upsert
from referral.campaigns import Campaign, CampaignMoved

AT_ONCE = 200
"""Campaigns one unit of work starts, reminds of or ends; the next unit takes the next ones."""

Key = tuple[UUID, UUID]
"""(brand, campaign)"""


class CampaignTimer(Row, table=True):
    """Something a campaign does once at a moment. `what`: reminder or settle. The row is gone when it is done."""

    __tablename__ = "campaign_timer"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        Index("ix_campaign_timer_due", "what", "due_at"),
    )

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    what: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class CampaignEnding:
    """The moment to remind people has come: a running campaign ends at `ends_at`. `version`: its terms by then."""

    brand_id: UUID
    campaign_id: UUID
    version: int
    ends_at: datetime


def follow_clock(session: Session) -> int:
    """Start, remind of and end the campaigns whose time has come, at most `AT_ONCE` of each; how many."""
    now, c = clock.now(), table(Campaign).c
    started = move_due(session, ("scheduled",), c.starts_at <= now, "running")
    ended = move_due(session, ("running", "paused"), c.ends_at <= now, "ended")
    return started + ended + _remind(session, now)


def move_due(session: Session, before: Sequence[str], due: ColumnElement[bool], after: str) -> int:
    """Move up to `AT_ONCE` campaigns that are in one of these states and due, and tell of it; how many."""
    c = table(Campaign).c
    found = session.execute(
        select(c.brand_id, c.id, c.state)
        .where(c.state.in_(before), due)
        .order_by(c.ends_at, c.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    return len(move_all(session, {(brand_id, campaign_id): state for brand_id, campaign_id, state in found}, after))


def move_all(session: Session, states: dict[Key, str], after: str) -> list[Campaign]:
    """Move these campaigns out of the states they had, and tell of it; those that somebody moved first are left."""
    if not states:
        return []
    t = table(Campaign)
    moved = session.execute(
        update(t)
        .where(among_keys(session, (t.c.brand_id, t.c.id), states), t.c.state.in_(set(states.values())))
        .values(state=after)
        .returning(t.c.brand_id, t.c.id)
    ).all()
    # Read anew, and held: who hears of it finds them as they are now, without a question for each.
    campaigns = read_anew(session, [(brand_id, campaign_id) for brand_id, campaign_id in moved])
    events.emit(
        session, [CampaignMoved(one.brand_id, one.id, states[one.brand_id, one.id], after) for one in campaigns]
    )
    return campaigns


def read_anew(session: Session, keys: Collection[Key]) -> list[Campaign]:
    """These campaigns as they stand in the database now, in the order they were made."""
    if not keys:
        return []
    t = table(Campaign)
    found = select(Campaign).where(among_keys(session, (t.c.brand_id, t.c.id), keys)).order_by(col(Campaign.id))
    return list(session.scalars(found.execution_options(populate_existing=True)))


def at_hand(session: Session, keys: Iterable[Key]) -> list[Campaign]:
    """The campaigns an event tells of, in its order: whoever tells it has just read them, so this asks nothing."""
    return [session.get_one(Campaign, key) for key in keys]


def ring_at(session: Session, what: str, moments: dict[Key, datetime]) -> None:
    """Let each of these campaigns do this at its moment, once; a moment set before is replaced."""
    rows = [
        {"brand_id": brand_id, "campaign_id": campaign_id, "what": what, "due_at": at}
        for (brand_id, campaign_id), at in sorted(moments.items())
    ]
    upsert(session, table(CampaignTimer), rows, ["brand_id", "campaign_id", "what"], ["due_at"])


def forget(session: Session, what: str, keys: Collection[Key]) -> None:
    """These campaigns will not do this."""
    t = table(CampaignTimer)
    if keys:
        chosen = tuple_(t.c.brand_id, t.c.campaign_id).in_(list(keys))
        session.execute(delete(t).where(t.c.what == what, chosen))


def take_due(session: Session, what: str, limit: int = AT_ONCE) -> list[Key]:
    """The campaigns whose moment for this has come, the longest waiting first. They are the caller's alone, and are
    not taken again unless the unit fails or sets another moment."""
    t = table(CampaignTimer)
    due = session.execute(
        select(t.c.brand_id, t.c.campaign_id)
        .where(t.c.what == what, t.c.due_at <= clock.now())
        .order_by(t.c.due_at, t.c.campaign_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = [(brand_id, campaign_id) for brand_id, campaign_id in due]
    forget(session, what, keys)
    return keys


def _remind(session: Session, now: datetime) -> int:
    """Tell of the ends that come near. A campaign that is paused just then reminds nobody."""
    keys = take_due(session, "reminder")
    near = [one for one in read_anew(session, keys) if one.state == "running" and one.ends_at > now]
    events.emit(session, [CampaignEnding(one.brand_id, one.id, one.version, one.ends_at) for one in near])
    return len(keys)


def on_moved(session: Session, moves: Sequence[Any]) -> None:
    """Hears `CampaignMoved`: what has ended is to be settled, and reminds nobody any more."""
    ended = [(moved.brand_id, moved.campaign_id) for moved in moves if moved.after == "ended"]
    forget(session, "reminder", ended)
    now = clock.now()
    ring_at(session, "settle", dict.fromkeys(ended, now))
