"""Joining, staying and leaving: what turns a started referral into a qualified one, or lets it go.

Leaving and coming back counts once: the clock of the stay starts again at the return, the referral stays the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlmodel import Session, col

from core import clock, events
from core.db import insert_new, table
from referral import rules
from referral.brands import Community
from referral.campaigns import Campaign, CampaignMoved, runs_in
from referral.members import Membership, active_memberships, find_identity, notice
from referral.qualifying import Qualify, qualify
from referral.referrals import FriendJoined, FriendLeft, Referral, terms_of

DUE_AT_ONCE = 500
"""Referrals qualified in one unit of work by the job; the next unit takes the next ones."""


def enter(session: Session, community: Community, accounts: Sequence[tuple[str, UUID | None]], at: datetime) -> None:
    """These (account, member) are in the community from now on; those who were there keep their first day."""
    rows = [
        {
            "brand_id": community.brand_id,
            "community_id": community.id,
            "account": account,
            "member_id": member_id,
            "joined_at": at,
        }
        for account, member_id in accounts
    ]
    target = table(Membership)
    insert_new(session, target, rows, ["brand_id", "community_id", "account"], returning=target.c.account)


def joined(session: Session, community: Community, account: str, at: datetime) -> None:
    """Somebody joined (again). A join that the platform reports twice, or of somebody who is there, changes nothing."""
    identity = find_identity(session, community.brand_id, community.platform, account)
    row = session.get(Membership, (community.brand_id, community.id, account))
    if row is None:
        enter(session, community, [(account, identity.member_id if identity else None)], at)
    elif row.left_at is not None or row.member_id is None:
        row.left_at = None
        row.member_id = row.member_id or (identity.member_id if identity else None)
        session.add(row)
        session.flush()
    if identity is not None:
        start_stays(session, community.brand_id, identity.member_id, at)


def start_stays(session: Session, brand_id: UUID, friend_id: UUID, at: datetime) -> None:
    """A friend is in a community: referrals of theirs that waited for it move on."""
    rows = session.execute(
        select(Referral, Campaign)
        .join(Campaign, _its_campaign())
        .where(
            col(Referral.brand_id) == brand_id,
            col(Referral.friend_id) == friend_id,
            col(Referral.state).in_(("started", "joined")),
            col(Referral.stay_since).is_(None),
        )
    ).all()
    stays = active_memberships(session, brand_id, [friend_id]).get(friend_id, [])
    waiting = [
        (referral, campaign)
        for referral, campaign in rows
        if any(runs_in(campaign, stay.community_id) for stay in stays)
    ]
    begin(session, [(referral, campaign, at) for referral, campaign in waiting])


def begin(session: Session, stays: Sequence[tuple[Referral, Campaign, datetime]]) -> None:
    """These stays begin now; what the campaign pays at once is qualified at once."""
    told, due = [], []
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
        if referral.due_at <= at:
            due.append(Qualify(referral.brand_id, referral.id, campaign.event, at))
    session.flush()
    events.emit(session, told)
    if due:
        qualify(session, due)


def _its_campaign() -> ColumnElement[bool]:
    return (col(Campaign.brand_id) == col(Referral.brand_id)) & (col(Campaign.id) == col(Referral.campaign_id))


def left(session: Session, community: Community, account: str, at: datetime) -> None:
    """Somebody left, or was removed."""
    row = session.get(Membership, (community.brand_id, community.id, account))
    if row is None or row.left_at is not None:
        return
    row.left_at = at
    session.add(row)
    session.flush()
    if row.member_id is not None:
        _end_stays(session, community.brand_id, row.member_id, at)


def _end_stays(session: Session, brand_id: UUID, friend_id: UUID, at: datetime) -> None:
    """The friend is no longer in any community of a campaign: the stay ends; what was paid for it may be undone."""
    stays = active_memberships(session, brand_id, [friend_id]).get(friend_id, [])
    rows = session.execute(
        select(Referral, Campaign)
        .join(Campaign, _its_campaign())
        .where(
            col(Referral.brand_id) == brand_id,
            col(Referral.friend_id) == friend_id,
            col(Referral.state).in_(("joined", "qualified")),
            col(Referral.stay_since).is_not(None),
        )
    ).all()
    gone = [r for r, campaign in rows if not any(runs_in(campaign, stay.community_id) for stay in stays)]
    for referral in gone:
        referral.stay_since, referral.due_at = None, None
        session.add(referral)
    session.flush()
    counted = [r for r in gone if r.state == "qualified"]
    events.emit(session, [FriendLeft(r.brand_id, r.campaign_id, r.id, r.friend_id, at) for r in counted])


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
            col(Referral.state) == "joined",
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
                col(Referral.state).in_(("started", "joined")),
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
    for moved in moves:
        assert isinstance(moved, CampaignMoved)
        if moved.after == "ended":
            now = clock.now()
            session.execute(
                update(table(Referral))
                .where(
                    col(Referral.brand_id) == moved.brand_id,
                    col(Referral.campaign_id) == moved.campaign_id,
                    col(Referral.state).in_(("started", "joined")),
                    col(Referral.expires_at) > now,
                )
                .values(expires_at=now)
            )
