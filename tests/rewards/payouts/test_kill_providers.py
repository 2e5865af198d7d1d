"""A payout run killed at a hundred random moments pays each person exactly once, whoever carries the money.

A hundred moments on SQLite; on PostgreSQL, where a kill meets the same steps of the same code, some more.
"""

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
SIZES = {"sqlite": (60, 100), "postgresql": (8, 10)}
"""People who are paid, and kills meanwhile."""
LONGEST = 0.08
"""Seconds a run lives after its first call, at most: about as long as the calls of one payout."""
pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]


def _pause() -> float:
    return random.uniform(0, 0.02)


def _openid(n: int) -> dict[str, str]:
    return {"openid": f"o-person{n}"}


def _email(n: int) -> dict[str, str]:
    return {"email": f"person{n}@example.com"}


def _heart(n: int) -> int:
    return 15


def _size(house: House) -> tuple[int, int]:
    return SIZES[house.engine.dialect.name]


def _all_is_well(house: House, outcome: Outcome) -> None:
    people, kills = _size(house)
    assert outcome.kills == kills
    assert Counter(payout.state for payout in outcome.payouts) == {"completed": people}
    assert outcome.cut >= kills // 10, "too few kills came between the question and the answer"
    assert house.ask(verify) == []


def test_wechat_pay(house: House) -> None:
    people, kills = _size(house)
    with WeChatPayStandIn(confirms=True) as service:
        service.delay = _pause
        settings = dataclasses.asdict(service.settings(settle=1.0))
        outcome = run_killed(
            house,
            Rig("wechatpay", "CNY", MAKERS + "wechatpay", settings, payee=_openid),
            people=people,
            kills=kills,
            longest=LONGEST,
            calls=lambda: len(service.calls),
        )
        assert Counter(openid for openid, _ in service.paid) == {f"o-person{n}": 1 for n in range(people)}
        assert sum(amount for _, amount in service.paid) == sum(payout.amount for payout in outcome.payouts)
        assert service.violations == []
    _all_is_well(house, outcome)


def test_paypal(house: House) -> None:
    people, kills = _size(house)
    with PayPalStandIn(claims=True) as service:
        service.delay = _pause
        settings = dataclasses.asdict(service.settings())
        outcome = run_killed(
            house,
            Rig("paypal", "USD", MAKERS + "paypal", settings, payee=_email),
            people=people,
            kills=kills,
            longest=LONGEST,
            calls=lambda: len(service.calls),
        )
        assert Counter(email for email, _, _ in service.paid) == {f"person{n}@example.com": 1 for n in range(people)}
        assert service.violations == []
    _all_is_well(house, outcome)


def test_telegram_gifts(house: House) -> None:
    people, kills = _size(house)
    with _bot_api() as api:
        fans = [Someone(FIRST + n, f"Person{n}", started=True) for n in range(people)]
        api.people |= {someone.id: someone for someone in fans}
        api.stars.pause = _pause
        settings = {"api_url": api.url, "token": api.token, "database": house.url}
        rig = Rig("telegram_gift", "XTR", MAKERS + "telegram_gift", settings, amount=_heart)
        outcome = run_killed(
            house, rig, people=people, kills=kills, longest=LONGEST, calls=lambda: len(api.called("sendGift"))
        )
        assert {someone.first_name: len(api.stars.gifts_to(someone)) for someone in fans} == {
            someone.first_name: 1 for someone in fans
        }
        assert api.stars.balance == 10_000 - 15 * people
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
