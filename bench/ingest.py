"""`ingest`: `POST /api/v1/conversions`, each order durable and judged when it is answered. Goal: at least 0.1.

Singly: wrk with 32 connections, each request an order of its own by one of a thousand friends who came by a code,
against bare uvicorn that reads the same body and sends it back. By the thousand: batches of 1,000 orders, against the
raw driver inserting the same rows (orders, and what was decided about each) into the same tables of a copy, with one
statement a table and batch. SQLite, `synchronous=FULL`.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col
from starlette.types import Receive, Scope, Send

from bench import town
from bench.report import line, skipped, timed
from bench.servers import CONNECTIONS, serve_bare, serve_house, server, wrk
from core import clock, events, migrations
from core.db import make_engine
from core.settings import Settings
from daixin.bootstrap import join_parts
from referral.api_keys import create_api_key
from referral.conversions import Conversion

ONE_BOUND, MANY_BOUND = 0.1, 0.15
ROUNDS, SECONDS = 11, 1
"""Many short ones in turns: what else the machine does comes and goes within seconds, and slows both alike."""
FRIENDS = 1000
BATCH = 1000
BATCHES = 6
ROWS = {
    "conversion": "SELECT * FROM conversion WHERE external_id LIKE ? ORDER BY id",
    "attribution": "SELECT a.* FROM attribution a JOIN conversion c ON c.brand_id = a.brand_id "
    "AND c.id = a.conversion_id WHERE c.external_id LIKE ? ORDER BY c.id",
}
"""What a batch leaves behind."""
SCRIPT = """
local number, prefix = 0, ""
function init(args)
  prefix = args[1]
  wrk.method = "POST"
  wrk.headers["Authorization"] = "Bearer " .. args[2]
  wrk.headers["Content-Type"] = "application/json"
end
function request()
  number = number + 1
  local body = string.format(
    '{"source":"bench","external_id":"%s-%d","currency":"CNY","gross":12800,"ordered_at":"%s",' ..
    '"customer":{"account":{"platform":"telegram","account":"f%d"}}}',
    prefix, number, "MOMENT", number % FRIENDS)
  return wrk.format(nil, nil, nil, body)
end
"""


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """The limit: reads the body and sends it back."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


def _prepare(url: str) -> str:
    """A town with friends who came by codes; a key of its brand."""
    migrations.migrate(url)
    writer = town.open_writer(url)
    try:
        place = town.found(writer, 100)
        town.bring(writer, place, FRIENDS, [f"f{number}" for number in range(FRIENDS)])
        return writer.run_sync(lambda session: create_api_key(session, place.brand_id, "bench"))
    finally:
        writer.close()


def _serve(kind: str, port: int, url: str) -> None:
    """The server process: `echo` or `ingest`."""
    if kind == "echo":
        return serve_bare(echo, port)
    bus = events.Bus()
    join_parts(bus)
    serve_house(bus, port, url, Settings(api_rate="1000000 per second"))


def _script(folder: Path) -> str:
    path = folder / "orders.lua"
    path.write_text(SCRIPT.replace("MOMENT", clock.now().isoformat()).replace("FRIENDS", str(FRIENDS)))
    return str(path)


def _stored(url: str) -> int:
    with Session(make_engine(url, writer=False)) as session:
        orders = select(func.count()).where(col(Conversion.source) == "bench", col(Conversion.status) == "attributed")
        return int(session.execute(orders).scalar_one())


def _order(number: str) -> dict[str, Any]:
    friend = int(number.rpartition("-")[2]) % FRIENDS
    return {
        "source": "bench",
        "external_id": number,
        "currency": "CNY",
        "gross": 12_800,
        "ordered_at": clock.now().isoformat(),
        "customer": {"account": {"platform": "telegram", "account": f"f{friend}"}},
    }


def _send(address: str, key: str, orders: list[dict[str, Any]]) -> None:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"conversions": orders}).encode()
    asked = urllib.request.Request(f"{address}/api/v1/conversions/batch", body, headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        results = json.load(answer)["results"]
    if {one["status"] for one in results} != {201}:
        raise RuntimeError(results[0])


def _singly(folder: Path, url: str, key: str) -> dict[str, Any]:
    limits, rates, answers = [], [], 0
    script = _script(folder)
    with server("bench.ingest", "echo", url) as limit, server("bench.ingest", "ingest", url) as ours:
        orders = f"{ours}/api/v1/conversions"
        for number in range(ROUNDS):
            limits.append(wrk(limit, "-s", script, arguments=[f"e{number}", key], seconds=SECONDS)[0])
            rate, total = wrk(orders, "-s", script, arguments=[f"o{number}", key], seconds=SECONDS)
            rates.append(rate)
            answers += total
    stored = _stored(url)
    # Requests under way when wrk hangs up are stored too: at most one per connection and round.
    if not answers <= stored <= answers + CONNECTIONS * ROUNDS:
        raise RuntimeError(f"{answers} answers but {stored} orders")
    limit_rate, rate = statistics.median(limits), statistics.median(rates)
    measured = {"limit_per_second": round(limit_rate), "orders_per_second": round(rate), "orders": stored}
    return line("ingest", rate / limit_rate, ONE_BOUND, "higher", **measured)


def _by_thousands(folder: Path, url: str, key: str) -> dict[str, Any]:
    made = sqlite3.connect(folder / "bench.db")
    raw = sqlite3.connect(folder / "raw.db", isolation_level=None)
    made.backup(raw)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        raw.execute(f"PRAGMA {pragma}")
    limits, ours = [], []
    with server("bench.ingest", "ingest", url) as address:
        for number in range(BATCHES):
            orders = [_order(f"b{number}-{index}") for index in range(BATCH)]
            ours.append(timed(lambda orders=orders: _send(address, key, orders))[0])  # type: ignore[misc]
            rows = {name: made.execute(query, (f"b{number}-%",)).fetchall() for name, query in ROWS.items()}
            assert all(len(found) == BATCH for found in rows.values())

            def insert(rows: dict[str, list[tuple[Any, ...]]] = rows) -> None:
                raw.execute("BEGIN IMMEDIATE")
                for name, found in rows.items():
                    raw.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(found[0]))})", found)
                raw.execute("COMMIT")

            limits.append(timed(insert)[0])
    made.close()
    raw.close()
    limit, mine = statistics.median(limits), statistics.median(ours)
    measured = {"limit_per_second": round(BATCH / limit), "orders_per_second": round(BATCH / mine)}
    return line("ingest/batch", limit / mine, MANY_BOUND, "higher", **measured)


def run() -> list[dict[str, Any]]:
    """Both, in turns with their limits, so that a busy machine slows them alike."""
    if shutil.which("wrk") is None:
        return [skipped("ingest", ONE_BOUND, "higher", "wrk", "apt-get install wrk")]
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/bench.db"
        key = _prepare(url)
        return [_singly(folder, url, key), _by_thousands(folder, url, key)]


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    else:
        for measured in run():
            print(json.dumps(measured))
