"""`daixin serve` pays: a withdrawal leaves by the worker, and the provider's news comes in by the web."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2

from core import vault
from rewards.payouts.payouts import Payout
from tests.bots.telegram.harness import eventually
from tests.daixin.program import PATIENCE, SECRET, Shell, migrated, serving
from tests.house import House
from tests.rewards.payouts.standins.paypal import CLIENT, WEBHOOK, PayPalStandIn
from tests.rewards.payouts.standins.paypal import SECRET as APP_SECRET
from tests.rewards.payouts.till import Till, open_till


def opened(folder: Path) -> House:
    """The same database, here; details are sealed with the key the program will have."""
    house = House(f"sqlite:///{folder / 'daixin.db'}")
    vault.set_keys("", SECRET)
    return house


def asks_for_money(folder: Path) -> Till:
    house = opened(folder)
    till = open_till(house, "paypal", "USD")
    till.earns(5000)
    till.payee(email="alice@example.com")
    till.takes(3000)
    house.close()
    return till


def payout_in(folder: Path, till: Till) -> Payout:
    house = opened(folder)
    till.shop.house = house
    try:
        return till.payouts()[0]
    finally:
        house.close()


async def test_a_withdrawal_goes_out_and_its_news_comes_in(
    tmp_path: Path, migrated_sqlite: Path, daixin: Shell
) -> None:
    migrated(tmp_path, migrated_sqlite)
    till = await asyncio.to_thread(asks_for_money, tmp_path)
    with PayPalStandIn() as service:
        app = {"paypal_client_id": CLIENT, "paypal_client_secret": APP_SECRET, "paypal_webhook_id": WEBHOOK}
        async with serving(daixin, tmp_path, **app, paypal_api_url=service.url) as server:
            reference = await eventually(lambda: next(iter(service.batches), None), PATIENCE)
            service.claim(reference)
            headers, body = service.notice(reference)
            async with httpx2.AsyncClient(base_url=server.url, trust_env=False) as client:
                forged = await client.post("/hooks/paypal", content=body + b" ", headers=headers)
                told = await client.post("/hooks/paypal", content=body, headers=headers)
            assert (forged.status_code, told.status_code) == (401, 200)
            assert await server.stop() == 0
            log = server.running.err.read_text()
        for secret in (APP_SECRET, "alice@example.com", *service.tokens):
            assert secret not in log
        assert service.paid == [("alice@example.com", "USD", "30.00")]
        assert service.violations == []
    assert (await asyncio.to_thread(payout_in, tmp_path, till)).state == "completed"
