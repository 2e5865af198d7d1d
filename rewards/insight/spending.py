"""What a day's transfers took out of campaigns' budgets, and what came back to them.

The books are only ever added to, so a day's spending stands as soon as the day is over. Prizes, percentages, tiers and
corrections are all transfers: nothing is spent that is not here.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Select, func, select
from sqlmodel import Session

from core.db import table
from referral.insight.counting import BRAND, Counted, Source, Span, within
from referral.insight.models import NOBODY
from rewards.ledger import LedgerAccount, Purpose, Transfer

BUDGETING = ("fund", "unfund")
"""Transfers between a budget and the brand itself: nobody gets anything."""


@cache
def _moved(side: str, purpose: str) -> Select[Any]:
    """What went out of accounts of a purpose (`debit_id`) or came to them (`credit_id`) on a day."""
    t, a = table(Transfer), table(LedgerAccount)
    return (
        select(a.c.owner_id, a.c.asset, func.sum(t.c.amount))
        .join(a, (a.c.brand_id == BRAND) & (a.c.id == t.c[side]))
        .where(within(t, t.c.created_at), a.c.purpose == purpose, t.c.kind.not_in(BUDGETING))
        .group_by(a.c.owner_id, a.c.asset)
    )


def spent(session: Session, day: Span) -> Iterator[Counted]:
    """`granted` and `taken_back` by campaign and asset; `kept`: fees that members paid to the brand."""
    for what, side in (("granted", "debit_id"), ("taken_back", "credit_id")):
        for campaign_id, asset, amount in session.execute(_moved(side, Purpose.BUDGET), day.values):
            yield campaign_id, what, asset, int(amount)
    kept: dict[str, int] = {}
    for sign, side in ((1, "credit_id"), (-1, "debit_id")):
        for _, asset, amount in session.execute(_moved(side, Purpose.FUNDING), day.values):
            kept[asset] = kept.get(asset, 0) + sign * int(amount)
    for asset, amount in kept.items():
        yield NOBODY, "kept", asset, amount


SOURCE = Source("transfer", table(Transfer), "created_at", spent, open_days=1)
