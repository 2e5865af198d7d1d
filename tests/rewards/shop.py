"""A tea shop for the tests of rewards: a brand, a running campaign with money in it, and Alice who brings friends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from core import clock, events
from referral import members, stays
from referral.brands import Brand, Community, connect, create_brand
from referral.campaigns import Campaign, enroll
from referral.conversions import Order
from referral.orders import record_orders
from referral.qualifying import Qualify
from referral.referrals import referral_of, reverse
from rewards import ledger
from rewards.plans import Plan, Rule, save_plan
from rewards.rewards import Reward, rewards_of
from rewards.verify import Problem, verify
from tests.house import House, person

BOTH = Plan(rules=(Rule(to="advocate", amount=100, hold_days=3), Rule(to="friend", amount=50)), budget=1000)


@dataclass(slots=True)
class Shop:
    """What the stories are about; amounts are points."""

    house: House
    brand: Brand
    campaign: Campaign
    group: Community
    alice: UUID
    code: str

    def brings(self, name: str) -> UUID:
        """A friend comes with Alice's code and joins the group; the member."""
        came = self.house.comes(name, self.code)
        assert came.outcome == "referred", came.outcome
        assert came.member_id is not None
        self.house.do(lambda session: stays.joined(session, self.group, name.lower(), clock.now()))
        return came.member_id

    def stays(self) -> int:
        """The daily job: who has stayed long enough qualifies."""
        return self.house.do(stays.qualify_due)

    def leaves(self, name: str) -> None:
        self.house.do(lambda session: stays.left(session, self.group, name.lower(), clock.now()))

    def purse(self, member: UUID) -> dict[str, int]:
        """What a member holds, without empty accounts: {"held": …, "payable": …}."""
        found = self.accounts(member)
        return {purpose.removeprefix("member."): amount for (purpose, _), amount in found.items() if amount}

    def buys(self, name: str, number: str, gross: int = 10_000, currency: str = "CNY") -> None:
        """The shop's till tells of an order of somebody on Telegram, in minor units."""
        account = ("telegram", name.lower())
        order = Order(self.brand.id, "till", number, currency, gross, clock.now(), account=account)
        self.house.do(lambda session: record_orders(session, [order]))

    def reverses(self, name: str, reason: str = "fraud") -> None:
        """The referral of a friend is reversed."""

        def undo(session: Session) -> None:
            identity = members.find_identity(session, self.brand.id, "telegram", name.lower())
            assert identity is not None
            referral = referral_of(session, self.brand.id, identity.member_id, self.campaign.id)
            assert referral is not None
            events.emit(session, reverse(session, [referral], reason))

        self.house.do(undo)

    def accounts(self, member: UUID) -> dict[tuple[str, str], int]:
        """All that a member's accounts hold, by (purpose, asset)."""
        return self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, member))

    def budget(self, asset: str = "PTS") -> int:
        found = self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, self.campaign.id))
        return found.get(("campaign.budget", asset), 0)

    def lines(self, member: UUID, rule: str | None = None) -> list[tuple[int, str, str | None]]:
        """(amount now, state, reason) of a member's rewards, the untold ones too, the oldest first."""

        def read(session: Session) -> list[Reward]:
            mine = select(Reward).where(col(Reward.brand_id) == self.brand.id, col(Reward.member_id) == member)
            return list(session.scalars(mine.order_by(col(Reward.created_at), col(Reward.id))))

        found = self.house.ask(read)
        return [(one.amount - one.taken_back, one.state, one.reason) for one in found if rule in (None, one.rule)]

    def rewards(self, member: UUID) -> list[Reward]:
        return self.house.ask(lambda session: rewards_of(session, self.brand.id, member, limit=1000))

    def problems(self) -> list[Problem]:
        return self.house.ask(verify)


def open_shop(house: House, plan: Plan = BOTH, funded: int | None = None, name: str = "Acme 茶", **terms: Any) -> Shop:
    """A shop whose campaign pays by this plan and has `funded` points (the plan's budget) in it, and other budgets.

    `terms`: columns of the campaign that are not as usual.
    """

    def build(session: Session) -> Shop:
        brand = create_brand(session, name)
        campaign = Campaign(
            brand_id=brand.id,
            slug="spring",
            title={"en": "Spring", "zh_Hans": "春"},
            benefit={},
            starts_at=clock.now() - timedelta(days=1),
            ends_at=clock.now() + timedelta(days=200),
            created_at=clock.now(),
            state="running",
            **terms,
        )
        session.add(campaign)
        session.flush()
        save_plan(session, brand.id, campaign.id, 1, plan)
        amount = plan.budget if funded is None else funded
        if amount:
            ledger.fund(session, brand.id, campaign.id, plan.asset, amount, f"fund/{campaign.id}/1")
        for asset, more in plan.budgets.items():
            ledger.fund(session, brand.id, campaign.id, asset, more, f"fund/{campaign.id}/1/{asset}")
        group = connect(session, brand.id, "telegram", f"-100 {name}", "Tea friends")
        alice = members.meet(session, brand.id, [person("Alice")], [clock.now()], "message")[0].member_id
        return Shop(house, brand, campaign, group, alice, enroll(session, campaign, alice))

    return house.do(build)


def waiting_referrals(shop: Shop, names: list[str]) -> list[Qualify]:
    """Friends who have joined and are about to qualify, as the commands that say so."""
    friends = [shop.brings(name) for name in names]

    def commands(session: Session) -> list[Qualify]:
        found = [referral_of(session, shop.brand.id, friend, shop.campaign.id) for friend in friends]
        return [Qualify(shop.brand.id, row.id, "retained", clock.now()) for row in found if row is not None]

    return shop.house.ask(commands)
