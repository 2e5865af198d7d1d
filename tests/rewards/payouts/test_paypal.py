"""Bob withdraws to PayPal: the payout, what he does with it, and everything that can get lost on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import ids
from core.log import scrub
from rewards.payouts.notices import NoticeRefused
from rewards.payouts.paypal import SANDBOX, PayPal, PayPalSettings, amount_text
from rewards.payouts.port import PAYPAL_CURRENCIES, PayoutOrder
from tests.rewards.payouts.standins.paypal import SECRET, PayPalStandIn
from tests.rewards.payouts.standins.server import Reply

BOB = "bob@example.com"


@pytest.fixture
def service() -> Iterator[PayPalStandIn]:
    with PayPalStandIn() as standin:
        yield standin
    assert standin.violations == []


@pytest.fixture
async def pay(service: PayPalStandIn) -> AsyncIterator[PayPal]:
    provider = PayPal(service.settings())
    yield provider
    await provider.close()


def order(amount: int = 1_250, asset: str = "USD", **more: Any) -> PayoutOrder:
    number = more.pop("number", None) or ids.new()
    given = {"payee": {"email": BOB}, "sent_at": datetime.now(UTC).isoformat(), "attempts": 1, **more}
    return PayoutOrder(ids.new(), number, number.hex, asset, amount, **given)


def again(asked: PayoutOrder, **more: Any) -> PayoutOrder:
    return order(asked.amount, asked.asset, number=asked.id, **more)


async def test_bob_has_an_account_and_has_his_money(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    answer = await pay.start(asked)
    assert answer.state == "processing"
    assert answer.external_id
    known = again(asked, external_id=answer.external_id)
    assert (await pay.look_up(known)).state == "processing"
    service.claim(asked.reference)
    found = await pay.look_up(known)
    assert (found.state, found.external_id) == ("completed", answer.external_id)
    assert service.paid == [(BOB, "USD", "12.50")]


async def test_the_same_reference_again_is_the_same_payout(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    first, repeated = await pay.start(asked), await pay.start(asked)
    assert first.external_id == repeated.external_id
    assert len(service.batches) == 1


@pytest.mark.parametrize("trouble", ["lost", "lost_after"])
async def test_a_payout_whose_number_was_lost_is_found_again(service: PayPalStandIn, pay: PayPal, trouble: Any) -> None:
    asked = order()
    service.fail("POST /v1/payments/payouts", trouble)
    with pytest.raises(Exception, match=r"disconnect|Disconnect|reset|closed"):
        await pay.start(asked)
    answer = await pay.look_up(asked)
    assert answer.state == "processing"
    assert answer.external_id
    assert len(service.batches) == 1


async def test_a_repeat_that_names_no_original_stays_unknown(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    await pay.start(asked)
    service.links = False
    answer = await pay.look_up(asked)
    assert (answer.state, answer.reason) == ("unknown", "already_there")


async def test_what_paypal_may_have_forgotten_is_not_posted_again(service: PayPalStandIn, pay: PayPal) -> None:
    old = order(sent_at=(datetime.now(UTC) - timedelta(days=26)).isoformat())
    answer = await pay.look_up(old)
    assert (answer.state, answer.reason) == ("unknown", "too_long_ago")
    assert service.calls == []


async def test_what_was_called_off_is_not_posted_again(service: PayPalStandIn, pay: PayPal) -> None:
    answer = await pay.cancel(order(detail={"cancel_asked": True}))
    assert (answer.state, answer.reason) == ("unknown", "number_lost")
    assert service.calls == []


async def test_what_was_never_handed_over_is_not_there(service: PayPalStandIn, pay: PayPal) -> None:
    assert (await pay.look_up(order(sent_at=None))).state == "not_found"
    assert service.calls == []


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        ("PENDING", "processing", None),
        ("UNCLAIMED", "processing", "unclaimed_yet"),
        ("ONHOLD", "processing", "on_hold"),
        ("SUCCESS", "completed", None),
        ("RETURNED", "failed", "unclaimed"),
        ("REFUNDED", "failed", "refunded_by_payee"),
        ("REVERSED", "failed", "reversed"),
        ("BLOCKED", "failed", "provider_refused"),
        ("FAILED", "failed", "provider_refused"),
        ("DENIED", "failed", "provider_refused"),
        ("SOMETHING_NEW", "unknown", "provider_unclear"),
    ],
)
async def test_what_an_item_stands_at(
    service: PayPalStandIn, pay: PayPal, status: str, state: str, reason: str | None
) -> None:
    asked = order()
    answer = await pay.start(asked)
    service.stands(asked.reference, status)
    found = await pay.look_up(again(asked, external_id=answer.external_id))
    assert (found.state, found.reason) == (state, reason)


async def test_why_an_item_failed(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    answer = await pay.start(asked)
    service.stands(asked.reference, "FAILED", "RECEIVER_ACCOUNT_LOCKED")
    assert (await pay.look_up(again(asked, external_id=answer.external_id))).reason == "payee_refused"


async def test_a_batch_that_is_denied_later(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    answer = await pay.start(asked)
    service.deny(asked.reference)
    assert (await pay.look_up(again(asked, external_id=answer.external_id))).state == "failed"


async def test_what_nobody_claimed_can_be_taken_back(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    known = again(asked, external_id=(await pay.start(asked)).external_id)
    assert (await pay.cancel(known)).state == "processing"
    service.stands(asked.reference, "UNCLAIMED")
    answer = await pay.cancel(known)
    assert (answer.state, answer.reason) == ("failed", "cancelled")


async def test_what_bob_has_cannot_be_taken_back(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    known = again(asked, external_id=(await pay.start(asked)).external_id)
    service.claim(asked.reference)
    assert (await pay.cancel(known)).state == "completed"


@pytest.mark.parametrize(
    ("status", "name", "state", "reason"),
    [
        (422, "INSUFFICIENT_FUNDS", "unknown", "provider_funds"),
        (429, "RATE_LIMIT_REACHED", "unknown", "provider_busy"),
        (500, "INTERNAL_SERVER_ERROR", "unknown", "provider_busy"),
        (503, "", "unknown", "provider_busy"),
        (403, "NOT_AUTHORIZED", "unknown", "provider_access"),
        (400, "SOMETHING_NEW", "unknown", "provider_unclear"),
        (400, "VALIDATION_ERROR", "failed", "payee_refused"),
    ],
)
async def test_refusals(service: PayPalStandIn, pay: PayPal, status: int, name: str, state: str, reason: str) -> None:
    body = f'{{"name":"{name}","message":"{BOB}","details":[{{"issue":"{BOB}"}}]}}'.encode()
    service.fail("POST /v1/payments/payouts", reply=Reply(status, body, {"content-type": "application/json"}))
    answer = await pay.start(order())
    assert (answer.state, answer.reason) == (state, reason)
    assert BOB not in str(answer)


async def test_a_validation_error_about_our_reference_is_no_failure(service: PayPalStandIn, pay: PayPal) -> None:
    body = b'{"name":"VALIDATION_ERROR","details":[{"field":"sender_batch_id","issue":"Duplicate batch request"}]}'
    service.fail("POST /v1/payments/payouts", reply=Reply(400, body, {"content-type": "application/json"}))
    assert (await pay.start(order())).state == "unknown"


async def test_a_token_is_kept_and_renewed_when_it_is_refused(service: PayPalStandIn, pay: PayPal) -> None:
    await pay.start(order())
    await pay.start(order())
    assert len(service.asked("/v1/oauth2/token")) == 1
    service.tokens.clear()
    assert (await pay.start(order())).state == "processing"
    assert len(service.asked("/v1/oauth2/token")) == 2


async def test_an_answer_about_another_sum_is_not_believed(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    answer = await pay.start(asked)
    service.claim(asked.reference)
    service.item(asked.reference)["payout_item"]["amount"]["value"] = "0.01"
    assert (await pay.look_up(again(asked, external_id=answer.external_id))).reason == "answer_differs"
    assert (await pay.look_up(order(external_id=answer.external_id))).reason == "answer_differs"


@pytest.mark.parametrize(
    ("minor", "asset", "text"),
    [
        (1, "USD", "0.01"),
        (123_456_789_012, "EUR", "1234567890.12"),
        (500, "JPY", "500"),
        (12_300, "HUF", "123"),
        (12_345, "HUF", None),
        (100, "TWD", "1"),
        (150, "TWD", None),
    ],
)
def test_amounts_are_exact_in_every_currency(minor: int, asset: str, text: str | None) -> None:
    assert amount_text(minor, asset) == text


def test_every_currency_it_carries_can_be_written() -> None:
    assert all(amount_text(1_000, asset) for asset in PAYPAL_CURRENCIES)


@pytest.mark.parametrize("asset", ["CNY", "XTR", "PTS", "item:mug", "usd", ""])
async def test_other_currencies_are_refused_before_anything_is_sent(
    service: PayPalStandIn, pay: PayPal, asset: str
) -> None:
    assert not pay.carries(asset)
    assert (await pay.start(order(100, asset))).reason == "currency_not_carried"
    assert service.calls == []


async def test_an_amount_paypal_cannot_write_is_not_sent(service: PayPalStandIn, pay: PayPal) -> None:
    assert (await pay.start(order(12_345, "HUF"))).reason == "amount_not_whole"
    assert service.calls == []


async def test_a_paypal_id_is_told_as_one(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order(payee={"paypal_id": "QWERTYUIOP123"})
    await pay.start(asked)
    assert service.item(asked.reference)["payout_item"]["recipient_type"] == "PAYPAL_ID"


# Notices


async def read(pay: PayPal, notice: tuple[dict[str, str], bytes]) -> Any:
    headers, body = notice
    return await pay.read_notice({name.lower(): value for name, value in headers.items()}, body)


async def test_paypal_tells_that_bob_has_it(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    answer = await pay.start(asked)
    service.claim(asked.reference)
    for _ in range(2):
        told = await read(pay, service.notice(asked.reference))
        assert (told.reference, told.asset, told.amount) == (asked.reference, "USD", 1_250)
        assert (told.answer.state, told.answer.external_id) == ("completed", answer.external_id)
    assert len(service.asked("/v1/notifications/certs/")) == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"signer": "stranger"},
        {"age": timedelta(days=5)},
        {"age": -timedelta(hours=1)},
        {"webhook": "another"},
        {"cert": "https://evil.example/v1/notifications/certs/CERT-paypal"},
        {"cert": "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-paypal"},
        {"cert": "file:///etc/passwd"},
        {"cert": "http://[/v1/notifications/certs/CERT-paypal"},
        {"cert": "http://127.0.0.1:1/v1/notifications/certs/CERT-paypal"},
    ],
    ids=[
        "a stranger's",
        "old",
        "from tomorrow",
        "for another webhook",
        "host",
        "userinfo",
        "file",
        "no address",
        "port",
    ],
)
async def test_a_notice_that_is_not_for_us_is_refused(
    service: PayPalStandIn, pay: PayPal, forged: dict[str, Any]
) -> None:
    asked = order()
    await pay.start(asked)
    with pytest.raises(NoticeRefused):
        await read(pay, service.notice(asked.reference, **forged))


async def test_a_certificate_elsewhere_on_the_host_is_not_taken(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    await pay.start(asked)
    for path in (
        "/elsewhere/CERT-paypal",
        "/v1/notifications/certs/../../x/CERT-paypal",
        "/v1/notifications/certs/?a=b",
    ):
        with pytest.raises(NoticeRefused):
            await read(pay, service.notice(asked.reference, cert=service.url + path))


async def test_forged_notices_do_not_make_us_ask_for_certificates_each_time(
    service: PayPalStandIn, pay: PayPal
) -> None:
    asked = order()
    await pay.start(asked)
    for number in range(5):
        cert = f"{service.url}/v1/notifications/certs/CERT-{number}-stranger"
        with pytest.raises(NoticeRefused):
            await read(pay, service.notice(asked.reference, cert=cert))
    assert len(service.asked("/v1/notifications/certs/")) == 1


async def test_a_notice_changed_on_the_way_is_refused(service: PayPalStandIn, pay: PayPal) -> None:
    asked = order()
    await pay.start(asked)
    headers, body = service.notice(asked.reference)
    for broken in (body[:-1], body.replace(b"12.50", b"99.50"), b"", b"\xff"):
        with pytest.raises(NoticeRefused):
            await read(pay, (headers, broken))
    for name in headers:
        with pytest.raises(NoticeRefused):
            await read(pay, ({**headers, name: "\N{SNOWMAN}"}, body))


async def test_only_paypals_own_hosts_of_the_mode_name_certificates(service: PayPalStandIn) -> None:
    asked = order()
    pay = PayPal(service.settings())
    await pay.start(asked)
    live = PayPal(PayPalSettings("client", "secret", sandbox=False, webhook_id="1JE4291016473214C"))
    with pytest.raises(NoticeRefused, match="not PayPal's"):
        await read(live, service.notice(asked.reference, cert=f"{SANDBOX}/v1/notifications/certs/CERT-paypal"))
    await live.close()
    await pay.close()


async def test_without_a_webhook_id_no_notice_is_believed(service: PayPalStandIn) -> None:
    asked, pay = order(), PayPal(service.settings(webhook_id=""))
    await pay.start(asked)
    with pytest.raises(NoticeRefused):
        await read(pay, service.notice(asked.reference, webhook=""))
    await pay.close()


async def test_secrets_and_tokens_stay_out_of_logs(service: PayPalStandIn, pay: PayPal) -> None:
    await pay.start(order())
    (token,) = service.tokens
    assert SECRET not in repr(service.settings())
    assert SECRET not in scrub(f"secret {SECRET}")
    assert token not in scrub(f"Bearer {token}")
