"""How the friend came: the touch that made the referral, the touches before it, and the community they are in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from core.db import table
from referral.brands import Community
from referral.members import Membership
from referral.referrals import Referral
from referral.touches import Touch
from rewards.conditions.facts.subject import (
    Pair,
    Subject,
    campaigns_of,
    rows_by_key,
    rows_of,
    whole_days,
    whole_hours,
    whole_minutes,
)


def _referrals(session: Session, subjects: Sequence[Subject]) -> dict[Pair, Any]:
    return {**rows_by_key(session, table(Referral), {subject.referral_key for subject in subjects})}


def _touches(session: Session, referrals: dict[Pair, Any]) -> dict[Pair, Any]:
    keys = {(row.brand_id, row.touch_id) for row in referrals.values()}
    return {**rows_by_key(session, table(Touch), keys)}


def touch(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The touch that made the referral; one that is kept no longer has no values."""
    referrals = _referrals(session, subjects)
    touches = _touches(session, referrals)
    found = []
    for subject in subjects:
        referral = referrals[subject.referral_key]
        row = touches.get((subject.brand_id, referral.touch_id))
        found.append({"touch.present": False} if row is None else _touch(subject, referral, row))
    return found


def _touch(subject: Subject, referral: Any, row: Any) -> dict[str, Any]:
    joined = referral.joined_at
    return {
        "touch.present": True,
        "touch.kind": row.kind,
        "touch.platform": row.platform,
        "touch.at": row.touched_at,
        "touch.age_hours": whole_hours(subject.at, row.touched_at),
        "touch.minutes_to_join": None if joined is None else whole_minutes(joined, row.touched_at),
        "touch.certainty": row.certainty,
        "touch.device": row.device,
        "touch.referrer": row.referrer,
    }


def trail(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """All the friend's touches in this campaign, and how many members came from the same address by the same code."""
    t = table(Touch)
    rows = rows_of(
        session,
        select(t.c.brand_id, t.c.campaign_id, t.c.member_id, t.c.code, t.c.touched_at, t.c.address_hash),
        (t.c.brand_id, t.c.member_id),
        {subject.friend_key for subject in subjects},
    )
    made: dict[tuple[UUID, UUID | None, UUID], list[Any]] = defaultdict(list)
    for row in rows:
        made[(row.brand_id, row.campaign_id, row.member_id)].append(row)
    shared = _at_addresses(session, rows)
    found = []
    for subject in subjects:
        touches = made[subject.friend_here]
        here = [shared[_address(row)] for row in touches if row.address_hash is not None]
        found.append(
            {
                "touch.count": len(touches),
                "touch.codes": len({row.code for row in touches if row.code}),
                "touch.first_at": min((row.touched_at for row in touches), default=None),
                "touch.address_members": max(here, default=None),
            }
        )
    return found


def _address(row: Any) -> tuple[Any, ...]:
    return row.brand_id, row.campaign_id, row.code, row.address_hash


def _at_addresses(session: Session, touches: Sequence[Any]) -> Counter[tuple[Any, ...]]:
    """How many members touched the same code from the same address (its keyed hash, kept for a month)."""
    t = table(Touch)
    columns = (t.c.brand_id, t.c.campaign_id, t.c.code, t.c.address_hash)
    wanted = {_address(row) for row in touches if row.address_hash is not None and row.code and row.campaign_id}
    counted = select(*columns, func.count(t.c.member_id.distinct()).label("members")).group_by(*columns)
    return Counter({_address(row): row.members for row in rows_of(session, counted, columns, wanted)})


def community(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The community the friend came into: that of the touch, else where they have been longest."""
    touches = {
        key: row.community_id
        for referrals in [_referrals(session, subjects)]
        for key, row in _by_referral(referrals, _touches(session, referrals)).items()
    }
    stays = _stays(session, subjects)
    runs_in = {key: set(where.row.communities) for key, where in campaigns_of(session, subjects).items()}
    chosen: list[UUID | None] = []
    for subject in subjects:
        here = stays[subject.friend_key]
        wanted = runs_in[subject.campaign_key]
        eligible = [row for row in here if not wanted or str(row.community_id) in wanted]
        longest = min(eligible, key=lambda row: row.joined_at, default=None)
        chosen.append(touches.get(subject.referral_key) or (longest.community_id if longest else None))
    keys = {(subject.brand_id, found) for subject, found in zip(subjects, chosen, strict=True) if found is not None}
    communities = rows_by_key(session, table(Community), keys)
    members = _members(session, keys)
    return [
        {"community.present": False}
        if found is None or (subject.brand_id, found) not in communities
        else _community(subject, communities[(subject.brand_id, found)], stays)
        | {"community.members": members[(subject.brand_id, found)]}
        for subject, found in zip(subjects, chosen, strict=True)
    ]


def _by_referral(referrals: dict[Pair, Any], touches: dict[Pair, Any]) -> dict[Pair, Any]:
    found = {key: touches.get((row.brand_id, row.touch_id)) for key, row in referrals.items()}
    return {key: row for key, row in found.items() if row is not None}


def _stays(session: Session, subjects: Sequence[Subject]) -> dict[Pair, list[Any]]:
    t = table(Membership)
    keys = {subject.friend_key for subject in subjects} | {subject.advocate_key for subject in subjects}
    standing = select(*t.c).where(t.c.left_at.is_(None))
    found: dict[Pair, list[Any]] = defaultdict(list)
    for row in rows_of(session, standing, (t.c.brand_id, t.c.member_id), keys):
        found[(row.brand_id, row.member_id)].append(row)
    return found


def _members(session: Session, communities: set[Pair]) -> Counter[Pair]:
    t = table(Membership)
    counted = (
        select(t.c.brand_id, t.c.community_id, func.count().label("members"))
        .where(t.c.left_at.is_(None))
        .group_by(t.c.brand_id, t.c.community_id)
    )
    rows = rows_of(session, counted, (t.c.brand_id, t.c.community_id), communities)
    return Counter({(row.brand_id, row.community_id): row.members for row in rows})


def _community(subject: Subject, row: Any, stays: dict[Pair, list[Any]]) -> dict[str, Any]:
    since = [stay.joined_at for stay in stays[subject.friend_key] if stay.community_id == row.id]
    return {
        "community.present": True,
        "community.id": row.group_id,
        "community.platform": row.platform,
        "community.title": row.title,
        "community.open": row.open,
        "community.age_days": whole_days(subject.at, row.connected_at),
        "community.friend_days": whole_days(subject.at, min(since, default=None)),
        "community.advocate_present": any(stay.community_id == row.id for stay in stays[subject.advocate_key]),
    }
