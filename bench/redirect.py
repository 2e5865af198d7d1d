"""`redirect`: `GET /r/{code}` with the touch stored before the answer, against bare uvicorn. Goal: at least 0.2.

wrk with 32 connections asks a server process of its own, in turns with a server that answers a constant. What was
answered is then counted in the database: every answer must be a stored touch.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import uvicorn
import uvloop
from sqlalchemy import func, select
from sqlmodel import Session, col
from starlette.types import Receive, Scope, Send

from core import clock, events, migrations
from core.db import make_engine
from core.reader import Reader
from core.settings import Settings
from core.writer import Writer
from daixin import collector
from referral import brands, campaigns, members
from referral.touches import Touch
from web.app import WebParts, create_app

BOUND = 0.2
CONNECTIONS = 32
ROUNDS = 3
SECONDS = 3
AGENT = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
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
    options: dict[str, Any] = {"port": port, "log_level": "warning", "access_log": False, "proxy_headers": False}
    if kind == "bare":
        uvicorn.run(bare, **options)
        return
    members.set_fingerprint_key("bench")
    writer = Writer(make_engine(url, writer=True), events.Bus()).start()
    reader = Reader(make_engine(url, writer=False))
    collector.settle()  # as `daixin serve` does
    app = create_app(WebParts(writer, reader, Settings(), dict, lambda *_: []))
    try:
        # The loop that `uvicorn.run` chooses for the limit, and `daixin serve` for itself.
        uvloop.run(uvicorn.Server(uvicorn.Config(app, **options)).serve())
    finally:
        writer.close()
        reader.close()


@contextmanager
def _server(kind: str, url: str) -> Iterator[str]:
    """The address of a running server process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "bench.redirect", kind, str(port), url])
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            urllib.request.urlopen(f"{address}/livez", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not answer")


def _wrk(address: str, wanted: str) -> tuple[float, int]:
    """Answers a second and answers in all. Raises if any answer was not of the `wanted` kind."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", f"User-Agent: {AGENT}", address]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"{wanted}: {text}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    total = re.search(r"(\d+) requests in", text)
    assert rate is not None
    assert total is not None
    return float(rate.group(1)), int(total.group(1))


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
        with _server("bare", url) as limit, _server("redirect", url) as ours:
            for _ in range(ROUNDS):
                limits.append(_wrk(limit, "bare")[0])
                rate, total = _wrk(f"{ours}/r/{code}", "redirect")
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
