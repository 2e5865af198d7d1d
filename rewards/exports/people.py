"""Exports of people: friends, advocates, trial applications."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from core import i18n
from core.db import among_keys, table
from core.money import Money
from referral.campaigns import Enrollment, InviteCode
from referral.referrals import Referral
from referral.trials.applications import answers_of
from referral.trials.places import TrialApplication, TrialFeedback
from rewards.account_words import asset_words, names_of
from rewards.exports.exports import Export
from rewards.exports.reading import Kind, Page, Row, always, by_id, counted, last_of, titles_of, why
from rewards.rewards import Reward
from rewards.statements.causes import known_words
from rewards.statements.sheets import columns

_FRIENDS = columns(
    started_at="moment",
    campaign="text",
    advocate="text",
    friend="text",
    friend_state="text",
    reason="text",
    platform="text",
    code="text",
    joined_at="moment",
    qualified_at="moment",
    reference="text",
)


def _friends(session: Session, export: Export, after: Any) -> Page:
    rows = by_id(session, export, Referral, "started_at", after)
    titles, locale = titles_of(session, export), export.locale
    people = [*(row.advocate_id for row in rows), *(row.friend_id for row in rows)]
    names = names_of(session, export.brand_id, people, locale)
    found: list[Row] = [
        (
            row.started_at,
            titles.get(row.campaign_id, ""),
            names.get(row.advocate_id, ""),
            names.get(row.friend_id, ""),
            i18n.text(locale, f"export.friend.{row.state}"),
            why(row.reason, locale),
            known_words(f"platform.{row.platform}", row.platform, locale),
            row.code,
            row.joined_at,
            row.qualified_at,
            str(row.id),
        )
        for row in rows
    ]
    return found, last_of(rows)


_ADVOCATES = columns(
    enrolled_at="moment",
    campaign="text",
    member="text",
    code="text",
    friends_underway="number",
    friends_qualified="number",
    friends_lost="number",
    earned="text",
    latest_friend="moment",
    reference="text",
)


def _advocates(session: Session, export: Export, after: Any) -> Page:
    rows = by_id(session, export, Enrollment, "enrolled_at", after)
    if not rows:
        return [], None
    titles, locale = titles_of(session, export), export.locale
    names = names_of(session, export.brand_id, (row.member_id for row in rows), locale)
    codes, earned = _codes(session, export, rows), _earned(session, export, rows)
    brought = _brought(session, export, rows)
    items = asset_words(session, export.brand_id, locale)
    found: list[Row] = []
    for row in rows:
        key = (row.member_id, row.campaign_id)
        states, latest = brought.get(key, ({}, None))
        found.append(
            (
                row.enrolled_at,
                titles.get(row.campaign_id, ""),
                names.get(row.member_id, ""),
                " ".join(codes.get(row.id, ())),
                states.get("started", 0) + states.get("joined", 0),
                states.get("qualified", 0),
                sum(states.get(state, 0) for state in ("rejected", "expired", "reversed")),
                "; ".join(_said(amount, asset, items, locale) for asset, amount in sorted(earned.get(key, ()))),
                latest,
                str(row.member_id),
            )
        )
    return found, last_of(rows)


def _said(amount: int, asset: str, items: dict[str, str], locale: str) -> str:
    return f"{i18n.number(locale, amount)} × {items[asset]}" if asset in items else Money(amount, asset).format(locale)


def _codes(session: Session, export: Export, rows: Sequence[Any]) -> dict[UUID, list[str]]:
    t = table(InviteCode)
    keys = [(export.brand_id, row.id) for row in rows]
    found: dict[UUID, list[str]] = {}
    wanted = select(t.c.enrollment_id, t.c.code).where(
        t.c.brand_id == export.brand_id, among_keys(session, (t.c.brand_id, t.c.enrollment_id), keys)
    )
    for enrollment, code in session.execute(wanted.order_by(t.c.created_at, t.c.code)):
        found.setdefault(enrollment, []).append(code)
    return found


def _brought(session: Session, export: Export, rows: Sequence[Any]) -> dict[Any, tuple[dict[str, int], Any]]:
    """How many friends in each state, and when the last one came, by (advocate, campaign)."""
    t = table(Referral)
    keys = [(export.brand_id, one) for one in {row.member_id for row in rows}]
    wanted = (
        select(t.c.advocate_id, t.c.campaign_id, t.c.state, func.count(), func.max(t.c.started_at))
        .where(t.c.brand_id == export.brand_id, among_keys(session, (t.c.brand_id, t.c.advocate_id), keys))
        .group_by(t.c.advocate_id, t.c.campaign_id, t.c.state)
    )
    found: dict[Any, tuple[dict[str, int], Any]] = {}
    for advocate, campaign, state, count, latest in session.execute(wanted):
        states, before = found.get((advocate, campaign), ({}, latest))
        found[advocate, campaign] = (states | {state: count}, max(before, latest))
    return found


def _earned(session: Session, export: Export, rows: Sequence[Any]) -> dict[Any, list[tuple[str, int]]]:
    """(asset, what was granted and not taken back) by (member, campaign)."""
    t = table(Reward)
    keys = [(export.brand_id, one) for one in {row.member_id for row in rows}]
    worth = func.sum(t.c.amount - t.c.taken_back)
    wanted = (
        select(t.c.member_id, t.c.campaign_id, t.c.asset, worth)
        .where(
            t.c.brand_id == export.brand_id,
            t.c.state != "capped",
            among_keys(session, (t.c.brand_id, t.c.member_id), keys),
        )
        .group_by(t.c.member_id, t.c.campaign_id, t.c.asset)
    )
    found: dict[Any, list[tuple[str, int]]] = {}
    for member, campaign, asset, amount in session.execute(wanted):
        if amount:
            found.setdefault((member, campaign), []).append((asset, int(amount)))
    return found


_APPLICATIONS = columns(
    applied_at="moment",
    member="text",
    application_state="text",
    friends="number",
    answers="text",
    reason="text",
    taken_at="moment",
    delivered_at="moment",
    reviewed_at="moment",
    rating="number",
    feedback="text",
    may_publish="text",
    reference="text",
)


def _applications(session: Session, export: Export, after: Any) -> Page:
    rows = by_id(session, export, TrialApplication, "applied_at", after)
    if not rows:
        return [], None
    locale = export.locale
    names = names_of(session, export.brand_id, (row.member_id for row in rows), locale)
    t = table(TrialFeedback)
    keys = [(export.brand_id, row.id) for row in rows]
    said = {
        row.application_id: row
        for row in session.execute(
            select(*t.c).where(
                t.c.brand_id == export.brand_id, among_keys(session, (t.c.brand_id, t.c.application_id), keys)
            )
        )
    }
    found: list[Row] = []
    for row in rows:
        answers = answers_of(session, TrialApplication(**row._mapping), locale)
        voice = said.get(row.id)
        found.append(
            (
                row.applied_at,
                names.get(row.member_id, ""),
                i18n.text(locale, f"export.application.{row.state}"),
                row.friends,
                "; ".join(f"{question} {answer}" for question, answer in answers),
                known_words(f"export.application.why.{row.reason}", row.reason or "", locale),
                row.claimed_at,
                row.delivered_at,
                row.reviewed_at,
                voice.rating if voice is not None else None,
                voice.text if voice is not None else "",
                i18n.text(locale, "fact.yes" if voice.consent else "fact.no") if voice is not None else "",
                str(row.id),
            )
        )
    return found, last_of(rows)


PEOPLE = {
    "friends": Kind(always(_FRIENDS), _friends, counted(Referral, "started_at")),
    "advocates": Kind(always(_ADVOCATES), _advocates, counted(Enrollment, "enrolled_at")),
    "applications": Kind(always(_APPLICATIONS), _applications, counted(TrialApplication, "applied_at")),
}
