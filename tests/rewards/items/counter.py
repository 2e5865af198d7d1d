"""The tea shop's counter: Alice has points, and there is something to have for them."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from core import clock
from core.db import table
from referral import members
from referral.qualifying import qualify
from rewards.adjustments import adjust
from rewards.items import redeem, vouchers
from rewards.items.contents import Contents, contents_of
from rewards.items.items import Item, ItemForm, save_item
from rewards.items.voucher_files import read_codes
from rewards.ledger import LedgerAccount, Purpose
from rewards.payouts.payouts import OPEN, Payout
from rewards.plans import Plan, Rule
from tests.house import House, person
from tests.rewards.shop import Shop, open_shop, waiting_referrals

POINTS = 1000


def plan(amount: int = POINTS, asset: str = "PTS", budget: int = 1_000_000) -> Plan:
    return Plan(rules=(Rule(to="advocate", amount=amount),), asset=asset, budget=budget)


def open_counter(house: House) -> Shop:
    """Alice has brought one friend and holds a thousand points."""
    shop = open_shop(house, plan())
    earn(shop, ["Bob"])
    return shop


def earn(shop: Shop, names: list[str]) -> None:
    """These friends come, stay and qualify; Alice is paid at once."""
    shop.house.do(partial(qualify, commands=waiting_referrals(shop, names)))


def offer(shop: Shop, slug: str = "coffee", kind: str = "voucher", **more: Any) -> Item:
    """Put an item into the catalogue, at 300 points unless said otherwise."""
    form = ItemForm(slug, kind, {"en": slug.title(), "zh_Hans": slug}, {}, **({"price": 300} | more))
    return shop.house.do(lambda session: save_item(session, shop.brand.id, form)[0])


def fill(shop: Shop, codes: list[str], slug: str = "coffee") -> vouchers.Imported:
    """Upload these codes, or lines of a code and its end."""
    header = "code,expires_at" if any("," in code for code in codes) else "code"
    rows = read_codes("\n".join([header, *codes]).encode(), "Asia/Shanghai")
    return shop.house.do(lambda session: vouchers.import_vouchers(session, shop.brand.id, slug, rows))


def buy(shop: Shop, slug: str = "coffee", key: str = "1", quantity: int = 1) -> Payout:
    return shop.house.do(lambda session: redeem.redeem(session, shop.brand.id, shop.alice, slug, key, quantity))


def contents(shop: Shop, payout: Payout) -> Contents:
    def look(session: Session) -> Contents | None:
        return contents_of(session, payout)

    found = shop.house.ask(look)
    assert found is not None
    return found


def codes(shop: Shop, payout: Payout) -> list[str]:
    return [code.text for code in contents(shop, payout).codes]


def rich_people(shop: Shop, count: int, points: int = 300) -> list[UUID]:
    """As many new members, each given these points."""

    def make(session: Session) -> list[UUID]:
        people = [person(f"Member {number}") for number in range(count)]
        known = [
            one.member_id for one in members.meet(session, shop.brand.id, people, [clock.now()] * count, "message")
        ]
        for one in known:
            gift = (shop.brand.id, one, shop.campaign.id, "PTS", points)
            adjust(session, *gift, reason="welcome", actor="ann", key=f"welcome/{one}")
        return known

    return shop.house.do(make)


def check_books(shop: Shop) -> None:
    """Nothing was created or lost, and what is set aside belongs to payouts that are under way."""

    def sums(session: Session) -> list[tuple[str, int]]:
        t = table(LedgerAccount)
        rows = session.execute(select(t.c.asset, func.sum(t.c.balance)).group_by(t.c.asset)).all()
        return [(asset, int(total)) for asset, total in rows]

    def aside(session: Session) -> tuple[int, int]:
        t, p = table(LedgerAccount), table(Payout)
        lying = session.scalar(select(func.sum(t.c.balance)).where(t.c.purpose == Purpose.CLEARING))
        under_way = session.scalar(select(func.sum(p.c.amount)).where(p.c.state.in_(OPEN)))
        return int(lying or 0), int(under_way or 0)

    assert [(asset, total) for asset, total in shop.house.ask(sums) if total] == []
    lying, under_way = shop.house.ask(aside)
    assert lying == under_way
    problems = shop.problems()
    assert problems == [], problems
