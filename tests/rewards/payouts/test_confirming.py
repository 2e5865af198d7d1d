"""Alice confirms a transfer on our page, in a browser that says it is WeChat's; WeChat's own sheet is pretended."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from core.settings import Settings
from rewards.payouts.runner import PayoutRunner
from rewards.payouts.wechatpay import WeChatPay
from tests.bots.telegram.botapi_wire import quiet_server
from tests.house import House, fresh_sqlite
from tests.rewards.payouts.standins.wechatpay import APPID, MCHID, WeChatPayStandIn
from tests.rewards.payouts.till import open_till
from tests.web.site import WECHAT
from web import payouts
from web.app import WebParts, create_app

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SHEET = """
window.WeixinJSBridge = {
  invoke: (name, given, done) => { window.asked = [name, given]; done({ err_msg: name + ":" + window.says }); },
};
"""


@asynccontextmanager
async def served(house: House, provider: WeChatPay) -> AsyncIterator[str]:
    """The whole web application, with what guards its pages."""
    settings = Settings(public_url="http://friends.example")
    parts = WebParts(
        writer=house.writer,
        reader=house.reader,
        settings=settings,
        health=dict,
        entrances=lambda *_: [],
        routes=payouts.routes(settings, house.writer, house.reader, [provider]),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = quiet_server(create_app(parts))
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def waiting(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """A transfer to Alice that waits for her: (the page's address, what WeChat's sheet wants)."""
    house = House(fresh_sqlite(folder))
    with WeChatPayStandIn() as service:
        provider = WeChatPay(service.settings())
        till = await asyncio.to_thread(open_till, house, "wechatpay", "CNY")
        await asyncio.to_thread(till.earns, 5000)
        await asyncio.to_thread(lambda: till.payee(openid="o-alice"))
        sent = await asyncio.to_thread(till.takes, 3000)
        await PayoutRunner(house.writer, {"wechatpay": provider}).run_due()
        package = str(till.payouts()[0].detail["package_info"])
        async with served(house, provider) as url:
            yield f"{url}/pay/wechat/{sent.reference}", package
    house.close()


@asynccontextmanager
async def window(chromium: str, agent: str) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page of a browser of this name, and everything it complained of."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await (await browser.new_context(user_agent=agent, locale="zh-CN")).new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.add_init_script(SHEET)
        yield page, complaints
        await browser.close()


async def test_one_touch_opens_wechats_sheet(chromium: str, tmp_path: Path) -> None:
    async with waiting(tmp_path) as (address, package), window(chromium, WECHAT) as (page, complaints):
        await page.goto(address)
        button, said = page.locator("#confirm"), page.locator("#said")
        await expect(page.locator(".campaign")).to_have_text("¥30.00")
        await page.evaluate("window.says = 'cancel'")
        await button.click()
        await expect(said).to_be_hidden()
        await page.evaluate("window.says = 'fail'")
        await button.click()
        await expect(said).to_have_text("微信没能打开收款页，请更新微信后再试。")
        await page.evaluate("window.says = 'ok'")
        await button.click()
        await expect(button).to_be_hidden()
        await expect(said).to_have_text("已确认，到账后会发消息告诉你。")
        assert await page.evaluate("window.asked") == [
            "requestMerchantTransfer",
            {"mchId": MCHID, "appId": APPID, "package": package},
        ]
        assert complaints == []


async def test_another_browser_says_where_to_go(chromium: str, tmp_path: Path) -> None:
    agent = WECHAT.replace("MicroMessenger/8.0.54", "Version/18.1 Mobile/15E148 Safari/604.1")
    async with waiting(tmp_path) as (address, _), window(chromium, agent) as (page, complaints):
        await page.goto(address)
        await expect(page.locator("h1")).to_have_text("请在微信里打开这个页面")
        await page.get_by_text("复制链接").click()
        await expect(page.locator("#said")).to_be_visible()
        assert complaints == []
