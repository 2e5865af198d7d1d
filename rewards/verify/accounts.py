"""Accounts: their balances follow from the transfers, sum to zero, and are whose their number says."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlmodel import Session

from core.db import table
from rewards.ledger import BELOW_ZERO, Account, LedgerAccount, Purpose, Transfer
from rewards.verify.problem import Problem, stream


def balances(session: Session) -> Iterator[Problem]:
    """Accounts whose balance is not their credits less their debits."""
    account, moved = table(LedgerAccount), table(Transfer)
    # Each side by its own index; all movements in one list would be sorted first.
    gained, lost = (
        select(moved.c.brand_id, moved.c[side].label("account_id"), func.sum(moved.c.amount).label("amount"))
        .group_by(moved.c.brand_id, moved.c[side])
        .subquery(side)
        for side in ("credit_id", "debit_id")
    )
    moves = func.coalesce(gained.c.amount, 0) - func.coalesce(lost.c.amount, 0)
    found = (
        select(account.c.id, account.c.balance, moves.label("moves"))
        .outerjoin(gained, (gained.c.brand_id == account.c.brand_id) & (gained.c.account_id == account.c.id))
        .outerjoin(lost, (lost.c.brand_id == account.c.brand_id) & (lost.c.account_id == account.c.id))
        .where(account.c.balance != moves)
    )
    for row in stream(session, found):
        yield Problem("balance", "ledger_account", str(row.id), f"holds {row.balance}, transfers say {row.moves}")


def sums(session: Session) -> Iterator[Problem]:
    """Brands in which something came from nowhere."""
    account = table(LedgerAccount)
    total = func.sum(account.c.balance)
    found = (
        select(account.c.brand_id, account.c.asset, total.label("total"))
        .group_by(account.c.brand_id, account.c.asset)
        .having(total != 0)
    )
    for row in stream(session, found):
        yield Problem("sum", "brand", str(row.brand_id), f"all balances in {row.asset} sum to {row.total}, not to 0")


def owners(session: Session) -> Iterator[Problem]:
    """Accounts below zero, and accounts that are no longer whose their number says."""
    t = table(LedgerAccount)
    found = select(t.c.brand_id, t.c.id, t.c.owner_id, t.c.purpose, t.c.asset, t.c.balance)
    for row in stream(session, found):
        if row.balance < 0 and row.purpose not in BELOW_ZERO:
            yield Problem("below_zero", "ledger_account", str(row.id), f"{row.purpose} holds {row.balance}")
        named = row.purpose in PURPOSES and Account(row.brand_id, row.owner_id, row.purpose, row.asset).id
        if named != row.id:
            yield Problem("owner", "ledger_account", str(row.id), "owner, purpose and asset do not give this number")


PURPOSES = frozenset(Purpose)
CHECKS = (balances, sums, owners)
