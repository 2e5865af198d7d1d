"""`vouchers`: a thousand people want one of five hundred vouchers at the same moment; exactly five hundred get one.

Ours is the whole redemption: points out of the member's balance, the payout with its history, limits, the sealed code
given, in one unit of work each, committed in groups. The limit on the same disk, as durable, is the plain driver's
conditional update alone, one to a commit: what gives a code once and does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from bench import town
from bench.report import Line, line, timed
from core import clock, migrations, vault
from core.errors import Refused
from core.writer import Writer
from daixin import collector
from referral import members
from rewards.items import redeem
from rewards.items.items import ItemForm, save_item
from rewards.items.voucher_files import Code
from rewards.items.vouchers import Voucher, import_vouchers
from rewards.ledger import Account, Move, Purpose, transfer

BOUND = 100.0
"""Some thirty statements against one: how far they are apart depends on how dear a commit is on the disk."""
PEOPLE = 1_000
CODES = 500
PRICE = 10
ROUNDS = 3
CLAIM = """
UPDATE raw_voucher SET owner = ?
WHERE id = (SELECT id FROM raw_voucher WHERE owner IS NULL ORDER BY id LIMIT 1) AND owner IS NULL
"""


def _raw(path: Path, number: int) -> float:
    """Seconds for a thousand conditional updates, each with a durable commit of its own."""
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE IF NOT EXISTS raw_voucher (id INTEGER PRIMARY KEY, code TEXT, owner INTEGER)")
    base.execute("CREATE INDEX IF NOT EXISTS raw_free ON raw_voucher (id) WHERE owner IS NULL")
    base.execute("DELETE FROM raw_voucher")
    base.executemany("INSERT INTO raw_voucher (code) VALUES (?)", [(f"R{number}-{one}",) for one in range(CODES)])

    def claims() -> int:
        return sum(base.execute(CLAIM, (person,)).rowcount for person in range(PEOPLE))

    took, given = timed(claims)
    base.close()
    if given != CODES:
        raise RuntimeError(f"the raw update gave {given}")
    return took


def _people(session: Session, brand_id: UUID) -> list[UUID]:
    """People with points enough for every round."""
    accounts = [town.account(f"v{number}") for number in range(PEOPLE)]
    known = members.meet(session, brand_id, accounts, [clock.now()] * PEOPLE, "message")
    outside = Account(brand_id, brand_id, Purpose.EXTERNAL, "PTS")
    purses = [Account(brand_id, one.member_id, Purpose.PAYABLE, "PTS") for one in known]
    transfer(session, [Move(f"bench/{one.id}", "bench", outside, one, PRICE * (ROUNDS + 1)) for one in purses])
    return [one.member_id for one in known]


def _fill(session: Session, brand_id: UUID, slug: str) -> None:
    save_item(session, brand_id, ItemForm(slug, "voucher", {"en": slug}, {}, price=PRICE))
    codes = [Code(f"{slug}-{number:06}", None, number + 2) for number in range(CODES)]
    import_vouchers(session, brand_id, slug, codes)


async def _claims(writer: Writer, brand_id: UUID, people: Sequence[UUID], slug: str) -> int:
    """All at once, each waiting for its own answer; how many got one."""

    async def claim(member: UUID) -> bool:
        try:
            await writer.run(partial(redeem.redeem, brand_id=brand_id, member_id=member, slug=slug, key=slug))
        except Refused as refused:
            if refused.code != "sold_out":
                raise
            return False
        return True

    return sum(await asyncio.gather(*(claim(member) for member in people)))


def _check(session: Session, given: int) -> None:
    """Exactly five hundred, each code to another payout, and nothing lost in the books."""
    rows = session.execute(
        select(func.count(), func.count(func.distinct(col(Voucher.payout_id)))).where(col(Voucher.state) == "given")
    ).one()
    if given != CODES or rows[0] != rows[1] or rows[0] % CODES:
        raise RuntimeError(f"{given} were told they have one; given are {rows}")


def run() -> Line:
    """Both in turns, medians of three rounds."""
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        url = f"sqlite:///{folder}/bench.db"
        migrations.migrate(url)
        writer = town.open_writer(url)
        vault.set_keys("", "bench")
        try:
            brand_id = town.found(writer, 1).brand_id
            people = writer.run_sync(lambda session: _people(session, brand_id))
            collector.settle()
            ours, theirs = [], []
            for number in range(ROUNDS + 1):
                slug = f"round-{number}"
                writer.run_sync(lambda session, slug=slug: _fill(session, brand_id, slug))  # type: ignore[misc]
                limit = _raw(Path(folder) / "raw.db", number)
                took, given = timed(lambda slug=slug: asyncio.run(_claims(writer, brand_id, people, slug)))  # type: ignore[misc]
                writer.run_sync(lambda session, given=given: _check(session, given))  # type: ignore[misc]
                if number:  # the first round warms both up
                    ours.append(took)
                    theirs.append(limit)
        finally:
            writer.close()
    mine, limit = statistics.median(ours), statistics.median(theirs)
    return line(
        "vouchers",
        mine / limit,
        BOUND,
        "lower",
        claims=PEOPLE,
        given=CODES,
        seconds=round(mine, 3),
        limit_seconds=round(limit, 3),
        limit="sqlite3, one conditional update a commit",
    )


if __name__ == "__main__":
    print(json.dumps(run()))
