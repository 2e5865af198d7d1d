"""Alice spends her points: what she gets, what she is refused, and that nothing is ever paid twice."""

from __future__ import annotations

import threading

import pytest

from core.errors import BadInput, Conflict, NotFound, Refused
from rewards.items import redeem
from rewards.payouts.payouts import payouts_of
from tests.house import House
from tests.rewards.items.counter import buy, check_books, codes, contents, earn, fill, offer, open_counter, plan
from tests.rewards.shop import open_shop


def refused(what: object) -> str:
    assert isinstance(what, pytest.ExceptionInfo)
    return str(what.value.code)


def test_points_become_a_voucher(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    fill(shop, ["TEA-1", "TEA-2"])
    payout = buy(shop)
    assert payout.state == "completed"
    assert codes(shop, payout) == ["TEA-1"]
    assert shop.purse(shop.alice) == {"payable": 700}
    check_books(shop)


def test_asking_again_gives_the_same_voucher(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    fill(shop, ["TEA-1", "TEA-2"])
    first, again = buy(shop), buy(shop)
    assert first.id == again.id
    assert shop.purse(shop.alice) == {"payable": 700}
    offer(shop, "cake", price=200)
    with pytest.raises(Conflict) as other:
        buy(shop, "cake")
    assert refused(other) == "payout_differs"


def test_what_is_refused_costs_nothing(house: House) -> None:
    shop = open_counter(house)
    offer(shop)
    fill(shop, ["TEA-1"])
    with pytest.raises(Refused) as none_left:
        buy(shop, quantity=2)
    assert refused(none_left) == "sold_out"
    offer(shop, "gold", "promo_code", price=5000)
    with pytest.raises(Refused) as poor:
        buy(shop, "gold")
    assert (refused(poor), poor.value.params["have"]) == ("too_few_points", 1000)
    offer(shop, "prize", "promo_code", price=None)
    with pytest.raises(Refused) as unsold:
        buy(shop, "prize")
    assert refused(unsold) == "not_for_sale"
    with pytest.raises(NotFound):
        buy(shop, "nothing")
    with pytest.raises(BadInput):
        buy(shop, quantity=0)
    assert shop.purse(shop.alice) == {"payable": 1000}
    assert buy(shop, key="2").state == "completed"


def test_a_limit_for_each_person_holds(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "code", "promo_code", price=10, per_member=2)
    assert len(codes(shop, buy(shop, "code", quantity=2))) == 2
    with pytest.raises(Refused) as over:
        buy(shop, "code", key="2")
    assert refused(over) == "limit_reached"


def test_stock_holds(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "code", "promo_code", price=10, stock=3)
    buy(shop, "code", quantity=2)
    with pytest.raises(Refused) as over:
        buy(shop, "code", key="2", quantity=2)
    assert refused(over) == "sold_out"
    buy(shop, "code", key="3")


def test_an_item_reward_is_handed_over_by_itself(house: House) -> None:
    shop = open_shop(house, plan(1, "item:coffee", 10))
    offer(shop, price=None)
    fill(shop, ["TEA-1", "TEA-2"])
    earn(shop, ["Bob"])
    [payout] = shop.house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    assert (payout.state, payout.reward_id) == ("completed", shop.rewards(shop.alice)[0].id)
    assert codes(shop, payout) == ["TEA-1"]
    assert shop.rewards(shop.alice)[0].state == "paid"
    assert shop.purse(shop.alice) == {}
    check_books(shop)


def test_an_item_reward_waits_for_the_pool_to_be_filled(house: House) -> None:
    shop = open_shop(house, plan(1, "item:coffee", 10))
    offer(shop, price=None)
    earn(shop, ["Bob", "Carol"])
    waiting = shop.house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    assert [(one.state, one.reason) for one in waiting] == [("pending", "sold_out")] * 2
    fill(shop, ["TEA-1"])
    shop.house.do(redeem.deliver_waiting)
    shop.house.do(redeem.deliver_waiting)
    late = shop.house.ask(lambda s: payouts_of(s, shop.brand.id, shop.alice))
    assert sorted(one.state for one in late) == ["completed", "pending"]
    assert contents(shop, next(one for one in late if one.state == "completed")).codes[0].text == "TEA-1"
    check_books(shop)


@pytest.mark.parametrize(("limits", "got"), [({"per_member": 3}, 3), ({"stock": 3}, 3), ({"price": 400}, 2)])
def test_limits_hold_when_two_processes_ask_at_once(house: House, limits: dict[str, int], got: int) -> None:
    shop = open_counter(house)
    offer(shop, "code", "promo_code", **({"price": 10} | limits))
    second = House(house.url)
    start = threading.Barrier(6)
    bought: list[str] = []
    refusals: set[str] = set()

    def press(where: House, number: int) -> None:
        start.wait()
        for turn in range(4):
            key = f"{number}/{turn}"
            try:
                where.do(lambda s, key=key: redeem.redeem(s, shop.brand.id, shop.alice, "code", key))  # type: ignore[misc]
                bought.append(key)
            except Refused as refusal:
                refusals.add(refusal.code)

    threads = [threading.Thread(target=press, args=((house, second)[number % 2], number)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert len(bought) == got
    assert len(refusals) == 1
    check_books(shop)
