"""What is known of a member, for the member; and forgetting them while the books stay whole.

What stays after forgetting: the member's number without a name, in referrals, touches and the books (a payable
balance included: nobody can claim it any more, and it is still owed by nobody else); and a keyed hash of each account,
by which they are never taken for new again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from core import clock
from core.db import table
from core.errors import NotFound
from referral import leaderboard, members, reviewing, search
from referral.attribution.consent import export_consent, forget_consent
from referral.boards.names import export_name, forget_names
from referral.brands import Community
from referral.campaigns import Campaign, Enrollment, InviteCode
from referral.contests.teams import export_teams, forget_teams
from referral.conversions import Conversion
from referral.leaderboard import Score
from referral.linking import LinkAttempts, LinkCode, MemberLink, standing_links
from referral.members import Member, Membership, identities_of
from referral.outreach import persons as outreach
from referral.referrals import Referral, lock_graph
from referral.staff import export_staff, forget_staff
from referral.touches import Touch
from referral.trials import persons as applicants
from referral.users.roles import export_users, forget_members


def export_member(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, Any]:
    """Everything the referral part keeps about a member, ready for JSON. Other people in it are not named.

    Raises `NotFound("member")`.
    """
    member = session.get(Member, (brand_id, member_id))
    if member is None:
        raise NotFound("member")
    titles = dict(
        session.execute(select(col(Campaign.id), col(Campaign.slug)).where(col(Campaign.brand_id) == brand_id)).all()
    )
    return {
        "member": {
            "id": str(member.id),
            "name": member.name,
            "locale": member.locale,
            "created_at": _moment(member.created_at),
        },
        "accounts": [
            {
                "platform": row.platform,
                "account": row.account,
                "handle": row.handle,
                "locale": row.locale,
                "chat": row.chat,
                "reachable": row.reachable,
                "seen_at": _moment(row.seen_at),
            }
            for row in identities_of(session, brand_id, [member_id])
        ],
        "communities": _communities(session, brand_id, member_id),
        "campaigns": _campaigns(session, brand_id, member_id, titles),
        "friends": [_referral(row, titles) for row in _referrals(session, brand_id, advocate_id=member_id)],
        "invited_by": [_referral(row, titles) for row in _referrals(session, brand_id, friend_id=member_id)],
        "orders": _orders(session, brand_id, member_id),
        "touches": _touches(session, brand_id, member_id, titles),
        "scores": _scores(session, brand_id, member_id, titles),
        "links": _links(session, brand_id, member_id),
        "teams": export_teams(session, brand_id, member_id),
        "outreach": outreach.export_outreach(session, brand_id, member_id),
        "boards": export_name(session, brand_id, member_id),
        "purchases_joined": export_consent(session, brand_id, member_id),
        "trials": applicants.export(session, brand_id, member_id),
        "roles": export_staff(session, brand_id, member_id),
        "web": export_users(session, brand_id, member_id),
        "reviews": _reviews(session, brand_id, member_id),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _communities(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Membership, col(Community.platform), col(Community.title))
        .join(
            Community,
            (col(Community.brand_id) == col(Membership.brand_id)) & (col(Community.id) == col(Membership.community_id)),
        )
        .where(col(Membership.brand_id) == brand_id, col(Membership.member_id) == member_id)
        .order_by(col(Membership.joined_at), col(Membership.community_id))
    )
    return [
        {"platform": platform, "title": title, "joined_at": _moment(row.joined_at), "left_at": _moment(row.left_at)}
        for row, platform, title in rows
    ]


def _campaigns(session: Session, brand_id: UUID, member_id: UUID, titles: dict[UUID, str]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Enrollment, col(InviteCode.code))
        .join(
            InviteCode,
            (col(InviteCode.brand_id) == col(Enrollment.brand_id))
            & (col(InviteCode.enrollment_id) == col(Enrollment.id)),
        )
        .where(col(Enrollment.brand_id) == brand_id, col(Enrollment.member_id) == member_id)
        .order_by(col(Enrollment.enrolled_at), col(InviteCode.created_at), col(InviteCode.code))
    )
    return [
        {"campaign": titles[row.campaign_id], "enrolled_at": _moment(row.enrolled_at), "code": code}
        for row, code in rows
    ]


def _referrals(session: Session, brand_id: UUID, **whose: UUID) -> Sequence[Referral]:
    return session.scalars(
        select(Referral).filter_by(brand_id=brand_id, **whose).order_by(col(Referral.started_at), col(Referral.id))
    ).all()


def _referral(row: Referral, titles: dict[UUID, str]) -> dict[str, Any]:
    return {
        "campaign": titles[row.campaign_id],
        "code": row.code,
        "platform": row.platform,
        "state": row.state,
        "reason": row.reason,
        "started_at": _moment(row.started_at),
        "joined_at": _moment(row.joined_at),
        "qualified_at": _moment(row.qualified_at),
    }


def _orders(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Conversion)
        .where(col(Conversion.brand_id) == brand_id, col(Conversion.member_id) == member_id)
        .order_by(col(Conversion.ordered_at), col(Conversion.id))
    )
    kept = ("source", "external_id", "currency", "gross", "discount", "shipping", "tax", "net", "refunded", "lines")
    return [{name: getattr(row, name) for name in kept} | {"ordered_at": _moment(row.ordered_at)} for row in rows]


def _touches(session: Session, brand_id: UUID, member_id: UUID, titles: dict[UUID, str]) -> list[dict[str, Any]]:
    return [
        {
            "campaign": titles.get(row.campaign_id) if row.campaign_id else None,
            "code": row.code,
            "kind": row.kind,
            "at": _moment(row.touched_at),
            "platform": row.platform,
            "outcome": row.outcome,
            "device": row.device,
            "referrer": row.referrer,
        }
        for row in sorted(_journey(session, brand_id, [member_id]), key=lambda row: (row.touched_at, row.id))
    ]


def _journey(session: Session, brand_id: UUID, member_ids: Sequence[UUID]) -> list[Touch]:
    """The touches of these members, and the clicks that led to them."""
    own = session.scalars(
        select(Touch).where(col(Touch.brand_id) == brand_id, col(Touch.member_id).in_(member_ids))
    ).all()
    clicks = {UUID(touch.facts["click"]) for touch in own if touch.facts and touch.facts.get("click")}
    before = session.scalars(select(Touch).where(col(Touch.brand_id) == brand_id, col(Touch.id).in_(clicks))).all()
    return list({touch.id: touch for touch in (*own, *before)}.values())


def _scores(session: Session, brand_id: UUID, member_id: UUID, titles: dict[UUID, str]) -> list[dict[str, Any]]:
    rows = session.scalars(select(Score).where(col(Score.brand_id) == brand_id, col(Score.member_id) == member_id))
    return [
        {"campaign": titles[row.campaign_id], "score": row.score, "reached_at": _moment(row.reached_at)} for row in rows
    ]


def _links(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(MemberLink)
        .where(
            col(MemberLink.brand_id) == brand_id,
            (col(MemberLink.kept_id) == member_id) | (col(MemberLink.absorbed_id) == member_id),
        )
        .order_by(col(MemberLink.linked_at), col(MemberLink.id))
    )
    return [{"linked_at": _moment(row.linked_at), "undone_at": _moment(row.undone_at)} for row in rows]


def _reviews(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "kind": row.kind,
            "opened_at": _moment(row.opened_at),
            "state": row.state,
            "verdict": row.verdict,
            "reason": row.reason,
            "decided_at": _moment(row.decided_at),
            "words": row.facts.get("words"),
        }
        for row in reviewing.cases_about(session, brand_id, [member_id])
    ]


def forget_member(session: Session, brand_id: UUID, member_id: UUID) -> None:
    """Forget who this member is, on every linked platform. Asked again, nothing happens.

    What was under way with them ends: as a friend they no longer come to qualify (`erased`), as an advocate they are
    owed nothing more (`advocate_gone`), and their code is refused with that word. Boards drop them. What has qualified
    stays counted as history. Raises `NotFound("member")`.
    """
    member = session.get(Member, (brand_id, member_id))
    if member is None:
        raise NotFound("member")
    if member.erased_at is not None:
        return
    lock_graph(session, brand_id)  # an order on its way knows them still, and may join a customer to them
    now = clock.now()
    links = standing_links(session, brand_id, member_id)
    everyone = [member_id, *(link.absorbed_id for link in links)]
    for link in links:
        link.moved = {}
        session.add(link)
    reviewing.forget(session, brand_id, member_id)
    applicants.forget(session, brand_id, everyone)
    _forget_touches(session, brand_id, everyone)
    _forget_orders(session, brand_id, everyone)
    forget_teams(session, brand_id, everyone)
    outreach.forget_outreach(session, brand_id, everyone)
    forget_names(session, brand_id, everyone)
    forget_consent(session, brand_id, everyone)
    forget_staff(session, brand_id, everyone)
    forget_members(session, brand_id, everyone)
    search.forget(session, brand_id, everyone)
    for model in (LinkCode, LinkAttempts):
        t = table(model)
        session.execute(delete(t).where(t.c.brand_id == brand_id, t.c.member_id.in_(everyone)))
    for one in everyone:
        members.erase(session, brand_id, one, now)
    session.flush()
    _close(session, brand_id, "friend_id", everyone, "erased")
    _close(session, brand_id, "advocate_id", everyone, "advocate_gone")
    _leave_boards(session, brand_id, everyone)


def _forget_touches(session: Session, brand_id: UUID, member_ids: Sequence[UUID]) -> None:
    """A touch still says that a code was used and what came of it; no longer with what, from where, by which click."""
    t = table(Touch)
    touches = [touch.id for touch in _journey(session, brand_id, member_ids)]
    session.execute(
        update(t)
        .where(t.c.brand_id == brand_id, t.c.id.in_(touches))
        .values(facts=None, device=None, referrer=None, address_hash=None, address_expires_at=None)
    )


def _forget_orders(session: Session, brand_id: UUID, member_ids: Sequence[UUID]) -> None:
    """An order keeps its figures, by which rewards were computed; no longer what was bought, nor whose hash it was."""
    t = table(Conversion)
    session.execute(
        update(t).where(t.c.brand_id == brand_id, t.c.member_id.in_(member_ids)).values(lines=None, customer_hash=None)
    )


def _close(session: Session, brand_id: UUID, side: str, member_ids: Sequence[UUID], reason: str) -> None:
    t = table(Referral)
    session.execute(
        update(t)
        .where(t.c.brand_id == brand_id, t.c[side].in_(member_ids), t.c.state.in_(("started", "joined")))
        .values(state="expired", reason=reason, stay_since=None, due_at=None)
    )


def _leave_boards(session: Session, brand_id: UUID, member_ids: Sequence[UUID]) -> None:
    rows = session.execute(
        select(col(Score.campaign_id), col(Score.member_id)).where(
            col(Score.brand_id) == brand_id, col(Score.member_id).in_(member_ids)
        )
    ).all()
    if rows:
        leaderboard.replace(session, {(brand_id, campaign_id, member): None for campaign_id, member in rows})
