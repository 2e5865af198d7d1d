"""Anything at all in a message: a decoder gives what can be booked or says `BadInput`, and booking never breaks."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from core.errors import BadInput, NotAllowed
from referral import shops
from referral.brands import create_brand
from tests.house import House, fresh_sqlite
from tests.web.shops import payloads
from web.hooks import shopify, stripe, woocommerce, youzan
from web.hooks.kinds import kinds
from web.hooks.news import Back, Sale
from web.hooks.reading import fields, parse
from web.hooks.taking import take_in

ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**53,
    10**40,
    0.1,
    -1e300,
    "",
    " ",
    "0",
    "-5",
    "NaN",
    "1e400",
    "١٢",
    "1_000",
]
ODD += ["1_000", "\x00", "\ud800", "9" * 5000, "2026-13-01", "0001-01-01T00:00:00+23:59", "<b>", "=1+1"]
ODD += [[], {}, [None], [{}], {"": None}]
OPTIONS: list[dict[str, Any]] = [{}, {"tests": True}, {"orders": "intents"}, {"orders": "intents", "tests": True}]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def good(kind: str) -> list[Any]:
    """Messages of this kind that are as they should be."""
    if kind == "shopify":
        order = payloads.shopify_order(landing_site="/?ref=X&t=1", discount_codes=[{"code": "SPRING"}])
        return [payloads.with_(order, refunds=[payloads.shopify_refund()]), payloads.shopify_refund()]
    if kind == "woocommerce":
        return [payloads.woo_order(refunds=[{"id": 1, "total": "-5.00"}], fee_lines=[{"total": "-1"}])]
    if kind == "youzan":
        refunds = [{"refund_id": "R1", "refund_fee": "1.00", "refund_state": 60}]
        return [{"message": {"type": "trade"}, "trade": payloads.youzan_trade("E1", refunds)}]
    charge = {"id": "ch_1", "refunds": {"data": [payloads.stripe_refund()]}}
    payment = {"id": "pi_1", "amount": 5, "currency": "usd", "created": 5, "metadata": {"daixin": "x"}}
    paid = {"invoice": "in_1", "payment": {"payment_intent": "pi_1"}}
    told = {
        "checkout.session.completed": payloads.stripe_session(custom_fields=[{"key": "ref", "type": "text"}]),
        "invoice.paid": payloads.stripe_invoice(),
        "invoice_payment.paid": paid,
        "payment_intent.succeeded": payment,
        "charge.refunded": charge,
        "refund.created": payloads.stripe_refund(),
        "charge.dispute.closed": payloads.stripe_refund(status="lost"),
    }
    return [payloads.stripe_event(topic, one) for topic, one in told.items()]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything in a message."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        yield from places(inner, (*path, name))


@st.composite
def messages(draw: st.DrawFn, kind: str) -> Any:
    """A good message of which a few places hold something else."""
    message = draw(st.sampled_from(good(kind)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(list(places(message))))
        other = draw(json_values)
        message = put(message, path, other)
    return message


def put(message: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of a message with this at that place."""
    if not path:
        return value
    message = copy.deepcopy(message)
    holder = message
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return message


DECODERS: dict[str, Callable[..., Any]] = {
    "shopify": shopify.decode,
    "woocommerce": woocommerce.decode,
    "stripe": stripe.decode,
    "youzan": youzan.decode,
}


def reread(message: Any) -> Any:
    """As it comes over the wire. Raises `BadInput` for what is no JSON."""
    return parse(json.dumps(message).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("kind", shops.KINDS)
def test_each_decoder_takes_anything(kind: str) -> None:
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(message=messages(kind), options=st.sampled_from(OPTIONS))
    def run(message: Any, options: dict[str, Any]) -> None:
        try:
            told = DECODERS[kind](reread(message), {}, options)
        except BadInput:
            return
        assert told.items
        assert all(text.isprintable() and len(text) <= 60 for text in (told.topic, told.label))

    run()


@pytest.mark.parametrize("kind", shops.KINDS)
def test_each_field_takes_anything_odd(kind: str) -> None:
    """One field after another holds each of the odd values; what is decoded all the same can be booked."""
    for message in good(kind):
        for path in places(message):
            for odd in ODD:
                try:
                    told = DECODERS[kind](reread(put(message, path, odd)), {}, {"tests": True, "orders": "intents"})
                except BadInput:
                    continue
                assert told.items
                for item in told.items:
                    if isinstance(item, Sale | Back):
                        at = item.ordered_at if isinstance(item, Sale) else item.at
                        assert at.astimezone(UTC).year >= 1969
                        assert item.currency.isascii()


@pytest.mark.parametrize("kind", shops.KINDS)
def test_whatever_was_decoded_can_be_booked(tmp_path: Path, kind: str) -> None:
    house = House(fresh_sqlite(tmp_path))

    def connected(session: Session) -> shops.Opened:
        brand = create_brand(session, "Wild", slug="wild")
        shop = shops.connect_shop(session, brand.id, kind, "Hill", {})
        return shops.Opened(brand.id, shop.id, kind, shop.source, shop.options, {})

    shop = house.do(connected)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(message=messages(kind), options=st.sampled_from(OPTIONS))
    def run(message: Any, options: dict[str, Any]) -> None:
        try:
            told = DECODERS[kind](reread(message), {}, options)
        except BadInput:
            return
        digest = str(hash(repr(told)))
        outcome = house.do(lambda session: take_in(session, shop, told, digest)).outcome
        assert outcome in ("recorded", "refunded", "kept", "waiting", "ignored", "refused", "repeated")

    try:
        run()
    finally:
        house.close()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    body=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()),
    header=st.text() | st.tuples(st.integers(), st.text(max_size=5)).map(lambda one: f"t={one[0]},v1={one[1]}"),
)
def test_no_body_and_no_header_break_a_signature(body: bytes, header: str) -> None:
    secrets = {"secret": "s", "client_id": "a", "client_secret": "b", "kdt_id": "1"}
    names = ("x-shopify-hmac-sha256", "x-wc-webhook-signature", "stripe-signature", "event-sign")
    for headers in ({}, dict.fromkeys(names, header)):
        for kind in kinds("http://127.0.0.1:9").values():
            with pytest.raises(NotAllowed, match="shop_signature"):
                kind.verify(body, headers, secrets)
            assert kind.is_ping(body) in (False, body.startswith(b"webhook_id="))
        youzan.trade_of(json.loads(body) if body[:1] in (b"{", b"[") and _is_json(body) else header)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def test_moments_of_another_age_are_refused() -> None:
    for created in (-1, 10**18, 0.5, "soon"):
        told = payloads.stripe_event("refund.created", payloads.stripe_refund(created=created))
        with pytest.raises(BadInput):
            stripe.decode(told, {}, {})
    assert datetime.fromtimestamp(0, UTC).year == 1970


def test_whatever_youzan_says_beside_its_trade_is_read() -> None:
    inner = {"tid": "E1", "refund_id": "R1", "full_order_info": {"order_info": {"tid": "E1"}}}
    kinds_of_message = (*youzan.PAID, *youzan.PAID_BACK, youzan.AGREED, "trade_TradeClose")
    refunds = [{"refund_id": "R1", "refund_fee": "1.00", "refund_state": 60}]
    for kind in kinds_of_message:
        message = {"type": kind, "kdt_id": 1, "root_kdt_id": 2, "msg": inner, "test": False}
        whole = {"message": message, "trade": payloads.youzan_trade("E1", refunds)}
        for path in places(whole):
            for odd in ODD:
                told = fields(put(whole, path, odd))
                assert youzan.is_behind(told.get("message"), fields(told.get("trade"))) in (True, False)
                assert youzan.is_of(told.get("message"), "1") in (True, False)
                assert youzan.trade_of(told.get("message")) != ""
