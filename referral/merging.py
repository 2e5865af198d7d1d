"""Makes one member of two, and two of one again: the rows that go over, and the referrals that fall by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from core import clock, ids
from core.db import table
from referral import stays
from referral.attribution.consent import join_words, part_words
from referral.brands import Community
from referral.campaigns import Enrollment, InviteCode
from referral.contests.teams import move_teams, return_teams
from referral.conversions import Conversion
from referral.members import Identity, Member, Membership
from referral.referrals import OPEN, Referral, ReferralReversed, is_upstream, recount, reverse
from referral.touches import Touch

MOMENTS = ("joined_at", "stay_since", "due_at", "qualified_at")


@dataclass(frozen=True, slots=True)
class Merged:
    """`moved`: what went over, as `part` needs it. `reversed`: the events to tell once everybody's rows are over."""

    moved: dict[str, Any]
    reversed: list[ReferralReversed] = field(default_factory=list)


def merge(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID) -> Merged:
    """Everything of the absorbed member becomes the kept one's.

    A person who came to one campaign by two advocates came by the earlier; an advocate who was their own friend, and
    the latest edge of every loop that closes by this, count no longer.
    """
    moved: dict[str, Any] = {
        "identities": _move_identities(session, brand_id, kept, absorbed),
        "memberships": _move_memberships(session, brand_id, kept, absorbed),
        **_move_enrollments(session, brand_id, kept, absorbed),
        "touches": _move(session, Touch, brand_id, kept, absorbed),
        "orders": _move(session, Conversion, brand_id, kept, absorbed),
        "teams": move_teams(session, brand_id, kept, absorbed),
        "words": join_words(session, brand_id, kept, absorbed),
    }
    brought = _brought(session, brand_id, absorbed)
    for referral in brought:
        referral.advocate_id = kept
        session.add(referral)
    session.flush()
    moved["brought"] = [str(referral.id) for referral in brought]
    duplicates = _move_friend(session, brand_id, kept, absorbed, moved)
    own = _self_referrals(session, brand_id, kept, absorbed)
    own_ids = {referral.id for referral in own}
    duplicates = [referral for referral in duplicates if referral.id not in own_ids]
    loops = _loops(session, brand_id, kept, without=own_ids | {referral.id for referral in duplicates})
    moved["reversed"] = [_snapshot(referral) for referral in (*duplicates, *own, *loops)]
    told = [
        *reverse(session, duplicates, "linked_duplicate"),
        *reverse(session, own, "self_referral"),
        *reverse(session, loops, "loop"),
    ]
    recount(session, brand_id, [(r.campaign_id, who) for r in brought for who in (kept, absorbed)])
    stays.start_stays(session, brand_id, {kept: clock.now()})
    return Merged(moved, told)


def _move_identities(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID) -> list[list[str]]:
    rows = session.scalars(
        select(Identity).where(col(Identity.brand_id) == brand_id, col(Identity.member_id) == absorbed)
    ).all()
    for row in rows:
        row.member_id = kept
        session.add(row)
    session.flush()
    return [[row.platform, row.account] for row in rows]


def _move_memberships(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID) -> list[list[str]]:
    rows = session.scalars(
        select(Membership).where(col(Membership.brand_id) == brand_id, col(Membership.member_id) == absorbed)
    ).all()
    for row in rows:
        row.member_id = kept
        session.add(row)
    session.flush()
    return [[str(row.community_id), row.account] for row in rows]


def _move_enrollments(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID) -> dict[str, Any]:
    """Codes go on working for the kept member: with the enrollment, or under the one the kept member has already."""
    rows = session.scalars(
        select(Enrollment).where(col(Enrollment.brand_id) == brand_id, col(Enrollment.member_id).in_((kept, absorbed)))
    ).all()
    own = {row.campaign_id: row for row in rows if row.member_id == kept}
    enrollments: list[str] = []
    codes: dict[str, str] = {}
    for row in rows:
        if row.member_id != absorbed:
            continue
        if row.campaign_id not in own:
            row.member_id = kept
            session.add(row)
            enrollments.append(str(row.id))
            continue
        for code in session.scalars(
            select(InviteCode).where(col(InviteCode.brand_id) == brand_id, col(InviteCode.enrollment_id) == row.id)
        ).all():
            code.enrollment_id = own[row.campaign_id].id
            session.add(code)
            codes[code.code] = str(row.id)
    session.flush()
    return {"enrollments": enrollments, "codes": codes}


def _move(session: Session, model: type[Touch | Conversion], brand_id: UUID, kept: UUID, absorbed: UUID) -> list[str]:
    t = table(model)
    rows = session.execute(
        update(t).where(t.c.brand_id == brand_id, t.c.member_id == absorbed).values(member_id=kept).returning(t.c.id)
    )
    return [str(row_id) for row_id in rows.scalars()]


def _brought(session: Session, brand_id: UUID, member_id: UUID) -> Sequence[Referral]:
    return session.scalars(
        select(Referral).where(col(Referral.brand_id) == brand_id, col(Referral.advocate_id) == member_id)
    ).all()


def _came(session: Session, brand_id: UUID, member_id: UUID) -> dict[UUID, Referral]:
    rows = session.scalars(
        select(Referral).where(col(Referral.brand_id) == brand_id, col(Referral.friend_id) == member_id)
    )
    return {row.campaign_id: row for row in rows}


def _move_friend(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID, moved: dict[str, Any]) -> list[Referral]:
    """How the absorbed member came becomes how the kept one came.

    Returns the later ones of two ways into one campaign, which count no longer.
    """
    mine, theirs = _came(session, brand_id, kept), _came(session, brand_id, absorbed)
    fallen: list[Referral] = []
    moved["came"], moved["swapped"] = [], []
    for campaign_id, referral in theirs.items():
        other = mine.get(campaign_id)
        if other is None:
            referral.friend_id = kept
            session.add(referral)
            moved["came"].append(str(referral.id))
            continue
        # Nobody is their own first advocate, however early.
        first, later = sorted((referral, other), key=lambda r: (r.advocate_id == kept, r.started_at, r.id))
        if first is referral:
            _swap(session, brand_id, referral, other)
            moved["swapped"].append([str(referral.id), str(other.id)])
        if later.state in OPEN:
            fallen.append(later)
    session.flush()
    return fallen


def _swap(session: Session, brand_id: UUID, one: Referral, other: Referral) -> None:
    """Exchange the friends of two referrals of one campaign.

    The key (campaign, friend) is unique at every moment, so one of them waits with a member who exists only here.
    """
    aside = Member(brand_id=brand_id, id=ids.new(), name="", created_at=clock.now())
    session.add(aside)
    session.flush()
    ones, others = one.friend_id, other.friend_id
    for referral, friend in ((one, aside.id), (other, ones), (one, others)):
        referral.friend_id = friend
        session.add(referral)
        session.flush()
    session.execute(delete(Member).where(col(Member.brand_id) == brand_id, col(Member.id) == aside.id))


def _self_referrals(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID) -> list[Referral]:
    return list(
        session.scalars(
            select(Referral).where(
                col(Referral.brand_id) == brand_id,
                col(Referral.advocate_id) == kept,
                col(Referral.friend_id).in_((kept, absorbed)),
                col(Referral.state).in_(OPEN),
            )
        )
    )


def _loops(session: Session, brand_id: UUID, kept: UUID, without: set[UUID]) -> list[Referral]:
    """The latest referral of each loop through the kept member; a loop that closes by linking passes through them."""
    edges = [edge for edge in _upstream(session, brand_id, kept) if edge.id not in without]
    broken: list[Referral] = []
    while loop := _loop(edges, kept):
        latest = max(loop, key=lambda edge: (edge.started_at, edge.id))
        edges = [edge for edge in edges if edge.id != latest.id]
        broken.append(latest)
    return broken


def _upstream(session: Session, brand_id: UUID, member_id: UUID) -> list[Referral]:
    """Every referral that counts, from this member up to whoever brought those who brought them."""
    seen: set[UUID] = set()
    level = {member_id}
    edges: list[Referral] = []
    while level:
        seen |= level
        rows = session.scalars(
            select(Referral).where(
                col(Referral.brand_id) == brand_id, col(Referral.friend_id).in_(level), col(Referral.state).in_(OPEN)
            )
        ).all()
        edges.extend(rows)
        level = {row.advocate_id for row in rows} - seen
    return edges


def _loop(edges: Iterable[Referral], start: UUID) -> list[Referral]:
    """A way from `start` through advocates back to `start`; empty if there is none."""
    above: dict[UUID, list[Referral]] = {}
    for edge in edges:
        above.setdefault(edge.friend_id, []).append(edge)
    ways: list[tuple[UUID, list[Referral]]] = [(start, [])]
    seen: set[UUID] = set()
    while ways:
        member_id, way = ways.pop()
        for edge in above.get(member_id, []):
            if edge.advocate_id == start:
                return [*way, edge]
            if edge.advocate_id not in seen:
                seen.add(edge.advocate_id)
                ways.append((edge.advocate_id, [*way, edge]))
    return []


def _snapshot(referral: Referral) -> dict[str, Any]:
    moments = {name: getattr(referral, name) for name in MOMENTS}
    return {
        "id": str(referral.id),
        "state": referral.state,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
    }


def part(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID, moved: dict[str, Any]) -> list[Referral]:
    """Give the absorbed member back what is listed in `moved`; the referrals that count again."""
    _part_identities(session, brand_id, kept, absorbed, moved)
    for enrollment_id in moved["enrollments"]:
        _give(session, session.get(Enrollment, (brand_id, UUID(enrollment_id))), "member_id", kept, absorbed)
    for code, enrollment_id in moved["codes"].items():
        row = session.get(InviteCode, code)
        assert row is not None
        row.enrollment_id = UUID(enrollment_id)
        session.add(row)
    for model, row_ids in ((Touch, moved["touches"]), (Conversion, moved.get("orders", []))):
        t = table(model)
        session.execute(
            update(t)
            .where(t.c.brand_id == brand_id, t.c.id.in_([UUID(row_id) for row_id in row_ids]))
            .values(member_id=absorbed)
        )
    return_teams(session, brand_id, kept, absorbed, moved.get("teams", []))
    part_words(session, brand_id, kept, absorbed, moved.get("words"))
    brought = _rows(session, brand_id, moved["brought"])
    for referral in brought:
        _give(session, referral, "advocate_id", kept, absorbed)
    for referral in _rows(session, brand_id, moved["came"]):
        _give(session, referral, "friend_id", kept, absorbed)
    session.flush()
    for pair in moved["swapped"]:
        _swap(session, brand_id, *_rows(session, brand_id, pair))
    restored = _restore(session, brand_id, moved["reversed"])
    touched = [*brought, *restored]
    recount(session, brand_id, [(r.campaign_id, who) for r in touched for who in (kept, absorbed, r.advocate_id)])
    return restored


def _part_identities(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID, moved: dict[str, Any]) -> None:
    """The accounts go back, and with them their stays, those begun since the link too."""
    for platform, account in moved["identities"]:
        _give(session, session.get(Identity, (brand_id, platform, account)), "member_id", kept, absorbed)
        m, c = table(Membership), table(Community)
        places = select(c.c.id).where(c.c.brand_id == brand_id, c.c.platform == platform)
        session.execute(
            update(m)
            .where(
                m.c.brand_id == brand_id,
                m.c.account == account,
                m.c.member_id == kept,
                m.c.community_id.in_(places),
            )
            .values(member_id=absorbed)
        )
    session.flush()


def _give(session: Session, row: Any, column: str, kept: UUID, absorbed: UUID) -> None:
    if row is not None and getattr(row, column) == kept:
        setattr(row, column, absorbed)
        session.add(row)


def _rows(session: Session, brand_id: UUID, referral_ids: Sequence[str]) -> list[Referral]:
    found = [session.get(Referral, (brand_id, UUID(referral_id))) for referral_id in referral_ids]
    return [referral for referral in found if referral is not None]


def _restore(session: Session, brand_id: UUID, snapshots: Sequence[dict[str, Any]]) -> list[Referral]:
    """The referrals that the link had reversed count again, unless one would close a loop that came about since."""
    restored = []
    for kept_as in sorted(snapshots, key=lambda snapshot: str(snapshot["id"])):
        referral = session.get(Referral, (brand_id, UUID(kept_as["id"])))
        if referral is None or referral.state != "reversed":
            continue
        if is_upstream(session, brand_id, referral.friend_id, of=referral.advocate_id):
            continue
        referral.state, referral.reason = kept_as["state"], None
        for name in MOMENTS:
            setattr(referral, name, datetime.fromisoformat(kept_as[name]) if kept_as[name] else None)
        session.add(referral)
        session.flush()
        restored.append(referral)
    return restored
