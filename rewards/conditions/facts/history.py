"""What was given before: rewards of this campaign and the members' balances. The reward being decided is not in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from core.db import table
from rewards.conditions.facts.campaign import main_asset
from rewards.conditions.facts.subject import Pair, Subject, Triple, days_of, rows_of
from rewards.ledger import LedgerAccount, Purpose
from rewards.rewards import QUIET, Reward

LIVE = ("held", "payable", "in_payout", "paid", "in_review")
"""States in which a reward is worth something."""


def rewarded(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The rewards that the two had before; sums are of the plan's own asset, less what was taken back."""
    t = table(Reward)
    by = (t.c.brand_id, t.c.campaign_id, t.c.member_id, t.c.role, t.c.asset, t.c.state)
    sums = (func.count().label("times"), func.sum(t.c.amount - t.c.taken_back).label("worth"))
    grouped = select(*by, *sums).where(func.coalesce(t.c.reason, "").not_in(QUIET)).group_by(*by)
    members = {subject.advocate_key for subject in subjects} | {subject.friend_key for subject in subjects}
    groups: dict[Pair, list[Any]] = defaultdict(list)
    for row in rows_of(session, grouped, (t.c.brand_id, t.c.member_id), members):
        groups[(row.brand_id, row.member_id)].append(row)
    return [
        _advocate(
            [row for row in groups[subject.advocate_key] if row.campaign_id == subject.campaign_id],
            main_asset(session, subject),
        )
        | _friend(groups[subject.friend_key], subject.campaign_id, main_asset(session, subject))
        for subject in subjects
    ]


def _worth(groups: Sequence[Any], asset: str) -> int:
    return sum(int(row.worth) for row in groups if row.asset == asset)


def _times(groups: Sequence[Any]) -> int:
    return sum(row.times for row in groups)


def _advocate(groups: Sequence[Any], asset: str) -> dict[str, Any]:
    live = [row for row in groups if row.state in LIVE and row.role == "advocate"]
    return {
        "history.advocate_rewards": _times(live),
        "history.advocate_amount": _worth(live, asset),
        "history.advocate_capped": _times([row for row in groups if row.state == "capped"]),
        "history.advocate_taken_back": _times([row for row in groups if row.state in ("voided", "clawed_back")]),
    }


def _friend(groups: Sequence[Any], campaign_id: UUID, asset: str) -> dict[str, Any]:
    live = [row for row in groups if row.state in LIVE]
    here = [row for row in live if row.campaign_id == campaign_id and row.role == "friend"]
    return {
        "history.friend_rewards": _times(here),
        "history.friend_amount": _worth(here, asset),
        "history.friend_rewards_ever": _times(live),
    }


def rewarded_lately(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """What the advocate was given on the event's day and in its week, in the plan's own asset."""
    since = days_of(session, subjects)
    t = table(Reward)
    columns = (t.c.brand_id, t.c.campaign_id, t.c.member_id)
    lately = select(*columns, t.c.asset, t.c.created_at, (t.c.amount - t.c.taken_back).label("worth")).where(
        t.c.role == "advocate", t.c.state.in_(LIVE), t.c.created_at >= min(one.week for one in since)
    )
    given: dict[Triple, list[Any]] = defaultdict(list)
    for row in rows_of(session, lately, columns, {subject.advocate_here for subject in subjects}):
        given[(row.brand_id, row.campaign_id, row.member_id)].append(row)
    found = []
    for subject, days in zip(subjects, since, strict=True):
        rows, asset = given[subject.advocate_here], main_asset(session, subject)
        found.append(
            {
                "history.advocate_amount_today": _worth([row for row in rows if row.created_at >= days.day], asset),
                "history.advocate_amount_this_week": _worth(
                    [row for row in rows if row.created_at >= days.week], asset
                ),
            }
        )
    return found


def purse(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """What the two hold now in the plan's own asset; a debt is what the advocate owes."""
    t = table(LedgerAccount)
    members = {subject.advocate_key for subject in subjects} | {subject.friend_key for subject in subjects}
    statement = select(t.c.brand_id, t.c.owner_id, t.c.purpose, t.c.asset, t.c.balance)
    held: dict[tuple[UUID, UUID, str, str], int] = {
        (row.brand_id, row.owner_id, row.purpose, row.asset): row.balance
        for row in rows_of(session, statement, (t.c.brand_id, t.c.owner_id), members)
    }
    found = []
    for subject in subjects:
        asset = main_asset(session, subject)
        payable = held.get((*subject.advocate_key, Purpose.PAYABLE, asset), 0)
        found.append(
            {
                "history.advocate_held": held.get((*subject.advocate_key, Purpose.HELD, asset), 0),
                "history.advocate_payable": max(payable, 0),
                "history.advocate_debt": max(-payable, 0),
                "history.friend_payable": held.get((*subject.friend_key, Purpose.PAYABLE, asset), 0),
            }
        )
    return found
