"""A tea lane with several advocates: who comes by whose code, who buys, who has what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from referral import members
from referral.attribution.decisions import Attribution, CreditShare, decisions_of
from referral.brands import Brand, create_brand
from referral.campaigns import Campaign, enroll
from referral.conversions import Conversion, Order, Recorded, RefundOrder
from referral.orders import record_orders
from referral.refunds import record_refunds
from referral.touches import Touch
from rewards import ledger
from rewards.campaign_files import apply_campaign, read_campaign
from rewards.rewards import Reward
from rewards.verify import Problem, verify
from tests.house import House, person

FILE = """
[campaign]
slug = "tea"
title = {{ zh_Hans = "茶", en = "Tea" }}
benefit = {{ zh_Hans = "茶", en = "Tea" }}
starts_at = {starts}
ends_at = {ends}
[qualify]
event = "purchased"
window_days = 30
[attribution]
{attribution}
[rewards]
asset = "CNY"
budget = 1000000
rules = [{rules}]
"""
TENTH = '{ to = "advocate", basis_points = 1000, on = "purchased", hold_days = 7 }'


@dataclass(slots=True)
class Lane:
    """What the stories are about; amounts are fen."""

    house: House
    brand: Brand
    campaign: Campaign

    def code(self, name: str) -> str:
        """An advocate's code."""

        def give(session: Session) -> str:
            [known] = members.meet(session, self.brand.id, [person(name)], [clock.now()], "message")
            return enroll(session, session.get_one(Campaign, (self.brand.id, self.campaign.id)), known.member_id)

        return self.house.do(give)

    def who(self, name: str) -> UUID:
        """The member of this name."""
        found = self.house.ask(lambda session: members.find_identity(session, self.brand.id, "telegram", name.lower()))
        assert found is not None
        return found.member_id

    def comes(self, friend: str, advocate: str, **more: Any) -> str:
        """A friend comes with an advocate's code, now; what became of it."""
        return self.house.comes(friend, self.code(advocate), **more).outcome

    def clicks(self, advocate: str, *, robot: bool = False) -> UUID:
        """Somebody follows an advocate's link, now; the click's id."""
        code = self.code(advocate)

        def write(session: Session) -> UUID:
            made = Touch(
                brand_id=self.brand.id,
                campaign_id=self.campaign.id,
                code=code,
                kind="click",
                touched_at=clock.now(),
                robot=robot,
            )
            session.add(made)
            session.flush()
            return made.id

        return self.house.do(write)

    def order(self, friend: str | None, number: str = "1", net: int = 10_000, **more: Any) -> Order:
        """An order of a friend, now."""
        who = {"account": ("telegram", friend.lower())} if friend else {}
        usual: dict[str, Any] = {"ordered_at": clock.now(), "gross": net, "currency": "CNY", **who}
        return Order(self.brand.id, "till", number, **(usual | more))

    def tells(self, *orders: Order) -> list[Recorded]:
        """The till tells of orders."""
        return self.house.do(lambda session: record_orders(session, orders))

    def buys(self, friend: str, number: str = "1", net: int = 10_000, **more: Any) -> Recorded:
        """A friend buys, now."""
        return self.tells(self.order(friend, number, net, **more))[0]

    def gives_back(self, number: str, amount: int | None, of: str = "1") -> None:
        """Part of an order goes back."""
        told = RefundOrder(self.brand.id, "till", number, of, amount, "CNY", clock.now())
        self.house.do(lambda session: record_refunds(session, [told]))

    def decision(self, number: str = "1") -> Attribution:
        """The decision in force about an order."""
        return self.decisions(number)[-1]

    def decisions(self, number: str = "1") -> list[Attribution]:
        """Every decision about an order."""

        def read(session: Session) -> list[Attribution]:
            named = select(col(Conversion.id)).where(col(Conversion.external_id) == number)
            return decisions_of(session, self.brand.id, session.scalars(named).one())

        return self.house.ask(read)

    def shares(self, number: str = "1") -> dict[str, int]:
        """Who has which share of an order, by name."""
        decided = self.decision(number)

        def read(session: Session) -> dict[UUID, int]:
            rows = session.execute(
                select(col(CreditShare.advocate_id), col(CreditShare.share)).where(
                    col(CreditShare.conversion_id) == decided.conversion_id,
                    col(CreditShare.revision) == decided.revision,
                )
            )
            return dict(rows.all())

        return self._named(self.house.ask(read))

    def earned(self) -> dict[str, int]:
        """What lives of the rewards of each advocate, in fen."""

        def read(session: Session) -> dict[UUID, int]:
            found: dict[UUID, int] = {}
            for one in session.scalars(select(Reward).where(col(Reward.state) != "capped")):
                found[one.member_id] = found.get(one.member_id, 0) + one.amount - one.taken_back
            return found

        return self._named(self.house.ask(read))

    def _named(self, found: dict[UUID, int]) -> dict[str, int]:
        def read(session: Session) -> dict[UUID, str]:
            return {one.id: one.name for one in session.scalars(select(members.Member))}

        names = self.house.ask(read)
        return {names[member_id]: amount for member_id, amount in found.items() if amount}

    def budget(self) -> int:
        """What the campaign has left."""
        found = self.house.ask(lambda session: ledger.balances_of(session, self.brand.id, self.campaign.id))
        return found[("campaign.budget", "CNY")]

    def problems(self) -> list[Problem]:
        """What the proof of the books says."""
        return self.house.ask(verify)


def open_lane(house: House, attribution: str, rules: str = TENTH, name: str = "Lane 茶巷") -> Lane:
    """A brand whose campaign runs from now for about a year under this policy."""

    def build(session: Session) -> Lane:
        brand = create_brand(session, name)
        now = clock.now()
        ends = now.replace(day=1, year=now.year + 1)
        text = FILE.format(starts=now.isoformat(), ends=ends.isoformat(), attribution=attribution, rules=rules)
        applied = apply_campaign(session, brand, read_campaign(text))
        return Lane(house, brand, applied.campaign)

    return house.do(build)
