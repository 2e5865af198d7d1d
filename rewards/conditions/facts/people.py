"""The two people of a referral: since when they are known, their accounts, where they are, how the advocate came."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from core import i18n
from core.db import table
from referral.campaigns import Enrollment
from referral.linking import MemberLink
from referral.members import Identity, Member, Membership, Sighting, fingerprint
from referral.referrals import OPEN, Referral
from rewards.conditions.facts.subject import SIDES, Pair, Subject, Triple, rows_by_key, rows_of, whole_days


def _both(subjects: Iterable[Subject]) -> set[Pair]:
    return {subject.key_of(side) for subject in subjects for side in SIDES}


def profiles(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Since when the two have been members, and whether they chose a language."""
    members = rows_by_key(session, table(Member), _both(subjects))
    found = []
    for subject in subjects:
        values: dict[str, Any] = {}
        for side in SIDES:
            row = members[subject.key_of(side)]
            values |= {
                f"{side}.created_at": row.created_at,
                f"{side}.age": subject.at - row.created_at,
                f"{side}.age_days": whole_days(subject.at, row.created_at),
                f"{side}.language_chosen": row.locale is not None,
            }
        found.append(values)
    return found


def _identities(session: Session, members: set[Pair]) -> dict[Pair, list[Any]]:
    t = table(Identity)
    found: dict[Pair, list[Any]] = defaultdict(list)
    for row in rows_of(session, select(*t.c), (t.c.brand_id, t.c.member_id), members):
        found[(row.brand_id, row.member_id)].append(row)
    return found


def accounts(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Their accounts over platforms. The language is the chosen one, else that of the account heard last."""
    keys = _both(subjects)
    identities = _identities(session, keys)
    members = rows_by_key(session, table(Member), keys)
    linked = _linked(session, keys)
    found = []
    for subject in subjects:
        values: dict[str, Any] = {}
        for side in SIDES:
            key = subject.key_of(side)
            values |= _accounts(side, members[key], identities[key]) | {f"{side}.linked": key in linked}
        values["platform.shared"] = bool({*values["friend.platforms"]} & {*values["advocate.platforms"]})
        found.append(values)
    return found


def _accounts(side: str, member: Any, identities: Sequence[Any]) -> dict[str, Any]:
    latest = max(identities, key=lambda row: row.seen_at, default=None)
    return {
        f"{side}.language": i18n.negotiate(member.locale or (latest.locale if latest else None)),
        f"{side}.platforms": sorted({row.platform for row in identities}),
        f"{side}.accounts": len(identities),
        f"{side}.reachable": any(row.reachable and row.chat is not None for row in identities),
        f"{side}.has_handle": any(row.handle for row in identities),
        f"{side}.seen_at": latest.seen_at if latest else None,
    }


def _linked(session: Session, members: set[Pair]) -> set[Pair]:
    t = table(MemberLink)
    standing = select(t.c.brand_id, t.c.kept_id).where(t.c.undone_at.is_(None))
    return {(row.brand_id, row.kept_id) for row in rows_of(session, standing, (t.c.brand_id, t.c.kept_id), members)}


def stays(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """In how many of the brand's communities they are, since when, and how many they left."""
    t = table(Membership)
    places: dict[Pair, list[Any]] = defaultdict(list)
    for row in rows_of(session, select(*t.c), (t.c.brand_id, t.c.member_id), _both(subjects)):
        places[(row.brand_id, row.member_id)].append(row)
    return [
        {
            name: value
            for side in SIDES
            for name, value in _stays(side, subject.at, places[subject.key_of(side)]).items()
        }
        for subject in subjects
    ]


def _stays(side: str, at: datetime, places: Sequence[Any]) -> dict[str, Any]:
    here = [row.joined_at for row in places if row.left_at is None]
    return {
        f"{side}.communities": len(here),
        f"{side}.present": bool(here),
        f"{side}.stay_days": whole_days(at, min(here, default=None)),
        f"{side}.departures": len(places) - len(here),
    }


def friend_history(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """When and how the brand first saw the friend, how often they were referred, and whom they brought."""
    friends = {subject.friend_key for subject in subjects}
    seen = _first_seen(session, friends)
    t = table(Referral)
    referred = Counter(
        (row.brand_id, row.friend_id)
        for row in rows_of(session, select(t.c.brand_id, t.c.friend_id), (t.c.brand_id, t.c.friend_id), friends)
    )
    brought = Counter(
        (row.brand_id, row.advocate_id)
        for row in rows_of(session, select(t.c.brand_id, t.c.advocate_id), (t.c.brand_id, t.c.advocate_id), friends)
    )
    enrolled = _enrollments(session, {subject.friend_here for subject in subjects})
    found = []
    for subject in subjects:
        sight = seen.get(subject.friend_key)
        found.append(
            {
                "friend.first_seen_at": sight.seen_at if sight else None,
                "friend.first_seen_via": sight.via if sight else None,
                "friend.known_days": whole_days(subject.at, sight.seen_at) if sight else None,
                "friend.referrals": referred[subject.friend_key],
                "friend.enrolled": subject.friend_here in enrolled,
                "friend.invited": brought[subject.friend_key],
            }
        )
    return found


def _first_seen(session: Session, members: set[Pair]) -> dict[Pair, Any]:
    prints = {
        (brand_id, fingerprint(row.platform, row.account)): (brand_id, member_id)
        for (brand_id, member_id), rows in _identities(session, members).items()
        for row in rows
    }
    t = table(Sighting)
    first: dict[Pair, Any] = {}
    rows = rows_of(session, select(*t.c), (t.c.brand_id, t.c.fingerprint), set(prints))
    for row in sorted(rows, key=lambda row: row.seen_at, reverse=True):
        first[prints[(row.brand_id, row.fingerprint)]] = row
    return first


def _enrollments(session: Session, members: set[Triple]) -> dict[Triple, Any]:
    t = table(Enrollment)
    rows = rows_of(session, select(*t.c), (t.c.brand_id, t.c.campaign_id, t.c.member_id), members)
    return {(row.brand_id, row.campaign_id, row.member_id): row for row in rows}


def enrollment(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Since when the advocate takes part in this campaign, and whether somebody brought them, too."""
    enrolled = _enrollments(session, {subject.advocate_here for subject in subjects})
    t = table(Referral)
    rows = rows_of(
        session,
        select(t.c.brand_id, t.c.campaign_id, t.c.friend_id).where(t.c.state.in_(OPEN)),
        (t.c.brand_id, t.c.campaign_id, t.c.friend_id),
        {subject.advocate_here for subject in subjects},
    )
    came = {(row.brand_id, row.campaign_id, row.friend_id) for row in rows}
    found = []
    for subject in subjects:
        row = enrolled.get(subject.advocate_here)
        found.append(
            {
                "advocate.enrolled": row is not None,
                "advocate.enrolled_at": row.enrolled_at if row else None,
                "advocate.enrolled_days": whole_days(subject.at, row.enrolled_at) if row else None,
                "advocate.terms_version": row.campaign_version if row else None,
                "advocate.was_friend": subject.advocate_here in came,
            }
        )
    return found
