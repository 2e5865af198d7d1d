"""Lends a platform's gifts to the payouts: the adapter's words become those of the provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from bots.adapter import Gift, GiftSent, SendError, SendsGifts
from rewards.payouts.telegram_gift import GiftRefused


class Giver(SendsGifts, Protocol):
    """An adapter that sends gifts, and need not be running for it."""

    async def close(self) -> None:
        """Disconnect."""


class Desk:
    """The gifts of an adapter this process runs, or of one it makes for them when the first is asked for."""

    def __init__(self, running: Giver | None, make: Callable[[], Giver]) -> None:
        self._running = running
        self._make = make
        self._made: Giver | None = None

    async def gifts(self) -> Sequence[Gift]:
        """What is on sale, cheapest first. Raises `SendError`."""
        return await self._giver().gifts()

    async def send_gift(self, account: str, gift: str, text: str) -> None:
        """Send one. Raises `GiftRefused` when nothing was sent, `SendError` when it may have been."""
        try:
            await self._giver().send_gift(account, gift, text)
        except SendError as error:
            if error.permanent:
                raise GiftRefused(error.reason) from error
            raise

    async def gifts_sent(self, since: datetime) -> Sequence[GiftSent]:
        """What was paid for since then. Raises `SendError`."""
        return await self._giver().gifts_sent(since)

    async def close(self) -> None:
        """Close the adapter that was made here; who runs one closes it."""
        if self._made is not None:
            await self._made.close()

    def _giver(self) -> Giver:
        if self._running is not None:
            return self._running
        if self._made is None:
            self._made = self._make()
        return self._made
