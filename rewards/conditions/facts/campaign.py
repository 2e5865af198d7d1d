"""The campaign: its terms, how far it has come, and what is left of its budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from core.db import table
from referral.campaigns import Enrollment
from referral.referrals import Referral
from rewards.conditions.facts.subject import Pair, Subject, campaigns_of, rows_of, share, whole_days
from rewards.ledger import Account, LedgerAccount, Purpose, funded
from rewards.plans import cached_plan

_DAY = timedelta(days=1)


def terms(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """What the campaign's file says, and which of its days it is."""
    campaigns = campaigns_of(session, subjects)
    return [_terms(subject, campaigns[subject.campaign_key].row) for subject in subjects]


def _terms(subject: Subject, row: Any) -> dict[str, Any]:
    length, passed = row.ends_at - row.starts_at, subject.at - row.starts_at
    elapsed = share(passed // timedelta(seconds=1), length // timedelta(seconds=1))
    return {
        "campaign.slug": row.slug,
        "campaign.state": row.state,
        "campaign.event": row.event,
        "campaign.stay_days": row.stay_days,
        "campaign.window_days": row.window_days,
        "campaign.version": subject.campaign_version,
        "campaign.starts_at": row.starts_at,
        "campaign.ends_at": row.ends_at,
        "campaign.length_days": length // _DAY,
        "campaign.day": passed // _DAY + 1,
        "campaign.days_left": whole_days(row.ends_at, subject.at),
        "campaign.elapsed": None if elapsed is None else max(0, min(10_000, elapsed)),
        "campaign.everywhere": not row.communities,
        "campaign.communities": len(row.communities),
    }


def totals(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """How many take part and how many friends they brought, in the whole campaign."""
    keys = {subject.campaign_key for subject in subjects}
    e, r = table(Enrollment), table(Referral)
    enrolled = select(e.c.brand_id, e.c.campaign_id, func.count().label("how_many")).group_by(
        e.c.brand_id, e.c.campaign_id
    )
    advocates: dict[Pair, int] = {
        (row.brand_id, row.campaign_id): row.how_many
        for row in rows_of(session, enrolled, (e.c.brand_id, e.c.campaign_id), keys)
    }
    by_state = select(r.c.brand_id, r.c.campaign_id, r.c.state, func.count().label("how_many")).group_by(
        r.c.brand_id, r.c.campaign_id, r.c.state
    )
    states: dict[Pair, dict[str, int]] = {key: {} for key in keys}
    for row in rows_of(session, by_state, (r.c.brand_id, r.c.campaign_id), keys):
        states[(row.brand_id, row.campaign_id)][row.state] = row.how_many
    return [
        {
            "campaign.advocates": advocates.get(subject.campaign_key, 0),
            "campaign.referrals": sum(states[subject.campaign_key].values()),
            "campaign.qualified": states[subject.campaign_key].get("qualified", 0),
            "campaign.reversed": states[subject.campaign_key].get("reversed", 0),
            "campaign.rate": share(
                states[subject.campaign_key].get("qualified", 0), sum(states[subject.campaign_key].values())
            ),
        }
        for subject in subjects
    ]


def budget(session: Session, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """The budget in the plan's own asset: what was put in and what is left of it."""
    known: dict[tuple[Pair, int], dict[str, Any]] = {}
    for subject in subjects:
        key = (subject.campaign_key, subject.campaign_version)
        if key not in known:
            known[key] = _budget(session, subject)
    return [known[(subject.campaign_key, subject.campaign_version)] for subject in subjects]


def _budget(session: Session, subject: Subject) -> dict[str, Any]:
    asset = main_asset(session, subject)
    account = Account(subject.brand_id, subject.campaign_id, Purpose.BUDGET, asset)
    t = table(LedgerAccount)
    left = session.scalar(select(t.c.balance).where(t.c.brand_id == subject.brand_id, t.c.id == account.id)) or 0
    put_in = funded(session, subject.brand_id, subject.campaign_id, asset)
    return {
        "campaign.asset": asset,
        "campaign.funded": put_in,
        "campaign.budget_left": left,
        "campaign.budget_used": share(put_in - left, put_in),
    }


def main_asset(session: Session, subject: Subject) -> str:
    """The asset of the plan in force, in which its sums are told."""
    return cached_plan(session, subject.brand_id, subject.campaign_id, subject.campaign_version).asset
