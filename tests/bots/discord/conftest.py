"""A connected harness for most tests here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bots.discord.harness import DiscordHarness, opened


@pytest.fixture
async def discord() -> AsyncIterator[DiscordHarness]:
    async with opened() as harness:
        yield harness
