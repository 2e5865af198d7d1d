"""A tea shop for the tests of rewards: a brand, a running campaign with money in it, and Alice who brings friends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session

from core import clock
from referral import members, stays
from referral.brands import Brand, Community, connect, create_brand
from referral.campaigns import Campaign, enroll
from referral.qualifying import Qualify
from referral.referrals import referral_of
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
        found = self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, member))
        return {purpose.removeprefix("member."): amount for (purpose, _), amount in found.items() if amount}

    def budget(self) -> int:
        found = self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, self.campaign.id))
        return found.get(("campaign.budget", "PTS"), 0)

    def rewards(self, member: UUID) -> list[Reward]:
        return self.house.ask(lambda session: rewards_of(session, self.brand.id, member, limit=1000))

    def problems(self) -> list[Problem]:
        return self.house.ask(verify)


def open_shop(house: House, plan: Plan = BOTH, funded: int | None = None) -> Shop:
    """A shop whose campaign pays by this plan and has `funded` points (the plan's budget) in it."""

    def build(session: Session) -> Shop:
        brand = create_brand(session, "Acme 茶")
        campaign = Campaign(
            brand_id=brand.id,
            slug="spring",
            title={"en": "Spring", "zh_Hans": "春"},
            benefit={},
            starts_at=clock.now() - timedelta(days=1),
            ends_at=clock.now() + timedelta(days=200),
            created_at=clock.now(),
            state="running",
        )
        session.add(campaign)
        session.flush()
        save_plan(session, brand.id, campaign.id, 1, plan)
        amount = plan.budget if funded is None else funded
        if amount:
            ledger.fund(session, brand.id, campaign.id, plan.asset, amount, f"fund/{campaign.id}/1")
        group = connect(session, brand.id, "telegram", "-100", "Tea friends")
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
