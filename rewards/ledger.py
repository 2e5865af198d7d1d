"""The books: accounts, and transfers that are never edited. This module is the only writer of transfers.

A transfer moves an amount from its debit account to its credit account, so an account's balance is what it was
credited less what it was debited. The database keeps balances (a trigger on every transfer), refuses balances below
zero where the design says so, refuses changes of transfers, and refuses a second transfer of one reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, func, select
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import TenantRow, UtcDateTime, insert_missing, insert_new, table
from core.errors import BadInput
from core.money import LARGEST


class Purpose(StrEnum):
    """What an account is for."""

    FUNDING = "brand.funding"
    BUDGET = "campaign.budget"
    HELD = "member.held"
    PAYABLE = "member.payable"
    CLEARING = "payout.clearing"
    EXTERNAL = "external"


BELOW_ZERO = (Purpose.EXTERNAL, Purpose.PAYABLE)
"""What may be below zero: the world outside, and a member who owes (as the check constraint below says)."""


class LedgerAccount(TenantRow, table=True):
    """An account of one owner, purpose and asset. `id` is derived from them, so anybody can name it unseen."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("brand_id", "owner_id", "purpose", "asset"),
        UniqueConstraint("brand_id", "id", "asset"),
        CheckConstraint("balance >= 0 OR purpose IN ('external', 'member.payable')", name="not_below_zero"),
    )

    owner_id: UUID
    """The brand, campaign or member whose account it is."""
    purpose: str
    asset: str
    balance: int = Field(default=0, sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Transfer(TenantRow, table=True):
    """One movement: one debit and one credit account of the same asset. Immutable."""

    __tablename__ = "transfer"
    __table_args__ = (
        UniqueConstraint("brand_id", "reference"),
        ForeignKeyConstraint(
            ["brand_id", "debit_id", "asset"],
            ["ledger_account.brand_id", "ledger_account.id", "ledger_account.asset"],
        ),
        ForeignKeyConstraint(
            ["brand_id", "credit_id", "asset"],
            ["ledger_account.brand_id", "ledger_account.id", "ledger_account.asset"],
        ),
        CheckConstraint("amount > 0", name="positive"),
        CheckConstraint("debit_id <> credit_id", name="two_accounts"),
        # With the amount an account's movements are summed from the index alone.
        Index("ix_transfer_debit", "brand_id", "debit_id", "amount"),
        Index("ix_transfer_credit", "brand_id", "credit_id", "amount"),
    )

    reference: str
    kind: str
    debit_id: UUID
    credit_id: UUID
    asset: str
    amount: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Account:
    """Names an account: whose, what for, in which asset."""

    brand_id: UUID
    owner_id: UUID
    purpose: Purpose
    asset: str

    @property
    def id(self) -> UUID:
        """Version 5 of (brand; owner, purpose, asset)."""
        return _account_id(self.brand_id, self.owner_id, self.purpose, self.asset)


@lru_cache(maxsize=8192)
def _account_id(brand_id: UUID, owner_id: UUID, purpose: str, asset: str) -> UUID:
    return uuid5(brand_id, f"{owner_id}/{purpose}/{asset}")


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer to be made. `reference` names its cause: the same cause moves money once."""

    reference: str
    kind: str
    debit: Account
    credit: Account
    amount: int


def transfer(session: Session, moves: Sequence[Move]) -> None:
    """Make these transfers; one that was made before is a no-op.

    If an account would fall below zero the database's IntegrityError is raised, here or by a later statement of this
    unit of work, which then rolls back whole.
    """
    insert_missing(session, table(Transfer), _rows(session, moves), _ONCE)


def transfer_new(session: Session, moves: Sequence[Move]) -> set[str]:
    """Make these transfers; the references that were new. Raises IntegrityError as `transfer` does, here."""
    target = table(Transfer)
    return insert_new(session, target, _rows(session, moves), _ONCE, returning=target.c.reference)


_ONCE = ("brand_id", "reference")


def _rows(session: Session, moves: Sequence[Move]) -> list[dict[str, Any]]:
    """What to write for them; their accounts are opened."""
    for move in moves:
        if not 0 < move.amount <= LARGEST:
            raise BadInput("amount_out_of_range", amount=move.amount)
        if move.debit.asset != move.credit.asset or move.debit.brand_id != move.credit.brand_id:
            raise ValueError("a transfer stays within one brand and one asset")
    now = clock.now()
    accounts: dict[UUID, Account] = {}
    rows = []
    for move in moves:
        debit_id, credit_id = move.debit.id, move.credit.id
        accounts[debit_id], accounts[credit_id] = move.debit, move.credit
        rows.append(
            {
                "brand_id": move.debit.brand_id,
                "id": ids.new(),
                "reference": move.reference,
                "kind": move.kind,
                "debit_id": debit_id,
                "credit_id": credit_id,
                "asset": move.debit.asset,
                "amount": move.amount,
                "created_at": now,
            }
        )
    _open(session, accounts, now)
    return rows


def _open(session: Session, accounts: dict[UUID, Account], now: datetime) -> None:
    """Make the accounts that are not there yet."""
    rows = [
        {
            "brand_id": account.brand_id,
            "id": account_id,
            "owner_id": account.owner_id,
            "purpose": str(account.purpose),
            "asset": account.asset,
            "balance": 0,
            "created_at": now,
        }
        for account_id, account in sorted(accounts.items(), key=lambda item: item[0].int)
    ]
    # By the key: another process may open the same account now, and the key's index is the first that it enters.
    insert_missing(session, table(LedgerAccount), rows, ["brand_id", "id"])


def balance(session: Session, account: Account) -> int:
    """What the account holds, in minor units; 0 for one nobody has used."""
    found = session.scalar(
        select(col(LedgerAccount.balance)).where(
            col(LedgerAccount.brand_id) == account.brand_id, col(LedgerAccount.id) == account.id
        )
    )
    return found or 0


def take_stock(session: Session, accounts: Sequence[Account]) -> dict[Account, int]:
    """The balances of these accounts, locked until the commit (the budgets a batch draws on)."""
    by_id = {account.id: account for account in accounts}
    t = table(LedgerAccount)
    rows = session.execute(
        select(t.c.id, t.c.balance)
        .where(t.c.brand_id.in_({account.brand_id for account in accounts}), t.c.id.in_(list(by_id)))
        .order_by(t.c.id)
        .with_for_update()
    )
    found = {by_id[account_id]: amount for account_id, amount in rows}
    return {account: found.get(account, 0) for account in accounts}


def balances_of(session: Session, brand_id: UUID, owner_id: UUID) -> dict[tuple[str, str], int]:
    """Everything an owner's accounts hold, by (purpose, asset)."""
    rows = session.execute(
        select(col(LedgerAccount.purpose), col(LedgerAccount.asset), col(LedgerAccount.balance)).where(
            col(LedgerAccount.brand_id) == brand_id, col(LedgerAccount.owner_id) == owner_id
        )
    )
    return {(purpose, asset): amount for purpose, asset, amount in rows}


def fund(session: Session, brand_id: UUID, campaign_id: UUID, asset: str, amount: int, reference: str) -> None:
    """The brand puts money into a campaign's budget."""
    outside = Account(brand_id, brand_id, Purpose.EXTERNAL, asset)
    budget = Account(brand_id, campaign_id, Purpose.BUDGET, asset)
    transfer(session, [Move(reference, "fund", outside, budget, amount)])


def unfund(session: Session, brand_id: UUID, campaign_id: UUID, asset: str, amount: int, reference: str) -> None:
    """The brand takes back what a campaign has not spent; the database refuses more than there is."""
    outside = Account(brand_id, brand_id, Purpose.EXTERNAL, asset)
    budget = Account(brand_id, campaign_id, Purpose.BUDGET, asset)
    transfer(session, [Move(reference, "unfund", budget, outside, amount)])


def funded(session: Session, brand_id: UUID, campaign_id: UUID, asset: str) -> int:
    """How much was put into a campaign's budget from outside, less what was taken back."""
    t, budget = table(Transfer), Account(brand_id, campaign_id, Purpose.BUDGET, asset)
    put_in = select(func.sum(t.c.amount)).where(
        t.c.brand_id == brand_id, t.c.credit_id == budget.id, t.c.kind == "fund"
    )
    taken = select(func.sum(t.c.amount)).where(
        t.c.brand_id == brand_id, t.c.debit_id == budget.id, t.c.kind == "unfund"
    )
    return int(session.scalar(put_in) or 0) - int(session.scalar(taken) or 0)
