"""Lends a platform's gifts to the payouts: the adapter's words become those of the provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.adapter import Gift, GiftSent, SendError, SendsGifts
from rewards.payouts.telegram_gift import GiftRefused


class Desk:
    """The gifts of one adapter, which need not be running."""

    def __init__(self, adapter: SendsGifts) -> None:
        self._adapter = adapter

    async def gifts(self) -> Sequence[Gift]:
        """What is on sale, cheapest first. Raises `SendError`."""
        return await self._adapter.gifts()

    async def send_gift(self, account: str, gift: str, text: str) -> None:
        """Send one. Raises `GiftRefused` when nothing was sent, `SendError` when it may have been."""
        try:
            await self._adapter.send_gift(account, gift, text)
        except SendError as error:
            if error.permanent:
                raise GiftRefused(error.reason) from error
            raise

    async def gifts_sent(self, since: datetime) -> Sequence[GiftSent]:
        """What was paid for since then. Raises `SendError`."""
        return await self._adapter.gifts_sent(since)

    async def close(self) -> None:
        """Nothing of its own to let go: the adapter is closed by whoever made it."""
