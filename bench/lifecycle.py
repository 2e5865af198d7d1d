"""`lifecycle`: 10,000 campaigns that end in the same minute, each ended, announced and settled once.

Ours are the jobs `campaigns` and `settle` through the writer, unit by unit, until nothing is due: states by conditional
updates, the timers of the settlement, the log of announcements and their messages in the outbox, the transfers that
give back what was not spent. The limit is the plain driver making the same changes of the same schema, with its indexes
and triggers, as many campaigns to a commit. Memory is looked at after the first tenth and at the end.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import statistics
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from bench import town
from bench.report import Line, line, timed
from core import clock, ids, migrations
from core.db import insert_all, table
from core.outbox import Outbox
from core.writer import Writer
from daixin import collector
from referral import brands
from referral.announcing import Announcement
from referral.campaigns import Campaign, CampaignVersion
from referral.lifecycle import AT_ONCE, CampaignTimer, follow_clock
from rewards import ledger, settlement
from rewards.ledger import Account, Purpose, Transfer
from rewards.plans import Plan, RewardPlan, Rule

BOUND = 7
"""Chosen by us, at twice what is measured on a quiet machine."""
CAMPAIGNS = 10_000
BRANDS = 100
BUDGET = 1000
ROUNDS = 2
PIECE = 1000
MEMORY_BOUND = 1.1
"""Chosen by us: the process may not grow by more than a tenth between the first tenth of the work and its end."""


def _found(session: Session) -> list[UUID]:
    """Brands with a group each."""
    made = []
    for number in range(BRANDS):
        brand = brands.create_brand(session, f"Brand {number}", slug=f"brand-{number}")
        brands.connect(session, brand.id, "telegram", f"-{number}", "Bench")
        made.append(brand.id)
    return made


def _fill(session: Session, owners: list[UUID], begin: int, ends_at: datetime) -> None:
    """Running campaigns with an unspent budget, in bulk."""
    now = clock.now()
    plan = Plan(rules=(Rule(to="advocate", amount=50),), budget=BUDGET).model_dump(mode="json")
    rows = [(owners[number % len(owners)], ids.new(), number) for number in range(begin, begin + PIECE)]
    insert_all(session, table(Campaign), [_campaign(*row, ends_at, now) for row in rows])
    named = [{"brand_id": brand, "campaign_id": campaign, "version": 1} for brand, campaign, _ in rows]
    insert_all(
        session, table(CampaignVersion), [{**one, "document": {"announce": {}}, "created_at": now} for one in named]
    )
    insert_all(session, table(RewardPlan), [{**one, "document": plan} for one in named])
    outside = {brand: Account(brand, brand, Purpose.EXTERNAL, "PTS") for brand, _, _ in rows}
    ledger.transfer(
        session,
        [
            ledger.Move(
                f"fund/{campaign}/1", "fund", outside[brand], Account(brand, campaign, Purpose.BUDGET, "PTS"), BUDGET
            )
            for brand, campaign, _ in rows
        ],
    )


def _campaign(brand: UUID, campaign: UUID, number: int, ends_at: datetime, now: datetime) -> dict[str, Any]:
    return {
        "brand_id": brand,
        "id": campaign,
        "slug": f"c-{number}",
        "state": "running",
        "title": {"en": "Bench"},
        "benefit": {"en": "A cup of tea"},
        "starts_at": now - timedelta(days=30),
        "ends_at": ends_at,
        "communities": [],
        "created_at": now,
    }


def _live(writer: Writer) -> int:
    """The whole work; how many KiB the process had grown to after its first tenth."""
    early = done = 0
    for job in (follow_clock, settlement.settle_due):
        while count := writer.run_sync(job):
            done += count
            if not early and done >= CAMPAIGNS // 10:
                early = _peak()
    if done != 2 * CAMPAIGNS:
        raise RuntimeError(f"{done} were moved")
    return early


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _limit(path: Path) -> float:
    """The bare changes in the same database; seconds."""
    base = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        base.execute(f"PRAGMA {pragma}")
    groups = dict(base.execute("SELECT brand_id, id FROM community WHERE platform = 'telegram'").fetchall())
    found = base.execute("SELECT brand_id, id FROM campaign ORDER BY ends_at, id").fetchall()
    now = str(clock.now())

    def change() -> None:
        for step in (_ending, _settling):
            for begin in range(0, len(found), AT_ONCE):
                base.execute("BEGIN IMMEDIATE")
                step(base, found[begin : begin + AT_ONCE], groups, now)
                base.execute("COMMIT")

    took, _ = timed(change)
    base.close()
    return took


Rows = list[tuple[str, str]]
Step = Callable[[sqlite3.Connection, Rows, dict[str, str], str], None]


def _ending(base: sqlite3.Connection, rows: Rows, groups: dict[str, str], now: str) -> None:
    _move(base, rows, "running", "ended")
    base.executemany("INSERT INTO campaign_timer VALUES (?, ?, 'settle', ?)", [(*row, now) for row in rows])
    _announce(base, rows, groups, "end", now)


def _settling(base: sqlite3.Connection, rows: Rows, groups: dict[str, str], now: str) -> None:
    base.executemany("DELETE FROM campaign_timer WHERE brand_id = ? AND campaign_id = ? AND what = 'settle'", rows)
    _move(base, rows, "ended", "settled")
    _announce(base, rows, groups, "results", now)
    accounts = [
        (
            brand,
            Account(UUID(brand), UUID(campaign), Purpose.BUDGET, "PTS"),
            Account(UUID(brand), UUID(brand), Purpose.EXTERNAL, "PTS"),
        )
        for brand, campaign in rows
    ]
    base.executemany(
        "INSERT INTO transfer (brand_id, id, reference, kind, debit_id, credit_id, asset, amount, created_at) "
        "VALUES (?, ?, ?, 'unfund', ?, ?, 'PTS', ?, ?)",
        [
            (
                brand,
                ids.new().hex,
                f"unfund/{budget.owner_id}/settled/PTS/0",
                budget.id.hex,
                outside.id.hex,
                BUDGET,
                now,
            )
            for brand, budget, outside in accounts
        ],
    )


def _move(base: sqlite3.Connection, rows: Rows, before: str, after: str) -> None:
    base.executemany(
        f"UPDATE campaign SET state = '{after}' WHERE brand_id = ? AND id = ? AND state = '{before}'",  # ours
        rows,
    )


def _announce(base: sqlite3.Connection, rows: Rows, groups: dict[str, str], what: str, now: str) -> None:
    posts = [(brand, ids.new().hex, campaign, groups[brand]) for brand, campaign in rows]
    base.executemany(
        "INSERT INTO announcement (brand_id, id, campaign_id, community_id, what, turn, state, tries, queued_at) "
        f"VALUES (?, ?, ?, ?, '{what}', 0, 'queued', 1, ?)",  # ours
        [(*post, now) for post in posts],
    )
    base.executemany(
        "INSERT INTO outbox (id, brand_id, key, topic, payload, state, attempts, due_at, created_at) "
        "VALUES (?, ?, ?, 'announce:telegram', ?, 'pending', 0, ?, ?)",
        [
            (
                ids.new().hex,
                post[0],
                f"announce/{UUID(post[1])}/1",
                json.dumps({"do": "post", "announcement": post[1]}),
                now,
                now,
            )
            for post in posts
        ],
    )


def _check(session: Session) -> None:
    """What was timed must be the real thing: each campaign settled once and announced twice, its budget given back."""
    c, t = table(Campaign), table(Transfer)
    states = dict(session.execute(select(c.c.state, func.count()).group_by(c.c.state)).all())
    kinds = dict(session.execute(select(t.c.kind, func.count()).group_by(t.c.kind)).all())
    rest = [
        session.scalar(select(func.count()).select_from(table(one))) for one in (Announcement, Outbox, CampaignTimer)
    ]
    if (states, kinds, rest) != (
        {"settled": CAMPAIGNS},
        {"fund": CAMPAIGNS, "unfund": CAMPAIGNS},
        [2 * CAMPAIGNS, 2 * CAMPAIGNS, 0],
    ):
        raise RuntimeError(f"not all was done: {states}, {kinds}, {rest}")


def _round(folder: Path) -> tuple[float, float, int, int]:
    """(seconds of ours, seconds of the limit, KiB after a tenth, KiB in the end) on books of their own."""
    path = folder / "bench.db"
    url = f"sqlite:///{path}"
    migrations.migrate(url)
    writer = town.open_writer(url)
    try:
        owners = writer.run_sync(_found)
        ends_at = clock.now() - timedelta(seconds=30)
        for begin in range(0, CAMPAIGNS, PIECE):
            moments = ends_at + timedelta(seconds=begin % 30)
            writer.run_sync(lambda session, begin=begin, at=moments: _fill(session, owners, begin, at))  # type: ignore[misc]
        with sqlite3.connect(path) as source, sqlite3.connect(folder / "limit.db") as copy:
            source.backup(copy)
        collector.settle()  # as `daixin serve` does
        limit = _limit(folder / "limit.db")
        took, early = timed(lambda: _live(writer))
        late = _peak()
        writer.run_sync(_check)
    finally:
        writer.close()
    return took, limit, early, late


def run() -> Line:
    """Both in turns, so that a busy machine slows them alike; medians."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
            rounds.append(_round(Path(folder)))
    own, limit = (statistics.median(one[at] for one in rounds) for at in (0, 1))
    _, _, early, late = rounds[0]  # later ones begin with what the first one took
    if late / early > MEMORY_BOUND:
        raise RuntimeError(f"memory is not flat: {late / early:.2f} times what it was after a tenth of the work")
    return line(
        "lifecycle",
        own / limit,
        BOUND,
        "lower",
        campaigns=CAMPAIGNS,
        seconds=round(own, 2),
        settled_per_second=round(CAMPAIGNS / own),
        limit_per_second=round(CAMPAIGNS / limit),
        memory_megabytes=round(late / 1024),
        memory_grew=round(late / early, 3),
        limit="sqlite3, the same changes of the same schema, as many campaigns to a commit",
    )


if __name__ == "__main__":
    print(json.dumps(run()), flush=True)
