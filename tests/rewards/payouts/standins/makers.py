"""Makes the real providers for a process that is going to be killed, from what can be sent to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bots.adapter import Gift, GiftSent
from bots.gifts import Desk
from bots.telegram.adapter import TelegramAdapter
from bots.telegram.settings import TelegramSettings
from core.db import make_engine
from core.reader import Reader
from rewards.payouts.paypal import PayPal, PayPalSettings
from rewards.payouts.telegram_gift import TelegramGift
from rewards.payouts.wechatpay import WeChatPay, WeChatPaySettings
from tests.bots.harness import MemoryStore
from tests.bots.telegram.harness import MENU

FIRST = 10_000
"""The Telegram account of the person whose account in the tests is `person0`."""


def wechatpay(**settings: Any) -> WeChatPay:
    return WeChatPay(WeChatPaySettings(**settings))


def paypal(**settings: Any) -> PayPal:
    return PayPal(PayPalSettings(**settings))


def telegram_gift(api_url: str, token: str, database: str) -> TelegramGift:
    settings = TelegramSettings(
        token=token, api_url=api_url, messages_per_second=0, group_messages_per_minute=0, chat_interval=0
    )
    adapter = TelegramAdapter(settings, MENU, MemoryStore(), lambda: datetime.now(UTC))
    reader = Reader(make_engine(database, writer=False))
    return TelegramGift(_Numbered(Desk(None, lambda: adapter)), reader.run, settle=timedelta(seconds=1))


@dataclass
class _Numbered:
    """The desk, for people whose accounts are called `person7`."""

    desk: Desk

    async def gifts(self) -> Sequence[Gift]:
        return await self.desk.gifts()

    async def send_gift(self, account: str, gift: str, text: str) -> None:
        await self.desk.send_gift(str(FIRST + int(account.removeprefix("person"))), gift, text)

    async def gifts_sent(self, since: datetime) -> Sequence[GiftSent]:
        found = await self.desk.gifts_sent(since)
        return [replace(sent, account=f"person{int(sent.account) - FIRST}") for sent in found]

    async def close(self) -> None:
        await self.desk.close()
