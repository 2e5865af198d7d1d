"""`dashboard`: a brand's overview, its campaign and its leaderboard, with a million members and with ten thousand.

Both towns have lived for a year. What is timed is the server's work for a page that a signed-in owner asks for, from
the request to its last byte, by the program's own application without a network between. Beside the ratio stands what
counting costs: the whole year once, and the newest day again.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx2
from sqlmodel import Session

from bench import years
from bench.report import Line, line, timed
from core import events
from core.db import make_engine
from core.reader import Reader
from core.settings import Settings
from core.writer import Writer
from daixin.bootstrap import join_parts
from referral import members
from referral.users import accounts, roles, sessions
from rewards.insight import refresh
from web.app import WebParts, create_app

BOUND = 3.0
SMALL, LARGE = (10_000, 50_000), (1_000_000, 5_000_000)
"""(members, touches)"""
ASKED = 15
PAGES = {
    "overview": "/",
    "campaign": "/campaigns/spring",
    "board": "/leaderboard/spring",
    "month": "/leaderboard/spring?window=month",
}


def _served(url: str, town: years.Filled) -> tuple[dict[str, float], float, float]:
    """Median milliseconds of each page; seconds to count the whole year, milliseconds to count what is new again."""
    members.set_fingerprint_key("bench")
    bus = events.Bus()
    join_parts(bus)
    writer = Writer(make_engine(url, writer=True), bus).start()
    reader = Reader(make_engine(url, writer=False))
    try:
        counted, _ = timed(lambda: _count(writer))
        again, _ = timed(lambda: writer.run_sync(lambda session: refresh.count_due(session)))

        def sign_in(session: Session) -> str:
            user = accounts.create_user(session, "Mei")
            roles.give(session, town.brand_id, user.id, "owner", "operator")
            return sessions.open_session(session, user.id, "bench", "password")

        app = create_app(WebParts(writer, reader, Settings(), dict, lambda *_: []))
        token = writer.run_sync(sign_in)
        return asyncio.run(_ask(app, town.slug, token)), counted, again * 1000
    finally:
        writer.close()
        reader.close()


def _count(writer: Writer) -> None:
    while writer.run_sync(refresh.count_due):
        pass


async def _ask(app: object, slug: str, token: str) -> dict[str, float]:
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # typed for its own scopes
    found: dict[str, float] = {}
    async with httpx2.AsyncClient(transport=transport, base_url="http://bench", cookies={"daixin": token}) as client:
        for name, page in PAGES.items():
            spent = []
            for _ in range(ASKED + 2):
                began = time.perf_counter()
                answer = await client.get(f"/b/{slug}{page}")
                spent.append((time.perf_counter() - began) * 1000)
                if answer.status_code != 200:
                    raise RuntimeError(f"{page}: {answer.status_code}")
            found[name] = statistics.median(spent[2:])  # the first ones read the file and compile
    return found


def _town(people: int, touches: int) -> tuple[dict[str, float], float, float, float]:
    """`_served` of a town of this size, and the seconds to build it."""
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        seconds, town = timed(lambda: years.fill(url, people, touches))
        return *_served(url, town), seconds


def run() -> Line:
    """The worst ratio of the pages."""
    small, _, _, _ = _town(*SMALL)
    large, counted, again, built = _town(*LARGE)
    measured = {f"ms_{page}": round(spent, 1) for page, spent in large.items()}
    before = {f"ms_{page}_small": round(spent, 1) for page, spent in small.items()}
    return line(
        "dashboard",
        max(large[page] / small[page] for page in PAGES),
        BOUND,
        "lower",
        members=LARGE[0],
        touches=LARGE[1],
        **measured,
        **before,
        count_year_s=round(counted, 1),
        count_again_ms=round(again, 1),
        build_s=round(built, 1),
    )


if __name__ == "__main__":
    print(json.dumps(run()))
