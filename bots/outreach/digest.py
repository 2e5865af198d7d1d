"""The week in figures for those who run the brand, what runs, and what waits for them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session

from bots.admin_news import who_runs
from bots.context import Safe, sentences
from bots.message import Button
from bots.news import Voice
from core import i18n
from core.db import table
from core.events import Bus
from referral.brands import Brand
from referral.campaigns import Campaign, Enrollment, campaigns_of
from referral.cases import open_counts
from referral.conversions import Conversion
from referral.outreach.digest import WeekOver
from referral.outreach.messages import Notice, plan
from referral.referrals import Referral
from referral.touches import Touch
from rewards.caps import LIVE
from rewards.ledger import Account, Purpose, balance
from rewards.payouts.payouts import Payout
from rewards.plans import latest_plan
from rewards.rewards import Reward

LISTED = 5
"""Campaigns named in one digest."""


def listen(bus: Bus, admins: Collection[str]) -> None:
    """Hear that a week is over; `admins` as `platform:account`."""
    bus.on(WeekOver, partial(_on_week, admins=admins))


def _on_week(session: Session, happened: Sequence[WeekOver], *, admins: Collection[str]) -> None:
    for event in happened:
        brand = session.get_one(Brand, event.brand_id)
        if not campaigns_of(session, brand.id, ("running", "paused", "scheduled", "ended")):
            continue  # nothing is going on that a week could be told of
        facts = {"since": event.since.isoformat(), "until": event.until.isoformat()}
        subject = f"digest/{event.until.date().isoformat()}"
        plan(
            session,
            brand,
            [
                Notice(member_id, "digest", subject, facts, counted=False)
                for member_id in sorted(who_runs(session, brand.id, admins))
            ],
        )


@dataclass(frozen=True, slots=True)
class Week:
    """What happened in a week: friends who came and who counted, new advocates, clicks on links, orders."""

    came: int
    qualified: int
    advocates: int
    clicks: int
    orders: int


def week_of(session: Session, brand_id: UUID, since: datetime, until: datetime) -> Week:
    """The figures of [since, until)."""
    r, e, t, c = table(Referral), table(Enrollment), table(Touch), table(Conversion)

    def within(column: ColumnElement[datetime]) -> ColumnElement[bool]:
        return (column >= since) & (column < until)

    def count(model: type, *which: ColumnElement[bool]) -> int:
        found = table(model)
        return int(
            session.scalar(select(func.count()).select_from(found).where(found.c.brand_id == brand_id, *which)) or 0
        )

    return Week(
        came=count(Referral, within(r.c.started_at), r.c.state != "rejected"),
        qualified=count(Referral, within(r.c.qualified_at), r.c.state == "qualified"),
        advocates=count(Enrollment, within(e.c.enrolled_at)),
        clicks=count(Touch, t.c.kind == "click", t.c.robot.is_(False), within(t.c.touched_at)),
        orders=count(Conversion, within(c.c.ordered_at)),
    )


def words(voice: Voice, since: datetime, until: datetime) -> tuple[str, tuple[tuple[Button, ...], ...]]:
    """The digest, and the buttons that lead to what waits."""
    brand_id = voice.brand.id
    now, before = (week_of(voice.session, brand_id, since - back, until - back) for back in (timedelta(), timedelta(7)))
    last_day = i18n.moment(voice.locale, until - timedelta(days=1), voice.brand.timezone, time=False)
    lines = [
        voice.say(
            "digest.heading",
            brand=voice.brand.name,
            since=i18n.moment(voice.locale, since, voice.brand.timezone, time=False),
            until=last_day,
        ),
        "",
        *_figures(voice, now, before),
    ]
    if given := _granted(voice, since, until):
        lines.append("- " + voice.say("digest.granted", amounts=given))
    lines += _campaigns(voice)
    waiting, rows = _waiting(voice)
    return "\n".join(lines + waiting), rows


def _figures(voice: Voice, now: Week, before: Week) -> list[str]:
    """A line for each figure that is not nothing in both weeks."""
    keys = {
        "came": "digest.came",
        "qualified": "digest.qualified",
        "advocates": "digest.advocates",
        "clicks": "digest.clicks",
        "orders": "digest.orders",
    }
    shown = {name: (getattr(now, name), getattr(before, name)) for name in keys}
    lines = [
        "- " + voice.say(keys[name], now=count, before=earlier)
        for name, (count, earlier) in shown.items()
        if count or earlier
    ]
    return lines or [voice.say("digest.nothing")]


def _granted(voice: Voice, since: datetime, until: datetime) -> Safe | None:
    t = table(Reward)
    rows = voice.session.execute(
        select(t.c.asset, func.sum(t.c.amount - t.c.taken_back))
        .where(
            t.c.brand_id == voice.brand.id,
            t.c.created_at >= since,
            t.c.created_at < until,
            t.c.state.in_(LIVE),
        )
        .group_by(t.c.asset)
        .order_by(t.c.asset)
    ).all()
    join = {"zh_Hans": "、"}.get(voice.locale, ", ")
    return Safe(join.join(voice.amount(int(amount), asset) for asset, amount in rows)) if rows else None


def _campaigns(voice: Voice) -> list[str]:
    found = campaigns_of(voice.session, voice.brand.id, ("running", "paused", "scheduled"))
    if not found:
        return []
    return ["", voice.say("digest.campaigns"), *("- " + _campaign(voice, one) for one in found[:LISTED])]


def _campaign(voice: Voice, one: Campaign) -> str:
    title = i18n.pick(one.title, voice.locale)
    if one.state == "scheduled":
        return voice.say("digest.campaign_starts", title=title, starts=voice.moment(one.starts_at.isoformat(), one))
    line = voice.say("digest.campaign", title=title, ends=voice.moment(one.ends_at.isoformat(), one))
    left = _left(voice, one)
    if one.state == "paused":
        return str(sentences(voice.locale, line, voice.say("digest.paused")))
    return str(sentences(voice.locale, line, voice.say("digest.left", left=left))) if left else line


def _left(voice: Voice, one: Campaign) -> Safe | None:
    """What is left of the budget in the plan's own asset."""
    asset = latest_plan(voice.session, voice.brand.id, one.id).asset
    left = balance(voice.session, Account(voice.brand.id, one.id, Purpose.BUDGET, asset))
    return voice.amount(left, asset) if left else None


def _waiting(voice: Voice) -> tuple[list[str], tuple[tuple[Button, ...], ...]]:
    """What needs a decision, with the button that opens it."""
    cases = sum(open_counts(voice.session, voice.brand.id).values())
    payouts = _to_approve(voice.session, voice.brand.id)
    lines, rows = [], []
    if cases:
        lines.append("- " + voice.say("digest.cases", n=cases))
        rows.append((Button(i18n.text(voice.locale, "digest.review"), action="do:review"),))
    if payouts:
        lines.append("- " + voice.say("digest.payouts", n=payouts))
    rows.append((Button(i18n.text(voice.locale, "digest.open_campaigns"), action="do:campaign"),))
    return (["", voice.say("digest.waiting"), *lines] if lines else []), tuple(rows)


def _to_approve(session: Session, brand_id: UUID) -> int:
    t = table(Payout)
    waiting = (
        select(func.count())
        .select_from(t)
        .where(t.c.brand_id == brand_id, t.c.state == "pending", t.c.approved.is_(False))
    )
    return int(session.scalar(waiting) or 0)
