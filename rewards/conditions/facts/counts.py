"""What the advocate has brought so far: friends, clicks, orders. The friend who is decided about is included."""

from __future__ import annotations

from collections import Counter, defaultdict
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
from rewards.conditions.facts.subject import Pair, Subject, Triple, days_of, rows_by_key, rows_of, share

WAITING = ("started", "joined")


def brought(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The advocate's friends in this campaign by what became of them, and over all campaigns of the brand."""
    r = table(Referral)
    by = (r.c.brand_id, r.c.advocate_id, r.c.campaign_id, r.c.state)
    grouped = select(
        *by,
        func.count().label("friends"),
        func.count(r.c.joined_at).label("joined"),
        func.min(r.c.qualified_at).label("first"),
    ).group_by(*by)
    groups: dict[Pair, list[Any]] = defaultdict(list)
    for row in rows_of(session, grouped, (r.c.brand_id, r.c.advocate_id), {one.advocate_key for one in subjects}):
        groups[(row.brand_id, row.advocate_id)].append(row)
    return [
        _here([row for row in groups[subject.advocate_key] if row.campaign_id == subject.campaign_id])
        | _ever(groups[subject.advocate_key])
        for subject in subjects
    ]


def _by_state(groups: Sequence[Any]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in groups:
        found[row.state] += row.friends
    return found


def _here(groups: Sequence[Any]) -> dict[str, Any]:
    states = _by_state(groups)
    qualified, lost = states["qualified"], states["reversed"]
    return {
        "advocate.friends": states.total(),
        "advocate.friends_joined": sum(row.joined for row in groups),
        "advocate.friends_waiting": sum(states[state] for state in WAITING),
        "advocate.friends_qualified": qualified,
        "advocate.friends_rejected": states["rejected"],
        "advocate.friends_expired": states["expired"],
        "advocate.friends_reversed": lost,
        "advocate.first_qualified_at": next((row.first for row in groups if row.state == "qualified"), None),
        "advocate.rate": share(qualified, states.total()),
        "advocate.reversed_share": share(lost, qualified + lost),
    }


def _ever(groups: Sequence[Any]) -> dict[str, Any]:
    states = _by_state(groups)
    return {
        "advocate.friends_ever": states.total(),
        "advocate.qualified_ever": states["qualified"],
        "advocate.reversed_ever": states["reversed"],
        "advocate.campaigns_ever": len({row.campaign_id for row in groups}),
    }


def brought_lately(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """How many of the advocate's friends came to count on the event's day and in its week."""
    since = days_of(session, subjects)
    r = table(Referral)
    columns = (r.c.brand_id, r.c.campaign_id, r.c.advocate_id)
    lately = select(*columns, r.c.qualified_at).where(
        r.c.state == "qualified", r.c.qualified_at >= min(one.week for one in since)
    )
    qualified: dict[Triple, list[datetime]] = defaultdict(list)
    keys = {(subject.brand_id, subject.advocate_id, subject.campaign_id) for subject in subjects}
    for row in rows_of(session, lately, (r.c.brand_id, r.c.advocate_id, r.c.campaign_id), keys):
        qualified[(row.brand_id, row.campaign_id, row.advocate_id)].append(row.qualified_at)
    return [
        {
            "advocate.qualified_today": sum(at >= days.day for at in qualified[subject.advocate_here]),
            "advocate.qualified_this_week": sum(at >= days.week for at in qualified[subject.advocate_here]),
        }
        for subject, days in zip(subjects, since, strict=True)
    ]


def clicks(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """How often the advocate's link of this campaign was opened, by people and by robots."""
    since = days_of(session, subjects)
    codes = _codes_of(session, {subject.advocate_here for subject in subjects})
    keys = {(*key[:2], code) for key, known in codes.items() for code in known}
    t = table(Touch)
    columns = (t.c.brand_id, t.c.campaign_id, t.c.code)
    click = t.c.kind == "click"
    opened: Counter[tuple[UUID, UUID, str, bool]] = Counter()
    grouped = select(*columns, t.c.robot, func.count().label("times")).where(click).group_by(*columns, t.c.robot)
    for row in rows_of(session, grouped, columns, keys):
        opened[(row.brand_id, row.campaign_id, row.code, row.robot)] = row.times
    lately: dict[tuple[UUID, UUID, str], list[datetime]] = defaultdict(list)
    recent = select(*columns, t.c.touched_at).where(
        click, t.c.robot.is_(False), t.c.touched_at >= min(one.day for one in since)
    )
    for row in rows_of(session, recent, columns, keys):
        lately[(row.brand_id, row.campaign_id, row.code)].append(row.touched_at)
    found = []
    for subject, days in zip(subjects, since, strict=True):
        named = [(*subject.campaign_key, code) for code in codes[subject.advocate_here]]
        found.append(
            {
                "advocate.clicks": sum(opened[(*name, False)] for name in named),
                "advocate.clicks_today": sum(at >= days.day for name in named for at in lately[name]),
                "advocate.robot_clicks": sum(opened[(*name, True)] for name in named),
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
