"""What was given before: rewards of this campaign and the members' balances. The reward being decided is not in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import table
from rewards.facts.campaign import main_asset
from rewards.facts.subject import Days, Pair, Subject, campaigns_of, rows_of
from rewards.ledger import LedgerAccount, Purpose
from rewards.rewards import Reward

LIVE = ("held", "payable", "in_payout", "paid", "in_review")
"""States in which a reward is worth something."""


def rewarded(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The rewards that the two had before; sums are of the plan's own asset, less what was taken back."""
    t = table(Reward)
    columns = ("brand_id", "campaign_id", "member_id", "role", "asset", "amount", "taken_back", "state", "created_at")
    given: dict[Pair, list[Any]] = defaultdict(list)
    members = {subject.advocate_key for subject in subjects} | {subject.friend_key for subject in subjects}
    for row in rows_of(session, select(*(t.c[name] for name in columns)), (t.c.brand_id, t.c.member_id), members):
        given[(row.brand_id, row.member_id)].append(row)
    campaigns = campaigns_of(session, subjects)
    return [
        _advocate(
            [row for row in given[subject.advocate_key] if row.campaign_id == subject.campaign_id],
            main_asset(session, subject),
            campaigns[subject.campaign_key].days(subject.at),
        )
        | _friend(given[subject.friend_key], subject.campaign_id, main_asset(session, subject))
        for subject in subjects
    ]


def _worth(rows: Sequence[Any], asset: str) -> int:
    return sum(row.amount - row.taken_back for row in rows if row.asset == asset)


def _advocate(rows: Sequence[Any], asset: str, since: Days) -> dict[str, Any]:
    live = [row for row in rows if row.state in LIVE and row.role == "advocate"]
    return {
        "history.advocate_rewards": len(live),
        "history.advocate_amount": _worth(live, asset),
        "history.advocate_amount_today": _worth([row for row in live if row.created_at >= since.day], asset),
        "history.advocate_amount_this_week": _worth([row for row in live if row.created_at >= since.week], asset),
        "history.advocate_capped": sum(row.state == "capped" for row in rows),
        "history.advocate_taken_back": sum(row.state in ("voided", "clawed_back") for row in rows),
    }


def _friend(rows: Sequence[Any], campaign_id: UUID, asset: str) -> dict[str, Any]:
    live = [row for row in rows if row.state in LIVE]
    here = [row for row in live if row.campaign_id == campaign_id and row.role == "friend"]
    return {
        "history.friend_rewards": len(here),
        "history.friend_amount": _worth(here, asset),
        "history.friend_rewards_ever": len(live),
    }


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
