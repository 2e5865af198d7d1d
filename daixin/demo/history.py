"""Makes the demo's past by the real code with a moved clock: nothing is inserted by hand."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from importlib.resources import files
from uuid import UUID

from sqlmodel import Session

from core import clock
from daixin.bootstrap import Parts
from daixin.demo.market import Market, alices_friends_buy, cash_in, stock
from daixin.jobs import run_all_sync
from referral import leaderboard, members, stays
from referral.arrivals import Arrive, arrive
from referral.brands import Brand, Community, communities_of, connect, create_brand
from referral.campaigns import Campaign, enroll
from referral.members import Account
from rewards.campaign_files import apply_campaign, read_campaign
from rewards.insight.refresh import count_all

DAYS = 75
"""How far back the history begins."""
SLUG = "camellia"
GROUPS = (
    ("telegram", "-1001700000001", "山茶 · 茶友会", "https://t.me/+CamelliaTea"),
    ("discord", "880000000000000001", "Camellia Tea House", "https://discord.gg/camellia"),
    ("wechat", "camellia1@chatroom", "山茶老客群 1", None),
    ("wechat", "camellia2@chatroom", "山茶老客群 2", None),
)
ALICE = Account("webchat", "stage:Alice", "Alice")
"""Without a chat: what happened to her in the past is not told again when she opens the stage."""
ALICE_COMES, ALICE_PLACE, ALICE_CASHES = 20, 6, 6
"""Days ago she took part; her friends put her beside who held this place then, so that one more moves her up."""
FAMILY = "王李张刘陈杨黄赵吴周徐孙马朱胡林何郭高罗"
GIVEN = ("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "军", "杰", "娟", "涛", "明", "超", "秀英",
         "霞", "平", "小雨", "子涵", "梓萱", "浩然", "欣怡", "思远", "雨桐", "一诺", "佳琪", "晓东")  # fmt: skip
ENGLISH = ("Olivia", "Liam", "Emma", "Noah", "Mia", "Lucas", "Zoe", "Ethan", "Chloe", "Oscar", "Ivy", "Hugo", "Nora",
           "Leo", "Ruby", "Felix", "Alba", "Jonas", "Priya", "Marco", "Yuki", "Anya", "Diego", "Freya")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """What the history holds."""

    brand: str
    campaign: str
    members: int
    days: int


@dataclass(slots=True)
class _Past:
    """The state of the making: who has which code, and who will leave when."""

    parts: Parts
    chance: random.Random
    brand: Brand
    campaign: Campaign
    groups: list[Community]
    codes: list[str]
    market: Market
    alice: UUID | None = None
    day: int = 0
    advocates: int = 0
    number: int = 0


def make(parts: Parts, people: int, seed: int) -> Made:
    """A brand, its groups, a running campaign, and `people` members who came over the last `DAYS` days."""
    chance = random.Random(seed)  # noqa: S311  # a believable past, not a secret
    # Everything is dated from this moment, so that the same seed makes the same past at any hour of the day.
    begin = clock.now() - timedelta(days=DAYS)
    before = clock.offset()
    try:
        _travel(begin)
        past = parts.writer.run_sync(lambda session: _found(session, parts, chance, seed, begin))
        daily = [1 + (people - 1) * (day + 1) // DAYS for day in range(DAYS)]
        for day in range(DAYS):
            _travel(begin + timedelta(days=day, minutes=chance.randrange(60)))
            past.day = day
            _day(past, daily[day] - past.number)
            if day == DAYS - ALICE_COMES:
                parts.writer.run_sync(partial(_alice, past=past))
            parts.writer.run_sync(partial(past.market.trade, day=day))
            run_all_sync(parts.writer)
            if day == DAYS - ALICE_CASHES and past.alice is not None:
                parts.writer.run_sync(partial(cash_in, brand=past.brand, member_id=past.alice))
                parts.writer.run_sync(past.market.refund)
    finally:
        clock.move(before)
    run_all_sync(parts.writer)
    parts.writer.run_sync(lambda session: count_all(session, past.brand.id))
    return Made(past.brand.slug, past.campaign.slug, past.number, DAYS)


def _travel(to: datetime) -> None:
    clock.move(clock.offset() + (to - clock.now()))


def _found(session: Session, parts: Parts, chance: random.Random, seed: int, begin: datetime) -> _Past:
    brand = create_brand(session, "山茶 Camellia Tea", slug=SLUG)
    for platform, group, title, url in GROUPS:
        connect(session, brand.id, platform, group, title, url)
    file = read_campaign((files("daixin.demo") / "spring.toml").read_text())
    dates = {"starts_at": begin, "ends_at": begin + timedelta(days=DAYS + 60)}
    file = file.model_copy(update={"campaign": file.campaign.model_copy(update=dates)})
    campaign = apply_campaign(session, brand, file).campaign
    groups = [group for group in communities_of(session, brand.id) if not group.open]
    stock(session, brand)
    market = Market(brand, random.Random(seed))  # noqa: S311  # as above
    return _Past(parts, chance, brand, campaign, groups, [], market)


def _day(past: _Past, newcomers: int) -> None:
    """One day: old customers take part, friends come through them, some of last week's leave."""
    if past.number == 0 or past.chance.random() < 0.5:
        count = 3 if past.number == 0 else 1 + newcomers // 12
        past.parts.writer.run_sync(lambda session: _advocates(session, past, count))
    arrivals = [_arrival(past) for _ in range(max(0, newcomers))]
    for at in range(0, len(arrivals), 200):
        batch = arrivals[at : at + 200]
        results = past.parts.writer.run_sync(partial(_come, past=past, batch=batch))
        past.number += len(results)


def _advocates(session: Session, past: _Past, count: int) -> None:
    now = clock.now()
    people = [_person(past, past.chance.choice(past.groups)) for _ in range(count)]
    for known in members.meet(session, past.brand.id, people, [now] * count, "message"):
        past.codes.append(enroll(session, past.campaign, known.member_id))
        past.number += 1
        past.advocates += 1


def _person(past: _Past, group: Community) -> Account:
    chance = past.chance
    english = group.platform == "discord" or chance.random() < 0.15
    name = chance.choice(ENGLISH) if english else chance.choice(FAMILY) + chance.choice(GIVEN)
    account = f"demo{past.chance.getrandbits(48):012x}"
    return Account(group.platform, account, name, locale="en" if english else "zh_Hans")


def _arrival(past: _Past) -> tuple[Arrive, Community, str]:
    """Who comes, where to, and what becomes of them: stays, leaves, or never joins."""
    chance = past.chance
    group = chance.choice(past.groups)
    # Few bring many: the earlier an advocate took part, the likelier a friend comes through them.
    code = past.codes[min(int(chance.expovariate(1.0) * len(past.codes) / 4), len(past.codes) - 1)]
    fate = chance.choices(("stays", "leaves", "never"), (70, 18, 12))[0]
    at = clock.now() + timedelta(seconds=chance.randrange(10 * 3600))
    return Arrive(code, _person(past, group), at, kind="start"), group, fate


def _alice(session: Session, past: _Past) -> None:
    """She takes part, and brings friends who stay."""
    campaign = past.campaign
    board = leaderboard.top(session, past.brand.id, campaign.id, ALICE_PLACE)
    now = clock.now()
    known = members.meet(session, past.brand.id, [ALICE], [now], "message")[0]
    past.alice = known.member_id
    code = enroll(session, campaign, known.member_id)
    count = board[-1].score if board else 1
    groups = [past.chance.choice(past.groups) for _ in range(count)]
    friends = [
        Arrive(code, _person(past, group), now + timedelta(hours=hours), kind="start")
        for hours, group in enumerate(groups)
    ]
    _come(session, past, [(friend, group, "stays") for friend, group in zip(friends, groups, strict=True)])
    alices_friends_buy(past.market, past.day + 3, [friend.person for friend in friends])
    past.number += 1 + count


def _come(session: Session, past: _Past, batch: list[tuple[Arrive, Community, str]]) -> list[UUID]:
    results = arrive(session, [command for command, _, _ in batch])
    came = []
    for (command, group, fate), result in zip(batch, results, strict=True):
        assert result.member_id is not None
        came.append(result.member_id)
        if fate != "never":
            stays.joined(session, group, command.person.account, command.at + timedelta(minutes=2))
        if fate == "leaves":
            stays.left(session, group, command.person.account, command.at + timedelta(hours=6))
        else:
            if fate == "stays":
                past.market.expect(past.day, command.person)
            if past.chance.random() < 0.25:
                past.codes.append(enroll(session, past.campaign, result.member_id))
    return came
