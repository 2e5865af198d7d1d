"""The pretend Bot API refuses what Telegram refuses, and asks for no more and no less."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest

from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.botapi_table import METHODS

PUBLISHED = Path(__file__).parents[3].parent / "shared" / "data" / "botapi.json"


@pytest.mark.needs("botapi")
@pytest.mark.parametrize("method", METHODS)
def test_the_table_agrees_with_the_published_description(method: str) -> None:
    published = json.loads(PUBLISHED.read_text())["methods"][method]
    fields = {field["name"]: field for field in published.get("fields", ())}
    for name, ours in METHODS[method].items():
        assert name in fields
        assert set(ours.types) <= set(fields[name]["types"])
        assert ours.required == fields[name]["required"]
    assert {name for name, field in fields.items() if field["required"]} <= METHODS[method].keys()


@pytest.mark.parametrize(
    ("method", "fields", "why"),
    [
        ("sendMessage", {"chat_id": "1"}, "text is missing"),
        ("sendMessage", {"chat_id": "1", "text": "hi", "colour": "red"}, "colour is not a field"),
        ("sendMessage", {"chat_id": "1", "text": "<b>hi", "parse_mode": "HTML"}, "can't find end tag"),
        ("sendMessage", {"chat_id": "1", "text": "<u>hi</u>", "parse_mode": "HTML"}, "unsupported start tag"),
        ("sendMessage", {"chat_id": "1", "text": "  "}, "message text is empty"),
        ("sendMessage", {"chat_id": "1", "text": "😀" * 2049}, "too long"),
        ("getChatMember", {"chat_id": "1", "user_id": "bob"}, "user_id is not Integer"),
        ("answerCallbackQuery", {"callback_query_id": "5"}, "query is too old"),
        ("createChatInviteLink", {"chat_id": "{group}", "name": "x" * 33}, "name is too long"),
        (
            "createChatInviteLink",
            {"chat_id": "{group}", "member_limit": "1", "creates_join_request": "true"},
            "member limit can't be specified",
        ),
        ("makeCoffee", {}, "not found"),
    ],
)
async def test_a_wrong_call_is_refused_and_remembered(method: str, fields: dict[str, str], why: str) -> None:
    async with BotApi() as api, httpx2.AsyncClient(trust_env=False) as client:
        group = api.group("Tea lovers")
        sent = {name: value.format(group=group.id) for name, value in fields.items()}
        answer = await client.post(f"{api.url}/bot{api.token}/{method}", data=sent)
        assert answer.status_code == 400
        assert why in answer.json()["description"]
        assert len(api.violations) == 1


@pytest.mark.parametrize(
    "button",
    [
        {"text": "x"},
        {"text": "", "callback_data": "a"},
        {"text": "x", "callback_data": "ä" * 33},
        {"text": "x", "callback_data": "a", "url": "https://a.example"},
        {"text": "x", "url": "http://localhost:8000"},
        {"text": "x", "copy_text": {"text": "y" * 257}},
    ],
)
async def test_a_wrong_button_is_refused(button: dict[str, object]) -> None:
    async with BotApi() as api, httpx2.AsyncClient(trust_env=False) as client:
        who = api.person("Alice", started=True)
        sent = {"chat_id": who.id, "text": "hi", "reply_markup": json.dumps({"inline_keyboard": [[button]]})}
        answer = await client.post(f"{api.url}/bot{api.token}/sendMessage", data=sent)
        assert answer.status_code == 400


async def test_a_bench_can_let_a_crowd_speak() -> None:
    async with BotApi(record=False) as api, httpx2.AsyncClient(trust_env=False) as client:
        await client.post(f"{api.url}/control/flood", json={"texts": [f"/start {n}" for n in range(150)]})
        batch = (await client.post(f"{api.url}/bot{api.token}/getUpdates")).json()["result"]
        assert [update["message"]["text"] for update in batch] == [f"/start {n}" for n in range(100)]
        rest = await client.post(f"{api.url}/bot{api.token}/getUpdates", data={"offset": batch[-1]["update_id"] + 1})
        assert len(rest.json()["result"]) == 50
        stats = (await client.get(f"{api.url}/control/stats")).json()
        assert stats == {"answered": 0, "unheard": 50, "violations": 0}
