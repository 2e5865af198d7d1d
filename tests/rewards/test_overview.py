"""What a member has of each asset, and their lines page by page, read from the books."""

from __future__ import annotations

from functools import partial

from rewards.adjustments import adjust
from rewards.overview import lines_of, purses_of, why_owed
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude
from tests.house import House
from tests.rewards.payouts.till import Till, open_till


def deduct(till: Till, amount: int) -> None:
    shop = till.shop
    told = {"reason": "Paid twice", "actor": "dora", "key": f"minus {amount}"}
    shop.house.do(lambda s: adjust(s, till.brand, till.alice, shop.campaign.id, till.asset, -amount, **told))


def test_what_is_mine_under_way_paid_and_owed(house: House) -> None:
    till = open_till(house)
    till.earns(1000)
    till.payee()
    first, second = till.takes(300), till.takes(200, "2")
    house.do(lambda s: conclude(s, till.brand, first.id, Answer("completed"), "import"))
    [purse] = house.ask(lambda s: purses_of(s, till.brand, till.alice))
    assert (purse.payable, purse.held, purse.under_way, purse.paid) == (500, 0, 200, 300)
    house.do(lambda s: conclude(s, till.brand, second.id, Answer("failed"), "import"))
    assert house.ask(lambda s: why_owed(s, till.brand, till.alice, "CNY")) is None
    deduct(till, 900)
    [purse] = house.ask(lambda s: purses_of(s, till.brand, till.alice))
    assert (purse.payable, purse.under_way) == (-200, 0)
    owed = house.ask(lambda s: why_owed(s, till.brand, till.alice, "CNY"))
    assert owed is not None
    assert owed.reason == "Paid twice"


def test_lines_come_in_pages_the_newest_first(house: House) -> None:
    till = open_till(house)
    for amount in (1, 2, 3):
        till.earns(amount)
    deduct(till, 4)
    seen = []
    for page in range(3):
        lines, more = house.ask(partial(lines_of, brand_id=till.brand, member_id=till.alice, offset=page * 2, limit=2))
        seen.append(([line.amount for line in lines], more))
    assert seen == [([-4, 3], True), ([2, 1], False), ([], False)]


def test_who_has_nothing_has_no_purse(house: House) -> None:
    till = open_till(house)
    assert house.ask(lambda s: purses_of(s, till.brand, till.alice)) == []
    assert house.ask(lambda s: lines_of(s, till.brand, till.alice, 0, 8)) == ([], False)
