"""Points become a role, a tag, Premium: over a socket, once, for as long as was paid for, or the points come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from bots.adapter import Adapter
from bots.goods import GoodsGiver
from core import clock
from core.errors import BadInput, Refused
from core.outbox import ATTEMPTS, Dispatcher, Outbox
from referral.brands import connect, create_brand, disconnect
from referral.members import Identity
from rewards.items import badges
from rewards.items.badges import Badge
from rewards.payouts.payouts import Payout, PayoutStuck
from tests.bots.discord.harness import open_harness as open_discord
from tests.bots.discord.world import GUILD
from tests.bots.telegram.harness import TelegramHarness
from tests.bots.telegram.harness import open_harness as open_telegram
from tests.house import House
from tests.rewards.items.counter import buy, check_books, offer, open_counter
from tests.rewards.shop import Shop


@dataclass
class Desk:
    """The shop with a platform behind it."""

    shop: Shop
    dispatcher: Dispatcher

    async def buys(self, slug: str, key: str = "1", quantity: int = 1) -> Payout:
        return await asyncio.to_thread(buy, self.shop, slug, key, quantity)

    async def delivers(self, **later: float) -> None:
        """Some time passes; all that is due then is delivered, or tried."""
        with clock.moved(timedelta(**later)):
            await self.shop.house.writer.run(badges.end_due)
            await self.dispatcher.deliver_due()

    async def state(self, payout: Payout) -> tuple[str, str | None]:
        found = await self.shop.house.reader.run(lambda s: s.get_one(Payout, (payout.brand_id, payout.id)))
        return found.state, found.reason

    async def points(self) -> int:
        return (await asyncio.to_thread(self.shop.purse, self.shop.alice)).get("payable", 0)

    async def badges(self) -> list[Badge]:
        return list(await self.shop.house.reader.run(lambda s: s.exec(select(Badge)).all()))


@asynccontextmanager
async def desk(house: House, adapter: Adapter, account: str) -> AsyncIterator[Desk]:
    """Alice has a thousand points, and is this account on the platform."""
    shop = await asyncio.to_thread(open_counter, house)

    def becomes(session: Session) -> None:
        row = session.exec(select(Identity).where(Identity.member_id == shop.alice)).one()
        session.delete(row)
        session.flush()
        mine: dict[str, Any] = {"brand_id": shop.brand.id, "member_id": shop.alice, "seen_at": clock.now()}
        session.add(Identity(platform=adapter.platform, account=account, **mine))

    await house.writer.run(becomes)
    dispatcher = Dispatcher(house.writer)
    dispatcher.on(badges.TOPIC + adapter.platform, GoodsGiver(adapter, house.writer))
    yield Desk(shop, dispatcher)
    await asyncio.to_thread(check_books, shop)


@asynccontextmanager
async def on_telegram(house: House) -> AsyncIterator[tuple[Desk, TelegramHarness]]:
    async with open_telegram() as harness, desk(house, harness.adapter, str(harness.bob.id)) as opened:
        yield opened, harness


async def sells(opened: Desk, slug: str, kind: str, **settings: Any) -> None:
    """Put it into the catalogue, its group being the brand's."""
    shop = opened.shop
    if "group" in settings:
        here = (shop.brand.id, kind.partition("_")[0], settings["group"], "Tea lovers")
        await shop.house.writer.run(lambda session: connect(session, *here))
    await asyncio.to_thread(offer, shop, slug, kind, settings=settings)


async def test_a_role_for_a_month_and_a_second_month(house: House, tmp_path: Any) -> None:
    async with open_discord(tmp_path) as harness, desk(house, harness.adapter, "1") as opened:
        alice = harness.server.guilds[GUILD].members["1"]
        await sells(opened, "gold", "discord_role", role="gold", group=GUILD, days=30)
        payout = await opened.buys("gold")
        assert payout.state == "pending"
        await opened.delivers()
        assert await opened.state(payout) == ("completed", None)
        assert alice.roles == ["803"]
        await opened.buys("gold", "2")
        await opened.delivers()
        await opened.delivers(days=31)
        assert sorted(badge.state for badge in await opened.badges()) == ["ended", "worn"]
        assert "803" in alice.roles
        await opened.delivers(days=61)
        assert "803" not in alice.roles
        assert [badge.state for badge in await opened.badges()] == ["ended", "ended"]
        assert await opened.points() == 400


async def test_a_role_out_of_reach_gives_the_points_back(house: House, tmp_path: Any) -> None:
    async with open_discord(tmp_path) as harness, desk(house, harness.adapter, "1") as opened:
        await sells(opened, "boss", "discord_role", role="admin", group=GUILD)
        payout = await opened.buys("boss")
        await opened.delivers()
        assert await opened.state(payout) == ("failed", "platform_refused")
        assert await opened.points() == 1000


async def test_a_tag_comes_and_goes(house: House) -> None:
    async with on_telegram(house) as (opened, harness):
        group = harness.community
        await sells(opened, "regular", "telegram_tag", tag="Regular", group=str(group.id), days=7)
        await opened.buys("regular")
        await opened.delivers()
        assert group.tags[harness.bob.id] == "Regular"
        await opened.delivers(days=8)
        assert group.tags[harness.bob.id] == ""


async def test_a_tag_that_was_lost_on_the_way_is_set_again(house: House) -> None:
    async with on_telegram(house) as (opened, harness):
        await sells(opened, "regular", "telegram_tag", tag="Regular", group=str(harness.community.id))
        payout = await opened.buys("regular")
        harness.api.drop_next("setChatMemberTag")
        await opened.delivers()
        assert await opened.state(payout) == ("processing", None)
        await opened.delivers(minutes=5)
        assert await opened.state(payout) == ("completed", None)
        assert len(await opened.badges()) == 1


async def test_premium_is_paid_once_whatever_is_lost(house: House) -> None:
    async with on_telegram(house) as (opened, harness):
        await sells(opened, "premium", "telegram_premium", months=3)
        payout = await opened.buys("premium")
        harness.api.drop_next("giftPremiumSubscription", done=True)  # done, but nobody hears of it
        await opened.delivers()
        assert await opened.state(payout) == ("unknown", "provider_unclear")
        await opened.delivers(minutes=5)
        assert await opened.state(payout) == ("completed", None)
        assert harness.api.stars.balance == 9_000


async def test_premium_that_cannot_be_told_stays_for_a_person(house: House) -> None:
    stuck: list[PayoutStuck] = []
    house.bus.on(PayoutStuck, lambda session, events: stuck.extend(events))
    async with on_telegram(house) as (opened, harness):
        await sells(opened, "premium", "telegram_premium", months=3)
        payout = await opened.buys("premium")
        harness.api.drop_next("giftPremiumSubscription", done=True)
        await opened.delivers()
        harness.api.stars.transactions.clear()
        for number in range(1, 14):
            await opened.delivers(hours=12 * number)
        assert await opened.state(payout) == ("unknown", "provider_unclear")
        assert [event.payout_id for event in stuck] == [payout.id]
        [dead] = await house.reader.run(lambda s: s.exec(select(Outbox).where(Outbox.state == "dead")).all())
        assert dead.topic == "goods.telegram"
        assert harness.api.stars.balance == 9_000


async def test_a_bot_without_stars_gives_the_points_back(house: House) -> None:
    async with on_telegram(house) as (opened, harness):
        harness.api.stars.balance = 5
        await sells(opened, "premium", "telegram_premium", months=3)
        payout = await opened.buys("premium")
        await opened.delivers()
        assert await opened.state(payout) == ("failed", "provider_funds")
        assert await opened.points() == 1000


async def test_who_is_not_there_is_told_first(house: House) -> None:
    async with on_telegram(house) as (opened, _):
        await sells(opened, "gold", "discord_role", role="gold", group=GUILD)
        await sells(opened, "premium", "telegram_premium", months=3)
        with pytest.raises(Refused) as refused:
            await opened.buys("gold")
        assert (refused.value.code, refused.value.params["platform"]) == ("needs_account", "Discord")
        with pytest.raises(BadInput):
            await opened.buys("premium", quantity=2)


async def test_nothing_is_given_in_another_brands_group(house: House) -> None:
    async with on_telegram(house) as (opened, harness):
        group = str(harness.community.id)
        await sells(opened, "regular", "telegram_tag", tag="Regular", group=group)
        payout = await opened.buys("regular")

        def changes_hands(session: Session) -> None:
            disconnect(session, "telegram", group)
            connect(session, create_brand(session, "Rival").id, "telegram", group, "Tea lovers")

        await house.writer.run(changes_hands)
        await opened.delivers()
        assert await opened.state(payout) == ("failed", "platform_refused")
        with pytest.raises(Refused) as refused:
            await opened.buys("regular", "2")
        assert refused.value.code == "no_group"
        assert harness.community.tags == {}


async def test_a_tag_that_may_be_there_although_the_points_came_back_is_taken_away(house: House) -> None:
    async with on_telegram(house) as (opened, harness):
        group = harness.community
        await sells(opened, "regular", "telegram_tag", tag="Regular", group=str(group.id))
        payout = await opened.buys("regular")
        for number in range(1, ATTEMPTS + 1):
            harness.api.drop_next("setChatMemberTag", done=number == ATTEMPTS)  # the last one arrives, nobody hears
            await opened.delivers(hours=12 * number)
        assert group.tags[harness.bob.id] == "Regular"
        assert await opened.state(payout) == ("failed", "platform_refused")
        assert await opened.points() == 1000
        await opened.delivers(hours=12 * (ATTEMPTS + 1))
        assert group.tags[harness.bob.id] == ""
        assert [badge.state for badge in await opened.badges()] == ["ended"]


async def test_premium_that_telegram_only_ever_put_off_gives_the_points_back(house: House) -> None:
    async with on_telegram(house) as (opened, harness):
        await sells(opened, "premium", "telegram_premium", months=3)
        payout = await opened.buys("premium")
        for number in range(1, ATTEMPTS + 1):
            harness.api.fail_next("giftPremiumSubscription", 429, "Too Many Requests", retry_after=600)
            await opened.delivers(hours=12 * number)
        assert await opened.state(payout) == ("failed", "platform_refused")
        assert (await opened.points(), harness.api.stars.balance) == (1000, 10_000)
