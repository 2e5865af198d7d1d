"""A brand's statement by month: what went in, what was promised, taken back, paid, and what is there at its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select, union_all
from sqlmodel import Session, col

from core import clock
from core.db import table
from core.money import Money
from rewards.ledger import LedgerAccount, Purpose, Transfer
from rewards.statements.sheets import Book, Sheet, amounts, columns

Flow = tuple[str, str]
"""(purpose debited, purpose credited)."""
FLOWS: dict[str, tuple[tuple[Flow, int], ...]] = {
    "funded": (((Purpose.EXTERNAL, Purpose.BUDGET), 1),),
    "unfunded": (((Purpose.BUDGET, Purpose.EXTERNAL), 1),),
    "granted": (((Purpose.BUDGET, Purpose.HELD), 1), ((Purpose.BUDGET, Purpose.PAYABLE), 1)),
    "voided": (((Purpose.HELD, Purpose.BUDGET), 1),),
    "clawed_back": (((Purpose.PAYABLE, Purpose.BUDGET), 1),),
    "released": (((Purpose.HELD, Purpose.PAYABLE), 1),),
    "withdrawn": (((Purpose.PAYABLE, Purpose.CLEARING), 1), ((Purpose.CLEARING, Purpose.PAYABLE), -1)),
    "paid": (((Purpose.CLEARING, Purpose.EXTERNAL), 1),),
    "fees": (((Purpose.PAYABLE, Purpose.FUNDING), 1), ((Purpose.FUNDING, Purpose.PAYABLE), -1)),
}
"""The sums of a month, by what the transfers join. Those between two members' like accounts change none."""
CLOSING = (Purpose.BUDGET, Purpose.HELD, Purpose.PAYABLE, Purpose.CLEARING, Purpose.FUNDING)
MONTHS_MAX = 120


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month in the brand's time zone: `begins <= moment < ends`."""

    name: str
    begins: datetime
    ends: datetime


def months_between(first: datetime, last: datetime, timezone: str) -> list[Month]:
    """The months that two moments and all between them lie in; at most the last `MONTHS_MAX`."""
    zone = ZoneInfo(timezone)
    begins = _month_of(first.astimezone(zone))
    found = []
    while begins <= last:
        ends = _month_after(begins)
        found.append(Month(f"{begins:%Y-%m}", begins, ends))
        begins = ends
    return found[-MONTHS_MAX:]


def _month_of(at: datetime) -> datetime:
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _month_after(begins: datetime) -> datetime:
    return begins.replace(year=begins.year + begins.month // 12, month=begins.month % 12 + 1)


def brand_statement(
    session: Session,
    brand_id: UUID,
    *,
    locale: str,
    timezone: str,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Book:
    """Sheet `months`: one line for each month and asset between two moments (by default: all there is until now).

    `closing_*` are the balances at the month's end; `debts` is what members owe in all, so that the closing payable is
    what members may dispose of less the debts.
    """
    first = since or session.scalar(
        select(func.min(col(Transfer.created_at))).where(col(Transfer.brand_id) == brand_id)
    )
    months = months_between(first, until or clock.now(), timezone) if first else []
    closing = (f"closing_{_short(purpose)}" for purpose in CLOSING)
    shown = columns(month="text", asset="text", **amounts(*FLOWS, *closing, "debts"))
    return Book((Sheet("months", shown, _rows(session, brand_id, months)),), locale, timezone)


def _short(purpose: str) -> str:
    return purpose.rpartition(".")[2]


def _rows(session: Session, brand_id: UUID, months: Sequence[Month]) -> Iterator[Sequence[Any]]:
    if not months:
        return
    flows = _flows(session, brand_id, months)
    debts = _debts(session, brand_id, months)
    balances: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(CLOSING, 0))
    for place in range(-1, len(months)):
        for asset in sorted({asset for _, asset, _ in flows}):
            moved = {flow: amount for (at, of, flow), amount in flows.items() if (at, of) == (place, asset)}
            for (debit, credit), amount in moved.items():
                for purpose, change in ((debit, -amount), (credit, amount)):
                    if purpose in balances[asset]:
                        balances[asset][purpose] += change
            standing = [*balances[asset].values(), debts[(place, asset)]]
            if place >= 0 and (moved or any(standing)):
                sums = (sum(moved.get(flow, 0) * sign for flow, sign in parts) for parts in FLOWS.values())
                yield months[place].name, asset, *(Money(amount, asset) for amount in (*sums, *standing))


def _place(at: ColumnElement[datetime], months: Sequence[Month]) -> ColumnElement[int]:
    """Which month a moment lies in, by number; -1 before all of them."""
    return case(
        (at < months[0].begins, -1),
        *((at < month.ends, place) for place, month in enumerate(months)),
        else_=len(months),
    )


def _flows(session: Session, brand_id: UUID, months: Sequence[Month]) -> dict[tuple[int, str, Flow], int]:
    """The sums by month, asset and what they join."""
    t, debit, credit = table(Transfer), table(LedgerAccount).alias("debit"), table(LedgerAccount).alias("credit")
    moved = (
        select(
            _place(t.c.created_at, months).label("place"),
            t.c.asset,
            debit.c.purpose.label("debited"),
            credit.c.purpose.label("credited"),
            t.c.amount,
        )
        .join(debit, (debit.c.brand_id == t.c.brand_id) & (debit.c.id == t.c.debit_id))
        .join(credit, (credit.c.brand_id == t.c.brand_id) & (credit.c.id == t.c.credit_id))
        .where(t.c.brand_id == brand_id, t.c.created_at < months[-1].ends)
        .subquery()
    )
    by = (moved.c.place, moved.c.asset, moved.c.debited, moved.c.credited)
    grouped = select(*by, func.sum(moved.c.amount).label("sum")).group_by(*by)
    return {(row.place, row.asset, (row.debited, row.credited)): int(row.sum) for row in session.execute(grouped)}


def _debts(session: Session, brand_id: UUID, months: Sequence[Month]) -> dict[tuple[int, str], int]:
    """What members owed at each month's end, by asset: the balances below zero, month after month, account by
    account."""
    t, account = table(Transfer), table(LedgerAccount)
    place = _place(t.c.created_at, months).label("place")
    owned = select(account.c.id).where(account.c.brand_id == brand_id, account.c.purpose == Purpose.PAYABLE)
    sides = [
        select(t.c[side].label("account"), t.c.asset, place, (t.c.amount * sign).label("amount")).where(
            t.c.brand_id == brand_id, t.c.created_at < months[-1].ends, t.c[side].in_(owned)
        )
        for side, sign in (("debit_id", -1), ("credit_id", 1))
    ]
    moved = union_all(*sides).subquery()
    grouped = (
        select(moved.c.account, moved.c.asset, moved.c.place, func.sum(moved.c.amount).label("sum"))
        .group_by(moved.c.account, moved.c.asset, moved.c.place)
        .order_by(moved.c.account, moved.c.place)
        .execution_options(yield_per=1000)
    )
    owed: dict[tuple[int, str], int] = defaultdict(int)
    current: tuple[UUID, str] | None = None
    balance, since = 0, -1
    for row in session.execute(grouped):
        if (row.account, row.asset) != current:
            _owe(owed, current, balance, since, len(months))
            current, balance, since = (row.account, row.asset), 0, row.place
        _owe(owed, current, balance, since, row.place)
        balance, since = balance + int(row.sum), row.place
    _owe(owed, current, balance, since, len(months))
    return owed


def _owe(owed: dict[tuple[int, str], int], of: tuple[UUID, str] | None, balance: int, first: int, end: int) -> None:
    """A balance below zero is a debt in each month from its first until it changes."""
    if of is not None and balance < 0:
        for place in range(first, end):
            owed[(place, of[1])] -= balance
