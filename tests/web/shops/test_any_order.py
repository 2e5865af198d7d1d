"""Whatever order a shop's messages come in, and however often each of them comes, the books end the same."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from referral.conversions import Conversion
from tests.house import House, fresh_sqlite
from tests.web.shops import payloads
from tests.web.shops.test_fuzz import DECODERS, reread
from tests.web.shops.test_taking import open_shop
from web.hooks.taking import take_in

Told = list[dict[str, Any]]
BUYER = "c{n}@example.com"


def by_shopify() -> Told:
    """Paid, one tin of 30.00 back, then cancelled with all the rest."""
    back = payloads.shopify_refund() | {"id": "r{n}", "order_id": "order-{n}"}
    noted = [{"name": "daixin", "value": "{code}"}]
    order = payloads.shopify_order(id="order-{n}", email=BUYER, customer=None, note_attributes=noted)
    some = order | {"financial_status": "partially_refunded", "refunds": [back]}
    return [order, back, some, some | {"financial_status": "refunded", "cancelled_at": order["created_at"]}]


def by_woocommerce() -> Told:
    """Paid, and given back in three parts."""
    backs = [{"id": f"{{n}}-{number}", "total": total} for number, total in enumerate(("-54.00", "-10.00", "-44.00"))]
    coupon = [{"code": "{code}"}]
    order = payloads.woo_order(id="order-{n}", billing={"email": BUYER}, coupon_lines=coupon)
    return [
        order,
        order | {"refunds": backs[:1]},
        order | {"refunds": backs[:2]},
        order | {"status": "refunded", "refunds": backs},
    ]


def by_stripe() -> Told:
    """A subscription of which only the invoice knows the code, and only an event of its own the payment."""
    details = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 500}
    bought = {"mode": "subscription", "payment_intent": None, "invoice": "order-{n}", "amount_total": 3_000}
    who = {"customer_details": {"email": BUYER}, "total_details": details}
    parent = {"subscription_details": {"metadata": {"daixin": "{code}"}}}
    invoice = payloads.stripe_invoice("order-{n}", billing_reason="subscription_create", parent=parent)
    paid = {"invoice": "order-{n}", "payment": {"type": "payment_intent", "payment_intent": "pi_{n}"}}
    told = {
        "checkout.session.completed": payloads.stripe_session(**bought, **who),
        "invoice.paid": invoice | {"customer_email": BUYER},
        "invoice_payment.paid": paid,
        "refund.created": payloads.stripe_refund("re_{n}", 3_000, payment_intent="pi_{n}"),
    }
    return [payloads.stripe_event(topic, one) for topic, one in told.items()]


def filled(told: Told, number: int, code: str) -> Told:
    """The messages of one buyer's order."""
    written = json.dumps(told).replace("{n}", str(number)).replace("{code}", code)
    found: Told = json.loads(written)
    return found


@pytest.mark.parametrize(
    ("kind", "told", "net"),
    [("shopify", by_shopify, 14_400), ("woocommerce", by_woocommerce, 8_000), ("stripe", by_stripe, 2_500)],
)
def test_the_books_end_the_same(tmp_path: Path, kind: str, told: Any, net: int) -> None:
    house = House(fresh_sqlite(tmp_path))
    try:
        shop, code = open_shop(house)
        orders = list(itertools.permutations(range(len(told()))))
        for number, order in enumerate(orders):
            messages = filled(told(), number, code)
            # Each once, each twice, and the first of all once more at the end, in turn.
            coming = [messages[which] for which in order for _ in range(1 + number % 2)] + messages[: number % 3]

            def comes(session: Session, coming: Told = coming) -> None:
                for message in coming:
                    take_in(session, shop, DECODERS[kind](reread(message), {}, {}), json.dumps(message)[:64])

            house.do(comes)
        rows = house.ask(lambda session: list(session.exec(select(Conversion))))
        assert len(rows) == len(orders)
        assert {(row.net, row.refunded, row.status) for row in rows} == {(net, net, "attributed")}
        assert len({row.member_id for row in rows}) == len(orders)
    finally:
        house.close()
