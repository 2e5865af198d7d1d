"""Whatever people do, every order, friend and member has a journey that can be told, with the money of the books."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.errors import DaixinError
from referral import linking, members, stays
from referral.conversions import Conversion, Order, RefundOrder
from referral.journeys.steps import Journey
from referral.members import Member
from referral.orders import record_orders
from referral.privacy import forget_member
from referral.referrals import Referral
from referral.refunds import record_refunds
from referral.rejection import reject
from rewards import journeys
from rewards.plans import Plan, Rule
from rewards.rewards import Reward, release_due
from tests.house import House, fresh_sqlite, person
from tests.rewards.shop import Shop, open_shop
from web.dashboard.journey_words import Words

PLAN = Plan(
    asset="CNY",
    budget=20_000,
    rules=(
        Rule(to="advocate", on="purchased", basis_points=1000, hold_days=2),
        Rule(to="friend", amount=300),
        Rule(to="advocate", amount=200, hold_days=5),
    ),
)
NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Fay")
PLATFORMS = ("telegram", "discord")
ACTS = 70


class Life:
    """People who come, buy, send back, link, leave and are forgotten, as chance has it."""

    def __init__(self, shop: Shop, seed: int) -> None:
        self.shop, self.chance, self.orders = shop, random.Random(seed), 0
        self.house = shop.house

    def acts(self) -> None:
        """One thing happens; what the rules refuse does not."""
        often = (self.comes, self.buys, self.buys, self.sends_back, self.links, self.rejects)
        act = self.chance.choice((*often, self.comes, self.buys, self.leaves, self.joins, self.forgets, self.speaks))
        with suppress(DaixinError):
            act()
        self.house.do(stays.qualify_due)
        self.house.do(release_due)

    def account(self) -> tuple[str, str]:
        return self.chance.choice(PLATFORMS), self.chance.choice(NAMES)

    def comes(self) -> None:
        platform, name = self.account()
        self.house.comes(name, self.shop.code, platform)

    def speaks(self) -> None:
        platform, name = self.account()
        met = [person(name, platform)]
        self.house.do(lambda session: members.meet(session, self.shop.brand.id, met, [clock.now()], "message"))

    def joins(self) -> None:
        name = self.account()[1]
        self.house.do(lambda session: stays.joined(session, self.shop.group, name.lower(), clock.now()))

    def leaves(self) -> None:
        self.shop.leaves(self.account()[1])

    def buys(self) -> None:
        platform, name = self.account()
        self.orders += 1
        code = self.shop.code if self.chance.random() < 0.4 else None
        account = (platform, name.lower()) if self.chance.random() < 0.9 else None
        at = clock.now() - timedelta(hours=self.chance.randrange(3))
        gross = self.chance.randrange(0, 9_000)
        order = Order(self.shop.brand.id, "till", f"o{self.orders}", "CNY", gross, at, account=account, code=code)
        self.house.do(lambda session: record_orders(session, [order]))

    def sends_back(self) -> None:
        which = f"o{self.chance.randrange(self.orders + 3)}"
        amount = self.chance.choice((None, 100, 1_000))
        number = f"r{self.chance.randrange(10_000)}"
        told = RefundOrder(self.shop.brand.id, "till", number, which, amount, "CNY", clock.now())
        self.house.do(lambda session: record_refunds(session, [told]))

    def links(self) -> None:
        everybody = self.all(Member.id)
        one, other = self.chance.choice(everybody), self.chance.choice(everybody)
        if one == other:
            return
        link = self.house.do(lambda session: linking.link(session, self.shop.brand.id, one, other))
        if self.chance.random() < 0.5:
            self.house.do(lambda session: linking.undo_link(session, self.shop.brand.id, link.id))

    def rejects(self) -> None:
        which = self.chance.choice([*self.all(Referral.id), *self.all(Member.id)])
        self.house.do(lambda session: reject(session, self.shop.brand.id, which, reason="no friend", actor="operator"))

    def forgets(self) -> None:
        if self.chance.random() < 0.3:
            who = self.chance.choice(self.all(Member.id))
            self.house.do(lambda session: forget_member(session, self.shop.brand.id, who))

    def all(self, column: object) -> list[UUID]:
        return self.house.ask(lambda session: sorted(session.scalars(select(column)).all()))  # type: ignore[call-overload]


def tells(journey: Journey) -> None:
    """It can be said in both languages, in the order of time."""
    assert [step.at for step in journey.steps] == sorted(step.at for step in journey.steps)
    for locale in ("zh_Hans", "en"):
        words = Words(journey, locale, "Asia/Shanghai")
        assert not words.verdict().startswith("journey.")
        for step in journey.steps:
            said = words.step(step)
            assert not said.text.startswith("journey."), said.text
        for advocate in words.advocates():
            letter = words.letter(advocate)
            friend = journey.people.get(journey.friend_id) if journey.friend_id else None
            assert "—" not in letter, letter
            if friend is not None and friend.name and friend.id != advocate:
                assert friend.name not in letter.replace("Hello Alice,", "")


def adds_up(session: Session, shop: Shop, journey: Journey) -> None:
    """What moved by a friend's journey is what their rewards say, to the last."""
    assert journey.referral is not None
    moved: dict[UUID, int] = {}
    for step in journey.steps:
        for move in step.moves:
            parts = move.reference.split("/")
            which = UUID(parts[3] if parts[0] == "link" else parts[1])
            sign = {"grant": 1, "link": 1, "void": -1, "clawback": -1}.get(parts[0], 0)
            moved[which] = moved.get(which, 0) + sign * move.amount
    mine = select(Reward).where(col(Reward.brand_id) == shop.brand.id, col(Reward.referral_id) == journey.referral.id)
    for reward in session.scalars(mine.where(col(Reward.state) != "capped")):
        assert moved[reward.id] == reward.amount - reward.taken_back, reward


@pytest.mark.parametrize("seed", range(4))
def test_every_life_can_be_told(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    house = House(fresh_sqlite(tmp_path_factory.mktemp("life")))
    try:
        shop = open_shop(house, PLAN, event="purchased" if seed % 2 else "joined")
        life = Life(shop, seed)
        for number in range(ACTS):
            with clock.moved(timedelta(hours=5 * number)):
                life.acts()
        with clock.moved(timedelta(hours=5 * ACTS)):
            for which in life.all(Conversion.id):
                tells(house.ask(lambda session, one=which: journeys.order_journey(session, shop.brand.id, one)))  # type: ignore[misc]
            for which in life.all(Member.id):
                tells(house.ask(lambda session, one=which: journeys.person_journey(session, shop.brand.id, one)))  # type: ignore[misc]
            for which in life.all(Referral.id):
                found = house.ask(lambda session, one=which: journeys.friend_journey(session, shop.brand.id, one))  # type: ignore[misc]
                tells(found)
                house.ask(lambda session, one=found: adds_up(session, shop, one))  # type: ignore[misc]
        assert shop.problems() == []
    finally:
        house.close()
