"""What the advocate has brought so far: friends, clicks, orders. The friend who is decided about is included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlmodel import Session

from core.db import table
from referral.campaigns import Enrollment, InviteCode
from referral.conversions import Conversion
from referral.referrals import Referral
from referral.touches import Touch
from rewards.facts.subject import Days, Pair, Subject, Triple, campaigns_of, rows_by_key, rows_of, share

WAITING = ("started", "joined")


def brought(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The advocate's friends in this campaign by what became of them, and over all campaigns of the brand."""
    r = table(Referral)
    columns = (r.c.brand_id, r.c.campaign_id, r.c.advocate_id, r.c.state, r.c.joined_at, r.c.qualified_at)
    friends: dict[Pair, list[Any]] = defaultdict(list)
    keys = {subject.advocate_key for subject in subjects}
    for row in rows_of(session, select(*columns), (r.c.brand_id, r.c.advocate_id), keys):
        friends[(row.brand_id, row.advocate_id)].append(row)
    campaigns = campaigns_of(session, subjects)
    return [
        _here(
            [row for row in friends[subject.advocate_key] if row.campaign_id == subject.campaign_id],
            campaigns[subject.campaign_key].days(subject.at),
        )
        | _ever(friends[subject.advocate_key])
        for subject in subjects
    ]


def _here(friends: Sequence[Any], since: Days) -> dict[str, Any]:
    states = [row.state for row in friends]
    qualified: list[datetime] = [row.qualified_at for row in friends if row.state == "qualified"]
    return {
        "advocate.friends": len(friends),
        "advocate.friends_joined": sum(row.joined_at is not None for row in friends),
        "advocate.friends_waiting": sum(state in WAITING for state in states),
        "advocate.friends_qualified": len(qualified),
        "advocate.friends_rejected": states.count("rejected"),
        "advocate.friends_expired": states.count("expired"),
        "advocate.friends_reversed": states.count("reversed"),
        "advocate.qualified_today": sum(at >= since.day for at in qualified),
        "advocate.qualified_this_week": sum(at >= since.week for at in qualified),
        "advocate.first_qualified_at": min(qualified, default=None),
        "advocate.rate": share(len(qualified), len(friends)),
        "advocate.reversed_share": share(states.count("reversed"), len(qualified) + states.count("reversed")),
    }


def _ever(friends: Sequence[Any]) -> dict[str, Any]:
    states = [row.state for row in friends]
    return {
        "advocate.friends_ever": len(friends),
        "advocate.qualified_ever": states.count("qualified"),
        "advocate.reversed_ever": states.count("reversed"),
        "advocate.campaigns_ever": len({row.campaign_id for row in friends}),
    }


def clicks(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """How often the advocate's link of this campaign was opened, by people and by robots."""
    days = {key: where.days for key, where in campaigns_of(session, subjects).items()}
    codes = _codes_of(session, {subject.advocate_here for subject in subjects})
    t = table(Touch)
    columns = (t.c.brand_id, t.c.campaign_id, t.c.code)
    opened: dict[tuple[UUID, UUID, str], list[Any]] = defaultdict(list)
    keys = {(*key[:2], code) for key, known in codes.items() for code in known}
    statement = select(*columns, t.c.touched_at, t.c.robot).where(t.c.kind == "click")
    for row in rows_of(session, statement, columns, keys):
        opened[(row.brand_id, row.campaign_id, row.code)].append(row)
    found = []
    for subject in subjects:
        since = days[subject.campaign_key](subject.at).day
        rows = [row for code in codes[subject.advocate_here] for row in opened[(*subject.campaign_key, code)]]
        people = [row.touched_at for row in rows if not row.robot]
        found.append(
            {
                "advocate.clicks": len(people),
                "advocate.clicks_today": sum(at >= since for at in people),
                "advocate.robot_clicks": len(rows) - len(people),
            }
        )
    return found


def _codes_of(session: Session, advocates: set[Triple]) -> dict[Triple, list[str]]:
    e, c = table(Enrollment), table(InviteCode)
    columns = (e.c.brand_id, e.c.campaign_id, e.c.member_id)
    joined = select(*columns, c.c.code).join(c, and_(c.c.brand_id == e.c.brand_id, c.c.enrollment_id == e.c.id))
    codes: dict[Triple, list[str]] = defaultdict(list)
    for row in rows_of(session, joined, columns, advocates):
        codes[(row.brand_id, row.campaign_id, row.member_id)].append(row.code)
    return codes


def revenue(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """What the advocate's friends bought in this campaign. The sum is of the orders in the present order's currency."""
    r, c = table(Referral), table(Conversion)
    columns = (r.c.brand_id, r.c.advocate_id, r.c.campaign_id)
    amounts = (c.c.currency, func.count().label("orders"), func.sum(c.c.net - c.c.refunded).label("revenue"))
    statement = (
        select(*columns, *amounts, func.count().filter(c.c.refunded > 0).label("refunded"))
        .join(c, and_(c.c.brand_id == r.c.brand_id, c.c.referral_id == r.c.id))
        .where(c.c.status == "attributed")
        .group_by(*columns, c.c.currency)
    )
    sums: dict[Triple, list[Any]] = defaultdict(list)
    keys = {(subject.brand_id, subject.advocate_id, subject.campaign_id) for subject in subjects}
    for row in rows_of(session, statement, columns, keys):
        sums[(row.brand_id, row.campaign_id, row.advocate_id)].append(row)
    orders = rows_by_key(
        session,
        c,
        {(subject.brand_id, subject.conversion_id) for subject in subjects if subject.conversion_id is not None},
    )
    found = []
    for subject in subjects:
        rows = sums[subject.advocate_here]
        present = orders.get((subject.brand_id, subject.conversion_id)) if subject.conversion_id else None
        same = [int(row.revenue) for row in rows if present is not None and row.currency == present.currency]
        found.append(
            {
                "advocate.orders": sum(row.orders for row in rows),
                "advocate.revenue": sum(same) if same else None,
                "advocate.refunded_orders": sum(row.refunded for row in rows),
            }
        )
    return found
