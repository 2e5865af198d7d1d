"""A real browser looks at boards: they move without being loaded anew, on a desk, a phone and a screen."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from sqlmodel import Session

from core import clock, ids
from referral.boards.shares import share
from referral.campaigns import find_campaign
from referral.conversions import Order
from referral.orders import record_orders
from tests.web.boards.opened import TOKEN, signed
from tests.web.brandsite import Brandsite, open_brand
from tests.web.site import open_site

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
expect.set_options(timeout=20_000)


@asynccontextmanager
async def browser_of(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        await opened.close()


async def page_of(browser: Browser, complaints: list[str], **options: object) -> Page:
    """A window that tells of everything the browser complains about."""
    context = await browser.new_context(**options)  # type: ignore[arg-type]
    page = await context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def link(site: Brandsite) -> str:
    return site.house.do(
        lambda session: share(session, find_campaign(session, site.ours.brand_id, "spring-wild"), "x").token
    )


def buys(site: Brandsite, name: str) -> None:
    def unit(session: Session) -> None:
        who = site.ours.people[name]
        told = Order(site.ours.brand_id, "till", ids.new().hex, "CNY", 100, clock.now(), member_id=who)
        record_orders(session, [told])

    site.house.do(unit)


@pytest.mark.parametrize(("locale", "live", "today"), [("en", "Live", "Today"), ("zh_Hans", "实时", "今日")])
async def test_a_board_moves_before_everybodys_eyes(
    tmp_path: Path, chromium: str, locale: str, live: str, today: str
) -> None:
    complaints: list[str] = []
    async with open_brand(tmp_path, locale) as site, browser_of(chromium) as browser:
        mei, address = await site.person("owner"), site.address
        spoken = "en-GB" if locale == "en" else "zh-CN"
        desk = await page_of(browser, complaints, viewport={"width": 1280, "height": 800}, locale=spoken)
        await desk.context.add_cookies([{"name": "daixin", "value": mei.client.cookies["daixin"], "url": address}])
        await desk.goto(f"{address}/b/wild/leaderboard")
        await expect(desk.locator("#live")).to_have_text(live)
        await desk.get_by_role("link", name=today).click()
        screen = await page_of(browser, complaints, viewport={"width": 1920, "height": 1080}, locale=spoken)
        await screen.goto(f"{address}/board/{link(site)}/stage")
        phone = await page_of(
            browser, complaints, viewport={"width": 390, "height": 844}, locale=spoken, reduced_motion="reduce"
        )
        await phone.goto(f"{address}/board/{link(site)}")
        for page in (desk, screen, phone):
            await expect(page.locator(".places li b")).to_have_text("1")
            await page.evaluate("window.kept = true")
        buys(site, "Dora")
        for page in (desk, screen, phone):
            await expect(page.locator(".places li b")).to_have_text("2")
            assert await page.evaluate("window.kept"), "nothing is loaded anew"
            wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
            assert await page.evaluate(wide), "nothing sticks out at the side"
        await expect(desk.locator(".places li bdi")).to_have_text("Alice <b>&")
        await expect(screen.locator(".places li bdi")).to_have_text("A***&")
        await expect(screen.locator("[data-ends] output")).to_have_text(re.compile(r"\d\d:\d\d:\d\d$"))
        assert await screen.evaluate("document.documentElement.scrollHeight <= innerHeight"), "a screen is not scrolled"
    assert complaints == []


async def test_the_mini_app_knows_who_opened_it_and_follows(tmp_path: Path, chromium: str) -> None:
    complaints: list[str] = []
    async with open_site(tmp_path, telegram_token=TOKEN) as site, browser_of(chromium) as browser:
        campaign = site.campaign()
        site.scores("77", campaign)
        address = str(site.client.base_url.join("/mini?b=wild&lang=en"))
        page = await page_of(browser, complaints, viewport={"width": 390, "height": 844}, locale="en-GB")
        await page.goto(address)
        await expect(page.locator("#wait")).to_contain_text("Open this page from our bot")
        for token, answer in ((TOKEN, "You are no. 1 of 1"), ("7:another", "Telegram has not confirmed who you are")):
            data = urlencode({"tgWebAppData": signed(77, clock.now(), token), "tgWebAppVersion": "8.0"})
            await page.goto(f"{address}&of={token}#{data}")
            if token == TOKEN:
                await expect(page.locator("#me b")).to_have_text(answer)
                await expect(page.locator(".places li.mine bdi")).to_have_text("7***")
                site.scores("77", campaign)
                await expect(page.locator(".places li b")).to_have_text("2")
            else:
                await expect(page.locator("#wait")).to_contain_text(answer)
    assert [said for said in complaints if "403" not in said] == []
