"""The page in a real browser: a friend comes with a code, on a phone, in the dark, in Chinese."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from bots.markup import escape
from bots.message import Button, Field, Form, Image, Incoming, Pressed, Reply, Said, Submitted
from tests.bots.test_conformance import draw_picture
from tests.bots.webchat.harness import WebChatHarness, open_harness, serve_app
from tests.conftest import find_chromium

pytestmark = pytest.mark.needs("chromium")
EVIL = "<img src=x onerror=\"document.title='owned'\"> **b** \u05d0\u05d1"


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=flags)
        yield browser
        await browser.close()


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[WebChatHarness]:
    async with open_harness(tmp_path) as harness:
        harness.script.answer = answer
        yield harness


def answer(incoming: Incoming) -> Sequence[Reply]:
    match incoming:
        case Said(text="邀请" | "/invite"):
            buttons = ((Button("Confirm", action="confirm"),),)
            return [Reply("Your **card**", buttons=buttons, image=Image(draw_picture, "card.jpg", "Invite card"))]
        case Said(text="/link"):
            return [Reply("Please", form=Form("Link", "link", (Field("code", "Your code"),)))]
        case Said(text=text):
            return [Reply(f"you said {escape(text)}")]
        case Pressed():
            return [Reply("Confirmed", edit=True)]
        case Submitted(answers=answers):
            return [Reply(f"Got {escape(answers['code'])}")]
    return []


async def open_page(chromium: Browser, url: str, **options: Any) -> tuple[Page, list[str]]:
    """A page of its own profile, and the complaints of its console as they come."""
    page = await (await chromium.new_context(**options)).new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto(url)
    return page, complaints


async def test_a_friend_starts_with_a_code_and_gets_a_card(chromium: Browser, chat: WebChatHarness) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "zh-CN"}
    page, complaints = await open_page(chromium, f"{chat.base}/chat?code=ABCD2345", **phone)
    await page.get_by_role("button", name="开始").click()
    await expect(page.locator(".theirs .text")).to_contain_text("you said /start ABCD2345")
    assert "code=" not in page.url
    await page.get_by_role("button", name="邀请").click()
    picture = page.get_by_alt_text("Invite card")
    await expect(picture).to_be_visible()
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_text("Confirmed")).to_be_visible()
    await expect(page.get_by_text("Your card")).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


async def test_what_people_write_is_shown_and_never_run(chromium: Browser, chat: WebChatHarness) -> None:
    page, complaints = await open_page(chromium, f"{chat.base}/chat?as=Eve&lang=en")
    await page.get_by_role("textbox", name="Write a message").fill(EVIL)
    await page.keyboard.press("Enter")
    await expect(page.locator(".theirs .text")).to_contain_text(f"you said {EVIL}")
    await expect(page.locator(".mine .text")).to_contain_text(EVIL)
    assert await page.title() == "Daixin"
    assert complaints == []


async def test_a_form_is_filled_with_the_keyboard_alone(chromium: Browser, chat: WebChatHarness) -> None:
    page, complaints = await open_page(chromium, f"{chat.base}/chat?as=Alice&lang=en")
    await page.get_by_role("textbox", name="Write a message").fill("/link")
    await page.keyboard.press("Enter")
    await page.get_by_label("Your code").focus()
    await page.keyboard.type("WXYZ")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Got WXYZ")).to_be_visible()
    await expect(page.get_by_label("Your code")).to_be_disabled()
    assert complaints == []


async def test_the_name_the_language_and_silence_are_settings(chromium: Browser, chat: WebChatHarness) -> None:
    page, complaints = await open_page(chromium, f"{chat.base}/chat", locale="en-GB")
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_label("Your name").fill("Alice")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_role("button", name="Stop messages").click()
    await expect(page.get_by_text("messages stopped")).to_be_visible()
    await page.get_by_role("button", name="中文").click()
    await expect(page.get_by_text("已停止接收消息")).to_be_visible()
    await page.get_by_role("button", name="开始").click()
    await expect(page.locator(".theirs .text")).to_contain_text("/start")
    said = next(incoming for incoming in chat.script.heard if isinstance(incoming, Said))
    assert (said.person.name, said.person.locale) == ("Alice", "zh_Hans")
    assert complaints == []


async def test_two_people_side_by_side_in_a_room(chromium: Browser, chat: WebChatHarness) -> None:
    alice, _ = await open_page(chromium, f"{chat.base}/chat?as=Alice&group=tea&lang=en")
    bob, _ = await open_page(chromium, f"{chat.base}/chat?as=Bob&group=tea&lang=zh")
    await bob.get_by_role("button", name="加入群聊").click()
    await expect(alice.get_by_text("Bob joined the group")).to_be_visible()
    await alice.get_by_role("textbox").fill("Hi Bob")
    await alice.keyboard.press("Enter")
    await expect(bob.locator(".name", has_text="Alice")).to_be_visible()
    await expect(bob.get_by_role("button", name="退出群聊")).to_be_visible()


async def test_the_widget_opens_on_another_site_that_allows_no_inline_styles(chromium: Browser, tmp_path: Path) -> None:
    async def shop(base: str, request: Request) -> HTMLResponse:
        html = f'<!doctype html><h1>Tea</h1><script src="{base}/chat/widget.js" data-lang="en" defer></script>'
        policy = f"default-src 'none'; script-src {base}; frame-src {base}"
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async with AsyncExitStack() as open_things:
        chat = await open_things.enter_async_context(open_harness(tmp_path, allowed_origins=("http://127.0.0.1:*",)))
        chat.script.answer = answer
        shop_app = Starlette(routes=[Route("/", partial(shop, chat.base))])
        page, complaints = await open_page(chromium, await open_things.enter_async_context(serve_app(shop_app)))
        await page.get_by_role("button", name="Open chat").click()
        frame = page.frame_locator("iframe")
        await frame.get_by_role("button", name="Start").click()
        await expect(frame.locator(".theirs .text")).to_contain_text("you said /start")
        await page.get_by_role("button", name="Close chat").click()
        await expect(page.locator("iframe")).to_be_hidden()
        assert not [complaint for complaint in complaints if "favicon" not in complaint]
