"""`rank`: the first hundred and my own rank among a million members, against Redis doing the same.

Redis does not break ties by who was first, nor say the gap to the next score; ours does both. Redis runs without
persistence on a socket of its own, asked through redis-py.
"""

from __future__ import annotations

import json
import random
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import select
from sqlmodel import Session

from bench.report import Line, line, skipped, timed
from core import clock, ids, migrations
from core.db import insert_all, make_engine, table
from referral import leaderboard

BOUND = 1.5
MEMBERS = 1_000_000
BATCH = 20_000
ASKED = 300
"""Questions of each kind in a round."""
ROUNDS = 5
BOARD = "board"
SAMPLE = 20

Scores = dict[UUID, int]


def _scores() -> Scores:
    """Most bring one friend or none that counts, few bring many: a long tail up to a few hundred."""
    chance = random.Random(7)
    return {ids.new(): min(int(chance.paretovariate(1.1)), 500) for _ in range(MEMBERS)}


def _fill(url: str, brand: UUID, campaign: UUID, scores: Scores) -> None:
    """The board with its counters, as `leaderboard.add` leaves them; spread over a month."""
    migrations.migrate(url)
    engine = make_engine(url, writer=True)
    chance = random.Random(8)
    now = clock.now().replace(microsecond=0)
    here = {"brand_id": brand, "campaign_id": campaign}
    rows: list[dict[str, Any]] = [
        here | {"member_id": member, "score": score, "reached_at": now - timedelta(minutes=chance.randrange(43_200))}
        for member, score in scores.items()
    ]
    rows.sort(key=lambda row: (row["score"], row["reached_at"], row["member_id"]))  # as the index has them
    totals = Counter(row["score"] for row in rows)
    hours = Counter((row["score"], int(row["reached_at"].timestamp() // 3600)) for row in rows)
    with Session(engine) as session:
        for begin in range(0, MEMBERS, BATCH):
            insert_all(session, table(leaderboard.Score), rows[begin : begin + BATCH])
        counted = [here | {"score": score, "members": count} for score, count in totals.items()]
        insert_all(session, table(leaderboard.ScoreCount), counted)
        by_hour = [here | {"score": score, "hour": hour, "members": count} for (score, hour), count in hours.items()]
        insert_all(session, table(leaderboard.ScoreHour), by_hour)
        _count_some_again(session, rows)
        session.commit()
    engine.dispose()


def _count_some_again(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """The product's own counting finds nothing to change in these counters: what it takes off it puts back."""
    before = _counters(session)
    some = random.Random(5).sample(rows, SAMPLE)
    keys = [(row["brand_id"], row["campaign_id"], row["member_id"]) for row in some]
    leaderboard.replace(session, dict.fromkeys(keys))
    kept = [(row["score"], row["reached_at"]) for row in some]
    leaderboard.replace(session, dict(zip(keys, kept, strict=True)))
    if _counters(session) != before:
        raise RuntimeError("the counters do not agree with the product's own")


def _counters(session: Session) -> tuple[set[Any], set[Any]]:
    count, hour = table(leaderboard.ScoreCount), table(leaderboard.ScoreHour)
    return set(session.execute(select(count.c.score, count.c.members))), set(
        session.execute(select(hour.c.score, hour.c.hour, hour.c.members))
    )


@contextmanager
def _redis(scores: Scores) -> Iterator[redis.Redis]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        process = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL)
        client = redis.Redis(port=port)
        try:
            for _ in range(300):
                with suppress(redis.ConnectionError):
                    client.ping()
                    break
                time.sleep(0.05)
            people = [(str(member), score) for member, score in scores.items()]
            for begin in range(0, MEMBERS, BATCH):
                client.zadd(BOARD, dict(people[begin : begin + BATCH]))
            yield client
        finally:
            client.close()
            process.terminate()
            process.wait(30)


def _each(ask: Callable[[UUID], object], people: Sequence[UUID]) -> float:
    """Microseconds for one question, the median over these people."""
    return statistics.median(timed(lambda member=member: ask(member))[0] for member in people) * 1e6  # type: ignore[misc]


def _check(session: Session, brand: UUID, campaign: UUID, scores: Scores, people: Sequence[UUID]) -> None:
    """What was timed must be right: places and gaps counted again by hand from all scores."""
    best = sorted(scores.values(), reverse=True)[:100]
    if [place.score for place in leaderboard.top(session, brand, campaign, 100)] != best:
        raise RuntimeError("the board is not the best hundred")
    for member in people:
        found = leaderboard.standing(session, brand, campaign, member)
        mine = scores[member]
        better = sum(score > mine for score in scores.values())
        same = sum(score == mine for score in scores.values())
        if found is None or found.of != MEMBERS or not better < found.rank <= better + same:
            raise RuntimeError(f"a rank is wrong: {found}, {better} are better and {same} the same")


def _measure(client: redis.Redis, url: str, brand: UUID, campaign: UUID, scores: Scores) -> Line:
    engine = make_engine(url, writer=False)

    def ours(member: UUID) -> object:
        with Session(engine) as session:
            board = leaderboard.top(session, brand, campaign, 100)
            return board, leaderboard.standing(session, brand, campaign, member)

    def theirs(member: UUID) -> object:
        board = client.zrevrange(BOARD, 0, 99, withscores=True)
        score = client.zscore(BOARD, str(member))
        return board, client.zcount(BOARD, f"({score}", "+inf")

    everyone = list(scores)
    chance = random.Random(9)
    us, them = [], []
    for number in range(ROUNDS + 1):
        people = chance.sample(everyone, ASKED)
        limit, own = _each(theirs, people), _each(ours, people)
        if number:  # the first round warms both up
            them.append(limit)
            us.append(own)
    with Session(engine) as session:
        _check(session, brand, campaign, scores, chance.sample(everyone, SAMPLE))
    engine.dispose()
    own, limit = statistics.median(us), statistics.median(them)
    asked = "redis ZREVRANGE 0 99 WITHSCORES, ZSCORE, ZCOUNT"
    return line(
        "rank", own / limit, BOUND, "lower", members=MEMBERS, look_us=round(own), limit_us=round(limit), limit=asked
    )


def run() -> Line:
    """Medians of both, asked in turns: one look at the first hundred and at one's own rank."""
    if shutil.which("redis-server") is None:
        return skipped("rank", BOUND, "lower", "redis-server", "apt-get install redis-server")
    scores = _scores()
    brand, campaign = ids.new(), ids.new()
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        _fill(url, brand, campaign, scores)
        with _redis(scores) as client:
            return _measure(client, url, brand, campaign, scores)


if __name__ == "__main__":
    print(json.dumps(run()))
