"""Mei starts a brand in a browser, connects her shop, watches an order move the board, opens its journey, takes the
orders away as a file and signs out: on a phone in Chinese, on a desk in English. Each page is looked at by axe-core.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, Request, async_playwright, expect
from sqlmodel import Session

from core import clock, i18n
from referral import brands, campaigns, members
from referral.members import Account
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.exports.runner import ExportRunner
from tests.web.brandsite import Brandsite, open_brand
from tests.web.shops.payloads import shopify_order

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = Path(__file__).parent / "axe/node_modules/axe-core/axe.min.js"
SENDER = Path(__file__).resolve().parents[1] / "web/shops/senders/shopify.mjs"
PICTURES = os.environ.get("DAIXIN_PICTURES", "")
"""A folder for screenshots, for whoever wants to look."""
SECRET, EMAIL = "seven green kettles", "mei@example.com"
SERIOUS = ("serious", "critical")


@dataclass
class Walk:
    """Mei's browser, with everything it complains about."""

    site: Brandsite
    page: Page
    locale: str
    name: str
    complaints: list[str] = field(default_factory=list)

    def word(self, key: str, **params: Any) -> str:
        return i18n.text(self.locale, key, **params)

    async def press(self, key: str) -> None:
        await self.page.locator("#content, main").get_by_role("button", name=self.word(key), exact=True).first.click()

    async def look(self, what: str) -> None:
        """The page is a whole one: nothing sticks out, axe finds nothing serious, the browser complains of nothing."""
        await self.page.wait_for_load_state("load")
        if PICTURES:
            await self.page.screenshot(path=f"{PICTURES}/{self.name}-{what}.png", full_page=True)
        wide = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{what} is {wide} pixels too wide"
        assert await self.page.evaluate("document.documentElement.lang") == {"en": "en"}.get(self.locale, "zh-Hans")
        await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate("axe.run({resultTypes: ['violations']})")
        bad = [
            (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
            for one in found["violations"]
            if one["impact"] in SERIOUS
        ]
        assert bad == [], f"{what}: {bad}"
        assert self.complaints == [], what

    async def go(self, path: str, what: str) -> None:
        await self.page.goto(f"/b/tea-house{path}")
        await self.look(what)


@asynccontextmanager
async def walking(folder: Path, chromium: str, locale: str, size: tuple[int, int]) -> AsyncIterator[Walk]:
    async with (
        open_brand(folder, locale, open_to_brands=True, data_folder=str(folder)) as site,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = await browser.new_context(
            base_url=site.address,
            viewport={"width": size[0], "height": size[1]},
            locale="en-US" if locale == "en" else "zh-CN",
            color_scheme="dark" if size[0] < 500 else "light",
            timezone_id="Asia/Shanghai",
        )
        walk = Walk(site, await context.new_page(), locale, f"{locale}-{size[0]}")
        walk.page.on("console", lambda said: walk.complaints.append(said.text) if said.type == "error" else None)
        walk.page.on("pageerror", lambda error: walk.complaints.append(str(error)))

        def leaves(request: Request) -> None:
            if not request.url.startswith((site.address, "data:", "blob:")):
                walk.complaints.append(f"leaves the machine: {request.url}")

        walk.page.on("request", leaves)
        yield walk
        await browser.close()


def launch(walk: Walk) -> tuple[UUID, str]:
    """The campaign she has made in the chat; Alice takes part: (brand, Alice's code)."""

    def unit(session: Session) -> tuple[UUID, str]:
        brand = brands.find_brand(session, "tea-house")
        now = clock.now()
        raw = {
            "campaign": {
                "slug": "spring",
                "title": {"en": "Spring tea", "zh_Hans": "春茶会"},
                "benefit": {"en": "A free cup.", "zh_Hans": "送你一杯茶。"},
                "timezone": "Asia/Shanghai",
                "starts_at": now - timedelta(days=3),
                "ends_at": now + timedelta(days=30),
            },
            "qualify": {"event": "purchased", "window_days": 30},
            "rewards": {"asset": "USD", "budget": 50_000, "rules": [{"to": "advocate", "amount": 500}]},
        }
        campaign = apply_campaign(session, brand, build_campaign(raw)).campaign
        known = members.meet(session, brand.id, [Account("telegram", "alice", "Alice")], [now], "message")[0]
        return brand.id, campaigns.enroll(session, campaign, known.member_id)

    return walk.site.house.do(unit)


async def sold(walk: Walk, code: str, number: int, email: str) -> None:
    """Shopify's own library signs an order and sends it."""
    pipe = asyncio.subprocess.PIPE
    node = shutil.which("node") or "node"
    process = await asyncio.create_subprocess_exec(
        node, str(SENDER), stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, limit=2**20
    )
    try:
        customer = {"id": number, "email": email}
        order = shopify_order(number, name=f"#{number}", email=email, customer=customer)
        order["note_attributes"] = [{"name": "daixin", "value": code}]
        url = f"{walk.site.address}/hooks/shopify/tea-house"
        told = {"url": url, "secret": "hush hush hush", "topic": "orders/paid", "shop": "tea.myshopify.com"}
        said, _ = await asyncio.wait_for(
            process.communicate(json.dumps(told | {"body": json.dumps(order)}).encode() + b"\n"), 60
        )
        answer = json.loads(said)
        assert (answer["valid"], answer["status"], answer["answer"]["outcome"]) == (True, 200, "recorded"), answer
    finally:
        with suppress(ProcessLookupError):
            process.terminate()


async def starts_a_brand(walk: Walk) -> None:
    page = walk.page
    await page.goto("/sign-up")
    await walk.look("sign-up")
    await page.get_by_label(walk.word("auth.brand")).fill("Tea House")
    await page.get_by_label(walk.word("auth.your_name")).fill("Mei")
    await page.get_by_label(walk.word("auth.email")).fill(EMAIL)
    await page.get_by_label(walk.word("auth.password")).fill(SECRET)
    assert await page.get_by_label(walk.word("auth.timezone")).input_value() == "Asia/Shanghai"
    await walk.press("auth.start.do")
    await page.wait_for_url("**/b/tea-house/")
    await walk.look("overview-empty")


async def connects_a_shop(walk: Walk) -> None:
    page = walk.page
    await walk.go("/settings/shops", "shops-empty")
    await page.get_by_label(walk.word("shop.name"), exact=True).fill("tea.myshopify.com")
    await walk.press("shop.add.do")
    await page.get_by_label(walk.word("shop.secret.secret")).fill("hush hush hush")
    await walk.press("shop.secret.save")
    await page.get_by_text(walk.word("shop.deliveries.none")).first.wait_for()
    await walk.look("shop")


async def watches_the_board(walk: Walk, code: str) -> None:
    """She looks; an order comes; without her touching anything Alice has one more."""
    await sold(walk, code, 1001, "bob@example.com")
    await walk.go("/leaderboard/spring", "board")
    row = walk.page.locator("#content li, #content tr", has_text="Alice").first
    await expect(row).to_contain_text("1", timeout=20_000)
    await sold(walk, code, 1002, "dora@example.com")
    await expect(row).to_contain_text("2", timeout=20_000)
    await walk.look("board-moved")


async def opens_the_journey(walk: Walk) -> None:
    await walk.go("/journeys", "journeys")
    await walk.page.get_by_role("link", name="1001").first.click()
    await walk.page.wait_for_url("**/journeys/order/*")
    await expect(walk.page.locator("#content")).to_contain_text("Alice")
    await walk.look("journey")


async def takes_the_orders_away(walk: Walk, folder: Path) -> None:
    page = walk.page
    await walk.go("/exports", "exports")
    await page.get_by_label(walk.word("export.format")).select_option("csv")
    make = page.get_by_role("button", name=walk.word("export.make"), exact=True)
    await make.dblclick(delay=30)  # as people do: one file all the same
    await page.wait_for_url("**/exports?said=*")
    await expect(page.locator("#exports tbody tr")).to_have_count(1)
    made = ExportRunner(walk.site.house.writer, walk.site.house.reader, folder / "exports")
    assert await made.run_due() == 1
    await page.goto("/b/tea-house/exports")
    async with page.expect_download() as waiting:
        await page.locator("a[href$='/file']").first.click()
    await (await waiting.value).save_as(folder / "orders.csv")
    file = await asyncio.to_thread((folder / "orders.csv").read_text, "utf-8-sig")
    assert file.count("\n") == 3
    assert "Alice" in file
    await walk.look("exports-made")


OTHERS = ("/", "/campaigns", "/campaigns/spring", "/advocates", "/review", "/review/past", "/payouts",
          "/payouts/batches", "/ledger", "/trials", "/communities", "/settings/members", "/settings/keys",
          "/settings/webhooks", "/settings/costs", "/settings/sharing")  # fmt: skip


async def signs_out(walk: Walk) -> None:
    page = walk.page
    await page.goto("/account")
    await walk.look("account")
    await walk.press("auth.sign_out")
    await page.get_by_text(walk.word("auth.said.out")).wait_for()
    await walk.look("signed-out")
    await page.goto("/b/tea-house/journeys")
    await page.wait_for_url("**/sign-in?next=/b/tea-house/journeys")
    await page.get_by_label(walk.word("auth.email")).fill(EMAIL)
    await page.get_by_label(walk.word("auth.password")).fill(SECRET)
    await walk.press("auth.sign_in")
    await page.wait_for_url("**/b/tea-house/journeys")


@pytest.mark.slow
@pytest.mark.needs("axe")
@pytest.mark.needs("senders")
@pytest.mark.parametrize(
    ("locale", "size"),
    [pytest.param("zh_Hans", (390, 844), id="zh-phone"), pytest.param("en", (1280, 800), id="en-desk")],
)
async def test_a_brand_from_its_first_page_to_its_file(
    tmp_path: Path, chromium: str, locale: str, size: tuple[int, int]
) -> None:
    async with walking(tmp_path, chromium, locale, size) as walk:
        await starts_a_brand(walk)
        _, code = launch(walk)
        await connects_a_shop(walk)
        await watches_the_board(walk, code)
        await opens_the_journey(walk)
        await takes_the_orders_away(walk, tmp_path)
        for path in OTHERS:
            await walk.go(path, path.strip("/").replace("/", "-") or "overview")
        await signs_out(walk)
