"""The pretend bot's Stars: the gifts that are on sale, and the list of what was paid."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.bots.telegram.botapi_table import Refused
from tests.bots.telegram.botapi_wire import Refusal
from tests.bots.telegram.botapi_world import Someone

PREMIUM = {3: 1000, 6: 1500, 12: 2500}
"""Months → Stars, as the Bot API says of giftPremiumSubscription."""
STICKER = {
    "file_id": "sticker",
    "file_unique_id": "sticker",
    "type": "custom_emoji",
    "width": 512,
    "height": 512,
    "is_animated": True,
    "is_video": False,
}


@dataclass
class Stars:
    """`shop`: gift → its price. `rare`: gifts of which only so many are left. `transactions`, oldest first."""

    balance: int = 10_000
    shop: dict[str, int] = field(default_factory=lambda: {"heart": 15, "bear": 15, "rose": 25, "cake": 50})
    rare: dict[str, int] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    pause: Callable[[], float] = lambda: 0.0
    """Seconds before and after a gift is given, for a test that kills whoever asked."""

    def gift(self, name: str) -> dict[str, Any]:
        left = {"total_count": 1000, "remaining_count": self.rare[name]} if name in self.rare else {}
        return {"id": name, "sticker": STICKER, "star_count": self.shop[name]} | left

    def give(self, name: str, to: Someone, number: int) -> None:
        """Pay for a gift. Raises `Refusal`."""
        if name not in self.shop:
            raise Refusal(400, "Bad Request: STARGIFT_INVALID")
        if self.balance < self.shop[name]:
            raise Refusal(400, "Bad Request: BALANCE_TOO_LOW")
        self.balance -= self.shop[name]
        receiver = {"type": "user", "transaction_type": "gift_purchase", "user": to.json(), "gift": self.gift(name)}
        self.transactions.append(
            {"id": f"stx{number}", "amount": self.shop[name], "date": int(time.time()), "receiver": receiver}
        )

    def subscribe(self, months: int, price: int, to: Someone, number: int) -> None:
        """Pay for a Premium subscription. Raises `Refusal`."""
        if PREMIUM.get(months) != price:
            raise Refusal(400, "Bad Request: STAR_COUNT_INVALID")
        if self.balance < price:
            raise Refusal(400, "Bad Request: BALANCE_TOO_LOW")
        self.balance -= price
        receiver: dict[str, Any] = {"type": "user", "transaction_type": "premium_purchase", "user": to.json()}
        receiver["premium_subscription_duration"] = months
        self.transactions.append(
            {"id": f"stx{number}", "amount": price, "date": int(time.time()), "receiver": receiver}
        )

    def earn(self, amount: int, frm: Someone, number: int, at: int) -> None:
        """Somebody paid the bot."""
        self.balance += amount
        source = {"type": "user", "transaction_type": "invoice_payment", "user": frm.json()}
        self.transactions.append({"id": f"stx{number}", "amount": amount, "date": at, "source": source})

    def gifts_to(self, someone: Someone) -> list[str]:
        """The gifts this person was sent."""
        outgoing = [one["receiver"] for one in self.transactions if "receiver" in one]
        return [one["gift"]["id"] for one in outgoing if "gift" in one and one["user"]["id"] == someone.id]


class StarShop:
    """The calls about Stars; a part of the pretend server."""

    people: dict[int, Someone]

    def __init__(self) -> None:
        self.stars = Stars()

    def _next(self) -> int:
        raise NotImplementedError

    def _do_getAvailableGifts(self) -> dict[str, Any]:
        return {"gifts": [self.stars.gift(name) for name in self.stars.shop]}

    def _do_sendGift(self, gift_id: str, user_id: int = 0, text: str = "") -> bool:
        if user_id not in self.people:
            raise Refusal(400, "Bad Request: USER_NOT_FOUND")
        if len(text) > 128:
            raise Refused("gift text is too long")
        time.sleep(self.stars.pause())
        self.stars.give(gift_id, self.people[user_id], self._next())
        time.sleep(self.stars.pause())
        return True

    def _do_giftPremiumSubscription(self, user_id: int, month_count: int, star_count: int, text: str = "") -> bool:
        if user_id not in self.people:
            raise Refusal(400, "Bad Request: USER_NOT_FOUND")
        self.stars.subscribe(month_count, star_count, self.people[user_id], self._next())
        return True

    def _do_getStarTransactions(self, offset: int = 0, limit: int = 100) -> dict[str, Any]:
        return {"transactions": self.stars.transactions[offset : offset + min(limit, 100)]}
