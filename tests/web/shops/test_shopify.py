"""A Shopify shop tells of its orders."""

from __future__ import annotations

from pathlib import Path

from tests.web.shops.payloads import shop_money, shopify_line, shopify_order, shopify_refund, with_
from tests.web.shops.shopfront import open_shopfront


async def test_an_order_with_a_code_counts_its_goods_alone(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        order = shopify_order(note_attributes=[{"name": "daixin", "value": shop.code}])
        assert await shop.tell(order) == "recorded"
        # 160.00 of goods, 28.80 of tax on them and 9.50 of shipping; 16.00 off. What the customer was shown counts not.
        assert shop.figures() == (19_830, 1_600, 950, 2_880, 14_400)
        (row,) = shop.orders()
        assert (row.status, row.currency, row.source, row.external_id) == ("attributed", "USD", "shopify", "450789469")
        assert await shop.tell(order) == "repeated"
        assert len(shop.orders()) == 1
        (line,) = shop.deliveries()
        assert (line.outcome, line.reason, line.label, line.times) == ("recorded", None, "#1001", 2)
        assert "example.com" not in str(row.model_dump())


async def test_prices_that_include_tax_count_without_it(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        lines = [shopify_line(1, "120.00", tax="18.00", off="12.00"), shopify_line(2, "50.00", gift_card=True)]
        ways = [{"price": "6.00", "discounted_price": "6.00", "tax_lines": [{"price": "1.00"}]}]
        await shop.tell(shopify_order(taxes_included=True, line_items=lines, shipping_lines=ways))
        # 120.00 less 12.00 off and 18.00 of tax; the gift card counts when it is spent.
        assert shop.figures() == (12_600, 1_200, 500, 1_900, 9_000)


async def test_a_tip_is_no_goods(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        old = shopify_line(3, "5.00", title="Tip", tip_payment_gateway=None, tip_payment_method=None)
        new = shopify_line(4, "6.00", title="Tip", tip={"payment_gateway": "shopify_payments"})
        plain = shopify_line(1, "100.00", tip=None)
        await shop.tell(shopify_order(line_items=[plain, old, new]))
        assert [row.net for row in shop.orders()] == [10_000]
        back = shopify_refund()
        back["refund_line_items"][0] |= {"line_item": new, "total_tax": 0.0}
        assert await shop.tell(back) == "ignored"


async def test_a_refund_takes_the_goods_off_whichever_comes_first(tmp_path: Path) -> None:
    for first in ("order", "refund"):
        folder = tmp_path / first
        folder.mkdir()
        async with open_shopfront(folder, "shopify") as shop:
            order = shopify_order(note_attributes=[{"name": "ref", "value": shop.code}])
            refund = shopify_refund()
            told = [order, refund] if first == "order" else [refund, order]
            outcomes = [await shop.tell(one) for one in told]
            assert outcomes == (["recorded", "refunded"] if first == "order" else ["waiting", "recorded"])
            (row,) = shop.orders()
            assert (row.net, row.refunded) == (14_400, 3_000)
            # The order comes again with its refund in it: that was booked.
            again = with_(order, financial_status="partially_refunded", refunds=[refund])
            assert await shop.tell(again) == "repeated"
            assert [one.applied for one in shop.refunds()] == [3_000]


async def test_shipping_and_tax_that_go_back_are_no_goods(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        await shop.tell(shopify_order())
        shipping = [{"kind": "shipping_refund", "amount": "-9.50", "amount_set": shop_money("-9.50")}]
        only_shipping = shopify_refund(1, refund_line_items=[], order_adjustments=shipping)
        assert await shop.tell(only_shipping) == "ignored"
        less = [{"kind": "refund_discrepancy", "amount": "10.00", "amount_set": shop_money("10.00")}]
        assert await shop.tell(shopify_refund(2, order_adjustments=less)) == "refunded"
        free = [{"kind": "refund_discrepancy", "amount": "-5.00", "amount_set": shop_money("-5.00")}]
        assert await shop.tell(shopify_refund(3, refund_line_items=[], order_adjustments=free)) == "refunded"
        assert [one.applied for one in shop.refunds()] == [2_000, 500]


async def test_a_cancelled_order_goes_back_whole_and_an_unpaid_one_waits(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        order = shopify_order(discount_codes=[{"code": shop.code.lower(), "amount": "16.00", "type": "fixed_amount"}])
        assert await shop.tell(with_(order, financial_status="pending")) == "ignored"
        assert await shop.tell(with_(order, financial_status="voided", cancelled_at=order["created_at"])) == "ignored"
        assert shop.orders() == []
        assert await shop.tell(order) == "recorded"
        cancelled = with_(order, cancelled_at=order["created_at"], financial_status="paid")
        assert await shop.tell(cancelled) == "refunded"
        assert await shop.tell(with_(cancelled, financial_status="refunded")) == "repeated"
        (row,) = shop.orders()
        assert (row.status, row.left) == ("attributed", 0)
        reasons = [one.reason for one in shop.deliveries()]
        assert {"unpaid", "cancelled_unpaid"} <= set(reasons)


async def test_an_order_that_was_changed_keeps_its_first_figures(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        order = shopify_order()
        await shop.tell(order)
        more = with_(order, line_items=[*order["line_items"], shopify_line(3, "20.00")])
        assert await shop.tell(more) == "kept"
        assert [row.net for row in shop.orders()] == [14_400]
        assert (shop.deliveries()[0].outcome, shop.deliveries()[0].reason) == ("kept", "order_differs")


async def test_play_money_counts_only_where_that_is_wanted(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        assert await shop.tell(shopify_order(test=True)) == "ignored"
        assert shop.deliveries()[0].reason == "test"
        assert shop.orders() == []
    trial = tmp_path / "trial"
    trial.mkdir()
    async with open_shopfront(trial, "shopify", tests=True) as shop:
        assert await shop.tell(shopify_order(test=True)) == "recorded"


async def test_whoever_came_by_a_link_is_known_by_the_page_they_landed_on(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        landed = await shop.site.click(f"/r/{shop.code}")
        click = landed.headers["location"].partition("t=")[2]
        await shop.tell(shopify_order(1, landing_site=f"/products/tea?t={click}", email="carl@example.com"))
        await shop.tell(shopify_order(2, landing_site=f"/?ref={shop.code}", email="dora@example.com"))
        await shop.tell(shopify_order(3, landing_site="/?ref=NONE-SUCH", email="eve@example.com"))
        assert [row.status for row in shop.orders()] == ["attributed", "attributed", "unattributed"]


async def test_a_guest_without_any_contact_is_nobody(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "shopify") as shop:
        guest = shopify_order(email="", contact_email=None, phone=None, customer=None)
        assert await shop.tell(guest) == "recorded"
        assert shop.deliveries()[0].reason == "unattributed.guest"
        by_number = shopify_order(
            2, email="", customer={"id": 7}, note_attributes=[{"name": "Ref", "value": shop.code}]
        )
        await shop.tell(by_number)
        assert shop.orders()[-1].status == "attributed"
