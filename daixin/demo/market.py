"""The demo's trade: a catalogue, orders of friends and of others, a refund, and a withdrawal that was paid."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from uuid import UUID

from sqlmodel import Session

from core import clock
from referral.brands import Brand
from referral.conversions import Order, RefundOrder, customer_hash
from referral.members import Account
from referral.orders import record_orders
from referral.refunds import record_refunds
from referral.staff import OPERATOR
from rewards.items.catalogue_files import apply_catalogue, read_catalogue
from rewards.items.voucher_files import read_codes
from rewards.items.vouchers import import_vouchers
from rewards.payouts import approvals, payees
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from rewards.payouts.withdrawals import withdraw, withdrawable

SHOP = "camellia-shop"
COUPONS = 40
PRICES = (5800, 6800, 8800, 12800, 16800, 23600)
"""What is bought, in fen."""
BUYERS, SOONEST, LATEST = 0.4, 1, 9
"""The share of friends who buy, and how many days after they came."""
REFUND = 6000
"""What goes back, in fen, of the first order of Alice's friends."""
STAFF = OPERATOR
WALK_INS = (1, 2, 2, 3)
"""How many customers nobody brought buy for each friend who does: so about one new customer in three was brought."""


@dataclass(slots=True)
class Market:
    """Who will buy on which day."""

    brand: Brand
    chance: random.Random
    due: dict[int, list[tuple[Account, int]]] = field(default_factory=dict)
    orders: int = 0
    hers: list[str] = field(default_factory=list)
    """The orders of Alice's friends."""
    friends: Sequence[Account] = ()

    def expect(self, day: int, friend: Account) -> None:
        """A friend has come on this day and stays: perhaps they buy something."""
        if self.chance.random() < BUYERS:
            self.orders_on(day + self.chance.randint(SOONEST, LATEST), friend, self.chance.choice(PRICES))

    def orders_on(self, day: int, friend: Account, price: int) -> None:
        """This friend will buy for so much on that day."""
        self.due.setdefault(day, []).append((friend, price))

    def trade(self, session: Session, day: int) -> None:
        """What is bought today."""
        for friend, price in self.due.pop(day, []):
            self.orders += 1
            who = (friend.platform, friend.account)
            number = f"C{self.orders:05}"
            order = Order(self.brand.id, SHOP, number, "CNY", price, clock.now(), account=who)
            record_orders(session, [order])
            if friend in self.friends:
                self.hers.append(number)
            record_orders(session, [self.walk_in() for _ in range(self.chance.choice(WALK_INS))])

    def walk_in(self) -> Order:
        """Somebody who came by themselves, known to the shop by their e-mail alone."""
        self.orders += 1
        who = customer_hash(f"guest{self.orders}@example.com")
        price = self.chance.choice(PRICES)
        return Order(self.brand.id, SHOP, f"C{self.orders:05}", "CNY", price, clock.now(), customer_hash=who)

    def refund(self, session: Session) -> None:
        """Part of the first order of Alice's friends goes back, after she was paid for it."""
        order = self.hers[0]
        one = RefundOrder(self.brand.id, SHOP, f"R-{order}", order, REFUND, "CNY", clock.now())
        record_refunds(session, [one])


def stock(session: Session, brand: Brand) -> None:
    """Fill the shelves."""
    apply_catalogue(session, brand.id, read_catalogue((files("daixin.demo") / "catalogue.toml").read_text()))
    codes = "\n".join(["code", *(f"CAMELLIA-{number:04}" for number in range(1, COUPONS + 1))])
    import_vouchers(session, brand.id, "tea-coupon", read_codes(codes.encode(), brand.timezone))


def cash_in(session: Session, brand: Brand, member_id: UUID) -> None:
    """The member withdraws what they can, somebody approves it, and the bank pays."""
    offers = [offer for offer in withdrawable(session, brand.id, member_id) if offer.most]
    for offer in offers:
        details = {"name": "Alice", "account": "alice@example.com"}
        payees.set_payee(session, brand.id, member_id, offer.provider, details)
        payout = withdraw(session, brand.id, member_id, offer.provider, offer.asset, offer.minimum, "demo")
        approvals.approve(session, brand.id, payout.id, STAFF)
        conclude(session, brand.id, payout.id, Answer("completed", "ALIPAY-20260000"), "import", actor=STAFF)


def alices_friends_buy(market: Market, day: int, friends: Sequence[Account]) -> None:
    """Three orders of her friends, so that she has something to withdraw."""
    market.friends = friends
    for number, price in enumerate((16800, 23600, 12800)):
        market.orders_on(day, friends[number % len(friends)], price)
