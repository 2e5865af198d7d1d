"""Providers bring news to our door, over a socket: true news concludes a payout once, anything else changes nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from core import ids
from core.settings import Settings
from rewards.payouts.payouts import Payout, PayoutCompleted, PayoutContradicted, PayoutFailed, events_of
from rewards.payouts.paypal import PayPal
from rewards.payouts.port import Provider
from rewards.payouts.runner import PayoutRunner
from rewards.payouts.wechatpay import WeChatPay
from tests.bots.telegram.botapi_wire import quiet_server
from tests.house import House
from tests.rewards.payouts.standins.paypal import PayPalStandIn
from tests.rewards.payouts.standins.wechatpay import WeChatPayStandIn
from tests.rewards.payouts.till import Till, open_till
from web import payouts

PAYEES: dict[str, dict[str, Any]] = {"wechatpay": {"openid": "o-alice"}, "paypal": {"email": "alice@example.com"}}
ASSETS = {"wechatpay": "CNY", "paypal": "USD"}
Notice = tuple[dict[str, str], bytes]


@dataclass
class Door:
    """A till that pays by this provider, its stand-in, and our address it calls."""

    till: Till
    service: Any
    runner: PayoutRunner
    path: str
    client: httpx2.AsyncClient
    told: list[Any] = field(default_factory=list)

    async def withdraws(self, amount: int = 3000, key: str = "1") -> Payout:
        """Alice asks, and the provider has it."""
        await asyncio.to_thread(self.till.takes, amount, key)
        await self.runner.run_due()
        return self.payout()

    def payout(self) -> Payout:
        return self.till.payouts()[0]

    async def brings(self, notice: Notice) -> int:
        headers, body = notice
        answer = await self.client.post(self.path, content=body, headers={"content-type": "application/json"} | headers)
        return answer.status_code

    def arrives(self, reference: str) -> None:
        """The payee really has it."""
        (self.service.confirm if isinstance(self.service, WeChatPayStandIn) else self.service.claim)(reference)

    def comes_back(self, reference: str) -> dict[str, Any]:
        """What a notice says when the money went back."""
        if isinstance(self.service, WeChatPayStandIn):
            return {"state": "FAIL", "fail_reason": "OVERDUE_CLOSE"}
        return {"transaction_status": "RETURNED"}

    def of_another_sum(self, reference: str) -> dict[str, Any]:
        if isinstance(self.service, WeChatPayStandIn):
            return {"transfer_amount": 1}
        item = self.service.item(reference)["payout_item"]
        return {"payout_item": item | {"amount": {"currency": "USD", "value": "0.01"}}}


@asynccontextmanager
async def served(house: House, provider: Any) -> AsyncIterator[httpx2.AsyncClient]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = quiet_server(Starlette(routes=payouts.routes(Settings(), house.writer, house.reader, [provider])))
    task = asyncio.create_task(server.serve([listening]))
    host, port = listening.getsockname()
    try:
        async with httpx2.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        await task


@pytest.fixture(params=["wechatpay", "paypal"])
async def door(request: pytest.FixtureRequest, house: House) -> AsyncIterator[Door]:
    name = request.param
    with WeChatPayStandIn() if name == "wechatpay" else PayPalStandIn() as service:
        provider: Provider = (WeChatPay if name == "wechatpay" else PayPal)(service.settings())  # type: ignore[arg-type]
        till = await asyncio.to_thread(open_till, house, name, ASSETS[name])
        await asyncio.to_thread(till.earns, 5000)
        await asyncio.to_thread(lambda: till.payee(**PAYEES[name]))
        runner = PayoutRunner(house.writer, {name: provider})
        async with served(house, provider) as client:
            yield Door(till, service, runner, f"/hooks/{name}", client)
        await runner.close()
        assert service.violations == []


async def test_a_notice_concludes_the_payout_once_however_often_it_comes(door: Door) -> None:
    sent = await door.withdraws()
    assert sent.state == "processing"
    door.arrives(sent.reference)
    notice = door.service.notice(sent.reference)
    answers = await asyncio.gather(*(door.brings(notice) for _ in range(5)))
    assert set(answers) == {200}
    assert door.payout().state == "completed"
    assert len(door.till.heard(PayoutCompleted)) == 1
    notices = [
        one for one in door.till.shop.house.ask(lambda s: events_of(s, sent.brand_id, sent.id)) if one.kind == "notice"
    ]
    assert len(notices) == 1


async def test_money_that_came_back_is_payable_again(door: Door) -> None:
    sent = await door.withdraws()
    assert door.till.payable() == 2000
    assert await door.brings(door.service.notice(sent.reference, **door.comes_back(sent.reference))) == 200
    assert (door.payout().state, door.payout().reason) == ("failed", "unclaimed")
    assert door.till.payable() == 5000
    assert len(door.till.heard(PayoutFailed)) == 1


async def test_a_notice_that_contradicts_is_told_and_moves_nothing(door: Door) -> None:
    sent = await door.withdraws()
    door.arrives(sent.reference)
    assert await door.brings(door.service.notice(sent.reference)) == 200
    assert await door.brings(door.service.notice(sent.reference, **door.comes_back(sent.reference))) == 200
    assert door.payout().state == "completed"
    assert door.till.payable() == 2000
    assert len(door.till.heard(PayoutContradicted)) == 1


async def test_a_notice_older_than_what_we_know_changes_nothing(door: Door) -> None:
    sent = await door.withdraws()
    before = door.service.notice(sent.reference)
    door.arrives(sent.reference)
    await door.brings(door.service.notice(sent.reference))
    assert await door.brings(before) == 200
    assert door.payout().state == "completed"
    assert door.till.heard(PayoutContradicted) == []


async def test_forged_changed_and_old_notices_are_refused(door: Door) -> None:
    sent = await door.withdraws()
    door.arrives(sent.reference)
    headers, body = door.service.notice(sent.reference)
    old: Any = 3600 if isinstance(door.service, WeChatPayStandIn) else timedelta(days=6)
    notices: tuple[Notice, ...] = (
        door.service.notice(sent.reference, signer="stranger"),
        door.service.notice(sent.reference, age=old),
        (headers, body + b" "),
        (headers, b""),
        ({}, body),
    )
    for notice in notices:
        assert await door.brings(notice) == 401
    assert door.payout().state == "processing"
    assert door.till.payable() == 2000


async def test_a_notice_about_another_sum_changes_nothing(door: Door) -> None:
    sent = await door.withdraws()
    door.arrives(sent.reference)
    assert await door.brings(door.service.notice(sent.reference, **door.of_another_sum(sent.reference))) == 409
    assert door.payout().state == "processing"


async def test_a_payout_that_is_not_ours(door: Door) -> None:
    sent = await door.withdraws()
    stranger = ids.new().hex
    about = {"sender_batch_id": stranger} if isinstance(door.service, PayPalStandIn) else {"out_bill_no": stranger}
    assert await door.brings(door.service.notice(sent.reference, **about)) in (200, 404)
    about = dict.fromkeys(about, "no number at all")
    assert await door.brings(door.service.notice(sent.reference, **about)) in (200, 404)
    assert door.payout().state == "processing"


async def test_only_posts_are_heard(door: Door) -> None:
    assert (await door.client.get(door.path)).status_code == 405


async def test_a_provider_that_says_nothing_to_us_is_asked(door: Door) -> None:
    """The notice is lost altogether: the runner's own look-ups find out."""
    sent = await door.withdraws()
    door.arrives(sent.reference)
    answer = await door.runner.look_up(sent.brand_id, sent.id)
    assert answer.state == "completed"


PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
WECHAT = {"user-agent": f"{PHONE} MicroMessenger/8.0.54", "accept-language": "zh"}


async def test_alice_confirms_on_our_page_in_wechat(house: House) -> None:
    with WeChatPayStandIn() as service:
        provider = WeChatPay(service.settings(confirm_url="https://invite.example.com/pay/wechat/"))
        till = await asyncio.to_thread(open_till, house, "wechatpay", "CNY")
        await asyncio.to_thread(till.earns, 5000)
        await asyncio.to_thread(lambda: till.payee(**PAYEES["wechatpay"]))
        runner = PayoutRunner(house.writer, {"wechatpay": provider})
        async with served(house, provider) as client:
            sent = await asyncio.to_thread(till.takes, 3000)
            path = f"/pay/wechat/{sent.reference}"
            assert "还没准备好" in (await client.get(path, headers=WECHAT)).text
            await runner.run_due()
            told = till.payouts()[0].detail
            assert told["confirm_url"] == f"https://invite.example.com{path}"
            page = (await client.get(path, headers=WECHAT)).text
            assert f'data-package="{told["package_info"]}"' in page
            assert "¥30.00" in page
            assert "o-alice" not in page
            elsewhere = (await client.get(path, headers={"user-agent": PHONE, "accept-language": "en"})).text
            assert "open this page in WeChat" in elsewhere
            assert "data-package" not in elsewhere
            service.confirm(sent.reference)
            await runner.look_up(sent.brand_id, sent.id)
            assert "已到账" in (await client.get(path, headers=WECHAT)).text
            for wrong in (ids.new().hex, "nonsense", "%00", "x" * 400):
                assert (await client.get(f"/pay/wechat/{wrong}", headers=WECHAT)).status_code == 404
        await runner.close()
