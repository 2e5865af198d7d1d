"""Imported by the server that forks payout runs: one payout carried out to its end, so that each of them begins warm.

A run that is killed soon spent most of its life on importing what carries requests, and on compiling statements.
"""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
from datetime import timedelta
from pathlib import Path

import httpx

import tests.warm  # noqa: F401  # before anything is asked
from rewards.payouts.paypal import PayPalSettings
from rewards.payouts.runner import PayoutRunner
from rewards.payouts.settling import Pace
from tests.house import House, fresh_sqlite
from tests.rewards.payouts import kill  # noqa: F401  # what the runs themselves are made of
from tests.rewards.payouts.standins.makers import paypal
from tests.rewards.payouts.standins.paypal import PayPalStandIn
from tests.rewards.payouts.till import Till, open_till

SOON = timedelta(0)


async def _pay(till: Till, settings: PayPalSettings) -> None:
    provider = paypal(**dataclasses.asdict(settings))
    runner = PayoutRunner(till.shop.house.writer, {"paypal": provider}, pace=Pace(settle=SOON, first=SOON))
    while till.payouts()[0].state != "completed":
        await runner.run_due()
    await runner.close()


httpx.AsyncClient()  # Telegram's library carries its requests with this one
with tempfile.TemporaryDirectory(prefix="daixin-warm-") as folder, PayPalStandIn(claims=True) as service:
    house = House(fresh_sqlite(Path(folder)))
    till = open_till(house, "paypal", "USD", funded=1000)
    till.payee(till.alice, email="alice@example.com")
    till.earns(1000)
    till.takes(1000)
    asyncio.run(_pay(till, service.settings()))
    house.close()
