"""Proves the books: `verify` finds every row that does not fit the others. It reads only, page by page.

What is proved: each account's balance is what its transfers say; the balances of a brand and asset sum to zero; no
account is below zero that may not be; every reward has exactly the transfers its state asks for; every transfer
has a cause. Accounts linked into one person count as one owner: their balances moved by `link/…` transfers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, and_, func, literal, or_, select, tuple_, union_all
from sqlmodel import Session

from core.db import table
from referral.campaigns import Campaign
from referral.linking import MemberLink
from rewards.ledger import BELOW_ZERO, Account, LedgerAccount, Purpose, Transfer
from rewards.rewards import Reward

PAGE = 500
"""Rows read at once; what bounds the memory."""

STAGES: dict[str, frozenset[str]] = {
    "held": frozenset({"grant"}),
    "in_review": frozenset({"grant"}),
    "payable": frozenset({"grant", "release"}),
    "in_payout": frozenset({"grant", "release"}),
    "paid": frozenset({"grant", "release"}),
    "voided": frozenset({"grant", "void"}),
    "clawed_back": frozenset({"grant", "release", "clawback"}),
    "capped": frozenset(),
}
"""The transfers behind a reward, by its state."""

SIDES: dict[str, tuple[Purpose, Purpose]] = {
    "grant": (Purpose.BUDGET, Purpose.HELD),
    "release": (Purpose.HELD, Purpose.PAYABLE),
    "void": (Purpose.HELD, Purpose.BUDGET),
    "clawback": (Purpose.PAYABLE, Purpose.BUDGET),
    "fund": (Purpose.EXTERNAL, Purpose.BUDGET),
    "unfund": (Purpose.BUDGET, Purpose.EXTERNAL),
}
"""From which account to which a transfer of each kind goes."""
OF_REWARDS = ("grant", "release", "void", "clawback")
ENDS = {"held": (1, 0), "in_review": (1, 0), "payable": (0, 1), "in_payout": (0, 1), "paid": (0, 1)}
"""How often a reward that lived twice (see `rewards.linking`) lies in (held, payable) now; else nowhere."""
LEGS = {"grant": (1, 0), "release": (-1, 1), "void": (-1, 0), "clawback": (0, -1)}


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that does not fit. `kind` says in one word what is wrong, `detail` with which numbers."""

    kind: str
    table: str
    row_id: str
    detail: str


def verify(session: Session) -> list[Problem]:
    """Every problem of the books; empty when they are proved. Reads one moment: writers may go on meanwhile."""
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    checks = (_balances, _sums, _accounts, _rewards, _transfers)
    return [problem for check in checks for problem in check(session)]


def _balances(session: Session) -> Iterator[Problem]:
    """Accounts whose balance is not their credits less their debits."""
    account, moved = table(LedgerAccount), table(Transfer)
    sides = union_all(
        select(moved.c.brand_id, moved.c.credit_id.label("account_id"), moved.c.amount.label("amount")),
        select(moved.c.brand_id, moved.c.debit_id, -moved.c.amount),
    ).subquery()
    sums = (
        select(sides.c.brand_id, sides.c.account_id, func.sum(sides.c.amount).label("amount"))
        .group_by(sides.c.brand_id, sides.c.account_id)
        .subquery()
    )
    moves = func.coalesce(sums.c.amount, 0)
    found = (
        select(account.c.id, account.c.balance, moves.label("moves"))
        .outerjoin(sums, (sums.c.brand_id == account.c.brand_id) & (sums.c.account_id == account.c.id))
        .where(account.c.balance != moves)
    )
    for row in session.execute(found.execution_options(yield_per=PAGE)):
        yield Problem("balance", "ledger_account", str(row.id), f"holds {row.balance}, transfers say {row.moves}")


def _sums(session: Session) -> Iterator[Problem]:
    """Brands in which something came from nowhere."""
    account = table(LedgerAccount)
    total = func.sum(account.c.balance)
    found = (
        select(account.c.brand_id, account.c.asset, total.label("total"))
        .group_by(account.c.brand_id, account.c.asset)
        .having(total != 0)
    )
    for row in session.execute(found):
        yield Problem("sum", "brand", str(row.brand_id), f"all balances in {row.asset} sum to {row.total}, not to 0")


def _accounts(session: Session) -> Iterator[Problem]:
    """Accounts below zero, and accounts that are no longer whose their number says."""
    account = table(LedgerAccount)
    for row in _rows(session, account, select(account)):
        if row.balance < 0 and row.purpose not in BELOW_ZERO:
            yield Problem("below_zero", "ledger_account", str(row.id), f"{row.purpose} holds {row.balance}")
        if _account_id(row.brand_id, row.owner_id, row.purpose, row.asset) != row.id:
            yield Problem("owner", "ledger_account", str(row.id), "owner, purpose and asset do not give this number")


def _rewards(session: Session) -> Iterator[Problem]:
    """Rewards that have not exactly the transfers of their state."""
    reborn = _second_lives(session)
    for page in _pages(session, table(Reward), select(table(Reward))):
        references = [f"{kind}/{row.id}" for row in page for kind in OF_REWARDS]
        found = _transfers_of(session, {row.brand_id for row in page}, references)
        for row in page:
            mine = {kind: found.get((row.brand_id, f"{kind}/{row.id}")) for kind in OF_REWARDS}
            moves = {kind: move for kind, move in mine.items() if move is not None}
            more = reborn.get((row.brand_id, row.id), [])
            yield from _twice(row, moves, more) if more else _once(row, moves)
            for move in (*moves.values(), *more):
                yield from _move(session, row, move)


def _second_lives(session: Session) -> dict[tuple[UUID, UUID], list[Row[Any]]]:
    """The transfers of rewards that came back when a link of members was undone: few, whatever the books' size."""
    moved, credit = table(Transfer), table(LedgerAccount)
    statement = (
        select(moved, credit.c.purpose.label("credit_purpose"))
        .outerjoin(credit, and_(credit.c.brand_id == moved.c.brand_id, credit.c.id == moved.c.credit_id))
        .where(or_(moved.c.reference.like("link/%/again/%"), moved.c.reference.like("%/link/%")))
    )
    found: dict[tuple[UUID, UUID], list[Row[Any]]] = {}
    for row in session.execute(statement.execution_options(yield_per=PAGE)):
        reward_id = _reward_behind(row.reference)
        if reward_id is not None:
            found.setdefault((row.brand_id, reward_id), []).append(row)
    return found


def _once(row: Row[Any], moves: dict[str, Row[Any]]) -> Iterator[Problem]:
    expected = STAGES.get(row.state)
    if expected is None:
        yield Problem("state", "reward", str(row.id), f"no such state: {row.state}")
        return
    for kind in sorted(expected - moves.keys()):
        yield Problem("missing", "reward", str(row.id), f"is {row.state} without {kind}/{row.id}")
    for kind in sorted(moves.keys() - expected):
        yield Problem("surplus", "reward", str(row.id), f"is {row.state} but has {kind}/{row.id}")


def _twice(row: Row[Any], moves: dict[str, Row[Any]], more: Sequence[Row[Any]]) -> Iterator[Problem]:
    legs = [LEGS[_kind(move)] for move in (*moves.values(), *more) if _kind(move) in LEGS]
    legs += [(1, 0) if _to_held(move) else (0, 1) for move in more if _kind(move) not in LEGS]
    lies = (sum(held for held, _ in legs), sum(payable for _, payable in legs))
    if lies != ENDS.get(row.state, (0, 0)):
        detail = f"is {row.state}, its transfers leave it {lies[0]} times held and {lies[1]} times payable"
        yield Problem("missing", "reward", str(row.id), detail)


def _kind(move: Row[Any]) -> str:
    return str(move.reference).partition("/")[0]


def _to_held(move: Row[Any]) -> bool:
    return bool(move.credit_purpose == Purpose.HELD)


def _move(session: Session, row: Row[Any], move: Row[Any]) -> Iterator[Problem]:
    """Whether a reward's transfer moves the reward's amount between the reward's accounts."""
    if (move.asset, move.amount) != (row.asset, row.amount):
        detail = f"moves {move.amount} {move.asset}, the reward {row.id} is {row.amount} {row.asset}"
        yield Problem("amount", "transfer", str(move.id), detail)
    sides = SIDES.get(_kind(move)) or (Purpose.BUDGET, Purpose.HELD if _to_held(move) else Purpose.PAYABLE)
    for side, purpose, given in zip(("debit", "credit"), sides, (move.debit_id, move.credit_id), strict=True):
        if not _is_account_of(session, row, purpose, given):
            owner = "campaign" if purpose is Purpose.BUDGET else "member"
            detail = f"its {side} is not the {purpose} of the {owner} of reward {row.id}"
            yield Problem("account", "transfer", str(move.id), detail)


def _is_account_of(session: Session, row: Row[Any], purpose: Purpose, given: UUID) -> bool:
    """Whether an account is the reward's campaign's or member's, where linked members are one."""
    owner = row.campaign_id if purpose is Purpose.BUDGET else row.member_id
    if _account_id(row.brand_id, owner, purpose, row.asset) == given:
        return True
    account = session.get(LedgerAccount, (row.brand_id, given))
    if account is None or account.purpose != purpose or purpose is Purpose.BUDGET:
        return False
    return _linked(session, row.brand_id, row.member_id, account.owner_id)


def _linked(session: Session, brand_id: UUID, one: UUID, other: UUID) -> bool:
    """Whether two members are, or were for a time, one person."""
    link = table(MemberLink)
    seen: set[UUID] = set()
    level = {one}
    while level and other not in level:
        seen |= level
        pairs = session.execute(
            select(link.c.kept_id, link.c.absorbed_id).where(
                link.c.brand_id == brand_id, or_(link.c.kept_id.in_(level), link.c.absorbed_id.in_(level))
            )
        )
        level = {member for pair in pairs for member in pair} - seen
    return other in level


def _transfers(session: Session) -> Iterator[Problem]:
    """Transfers without a cause, of an unknown kind, or between accounts that such a transfer never joins."""
    moved, debit, credit = table(Transfer), table(LedgerAccount).alias("debit"), table(LedgerAccount).alias("credit")
    columns = ("owner_id", "purpose", "asset")
    owners = (side.c[name].label(f"{side.name}_{name}") for side in (debit, credit) for name in columns)
    statement = (
        select(moved, *owners)
        .outerjoin(debit, and_(debit.c.brand_id == moved.c.brand_id, debit.c.id == moved.c.debit_id))
        .outerjoin(credit, and_(credit.c.brand_id == moved.c.brand_id, credit.c.id == moved.c.credit_id))
    )
    for page in _pages(session, moved, statement):
        causes = _known_causes(session, page)
        for row in page:
            problem = _wrong(session, row, causes)
            if problem is not None:
                yield Problem(problem[0], "transfer", str(row.id), f"{row.reference}: {problem[1]}")


def _wrong(session: Session, row: Row[Any], causes: set[tuple[UUID, UUID]]) -> tuple[str, str] | None:
    """What is wrong with a transfer as (kind, detail)."""
    kind = _kind(row)
    if row.amount <= 0:
        return "amount", f"moves {row.amount}"
    if (row.debit_asset, row.credit_asset) != (row.asset, row.asset):
        return "account", "an account of it is missing or keeps another asset"
    if kind != row.kind or (kind not in SIDES and kind != "link"):
        return "kind", f"its kind is {row.kind}"
    reward_id = _reward_behind(row.reference)
    if kind in OF_REWARDS or reward_id is not None:
        return None if (row.brand_id, reward_id) in causes else ("orphan", "there is no such reward")
    if kind == "link":
        same = row.debit_purpose == row.credit_purpose
        linked = same and _linked(session, row.brand_id, row.debit_owner_id, row.credit_owner_id)
        return None if linked else ("orphan", "its two owners were never linked")
    if (row.debit_purpose, row.credit_purpose) != SIDES[kind]:
        return "account", f"goes from {row.debit_purpose} to {row.credit_purpose}"
    outside = row.debit_owner_id if kind == "fund" else row.credit_owner_id
    campaign = row.credit_owner_id if kind == "fund" else row.debit_owner_id
    if outside != row.brand_id:
        return "account", "its outside is not the brand's"
    return None if (row.brand_id, campaign) in causes else ("orphan", "there is no such campaign")


_REWARD = re.compile(r"(?:(?:grant|release|void|clawback)/|link/[^/]+/again/)([0-9a-f-]{36})(?:/link/[^/]+)?")


def _reward_behind(reference: str) -> UUID | None:
    """Which reward a reference names as its cause, if one."""
    found = _REWARD.fullmatch(reference)
    try:
        return UUID(found[1]) if found else None
    except ValueError:
        return None


def _known_causes(session: Session, page: Sequence[Row[Any]]) -> set[tuple[UUID, UUID]]:
    """Which of the rewards and campaigns behind these transfers exist."""
    rewards = {(row.brand_id, _reward_behind(row.reference)) for row in page}
    owners: set[tuple[UUID, UUID | None]] = {
        (row.brand_id, owner)
        for row in page
        if row.kind in ("fund", "unfund")
        for owner in (row.debit_owner_id, row.credit_owner_id)
    }
    return _existing(session, table(Reward), rewards) | _existing(session, table(Campaign), owners)


def _existing(session: Session, of: Table, keys: set[tuple[UUID, UUID | None]]) -> set[tuple[UUID, UUID]]:
    wanted = {key[1] for key in keys} - {None}
    brands = {key[0] for key in keys}
    if not wanted:
        return set()
    rows = session.execute(select(of.c.brand_id, of.c.id).where(of.c.brand_id.in_(brands), of.c.id.in_(wanted)))
    return {(brand_id, found) for brand_id, found in rows}


def _transfers_of(session: Session, brands: set[UUID], references: list[str]) -> dict[tuple[UUID, str], Row[Any]]:
    moved = table(Transfer)
    rows = session.execute(select(moved).where(moved.c.brand_id.in_(brands), moved.c.reference.in_(references)))
    return {(row.brand_id, row.reference): row for row in rows}


def _pages(session: Session, of: Table, statement: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
    """What the statement selects, in the order of the table's key, `PAGE` rows at a time."""
    key = tuple_(of.c.brand_id, of.c.id)
    statement = statement.order_by(of.c.brand_id, of.c.id).limit(PAGE)
    page = session.execute(statement).all()
    while page:
        yield page
        last = tuple_(literal(page[-1].brand_id, of.c.brand_id.type), literal(page[-1].id, of.c.id.type))
        page = session.execute(statement.where(key > last)).all()


def _rows(session: Session, of: Table, statement: Select[Any]) -> Iterator[Row[Any]]:
    for page in _pages(session, of, statement):
        yield from page


def _account_id(brand_id: UUID, owner_id: UUID, purpose: str, asset: str) -> UUID | None:
    if purpose not in tuple(Purpose):
        return None
    return Account(brand_id, owner_id, Purpose(purpose), asset).id
