"""The brand's pages by keyboard, by thumb and with the network gone, in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright, expect
from sqlalchemy import update
from sqlmodel import Session, col

from referral.campaigns import Campaign
from referral.members import Member
from tests.web.brandsite import Brandsite, open_brand
from web.parts import Bot

WAIT = 20_000
"""Milliseconds anything may take on a busy machine."""
DESK, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
THUMB = 43.5
"""Pixels that a thumb hits; less the rounding of 44."""
SMALL = """(least) => [...document.querySelectorAll("main :is(a, button, input:not([type=hidden]), select, summary)")]
  .map((each) => [each, (each.closest("label") || each).getBoundingClientRect()])
  .filter(([each, box]) => box.width > 1 && box.height && box.height < least)
  .map(([each, box]) => `${Math.round(box.height)}: ${each.outerHTML.slice(0, 90)}`)"""
PAGES = ("/", "/campaigns", "/campaigns/spring-wild", "/leaderboard", "/advocates", "/journeys", "/review", "/payouts",
         "/ledger", "/communities", "/exports", "/settings/members", "/settings/keys", "/settings/shops",
         "/settings/webhooks", "/settings/sharing")  # fmt: skip


@asynccontextmanager
async def looking(folder: Path, chromium: str, size: ViewportSize) -> AsyncIterator[tuple[Brandsite, Page]]:
    expect.set_options(timeout=WAIT)
    bot = Bot("telegram", "@tea_bot", "https://t.me/tea_bot?startgroup")
    async with open_brand(folder, bots=[bot]) as site, async_playwright() as playwright:
        mei = await site.person("owner")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = await browser.new_context(locale="en-US", viewport=size, base_url=f"{site.address}")
        await context.add_cookies([{"name": "daixin", "value": mei.client.cookies["daixin"], "url": site.address}])
        yield site, await context.new_page()
        await browser.close()


async def test_an_explanation_opens_by_keys_as_often_as_one_likes(tmp_path: Path, chromium: str) -> None:
    async with looking(tmp_path, chromium, DESK) as (_, page):
        await page.goto("/b/wild/")
        box, mark = page.locator("#tip-rate"), page.locator("[data-tip=tip-rate]")
        await page.locator("#f-days").focus()
        for _ in range(10):
            await page.keyboard.press("Tab")
            if await mark.evaluate("(mark) => mark === document.activeElement"):
                break
        await expect(box).to_be_visible()  # by focus alone
        for _ in range(2):
            await page.keyboard.press("Escape")
            await expect(box).to_be_hidden()
            await expect(mark).to_be_focused()
            await page.keyboard.press("Enter")
            await expect(box).to_be_visible()


async def test_a_list_that_cannot_be_fetched_is_said_to_be_old(tmp_path: Path, chromium: str) -> None:
    async with looking(tmp_path, chromium, DESK) as (_, page):
        await page.goto("/b/wild/advocates")
        await page.context.set_offline(True)
        await page.locator("#f-q").press_sequentially("ali", delay=30)
        await expect(page.locator("#said")).to_contain_text("No connection")
        await expect(page.locator("#found")).to_contain_text("Alice")


async def test_who_was_signed_out_at_work_reads_why_they_are_asked_again(tmp_path: Path, chromium: str) -> None:
    async with looking(tmp_path, chromium, DESK) as (_, page):
        await page.goto("/b/wild/settings/costs")
        await page.context.clear_cookies()
        await page.locator("#baseline-amount").fill("12")
        await page.locator("#baseline").get_by_role("button", name="Save").click()
        await expect(page.get_by_role("status")).to_contain_text("Your session has ended")
        assert "next=/b/wild/settings/costs" in page.url


async def test_on_a_phone_everything_is_large_enough_for_a_thumb(tmp_path: Path, chromium: str) -> None:
    async with looking(tmp_path, chromium, PHONE) as (_, page):
        for path in PAGES:
            await page.goto(f"/b/wild{path}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            assert await page.evaluate(SMALL, THUMB) == [], path


async def test_no_name_is_so_long_that_a_phone_must_be_moved_sideways(tmp_path: Path, chromium: str) -> None:
    async with looking(tmp_path, chromium, PHONE) as (site, page):

        def lengthen(session: Session) -> None:
            word = "Pneumonoultramicroscopicsilicovolcanoconiosis" * 2
            ours = col(Member.brand_id) == site.ours.brand_id, col(Campaign.brand_id) == site.ours.brand_id
            session.execute(update(Member).where(ours[0]).values(name=word[:64]))
            session.execute(update(Campaign).where(ours[1]).values(title={"en": word, "zh_Hans": word}))

        site.house.do(lengthen)
        alice, order = site.ours.people["Alice"], site.ours.ids["conversion:1001"]
        for path in (*PAGES, f"/advocates/{alice}", f"/journeys/order/{order}", "/campaigns/spring-wild/attribution"):
            await page.goto(f"/b/wild{path}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path


async def test_at_night_pages_are_printed_in_the_colours_of_the_day(tmp_path: Path, chromium: str) -> None:
    async with looking(tmp_path, chromium, DESK) as (site, page):
        for path in ("/", f"/journeys/order/{site.ours.ids['conversion:1001']}"):
            await page.goto(f"/b/wild{path}")
            await page.emulate_media(media="print", color_scheme="dark")
            colours = "(node) => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
            assert await page.locator("body").evaluate(colours) == ["rgb(255, 255, 255)", "rgb(29, 23, 21)"]
            assert not await page.locator(".side").is_visible()
