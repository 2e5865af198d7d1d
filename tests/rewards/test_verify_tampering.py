"""Whoever rewrites any row of the books with the database's own password is found: each table, each column.

Every change is tried alone, with all triggers and constraints taken away, on books in which everything has happened
that can, and rolled back before the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, Boolean, Connection, Engine, Table, Uuid, delete, event, select, text, update
from sqlmodel import Session, SQLModel

from core import clock
from core.db import is_sqlite, make_engine, table
from referral.conversions import Conversion, Refund, RefundOrder
from referral.refunds import record_refunds
from rewards import corrections, rewards
from rewards.adjustments import Adjustment, adjust
from rewards.items.promo_codes import PromoCode
from rewards.items.vouchers import Voucher
from rewards.ledger import LedgerAccount, Transfer
from rewards.payouts import payees, settling
from rewards.payouts.batches import create_batch
from rewards.payouts.payouts import Payee, Payout, PayoutBatch, PayoutEvent, PayoutLine
from rewards.payouts.port import Answer
from rewards.payouts.withdrawals import withdraw
from rewards.plans import PayoutTerms, Plan, Rule
from rewards.proofs import blocks
from rewards.proofs.blocks import Block, PublishedRoot, SealedTransfer, UnsealedTransfer
from rewards.rewards import Reward
from rewards.verify import verify
from tests.house import House, later
from tests.rewards.items.counter import buy, fill, offer
from tests.rewards.payouts.till import ALICE_CARD
from tests.rewards.shop import Shop, open_shop

BOOKS: tuple[type[SQLModel], ...] = (
    *(LedgerAccount, Transfer, Reward, Adjustment, Conversion, Refund),
    *(Payout, PayoutLine, PayoutEvent, PayoutBatch, Payee, Voucher, PromoCode),
    *(Block, SealedTransfer, UnsealedTransfer, PublishedRoot),
)
ALONE = "no row refers to it"
ASKED = "what was asked for beyond what was there, or of which nothing was booked yet"
TELLS = "a time or a text that is told, and decides nothing about who is owed what"
SECRET = "sealed or hashed with a key that the proof has not"
UNTOLD: dict[str, dict[str, str]] = {
    "ledger_account": dict.fromkeys(["created_at"], TELLS),
    "reward": dict.fromkeys(["reason", "facts", "hold_until", "created_at", "settled_at", "community_id"], TELLS),
    "adjustment": dict.fromkeys(["reason", "actor", "key", "created_at"], TELLS),
    "conversion": {
        **dict.fromkeys(["lines", "code", "customer_hash", "reason", "ordered_at", "received_at", "member_id"], TELLS),
        **dict.fromkeys(["source", "external_id", "currency"], "found where something of the order went back"),
    },
    "refund": {
        **dict.fromkeys(["external_id", "reason", "refunded_at", "received_at"], TELLS),
        "id": ALONE,
        "amount": ASKED,
    },
    "payout_line": {"id": ALONE},
    "payout": dict.fromkeys(
        [
            *("provider", "key", "item_id", "quantity", "reward_id", "approved", "approved_by", "flag", "attempts"),
            *("look_ups", "due_at", "external_id", "reason", "detail", "created_at", "sent_at", "settled_at"),
        ],
        TELLS,
    ),
    "payout_event": dict.fromkeys(["external_id", "reason", "actor", "detail", "at"], TELLS) | {"id": ALONE},
    "payout_batch": dict.fromkeys(
        ["number", "created_by", "created_at", "approved_by", "approved_at", "exported_at"], TELLS
    ),
    "payee": {
        **dict.fromkeys(["sealed", "fingerprint", "masked"], SECRET),
        **dict.fromkeys(["created_at", "replaced_at"], TELLS),
    },
    "voucher": {
        "id": ALONE,
        **dict.fromkeys(["sealed", "fingerprint"], SECRET),
        **dict.fromkeys(["ends_at", "imported_at", "given_at", "reminded_at"], TELLS),
    },
    "promo_code": dict.fromkeys(["code", "key", "created_at", "expires_at"], TELLS) | {"id": ALONE},
    "published_root": dict.fromkeys(["day", "published_at"], TELLS),
}
"""Columns whose change the proof does not find, and why that may be."""


def open_books(house: House) -> Shop:
    """Books in which everything has happened: rewards in every state, payouts that arrived, failed and wait, an order
    of which a part went back, vouchers, decisions, sealed and published blocks, and a transfer that waits."""
    plan = Plan(
        asset="CNY",
        rules=(
            Rule(to="advocate", amount=3000, hold_days=3),
            Rule(name="points", to="advocate", asset="PTS", amount=500),
        ),
        budget=1_000_000,
        budgets={"PTS": 100_000},
        payout=PayoutTerms(fee=10),
    )
    shop = open_shop(house, plan)
    for name in ("Bob", "Carol", "Dan", "Eve", "Finn"):
        shop.brings(name)
    with later(days=7):
        shop.stays()
    with later(days=8):
        shop.leaves("Bob")
    with later(days=12):
        house.do(rewards.release_due)
        _correct(shop)
        _withdraw(shop)
        _redeem(shop)
        shop.brings("Gil")
    with later(days=19):
        shop.stays()
        seal(house)
    with later(days=20):
        house.do(blocks.publish_due)
        house.do(lambda session: _decide(session, shop, -5, "late"))
    assert shop.problems() == []
    return shop


def seal(house: House) -> None:
    while house.do(blocks.seal_due):
        continue


def _decide(session: Session, shop: Shop, amount: int, key: str) -> None:
    whose = (shop.brand.id, shop.alice, shop.campaign.id, "CNY")
    adjust(session, *whose, amount, reason="goodwill", actor="cli", key=key)


def _correct(shop: Shop) -> None:
    """One reward is clawed back whole; something is given and something taken; an order comes and a part goes back."""
    shop.house.do(lambda session: blocks.publish_on(session, shop.brand.id, [("telegram", "-100")]))
    mine = [row for row in shop.rewards(shop.alice) if (row.state, row.asset) == ("payable", "CNY")]
    shop.house.do(lambda session: corrections.take_back(session, mine[:1], "fraud"))
    shop.house.do(lambda session: _decide(session, shop, 400, "given"))
    shop.house.do(lambda session: _decide(session, shop, -40, "taken"))
    shop.buys("Carol", "A1")
    for number, amount in (("R1", 500), ("R2", 20_000)):
        refund = RefundOrder(shop.brand.id, "till", number, "A1", amount, "CNY", clock.now())
        shop.house.do(lambda session, refund=refund: record_refunds(session, [refund]))  # type: ignore[misc]
    early = RefundOrder(shop.brand.id, "till", "R3", "A2", 1, "CNY", clock.now())
    shop.house.do(lambda session: record_refunds(session, [early]))


def _withdraw(shop: Shop) -> None:
    """One withdrawal arrives, one fails, one waits in a batch."""
    house, brand = shop.house, shop.brand.id
    house.do(lambda session: payees.set_payee(session, brand, shop.alice, "manual", ALICE_CARD))
    for key, answer in (("1", Answer("completed", "bank-1")), ("2", Answer("failed", reason="closed"))):
        made = house.do(lambda session, key=key: withdraw(session, brand, shop.alice, "manual", "CNY", 3000, key))  # type: ignore[misc]
        house.do(
            lambda session, made=made, answer=answer: settling.conclude(session, brand, made.id, answer, "notice")  # type: ignore[misc]
        )
    house.do(lambda session: withdraw(session, brand, shop.alice, "manual", "CNY", 3100, "3"))
    house.do(lambda session: create_batch(session, brand, "manual", "CNY", "cli"))


def _redeem(shop: Shop) -> None:
    offer(shop)
    offer(shop, "code", "promo_code", settings={"pattern": "TEA-????????-#"})
    fill(shop, ["A-1", "A-2", "A-3"])
    buy(shop)
    buy(shop, "code", "2")


class Intruder:
    """Somebody with the database's own password: no trigger, no foreign key and no check holds them."""

    def __init__(self, url: str) -> None:
        self._lite = is_sqlite(url)
        self._engine: Engine = make_engine(url, writer=True)
        if self._lite:
            event.listen(self._engine, "connect", _unbound)

    @contextmanager
    def at_work(self) -> Iterator[Connection]:
        """A connection whose changes are all undone at the end."""
        with self._engine.connect() as connection:
            for statement in self._unlock(connection):
                connection.execute(text(statement))
            try:
                yield connection
            finally:
                connection.rollback()

    def _unlock(self, connection: Connection) -> list[str]:
        if self._lite:
            triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            return [f"DROP TRIGGER {name}" for name in triggers]
        checks = connection.execute(
            text("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0")
        ).all()
        return [
            "SET LOCAL session_replication_role = replica",
            *(f'ALTER TABLE "{of.strip(chr(34))}" DROP CONSTRAINT "{name}"' for of, name in checks if "." not in of),
        ]

    def close(self) -> None:
        self._engine.dispose()


def _unbound(connection: Any, record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute("PRAGMA ignore_check_constraints=ON")


def found(connection: Connection) -> set[str]:
    """The names of all rows that the proof finds fault with, as the connection sees the books."""
    with Session(bind=connection) as session:
        session.connection()
        return {f"{problem.row_id} {problem.detail}" for problem in verify(session)}


def others(of: Table, column: str, value: Any, stranger: UUID) -> list[Any]:
    """What somebody may write there instead."""
    kind = of.c[column].type
    if isinstance(kind, Uuid):
        return [stranger] if value is not None else []
    if isinstance(kind, JSON):
        return []
    if isinstance(kind, Boolean):
        return [not value]
    match value:
        case bytes():
            return [bytes([value[0] ^ 1]) + value[1:]]
        case int():
            return [value + 1000]
        case str():
            return [("0" if value[-1] != "0" else "1").join([value[:-1], ""])]
        case datetime() | date():
            return [value + timedelta(days=1)]
    return []


STATES = {
    "reward": tuple(state for state in rewards.STATES if state != "in_review"),  # which is held like any other
    "payout": ("pending", "completed", "failed"),
    "refund": ("applied", "cut", "waiting"),
    "voucher": ("available", "given"),
}
"""States of which each is tried in place of each other."""


def names_of(row: dict[str, Any]) -> list[str]:
    """What a problem may call a row by: itself, or a row of which it is a part."""
    named = [row.get(name) for name in ("id", "payout_id", "reward_id", "conversion_id")]
    if "previous" in row:
        named.append(f"there is no block {row['height']}")
    if "height" in row:
        named.append(f"{row['brand_id']}/{row['height']}")
    if "day" in row:
        named.append(f"{row['brand_id']}/{row['day']}")
    return [str(name) for name in named if name is not None]


def changes(of: Table, row: dict[str, Any], stranger: UUID) -> Iterator[tuple[str, Any]]:
    """Every change of one column of a row that the proof has to find."""
    for column in row:
        if column in UNTOLD.get(of.name, {}) or (row.get("status") == "waiting" and column != "status"):
            continue
        if column in ("state", "status") and of.name in STATES:
            yield from ((column, other) for other in STATES[of.name] if other != row[column])
        for value in others(of, column, row[column], stranger):
            yield column, value


def sort_of(of: Table, row: dict[str, Any]) -> tuple[Any, ...]:
    """Rows of which one stands for all: of a state, of where a transfer came from, of what an event told."""
    if of.name == "transfer":
        return (str(row["kind"]).partition("_")[0] in ("fund", "unfund", "payout", "adjust"),)
    return row.get("state"), row.get("status"), row.get("purpose"), row.get("payout_id") is None


@pytest.mark.slow
def test_a_change_in_any_column_of_any_table_is_found(house: House) -> None:
    """On PostgreSQL every third change: the proof is the same, only what it reads comes from elsewhere."""
    step = 1 if house.engine.dialect.name == "sqlite" else 3
    open_books(house)
    stranger = UUID(int=99)
    intruder = Intruder(house.url)
    unseen: list[str] = []
    tried, met = 0, itertools.count()
    for model in BOOKS:
        of = table(model)
        key = [column.name for column in of.primary_key]
        rows = house.ask(lambda session, of=of: [dict(row._mapping) for row in session.execute(select(of))])  # type: ignore[misc]
        assert rows, of.name
        seen: set[tuple[Any, ...]] = set()
        for row in rows:
            sort = sort_of(of, row)
            if sort in seen:
                continue
            seen.add(sort)
            for column, value in changes(of, row, stranger):
                if next(met) % step:
                    continue
                with intruder.at_work() as connection:
                    where = [of.c[name] == row[name] for name in key]
                    connection.execute(update(of).where(*where).values({column: value}))
                    problems = found(connection)
                tried += 1
                names = names_of(row) + names_of({**row, column: value})
                if not any(name in problem for name in names for problem in problems):
                    unseen.append(f"{of.name}.{column}: {row[column]!r} -> {value!r} in {sort}: {problems}")
    intruder.close()
    assert tried > 200 / step
    assert not unseen, "\n".join(unseen)


def matters(of: Table, row: dict[str, Any], failed: set[UUID]) -> bool:
    """Whether anything else in the books stands on a row: not on a voucher nobody had, what a failed payout would have
    covered, a refund that waits, or the note of what was posted."""
    if of.name == "published_root" or row.get("payout_id") in failed:
        return False
    return row.get("state") != "available" and row.get("status") != "waiting"


def test_a_row_that_is_gone_is_found(house: House) -> None:
    open_books(house)
    p = table(Payout)
    failed = set(house.ask(lambda session: session.scalars(select(p.c.id).where(p.c.state == "failed")).all()))
    intruder = Intruder(house.url)
    unseen: list[str] = []
    for model in BOOKS:
        of = table(model)
        key = [column.name for column in of.primary_key]
        rows = house.ask(lambda session, of=of: [dict(row._mapping) for row in session.execute(select(of))])  # type: ignore[misc]
        for row in [row for row in rows if matters(of, row, failed)][:2]:
            with intruder.at_work() as connection:
                connection.execute(delete(of).where(*(of.c[name] == row[name] for name in key)))
                if not found(connection):
                    unseen.append(f"{of.name} {row}")
    intruder.close()
    assert not unseen, "\n".join(unseen)
