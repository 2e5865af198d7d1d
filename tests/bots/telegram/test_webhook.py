"""The webhook: Telegram knocks with the secret, everybody else stays outside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.applications import Starlette

from bots.message import Reply
from bots.telegram.settings import TelegramSettings
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.botapi_wire import quiet_server
from tests.bots.telegram.harness import TelegramHarness, eventually, make

SECRET = "a-secret_42"


@asynccontextmanager
async def hooked() -> AsyncIterator[tuple[TelegramHarness, str]]:
    """An adapter behind a web server, as our web app mounts it, and the webhook's address."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/hooks/telegram"
    async with BotApi() as api:
        at = make(api, webhook_url=url, webhook_secret=SECRET)
        server = quiet_server(Starlette(routes=at.adapter.routes()))
        serving = asyncio.create_task(server.serve([listening]))
        task = asyncio.create_task(at.adapter.run(at.script))
        await eventually(lambda: at.adapter.status.state == "ready" and server.started)
        yield at, url
        await at.adapter.close()
        await task
        api.webhook = {}
        server.should_exit = True
        await serving
    assert api.violations == []


async def test_updates_arrive_with_the_secret_and_are_answered() -> None:
    async with hooked() as (at, url):
        at.script.answer = lambda incoming: [Reply("welcome")]
        await at.say("bob", "/start ABCD2345")
        assert [seen.text for seen in await at.seen("bob", 1)] == ["welcome"]
        [hook] = at.api.called("setWebhook")
        assert (hook["url"], hook["secret_token"]) == (url, SECRET)
        assert {"chat_member", "chat_join_request", "my_chat_member"} < set(hook["allowed_updates"])


@pytest.mark.parametrize("secret", [None, "", "a-secret_4", "ä"])
async def test_a_stranger_is_turned_away(secret: str | None) -> None:
    async with hooked() as (at, url), httpx2.AsyncClient(trust_env=False) as client:
        headers = {} if secret is None else {b"X-Telegram-Bot-Api-Secret-Token": secret.encode()}
        answer = await client.post(url, json={"update_id": 1}, headers=headers)
        assert answer.status_code == 403
        assert at.script.heard == []
        assert at.store.quarantined == []


async def test_poison_is_put_aside_and_not_brought_again() -> None:
    async with hooked() as (at, _):
        at.api.inject_raw(b"{not json")
        at.api.inject(message={"message_id": 1})
        await at.say("bob", "hello")
        await eventually(lambda: at.script.heard and len(at.store.quarantined) == 2)
        await eventually(lambda: at.api.webhook_answers[:3] == [200, 200, 200])


async def test_what_comes_while_we_close_is_brought_again_later() -> None:
    async with hooked() as (at, url), httpx2.AsyncClient(trust_env=False) as client:
        await at.adapter.close()
        answer = await client.post(url, json={}, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})
        assert answer.status_code == 503


async def test_polling_takes_a_forgotten_webhook_away() -> None:
    async with BotApi() as api:
        api.webhook = {"url": "http://127.0.0.1:9/gone"}
        at = make(api)
        task = asyncio.create_task(at.adapter.run(at.script))
        await at.say("bob", "hello")
        await eventually(lambda: at.script.heard)
        await at.adapter.close()
        await task


def test_a_webhook_without_a_secret_is_refused() -> None:
    for secret in (None, "", "with space", "x" * 257):
        with pytest.raises(ValueError, match="secret"):
            TelegramSettings("1:a", webhook_url="https://bot.example/hooks/telegram", webhook_secret=secret)


def test_settings_do_not_show_their_secrets() -> None:
    settings = TelegramSettings("1:hidden", webhook_url="https://bot.example", webhook_secret="hidden-too")
    assert "hidden" not in repr(settings)
