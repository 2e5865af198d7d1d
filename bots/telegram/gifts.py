"""Gifts and subscriptions paid with the bot's own Stars, and the bot's account of what it paid for."""

from __future__ import annotations

from datetime import datetime

from telegram import StarTransaction, TransactionPartnerUser

from bots.adapter import Gift, GiftSent, PremiumGiven
from bots.telegram.client import Client

PAGE = 100
"""The most transactions one call gives."""


async def gifts_on_sale(client: Client) -> list[Gift]:
    """What the bot can send to anybody: nothing sold out, nothing that only Premium users may buy; cheapest first."""
    found = (await client.get_available_gifts()).gifts
    offered = [gift for gift in found if not gift.is_premium and gift.remaining_count is None]
    return sorted((Gift(gift.id, gift.star_count) for gift in offered), key=lambda gift: (gift.price, gift.id))


async def gifts_sent(client: Client, since: datetime) -> list[GiftSent]:
    """The gifts the bot paid for since then, oldest first."""
    transactions = await _transactions(client, since)
    return sorted(
        (sent for one in transactions if one.date >= since and (sent := _gift(one)) is not None),
        key=lambda sent: sent.at,
    )


async def _transactions(client: Client, since: datetime) -> list[StarTransaction]:
    """All transactions since then, and perhaps some older ones.

    Telegram says “chronological” and counts from the start; a list that runs the other way is read as it comes.
    """
    first = await _page(client, 0)
    if len(first) < PAGE:
        return first
    if first[0].date > first[-1].date:
        return await _read_on(client, first, PAGE, since)
    low, high = 0, PAGE  # the page at `low` begins before `since`; look for one that does not, doubling the step
    while (page := await _page(client, high)) and page[0].date < since:
        low, high = high, high * 2
    while high - low > PAGE:
        middle = (low + high) // 2
        page = await _page(client, middle)
        low, high = (middle, high) if page and page[0].date < since else (low, middle)
    return await _read_on(client, await _page(client, low), low + PAGE, None)


async def _read_on(
    client: Client, found: list[StarTransaction], offset: int, until: datetime | None
) -> list[StarTransaction]:
    """From there to the end, or to the first page whose last is older than `until`."""
    page = found
    while len(page) == PAGE and (until is None or page[-1].date >= until):
        page = await _page(client, offset)
        found = found + page
        offset += PAGE
    return found


async def _page(client: Client, offset: int) -> list[StarTransaction]:
    return list((await client.get_star_transactions(offset=offset, limit=PAGE)).transactions)


def _gift(one: StarTransaction) -> GiftSent | None:
    to = one.receiver
    if not isinstance(to, TransactionPartnerUser) or to.gift is None:
        return None
    return GiftSent(one.id, str(to.user.id), to.gift.id, one.amount, one.date)


async def premium_given(client: Client, since: datetime) -> list[PremiumGiven]:
    """The Premium subscriptions the bot paid for since then, oldest first."""
    transactions = await _transactions(client, since)
    return sorted(
        (given for one in transactions if one.date >= since and (given := _premium(one)) is not None),
        key=lambda given: given.at,
    )


def _premium(one: StarTransaction) -> PremiumGiven | None:
    to = one.receiver
    if not isinstance(to, TransactionPartnerUser) or to.premium_subscription_duration is None:
        return None
    return PremiumGiven(one.id, str(to.user.id), to.premium_subscription_duration, one.amount, one.date)
