"""Senders that others wrote: Shopify's own library in Node, and localstripe with Stripe's own client."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import stripe

from tests.web.shops.payloads import shopify_order, shopify_refund, with_
from tests.web.shops.shopfront import Shopfront, open_shopfront
from tests.web.site import until

SENDERS = Path(__file__).parent / "senders"


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program with pipes, until the block ends."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, limit=2**20
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 20)


@pytest.mark.needs("senders")
async def test_shopifys_own_library_signs_what_we_take(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        node = shutil.which("node") or "node"
        async with running(node, str(SENDERS / "shopify.mjs")) as sender:

            async def send(topic: str, body: Any, secret: str = "hush") -> dict[str, Any]:
                url = f"{str(shop.site.client.base_url).rstrip('/')}{shop.path}"
                told = {"url": url, "secret": secret, "topic": topic, "shop": "hill.myshopify.com"}
                assert sender.stdin
                assert sender.stdout
                # As Shopify writes them: with slashes escaped, and not all of it ASCII.
                raw = json.dumps(body, ensure_ascii=False).replace("/", "\\/")
                sender.stdin.write(json.dumps(told | {"body": raw}).encode() + b"\n")
                await sender.stdin.drain()
                answer: dict[str, Any] = json.loads(await asyncio.wait_for(sender.stdout.readline(), 30))
                return answer

            order = shopify_order(note_attributes=[{"name": "daixin", "value": shop.code}], note="谢谢 🍵")
            sold = await send("orders/paid", order)
            assert (sold["valid"], sold["status"], sold["answer"]["outcome"]) == (True, 200, "recorded")
            back = await send("refunds/create", shopify_refund())
            assert (back["valid"], back["status"], back["answer"]["outcome"]) == (True, 200, "refunded")
            other = await send("orders/paid", with_(order, id=2), secret="another shop's")
            assert (other["valid"], other["status"]) == (True, 401)
        assert [(row.status, row.net, row.refunded) for row in shop.orders()] == [("attributed", 14_400, 3_000)]


@asynccontextmanager
async def open_localstripe(shop: Shopfront) -> AsyncIterator[stripe.StripeClient]:
    """A Stripe of our own that sends to the shop's address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    async with running(sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"):
        async with httpx2.AsyncClient(auth=("sk_test_1", "")) as client:
            hook = {
                "url": f"{str(shop.site.client.base_url).rstrip('/')}{shop.path}",
                "secret": shop.secrets["secret"],
                "events": ["payment_intent.succeeded"],
            }
            for _ in range(600):
                with suppress(httpx2.TransportError):
                    if (await client.post(f"{address}/_config/webhooks/shop", json=hook)).status_code == 200:
                        break
                await asyncio.sleep(0.05)
            else:
                pytest.fail("localstripe did not start")
        yield stripe.StripeClient("sk_test_1", base_addresses={"api": address})


async def test_a_payment_at_localstripe_is_an_order(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe", orders="intents", tests=True) as shop, open_localstripe(shop) as till:

        def buy() -> str:
            card = till.v1.payment_methods.create(
                {
                    "type": "card",
                    "card": {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"},
                }
            )
            customer = till.v1.customers.create({"email": "bob@example.com"})
            till.v1.payment_methods.attach(card.id, {"customer": customer.id})
            payment = till.v1.payment_intents.create(
                {
                    "amount": 4_200,
                    "currency": "eur",
                    "customer": customer.id,
                    "payment_method": card.id,
                    "metadata": {"daixin": shop.code},
                }
            )
            till.v1.payment_intents.confirm(payment.id)
            return payment.id

        payment = await asyncio.to_thread(buy)
        await until(lambda: shop.orders() != [], 30)
        (row,) = shop.orders()
        assert (row.external_id, row.currency, row.net, row.status) == (payment, "EUR", 4_200, "attributed")
        assert [one.outcome for one in shop.deliveries()] == ["recorded"]
