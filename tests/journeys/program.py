"""One whole program with real adapters at pretend platforms, for journeys: one router, one outbox, one ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import SecretStr
from sqlmodel import Session

from bots.adapter import Adapter
from bots.commands.all import MENU
from bots.commands.invite import INVITE_TOPIC
from bots.discord.adapter import DiscordAdapter
from bots.invites import InviteMaker
from bots.notify import TOPIC, Deliverer
from bots.state import DatabaseStore
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.settings import TelegramSettings
from core import clock
from core.settings import Settings
from daixin import jobs
from daixin.bootstrap import Parts, build
from referral.brands import Brand, communities_of, create_brand
from referral.campaigns import Campaign
from rewards.campaign_files import new_campaign
from rewards.verify import verify
from tests.bots.discord.harness import quick
from tests.bots.discord.server import DiscordServer
from tests.bots.discord.server import running as discord_running
from tests.bots.discord.world import GUILD
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.harness import eventually, nap


@dataclass
class Program:
    """A running program; `telegram` and `discord` are the pretend platforms."""

    parts: Parts
    brand: Brand
    campaign: Campaign
    telegram: BotApi
    discord: DiscordServer

    def plug(self, adapter: Adapter) -> asyncio.Task[None]:
        """Let an adapter hear for the router and deliver for the outbox, as the bootstrap does."""
        parts = self.parts
        parts.adapters[adapter.platform] = adapter
        parts.dispatcher.on(TOPIC + adapter.platform, Deliverer(adapter, parts.reader, parts.writer))
        parts.dispatcher.on(INVITE_TOPIC + adapter.platform, InviteMaker(adapter, parts.writer))
        return asyncio.create_task(adapter.run(parts.router.hear))

    def store(self, platform: str) -> DatabaseStore:
        return DatabaseStore(platform, self.parts.writer, self.parts.reader)

    async def settle(self) -> None:
        """The jobs run, and everything is delivered."""
        await jobs.run_all(self.parts.writer)
        while await self.parts.dispatcher.deliver_due():
            continue

    async def later(self, **by: float) -> None:
        clock.move(clock.offset() + timedelta(**by))
        await self.settle()

    async def connected(self, count: int) -> None:
        """Wait until this many groups were heard of."""

        def groups(session: Session) -> int:
            return sum(not one.open for one in communities_of(session, self.brand.id))

        await eventually(lambda: self.parts.reader.run_sync(groups) >= count)


@asynccontextmanager
async def open_program(url: str) -> AsyncIterator[Program]:
    """The program on Telegram and Discord with one brand and one campaign: 7 days, 10 points each, held 3 days."""
    before = clock.offset()
    settings = Settings(
        database_url=url,
        secret_key=SecretStr("a secret of tests, long enough to be taken"),
        public_url="https://tea.example",
    )
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(BotApi())
        discord = await stack.enter_async_context(discord_running())
        discord.clock = datetime.now(UTC) - timedelta(minutes=1)
        discord.guilds[GUILD].members.pop("2")  # Bob is not there yet
        parts = build(settings)
        stack.callback(parts.close)
        stack.callback(clock.move, before)
        brand, campaign = parts.writer.run_sync(_found)
        program = Program(parts, brand, campaign, api, discord)
        telegram_settings = TelegramSettings(
            token=api.token,
            api_url=api.url,
            messages_per_second=0,
            group_messages_per_minute=0,
            chat_interval=0,
            poll_timeout=5,
        )
        adapters: list[Adapter] = [
            TelegramAdapter(telegram_settings, MENU, program.store("telegram"), clock.now, nap),
            DiscordAdapter(quick(discord), MENU, program.store("discord"), clock.now),
        ]
        for adapter in adapters:
            task = program.plug(adapter)
            stack.push_async_callback(_stop, adapter, task)
        await eventually(lambda: api.asked)
        yield program
        assert parts.reader.run_sync(verify) == []
        assert api.violations == []


async def _stop(adapter: Adapter, task: asyncio.Task[None]) -> None:
    await adapter.close()
    await asyncio.gather(task, return_exceptions=True)


def _found(session: Session) -> tuple[Brand, Campaign]:
    brand = create_brand(session, "Acme Tea", slug="acme", locale="en")
    made = new_campaign(session, brand, "Spring tea", advocate=10, friend=10, budget=1000)
    # The pretend platforms tell whole seconds, so a join can be reported for the moment before its campaign began.
    made.campaign.starts_at -= timedelta(hours=1)
    session.add(made.campaign)
    session.flush()
    return brand, made.campaign
