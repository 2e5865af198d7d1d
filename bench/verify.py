"""`verify`: proving a million transfers, against one sequential read of the same rows with SHA-256.

The proof is all of `rewards.verify`: balances, rewards, causes, and every leaf, root and hash of the blocks. The limit
is the plain driver reading the rows of `transfer` in their own order and feeding each to one SHA-256. The books are
made by bulk inserts past the ORM, sealed by the product's own job, and then read as the program reads them.
"""

from __future__ import annotations

import json
import random
import resource
import sqlite3
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from bench import town
from bench.report import Line, line, timed
from core import clock, ids, migrations
from core.db import make_engine
from core.reader import Reader
from core.writer import Writer
from rewards.ledger import Account, Purpose
from rewards.proofs import blocks
from rewards.verify import Problem, verify

BOUND = 10
TRANSFERS = 1_000_000
MEMBERS = 50_000
ROUNDS = 2
AMOUNT = 50
Rows = Iterator[tuple[Any, ...]]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


class Books:
    """A brand whose campaign paid each of its rewards: a transfer that grants it and one that releases it."""

    def __init__(self, place: town.Town) -> None:
        self.brand, self.campaign = place.brand_id, place.campaign_id
        self.at = _moment(clock.now() - timedelta(days=5))
        self.budget = self._account(self.campaign, Purpose.BUDGET)
        chance = random.Random(TRANSFERS)
        members = [ids.new() for _ in range(MEMBERS)]
        self.accounts = {
            member: (self._account(member, Purpose.HELD), self._account(member, Purpose.PAYABLE)) for member in members
        }
        self.rewards = [(ids.new(), chance.choice(members), ids.new().hex) for _ in range(TRANSFERS // 2)]

    def _account(self, owner: UUID, purpose: Purpose) -> str:
        return Account(self.brand, owner, purpose, "PTS").id.hex

    def account_rows(self) -> Rows:
        """One purse of each kind for every member, holding what the transfers leave there."""
        payable: dict[UUID, int] = defaultdict(int)
        for _, member, _ in self.rewards:
            payable[member] += AMOUNT
        for member, (held, purse) in self.accounts.items():
            owner = (self.brand.hex, member.hex)
            yield owner[0], held, owner[1], "member.held", "PTS", 0, self.at
            yield owner[0], purse, owner[1], "member.payable", "PTS", payable[member], self.at

    def reward_rows(self) -> Rows:
        for reward, member, referral in self.rewards:
            yield (
                *(self.brand.hex, reward.hex, self.campaign.hex, 1, referral, member.hex, "advocate", "advocate"),
                *("retained", "retained", "PTS", AMOUNT, 0, 0, "payable", self.at, self.at),
            )

    def referral_rows(self) -> Rows:
        """Everybody's friend is somebody else; nobody asks for more of them here."""
        for _, member, referral in self.rewards:
            who = (self.brand.hex, referral, self.campaign.hex, 1, member.hex, ids.new().hex)
            yield *who, "BENCH", ids.new().hex, "telegram", "certain", "qualified", self.at, self.at

    def transfer_rows(self) -> Rows:
        brand = self.brand.hex
        for reward, member, _ in self.rewards:
            held, payable = self.accounts[member]
            ends = ("PTS", AMOUNT, self.at)
            yield brand, ids.new().hex, f"grant/{reward}", "grant", self.budget, held, *ends
            yield brand, ids.new().hex, f"release/{reward}", "release", held, payable, *ends


COLUMNS = {
    "ledger_account": "brand_id, id, owner_id, purpose, asset, balance, created_at",
    "reward": "brand_id, id, campaign_id, campaign_version, referral_id, member_id, role, rule, event, cause, asset, "
    "amount, taken_back, paid_out, state, hold_until, created_at",
    "referral": "brand_id, id, campaign_id, campaign_version, advocate_id, friend_id, code, touch_id, platform, "
    "certainty, state, started_at, expires_at",
    "transfer": "brand_id, id, reference, kind, debit_id, credit_id, asset, amount, created_at",
}


def _fill(path: Path, books: Books) -> None:
    """Write the books in bulk; what triggers and indexes would do for each row is done once for all."""
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("PRAGMA cache_size=-200000")
        indexes = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        indexes = [(name, text) for name, text in indexes if any(f" ON {one} " in text for one in COLUMNS)]
        for name, _ in indexes:
            raw.execute(f"DROP INDEX {name}")
        for trigger in ("transfer_applied", "transfer_waits_for_its_block"):
            raw.execute(f"DROP TRIGGER {trigger}")
        for name, rows in (
            ("ledger_account", books.account_rows()),
            ("referral", books.referral_rows()),
            ("reward", books.reward_rows()),
            ("transfer", books.transfer_rows()),
        ):
            columns = COLUMNS[name]
            raw.executemany(f"INSERT INTO {name} ({columns}) VALUES ({', '.join('?' * len(columns.split(',')))})", rows)
        for _, text in indexes:
            raw.execute(text)
        raw.execute(
            "UPDATE ledger_account SET balance = balance - ? WHERE id = ?", (AMOUNT * len(books.rewards), books.budget)
        )
        raw.execute(
            "INSERT INTO unsealed_transfer (brand_id, id) SELECT brand_id, id FROM transfer WHERE kind <> 'fund'"
        )
    raw.close()


def _seal(writer: Writer) -> None:
    while writer.run_sync(blocks.seal_due):
        continue


def _read(path: Path) -> str:
    """One sequential read of all transfers, each fed to SHA-256."""
    digest = sha256()
    with sqlite3.connect(path) as raw:
        for row in raw.execute("SELECT * FROM transfer"):
            digest.update("|".join(map(str, row)).encode())
    raw.close()
    return digest.hexdigest()


def _prove(reader: Reader) -> None:
    problems: list[Problem] = reader.run_sync(verify)
    if problems:
        raise RuntimeError(f"the books are not whole: {problems[:3]}")


def run() -> Line:
    """Both in turns, so that a busy machine slows them alike; medians."""
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        path = Path(folder) / "bench.db"
        url = f"sqlite:///{path}"
        migrations.migrate(url)
        writer = town.open_writer(url)
        try:
            place = town.found(writer, 1)
            _fill(path, Books(place))
            sealing, _ = timed(lambda: _seal(writer))
        finally:
            writer.close()
        reader = Reader(make_engine(url, writer=False))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        proofs, reads = [], []
        for _ in range(ROUNDS):
            reads.append(timed(lambda: _read(path))[0])
            proofs.append(timed(lambda: _prove(reader))[0])
        reader.close()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    own, limit = statistics.median(proofs), statistics.median(reads)
    return line(
        "verify",
        own / limit,
        BOUND,
        "lower",
        transfers=TRANSFERS,
        proof_seconds=round(own, 1),
        read_seconds=round(limit, 2),
        grown_mb=round(grown / 1024),
        sealed_per_second=round(TRANSFERS / sealing),
        limit="sqlite3, every row of transfer fed to one sha256",
    )


if __name__ == "__main__":
    print(json.dumps(run()), flush=True)
