"""`redirect`: `GET /r/{code}` with the touch stored before the answer, against bare uvicorn. Goal: at least 0.2.

wrk with 32 connections asks a server process of its own, in turns with a server that answers a constant. What was
answered is then counted in the database: every answer must be a stored touch.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import Session, col
from starlette.types import Receive, Scope, Send

from bench.servers import CONNECTIONS, serve_bare, serve_house, server, wrk
from core import clock, events, migrations
from core.db import make_engine
from core.settings import Settings
from referral import brands, campaigns, members
from referral.touches import Touch

BOUND = 0.2
ROUNDS = 3
AGENT = (
    "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1"
)


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """The limit: the same server with the least an application can do."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def _prepare(url: str) -> str:
    """A brand with a running campaign and one advocate; the advocate's code."""
    migrations.migrate(url)
    engine = make_engine(url, writer=True)
    now = clock.now()
    with Session(engine) as session:
        brand = brands.create_brand(session, "Bench", slug="bench")
        campaign = campaigns.Campaign(
            brand_id=brand.id,
            slug="bench",
            state="running",
            title={"en": "Bench"},
            benefit={"en": "Nothing"},
            starts_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=1),
            created_at=now,
        )
        session.add(campaign)
        session.flush()
        person = members.Account("web", "alice", "Alice")
        alice = members.meet(session, brand.id, [person], [now], "message")[0]
        code = campaigns.enroll(session, campaign, alice.member_id)
        session.commit()
    engine.dispose()
    return code


def _serve(kind: str, port: int, url: str) -> None:
    """The server process: `bare` or `redirect`."""
    if kind == "bare":
        serve_bare(bare, port)
    else:
        serve_house(events.Bus(), port, url, Settings())


def _stored(url: str) -> int:
    with Session(make_engine(url, writer=False)) as session:
        clicks = select(func.count()).where(col(Touch.kind) == "click", col(Touch.robot).is_(False))
        return int(session.execute(clicks).scalar_one())


def run() -> dict[str, object]:
    """Medians of requests a second of both, in turns, so that a busy machine slows them alike."""
    if shutil.which("wrk") is None:
        return {
            "name": "redirect",
            "ratio": None,
            "bound": BOUND,
            "better": "higher",
            "skipped": "needs wrk: apt-get install wrk",
        }
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        url = f"sqlite:///{folder}/bench.db"
        code = _prepare(url)
        limits, rates, answers = [], [], 0
        with server("bench.redirect", "bare", url) as limit, server("bench.redirect", "redirect", url) as ours:
            for _ in range(ROUNDS):
                limits.append(wrk(limit, "-H", AGENT)[0])
                rate, total = wrk(f"{ours}/r/{code}", "-H", AGENT)
                rates.append(rate)
                answers += total
        stored = _stored(url)
    # Requests under way when wrk hangs up are stored too: at most one per connection and round.
    if not answers <= stored <= answers + CONNECTIONS * ROUNDS:
        raise RuntimeError(f"{answers} answers but {stored} touches")
    limit_rate, our_rate = statistics.median(limits), statistics.median(rates)
    return {
        "name": "redirect",
        "ratio": round(our_rate / limit_rate, 3),
        "limit_per_second": round(limit_rate),
        "redirects_per_second": round(our_rate),
        "answers": answers,
        "touches": stored,
        "bound": BOUND,
        "better": "higher",
    }


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        print(json.dumps(run()))
