"""Pictures that visitors send: the button of the page, and what is turned away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from bots.message import PICTURE_BYTES, Incoming, Reply, Said
from tests.bots.test_conformance import draw_picture
from tests.bots.webchat.harness import WebChatHarness, open_harness
from tests.conftest import find_chromium

ALICE = {"as": "alice"}
JPEG = {"Content-Type": "image/jpeg"}


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[WebChatHarness]:
    async with open_harness(tmp_path) as harness:
        yield harness


async def status(
    chat: WebChatHarness, content: bytes, query: dict[str, str] = ALICE, *, kind: str = "image/jpeg", origin: str = ""
) -> tuple[int, str]:
    headers = {"Content-Type": kind} | ({"Origin": origin} if origin else {})
    answer = await chat.client.post("/chat/pictures", params=query, content=content, headers=headers)
    return answer.status_code, answer.json().get("code", "")


async def test_what_is_turned_away(chat: WebChatHarness) -> None:
    assert await status(chat, b"x" * (PICTURE_BYTES + 1)) == (413, "picture_large")
    assert await status(chat, b"") == (422, "empty")
    assert await status(chat, b"x", {"as": "alice", "group": "group"}) == (403, "picture_private")
    assert await status(chat, b"x", kind="text/html") == (415, "not_picture")
    assert await status(chat, b"x", origin="https://evil.example") == (403, "wrong_origin")
    assert await status(chat, b"x", {}) == (401, "unknown_visitor")
    assert chat.script.heard == []
    assert await status(chat, b"x" * PICTURE_BYTES) == (200, "")


async def test_a_picture_posted_twice_is_heard_once(chat: WebChatHarness) -> None:
    for _ in range(2):
        assert await status(chat, b"x", ALICE | {"key": "k1"}) == (200, "")

    [said] = chat.script.heard
    assert isinstance(said, Said)
    assert said.picture is not None
    assert (said.text, said.picture.media_type, await said.picture.fetch()) == ("", "image/jpeg", b"x")


async def test_only_a_few_pictures_come_in_at_the_same_time(tmp_path: Path) -> None:
    async with open_harness(tmp_path, uploads=1) as chat:
        come, go = asyncio.Event(), asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"x"
            come.set()
            await go.wait()
            yield b"y"

        first = asyncio.create_task(chat.client.post("/chat/pictures", params=ALICE, content=slow(), headers=JPEG))
        await come.wait()
        await chat.eventually(lambda: chat.adapter._talk.uploading)
        assert await status(chat, b"x", {"as": "bob"}) == (429, "slow_down")
        go.set()
        assert (await first).status_code == 200
        assert await status(chat, b"x", {"as": "bob"}) == (200, "")


@pytest.mark.needs("chromium")
async def test_a_picture_is_chosen_and_seen(chat: WebChatHarness, tmp_path: Path) -> None:
    def answer(incoming: Incoming) -> Sequence[Reply]:
        return [Reply("A nice picture")] if isinstance(incoming, Said) and incoming.picture else []

    chat.script.answer = answer
    (tmp_path / "serum.jpg").write_bytes(draw_picture())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        await page.goto(f"{chat.base}/chat?as=Mei&lang=zh")
        async with page.expect_file_chooser() as chooser:
            await page.get_by_role("button", name="发图片").click()
        await (await chooser.value).set_files(tmp_path / "serum.jpg")
        await expect(page.get_by_text("A nice picture")).to_be_visible()
        await expect(page.locator(".mine .picture img")).to_have_count(1)
        await expect(page.locator(".mine.pending")).to_have_count(0)
        assert await page.locator(".mine .picture img").evaluate("image => image.naturalWidth") > 0
        await page.screenshot(path=str(tmp_path / "sent.png"))
        await page.reload()
        await expect(page.locator(".mine .text")).to_contain_text("图片")
        await page.goto(f"{chat.base}/chat?as=Mei&lang=zh&group=tea")
        await expect(page.get_by_role("button", name="发图片")).to_be_hidden()
        assert complaints == []
        await browser.close()

    said = next(one for one in chat.script.heard if isinstance(one, Said))
    assert said.picture is not None
    assert await said.picture.fetch() == draw_picture()
