"""A shop that pays money: Alice has earned, and can take it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from sqlmodel import Session

from core import clock, ids
from rewards import ledger
from rewards.adjustments import Adjustment
from rewards.ledger import Account, Move, Purpose
from rewards.payouts import payees, payouts
from rewards.payouts.payouts import Payout, payouts_of
from rewards.payouts.withdrawals import Offer, withdraw, withdrawable
from rewards.plans import PayoutTerms, Plan, Rule
from rewards.rewards import Reward
from tests.house import House
from tests.rewards.shop import Shop, open_shop

E = TypeVar("E")
ALICE_CARD = {"name": "Alice Wang", "account": "6222 0212 3456 7894"}


@dataclass(slots=True)
class Till:
    """`told`: the events of payouts, in order."""

    shop: Shop
    provider: str
    asset: str
    told: list[object] = field(default_factory=list)

    @property
    def alice(self) -> UUID:
        return self.shop.alice

    @property
    def brand(self) -> UUID:
        return self.shop.brand.id

    def earns(self, amount: int, member: UUID | None = None) -> UUID:
        """A released reward by hand: granted from the budget and payable at once."""
        reward_id = ids.new()
        member = member or self.alice

        def give(session: Session) -> UUID:
            session.add(
                Adjustment(
                    brand_id=self.brand,
                    id=reward_id,
                    member_id=member,
                    campaign_id=self.shop.campaign.id,
                    asset=self.asset,
                    amount=amount,
                    reason="goodwill",
                    actor="cli",
                    key=str(reward_id),
                    created_at=clock.now(),
                )
            )
            session.add(
                Reward(
                    brand_id=self.brand,
                    id=reward_id,
                    campaign_id=self.shop.campaign.id,
                    campaign_version=1,
                    member_id=member,
                    role="advocate",
                    rule="goodwill",
                    event="adjust",
                    cause=f"adjust/{reward_id}",
                    asset=self.asset,
                    amount=amount,
                    state="payable",
                    hold_until=clock.now(),
                    created_at=clock.now(),
                )
            )
            session.flush()
            accounts = [
                Account(self.brand, self.shop.campaign.id, Purpose.BUDGET, self.asset),
                Account(self.brand, member, Purpose.HELD, self.asset),
                Account(self.brand, member, Purpose.PAYABLE, self.asset),
            ]
            ledger.transfer(
                session,
                [
                    Move(f"grant/{reward_id}", "grant", accounts[0], accounts[1], amount),
                    Move(f"release/{reward_id}", "release", accounts[1], accounts[2], amount),
                ],
            )
            return reward_id

        return self.shop.house.do(give)

    def payee(self, member: UUID | None = None, **details: str) -> str:
        given = details or ALICE_CARD
        found = self.shop.house.do(
            lambda session: payees.set_payee(session, self.brand, member or self.alice, self.provider, given)
        )
        return found.masked

    def takes(self, amount: int, key: str = "1", member: UUID | None = None) -> Payout:
        return self.shop.house.do(
            lambda session: withdraw(session, self.brand, member or self.alice, self.provider, self.asset, amount, key)
        )

    def offers(self, member: UUID | None = None) -> list[Offer]:
        return self.shop.house.ask(lambda session: withdrawable(session, self.brand, member or self.alice))

    def payouts(self, member: UUID | None = None) -> list[Payout]:
        return self.shop.house.ask(lambda session: payouts_of(session, self.brand, member or self.alice, 1000))

    def balance(self, owner: UUID, purpose: Purpose) -> int:
        account = Account(self.brand, owner, purpose, self.asset)
        return self.shop.house.ask(lambda session: ledger.balance(session, account))

    def payable(self, member: UUID | None = None) -> int:
        return self.balance(member or self.alice, Purpose.PAYABLE)

    def heard(self, kind: type[E]) -> list[E]:
        return [event for event in self.told if isinstance(event, kind)]


def open_till(
    house: House, provider: str = "manual", asset: str = "CNY", *, funded: int = 1_000_000, **terms: Any
) -> Till:
    """A shop whose campaign pays by this provider on these terms."""
    plan = Plan(
        asset=asset,
        budget=funded,
        rules=(Rule(to="advocate", amount=100),),
        payout=PayoutTerms(provider=provider, **terms),
    )
    till = Till(open_shop(house, plan), provider, asset)
    for kind in vars(payouts).values():
        if isinstance(kind, type) and kind.__name__.startswith("Payout") and hasattr(kind, "__dataclass_fields__"):
            house.bus.on(kind, lambda session, happened: till.told.extend(happened))
    house.bus.on(payouts.PayeeShared, lambda session, happened: till.told.extend(happened))
    return till
