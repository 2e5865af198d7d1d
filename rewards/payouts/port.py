"""The port of payout providers: what we ask of them, and what they may answer.

The rule that keeps a person from being paid twice: a payout is marked `processing` and committed before `start` is
called; whatever then goes wrong is `unknown` and asked about with `look_up`; only `not_found` from a look-up allows
another start, and that one carries the same reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from babel.core import get_global

from core.money import DECIMALS, decimals

AnswerState = Literal["completed", "processing", "failed", "unknown", "not_found"]

PAYPAL_CURRENCIES = frozenset(
    "AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD".split()
)
"""What PayPal Payouts sends (developer.paypal.com, Payouts: country and currency codes)."""
PAYPAL_WHOLE = frozenset({"HUF", "JPY", "TWD"})
"""Currencies PayPal takes without decimals, whatever ISO 4217 says of them."""

CARRIED: Mapping[str, frozenset[str] | None] = {
    "manual": None,
    "wechatpay": frozenset({"CNY"}),
    "paypal": PAYPAL_CURRENCIES,
    "telegram_gift": frozenset({"XTR"}),
}
"""Which assets each provider pays out; None is any currency of ISO 4217. Points leave the books only as items."""

AUTOMATIC = CARRIED.keys() - {"manual"}
"""The providers that the runner serves."""


def carries(provider: str, asset: str) -> bool:
    """Whether this provider pays out this asset; False for a provider nobody knows."""
    if provider not in CARRIED:
        return False
    assets = CARRIED[provider]
    if assets is not None:
        return asset in assets
    return asset not in DECIMALS and asset in get_global("all_currencies")


def expresses(provider: str, asset: str, amount: int) -> bool:
    """Whether this provider can be told to send that amount, in minor units."""
    return provider != "paypal" or asset not in PAYPAL_WHOLE or amount % 10 ** decimals(asset) == 0


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """One payout as a provider sees it; made afresh for every call. Its repr shows neither payee nor accounts.

    `reference`: 32 hexadecimal digits of the payout's id, the same in every call: what the provider tells payouts
    apart by. `amount`: what the payee receives, in minor units of `asset`. `payee`: the details as the member gave
    them, decrypted; empty where the provider needs none. `accounts`: the member's account on each platform.
    `external_id`: the provider's own number, once it told one. `detail`: what earlier answers left there.
    """

    brand_id: UUID
    id: UUID
    reference: str
    asset: str
    amount: int
    payee: Mapping[str, str] = field(default_factory=dict, repr=False)
    item: Mapping[str, Any] | None = None
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    note: str = ""
    external_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict, repr=False)
    attempts: int = 0
    sent_at: str | None = None
    """When it was first handed over, ISO 8601 in UTC; None before the first start."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider says of a payout.

    completed: the payee has it. failed: they do not and never will. processing: taken, not decided (`reason` may say
    what it waits for). unknown: nobody can say, for instance after a time-out. not_found: the provider has never
    heard of the reference; only a look-up may say so. `reason` is a code of ours (`payout.reason.<code>` in
    the catalogue) or the provider's own, `detail` what is worth keeping; neither holds personal details or secrets.
    """

    state: AnswerState
    external_id: str | None = None
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


class Provider(Protocol):
    """One way to pay. A call that raises counts as `unknown`, so a provider need not catch what it did not expect."""

    name: str
    can_cancel: bool
    """Whether `cancel` can be asked; if not it is never called."""

    def carries(self, asset: str) -> bool:
        """Whether it pays out this asset."""

    async def start(self, order: PayoutOrder) -> Answer:
        """Hand the payout over. May be called again with the same reference after a look-up's `not_found`."""

    async def look_up(self, order: PayoutOrder) -> Answer:
        """Ask what became of the reference. Changes nothing."""

    async def cancel(self, order: PayoutOrder) -> Answer:
        """Ask that it be not paid; `failed` when it is certain that it never will be."""

    async def close(self) -> None:
        """Let connections go."""
