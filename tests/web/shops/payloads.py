"""What shops send, written after their public documentation: one order of each kind, and what changes it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core import clock

Body = dict[str, Any]


def with_(body: Body, **more: Any) -> Body:
    """A copy with these fields."""
    return copy.deepcopy(body) | more


def shop_money(amount: str, currency: str = "USD") -> Body:
    """As Shopify gives each amount: its own money, and what the customer was shown."""
    shown = {"amount": "999.99", "currency_code": "CAD"}
    return {"shop_money": {"amount": amount, "currency_code": currency}, "presentment_money": shown}


def shopify_line(number: int, price: str, quantity: int = 1, tax: str = "", off: str = "", **more: Any) -> Body:
    """A line of a Shopify order. `tax`, `off`: its tax and its share of discounts."""
    return {
        "id": number,
        "sku": f"TEA-{number}",
        "title": "Spring tea",
        "price": price,
        "price_set": shop_money(price),
        "quantity": quantity,
        "gift_card": False,
        "tax_lines": [{"title": "VAT", "price": tax, "rate": 0.2, "price_set": shop_money(tax)}] if tax else [],
        "discount_allocations": [{"amount": off, "amount_set": shop_money(off)}] if off else [],
        **more,
    }


def shopify_order(number: int = 450789469, **more: Any) -> Body:
    """Two lines of 100.00 and 2 × 30.00, 16.00 off the first, 9.50 of shipping, tax on top: goods for 144.00."""
    placed = (clock.now() - timedelta(minutes=5)).isoformat()
    order = {
        "id": number,
        "name": "#1001",
        "currency": "USD",
        "presentment_currency": "CAD",
        "financial_status": "paid",
        "taxes_included": False,
        "test": False,
        "created_at": placed,
        "processed_at": placed,
        "updated_at": placed,
        "cancelled_at": None,
        "email": "Bob@Example.com",
        "customer": {"id": 207119551, "email": "bob@example.com"},
        "line_items": [shopify_line(1, "100.00", tax="16.80", off="16.00"), shopify_line(2, "30.00", 2, tax="12.00")],
        "shipping_lines": [{"price": "9.50", "discounted_price": "9.50", "tax_lines": []}],
        "discount_codes": [],
        "note_attributes": [],
        "landing_site": "/products/tea?utm_source=x",
        "refunds": [],
    }
    return order | more


def shopify_refund(number: int = 509562969, order: int = 450789469, **more: Any) -> Body:
    """One of the two tins of 30.00 comes back, with its 6.00 of tax."""
    at = clock.now().isoformat()
    refund = {
        "id": number,
        "order_id": order,
        "created_at": at,
        "processed_at": at,
        "refund_line_items": [
            {
                "id": 1,
                "line_item_id": 2,
                "quantity": 1,
                "subtotal": 30.0,
                "total_tax": 6.0,
                "subtotal_set": shop_money("30.00"),
                "total_tax_set": shop_money("6.00"),
                "line_item": shopify_line(2, "30.00", 2, tax="12.00"),
            }
        ],
        "order_adjustments": [],
        "transactions": [
            {"id": 5, "kind": "refund", "status": "success", "amount": "36.00", "currency": "USD", "test": False}
        ],
    }
    return refund | more


def woo_order(number: int = 727, **more: Any) -> Body:
    """Goods for 80.00 after 20.00 off, 10.00 of shipping, 18.00 of tax: 108.00 in all."""
    paid = clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    order = {
        "id": number,
        "number": str(number),
        "status": "processing",
        "currency": "EUR",
        "prices_include_tax": True,
        "date_created_gmt": paid,
        "date_modified_gmt": paid,
        "date_paid_gmt": paid,
        "discount_total": "20.00",
        "shipping_total": "10.00",
        "total": "108.00",
        "total_tax": "18.00",
        "customer_id": 0,
        "billing": {"email": "bob@example.com", "phone": "(555) 555-5555"},
        "meta_data": [],
        "line_items": [
            {"id": 315, "name": "Tea", "sku": "TEA", "quantity": 2, "subtotal": "100.00", "total": "80.00"},
        ],
        "shipping_lines": [{"id": 317, "total": "10.00"}],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
    }
    return order | more


def stripe_event(kind: str, given: Body, **more: Any) -> Body:
    """An event around an object."""
    created = int(clock.now().timestamp())
    return {"id": "evt_1", "object": "event", "type": kind, "created": created, "livemode": True} | {
        "data": {"object": given},
        **more,
    }


def stripe_session(**more: Any) -> Body:
    """108.00 paid: goods for 80.00, 10.00 of shipping, 18.00 of tax; 20.00 were off."""
    session = {
        "id": "cs_live_1",
        "object": "checkout.session",
        "mode": "payment",
        "payment_status": "paid",
        "created": int(clock.now().timestamp()) - 60,
        "currency": "eur",
        "amount_subtotal": 10_000,
        "amount_total": 10_800,
        "total_details": {"amount_discount": 2_000, "amount_shipping": 1_000, "amount_tax": 1_800},
        "payment_intent": "pi_1",
        "invoice": None,
        "customer": None,
        "customer_details": {"email": "bob@example.com", "phone": None},
        "client_reference_id": None,
        "metadata": {},
    }
    return session | more


def stripe_refund(number: str = "re_1", amount: int = 5_400, **more: Any) -> Body:
    """Half of the 108.00."""
    created = int(clock.now().timestamp())
    refund = {"id": number, "object": "refund", "amount": amount, "currency": "eur", "created": created}
    return refund | {"status": "succeeded", "payment_intent": "pi_1", "charge": "ch_1"} | more


def stripe_invoice(number: str = "in_2", **more: Any) -> Body:
    """A month's payment of 30.00, of which 5.00 are tax."""
    invoice = {
        "id": number,
        "object": "invoice",
        "created": int(clock.now().timestamp()),
        "currency": "eur",
        "billing_reason": "subscription_cycle",
        "total": 3_000,
        "amount_paid": 3_000,
        "total_taxes": [{"amount": 500}],
        "total_discount_amounts": [],
        "customer": "cus_1",
        "customer_email": "bob@example.com",
        "metadata": {},
    }
    return invoice | more


def youzan_trade(tid: str = "E20261123084141000001", refunds: list[Body] | None = None, **order: Any) -> Body:
    """Goods for 139.00 (a list price of 160.00) and 10.00 of postage."""
    at = clock.now().astimezone(ZoneInfo("Asia/Shanghai")).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "full_order_info": {
            "order_info": {"tid": tid, "status": "WAIT_SELLER_SEND_GOODS", "created": at, "pay_time": at} | order,
            "pay_info": {"total_fee": "170.00", "post_fee": "10.00", "payment": "149.00"},
            "buyer_info": {"buyer_phone": "13800138000", "yz_open_id": "lDWyZBas807636140352864256"},
            "remark_info": {"buyer_message": ""},
            "orders": [
                {"oid": "1", "title": "春茶", "num": 2, "price": "80.00", "payment": "139.00", "outer_sku_id": "TEA"}
            ],
        },
        "refund_order": refunds or [],
    }


def at_second(seconds: float) -> datetime:
    """A moment, for signatures of another time."""
    return clock.now() + timedelta(seconds=seconds)
