"""The till of the tea shop: it tells of orders and refunds, and we hear what is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from referral.conversions import Conversion, Order, Recorded, RefundOrder, RefundRecorded
from referral.orders import record_orders
from referral.referrals import FriendActed, FriendQualified
from referral.refunds import record_refunds
from tests.referral.town import Town


class Ears:
    """What was told of purchases, in order."""

    def __init__(self, town: Town) -> None:
        self.heard: list[FriendQualified | FriendActed] = []
        for kind in (FriendQualified, FriendActed):
            town.house.bus.on(kind, self.hear)

    def hear(self, _: Session, happened: Sequence[FriendQualified | FriendActed]) -> None:
        """Of what is told, what is about orders."""
        self.heard += [one for one in happened if one.conversion_id is not None]

    def kinds(self) -> list[tuple[str, str]]:
        """Name and event of what was told."""
        return [(type(one).__name__, one.event) for one in self.heard]


def order(town: Town, number: str = "1", **more: Any) -> Order:
    """An order of 100.00 yuan at the tea shop, now."""
    usual: dict[str, Any] = {"currency": "CNY", "gross": 10_000, "ordered_at": clock.now()}
    return Order(town.brand.id, "teashop", number, **(usual | more))


def tells(town: Town, *orders: Order) -> list[Recorded]:
    """The shop tells of orders."""
    return town.house.do(lambda session: record_orders(session, orders))


def by(name: str) -> dict[str, Any]:
    """Bought by somebody on Telegram."""
    return {"account": ("telegram", name.lower())}


def refund(town: Town, number: str = "r1", of: str = "1", amount: int | None = 10_000, **more: Any) -> RefundOrder:
    """A refund of an order of the tea shop, now."""
    usual: dict[str, Any] = {"currency": "CNY", "refunded_at": clock.now()}
    return RefundOrder(town.brand.id, "teashop", number, of, amount, **(usual | more))


def gives_back(town: Town, *refunds: RefundOrder) -> list[RefundRecorded]:
    """The shop tells of refunds."""
    return town.house.do(lambda session: record_refunds(session, refunds))


def kept(town: Town, number: str = "1") -> Conversion:
    """An order as it stands."""
    return town.house.ask(
        lambda session: session.scalars(select(Conversion).where(col(Conversion.external_id) == number)).one()
    )


def heard(town: Town, kind: type) -> list[Any]:
    """What is told of this kind from now on."""
    told: list[Any] = []
    town.house.bus.on(kind, lambda _, happened: told.extend(happened))
    return told
