"""A WooCommerce shop tells of its orders."""

from __future__ import annotations

from pathlib import Path

from tests.web.shops.payloads import with_, woo_order
from tests.web.shops.shopfront import open_shopfront


async def test_the_ping_of_a_new_webhook_is_answered_and_nothing_happens(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await shop.send(b"webhook_id=12", headers=form)).status_code == 200
        assert (await shop.send(b"webhook_id=12&order=1", headers=form)).status_code == 401
        assert shop.deliveries() == []
        assert shop.orders() == []


async def test_an_order_counts_its_goods_and_a_coupon_names_the_friend(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        order = woo_order(coupon_lines=[{"code": shop.code.lower(), "discount": "20.00"}])
        assert await shop.tell(order) == "recorded"
        assert shop.figures() == (12_800, 2_000, 1_000, 1_800, 8_000)
        (row,) = shop.orders()
        assert (row.status, row.currency, row.external_id) == ("attributed", "EUR", "727")
        assert await shop.tell(with_(order, status="completed")) == "repeated"


async def test_fees_are_no_goods_and_one_below_zero_is_a_discount(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        fees = [{"name": "Gift wrap", "total": "3.00"}, {"name": "Thank you", "total": "-8.00"}]
        await shop.tell(woo_order(fee_lines=fees))
        assert shop.figures() == (13_100, 2_800, 1_300, 1_800, 7_200)


async def test_what_the_shops_own_wallet_pays_for_leaves_no_less_than_nothing(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        # 128.00 of goods, shipping and tax before 20.00 off: all 108.00 of it came from the wallet.
        assert await shop.tell(woo_order(fee_lines=[{"name": "Via wallet", "total": "-108.00"}])) == "recorded"
        assert shop.figures() == (12_800, 10_000, 1_000, 1_800, 0)


async def test_refunds_take_the_goods_share_of_what_went_back(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        order = woo_order()
        half = with_(order, refunds=[{"id": 801, "reason": "", "total": "-54.00"}])
        # The order is first heard of with a refund in it.
        assert await shop.tell(half) == "refunded"
        assert [(row.net, row.refunded) for row in shop.orders()] == [(8_000, 4_000)]
        assert await shop.tell(half) == "repeated"
        third = with_(half, refunds=[*half["refunds"], {"id": 802, "total": "-0.01"}, {"id": 803, "total": "-53.99"}])
        assert await shop.tell(third) == "refunded"
        assert [row.left for row in shop.orders()] == [0]
        assert await shop.tell(with_(third, status="refunded")) == "repeated"


async def test_unpaid_orders_wait_and_cancelled_ones_go_back(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        order = woo_order()
        assert await shop.tell(with_(order, status="on-hold", date_paid_gmt=None)) == "ignored"
        assert await shop.tell(order) == "recorded"
        assert await shop.tell(with_(order, status="cancelled")) == "refunded"
        assert [row.left for row in shop.orders()] == [0]
        assert await shop.tell({"id": 727}) == "ignored"
        assert shop.deliveries()[0].reason == "deleted"


async def test_a_field_of_the_checkout_or_the_landing_page_names_the_friend(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        entry = {"key": "_wc_order_attribution_session_entry", "value": f"https://tea.example/?daixin={shop.code}"}
        await shop.tell(woo_order(1, meta_data=[entry]))
        noted = [{"key": "invite_code", "value": shop.code}]
        await shop.tell(woo_order(2, meta_data=noted, billing={"email": "carl@example.com"}))
        tried = [{"key": "_wcpay_mode", "value": "test"}]
        await shop.tell(woo_order(3, meta_data=tried))
        assert [(row.external_id, row.status) for row in shop.orders()] == [("1", "attributed"), ("2", "attributed")]


async def test_a_renewal_is_one_more_purchase(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "woocommerce") as shop:
        await shop.tell(woo_order(1, meta_data=[{"key": "daixin", "value": shop.code}]))
        await shop.tell(woo_order(2, meta_data=[{"key": "_subscription_renewal", "value": "9"}]))
        assert [row.status for row in shop.orders()] == ["attributed", "attributed"]
        assert len({row.referral_id for row in shop.orders()}) == 1
