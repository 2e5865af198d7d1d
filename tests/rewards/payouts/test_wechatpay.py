"""Bob withdraws to WeChat: the transfer, his confirmation, and everything that can get lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import ids
from core.log import scrub
from rewards.payouts.notices import NoticeRefused
from rewards.payouts.port import PayoutOrder
from rewards.payouts.wechatpay import WeChatPay
from tests.rewards.payouts.standins.server import Reply
from tests.rewards.payouts.standins.wechatpay import APIV3_KEY, WeChatPayStandIn, private_pem


@pytest.fixture
def service() -> Iterator[WeChatPayStandIn]:
    with WeChatPayStandIn() as standin:
        yield standin
    assert standin.violations == []


@pytest.fixture
def pay(service: WeChatPayStandIn) -> WeChatPay:
    return WeChatPay(service.settings())


def order(amount: int = 1_250, **more: Any) -> PayoutOrder:
    number = ids.new()
    given = {"payee": {"openid": "o-bob"}, "sent_at": datetime.now(UTC).isoformat(), "attempts": 1, **more}
    return PayoutOrder(ids.new(), number, number.hex, "CNY", amount, **given)


def refusal(status: int, code: str) -> Reply:
    return Reply(status, f'{{"code":"{code}","message":"o-bob"}}'.encode(), {"content-type": "application/json"})


async def test_bob_confirms_and_has_his_money(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    asked = order()
    answer = await pay.start(asked)
    assert (answer.state, answer.reason) == ("processing", "confirm_in_wechat")
    assert answer.external_id
    assert answer.detail["package_info"]
    assert (await pay.look_up(asked)).state == "processing"
    service.confirm(asked.reference)
    assert (await pay.look_up(asked)).state == "completed"
    assert service.paid == [("o-bob", 1_250)]


async def test_the_same_reference_again_is_the_same_transfer(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    asked = order()
    first, again = await pay.start(asked), await pay.start(asked)
    assert first.external_id == again.external_id
    assert len(service.bills) == 1


async def test_nobody_confirms_within_a_day(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    asked = order()
    await pay.start(asked)
    service.lapse(asked.reference)
    answer = await pay.look_up(asked)
    assert (answer.state, answer.reason) == ("failed", "unclaimed")


async def test_a_cancelled_transfer_failed_only_once_it_is_cancelled(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    asked = order()
    await pay.start(asked)
    assert (await pay.cancel(asked)).state == "processing"
    answer = await pay.look_up(asked)
    assert (answer.state, answer.reason) == ("failed", "cancelled")


async def test_what_bob_confirmed_cannot_be_cancelled(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    asked = order()
    await pay.start(asked)
    service.confirm(asked.reference)
    assert (await pay.cancel(asked)).state == "completed"


@pytest.mark.parametrize(("trouble", "made"), [("lost", 0), ("lost_after", 1)])
async def test_an_answer_that_never_comes(service: WeChatPayStandIn, pay: WeChatPay, trouble: Any, made: int) -> None:
    asked = order()
    service.fail("POST", trouble)
    with pytest.raises(Exception, match="Connection"):
        await pay.start(asked)
    assert len(service.bills) == made
    assert (await pay.look_up(asked)).state == ("processing" if made else "not_found")


async def test_what_was_just_sent_may_still_be_on_its_way(service: WeChatPayStandIn) -> None:
    pay = WeChatPay(service.settings(settle=30.0))
    assert (await pay.look_up(order())).state == "unknown"
    long_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    assert (await pay.look_up(order(sent_at=long_ago))).state == "not_found"
    assert (await pay.look_up(order(sent_at=long_ago, detail={"tried_at": datetime.now(UTC).isoformat()}))).state == (
        "unknown"
    )


async def test_what_was_just_sent_is_not_called_off_because_nobody_knows_it_yet(service: WeChatPayStandIn) -> None:
    pay = WeChatPay(service.settings(settle=30.0))
    assert (await pay.cancel(order())).state == "unknown"
    long_ago = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    assert (await pay.cancel(order(sent_at=long_ago))).state == "not_found"


async def test_a_look_up_that_comes_too_late_finds_nothing_and_says_so(
    service: WeChatPayStandIn, pay: WeChatPay
) -> None:
    old = order(sent_at=(datetime.now(UTC) - timedelta(days=31)).isoformat())
    answer = await pay.look_up(old)
    assert (answer.state, answer.reason) == ("unknown", "too_long_ago")


@pytest.mark.parametrize(
    ("status", "code", "state", "reason"),
    [
        (403, "NOT_ENOUGH", "unknown", "provider_funds"),
        (429, "FREQUENCY_LIMITED", "unknown", "provider_busy"),
        (500, "SYSTEM_ERROR", "unknown", "provider_busy"),
        (403, "NO_AUTH", "unknown", "provider_unclear"),
        (400, "SOMETHING_NEW", "unknown", "provider_unclear"),
        (403, "ACCOUNT_ERROR", "failed", "payee_refused"),
        (400, "PARAM_ERROR", "failed", "provider_refused"),
    ],
)
async def test_refusals(
    service: WeChatPayStandIn, pay: WeChatPay, status: int, code: str, state: str, reason: str
) -> None:
    service.fail("POST", reply=refusal(status, code))
    answer = await pay.start(order())
    assert (answer.state, answer.reason) == (state, reason)
    assert "o-bob" not in str(answer)


async def test_a_refusal_is_not_believed_when_the_transfer_is_there(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    service.fail("POST", reply=refusal(400, "PARAM_ERROR"), after=True)
    assert (await pay.start(order())).state == "processing"


async def test_an_answer_signed_by_somebody_else_is_no_answer(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    service.signs_with = "stranger"
    with pytest.raises(Exception, match="signature"):
        await pay.start(order())


async def test_an_answer_about_another_sum_is_not_believed(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    asked = order()
    await pay.start(asked)
    service.bills[asked.reference] |= {"transfer_amount": 1, "state": "SUCCESS"}
    answer = await pay.look_up(asked)
    assert (answer.state, answer.reason) == ("unknown", "answer_differs")


async def test_two_thousand_yuan_want_a_name_and_only_wechat_pay_reads_it(
    service: WeChatPayStandIn, pay: WeChatPay
) -> None:
    assert (await pay.start(order(200_000))).reason == "name_missing"
    asked = order(200_000, payee={"openid": "o-bob", "name": "鲍勃"})
    assert (await pay.start(asked)).state == "processing"
    assert service.names[asked.reference] == "鲍勃"
    assert "鲍勃".encode() not in service.asked("POST")[-1].body


async def test_other_currencies_are_refused_before_anything_is_sent(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    number = ids.new()
    dollars = PayoutOrder(ids.new(), number, number.hex, "USD", 100, payee={"openid": "o-bob"})
    assert not pay.carries("USD")
    assert (await pay.start(dollars)).reason == "currency_not_carried"
    assert service.calls == []


async def test_with_certificates_instead_of_a_key_they_are_fetched_when_first_needed() -> None:
    with WeChatPayStandIn(by_key=False) as service:
        pay = WeChatPay(service.settings())
        assert service.calls == []
        assert (await pay.start(order())).state == "processing"
        assert (await pay.start(order())).state == "processing"
        assert len(service.asked("/v3/certificates")) == 1
        assert service.violations == []


# Notices


async def read(pay: WeChatPay, notice: tuple[dict[str, str], bytes]) -> Any:
    headers, body = notice
    return await pay.read_notice({name.lower(): value for name, value in headers.items()}, body)


async def test_wechat_pay_tells_that_bob_has_it(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    asked = order()
    await pay.start(asked)
    service.confirm(asked.reference)
    told = await read(pay, service.notice(asked.reference))
    assert (told.reference, told.asset, told.amount, told.answer.state) == (asked.reference, "CNY", 1_250, "completed")


@pytest.mark.parametrize("by_key", [True, False])
@pytest.mark.parametrize(
    "forged",
    [{"signer": "stranger"}, {"age": 301}, {"age": -400}, {"mch_id": "1900000002"}],
    ids=["signed by a stranger", "old", "from tomorrow", "another merchant's"],
)
async def test_a_notice_that_is_not_for_us_is_refused(by_key: bool, forged: dict[str, Any]) -> None:
    with WeChatPayStandIn(by_key=by_key) as service, pytest.raises(NoticeRefused):
        await read(WeChatPay(service.settings()), service.notice(ids.new().hex, **forged))


async def test_a_notice_changed_on_the_way_is_refused(service: WeChatPayStandIn, pay: WeChatPay) -> None:
    headers, body = service.notice(ids.new().hex)
    for broken in (body[:-1], body.replace(b"FINISHED", b"FINISHEX"), b"", b"\xff", b"[]"):
        with pytest.raises(NoticeRefused):
            await read(pay, (headers, broken))
    for name in headers:
        for value in ("", "x", "\N{SNOWMAN}", "9" * 400):
            with pytest.raises(NoticeRefused):
                await read(pay, ({**headers, name: value}, body))


async def test_forged_notices_do_not_make_us_ask_for_certificates_each_time() -> None:
    with WeChatPayStandIn(by_key=False) as service:
        pay = WeChatPay(service.settings())
        for _ in range(5):
            headers, body = service.notice(ids.new().hex)
            with pytest.raises(NoticeRefused):
                await read(pay, ({**headers, "Wechatpay-Serial": ids.new().hex}, body))
        assert len(service.asked("/v3/certificates")) == 1


def test_the_merchants_secrets_stay_out_of_logs_and_shown_settings(service: WeChatPayStandIn) -> None:
    settings = service.settings()
    WeChatPay(settings)
    assert "BEGIN PRIVATE KEY" not in repr(settings)
    assert APIV3_KEY not in repr(settings)
    assert APIV3_KEY not in scrub(f"the key is {APIV3_KEY}")
    assert private_pem("merchant")[40:90] not in scrub(private_pem("merchant"))


def test_settings_that_cannot_work_are_refused(service: WeChatPayStandIn) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        service.settings(apiv3_key="short")
    with pytest.raises(ValueError, match="come together"):
        service.settings(public_key_id=None)
    with pytest.raises(ValueError, match="private key"):
        service.settings(private_key="")
    with pytest.raises(ValueError, match="no PEM"):
        WeChatPay(service.settings(private_key="no key at all"))
