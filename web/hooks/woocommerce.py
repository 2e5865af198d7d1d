"""WooCommerce: signed with base64 HMAC-SHA-256 over the raw body. When a webhook is saved it sends an unsigned form,
`webhook_id=…`, which must get a 200 or the webhook is switched off.

There is no message of its own for a refund: the order comes again (`order.updated`) with a list of its refunds, each
with what was given back in all. Topic and event stand in headers that nobody signs, so only the body counts.

Sources: WooCommerce's REST API v3, "Orders" and "Webhooks", and the plugin's own `WC_Webhook`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from core.errors import NotAllowed
from referral.conversions import LINES_MAX, Line
from web.hooks.news import Back, Item, Sale, Told, ignored
from web.hooks.reading import (
    CLICK_NAMES,
    CODE_NAMES,
    Fields,
    consented,
    currency_of,
    fields,
    first_of,
    kept,
    minor,
    moment,
    named_values,
    number_of,
    query_of,
    rows,
    text,
    whole,
)

LANDED = "_wc_order_attribution_session_entry"
"""Where WooCommerce keeps the page on which the customer came to the shop."""
TRIED = {("_wcpay_mode", "test"), ("_ppcp_paypal_payment_mode", "sandbox")}
"""How payment plugins mark an order that was paid with play money."""
_PING = re.compile(rb"webhook_id=\d{1,20}")


def is_ping(body: bytes) -> bool:
    """Whether this is the form a new webhook sends, to which nothing happens."""
    return _PING.fullmatch(body) is not None


def verify(body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bytes:
    """What was signed. Raises `NotAllowed("shop_signature")` unless the webhook's secret made this signature."""
    made = base64.b64encode(hmac.new(secrets["secret"].encode(), body, hashlib.sha256).digest())
    if not hmac.compare_digest(made, headers.get("x-wc-webhook-signature", "").encode()):
        raise NotAllowed("shop_signature")
    return body


def decode(data: Any, headers: Mapping[str, str], options: Mapping[str, Any]) -> Told:
    """What the message says. Raises `BadInput("shop_unreadable")`."""
    given, topic = fields(data), text(headers.get("x-wc-webhook-topic"), 60)
    label = text(first_of(given, "number", "id"), 60)
    if "line_items" not in given or "status" not in given:
        return ignored(topic, label, "deleted" if set(given) == {"id"} else "not_order")
    noted = [(one.get("key"), one.get("value")) for one in rows(given.get("meta_data"))]
    if not options.get("tests") and TRIED & {(text(key), text(value)) for key, value in noted}:
        return ignored(topic, label, "test")
    status = text(given.get("status"), 40)
    if not first_of(given, "date_paid_gmt", "date_paid"):
        return ignored(topic, label, "cancelled_unpaid" if status in ("cancelled", "failed") else "unpaid")
    number, currency = number_of(given, "id"), currency_of(given)
    changed = moment(first_of(given, "date_modified_gmt", "date_created_gmt"), UTC, "date_modified_gmt")
    items: list[Item] = [_sale(given, number, currency, noted)]
    for refund in rows(given.get("refunds")):
        paid = abs(minor(refund.get("total"), currency, "refunds.total"))
        if paid:
            items.append(Back(number_of(refund, "id"), number, currency, changed, paid=paid))
    if status in ("refunded", "cancelled", "failed"):
        items.append(Back(f"{status}-{number}", number, currency, changed))
    return Told(topic, label, tuple(items))


def _sale(given: Fields, number: str, currency: str, noted: list[tuple[Any, Any]]) -> Sale:
    """The goods are the lines' totals: after discounts and without tax, whether or not prices are shown with it.

    A fee counts as shipping does, a negative one as a discount: at most all of the goods, since what a customer has in
    the shop's wallet is one, too, and pays for shipping and tax as well.
    """
    lines: list[Line] = []
    discount = 0
    for line in rows(given.get("line_items")):
        total = minor(line.get("total"), currency, "line_items.total")
        before = max(total, minor(line.get("subtotal", line.get("total")), currency, "line_items.subtotal"))
        discount += before - total
        sku = text(first_of(line, "sku", "variation_id", "product_id", "id")) or "?"
        lines.append(Line(sku, before, whole(line.get("quantity", 1), "quantity"), text(line.get("name"))))
    fees = [minor(one.get("total"), currency, "fee_lines.total") for one in rows(given.get("fee_lines"))]
    discount -= sum(fee for fee in fees if fee < 0)
    shipping = minor(given.get("shipping_total"), currency, "shipping_total") + sum(fee for fee in fees if fee > 0)
    tax = minor(given.get("total_tax"), currency, "total_tax")
    billing = fields(given.get("billing"))
    goods = sum(line.amount for line in lines)
    landed = [pair for link in named_values(noted, frozenset((LANDED,))) for pair in query_of(link)]
    coupons = [text(one.get("code")) for one in rows(given.get("coupon_lines"))]
    customer = text(given.get("customer_id"))
    return Sale(
        number=number,
        currency=currency,
        gross=goods + shipping + tax,
        ordered_at=moment(first_of(given, "date_created_gmt", "date_created"), UTC, "date_created_gmt"),
        discount=min(discount, goods),
        shipping=shipping,
        tax=tax,
        lines=tuple(lines) if len(lines) <= LINES_MAX else (),
        contacts=kept(text(billing.get(name), 254) for name in ("email", "phone")),
        customer="" if customer == "0" else customer,
        codes=kept(named_values(noted, CODE_NAMES)),
        maybe=kept([*coupons, *named_values(landed, CODE_NAMES)]),
        clicks=kept([*named_values(noted, CLICK_NAMES), *named_values(landed, CLICK_NAMES)]),
        consent=consented(noted),
    )
