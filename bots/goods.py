"""Gives what platforms can give (roles, tags, Premium) for points and rewards, and takes back what was for a time.

Handles the outbox topic `goods.<platform>`; what it means for the books is in `rewards.items.goods`.
"""

from __future__ import annotations

from uuid import UUID

from bots.adapter import Adapter, GivesPremium, GrantsRoles, SendError, SetsTags
from core.outbox import ATTEMPTS, Claimed, Undeliverable
from core.writer import Writer
from rewards.items import badges, goods
from rewards.items.badges import Badge
from rewards.items.goods import PREMIUM_PRICES, SKEW, Order

NO_FUNDS = ("BALANCE", "STARS")
"""Words of a refusal that is about the bot's own money."""


class GoodsGiver:
    """Hands the goods of one platform to its adapter."""

    def __init__(self, adapter: Adapter, writer: Writer) -> None:
        self._adapter = adapter
        self._writer = writer

    async def __call__(self, message: Claimed) -> None:
        brand_id = UUID(message.payload["brand"])
        if message.payload["do"] == "take":
            await self._take(brand_id, UUID(message.payload["badge"]), message.attempts)
            return
        payout_id = UUID(message.payload["payout"])
        order = await self._writer.run(lambda session: goods.hand_over(session, brand_id, payout_id))
        if order is None:
            return
        if order.step == "look_up":
            await self._look_up(order, message.attempts)
        else:
            await self._give(order, message.attempts)

    async def _give(self, order: Order, attempts: int) -> None:
        try:
            await self._ask(order)
        except SendError as error:
            repeatable = order.kind in badges.WORN
            undone = error.permanent or error.retry_after is not None
            if error.permanent or (attempts >= ATTEMPTS and (undone or repeatable)):
                said = error.reason
                reason = "provider_funds" if any(word in said.upper() for word in NO_FUNDS) else "platform_refused"
                maybe = repeatable and (attempts > 1 or not undone)  # this time, or one before
                await self._writer.run(lambda session: goods.not_given(session, order, reason, said, maybe=maybe))
                return
            if error.retry_after is not None:  # the platform asks to wait: it has not done anything
                await self._writer.run(lambda session: goods.not_yet(session, order))
            elif not repeatable:
                await self._writer.run(lambda session: goods.unclear(session, order, last=False))
            raise Undeliverable(error.reason, retry_after=error.retry_after) from error
        number = None if order.kind in badges.WORN else await self._number(order)
        await self._writer.run(lambda session: goods.given(session, order, number))

    async def _number(self, order: Order) -> str | None:
        """The purchase just made, so that no other payout takes it for its own. That it was made is sure already."""
        try:
            return await self._own_purchase(order)
        except SendError:
            return None

    async def _ask(self, order: Order) -> None:
        """Raises `SendError`."""
        adapter, settings = self._adapter, order.settings
        match order.kind:
            case "discord_role" if isinstance(adapter, GrantsRoles):
                await adapter.grant_role(settings["group"], order.account, settings["role"])
            case "telegram_tag" if isinstance(adapter, SetsTags):
                await adapter.set_tag(settings["group"], order.account, settings["tag"])
            case "telegram_premium" if isinstance(adapter, GivesPremium):
                months = settings["months"]
                await adapter.give_premium(order.account, months, PREMIUM_PRICES[months], settings["text"])
            case _:
                raise SendError(f"{adapter.platform} cannot give {order.kind}", permanent=True)

    async def _look_up(self, order: Order, attempts: int) -> None:
        """Somebody asked for it before and died, or heard no answer: read what the bot has paid for."""
        last = attempts >= ATTEMPTS
        try:
            number = await self._own_purchase(order)
        except SendError as error:
            if last:  # else it would be under way for ever, and nobody could decide
                await self._writer.run(lambda session: goods.unclear(session, order, last=True))
            raise Undeliverable(error.reason, retry_after=error.retry_after) from error
        if number is None:
            await self._writer.run(lambda session: goods.unclear(session, order, last=last))
            raise Undeliverable("nobody can say whether it was given")
        await self._writer.run(lambda session: goods.given(session, order, number))

    async def _own_purchase(self, order: Order) -> str | None:
        """The number of what was bought for this order; None if that cannot be told. Raises `SendError`."""
        if not isinstance(self._adapter, GivesPremium):
            raise SendError(f"{self._adapter.platform} has no {order.kind}", permanent=True)
        price = PREMIUM_PRICES[order.settings["months"]]
        bought = await self._adapter.premium_given(order.sent_at - SKEW)
        alike = [one.id for one in bought if (one.account, one.price) == (order.account, price)]
        return await self._writer.run(lambda session: goods.own_purchase(session, order, alike))

    async def _take(self, brand_id: UUID, badge_id: UUID, attempts: int) -> None:
        badge = await self._writer.run(lambda session: goods.to_take(session, brand_id, badge_id))
        if badge is not None:
            try:
                await self._take_away(badge)
            except SendError as error:
                if not error.permanent:
                    raise Undeliverable(error.reason, retry_after=error.retry_after) from error
                # Who has left the group, or a role that is gone: there is nothing to take.
        await self._writer.run(lambda session: badges.ended(session, brand_id, badge_id))

    async def _take_away(self, badge: Badge) -> None:
        if badge.kind == "discord_role" and isinstance(self._adapter, GrantsRoles):
            await self._adapter.revoke_role(badge.group_id, badge.account, badge.label)
        elif isinstance(self._adapter, SetsTags):
            await self._adapter.set_tag(badge.group_id, badge.account, "")
