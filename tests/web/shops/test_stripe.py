"""A shop that is paid through Stripe tells of its payments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.shops.payloads import stripe_event, stripe_invoice, stripe_refund, stripe_session
from tests.web.shops.shopfront import open_shopfront
from web.hooks.news import Sale
from web.hooks.stripe import decode


async def test_a_checkout_counts_its_goods_once_however_often_it_is_told(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        session = stripe_session(client_reference_id=shop.code)
        assert await shop.tell(stripe_event("checkout.session.completed", session)) == "recorded"
        assert shop.figures() == (12_800, 2_000, 1_000, 1_800, 8_000)
        assert [(row.status, row.external_id) for row in shop.orders()] == [("attributed", "pi_1")]
        payment = {"id": "pi_1", "amount": 10_800, "amount_received": 10_800, "currency": "eur", "created": 1}
        assert await shop.tell(stripe_event("payment_intent.succeeded", payment)) == "ignored"
        assert await shop.tell(stripe_event("checkout.session.async_payment_succeeded", session)) == "repeated"
        assert len(shop.orders()) == 1


async def test_a_signature_is_good_for_five_minutes(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        event = stripe_event("checkout.session.completed", stripe_session())
        assert (await shop.send(event, at=-301)).status_code == 401
        assert (await shop.send(event, headers={"stripe-signature": "t=1,v1=00"})).status_code == 401
        assert (await shop.send(event, headers={"stripe-signature": "nonsense"})).status_code == 401
        assert shop.orders() == []
        assert (await shop.send(event, at=-295)).status_code == 200


async def test_a_payment_that_is_still_on_its_way_waits(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        unpaid = stripe_session(payment_status="unpaid")
        assert await shop.tell(stripe_event("checkout.session.completed", unpaid)) == "ignored"
        assert await shop.tell(stripe_event("checkout.session.async_payment_succeeded", stripe_session())) == "recorded"


async def test_refunds_take_the_goods_share_whichever_comes_first(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        assert await shop.tell(stripe_event("refund.created", stripe_refund())) == "waiting"
        assert await shop.tell(stripe_event("checkout.session.completed", stripe_session())) == "refunded"
        assert [(row.net, row.refunded) for row in shop.orders()] == [(8_000, 4_000)]
        assert await shop.tell(stripe_event("refund.updated", stripe_refund())) == "repeated"
        pending = stripe_refund("re_2", status="pending")
        assert await shop.tell(stripe_event("refund.created", pending)) == "ignored"
        assert await shop.tell(stripe_event("refund.updated", stripe_refund("re_2"))) == "refunded"
        assert [row.left for row in shop.orders()] == [0]
        alone = {"id": "ch_1", "currency": "eur", "amount_refunded": 10_800, "payment_intent": "pi_1"}
        assert await shop.tell(stripe_event("charge.refunded", alone)) == "ignored"
        whole = alone | {"refunds": {"data": [stripe_refund("re_1"), stripe_refund("re_2")]}}
        assert await shop.tell(stripe_event("charge.refunded", whole)) == "repeated"


async def test_a_refund_that_fails_after_it_was_taken_off_is_told(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        await shop.tell(stripe_event("checkout.session.completed", stripe_session()))
        assert await shop.tell(stripe_event("refund.failed", stripe_refund("re_1", status="failed"))) == "ignored"
        assert await shop.tell(stripe_event("refund.created", stripe_refund())) == "refunded"
        assert await shop.tell(stripe_event("refund.failed", stripe_refund(status="failed"), id="evt_2")) == "kept"
        assert (shop.deliveries()[0].reason, shop.deliveries()[0].order_id) == ("refund_failed_late", "pi_1")
        assert [row.left for row in shop.orders()] == [4_000]


async def test_a_subscription_is_bought_once_and_renewed_every_month(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        first = stripe_invoice("in_1", billing_reason="subscription_create")
        assert await shop.tell(stripe_event("invoice.paid", first)) == "ignored"
        details = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 500}
        bought = {"mode": "subscription", "payment_intent": None, "invoice": "in_1", "amount_total": 3_000}
        session = stripe_session(**bought, total_details=details, client_reference_id=shop.code)
        assert await shop.tell(stripe_event("checkout.session.completed", session)) == "recorded"
        assert await shop.tell(stripe_event("invoice.paid", stripe_invoice())) == "recorded"
        rows = shop.orders()
        assert [(row.external_id, row.net, row.status) for row in rows] == [
            ("in_1", 2_500, "attributed"),
            ("in_2", 2_500, "attributed"),
        ]
        # A refund names the payment; which invoice that paid, Stripe says in an event of its own.
        refund = stripe_refund("re_9", 3_000, payment_intent="pi_9")
        assert await shop.tell(stripe_event("refund.created", refund)) == "waiting"
        paid = {"id": "inpay_1", "invoice": "in_2", "payment": {"type": "payment_intent", "payment_intent": "pi_9"}}
        assert await shop.tell(stripe_event("invoice_payment.paid", paid)) == "refunded"
        assert [row.left for row in shop.orders()] == [2_500, 0]


@pytest.mark.parametrize("first", ["session", "invoice"])
@pytest.mark.parametrize("orders", ["checkout", "billing"])
async def test_an_invoice_for_what_was_paid_once_is_no_second_purchase(tmp_path: Path, first: str, orders: str) -> None:
    async with open_shopfront(tmp_path, "stripe", orders=orders) as shop:
        figures = {"total": 10_800, "amount_paid": 10_800, "total_taxes": [{"amount": 1_800}]}
        figures |= {"shipping_cost": {"amount_subtotal": 1_000}, "total_discount_amounts": [{"amount": 2_000}]}
        paid = stripe_event("invoice.paid", stripe_invoice("in_1", billing_reason="manual", **figures))
        session = stripe_session(invoice="in_1", client_reference_id=shop.code)
        told = [stripe_event("checkout.session.completed", session), paid]
        for event in told if first == "session" else reversed(told):
            await shop.tell(event)
        assert shop.figures() == (12_800, 2_000, 1_000, 1_800, 8_000)
        assert [row.status for row in shop.orders()] == ["attributed"]
        assert await shop.tell(stripe_event("refund.created", stripe_refund(amount=10_800))) == "refunded"
        assert [row.left for row in shop.orders()] == [0]


@pytest.mark.parametrize("first", ["session", "invoice"])
async def test_a_code_that_only_the_subscription_has_counts_whatever_comes_first(tmp_path: Path, first: str) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        parent = {"subscription_details": {"metadata": {"daixin": shop.code}}}
        invoice = stripe_invoice("in_1", billing_reason="subscription_create", parent=parent)
        details = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 500}
        bought = {"mode": "subscription", "payment_intent": None, "invoice": "in_1", "amount_total": 3_000}
        session = stripe_session(**bought, total_details=details)
        told = [stripe_event("checkout.session.completed", session), stripe_event("invoice.paid", invoice)]
        outcomes = [await shop.tell(event) for event in (told if first == "session" else reversed(told))]
        assert outcomes == (["recorded", "recorded"] if first == "session" else ["recorded", "repeated"])
        assert [(row.status, row.code, row.net) for row in shop.orders()] == [("attributed", shop.code, 2_500)]
        assert [await shop.tell(event) for event in told] == ["repeated", "repeated"]


async def test_the_first_payment_of_a_subscription_can_go_back(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        details = {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 500}
        bought = {"mode": "subscription", "payment_intent": None, "invoice": "in_1", "amount_total": 3_000}
        await shop.tell(stripe_event("checkout.session.completed", stripe_session(**bought, total_details=details)))
        # Older versions of Stripe's interface name the payment in the invoice, and nowhere else.
        invoice = stripe_invoice("in_1", billing_reason="subscription_create", payment_intent="pi_1", charge="ch_1")
        await shop.tell(stripe_event("invoice.paid", invoice))
        assert await shop.tell(stripe_event("refund.created", stripe_refund(amount=3_000))) == "refunded"
        assert [(row.external_id, row.left) for row in shop.orders()] == [("in_1", 0)]


async def test_a_shop_that_makes_subscriptions_itself_is_told_by_invoices(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe", orders="billing") as shop:
        details = {"subscription_details": {"metadata": {"daixin": shop.code}}}
        first = stripe_invoice("in_1", billing_reason="subscription_create", parent=details, payment_intent="pi_1")
        assert await shop.tell(stripe_event("invoice.paid", first)) == "recorded"
        session = stripe_session(mode="subscription", invoice="in_1", payment_intent=None)
        assert await shop.tell(stripe_event("checkout.session.completed", session)) == "ignored"
        assert await shop.tell(stripe_event("refund.created", stripe_refund("re_1", 1_500))) == "refunded"
        assert [(row.external_id, row.status, row.left) for row in shop.orders()] == [("in_1", "attributed", 1_250)]


async def test_a_shop_with_payments_of_its_own_says_so(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe", orders="intents") as shop:
        payment = {"id": "pi_7", "amount": 5_000, "amount_received": 5_000, "currency": "jpy", "created": 1_700_000_000}
        payment |= {"metadata": {"daixin": shop.code}, "receipt_email": "bob@example.com"}
        assert await shop.tell(stripe_event("payment_intent.succeeded", payment)) == "recorded"
        # Yen have no smaller coin: 5000 is 5000.
        assert shop.figures() == (5_000, 0, 0, 0, 5_000)
        assert await shop.tell(stripe_event("checkout.session.completed", stripe_session())) == "ignored"
        lost = {"id": "du_1", "status": "lost", "payment_intent": "pi_7", "amount": 5_000, "currency": "jpy"}
        dispute = lost | {"created": 1_700_000_000}
        assert await shop.tell(stripe_event("charge.dispute.closed", dispute)) == "refunded"
        assert [row.left for row in shop.orders()] == [0]


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("usd", 1_234, 1_234), ("krw", 1_234, 1_234), ("kwd", 1_230, 1_230), ("isk", 1_200, 12), ("ugx", 500, 5)],
)
def test_each_currency_is_counted_as_stripe_counts_it(currency: str, amount: int, minor: int) -> None:
    payment = {"id": "pi_7", "amount": amount, "currency": currency, "created": 1_700_000_000}
    told = decode(stripe_event("payment_intent.succeeded", payment), {}, {"orders": "intents"})
    assert [item.gross for item in told.items if isinstance(item, Sale)] == [minor]


async def test_play_money_counts_for_nothing(tmp_path: Path) -> None:
    async with open_shopfront(tmp_path, "stripe") as shop:
        event = stripe_event("checkout.session.completed", stripe_session(), livemode=False)
        assert await shop.tell(event) == "ignored"
        assert shop.deliveries()[0].reason == "test"
