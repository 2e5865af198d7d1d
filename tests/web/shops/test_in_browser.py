"""The growth lead connects a shop on her phone, and sees the first order come in without touching anything."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import async_playwright

from tests.web.brandsite import open_brand
from tests.web.dashboard.test_shops_page import push
from tests.web.shops.payloads import shopify_order


async def test_the_first_order_appears_by_itself(tmp_path: Path, chromium: str) -> None:
    async with open_brand(tmp_path, locale="zh_Hans") as site, async_playwright() as playwright:
        mei = await site.person("owner")
        browser = await playwright.chromium.launch(executable_path=chromium)
        try:
            phone = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
            token = mei.client.cookies["daixin"]
            await phone.add_cookies([{"name": "daixin", "value": token, "url": site.address}])
            page = await phone.new_page()
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            await page.goto(f"{site.address}/b/wild/settings/shops")
            await page.get_by_label("店铺名称").fill("hill-tea.myshopify.com")
            await page.get_by_role("button", name="下一步").click()
            await page.get_by_label("签名密钥").fill("hush")
            await page.get_by_role("button", name="保存密钥").click()
            await page.get_by_text("还没有收到消息").wait_for()
            noted = [{"name": "daixin", "value": site.ours.code}]
            order = shopify_order(note_attributes=noted, email="new@example.com")
            assert await push(site, "/hooks/shopify/wild", order, "hush", "x-shopify-hmac-sha256") == 200
            await page.locator("#deliveries").get_by_text("已记录").wait_for(timeout=20_000)
            await page.locator("#deliveries").get_by_role("link", name="#1001").click()
            await page.wait_for_url("**/journeys/order/*")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
            assert said == []
        finally:
            await browser.close()
