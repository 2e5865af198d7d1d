"""What a provider tells us unasked: read only after its signature was checked over the raw body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from rewards.payouts.port import Answer


@dataclass(frozen=True, slots=True)
class Notice:
    """One authentic notice about one payout.

    `key`: the provider's own number of the notice, the same when it is sent again. `amount`: minor units of `asset` as
    the provider has them, None where it does not say.
    """

    key: str
    reference: str
    answer: Answer
    asset: str | None = None
    amount: int | None = None


class NoticeRefused(Exception):
    """It is not authentic, too old, or cannot be read. `status` is what we answer; the text never quotes the notice."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class Notifies(Protocol):
    """A provider that sends notices."""

    name: str

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """What it says; None for an authentic notice about something else. Raises `NoticeRefused`.

        headers: with lower-case names. Changes nothing.
        """

    def acknowledge(self, status: int) -> bytes:
        """The body of our answer with this status, as the provider expects it (JSON)."""
