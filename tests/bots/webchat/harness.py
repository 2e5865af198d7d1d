"""The real web chat under a real web server, and browsers that speak its wire: JSON posts and server-sent events."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette

from bots.command import CommandSpec, Menu
from bots.webchat.adapter import WebChatAdapter
from bots.webchat.settings import WebChatSettings
from tests.bots.harness import Failure, MemoryStore, Script, Seen

WAIT_SECONDS = 10.0
MENU = Menu(
    (
        CommandSpec("start", ("开始",), {"en": "Start", "zh_Hans": "开始"}),
        CommandSpec("invite", ("邀请",), {"en": "My invite link", "zh_Hans": "我的邀请链接"}, slow=True),
        CommandSpec("help", ("帮助",), {"en": "What I can do", "zh_Hans": "我能做什么"}),
    )
)


class FlakyStore(MemoryStore):
    """A store that can be made to fail, as a database does, or to say once that everybody wants silence."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = False
        self.everybody_silent = False

    async def get(self, key: str) -> Any:
        if key.startswith("webchat:silent:"):
            if self.lost:
                self.lost = False
                raise ConnectionError("the database went away")
            if self.everybody_silent:
                self.everybody_silent = False
                return True
        return await super().get(key)


@dataclass
class Clock:
    """Moves only when it is told to."""

    at: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Browser:
    """One open page: posts like the page does and keeps what the stream showed, by message id and in order."""

    client: httpx2.AsyncClient
    query: dict[str, str]
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[tuple[str, Any]] = field(default_factory=list)
    last: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _keys: Any = field(default_factory=lambda: itertools.count(1))
    _stream: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._stream = asyncio.create_task(self._listen())
        await asyncio.wait_for(self.ready.wait(), WAIT_SECONDS)

    async def close(self) -> None:
        if self._stream:
            self._stream.cancel()
            with suppress(asyncio.CancelledError):
                await self._stream
        self._stream = None
        self.ready.clear()

    async def post(self, path: str, body: object, **headers: str) -> httpx2.Response:
        return await self.client.post(path, params=self.query, json=body, headers=headers)

    async def message(self, **body: object) -> httpx2.Response:
        return await self.post("/chat/messages", {"key": f"k{next(self._keys)}", **body})

    def ours(self) -> list[dict[str, Any]]:
        """What the bot said, oldest first."""
        return [body for body in self.shown.values() if body["kind"] == "message" and not body.get("author")]

    async def _listen(self) -> None:
        headers = {"Last-Event-ID": self.last} if self.last else {}
        stream = self.client.stream("GET", "/chat/events", params=self.query, headers=headers, timeout=None)
        async with stream as response:
            response.raise_for_status()
            name, event_id = "", ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("id: "):
                    event_id = line[4:]
                elif line.startswith("data: "):
                    self._take(name, event_id, json.loads(line[6:]))
                elif not line:
                    name, event_id = "", ""

    def _take(self, name: str, event_id: str, data: Any) -> None:
        self.events.append((name, data))
        if event_id:
            self.last = event_id
        if name == "message":
            self.shown[data["id"]] = data
        if name == "ready":
            self.ready.set()


@dataclass
class WebChatHarness:
    """See `tests.bots.harness.Harness`."""

    adapter: WebChatAdapter
    script: Script
    store: FlakyStore
    clock: Clock
    base: str
    client: httpx2.AsyncClient
    browsers: dict[tuple[str, bool], Browser]
    text_limit: int = 4000

    def browser(self, who: str, group: bool = False) -> Browser:
        return self.browsers[who, group]

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        (await self.browser(who, group).message(text=text)).raise_for_status()

    async def show(self, who: str, file: bytes, media_type: str = "image/jpeg") -> None:
        page = self.browser(who)
        headers = {"Content-Type": media_type}
        posted = await page.client.post("/chat/pictures", params=page.query, content=file, headers=headers)
        posted.raise_for_status()

    async def press(self, who: str, label: str) -> None:
        newest = [
            (page, body, key)
            for page in (self.browser(who), self.browser(who, True))
            for body in page.ours()
            for row in body.get("buttons", ())
            for key in row
            if key["label"] == label and "action" in key
        ]
        page, body, key = newest[-1]
        (await page.message(action=key["action"], message=body["id"])).raise_for_status()

    async def seen(self, who: str, count: int, *, group: bool = False) -> list[Seen]:
        def bodies() -> list[dict[str, Any]]:
            """In the group what everybody sees; else one's own chat, and what only oneself sees in the group."""
            if group:
                return [body for body in self.browser(who, True).ours() if not body.get("private")]
            aside = [body for body in self.browser(who, True).ours() if body.get("private")]
            return [*self.browser(who).ours(), *aside]

        await self.eventually(lambda: len(bodies()) >= count)
        return [await self._seen(body, group) for body in bodies()]

    async def _seen(self, body: dict[str, Any], group: bool) -> Seen:
        image = None
        if picture := body.get("image"):
            image = (await self.client.get(picture["url"])).raise_for_status().content
        text = "\n".join("".join(_words(span) for span in line) for line in body["lines"])
        labels = [key["label"] for row in body.get("buttons", ()) for key in row]
        return Seen(text, labels, image, body.get("private", not group), body.get("edited", False))

    def address(self, who: str) -> str:
        return f"stage:{who}"

    async def fail_next(self, failure: Failure) -> None:
        if failure == "permanent":
            self.store.everybody_silent = True
        elif failure == "gone_away":
            self.store.lost = True
        else:
            for who in ("alice", "bob"):
                while not self.adapter.outgoing.take(self.address(who)):
                    continue

    async def eventually(self, check: Callable[[], Any]) -> Any:
        return await eventually(check)


async def eventually(check: Callable[[], Any]) -> Any:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if found := check():
                return found
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serve_app(app: Starlette) -> AsyncIterator[str]:
    """The application under uvicorn on a free port; yields the base address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5))
    running = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def serve(adapter: WebChatAdapter) -> AsyncIterator[str]:
    """The adapter's routes; its streams end before the server stops, which would wait for them."""
    async with serve_app(Starlette(routes=adapter.routes())) as base:
        try:
            yield base
        finally:
            await adapter.close()


@asynccontextmanager
async def open_harness(tmp_path: Path, **changes: Any) -> AsyncIterator[WebChatHarness]:
    """Alice and Bob each with two pages open: their own chat, and the group. `changes` are settings."""
    script, store, clock = Script(), FlakyStore(), Clock()
    settings = WebChatSettings(**{"secret_key": "a secret", "public_url": "http://chat.test", "stage": True, **changes})
    adapter = WebChatAdapter(settings, MENU, store, clock)
    running = asyncio.create_task(adapter.run(script))
    async with serve(adapter) as base, httpx2.AsyncClient(base_url=base, timeout=WAIT_SECONDS) as client:
        browsers = {}
        for who in ("alice", "bob"):
            browsers[who, False] = Browser(client, {"as": who})
            browsers[who, True] = Browser(client, {"as": who, "group": "group"})
        await asyncio.gather(*(page.open() for page in browsers.values()))
        try:
            yield WebChatHarness(adapter, script, store, clock, base, client, browsers)
        finally:
            for page in browsers.values():
                await page.close()
    await running


def _words(span: dict[str, Any]) -> str:
    return str(span["text"])
