"""`settle`: releasing 100,000 held rewards and closing their campaign, against as many bare ledger inserts.

Ours is the job `release` through the writer, unit by unit, until nothing is due (states, transfers, a message to every
beneficiary in the outbox), and then the campaign's settlement, which returns what was not spent. The limit is the plain
driver inserting the same transfers into the same schema, with its indexes and triggers, as many to a commit.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import statistics
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from bench import town
from bench.report import Line, line, timed
from core import clock, ids, migrations
from core.db import table
from core.outbox import Outbox
from core.writer import Writer
from daixin import collector
from referral import members
from referral.campaigns import Campaign, move
from rewards import rewards, settlement
from rewards.ledger import Account, LedgerAccount, Purpose, Transfer
from rewards.rewards import Reward

BOUND = 5
REWARDS = 100_000
MEMBERS = 10_000
ROUNDS = 2
AMOUNT = 50
PIECE = 10_000
MEMORY_BOUND = 1.1
"""Chosen by us: the process may not grow by more than a tenth between the first tenth of the work and its end."""


def _fill(session: Session, place: town.Town, people: list[UUID]) -> None:
    """Held rewards whose time has come, with their transfers, in bulk."""
    now = clock.now()
    brand, campaign = place.brand_id, place.campaign_id
    budget = Account(brand, campaign, Purpose.BUDGET, "PTS")
    held = [Account(brand, member, Purpose.HELD, "PTS") for member in people]
    opened = [
        {"brand_id": brand, "id": one.id, "owner_id": one.owner_id, "purpose": one.purpose, "asset": "PTS"}
        for one in held
    ]
    session.execute(table(LedgerAccount).insert(), [{**one, "balance": 0, "created_at": now} for one in opened])
    for begin in range(0, REWARDS, PIECE):
        granted, moved = [], []
        for number in range(begin, begin + PIECE):
            account, reward_id = held[number % len(held)], ids.new()
            granted.append(
                {
                    "brand_id": brand,
                    "id": reward_id,
                    "campaign_id": campaign,
                    "campaign_version": 1,
                    "member_id": account.owner_id,
                    "role": "advocate",
                    "rule": "advocate",
                    "event": "retained",
                    "cause": "retained",
                    "asset": "PTS",
                    "amount": AMOUNT,
                    "taken_back": 0,
                    "paid_out": 0,
                    "state": "held",
                    "hold_until": now - timedelta(hours=1),
                    "created_at": now,
                }
            )
            moved.append(
                {
                    "brand_id": brand,
                    "id": ids.new(),
                    "reference": f"grant/{reward_id}",
                    "kind": "grant",
                    "debit_id": budget.id,
                    "credit_id": account.id,
                    "asset": "PTS",
                    "amount": AMOUNT,
                    "created_at": now,
                }
            )
        session.execute(table(Reward).insert(), granted)
        session.execute(table(Transfer).insert(), moved)


def _meet(writer: Writer, place: town.Town) -> list[UUID]:
    """Members that can be written to."""
    people: list[UUID] = []
    for begin in range(0, MEMBERS, town.BATCH):
        names = [town.account(f"m{number}") for number in range(begin, min(begin + town.BATCH, MEMBERS))]
        met = writer.run_sync(
            lambda session, names=names: members.meet(  # type: ignore[misc]
                session, place.brand_id, names, [clock.now()] * len(names), "message"
            )
        )
        people += [one.member_id for one in met]
    return people


def _close(session: Session, place: town.Town) -> None:
    campaign = session.get_one(Campaign, (place.brand_id, place.campaign_id))
    move(session, campaign, "end")
    settlement.settle(session, campaign)


def _settle(writer: Writer, place: town.Town) -> int:
    """The whole work; how many KiB the process had grown to after its first tenth."""
    early = released = 0
    while count := writer.run_sync(rewards.release_due):
        released += count
        if not early and released >= REWARDS // 10:
            early = _peak()
    writer.run_sync(lambda session: _close(session, place))
    if released != REWARDS:
        raise RuntimeError(f"{released} were released")
    return early


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _limit(path: Path) -> float:
    """The bare inserts of the releases into the same books; seconds."""
    base = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        base.execute(f"PRAGMA {pragma}")
    rows = _releases(base)
    text = (
        "INSERT INTO transfer (brand_id, id, reference, kind, debit_id, credit_id, asset, amount, created_at) VALUES "
    )

    def insert() -> None:
        for begin in range(0, len(rows), rewards.RELEASED_AT_ONCE):
            base.execute("BEGIN IMMEDIATE")
            base.executemany(text + "(?, ?, ?, ?, ?, ?, ?, ?, ?)", rows[begin : begin + rewards.RELEASED_AT_ONCE])
            base.execute("COMMIT")

    took, _ = timed(insert)
    base.close()
    return took


def _releases(base: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """The transfers that releasing makes, and the accounts they need, which are opened here."""
    found = base.execute("SELECT brand_id, id, member_id, created_at FROM reward WHERE state = 'held'").fetchall()
    rows, opened = [], set()
    for brand, reward, member, at in found:
        names = [
            Account(UUID(brand), UUID(member), purpose, "PTS").id.hex for purpose in (Purpose.HELD, Purpose.PAYABLE)
        ]
        if names[1] not in opened:
            opened.add(names[1])
            base.execute(
                "INSERT INTO ledger_account VALUES (?, ?, ?, 'member.payable', 'PTS', 0, ?)",
                (brand, names[1], member, at),
            )
        rows.append((brand, ids.new().hex, f"release/{UUID(reward)}", "release", *names, "PTS", AMOUNT, at))
    return rows


def _check(session: Session) -> None:
    """What was timed must be the real thing: every reward released, everybody told, and nothing left in the budget."""
    t = table(Transfer)
    kinds = dict(session.execute(select(t.c.kind, func.count()).group_by(t.c.kind)).all())
    told = session.scalar(select(func.count()).select_from(table(Outbox)))
    held = session.scalar(
        select(func.sum(table(LedgerAccount).c.balance)).where(
            table(LedgerAccount).c.purpose.in_((Purpose.HELD, Purpose.BUDGET))
        )
    )
    if (kinds.get("release"), kinds.get("unfund"), told, held) != (REWARDS, 1, REWARDS, 0):
        raise RuntimeError(f"not all was done: {kinds}, {told} messages, {held} held")


def _round(folder: Path) -> tuple[float, float, float]:
    """(seconds of ours, seconds of the limit, how much the process grew) on books of their own."""
    path = folder / "bench.db"
    url = f"sqlite:///{path}"
    migrations.migrate(url)
    writer = town.open_writer(url)
    try:
        place = town.found(writer, 1)
        people = _meet(writer, place)
        writer.run_sync(lambda session: _fill(session, place, people))
        with sqlite3.connect(path) as source, sqlite3.connect(folder / "limit.db") as copy:
            source.backup(copy)
        collector.settle()  # as `daixin serve` does
        limit = _limit(folder / "limit.db")
        took, early = timed(lambda: _settle(writer, place))
        late = _peak()
        writer.run_sync(_check)
    finally:
        writer.close()
    return took, limit, late / early


def run() -> Line:
    """Both in turns, so that a busy machine slows them alike; medians."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
            rounds.append(_round(Path(folder)))
    own, limit = (statistics.median(one[at] for one in rounds) for at in (0, 1))
    grown = rounds[0][2]  # later ones begin with what the first one took
    if grown > MEMORY_BOUND:
        raise RuntimeError(f"memory is not flat: {grown:.2f} times what it was after a tenth of the work")
    return line(
        "settle",
        own / limit,
        BOUND,
        "lower",
        rewards=REWARDS,
        released_per_second=round(REWARDS / own),
        limit_per_second=round(REWARDS / limit),
        memory_grew=round(grown, 3),
        limit="sqlite3, the same transfers into the same schema, as many to a commit",
    )


if __name__ == "__main__":
    print(json.dumps(run()), flush=True)
