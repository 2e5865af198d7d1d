"""The running adapter every wire test of WeChat begins with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.bots.wechat.harness import WeChatHarness, open_harness


@pytest_asyncio.fixture
async def wechat(tmp_path: Path) -> AsyncIterator[WeChatHarness]:
    """Alice, Bob and a group on a pretend WeChat, the adapter logged in."""
    async with open_harness(tmp_path) as harness:
        yield harness
