"""Announcements on the real adapters: posted and pinned, taken down at the end; a group that goes and comes back."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from bots import group_news, placing
from bots.announcements import Announcer
from bots.message import Address, BotPlaced, Person, Place
from bots.news import TOPIC as CHAT
from bots.notify import Deliverer
from core import clock
from core.outbox import Dispatcher
from daixin import jobs
from referral import members, staff
from referral.announcing import TOPIC, log_of
from referral.brands import Brand, connect, create_brand
from referral.campaigns import Campaign, move
from referral.connecting import connect_group
from referral.members import Account
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from tests.bots.discord.world import GUILD
from tests.house import House, fresh_sqlite

PLATFORMS = ["telegram", "discord", pytest.param("wechat", marks=pytest.mark.needs("node")), "webchat"]


@dataclass
class Square:
    """A brand with one group on one platform, run by Alice."""

    house: House
    platform: Any
    brand: Brand
    group: str
    dispatcher: Dispatcher

    async def applies(self) -> Campaign:
        now = clock.now()
        raw = {
            "campaign": {
                "slug": "spring",
                "title": {"en": "Spring tea", "zh_Hans": "春茶会"},
                "benefit": {"en": "A free cup for you.", "zh_Hans": "送你一杯新茶。"},
                "starts_at": now - timedelta(minutes=1),
                "ends_at": now + timedelta(days=10),
            },
            "rewards": {"budget": 1000, "rules": [{"to": "advocate", "amount": 100}]},
        }

        def apply(session: Session) -> Campaign:
            return apply_campaign(session, self.brand, build_campaign(raw)).campaign

        return await self.house.writer.run(apply)

    async def delivers(self) -> None:
        await jobs.run_all(self.house.writer)
        while await self.dispatcher.deliver_due():
            continue

    async def log(self, campaign: Campaign) -> list[tuple[str, str]]:
        found = await self.house.reader.run(lambda session: log_of(session, campaign))
        return [(row.what, row.state) for row, _ in found]


@pytest.fixture(params=PLATFORMS)
async def square(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Square]:
    harness = importlib.import_module(f"tests.bots.{request.param}.harness")
    async with harness.open_harness(tmp_path) as platform:
        house = House(fresh_sqlite(tmp_path))
        group_news.listen(house.bus, ())
        name, group = platform.adapter.platform, group_of(platform)
        alice = Account(name, platform.address("alice"), "Alice", chat=platform.address("alice"), locale="en")
        await platform.say("alice", "/start")

        def found(session: Session) -> Brand:
            brand = create_brand(session, "Acme", locale="en")
            met = members.meet(session, brand.id, [alice], [clock.now()], "message")[0]
            members.heard(session, brand.id, alice, clock.now())
            staff.give(session, brand.id, met.member_id, "owner", "operator")
            connect(session, brand.id, name, group, "Tea lovers")
            return brand

        brand = await house.writer.run(found)
        dispatcher = Dispatcher(house.writer)
        dispatcher.on(
            TOPIC + name, Announcer(platform.adapter, house.writer), lambda message: str(message.payload["chat"])
        )
        dispatcher.on(CHAT + name, Deliverer(platform.adapter, house.reader, house.writer))
        yield Square(house, platform, brand, group, dispatcher)
        house.close()


def group_of(platform: Any) -> str:
    """The group everybody of the harness is in."""
    match platform.adapter.platform:
        case "telegram":
            return str(platform.community.id)
        case "discord":
            return GUILD
        case "wechat":
            return str(importlib.import_module("tests.bots.wechat.process").GROUP)
    return "group"


def pinned(square: Square) -> int:
    """How many messages the group keeps in sight."""
    if square.platform.adapter.platform == "telegram":
        return len(square.platform.community.pinned)
    if square.platform.adapter.platform == "discord":
        return sum(message.pinned for message in square.platform.server.messages)
    return 0


async def test_a_start_stands_in_the_group_and_is_pinned_until_the_end(square: Square) -> None:
    can_pin = square.platform.adapter.platform in ("telegram", "discord")
    campaign = await square.applies()
    await square.delivers()
    [seen] = await square.platform.seen("bob", 1, group=True)
    assert seen.text.startswith("📣 Spring tea has begun!")
    assert seen.buttons == ["Get my invite link"]
    assert pinned(square) == int(can_pin)

    def ends(session: Session) -> None:
        move(session, session.get_one(Campaign, (campaign.brand_id, campaign.id)), "end")

    await square.house.writer.run(ends)
    await square.delivers()
    seen = (await square.platform.seen("bob", 2, group=True))[-1]
    assert seen.text.startswith("🏁 Spring tea is over.")
    assert pinned(square) == 0
    assert await square.log(campaign) == [("start", "sent"), ("end", "sent"), ("results", "skipped")]


async def test_the_bot_put_out_of_a_group_is_told_of_and_goes_on_there_when_it_is_back(square: Square) -> None:
    if square.platform.adapter.platform == "webchat":
        return  # nobody can put it out of its own rooms
    platform = square.platform.adapter.platform
    place = Place(Address(platform, square.group), square.group, "Tea lovers")
    somebody = Person("99", "Admin")

    def out(session: Session) -> None:
        placing.placed(session, BotPlaced(place, False, somebody), (), "en", checks=True)

    await square.house.writer.run(out)
    campaign = await square.applies()
    await square.delivers()
    assert await square.log(campaign) == []
    told = [seen.text for seen in await square.platform.seen("alice", 1) if "taken out" in seen.text]
    assert len(told) == 1
    assert "Tea lovers" in told[0]

    def back(session: Session) -> None:
        connect_group(session, square.brand.id, platform, square.group, "Tea lovers", "telegram:1")

    await square.house.writer.run(back)
    await square.delivers()
    await square.platform.seen("bob", 1, group=True)
    assert [what for what, _ in await square.log(campaign)] == ["start"]
