"""An advocate asks why an order did not count: found by a few letters, read, and answered, in a real browser."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from core import clock
from referral import members
from referral.arrivals import Arrive, arrive
from referral.conversions import Order
from referral.members import Account
from referral.orders import record_orders
from tests.web.brandsite import Brandsite, open_brand

WAIT = 20_000
"""Milliseconds anything may take on a busy machine."""


def known_before(site: Brandsite) -> None:
    """Eve wrote to the bot three days before she used Alice's code, and bought."""
    eve = Account("telegram", "eve", "伊芙 Eve", chat="eve")
    brand_id, now = site.ours.brand_id, clock.now()
    site.house.do(lambda session: members.meet(session, brand_id, [eve], [now - timedelta(days=3)], "message"))
    site.house.do(lambda session: arrive(session, [Arrive(site.ours.code, eve, now)]))
    order = Order(brand_id, "till", "E-1", "CNY", 9_900, now, account=("telegram", "eve"))
    site.house.do(lambda session: record_orders(session, [order]))


async def finds_alice_by_keyboard(page: Page, address: str, slug: str) -> None:
    """Typing lists who fits; down and enter opens the first."""
    await page.goto(f"{address}/b/{slug}/advocates")
    box = page.locator("#f-q")
    await box.press_sequentially("ali", delay=30)
    await expect(page.locator("#found .count")).to_contain_text("找到 1 人")
    await page.wait_for_url("**q=ali**")
    await expect(box).to_be_focused()
    await box.press("ArrowDown")
    await expect(page.locator("#found tbody a")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Alice")


async def test_a_growth_lead_answers_an_advocate(tmp_path: Path, chromium: str) -> None:
    expect.set_options(timeout=WAIT)
    async with open_brand(tmp_path, "zh_Hans") as site, async_playwright() as playwright:
        known_before(site)
        mei = await site.person("reviewer")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(locale="zh-CN", viewport={"width": 390, "height": 844})
        await context.add_cookies([{"name": "daixin", "value": mei.client.cookies["daixin"], "url": site.address}])
        page = await context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)

        await finds_alice_by_keyboard(page, site.address, mei.slug)
        await page.get_by_role("link", name="伊芙 Eve").click()
        await expect(page.locator(".verdict .answer")).to_contain_text("只有新朋友才算")
        await expect(page.locator(".journey > li").first).to_contain_text("第一次见到这个人")
        await expect(page.locator(".rules .against").first).to_contain_text("是新朋友")
        letter = page.locator(".letter .text").first
        await expect(letter).to_contain_text("你好，Alice")
        assert "伊芙" not in await letter.inner_text()
        await page.get_by_role("button", name="复制说明").click()
        await expect(page.locator("#said")).to_be_visible()
        await page.get_by_role("link", name="E-1").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("订单 E-1")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        assert wrong == []
        await browser.close()
