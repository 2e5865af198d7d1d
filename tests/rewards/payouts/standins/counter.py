"""A payment counter that trusts us: it pays whatever request comes, as often as it comes, and remembers all of them.

A provider that recognized a reference would forgive us a request too many. This one does not.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

import httpx2

from rewards.payouts.port import Answer, PayoutOrder


class Counter:
    """`paid`: every amount that went out, by reference. `heard`: how many calls there were."""

    def __init__(self) -> None:
        self.paid: dict[str, list[int]] = defaultdict(list)
        self.heard = 0
        self.url = ""
        self.lock = Lock()


@contextmanager
def counter() -> Iterator[Counter]:
    """The counter, open at `url` on this machine."""
    state = Counter()

    class Clerk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.heard += 1
                state.paid[asked["reference"]].append(asked["amount"])
            self._say(200, {"number": f"C-{asked['reference']}"})

        def do_GET(self) -> None:
            with state.lock:
                state.heard += 1
                known = self.path.rpartition("/")[2] in state.paid
            self._say(200 if known else 404, {})

        def _say(self, status: int, body: dict[str, str]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Clerk)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class CounterProvider:
    """Pays over the counter."""

    name = "paypal"
    can_cancel = False

    def __init__(self, url: str) -> None:
        self._client = httpx2.AsyncClient(base_url=url, timeout=5)

    def carries(self, asset: str) -> bool:
        return asset == "USD"

    async def start(self, order: PayoutOrder) -> Answer:
        said = await self._client.post("/pay", json={"reference": order.reference, "amount": order.amount})
        return Answer("completed", said.json()["number"])

    async def look_up(self, order: PayoutOrder) -> Answer:
        said = await self._client.get(f"/paid/{order.reference}")
        return Answer("completed" if said.status_code == 200 else "not_found")

    async def cancel(self, order: PayoutOrder) -> Answer:
        raise NotImplementedError

    async def close(self) -> None:
        await self._client.aclose()
