"""Warnings before a campaign's budget is spent: at 80 % and 95 %, and when it stops at 100 %.

Each is told once for a funding: a budget that is raised or lowered is watched anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, delete, select
from sqlmodel import Field, Session, col

from core import clock, events
from core.db import Row, UtcDateTime, among_keys, insert_new, table
from rewards.decisions import Balance, Books
from rewards.ledger import Account, LedgerAccount, Purpose
from rewards.plans import Plan, latest_plan

LEVELS = (80, 95, 100)
"""Percent of the budget that are spent; at 100 the campaign has stopped paying."""


class BudgetLevel(Row, table=True):
    """A level that was reached since the budget was last changed."""

    __tablename__ = "budget_level"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),)

    brand_id: UUID = Field(primary_key=True)
    campaign_id: UUID = Field(primary_key=True)
    asset: str = Field(primary_key=True)
    level: int = Field(primary_key=True)
    reached_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class BudgetWarned:
    """`level` percent of a campaign's budget in `asset` are spent; `left` minor units are not."""

    brand_id: UUID
    campaign_id: UUID
    asset: str
    level: int
    left: int


def lock(session: Session, campaigns: Collection[tuple[UUID, UUID]]) -> dict[Balance, int]:
    """What is left of all budgets of these (brand, campaign), locked until the commit.

    All of them, whichever are drawn on: caps and schedules are counted under this lock, also those that rules of
    several assets, or several versions of the plan, have in common.
    """
    t = table(LedgerAccount)
    keys = {(*campaign, str(Purpose.BUDGET)) for campaign in campaigns}
    rows = session.execute(
        select(t.c.owner_id, t.c.asset, t.c.balance)
        .where(among_keys(session, (t.c.brand_id, t.c.owner_id, t.c.purpose), keys))
        .order_by(t.c.id)
        .with_for_update(of=t)
    )
    return defaultdict(int, {(campaign_id, asset): left for campaign_id, asset, left in rows})


def watch(session: Session, budgets: Mapping[Balance, tuple[Account, Plan]], books: Books) -> None:
    """Tell of the levels that a batch reached; costs nothing while much is left."""
    for key, (account, plan) in budgets.items():
        left, refused = books.left[key], key in books.short
        if not refused and _spent(left, _free(plan, account.asset)) < LEVELS[0]:
            continue
        # The plan at hand may be an older version's; the budget is the newest one's.
        spent = _spent(left, _free(latest_plan(session, account.brand_id, account.owner_id), account.asset))
        levels = [level for level in LEVELS if spent >= level or (refused and level == LEVELS[-1])]
        if levels:
            _tell(session, account, levels, left)


def _free(plan: Plan, asset: str) -> int:
    """What rules may spend: the budget without what is set aside for prizes, as `books.left` is without it."""
    return plan.budget_of(asset) - plan.reserve(asset)


def _spent(left: int, budget: int) -> int:
    """Percent of the budget, cut; all of one that is none."""
    return 100 if budget <= 0 else (budget - left) * 100 // budget


def _tell(session: Session, account: Account, levels: Sequence[int], left: int) -> None:
    """The highest of these levels, if it was not told; those below are then old news."""
    whose = {"brand_id": account.brand_id, "campaign_id": account.owner_id, "asset": account.asset}
    rows = [whose | {"level": level, "reached_at": clock.now()} for level in levels]
    target = table(BudgetLevel)
    made = insert_new(session, target, rows, ["brand_id", "campaign_id", "asset", "level"], returning=target.c.level)
    if levels[-1] in made:
        events.emit(session, [BudgetWarned(account.brand_id, account.owner_id, account.asset, levels[-1], left)])


def watch_anew(session: Session, brand_id: UUID, campaign_id: UUID, asset: str) -> None:
    """Forget which levels were reached: the budget was changed."""
    session.execute(
        delete(BudgetLevel).where(
            col(BudgetLevel.brand_id) == brand_id,
            col(BudgetLevel.campaign_id) == campaign_id,
            col(BudgetLevel.asset) == asset,
        )
    )
