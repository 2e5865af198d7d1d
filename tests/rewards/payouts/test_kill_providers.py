"""A payout run killed at a hundred random moments pays each person exactly once, whoever carries the money."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from rewards.verify import verify
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.botapi_world import Someone
from tests.house import House
from tests.rewards.payouts.kill import Outcome, Rig, run_killed
from tests.rewards.payouts.standins.makers import FIRST
from tests.rewards.payouts.standins.paypal import PayPalStandIn
from tests.rewards.payouts.standins.wechatpay import WeChatPayStandIn

MAKERS = "tests.rewards.payouts.standins.makers:"
PEOPLE, KILLS = 60, 100
LONGEST = 0.08
"""Seconds a run lives after its first call, at most: about as long as the calls of one payout."""
pytestmark = pytest.mark.timeout(300)


def _pause() -> float:
    return random.uniform(0, 0.02)


def _openid(n: int) -> dict[str, str]:
    return {"openid": f"o-person{n}"}


def _email(n: int) -> dict[str, str]:
    return {"email": f"person{n}@example.com"}


def _heart(n: int) -> int:
    return 15


def _all_is_well(house: House, outcome: Outcome) -> None:
    assert Counter(payout.state for payout in outcome.payouts) == {"completed": PEOPLE}
    assert outcome.cut >= KILLS // 10, "too few kills came between the question and the answer"
    assert house.ask(verify) == []


def test_wechat_pay(house: House) -> None:
    with WeChatPayStandIn(confirms=True) as service:
        service.delay = _pause
        settings = dataclasses.asdict(service.settings(settle=1.0))
        outcome = run_killed(
            house,
            Rig("wechatpay", "CNY", MAKERS + "wechatpay", settings, payee=_openid),
            people=PEOPLE,
            kills=KILLS,
            longest=LONGEST,
            calls=lambda: len(service.calls),
        )
        assert Counter(openid for openid, _ in service.paid) == {f"o-person{n}": 1 for n in range(PEOPLE)}
        assert sum(amount for _, amount in service.paid) == sum(payout.amount for payout in outcome.payouts)
        assert service.violations == []
    _all_is_well(house, outcome)


def test_paypal(house: House) -> None:
    with PayPalStandIn(claims=True) as service:
        service.delay = _pause
        settings = dataclasses.asdict(service.settings())
        outcome = run_killed(
            house,
            Rig("paypal", "USD", MAKERS + "paypal", settings, payee=_email),
            people=PEOPLE,
            kills=KILLS,
            longest=LONGEST,
            calls=lambda: len(service.calls),
        )
        assert Counter(email for email, _, _ in service.paid) == {f"person{n}@example.com": 1 for n in range(PEOPLE)}
        assert service.violations == []
    _all_is_well(house, outcome)


def test_telegram_gifts(house: House) -> None:
    with _bot_api() as api:
        people = [Someone(FIRST + n, f"Person{n}", started=True) for n in range(PEOPLE)]
        api.people |= {someone.id: someone for someone in people}
        api.stars.pause = _pause
        settings = {"api_url": api.url, "token": api.token, "database": house.url}
        rig = Rig("telegram_gift", "XTR", MAKERS + "telegram_gift", settings, amount=_heart)
        outcome = run_killed(
            house, rig, people=PEOPLE, kills=KILLS, longest=LONGEST, calls=lambda: len(api.called("sendGift"))
        )
        assert {someone.first_name: len(api.stars.gifts_to(someone)) for someone in people} == {
            someone.first_name: 1 for someone in people
        }
        assert api.stars.balance == 10_000 - 15 * PEOPLE
        assert api.violations == []
    _all_is_well(house, outcome)


@contextmanager
def _bot_api() -> Iterator[BotApi]:
    """The pretend Bot API on a loop and a thread of its own."""
    api, up, down = BotApi(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with api:
            up.set()
            await asyncio.to_thread(down.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert up.wait(10)
    try:
        yield api
    finally:
        down.set()
        thread.join(10)
