"""Telegram gifts, paid with the bot's Stars: the payee gets the gift whose price is the amount.

Telegram knows no reference of ours and pays a repeat again. What stands in for it is the bot's own list of
transactions: each gift in it belongs to one payout. A gift that nobody claims and that fits exactly one waiting payout
is that payout's; when it cannot be told, the payout stays unknown and a person decides. Nothing is resent blindly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from core import clock
from rewards.payouts.payouts import OPEN, Payout
from rewards.payouts.port import Answer, PayoutOrder, carries

log = structlog.get_logger()
T = TypeVar("T")

PLATFORM = "telegram"
SETTLE = timedelta(minutes=2)
"""How long after a start we wait before we believe that a gift which is not in the list was never sent."""
SKEW = timedelta(seconds=90)
"""How far Telegram's clock may be behind ours."""
REMEMBERED = 1000
"""Transactions of which a process remembers whose they are until the books do."""
PASSING = ("BALANCE", "STARS")
"""Words of refusals that pass when the bot has Stars again."""


class Gift(Protocol):
    """A gift on sale; `price` in Stars."""

    @property
    def id(self) -> str: ...

    @property
    def price(self) -> int: ...


class Sent(Protocol):
    """A gift the bot paid for; `id` is the transaction's."""

    @property
    def id(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def gift(self) -> str: ...

    @property
    def price(self) -> int: ...


class GiftRefused(Exception):
    """Telegram refused; nothing was sent and nothing paid. The text is Telegram's."""


class GiftDesk(Protocol):
    """Who sends gifts. What raises anything but `GiftRefused` may have happened."""

    async def gifts(self) -> Sequence[Gift]:
        """What is on sale, cheapest first."""

    async def send_gift(self, account: str, gift: str, text: str) -> None:
        """Send one. Raises `GiftRefused`."""

    async def gifts_sent(self, since: datetime) -> Sequence[Sent]:
        """What was paid for since then, oldest first."""

    async def close(self) -> None:
        """Let connections go."""


class Ask(Protocol):
    """Runs a query (`core.reader.Reader.run`)."""

    def __call__(self, query: Callable[[Session], T]) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Claims:
    """Which of these transactions belong to other payouts, and how many others wait for one like ours."""

    taken: frozenset[str]
    rivals: int


class TelegramGift:
    """Gives gifts; its reference is worth nothing to Telegram, so it decides by the list of transactions."""

    name = "telegram_gift"
    can_cancel = False

    def __init__(
        self,
        desk: GiftDesk,
        ask: Ask,
        now: Callable[[], datetime] = clock.now,
        settle: timedelta = SETTLE,
    ) -> None:
        self._desk = desk
        self._ask = ask
        self._now = now
        self._settle = settle
        self._one = asyncio.Lock()
        """One gift is sent and numbered at a time: of two at once nobody could say which is whose."""
        self._told: dict[str, UUID] = {}
        """Transaction → the payout we said it is, which the books may not know yet."""

    def carries(self, asset: str) -> bool:
        """Stars."""
        return carries(self.name, asset)

    async def start(self, order: PayoutOrder) -> Answer:
        """Send the gift, once: whatever goes wrong after Telegram could have heard of it is `unknown`."""
        account = order.accounts.get(PLATFORM)
        if not account:
            return Answer("failed", reason="payee_missing")
        if order.attempts > 1:
            # The look-up before this start said that nothing was sent; the last moment to notice that it was.
            found = await self._found(order, account)
            if found is not None:
                return found
        gift = await self._gift(order)
        if gift is None:
            return Answer("failed", reason="no_such_gift")
        async with self._one:
            try:
                await self._desk.send_gift(account, gift, _settings(order).get("text") or order.note)
            except GiftRefused as refusal:
                if any(word in str(refusal).upper() for word in PASSING):
                    return Answer("unknown", reason="provider_funds")
                return Answer("failed", reason="payee_refused", detail={"said": str(refusal)[:100]})
            return Answer("completed", await self._number(order, account), detail={"gift": gift})

    async def look_up(self, order: PayoutOrder) -> Answer:
        """Read the bot's transactions. `not_found` only when a gift on its way would have arrived by now."""
        if order.sent_at is None:
            return Answer("not_found")
        account = order.accounts.get(PLATFORM)
        if not account:
            return Answer("unknown", reason="payee_missing")
        found = await self._found(order, account)
        if found is not None:
            return found
        if self._now() - _last_try(order) < self._settle:
            return Answer("unknown", reason="provider_unclear")
        return Answer("not_found")

    async def cancel(self, order: PayoutOrder) -> Answer:
        """A gift cannot be taken back."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let the desk go."""
        await self._desk.close()

    async def _gift(self, order: PayoutOrder) -> str | None:
        """Which gift: the item's, or one on sale for as many Stars as are owed."""
        if order.item is not None:
            return _settings(order).get("gift_id")
        return next((gift.id for gift in await self._desk.gifts() if gift.price == order.amount), None)

    async def _found(self, order: PayoutOrder, account: str) -> Answer | None:
        """What the transactions say; None if none of them can be ours."""
        free, claims = await self._free(order, account)
        if not free:
            return None
        if len(free) > claims.rivals:
            return Answer("completed", self._tell(free[0], order), detail={"gift": free[0].gift})
        log.warning("telegram_gift.ambiguous", payout=str(order.id), free=len(free), rivals=claims.rivals)
        return Answer("unknown", reason="provider_unclear", detail={"free": len(free), "rivals": claims.rivals})

    async def _number(self, order: PayoutOrder, account: str) -> str | None:
        """The transaction of the gift just sent, so that no other payout takes it for its own."""
        try:
            free, _ = await self._free(order, account)
        except Exception as error:  # the gift is sent; a list that cannot be read must not make that doubtful
            log.warning("telegram_gift.not_numbered", payout=str(order.id), error=type(error).__name__)
            return None
        return self._tell(free[-1], order) if free else None

    def _tell(self, sent: Sent, order: PayoutOrder) -> str:
        if len(self._told) >= REMEMBERED:
            self._told.pop(next(iter(self._told)))
        self._told[sent.id] = order.id
        return sent.id

    async def _free(self, order: PayoutOrder, account: str) -> tuple[list[Sent], Claims]:
        """The transactions that could be ours and belong to nobody else, oldest first."""
        since = (datetime.fromisoformat(order.sent_at) if order.sent_at else self._now()) - SKEW
        alike = [sent for sent in await self._desk.gifts_sent(since) if sent.account == account and _fits(sent, order)]
        claims = await self._ask(lambda session: claims_on(session, order, [sent.id for sent in alike], since))
        others = claims.taken | {number for number, payout in self._told.items() if payout != order.id}
        return [sent for sent in alike if sent.id not in others], claims


def claims_on(session: Session, order: PayoutOrder, transactions: Sequence[str], since: datetime) -> Claims:
    """What other payouts have to do with these transactions.

    One bot gives for all brands, so a transaction is looked for in all of them. A rival is a gift to the same member
    that was handed over since then and has no transaction yet, though it may have sent one.
    """
    mine = (col(Payout.provider) == TelegramGift.name, col(Payout.id) != order.id)
    taken = session.scalars(select(col(Payout.external_id)).where(*mine, col(Payout.external_id).in_(transactions)))
    member = select(col(Payout.member_id)).where(col(Payout.brand_id) == order.brand_id, col(Payout.id) == order.id)
    rivals = session.scalar(
        select(func.count()).where(
            *mine,
            col(Payout.brand_id) == order.brand_id,
            col(Payout.member_id) == member.scalar_subquery(),
            col(Payout.sent_at) >= since,
            col(Payout.external_id).is_(None),
            or_(col(Payout.state).in_(OPEN), col(Payout.state) == "completed"),
        )
    )
    return Claims(frozenset(one for one in taken if one is not None), rivals or 0)


def _settings(order: PayoutOrder) -> Mapping[str, Any]:
    """What an item says of its gift."""
    found = (order.item or {}).get("settings", {})
    return found if isinstance(found, Mapping) else {}


def _fits(sent: Sent, order: PayoutOrder) -> bool:
    return sent.price == order.amount if order.item is None else sent.gift == _settings(order).get("gift_id")


def _last_try(order: PayoutOrder) -> datetime:
    """When it was last handed over."""
    last: Any = order.detail.get("tried_at") or order.sent_at
    return datetime.fromisoformat(last)
