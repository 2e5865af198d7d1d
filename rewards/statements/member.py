"""A member's statement: what came, what was taken back, what left, and what is there, asset by asset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import Session, col

from core import i18n
from core.db import table
from core.money import Money
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.statements.causes import Causes
from rewards.statements.sheets import Book, Sheet, columns

AT_ONCE = 500
"""Transfers whose causes are looked up together."""
FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Purse:
    """What a member has of one asset: `held` and `payable` (below zero: a debt), in minor units."""

    held: int = 0
    payable: int = 0

    def move(self, purpose: str, amount: int) -> None:
        """Add to one of the two."""
        if purpose == Purpose.HELD:
            self.held += amount
        else:
            self.payable += amount


@dataclass(frozen=True, slots=True)
class _Accounts:
    """The member's accounts: purpose and asset by id."""

    named: dict[UUID, tuple[str, str]]

    def changes(self, row: Any) -> Purse:
        """What a transfer does to the member's two accounts."""
        change = Purse()
        if row.debit_id in self.named:
            change.move(self.named[row.debit_id][0], -row.amount)
        if row.credit_id in self.named:
            change.move(self.named[row.credit_id][0], row.amount)
        return change


def member_statement(
    session: Session,
    brand_id: UUID,
    member_id: UUID,
    *,
    locale: str,
    timezone: str,
    since: datetime = FIRST,
    until: datetime | None = None,
) -> Book:
    """Sheets `lines` (every movement with the balance after it) and `purse` (opening, sums and closing by asset), of
    `since <= moment < until`. What closes is what the books hold, where `until` is not in the past."""
    accounts = _accounts(session, brand_id, member_id)
    period = (since, until)
    line_columns = columns(
        at="moment",
        kind="text",
        cause="text",
        campaign="text",
        asset="text",
        held_change="amount",
        payable_change="amount",
        held_after="amount",
        payable_after="amount",
        reference="text",
    )
    purse_columns = columns(
        asset="text",
        opening_held="amount",
        opening_payable="amount",
        granted="amount",
        taken_back="amount",
        withdrawn="amount",
        fees="amount",
        moved="amount",
        closing_held="amount",
        closing_payable="amount",
    )
    return Book(
        (
            Sheet("lines", line_columns, _lines(session, brand_id, accounts, locale, period)),
            Sheet("purse", purse_columns, _purses(session, brand_id, accounts, period)),
        ),
        locale,
        timezone,
    )


def _accounts(session: Session, brand_id: UUID, member_id: UUID) -> _Accounts:
    rows = session.execute(
        select(col(LedgerAccount.id), col(LedgerAccount.purpose), col(LedgerAccount.asset)).where(
            col(LedgerAccount.brand_id) == brand_id,
            col(LedgerAccount.owner_id) == member_id,
            col(LedgerAccount.purpose).in_((Purpose.HELD, Purpose.PAYABLE)),
        )
    )
    return _Accounts({row.id: (row.purpose, row.asset) for row in rows})


def _transfers(brand_id: UUID, accounts: _Accounts, until: datetime | None) -> Select[Any]:
    t = table(Transfer)
    touching = t.c.debit_id.in_(accounts.named) | t.c.credit_id.in_(accounts.named)
    found = select(*t.c).where(t.c.brand_id == brand_id, touching)
    if until is not None:
        found = found.where(t.c.created_at < until)
    return found.order_by(t.c.created_at, t.c.id).execution_options(yield_per=AT_ONCE)


Period = tuple[datetime, datetime | None]


def _lines(
    session: Session, brand_id: UUID, accounts: _Accounts, locale: str, period: Period
) -> Iterator[Sequence[Any]]:
    since, until = period
    purses: dict[str, Purse] = defaultdict(Purse)
    for rows in session.execute(_transfers(brand_id, accounts, until)).partitions(AT_ONCE):
        causes = Causes(session, brand_id, [row.reference for row in rows if row.created_at >= since])
        for row in rows:
            change, purse = accounts.changes(row), purses[row.asset]
            purse.held += change.held
            purse.payable += change.payable
            if row.created_at >= since:
                amounts = (change.held, change.payable, purse.held, purse.payable)
                yield (
                    row.created_at,
                    i18n.text(locale, f"statement.kind.{row.kind}"),
                    causes.words(row.reference, locale),
                    causes.campaign(row.reference, locale),
                    row.asset,
                    *(Money(amount, row.asset) for amount in amounts),
                    row.reference,
                )


_SUMS = {
    "grant": "granted",
    "void": "taken_back",
    "clawback": "taken_back",
    "adjust": "taken_back",
    "payout_start": "withdrawn",
    "payout_back": "withdrawn",
    "payout_fee": "fees",
    "payout_fee_back": "fees",
    "link": "moved",
}
"""Which sum a kind of transfer belongs to; a release changes neither sum nor total."""


def _purses(session: Session, brand_id: UUID, accounts: _Accounts, period: Period) -> Iterator[Sequence[Any]]:
    since, until = period
    opening: dict[str, Purse] = defaultdict(Purse)
    closing: dict[str, Purse] = defaultdict(Purse)
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(dict.fromkeys(_SUMS.values()), 0))
    for row in session.execute(_transfers(brand_id, accounts, until)):
        change = accounts.changes(row)
        for purse in (closing[row.asset], *([opening[row.asset]] if row.created_at < since else [])):
            purse.held += change.held
            purse.payable += change.payable
        if row.created_at >= since and row.kind in _SUMS:
            sums[row.asset][_SUMS[row.kind]] += change.held + change.payable
    for asset in sorted(closing):
        first, last = opening[asset], closing[asset]
        amounts = (first.held, first.payable, *sums[asset].values(), last.held, last.payable)
        yield (asset, *(Money(amount, asset) for amount in amounts))


def member_lines(
    session: Session, brand_id: UUID, member_id: UUID, *, locale: str, timezone: str, limit: int = 10
) -> list[str]:
    """The statement for a chat: a line for each asset's balance, then the last movements, newest first."""
    accounts = _accounts(session, brand_id, member_id)
    held: dict[str, dict[str, int]] = defaultdict(dict)
    for account in session.scalars(select(LedgerAccount).where(col(LedgerAccount.id).in_(accounts.named))):
        held[account.asset][account.purpose] = account.balance
    lines = [
        i18n.text(
            locale,
            "statement.chat.balance",
            asset=asset,
            payable=Money(found.get(Purpose.PAYABLE, 0), asset).format(locale),
            held=Money(found.get(Purpose.HELD, 0), asset).format(locale),
        )
        for asset, found in sorted(held.items())
    ]
    newest = _transfers(brand_id, accounts, None).order_by(None).order_by(*_NEWEST_FIRST).limit(limit)
    rows = session.execute(newest).all() if accounts.named else []
    causes = Causes(session, brand_id, [row.reference for row in rows])
    lines += [_chat_line(row, accounts, causes, locale, timezone) for row in rows]
    return lines or [i18n.text(locale, "statement.chat.none")]


_NEWEST_FIRST = (col(Transfer.created_at).desc(), col(Transfer.id).desc())


def _chat_line(row: Any, accounts: _Accounts, causes: Causes, locale: str, timezone: str) -> str:
    change = accounts.changes(row)
    total = change.held + change.payable
    words = causes.words(row.reference, locale)
    return i18n.text(
        locale,
        "statement.chat.line",
        at=i18n.moment(locale, row.created_at, timezone, time=False),
        kind=i18n.text(locale, f"statement.kind.{row.kind}"),
        amount=Money(total or row.amount, row.asset).format(locale),
        cause=i18n.text(locale, "statement.chat.cause", cause=words) if words else "",
    )
