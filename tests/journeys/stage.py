"""A story told once and played on any platform: the whole program behind a real adapter at its pretend platform."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr
from sqlmodel import Session

from bots.announcements import Announcer
from bots.commands.all import MENU
from bots.markup import plain
from bots.notify import TOPIC, Deliverer
from core import clock, i18n
from core.settings import Settings
from daixin import jobs
from daixin.bootstrap import Parts, build
from referral import announcing
from tests.bots.discord.harness import DiscordHarness, quick
from tests.bots.discord.server import running as discord_running
from tests.bots.harness import Harness, MemoryStore, Seen
from tests.bots.telegram.harness import TelegramHarness
from tests.bots.webchat.harness import WebChatHarness

T = TypeVar("T")
PATIENCE = 20.0
GROUPS = {"telegram": "Tea lovers", "discord": "Tea house", "wechat": "Tea lovers", "webchat": "group"}


@dataclass
class Stage:
    """Alice (who runs the group) and Bob on one platform; words are named by their message keys."""

    platform: str
    locale: str
    harness: Harness
    parts: Parts
    _before: dict[str, int] = field(default_factory=dict)
    _filled: set[str] = field(default_factory=set)

    def word(self, key: str, **params: Any) -> str:
        return plain(i18n.text(self.locale, key, **params))

    def do(self, unit: Callable[[Session], T]) -> T:
        return self.parts.writer.run_sync(unit)

    async def says(self, who: str, text: str, *, group: bool = False) -> None:
        await self._look(who, group)
        await self.harness.say(who, text, group=group)

    async def presses(self, who: str, key: str, *, group: bool = False, **params: Any) -> None:
        """Wait for the button, and press it."""
        label = i18n.text(self.locale, key, **params)

        async def offered() -> bool:
            return any(label in one.buttons for one in await self._new(who, group))

        try:
            await self._until(offered)
        except TimeoutError:
            raise AssertionError(f"{who} was offered no {label!r} but {await self._new(who, group)}") from None
        await self._look(who, group)
        await self.harness.press(who, label)

    async def fills(self, who: str, **answers: str) -> None:
        """Where the platform has forms they are filled in at once; else each question is answered in its turn."""
        if isinstance(self.harness, DiscordHarness):
            server = self.harness.server
            waiting = await self._until(lambda: self._modal(who))
            self._filled.add(waiting.id)
            await self._look(who, False)
            await server.submit(waiting, answers)
            return
        for answer in answers.values():
            await self.asked(who)
            await self.says(who, answer)

    async def asked(self, who: str) -> None:
        """Wait for whatever comes next."""
        await self._until(lambda: self._new(who, False))

    async def sees(self, who: str, words: str, *, group: bool = False) -> str:
        """Wait until the person (or the group) is shown these words in answer to what they did last."""

        async def found() -> str:
            shown = await self._new(who, group)
            return next((one.text for one in shown if words in one.text), "")

        try:
            return str(await self._until(found))
        except TimeoutError:
            texts = [one.text for one in await self._new(who, group)]
            raise AssertionError(f"{who} was not shown {words!r} but {texts}") from None

    async def settle(self) -> None:
        await jobs.run_all(self.parts.writer)
        while await self.parts.dispatcher.deliver_due():
            continue

    async def arrives(self, who: str, words: str) -> None:
        """A minute later, settle until the outbox has brought these words."""
        clock.move(clock.offset() + timedelta(minutes=1))

        async def found() -> bool:
            await self.settle()
            return any(words.lower() in one.text.lower() for one in await self.harness.seen(who, 0))

        await self._until(found)

    async def _look(self, who: str, group: bool) -> None:
        for where in {False, group}:
            self._before[f"{who}/{where}"] = len(await self.harness.seen(who, 0, group=where))

    async def _new(self, who: str, group: bool) -> list[Seen]:
        """What came since; on Discord the place of a pressed message may have been taken by the answer."""
        shown = await self.harness.seen(who, 0, group=group)
        return [*shown[self._before.get(f"{who}/{group}", 0) :], *(one for one in shown if one.edited)]

    def _modal(self, who: str) -> Any:
        """The newest form this person was shown and has not sent."""
        assert isinstance(self.harness, DiscordHarness)
        made = self.harness.server.interactions.values()
        open_ones = [one for one in made if one.modal and one.id not in self._filled and one.user.username == who]
        return open_ones[-1] if open_ones else None

    def form(self, who: str) -> str:
        """The words of the form that is open, on Discord."""
        shown = self._modal(who)
        return json.dumps(shown.modal, ensure_ascii=False) if shown else ""

    async def _until(self, probe: Callable[[], Any]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = probe()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.02)


@asynccontextmanager
async def on_stage(platform: str, locale: str, url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    """The program on one platform, with no brand yet."""
    settings = Settings(
        database_url=url,
        secret_key=SecretStr("a secret of tests, long enough to be taken"),
        public_url="https://tea.example",
        admins="webchat:stage:alice" if platform == "webchat" else "",
    )
    async with AsyncExitStack() as stack:
        parts = build(settings)
        stack.callback(parts.close)
        stack.callback(clock.move, clock.offset())
        if platform == "discord":
            server = await stack.enter_async_context(discord_running())
            guild = DiscordHarness(server, quick(server), MemoryStore(), MENU)
            guild.script.router = parts.router.hear
            await guild.start()
            stack.push_async_callback(guild.stop)
            made: Any = guild
            server.user("alice").locale = "zh-CN" if locale == "zh_Hans" else "en-US"
        else:
            module = importlib.import_module(f"tests.bots.{platform}.harness")
            made = await stack.enter_async_context(module.open_harness(tmp_path))
            made.script.router = parts.router.hear
        harness: Harness = made
        if isinstance(harness, TelegramHarness):
            for someone in (harness.alice, harness.bob):
                someone.language_code = "zh-hans" if locale == "zh_Hans" else "en"
        if isinstance(harness, WebChatHarness):
            harness.client.headers["accept-language"] = "zh-CN" if locale == "zh_Hans" else "en"
        parts.adapters[platform] = harness.adapter
        parts.dispatcher.on(TOPIC + platform, Deliverer(harness.adapter, parts.reader, parts.writer))
        parts.dispatcher.on(announcing.TOPIC + platform, Announcer(harness.adapter, parts.writer))
        yield Stage(platform, locale, harness, parts)
