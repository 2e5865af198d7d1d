"""Qualifying events: what a friend did that earns. `qualify` is the hot command under every reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, select
from sqlmodel import Field, Session

from core import events, ids
from core.db import Row, UtcDateTime, among_keys, insert_new, let_go, table, update_each
from referral import leaderboard
from referral.referrals import FriendQualified, Referral, ScoreRose


class QualifyingEvent(Row, table=True):
    """A friend did it: once per referral and kind of event, whoever reports it and however often."""

    __tablename__ = "qualifying_event"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "referral_id"], ["referral.brand_id", "referral.id"]),)

    brand_id: UUID = Field(primary_key=True)
    referral_id: UUID = Field(primary_key=True)
    event: str = Field(primary_key=True)
    id: UUID
    occurred_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Qualify:
    """A friend did what earns (`joined`, `retained` …). `conversion_id`: the order, where it was one; `shares`: as
    `Act` has them."""

    brand_id: UUID
    referral_id: UUID
    event: str
    at: datetime
    conversion_id: UUID | None = None
    shares: tuple[tuple[UUID, int], ...] = ()


def qualify(session: Session, commands: Sequence[Qualify]) -> list[bool]:
    """Record these events once each and let the rewards hear of them; whether each was news.

    An event for a referral that is not `joined`, or that happened outside the referral's window, is no news.
    """
    keys = {(command.brand_id, command.referral_id) for command in commands}
    referrals = {row.key: row for row in _open_referrals(session, keys)}
    rows, chosen = [], {}
    for command in commands:
        row = referrals.get((command.brand_id, command.referral_id))
        if row is not None and row.started_at <= command.at < row.expires_at:
            event_id = ids.new()
            chosen[event_id] = (command, row)
            rows.append(
                {
                    "brand_id": command.brand_id,
                    "referral_id": command.referral_id,
                    "event": command.event,
                    "id": event_id,
                    "occurred_at": command.at,
                }
            )
    target = table(QualifyingEvent)
    made = insert_new(session, target, rows, ["brand_id", "referral_id", "event"], returning=target.c.id)
    news = {(c.brand_id, c.referral_id, c.event) for event_id, (c, _) in chosen.items() if event_id in made}
    fresh = [chosen[event_id] for event_id in chosen if event_id in made]
    if fresh:
        _mark_qualified(session, fresh)
    first: set[tuple[UUID, UUID, str]] = set()
    results = []
    for command in commands:
        key = (command.brand_id, command.referral_id, command.event)
        results.append(key in news and key not in first)
        first.add(key)
    return results


@dataclass(frozen=True, slots=True)
class _Open:
    """What `qualify` needs of a referral; plain columns, since this is the hot path."""

    brand_id: UUID
    id: UUID
    campaign_id: UUID
    campaign_version: int
    advocate_id: UUID
    friend_id: UUID
    started_at: datetime
    expires_at: datetime

    @property
    def key(self) -> tuple[UUID, UUID]:
        return self.brand_id, self.id


def _open_referrals(session: Session, keys: set[tuple[UUID, UUID]]) -> list[_Open]:
    t = table(Referral)
    columns = [t.c[name] for name in _Open.__dataclass_fields__]
    named = among_keys(session, (t.c.brand_id, t.c.id), keys)
    return [_Open(*row) for row in session.execute(select(*columns).where(named, t.c.state == "joined")).all()]


def _mark_qualified(session: Session, fresh: Sequence[tuple[Qualify, _Open]]) -> None:
    done = {"state": "qualified", "due_at": None}
    update_each(
        session,
        table(Referral),
        [{"brand_id": row.brand_id, "id": row.id, "qualified_at": command.at} | done for command, row in fresh],
        ["brand_id", "id"],
    )
    let_go(session, Referral, [row.key for _, row in fresh])
    gains = [((row.brand_id, row.campaign_id, row.advocate_id), command.at) for command, row in fresh]
    risen = leaderboard.add(session, gains)
    events.emit(
        session,
        [
            FriendQualified(
                row.brand_id,
                row.campaign_id,
                row.campaign_version,
                row.id,
                row.advocate_id,
                row.friend_id,
                command.event,
                command.at,
                command.conversion_id,
                command.shares,
            )
            for command, row in fresh
        ],
    )
    versions = {(row.brand_id, row.campaign_id): row.campaign_version for _, row in fresh}
    events.emit(
        session,
        [
            ScoreRose(brand_id, campaign_id, versions[(brand_id, campaign_id)], advocate_id, *scores)
            for (brand_id, campaign_id, advocate_id), scores in risen.items()
        ],
    )
