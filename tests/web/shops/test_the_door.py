"""Whoever comes to a shop's address: with another's signature, another's name, too much, or something unreadable."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import Session

from core.errors import Conflict
from referral import shops
from referral.brands import create_brand
from tests.house import House
from tests.web.shops.payloads import shopify_order, shopify_refund, with_, woo_order
from tests.web.shops.shopfront import open_shopfront
from tests.web.site import until


async def test_only_the_shops_own_signature_opens(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        body = json.dumps(shopify_order()).encode()
        for headers in (
            {},
            {"x-shopify-hmac-sha256": ""},
            {"x-shopify-hmac-sha256": "bm9uc2Vuc2U="},
            shop.signed(body + b" "),
            {"x-shopify-hmac-sha256": "\xe9\xff"},
        ):
            answer = await shop.send(body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "shop_signature")
        assert shop.orders() == []
        assert shop.deliveries() == []
        found = shop.site.house.ask(lambda session: shops.find_shop(session, shop.site.brand_id, "shopify"))
        assert found.wrong_at is not None
        assert found.heard_at is None


async def test_the_headers_nobody_signs_move_nothing(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        body = json.dumps(shopify_order()).encode()
        claims = {"x-shopify-topic": "orders/cancelled", "x-shopify-shop-domain": "rival.myshopify.com"}
        await shop.send(body, headers=shop.signed(body) | claims)
        assert [(row.brand_id, row.left) for row in shop.orders()] == [(shop.site.brand_id, 14_400)]
        assert (await shop.send(body, headers=shop.signed(body) | claims)).json()["outcome"] == "repeated"
        assert [one.times for one in shop.deliveries()] == [2]


async def test_nobody_learns_which_brands_and_shops_there_are(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        shop.site.house.do(lambda session: create_brand(session, "Rival", slug="rival"))
        body = json.dumps(shopify_order()).encode()
        said = set()
        for path in ("/hooks/shopify/nobody", "/hooks/shopify/rival", "/hooks/stripe/wild", "/hooks/x%00/wild%00"):
            answer = await shop.site.client.post(path, content=body, headers=shop.signed(body))
            said.add((answer.status_code, answer.text))
        assert {status for status, _ in said} == {404}
        assert len(said) == 1
        assert (await shop.site.client.get(shop.path)).status_code == 405


async def test_a_shop_that_is_disconnected_is_not_there_and_goes_on_where_it_was(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        brand_id = shop.site.brand_id
        assert await shop.tell(shopify_order()) == "recorded"
        shop.site.house.do(lambda session: shops.end_shop(session, brand_id, "shopify"))
        assert (await shop.send(shopify_order())).status_code == 404
        shop.site.house.do(lambda session: shops.resume_shop(session, brand_id, "shopify"))
        assert await shop.tell(with_(shopify_order(), financial_status="refunded")) == "refunded"
        assert len(shop.orders()) == 1


async def test_too_much_is_refused_and_a_large_order_is_not(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        large = shopify_order(note="x" * 2_000_000)
        assert await shop.tell(large) == "recorded"
        huge = b"{" + b" " * 10_000_000
        assert (await shop.send(huge)).status_code == 413


async def test_what_cannot_be_read_is_taken_with_its_reason(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        for body in (b"", b"nonsense", b"\xff\xfe", b"[" * 100_000, b"NaN", b"1" * 5000, b"1e999999999999999999999"):
            answer = await shop.send(body)
            assert (answer.status_code, answer.json()["outcome"]) == (200, "refused")
            assert shop.deliveries()[0].reason == "shop_unreadable"


def test_the_latest_hundred_deliveries_are_remembered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shops, "KEPT", 5)

    def connected(session: Session) -> tuple[UUID, UUID]:
        owner = create_brand(session, "Wild", slug="wild")
        return owner.id, shops.connect_shop(session, owner.id, "shopify", "Hill", {}).id

    brand_id, shop_id = house.do(connected)
    for number in (1, 2, 3, 4, 5, 2, 6, 7):
        told = shops.Delivery(f"digest-{number}", "orders/paid", f"#{number}", "recorded")
        house.do(partial(shops.remember, brand_id=brand_id, shop_id=shop_id, one=told))
    kept = house.ask(lambda session: shops.deliveries_of(session, brand_id, shop_id))
    assert [(one.label, one.times) for one in kept] == [("#7", 1), ("#6", 1), ("#2", 2), ("#5", 1), ("#4", 1)]


async def test_two_shops_of_one_kind_keep_their_orders_apart(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        brand_id = shop.site.brand_id
        other = shop.site.house.do(lambda session: shops.connect_shop(session, brand_id, "woocommerce", "Lake", {}))
        assert other.source == "woocommerce-2"
        await shop.tell(woo_order())
        first, shop.source = shop.secrets, other.source
        assert (await shop.send(woo_order())).status_code == 401
        shop.secrets = shops.secrets_of(other)
        assert shop.secrets != first
        await shop.tell(woo_order())
        assert [row.source for row in shop.orders()] == ["woocommerce", "woocommerce-2"]


def test_one_shop_cannot_be_connected_twice(house: House) -> None:
    def brand(session: Session) -> shops.Shop:
        owner = create_brand(session, "Wild", slug="wild")
        first = shops.connect_shop(session, owner.id, "shopify", "Hill", {})
        shops.connect_shop(session, owner.id, "shopify", "Lake", {})
        return shops.set_secrets(session, owner.id, first.source, {"secret": " hush "})

    first = house.do(brand)
    assert shops.secrets_of(first) == {"secret": "hush"}
    with pytest.raises(Conflict, match="shop_same_secret"):
        house.do(lambda session: shops.set_secrets(session, first.brand_id, "shopify-2", {"secret": "hush"}))
    with pytest.raises(Conflict, match="shop_name_taken"):
        house.do(lambda session: shops.connect_shop(session, first.brand_id, "shopify", "HILL", {}))
    assert "hush" not in first.sealed
    assert house.ask(lambda session: shops.opened(session, "wild", "shopify-2")) is None


async def test_while_the_machine_cannot_it_shall_come_again(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        shop.site.house.writer.close()
        answer = await shop.send(shopify_refund())
        assert answer.status_code == 503
        await until(lambda: shop.orders() == [])
