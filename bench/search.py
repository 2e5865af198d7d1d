"""`search`: a page of names while somebody types one to four letters, among 630,000 members against 10,000.

Two thirds of the people have Chinese names, the others Latin ones. Each search is the whole answer behind a keystroke:
who is meant, in the order of most friends, with their figures. The 95th hundredth of both towns is compared; it may be
three times as long in the large one, or below 50 ms whatever the small one takes.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url
from sqlmodel import Session, col

from bench.report import Line, line, timed
from bench.years import Filled, fill
from core.db import make_engine
from referral import search
from referral.campaigns import Campaign
from referral.members import Member
from referral.search import MemberTerm
from rewards.advocates import list_advocates

BOUND = 3.0
QUICK = 0.050
"""Seconds below which typing feels immediate, whatever the small town takes."""
PEOPLE = {"small": 10_000, "large": 630_000}
NAMES = 20
"""People whose names are typed in a round, letter by letter."""
ROUNDS = 3
_FIRST = ("ann", "bella", "carlos", "dmitri", "elif", "farid", "giulia", "hannah", "ivan", "joao", "kenji", "lars")
_LAST = ("wang", "smith", "garcia", "ivanov", "nguyen", "mueller", "rossi", "sato", "kaya", "silva", "lee", "khan")


def _fill(url: str, people: int) -> Filled:
    """The town, with Latin names for a third, and the terms of all."""
    town = fill(url, people, people)
    path = make_url(url).database
    assert path is not None
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA journal_mode=OFF")
    raw.execute("PRAGMA cache_size=-200000")
    chance = random.Random(11)
    latin = [(f"{chance.choice(_FIRST).title()} {chance.choice(_LAST).title()}", row) for row in range(0, people, 3)]
    raw.execute("BEGIN")
    raw.executemany("UPDATE member SET name = ? WHERE rowid = ?", latin)
    raw.execute("CREATE TEMP TABLE made (term TEXT, member TEXT)")
    everybody = raw.execute("SELECT member_id, name, account FROM member JOIN identity ON member_id = id").fetchall()
    rows = ((term, member) for member, name, account in everybody for term in search.terms_of((name, account)))
    raw.executemany("INSERT INTO made VALUES (?, ?)", rows)
    raw.execute("DROP INDEX ix_member_term_member")
    raw.execute("INSERT INTO member_term SELECT ?, term, member FROM made ORDER BY 2, 3", [town.brand_id.hex])
    raw.execute("CREATE INDEX ix_member_term_member ON member_term (brand_id, member_id)")
    last = max(member for member, _, _ in everybody)
    raw.execute("INSERT INTO search_mark VALUES (?, 'members', ?)", [town.brand_id.hex, last])
    raw.execute("COMMIT")
    raw.execute("ANALYZE")
    raw.execute("PRAGMA journal_mode=WAL")
    raw.close()
    _check(url, town)
    return town


def _check(url: str, town: Filled) -> None:
    """The product's own folding finds nothing to change in these terms."""
    engine = make_engine(url, writer=True)
    with Session(engine) as session:
        some = list(town.friends[:50])
        count = select(func.count()).where(
            col(MemberTerm.brand_id) == town.brand_id, col(MemberTerm.member_id).in_(some)
        )
        before = session.scalar(count)
        search.refold(session, town.brand_id, some)
        if not before or session.scalar(count) != before:
            raise RuntimeError("the terms are not the product's own")
        session.rollback()
    engine.dispose()


def _typed(engine: Engine, town: Filled, chance: random.Random) -> list[str]:
    """The first letters of some people's names and codes, as they are typed."""
    with Session(engine) as session:
        some = chance.sample(town.friends, NAMES)
        names = session.scalars(
            select(col(Member.name)).where(col(Member.brand_id) == town.brand_id, col(Member.id).in_(some))
        ).all()
    parts = [*names, *(name.split()[-1] for name in names), *(name[1:] for name in names if len(name) == 3)]
    return [part[:length] for part in parts for length in range(1, min(len(part), 4) + 1)]


def _look(engine: Engine, town: Filled, texts: Sequence[str]) -> list[float]:
    took = []
    for text in texts:
        with Session(engine) as session:
            campaign = session.get_one(Campaign, (town.brand_id, town.campaign_id))
            look = partial(list_advocates, session, campaign, town.brand_id, text=text, asset="CNY")
            seconds, page = timed(look)
        if not page.advocates:
            raise RuntimeError(f"nobody found for {text!r}")
        took.append(seconds)
    return took


def run() -> Line:
    """The slowest twentieth of the keystrokes in both towns, and how the large one compares."""
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        towns: dict[str, tuple[Engine, Filled]] = {}
        for name, people in PEOPLE.items():
            url = f"sqlite:///{Path(folder) / name}.db"
            town = _fill(url, people)
            towns[name] = make_engine(url, writer=False), town
        took: dict[str, list[float]] = {name: [] for name in towns}
        for number in range(ROUNDS + 1):
            for name, (engine, town) in towns.items():
                found = _look(engine, town, _typed(engine, town, random.Random(number)))
                if number:  # the first round warms both up
                    took[name] += found
        for engine, _ in towns.values():
            engine.dispose()
    small, large = (statistics.quantiles(took[name], n=20)[-1] for name in ("small", "large"))
    return line(
        "search",
        min(large / small, BOUND) if large <= QUICK else large / small,
        BOUND,
        "lower",
        members=PEOPLE["large"],
        p95_ms=round(large * 1e3, 1),
        median_ms=round(statistics.median(took["large"]) * 1e3, 1),
        limit_ms=round(small * 1e3, 1),
        limit=f"p95 among {PEOPLE['small']:,} members",
    )


if __name__ == "__main__":
    print(json.dumps(run()))
