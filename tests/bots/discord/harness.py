"""The conformance harness around the real adapter, talking to the pretend Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from bots.command import Argument, CommandSpec, Menu
from bots.discord.adapter import DiscordAdapter
from bots.discord.encode import TEXT_LIMIT
from bots.discord.settings import DiscordSettings
from bots.message import Present
from tests.bots.discord.payloads import Message
from tests.bots.discord.reading import read
from tests.bots.discord.server import DiscordServer, running
from tests.bots.discord.world import CLOSED_TO_US, GUILD, OUT_OF_ORDER, RATE_LIMITED, TOKEN, buttons
from tests.bots.harness import Failure, MemoryStore, Script, Seen

T = TypeVar("T")
PATIENCE = 20.0
"""Seconds before a condition counts as never."""

MENU = Menu(
    (
        CommandSpec("start", ("开始",), {"en": "Begin", "zh_Hans": "开始"}),
        CommandSpec("invite", ("邀请",), {"en": "Your invite link and card", "zh_Hans": "邀请链接和海报"}, slow=True),
        CommandSpec("me", ("我的",), {"en": "Where you stand", "zh_Hans": "我的进度"}),
        CommandSpec(
            "join",
            ("加入", "使用邀请码"),
            {"en": "Enter a friend's code", "zh_Hans": "填写邀请码"},
            Argument("code", {"en": "the code", "zh_Hans": "邀请码"}, required=True),
        ),
        CommandSpec("campaign", ("活动",), {"en": "Run campaigns", "zh_Hans": "管理活动"}, admin=True),
    )
)
FAILURES = {"permanent": CLOSED_TO_US, "rate_limited": RATE_LIMITED, "gone_away": OUT_OF_ORDER}


async def eventually(condition: Callable[[], Any]) -> Any:
    """Wait (bounded) until the function returns something true."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    found = condition()
    while not found:
        assert loop.time() < deadline, "waited in vain"
        await asyncio.sleep(0.01)
        found = condition()
    return found


class DiscordHarness:
    """A running adapter and its pretend Discord."""

    text_limit = TEXT_LIMIT

    def __init__(self, server: DiscordServer, settings: DiscordSettings, store: MemoryStore, menu: Menu = MENU) -> None:
        self.server = server
        self.settings = settings
        self.store = store
        self.menu = menu
        self.script = Script()
        self.eventually = eventually
        self.adapter = self._made()
        self.running: asyncio.Task[None] | None = None

    def _made(self) -> DiscordAdapter:
        return DiscordAdapter(self.settings, self.menu, self.store, lambda: datetime.now(UTC))

    # ---- its own life

    async def start(self, *, wait: bool = True) -> None:
        """`wait`: until everybody in every guild has been looked at."""
        before = len(self.heard(Present))
        self.running = asyncio.create_task(self.adapter.run(self.script))
        if wait:
            await eventually(lambda: self._died() or len(self.heard(Present)) >= before + len(self.server.guilds))

    async def stop(self) -> None:
        await self.adapter.close()
        if self.running is not None:
            with suppress(Exception, asyncio.CancelledError):
                await asyncio.wait_for(self.running, PATIENCE)

    async def restart(self) -> None:
        """As after a new start of the program: only the store is left."""
        await self.stop()
        self.adapter = self._made()
        await self.start()

    def heard(self, kind: type[T]) -> list[T]:
        """What of one kind the core has heard, in order."""
        return [incoming for incoming in self.script.heard if isinstance(incoming, kind)]

    def _died(self) -> bool:
        if self.running is not None and self.running.done():
            self.running.result()
        return False

    # ---- what people do and see

    async def say(self, who: str, text: str, *, group: bool = False) -> None:
        word, _, rest = text.strip().partition(" ")
        if word.removeprefix("/") in {spec.name for spec in self.menu.commands}:
            await self.server.slash(who, word.removeprefix("/"), rest.strip(), guild=GUILD if group else None)
        elif group:
            raise ValueError("the bot reads no texts in guilds: it does not ask for the message content intent")
        else:
            await self.server.write(who, text)

    async def show(self, who: str, file: bytes, media_type: str = "image/jpeg") -> None:
        await self.server.show(who, file, media_type)

    async def press(self, who: str, label: str) -> None:
        message = next(m for m in reversed(self._sees(who)) if any(b.get("label") == label for b in buttons(m)))
        in_guild = any(message.channel in guild.channels for guild in self.server.guilds.values())
        await self.server.press(who, message, label, guild=GUILD if in_guild else None)

    async def seen(self, who: str, count: int, *, group: bool = False) -> list[Seen]:
        def shown() -> list[Message]:
            return self.server.public_messages() if group else self.server.private_messages(who)

        await eventually(lambda: len(shown()) >= count)
        return [
            Seen(read(m.content), [b["label"] for b in buttons(m)], m.image, private=not group, edited=m.edited)
            for m in shown()
        ]

    def address(self, who: str) -> str:
        return self.server.user(who).id

    async def fail_next(self, failure: Failure) -> None:
        self.server.refusals.append(replace(FAILURES[failure]))

    def _sees(self, who: str) -> list[Message]:
        """Private and public messages, oldest first."""
        messages = [*self.server.private_messages(who), *self.server.public_messages()]
        return sorted(messages, key=lambda message: int(message.id))


def quick(server: DiscordServer, **changes: Any) -> DiscordSettings:
    """Settings for tests: the same, only less patient."""
    settings = DiscordSettings(
        TOKEN,
        api_url=server.api_url,
        gateway_url=server.gateway_url,
        guild_ready_timeout=0.05,
        settle=0.1,
        backoff=0.05,
        members_timeout=5.0,
        search_after=None,
    )
    return replace(settings, **changes)


@asynccontextmanager
async def opened(*, start: bool = True, **changes: Any) -> AsyncIterator[DiscordHarness]:
    """A harness with changed settings; `start=False` leaves connecting to the test."""
    async with running() as server:
        harness = DiscordHarness(server, quick(server, **changes), MemoryStore())
        if start:
            await harness.start()
        try:
            yield harness
        finally:
            await harness.stop()


@asynccontextmanager
async def open_harness(tmp_path: Path) -> AsyncIterator[DiscordHarness]:
    """What the conformance test opens."""
    async with opened() as harness:
        yield harness
