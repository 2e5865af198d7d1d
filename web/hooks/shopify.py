"""Shopify: signed with base64 HMAC-SHA-256 over the raw body; topic and shop stand in headers that nobody signs.

So the address says which shop it is, and the body what it is about, whatever the headers claim: an order (it has
`financial_status`) or a refund (it has `refund_line_items`). An order carries its refunds, too: whichever comes first
books them, by their own numbers.

Sources: Shopify's "Verify webhook deliveries" and the REST Admin API's resources Order and Refund. Amounts are the
shop's own money (`…_set.shop_money` where there is one), not what the customer was shown.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from core.errors import NotAllowed
from referral.conversions import LINES_MAX, Line
from web.hooks.news import Back, Ignored, Item, Sale, Told, ignored
from web.hooks.reading import (
    CLICK_NAMES,
    CODE_NAMES,
    Fields,
    consented,
    currency_of,
    exact,
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
    unreadable,
    whole,
)

PAID = ("paid", "partially_refunded", "refunded")


def verify(body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bytes:
    """What was signed. Raises `NotAllowed("shop_signature")` unless the shop's secret made this signature."""
    made = base64.b64encode(hmac.new(secrets["secret"].encode(), body, hashlib.sha256).digest())
    if not hmac.compare_digest(made, headers.get("x-shopify-hmac-sha256", "").encode()):
        raise NotAllowed("shop_signature")
    return body


def decode(data: Any, headers: Mapping[str, str], options: Mapping[str, Any]) -> Told:
    """What the message says. Raises `BadInput("shop_unreadable")`."""
    given, topic = fields(data), text(headers.get("x-shopify-topic"), 60)
    tests = bool(options.get("tests"))
    if "refund_line_items" in given and "order_id" in given:
        label = text(given.get("order_id"), 60)
        if all(one.get("test") is True for one in rows(given.get("transactions")) or [{}]) and not tests:
            return ignored(topic, label, "test")
        return Told(topic, label, (_back(given, number_of(given, "order_id"), None, _includes_tax(given)),))
    if "line_items" in given and "financial_status" in given:
        return _order(given, topic, tests)
    return ignored(topic, text(first_of(given, "name", "id"), 60), "not_order")


def _order(given: Fields, topic: str, tests: bool) -> Told:
    label = text(first_of(given, "name", "id"), 60)
    if given.get("test") is True and not tests:
        return ignored(topic, label, "test")
    status, cancelled = text(given.get("financial_status"), 40), given.get("cancelled_at")
    if status not in PAID:
        return ignored(topic, label, "cancelled_unpaid" if cancelled else "unpaid")
    number, currency = number_of(given, "id"), currency_of(given)
    included = given.get("taxes_included") is True
    items: list[Item] = [_sale(given, number, currency, included)]
    for refund in rows(given.get("refunds")):
        items.append(_back(refund, number, currency, included))
    if status == "refunded":
        at = moment(first_of(given, "updated_at", "created_at"), UTC, "updated_at")
        items.append(Back(f"refunded-{number}", number, currency, at))
    elif cancelled:
        items.append(Back(f"cancelled-{number}", number, currency, moment(cancelled, UTC, "cancelled_at")))
    return Told(topic, label, tuple(items))


def _sale(given: Fields, number: str, currency: str, included: bool) -> Sale:
    """The goods are what the lines cost, less the discounts on them and, in shops whose prices include it, their tax.

    Gift cards are money, not goods: they count when they are spent. Tips and duties are no goods either.
    """
    lines: list[Line] = []
    discount = tax = 0
    for line in rows(given.get("line_items")):
        if _is_no_goods(line):
            continue
        quantity = whole(line.get("quantity", 1), "quantity")
        listed = _own(line, "price", currency) * quantity
        taxed = _taxes(line, currency)
        without = max(0, listed - taxed if included else listed)
        tax += taxed if included is False else listed - without
        discount += sum(_own(one, "amount", currency) for one in rows(line.get("discount_allocations")))
        sku = text(first_of(line, "sku", "variant_id", "product_id", "id")) or "?"
        lines.append(Line(sku, without, quantity, text(first_of(line, "title", "name"))))
    shipping = 0
    for way in rows(given.get("shipping_lines")):
        cost = _own(way, "discounted_price" if "discounted_price" in way else "price", currency)
        taxed = _taxes(way, currency)
        shipping += max(0, cost - taxed) if included else cost
        tax += min(taxed, cost) if included else taxed
    goods = sum(line.amount for line in lines)
    customer, billing = fields(given.get("customer")), fields(given.get("billing_address"))
    noted = [(one.get("name"), one.get("value")) for one in rows(given.get("note_attributes"))]
    landed = query_of(given.get("landing_site"))
    discounts = [text(one.get("code")) for one in rows(given.get("discount_codes"))]
    addresses = (given.get("email"), given.get("contact_email"), customer.get("email"))
    phones = (given.get("phone"), customer.get("phone"), billing.get("phone"))
    return Sale(
        number=number,
        currency=currency,
        gross=goods + tax + shipping,
        ordered_at=moment(first_of(given, "processed_at", "created_at"), UTC, "created_at"),
        discount=discount,
        shipping=shipping,
        tax=tax,
        lines=tuple(lines) if len(lines) <= LINES_MAX else (),
        contacts=kept(text(one, 254) for one in (*addresses, *phones)),
        customer=text(customer.get("id")),
        codes=kept(named_values(noted, CODE_NAMES)),
        maybe=kept([*discounts, *named_values(landed, CODE_NAMES)]),
        clicks=kept([*named_values(noted, CLICK_NAMES), *named_values(landed, CLICK_NAMES)]),
        consent=consented(noted),
    )


def _back(given: Fields, order: str, currency: str | None, included: bool) -> Item:
    """What went back for goods: the lines' subtotals (after discounts; less their tax where prices include it), and
    what was given back beside them (`refund_discrepancy`, negative for more). Shipping and tax are not goods."""
    payments = rows(given.get("transactions"))
    if payments and all(text(one.get("status"), 20) in ("failure", "error") for one in payments):
        return Ignored("refund_failed")
    lines = [one for one in rows(given.get("refund_line_items")) if not _is_no_goods(fields(one.get("line_item")))]
    adjusted = [one for one in rows(given.get("order_adjustments")) if one.get("kind") == "refund_discrepancy"]
    currency = currency or _currency_in(given)
    goods = 0
    for line in lines:
        goods += _own(line, "subtotal", currency) - (_own(line, "total_tax", currency) if included else 0)
    goods -= sum(_own(one, "amount", currency) for one in adjusted)
    if goods <= 0:
        return Ignored("nothing_back")
    at = moment(first_of(given, "processed_at", "created_at"), UTC, "created_at")
    return Back(number_of(given, "id"), order, currency, at, goods=goods)


def _is_no_goods(line: Fields) -> bool:
    """A gift card or a tip, which is a line of its own: only there these fields are, one of them also empty."""
    return line.get("gift_card") is True or bool(line.get("tip")) or "tip_payment_gateway" in line


def _includes_tax(refund: Fields) -> bool:
    """Whether the prices in a refund that comes without its order include tax, which it does not say.

    By the money: what was paid back is the subtotals, with or without the tax beside them. Where that does not tell,
    by the lines' rates: a price of 120 with 20 of tax at 20 % includes it, one of 100 does not.
    """
    lines = rows(refund.get("refund_line_items"))
    subtotal = sum((_plain(one, "subtotal") for one in lines), Decimal(0))
    tax = sum((_plain(one, "total_tax") for one in lines), Decimal(0))
    if not tax:
        return False
    beside = sum((_plain(one, "amount") for one in rows(refund.get("order_adjustments"))), Decimal(0))
    paid = sum((_plain(one, "amount") for one in rows(refund.get("transactions"))), Decimal(0)) + beside
    if paid in (subtotal, subtotal + tax):
        return paid == subtotal
    rate = Decimal(0)
    for line in lines:
        rates = rows(fields(line.get("line_item")).get("tax_lines"))
        rate = max(rate, sum((_plain(one, "rate") for one in rates), Decimal(0)))
    if not 0 < rate < 1:
        return False
    return abs(subtotal * rate / (1 + rate) - tax) < abs(subtotal * rate - tax)


def _currency_in(refund: Fields) -> str:
    """The shop's currency, as some amount of the refund names it."""
    for part in (*rows(refund.get("refund_line_items")), *rows(refund.get("order_adjustments"))):
        for name in ("subtotal_set", "amount_set"):
            if money := fields(fields(part.get(name)).get("shop_money")):
                return currency_of(money, "currency_code")
    for payment in rows(refund.get("transactions")):
        return currency_of(payment)
    unreadable("currency")


def _taxes(line: Fields, currency: str) -> int:
    return sum(_own(one, "price", currency) for one in rows(line.get("tax_lines")))


def _own(given: Fields, name: str, currency: str) -> int:
    """An amount in the shop's own money."""
    own = fields(fields(given.get(f"{name}_set")).get("shop_money"))
    return minor(own.get("amount", given.get(name)), currency, name)


def _plain(given: Fields, name: str) -> Decimal:
    own = fields(fields(given.get(f"{name}_set")).get("shop_money"))
    value = own.get("amount", given.get(name))
    return Decimal(0) if value is None else exact(value, name)
