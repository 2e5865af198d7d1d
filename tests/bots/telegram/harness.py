"""The Telegram adapter, real library and all, talking to the pretend Bot API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bots.adapter import OnIncoming
from bots.command import CommandSpec, Menu
from bots.message import Incoming, Reply
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.settings import TelegramSettings
from tests.bots.harness import Failure, MemoryStore, Script, Seen
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.botapi_world import Group, Shown, Someone

MENU = Menu(
    (
        CommandSpec("start", ("开始",), {"en": "Begin", "zh_Hans": "开始"}),
        CommandSpec("invite", ("邀请",), {"en": "My invite link and card", "zh_Hans": "我的邀请链接和海报"}, slow=True),
        CommandSpec("campaign", ("活动",), {"en": "Run campaigns", "zh_Hans": "管理活动"}, admin=True),
    )
)


async def eventually(probe: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait until the probe returns something true, and return that."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := probe()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError("waited in vain")
        await asyncio.sleep(0.005)
    return found


async def nap(seconds: float) -> None:
    """Sleep a moment, however long was asked for."""
    await asyncio.sleep(min(seconds, 0.02))


@dataclass
class TelegramHarness:
    """A running adapter; `api` is the pretend Telegram for what the neutral harness has no words for."""

    api: BotApi
    adapter: TelegramAdapter
    script: Script
    store: MemoryStore
    alice: Someone
    bob: Someone
    community: Group
    running: asyncio.Task[None] | None = None
    hear: OnIncoming | None = None
    """Hears instead of the script, for a test that wants to wait or to fail inside."""
    text_limit: int = 4096
    eventually: Callable[..., Any] = field(default=eventually)

    async def on_incoming(self, incoming: Incoming) -> Sequence[Reply]:
        return await (self.hear or self.script)(incoming)

    def who(self, name: str) -> Someone:
        return {"alice": self.alice, "bob": self.bob}[name]

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        self.api.say(self.who(who), text, self.community if group else None)

    async def show(self, who: str, file: bytes, media_type: str = "image/jpeg") -> None:
        kind = {"image/jpeg": "photo", "video/mp4": "animation"}.get(media_type, "document")
        self.api.show(self.who(who), file, kind=kind, media_type=media_type)

    async def press(self, who: str, label: str) -> None:
        shown = [message for chat in (self.who(who), self.community) for message in self.api.seen(chat)]
        newest = max((message for message in shown if label in message.labels), key=lambda one: one.message_id)
        self.api.press(self.who(who), newest, label)

    async def seen(self, who: str, count: int, *, group: bool = False) -> list[Seen]:
        chat = self.community if group else self.who(who)
        await eventually(lambda: len(self.api.seen(chat)) >= count)
        return [_seen(message, private=not group) for message in self.api.seen(chat)]

    def address(self, who: str) -> str:
        return str(self.who(who).id)

    async def fail_next(self, failure: Failure) -> None:
        match failure:
            case "permanent":
                self.api.fail_next("send", 403, "Forbidden: bot was blocked by the user")
            case "rate_limited":
                self.api.fail_next("send", 429, "Too Many Requests: retry after 30", retry_after=30)
            case "gone_away":
                self.api.drop_next("send")


@asynccontextmanager
async def open_harness(tmp_path: Path | None = None, **settings: Any) -> AsyncIterator[TelegramHarness]:
    """A running adapter with alice and bob, who both started the bot, and a group it administers."""
    async with BotApi() as api, running(api, **settings) as harness:
        yield harness
    assert api.violations == []


def make(api: BotApi, **settings: Any) -> TelegramHarness:
    """An adapter for this server, not running yet. Rates are lifted unless a test is about them."""
    free = {"messages_per_second": 0, "group_messages_per_minute": 0, "chat_interval": 0, "poll_timeout": 5}
    chosen = TelegramSettings(**({"token": api.token, "api_url": api.url} | free | settings))
    store = MemoryStore()
    adapter = TelegramAdapter(chosen, MENU, store, lambda: datetime(2026, 11, 22, 12, tzinfo=UTC), nap)
    alice, bob = api.person("Alice", username="alice", started=True), api.person("Bob", started=True)
    community = api.group("Tea lovers")
    community.statuses |= {alice.id: "creator", bob.id: "member"}
    return TelegramHarness(api, adapter, Script(), store, alice, bob, community)


@asynccontextmanager
async def running(api: BotApi, **settings: Any) -> AsyncIterator[TelegramHarness]:
    """The same, running and ready; closed in the end."""
    harness = make(api, **settings)
    harness.running = task = asyncio.create_task(harness.adapter.run(harness.on_incoming))
    try:
        await eventually(
            lambda: (harness.adapter.status.state == "ready" and api.asked) or api.violations or task.done()
        )
        yield harness
    finally:
        await harness.adapter.close()
        await asyncio.gather(task, return_exceptions=True)


def _seen(message: Shown, private: bool) -> Seen:
    return Seen(message.text, message.labels, message.photo, private, message.edited)
