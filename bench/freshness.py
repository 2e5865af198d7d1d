"""`freshness`: from an order's arrival until it stands on an open leaderboard. Goal: below one second for 95 of 100.

200 orders a second come in singly through `POST /api/v1/conversions`, each a friend's first purchase, which moves a
board that fifty browsers watch, half of them its day and half all its time. An order is timed from the moment its
request is sent until the first event in which its advocate's score holds it. Where there is a Chromium, one more
browser is real, and its time is when the page has drawn the score. SQLite, `synchronous=FULL`; orders, server and
browsers share the machine.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import async_playwright
from sqlmodel import Session

from bench import town
from bench.report import Line, line
from bench.servers import serve_house, server
from core import clock, events, migrations
from core.settings import Settings
from daixin.bootstrap import join_parts
from referral.api_keys import create_api_key
from referral.arrivals import Arrive, arrive
from referral.boards import names
from referral.boards.shares import share
from referral.campaigns import Campaign
from referral.members import find_identity

BOUND = 1.0
RATE = 200
SECONDS, WARM = 12, 2
"""How long orders come; those of the first seconds are not counted."""
ADVOCATES = 40
"""All of them stand on the board, so that every order can be seen there."""
WATCHERS = 50
CALLERS = 16
"""Connections by which the orders come."""
LAST = 10
"""Seconds the last orders have to be seen."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WATCH = """() => {
  const seen = window.seen = {}, list = document.querySelector("[data-board]");
  const look = () => {
    for (const row of list.children) {
      const moments = seen[row.querySelector("bdi").textContent] ??= [];
      while (moments.length < Number(row.querySelector("b").textContent)) moments.push(Date.now() / 1000);
    }
  };
  new MutationObserver(look).observe(list, { childList: true, subtree: true, characterData: true });
  look();
}"""
Seen = dict[str, list[float]]
"""When (seconds since 1970) an advocate's score was first seen to be at least 1, 2, …"""


@dataclass(frozen=True, slots=True)
class Place:
    """The key of the brand's programs, and the address of the board that anybody may look at."""

    key: str
    board: str


@dataclass(slots=True)
class Sent:
    """When each advocate's orders were sent, in their order; how many were answered 201."""

    moments: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    taken: int = 0


def _prepare(url: str) -> Place:
    """A town whose campaign counts purchases, with friends who have come and not bought yet."""
    migrations.migrate(url)
    writer = town.open_writer(url)
    try:
        place = town.found(writer, ADVOCATES)

        def share_it(session: Session) -> Place:
            campaign = session.get_one(Campaign, (place.brand_id, place.campaign_id))
            campaign.event = "purchased"
            session.add(campaign)
            session.flush()
            for number in range(ADVOCATES):
                found = find_identity(session, place.brand_id, "telegram", f"a{number}")
                assert found is not None
                names.choose(session, place.brand_id, found.member_id, "full")
            key = create_api_key(session, place.brand_id, "bench")
            return Place(key, f"/board/{share(session, campaign, 'bench').token}")

        made = writer.run_sync(share_it)
        now = clock.now()
        for begin in range(0, RATE * SECONDS, town.BATCH):
            came = [
                Arrive(place.codes[number % ADVOCATES], town.account(f"f{number}"), now)
                for number in range(begin, min(begin + town.BATCH, RATE * SECONDS))
            ]
            writer.run_sync(lambda session, came=came: arrive(session, came))  # type: ignore[misc]
        return made
    finally:
        writer.close()


def _serve(port: int, url: str) -> None:
    bus = events.Bus()
    join_parts(bus)
    serve_house(bus, port, url, Settings(api_rate="1000000 per second"))


async def _order(client: httpx2.AsyncClient, key: str, number: int, sent: Sent) -> None:
    body = {
        "source": "bench",
        "external_id": f"o{number}",
        "currency": "CNY",
        "gross": 12_800,
        "ordered_at": clock.now().isoformat(),
        "customer": {"account": {"platform": "telegram", "account": f"f{number}"}},
    }
    sent.moments[f"A{number % ADVOCATES}"].append(time.time())
    answer = await client.post("/api/v1/conversions", json=body, headers={"Authorization": f"Bearer {key}"})
    sent.taken += answer.status_code == 201


async def _orders(address: str, key: str) -> Sent:
    """All orders, each at its own moment however long the one before takes."""
    sent = Sent()
    limits = httpx2.Limits(max_connections=CALLERS, max_keepalive_connections=CALLERS)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=60) as client, asyncio.TaskGroup() as group:
        began = time.monotonic()
        for number in range(RATE * SECONDS):
            await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
            group.create_task(_order(client, key, number, sent))
    return sent


async def _watch(client: httpx2.AsyncClient, address: str, seen: Seen | None) -> None:
    """A browser; without `seen` it takes what comes and looks no closer."""
    async with client.stream("GET", address) as stream:
        async for text in stream.aiter_lines():
            if seen is not None and text.startswith("data: "):
                now = time.time()
                for one in json.loads(text[6:])["places"]:
                    moments = seen[one["n"]]
                    moments += [now] * (one["s"] - len(moments))


@asynccontextmanager
async def _watched(address: str, board: str) -> AsyncIterator[list[Seen]]:
    """Fifty browsers on the board; what one of each window has seen."""
    seen: list[Seen] = [defaultdict(list), defaultdict(list)]
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=None) as client:
        tasks = [
            asyncio.create_task(
                _watch(
                    client,
                    f"{board}/stream?window={('all', 'day')[number % 2]}",
                    seen[number] if number < len(seen) else None,
                )
            )
            for number in range(WATCHERS)
        ]
        try:
            yield seen
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _browser(address: str) -> AsyncIterator[Any]:
    """The board in a real browser, told to remember when it drew what; None without one."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        yield None
        return
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = await opened.new_page()
        await page.goto(address)
        await page.evaluate(WATCH)
        yield page
        await opened.close()


def _waits(sent: Sent, seen: Seen) -> list[float]:
    """Seconds from each order to the board, without those of the warming up."""
    skipped = RATE * WARM // ADVOCATES
    waits = []
    for name, moments in sent.moments.items():
        if len(seen[name]) != len(moments):
            raise RuntimeError(f"the board shows {len(seen[name])} of the {len(moments)} friends of {name}")
        waits += [there - here for here, there in list(zip(moments, seen[name], strict=True))[skipped:]]
    return waits


def _share(waits: Sequence[float], of: float) -> float:
    return sorted(waits)[min(len(waits) - 1, int(len(waits) * of))]


async def _measure(address: str, place: Place) -> Line:
    async with _browser(address + place.board) as page, _watched(address, place.board) as watched:
        await asyncio.sleep(1)
        sent = await _orders(address, place.key)
        if sent.taken != RATE * SECONDS:
            raise RuntimeError(f"{sent.taken} of {RATE * SECONDS} orders were taken")
        for _ in range(LAST * 10):
            if all(sum(map(len, seen.values())) >= sent.taken for seen in watched):
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        drawn: Seen = defaultdict(list, await page.evaluate("window.seen")) if page is not None else defaultdict(list)
    streamed = [wait for seen in watched for wait in _waits(sent, seen)]
    waits = _waits(sent, drawn) if page is not None else streamed
    measured = {
        "orders_per_second": RATE,
        "watchers": WATCHERS,
        "browser": page is not None,
        "p50_s": round(statistics.median(waits), 3),
        "p95_s": round(_share(waits, 0.95), 3),
        "event_p50_s": round(statistics.median(streamed), 3),
        "event_p95_s": round(_share(streamed, 0.95), 3),
    }
    return line("freshness", _share(waits, 0.95), BOUND, "lower", **measured)


def run() -> Line:
    """One run of twelve seconds."""
    with tempfile.TemporaryDirectory(prefix="daixin-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        place = _prepare(url)
        with server("bench.freshness", "serve", url) as address:
            return asyncio.run(_measure(address, place))


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _serve(int(sys.argv[2]), sys.argv[3])
    else:
        print(json.dumps(run()))
