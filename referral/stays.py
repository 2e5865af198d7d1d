"""Joining, staying and leaving: what turns a started referral into a qualified one, or lets it go.

Leaving and coming back counts once: the clock of the stay starts again at the return, the referral stays the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlmodel import Session, col

from core import clock, events
from core.db import among_keys, insert, table
from referral import rules
from referral.brands import Community
from referral.campaigns import Campaign, runs_in
from referral.members import Membership, active_memberships, find_identity, notice
from referral.qualifying import Qualify, qualify
from referral.referrals import IS_JOINED, IS_UNDER_WAY, FriendActed, FriendJoined, FriendLeft, Referral, terms_of

JOINED = "joined"
"""The qualifying event of a join."""
DUE_AT_ONCE = 500
"""Referrals qualified in one unit of work by the job; the next unit takes the next ones."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An account is in a community from `at` on; `member_id` where it has spoken to us."""

    community: Community
    account: str
    member_id: UUID | None
    at: datetime


def enter(session: Session, entries: Sequence[Entry]) -> None:
    """They are there from now on; who was there before keeps the first day. Set-based."""
    rows = {
        (entry.community.id, entry.account): {
            "brand_id": entry.community.brand_id,
            "community_id": entry.community.id,
            "account": entry.account,
            "member_id": entry.member_id,
            "joined_at": entry.at,
        }
        for entry in reversed(entries)
    }
    if not rows:
        return
    target = table(Membership)
    statement = insert(session, target)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["brand_id", "community_id", "account"],
            set_={"left_at": None, "member_id": func.coalesce(target.c.member_id, statement.excluded.member_id)},
            where=target.c.left_at.is_not(None) | target.c.member_id.is_(None),
        ),
        # One order for every writer, so that two of them never wait for each other in a ring.
        [rows[key] for key in sorted(rows)],
    )


def joined(session: Session, community: Community, account: str, at: datetime) -> None:
    """Somebody joined (again). A join that the platform reports twice, or of somebody who is there, changes nothing."""
    notice(session, community.brand_id, [(community.platform, account)], at, "join")
    identity = find_identity(session, community.brand_id, community.platform, account)
    enter(session, [Entry(community, account, identity.member_id if identity else None, at)])
    if identity is not None:
        start_stays(session, community.brand_id, {identity.member_id: at})


def start_stays(session: Session, brand_id: UUID, friends: Mapping[UUID, datetime]) -> list[Referral]:
    """These friends may be in a community since these moments: referrals of theirs that waited move on; which did.

    One whose window is over waits for nothing any more, whether or not the job has said so.
    """
    here = active_memberships(session, brand_id, list(friends)) if friends else {}
    if not here:
        return []
    rows = session.execute(
        select(Referral, Campaign)
        .join(Campaign, _its_campaign())
        .where(
            col(Referral.brand_id) == brand_id,
            col(Referral.friend_id).in_(list(here)),
            col(Referral.state).in_(("started", "joined")),
            col(Referral.stay_since).is_(None),
        )
    ).all()
    beginning = [
        (referral, campaign, friends[referral.friend_id])
        for referral, campaign in rows
        if friends[referral.friend_id] < referral.expires_at
        and any(runs_in(campaign, stay.community_id) for stay in here[referral.friend_id])
    ]
    begin(session, beginning)
    return [referral for referral, _, _ in beginning]


def begin(session: Session, stays: Sequence[tuple[Referral, Campaign, datetime]]) -> None:
    """These stays begin now; what the campaign pays at once is qualified at once."""
    told: list[FriendJoined] = []
    acted: list[FriendActed] = []
    due: list[Qualify] = []
    for referral, campaign, at in stays:
        first = referral.joined_at is None
        referral.state, referral.joined_at, referral.stay_since = "joined", referral.joined_at or at, at
        referral.due_at = rules.due_at(terms_of(campaign), at)
        session.add(referral)
        if first:
            told.append(
                FriendJoined(
                    referral.brand_id,
                    referral.campaign_id,
                    referral.id,
                    referral.advocate_id,
                    referral.friend_id,
                    referral.due_at,
                )
            )
            if campaign.event != JOINED:
                acted.append(_acted(referral, at))
        if referral.due_at is not None and referral.due_at <= at:
            due.append(Qualify(referral.brand_id, referral.id, campaign.event, at))
    session.flush()
    events.emit(session, [*told, *acted])
    if due:
        qualify(session, due)


def _acted(referral: Referral, at: datetime) -> FriendActed:
    """A join where the campaign counts something else: a rule may pay for it all the same."""
    who = (referral.brand_id, referral.campaign_id, referral.campaign_version, referral.id)
    return FriendActed(*who, referral.advocate_id, referral.friend_id, JOINED, at)


def _its_campaign() -> ColumnElement[bool]:
    return (col(Campaign.brand_id) == col(Referral.brand_id)) & (col(Campaign.id) == col(Referral.campaign_id))


def left(session: Session, community: Community, account: str, at: datetime) -> None:
    """Somebody left, or was removed. They had been there, so they are not new when they come back."""
    row = session.get(Membership, (community.brand_id, community.id, account), populate_existing=True)
    if row is None:
        notice(session, community.brand_id, [(community.platform, account)], at, "present")
    if row is None or row.left_at is not None:
        return
    row.left_at = at
    session.add(row)
    session.flush()
    if row.member_id is not None:
        end_stays(session, community.brand_id, [row.member_id], at)


def end_stays(session: Session, brand_id: UUID, friends: Collection[UUID], at: datetime) -> None:
    """Where a friend is no longer in any community of a campaign the stay ends; what was paid for it may be undone."""
    here = active_memberships(session, brand_id, list(friends))
    rows = session.execute(
        select(Referral, Campaign)
        .join(Campaign, _its_campaign())
        .where(
            col(Referral.brand_id) == brand_id,
            col(Referral.friend_id).in_(list(friends)),
            col(Referral.state).in_(("joined", "qualified")),
            col(Referral.stay_since).is_not(None),
        )
    ).all()
    gone = [
        (referral, campaign)
        for referral, campaign in rows
        if not any(runs_in(campaign, stay.community_id) for stay in here.get(referral.friend_id, []))
        and not _has_stayed(referral, at)
    ]
    for referral, _ in gone:
        referral.stay_since, referral.due_at = None, None
        session.add(referral)
    session.flush()
    # Who bought something has bought it, in the group or not.
    counted = [r for r, campaign in gone if r.state == "qualified" and campaign.event in rules.BY_STAYING]
    events.emit(session, [FriendLeft(r.brand_id, r.campaign_id, r.id, r.friend_id, at) for r in counted])


def _has_stayed(referral: Referral, at: datetime) -> bool:
    """Whether the friend had stayed long enough already and only the job that says so is late."""
    return (
        referral.state == "joined"
        and referral.due_at is not None
        and referral.due_at <= at
        and referral.due_at < referral.expires_at
    )


def reconcile(session: Session, community: Community, accounts: Sequence[str], at: datetime) -> None:
    """A complete reading of who is in a community now: settles what was missed while nobody listened.

    Nobody is credited for a join that was not heard; who is found there was seen, and is not new later.
    """
    here = set(accounts)
    notice(session, community.brand_id, [(community.platform, account) for account in here], at, "present")
    known = {
        row.account: row
        for row in session.scalars(
            select(Membership).where(
                col(Membership.brand_id) == community.brand_id, col(Membership.community_id) == community.id
            )
        )
    }
    for account, row in known.items():
        if row.left_at is None and account not in here:
            left(session, community, account, at)
    for account in here:
        if account not in known or known[account].left_at is not None:
            joined(session, community, account, at)


def qualify_due(session: Session) -> int:
    """Qualify the friends who have stayed long enough; how many (at most `DUE_AT_ONCE`)."""
    now = clock.now()
    rows = session.execute(
        select(Referral, Campaign)
        .join(Campaign, _its_campaign())
        .where(
            IS_JOINED,
            col(Referral.due_at) <= now,
            col(Referral.due_at) < col(Referral.expires_at),
        )
        .order_by(col(Referral.due_at), col(Referral.id))
        .limit(DUE_AT_ONCE)
    ).all()
    commands = [
        Qualify(referral.brand_id, referral.id, campaign.event, referral.due_at)
        for referral, campaign in rows
        if referral.due_at is not None
    ]
    if commands:
        qualify(session, commands)
    return len(commands)


def expire(session: Session) -> int:
    """Let go of the referrals whose window has passed; how many (at most `DUE_AT_ONCE`)."""
    now = clock.now()
    late = list(
        session.scalars(
            select(Referral)
            .where(
                IS_UNDER_WAY,
                col(Referral.expires_at) <= now,
                # One who qualifies before the window ends is only waiting for the job that says so.
                (col(Referral.due_at).is_(None)) | (col(Referral.due_at) >= col(Referral.expires_at)),
            )
            .limit(DUE_AT_ONCE)
        )
    )
    for referral in late:
        referral.state, referral.reason = "expired", "window_over"
        session.add(referral)
    session.flush()
    return len(late)


def close_windows(session: Session, moves: Sequence[Any]) -> None:
    """A campaign that ended before its time closes the windows of the friends who were under way."""
    ended = [(moved.brand_id, moved.campaign_id) for moved in moves if moved.after == "ended"]
    if not ended:
        return
    r, c = table(Referral).c, table(Campaign).c
    end = select(c.ends_at).where(c.brand_id == r.brand_id, c.id == r.campaign_id).scalar_subquery()
    first = min(session.get_one(Campaign, key).ends_at for key in ended)  # a bound that the index of windows can use
    chosen = among_keys(session, (r.brand_id, r.campaign_id), ended)
    session.execute(
        update(table(Referral))
        .where(chosen, IS_UNDER_WAY, r.expires_at > first, r.expires_at > end)
        .values(expires_at=end)
    )
