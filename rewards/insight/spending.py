"""What a day's transfers took out of campaigns' budgets, and what came back to them.

The books are only ever added to, so a day's spending stands as soon as the day is over. Prizes, percentages, tiers and
corrections are all transfers: nothing is spent that is not here.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlmodel import Session

from core.db import table
from referral.insight.counting import Counted, Source, Span
from referral.insight.models import NOBODY
from rewards.ledger import LedgerAccount, Purpose, Transfer

BUDGETING = ("fund", "unfund")
"""Transfers between a budget and the brand itself: nobody gets anything."""


def spent(session: Session, day: Span) -> Iterator[Counted]:
    """`granted` and `taken_back` by campaign and asset; `kept`: fees that members paid to the brand."""
    t, a = table(Transfer), table(LedgerAccount)
    for what, side in (("granted", t.c.debit_id), ("taken_back", t.c.credit_id)):
        rows = session.execute(
            select(a.c.owner_id, a.c.asset, func.sum(t.c.amount))
            .join(a, (a.c.brand_id == day.brand_id) & (a.c.id == side))
            .where(day.holds(t, t.c.created_at), a.c.purpose == Purpose.BUDGET, t.c.kind.not_in(BUDGETING))
            .group_by(a.c.owner_id, a.c.asset)
        )
        for campaign_id, asset, amount in rows:
            yield campaign_id, what, asset, int(amount)
    kept: dict[str, int] = {}
    for sign, side in ((1, t.c.credit_id), (-1, t.c.debit_id)):
        rows = session.execute(
            select(a.c.asset, func.sum(t.c.amount))
            .join(a, (a.c.brand_id == day.brand_id) & (a.c.id == side))
            .where(day.holds(t, t.c.created_at), a.c.purpose == Purpose.FUNDING)
            .group_by(a.c.asset)
        )
        for asset, amount in rows:
            kept[asset] = kept.get(asset, 0) + sign * int(amount)
    for asset, amount in kept.items():
        yield NOBODY, "kept", asset, amount


SOURCE = Source("transfer", table(Transfer), "created_at", spent, open_days=1)
