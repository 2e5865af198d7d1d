"""Stripe: signed over the raw body with its time, which may be five minutes off; checked by Stripe's own library.

One purchase is told several times over, as a session, a payment, a charge and an invoice. So that each is booked once,
with the figures that say most, a shop says how it sells (option `orders`): by Checkout and Payment Links (`checkout`:
sessions count, and the invoices of renewals), by subscriptions it makes itself (`billing`: every invoice counts), or by
payments it makes itself (`intents`: payments count). A purchase is known by its payment's id, one of a subscription by
its invoice's. A refund says only how much of the payment went back.

Sources: Stripe's API reference (Checkout Session, Invoice, Payment Intent, Refund, Event), "Receive Stripe events in
your webhook endpoint" and "Supported currencies".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import stripe

from core.errors import NotAllowed
from web.hooks.news import Back, Ignored, Item, Named, Sale, Told, ignored
from web.hooks.reading import (
    CLICK_NAMES,
    CODE_NAMES,
    Fields,
    consented,
    currency_of,
    fields,
    first_of,
    kept,
    named_values,
    number_of,
    rows,
    text,
    to_minor,
    unreadable,
    whole,
)

TOLERANCE = 300
"""Seconds a signature may be old."""
NO_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())
"""How Stripe counts these currencies, whatever ISO 4217 says; all others in hundredths."""
SESSION = ("checkout.session.completed", "checkout.session.async_payment_succeeded")
INVOICE = ("invoice.paid", "invoice.payment_succeeded")
REFUND = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def verify(body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bytes:
    """What was signed. Raises `NotAllowed("shop_signature")` unless the endpoint's secret did, these five minutes."""
    try:
        given = headers.get("stripe-signature", "")
        given.encode("ascii")  # else the library compares what cannot be compared
        stripe.WebhookSignature.verify_header(body.decode(), given, secrets["secret"], TOLERANCE)
    except (stripe.SignatureVerificationError, ValueError):
        raise NotAllowed("shop_signature") from None
    return body


def decode(data: Any, headers: Mapping[str, str], options: Mapping[str, Any]) -> Told:
    """What the event says. Raises `BadInput("shop_unreadable")`."""
    event = fields(data)
    topic, given = text(event.get("type"), 60), fields(fields(event.get("data")).get("object"))
    label = text(given.get("id"), 60)
    if event.get("livemode") is not True and not options.get("tests"):
        return ignored(topic, label, "test")
    how = options.get("orders", "checkout")
    if topic in SESSION:
        items = _session(given, how) if how != "intents" else [Ignored("told_by_payment")]
    elif topic in INVOICE:
        items = _invoice(given, how) if how != "intents" else [Ignored("told_by_payment")]
    elif topic == "invoice_payment.paid":
        items = _names(number_of(given, "invoice"), [given.get("payment")]) or [Ignored("not_order")]
    elif topic == "payment_intent.succeeded":
        items = _told_elsewhere(given) if how != "intents" else [_payment(given)]
    elif topic == "charge.refunded":
        items = [_refund(one) for one in rows(fields(given.get("refunds")).get("data"))]
        items = items or [Ignored("refund_alone")]
    elif topic in REFUND:
        items = [_refund(given)]
    elif topic == "charge.dispute.closed":
        items = [_refund({**given, "status": "succeeded"}) if given.get("status") == "lost" else Ignored("not_order")]
    else:
        items = [Ignored("not_order")]
    return Told(topic, label, tuple(items))


def _session(given: Fields, how: str) -> list[Item]:
    """`amount_total` is what was paid in all: after discounts, with tax and shipping."""
    if given.get("mode") not in ("payment", "subscription"):
        return [Ignored("not_order")]
    if how == "billing" and given.get("mode") == "subscription":
        return [Ignored("told_by_invoice")]
    if given.get("payment_status") not in ("paid", "no_payment_required"):
        return [Ignored("unpaid")]
    currency = currency_of(given)
    details, who = fields(given.get("total_details")), fields(given.get("customer_details"))
    payment, invoice = _id(given.get("payment_intent")), _id(given.get("invoice"))
    by_invoice = given.get("mode") == "subscription" or how == "billing"
    number = (invoice if by_invoice else payment) or payment or number_of(given, "id")
    discount = _amount(details, "amount_discount", currency)
    noted = list(fields(given.get("metadata")).items())
    asked = [(one.get("key"), _answer(one)) for one in rows(given.get("custom_fields"))]
    sale = Sale(
        number=number,
        currency=currency,
        gross=_amount(given, "amount_total", currency) + discount,
        ordered_at=_moment(given),
        discount=discount,
        shipping=_amount(details, "amount_shipping", currency),
        tax=_amount(details, "amount_tax", currency),
        contacts=kept(text(one, 254) for one in (who.get("email"), given.get("customer_email"), who.get("phone"))),
        customer=_id(given.get("customer")),
        codes=kept(named_values([*noted, *asked], CODE_NAMES)),
        # Many shops keep a number of their own there.
        maybe=kept([text(given.get("client_reference_id")), *_promotions(given)]),
        clicks=kept([text(given.get("client_reference_id")), *named_values(noted, CLICK_NAMES)]),
        consent=consented([*noted, *asked]),
    )
    return [sale, *([Named(payment, number)] if payment and payment != number else [])]


def _invoice(given: Fields, how: str) -> list[Item]:
    """A payment of a subscription. The first is told by the session it was bought in, which also knows the code, unless
    the shop makes subscriptions itself or gave this one the code as metadata. A session that is paid once may make an
    invoice, too, which is the same purchase: where sessions count, only those of subscriptions do."""
    parent = fields(fields(given.get("parent")).get("subscription_details"))
    metadata = [
        given.get("metadata"),
        parent.get("metadata"),
        fields(given.get("subscription_details")).get("metadata"),
    ]
    noted = [pair for one in metadata for pair in fields(one).items()]
    codes = named_values(noted, CODE_NAMES)
    number, why = number_of(given, "id"), text(given.get("billing_reason"), 60)
    payments = [fields(one.get("payment")) for one in rows(fields(given.get("payments")).get("data"))]
    names = _names(number, [given, *payments])
    if how == "checkout" and not why.startswith("subscription"):
        return [Ignored("no_subscription")]
    if how == "checkout" and why == "subscription_create" and not codes:
        return [Ignored("told_by_session"), *names]
    currency = currency_of(given)
    if not _amount(given, "amount_paid", currency):
        return [Ignored("nothing_paid")]
    discount = sum(_amount(one, "amount", currency) for one in rows(given.get("total_discount_amounts")))
    taxes = [one for name in ("total_taxes", "total_tax_amounts") for one in rows(given.get(name))]
    tax = sum(_amount(one, "amount", currency) for one in taxes) if taxes else _amount(given, "tax", currency)
    sale = Sale(
        number=number,
        currency=currency,
        gross=_amount(given, "total", currency) + discount,
        ordered_at=_moment(given),
        discount=discount,
        shipping=_amount(fields(given.get("shipping_cost")), "amount_subtotal", currency),
        tax=tax,
        contacts=kept(text(given.get(name), 254) for name in ("customer_email", "customer_phone")),
        customer=_id(given.get("customer")),
        codes=kept(codes),
        clicks=kept(named_values(noted, CLICK_NAMES)),
        consent=consented(noted),
    )
    return [sale, *names]


def _payment(given: Fields) -> Item:
    """A payment says nothing of discount, shipping and tax: all of it counts as goods."""
    currency = currency_of(given)
    noted = list(fields(given.get("metadata")).items())
    charges = [*rows(fields(given.get("charges")).get("data")), fields(given.get("latest_charge"))]
    billed = [fields(one.get("billing_details")) for one in charges]
    emails = [given.get("receipt_email"), *(one.get("email") for one in billed)]
    return Sale(
        number=number_of(given, "id"),
        currency=currency,
        gross=_amount(given, "amount_received" if given.get("amount_received") else "amount", currency),
        ordered_at=_moment(given),
        contacts=kept(text(one, 254) for one in [*emails, *(one.get("phone") for one in billed)]),
        customer=_id(given.get("customer")),
        codes=kept(named_values(noted, CODE_NAMES)),
        clicks=kept(named_values(noted, CLICK_NAMES)),
        consent=consented(noted),
    )


def _told_elsewhere(payment: Fields) -> list[Item]:
    """A payment of a shop whose sessions and invoices count; of an invoice it is one more name."""
    invoice = _id(payment.get("invoice"))
    return [Named(number_of(payment, "id"), invoice)] if invoice else [Ignored("told_by_session")]


def _refund(given: Fields) -> Item:
    status = text(given.get("status"), 40)
    if status in ("pending", "requires_action"):
        return Ignored("refund_pending")
    if status != "succeeded":
        return Ignored("refund_failed", text(given.get("id")))
    currency = currency_of(given)
    order = _id(given.get("payment_intent")) or _id(given.get("charge")) or unreadable("payment_intent")
    paid = _amount(given, "amount", currency)
    return Back(number_of(given, "id"), order, currency, _moment(given), paid=paid) if paid else Ignored("nothing_back")


def _names(order: str, holders: Sequence[Any]) -> list[Item]:
    """The payments and charges by which refunds of this order may be told."""
    found = [_id(fields(one).get(name)) for one in holders for name in ("payment_intent", "charge")]
    return [Named(name, order) for name in kept(found)]


def _promotions(session: Fields) -> list[str]:
    """Promotion codes, where the session carries them whole (their ids alone say nothing)."""
    used = [fields(one.get("promotion_code")) for one in rows(session.get("discounts"))]
    return [text(one.get("code")) for one in used]


def _answer(asked: Fields) -> Any:
    return fields(asked.get(text(asked.get("type"), 20))).get("value")


def _id(value: Any) -> str:
    """An id, also where the object itself stands in its place."""
    return text(fields(value).get("id") if isinstance(value, dict) else value, 201)


def _moment(given: Fields) -> datetime:
    seconds = whole(first_of(given, "created"), "created")
    return datetime.fromtimestamp(seconds, UTC) if seconds < LATEST else unreadable("created")


def _amount(given: Fields, name: str, currency: str) -> int:
    """An amount as Stripe counts it, in minor units as we do."""
    value = given.get(name)
    if value is None:
        return 0
    places = 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    return to_minor(Decimal(whole(value, name)).scaleb(-places), currency)
