"""A teapot is posted: its address is asked for, sealed, shown to who packs it, and gone afterwards."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from openpyxl import load_workbook

from core import vault
from core.errors import BadInput, Refused
from rewards.items import parcels, shipments
from rewards.items.addresses import ANYWHERE, address_shape, check_address
from rewards.items.shipments import Shipment, ShipmentMoved
from rewards.payouts.payouts import Payout
from tests.house import House, later
from tests.rewards.items.counter import buy, check_books, offer, open_counter
from tests.rewards.shop import Shop

HOME = {
    "country": "CN",
    "name": "=爱丽丝",
    "phone": "13800138000",
    "region": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "street": "龙井路 1 号",
}


def wants_a_teapot(house: House, **more: object) -> tuple[Shop, Payout]:
    shop = open_counter(house)
    offer(shop, "teapot", "physical", stock=1, **more)
    return shop, buy(shop, "teapot")


def parcel(shop: Shop, payout: Payout) -> Shipment:
    found = shop.house.ask(lambda s: shipments.shipment_of(s, shop.brand.id, payout.id))
    assert found is not None
    return found


def told(house: House) -> list[str]:
    states: list[str] = []
    house.bus.on(ShipmentMoved, lambda session, events: states.extend(event.state for event in events))
    return states


def ships(shop: Shop, payout: Payout) -> None:
    shop.house.do(lambda s: parcels.ship(s, s.merge(parcel(shop, payout)), "SF Express", "SF 1234"))


def test_the_whole_way(house: House) -> None:
    states = told(house)
    shop, payout = wants_a_teapot(house)
    assert payout.state == "pending"
    house.do(lambda s: shipments.set_address(s, payout, HOME))
    assert shipments.address_of(parcel(shop, payout)) == HOME
    ships(shop, payout)
    assert parcel(shop, payout).tracking == "SF1234"
    house.do(lambda s: shipments.arrive(s, s.merge(parcel(shop, payout))))
    assert states == ["asked", "ready", "shipped", "delivered"]
    assert house.ask(lambda s: s.get_one(Payout, (shop.brand.id, payout.id))).state == "completed"
    assert shop.purse(shop.alice) == {"payable": 700}
    check_books(shop)


def test_the_address_is_sealed_and_goes_in_time(house: House) -> None:
    shop, payout = wants_a_teapot(house, settings={"keep_days": 10})
    house.do(lambda s: shipments.set_address(s, payout, HOME))
    row = parcel(shop, payout)
    assert row.sealed is not None
    assert "龙井" not in repr(row.model_dump())
    with pytest.raises(Exception, match="sealed"):
        vault.unseal(row.sealed, bound_to=payout.id)
    ships(shop, payout)
    with later(days=29):
        house.do(shipments.follow_clock)
        assert parcel(shop, payout).state == "shipped"
    with later(days=30):
        house.do(shipments.follow_clock)
        assert parcel(shop, payout).state == "delivered"
        assert parcel(shop, payout).sealed is not None
    with later(days=41):
        house.do(shipments.follow_clock)
        assert parcel(shop, payout).sealed is None
        assert shipments.address_of(parcel(shop, payout)) is None


def test_an_address_may_be_corrected_until_it_is_shipped(house: House) -> None:
    states = told(house)
    shop, payout = wants_a_teapot(house)
    house.do(lambda s: shipments.set_address(s, payout, HOME))
    house.do(lambda s: shipments.set_address(s, payout, HOME | {"street": "满觉陇路 2 号"}))
    assert states == ["asked", "ready"]
    ships(shop, payout)
    with pytest.raises(Refused) as late:
        house.do(lambda s: shipments.set_address(s, payout, HOME))
    assert late.value.code == "shipped_already"


def test_it_is_sent_only_where_it_is_sent(house: House) -> None:
    _, payout = wants_a_teapot(house, settings={"countries": ["HK"]})
    with pytest.raises(Refused) as far:
        house.do(lambda s: shipments.set_address(s, payout, HOME))
    assert far.value.code == "not_sent_there"


def test_what_is_not_sent_comes_back(house: House) -> None:
    shop, payout = wants_a_teapot(house)
    house.do(lambda s: shipments.set_address(s, payout, HOME))
    house.do(lambda s: parcels.cancel(s, s.merge(parcel(shop, payout)), "ann"))
    assert (parcel(shop, payout).state, shop.purse(shop.alice)) == ("cancelled", {"payable": 1000})
    house.do(shipments.follow_clock)
    assert parcel(shop, payout).sealed is None
    assert buy(shop, "teapot", key="again").state == "pending"
    check_books(shop)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"country": "XX"}, "country"),
        ({"country": ""}, "country"),
        ({"phone": "12"}, "address_line"),
        ({"street": ""}, "address_missing"),
        ({"street": "x" * 201}, "address_line"),
        ({"name": "A\u202eB"}, "address_line"),
        ({"planet": "Mars"}, "address_line"),
    ],
)
def test_an_address_that_cannot_be_is_refused(change: dict[str, str], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_address(HOME | change)
    assert caught.value.code == code


def test_each_country_is_asked_in_its_own_way() -> None:
    assert [line.key for line in address_shape("cn")] == [
        "name",
        "phone",
        "region",
        "city",
        "district",
        "street",
        "postcode",
    ]
    assert address_shape("FR") == ANYWHERE
    assert check_address(HOME | {"phone": "１３８ 0013 8000".replace(" ", "")})["phone"] == "13800138000"


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_who_packs_gets_a_list_without_formulas(house: House, tmp_path: Path, ending: str) -> None:
    shop, payout = wants_a_teapot(house)
    house.do(lambda s: shipments.set_address(s, payout, HOME))
    file = tmp_path / f"parcels.{ending}"
    ready = house.ask(lambda s: parcels.write(s, shipments.shipments_of(s, shop.brand.id, "ready"), file))
    assert ready == 1
    if ending == "csv":
        rows = list(csv.reader(file.read_text("utf-8-sig").splitlines()))
        assert "'=爱丽丝" in rows[1]
    else:
        sheet = load_workbook(file).active
        assert sheet is not None
        rows = [[str(cell.value) for cell in row] for row in sheet.iter_rows()]
        assert all(cell.data_type == "s" for row in sheet.iter_rows() for cell in row if cell.value)
        assert "=爱丽丝" in rows[1]
    assert rows[0][:4] == ["reference", "item", "quantity", "member"]
    assert file.stat().st_mode & 0o077 == 0


def test_nobody_needs_an_address_for_a_promo_code(house: House) -> None:
    shop = open_counter(house)
    offer(shop, "code", "promo_code", price=10)
    payout = buy(shop, "code")
    with pytest.raises(Refused) as caught:
        house.do(lambda s: shipments.set_address(s, payout, HOME))
    assert caught.value.code == "no_address_needed"
