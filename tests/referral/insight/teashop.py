"""Mei's tea shop, whose days are counted: friends come, buy and send things back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from core import clock, ids
from core.db import insert_all, table
from referral import brands, members, orders, refunds
from referral.arrivals import Arrive, arrive
from referral.brands import Brand
from referral.campaigns import Campaign, enroll
from referral.conversions import Order, RefundOrder
from referral.insight import figures
from referral.insight.counting import SOURCES
from referral.insight.figures import Period, Sums
from referral.insight.recount import recount
from referral.touches import Touch
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.insight import spending
from tests.house import House, person

ALL = (*SOURCES, spending.SOURCE)


class Shop:
    """Her brand with a campaign that pays the advocate 60 yuan for a friend's purchase."""

    def __init__(self, house: House, brand: Brand | None = None) -> None:
        self.house = house
        self.brand = brand or house.do(self._open)
        self.campaign = self.launches("spring")
        self.number = 0

    def _open(self, session: Session) -> Brand:
        brand = brands.create_brand(session, "Mei", slug="mei", timezone="Asia/Shanghai")
        brands.connect(session, brand.id, "telegram", "-100", "Tea friends")
        return brand

    def launches(self, slug: str, asset: str = "CNY", amount: int = 6_000) -> Campaign:
        """A campaign that pays the advocate so much for a friend's purchase."""
        now = clock.now()
        raw: dict[str, Any] = {
            "campaign": {
                "slug": slug,
                "title": {"en": slug.title(), "zh_Hans": "春茶"},
                "benefit": {"en": "A cup", "zh_Hans": "一杯茶"},
                "timezone": "Asia/Shanghai",
                "starts_at": now - timedelta(days=2),
                "ends_at": now + timedelta(days=200),
            },
            "qualify": {"event": "purchased", "window_days": 30},
            "rewards": {
                "asset": asset,
                "budget": 10_000_000,
                "rules": [{"to": "advocate", "amount": amount, "hold_days": 0}],
            },
        }
        file = build_campaign(raw)
        return self.house.do(
            lambda session: apply_campaign(session, session.get_one(Brand, self.brand.id), file).campaign
        )

    def code_of(self, name: str, campaign: Campaign | None = None) -> str:
        chosen = campaign or self.campaign

        def unit(session: Session) -> str:
            known = members.meet(session, self.brand.id, [person(name)], [clock.now()], "message")[0]
            return enroll(session, session.get_one(Campaign, (self.brand.id, chosen.id)), known.member_id)

        return self.house.do(unit)

    def brings(self, code: str, names: Sequence[str]) -> list[UUID | None]:
        came = [Arrive(code, person(name), clock.now()) for name in names]
        return [one.member_id for one in self.house.do(lambda session: arrive(session, came))]

    def buys(self, net: int = 10_000, currency: str = "CNY", **who: Any) -> str:
        self.number += 1
        number = f"o{self.number}"
        order = Order(self.brand.id, "till", number, currency, net, clock.now(), **who)
        self.house.do(lambda session: orders.record_orders(session, [order]))
        return number

    def sends_back(self, number: str, currency: str = "CNY", amount: int | None = None) -> None:
        back = RefundOrder(self.brand.id, "till", f"r{number}", number, amount, currency, clock.now())
        self.house.do(lambda session: refunds.record_refunds(session, [back]))

    def clicks(self, code: str, *addresses: str | None, robot: bool = False) -> None:
        rows = [
            {
                "brand_id": self.brand.id,
                "id": ids.new(),
                "campaign_id": self.campaign.id,
                "code": code,
                "kind": "click",
                "touched_at": clock.now(),
                "address_hash": address,
                "robot": robot,
            }
            for address in addresses
        ]
        self.house.do(lambda session: insert_all(session, table(Touch), rows))

    def counts(self, seconds: float = 60) -> int:
        return self.house.do(
            lambda session: recount(session, session.get_one(Brand, self.brand.id), ALL, seconds, clock.now())
        )

    def sums(self, days: int = 30) -> Sums:
        today = clock.now().date() + timedelta(days=1)
        period = Period(today - timedelta(days=days), today)
        return self.house.ask(lambda session: figures.sums(session, self.brand.id, period))
