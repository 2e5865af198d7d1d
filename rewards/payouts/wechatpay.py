"""WeChat Pay merchant transfer (商家转账, the member confirms in WeChat), through the library wechatpayv3.

WeChat Pay knows a transfer by our `out_bill_no`, so the same reference is never paid twice; it forgets it for look-ups
after 30 days. A transfer waits for the member's confirmation (`WAIT_USER_CONFIRM`) for 24 hours, then the money
goes back and it fails. Source: pay.weixin.qq.com/doc/v3, 商家转账.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import structlog
from wechatpayv3 import mchtransfer
from wechatpayv3.core import Core

from core import clock
from core.log import hide
from rewards.payouts.notices import Notice, NoticeRefused
from rewards.payouts.port import Answer, AnswerState, PayoutOrder, carries

log = structlog.get_logger()

GATEWAY = "https://api.mch.weixin.qq.com"
TIMEOUT = (5.0, 15.0)
"""Seconds to connect and to wait for the answer; the library would wait for ever."""
PARALLEL = 8
NAME_FROM = 200_000
"""Fen from which on WeChat Pay wants the real name."""
REMARK = 32
REMEMBERED = timedelta(days=29)
"""How long a look-up is believed when it finds nothing: WeChat Pay looks back 30 days."""
FRESH = 300
"""Seconds a notice may be old, or ahead of our clock."""
REFRESH = 60.0
"""Seconds between two downloads of the platform certificates: a forged notice must not make us ask each time."""

STATES: Mapping[str, tuple[AnswerState, str | None]] = {
    "ACCEPTED": ("processing", None),
    "PROCESSING": ("processing", None),
    "WAIT_USER_CONFIRM": ("processing", "confirm_in_wechat"),
    "TRANSFERING": ("processing", None),
    "CANCELING": ("processing", "cancelling"),
    "SUCCESS": ("completed", None),
    "FAIL": ("failed", None),
    "CANCELLED": ("failed", "cancelled"),
}
FAILURES = {
    "OVERDUE_CLOSE": "unclaimed",
    "PAYEE_ACCOUNT_ABNORMAL": "payee_refused",
    "ACCOUNT_NOT_EXIST": "payee_refused",
    "ID_CARD_NOT_CORRECT": "payee_refused",
    "NAME_NOT_CORRECT": "name_differs",
    "REAL_NAME_CHECK_FAIL": "payee_refused",
    "OPENID_INVALID": "payee_refused",
    "TRANSFER_QUOTA_EXCEED": "provider_limit",
    "DAY_RECEIVED_QUOTA_EXCEED": "provider_limit",
    "MONTH_RECEIVED_QUOTA_EXCEED": "provider_limit",
    "PAYER_ACCOUNT_ABNORMAL": "provider_refused",
}
"""Why a transfer failed, in our codes; others stay WeChat Pay's own."""
PASSING = {
    "NOT_ENOUGH": "provider_funds",
    "FREQUENCY_LIMITED": "provider_busy",
    "FREQUENCY_LIMIT_EXCEED": "provider_busy",
    "RATELIMIT_EXCEEDED": "provider_busy",
    "SYSTEM_ERROR": "provider_busy",
}
"""Refusals that pass; the same reference is tried again once a look-up has shown that it is not there."""
FINAL = {"PARAM_ERROR": "provider_refused", "ACCOUNT_ERROR": "payee_refused", "OPENID_ERROR": "payee_refused"}
"""Refusals that stay so; believed only if a look-up finds no such transfer."""


@dataclass(frozen=True, slots=True)
class WeChatPaySettings:
    """A merchant of WeChat Pay.

    private_key, cert_serial_no: the merchant's API certificate. public_key, public_key_id: WeChat Pay's own key;
    without them its certificates are downloaded. scene_id, scene_infos: the transfer scene approved for the merchant
    and what it asks to be reported, as (type, content). perception: what the member reads as the cause, one of the
    scene's own.
    """

    mchid: str
    appid: str
    cert_serial_no: str
    notify_url: str
    private_key: str = field(repr=False)
    apiv3_key: str = field(repr=False)
    public_key: str | None = field(default=None, repr=False)
    public_key_id: str | None = None
    scene_id: str = "1000"
    scene_infos: tuple[tuple[str, str], ...] = ()
    perception: str | None = None
    remark: str = "推荐奖励"
    confirm_url: str = ""
    """Where our page is on which a member confirms; the reference is put behind it. Empty: there is none."""
    api_url: str = GATEWAY
    settle: float = 30.0
    """Seconds after a start in which a look-up that finds nothing is not believed: the request may still arrive."""

    def __post_init__(self) -> None:
        if not (self.mchid and self.appid and self.cert_serial_no and self.private_key):
            raise ValueError("a merchant has a number, an app, a certificate's serial number and its private key")
        if len(self.apiv3_key.encode()) != 32:
            raise ValueError("the APIv3 key has 32 characters")
        if (self.public_key is None) != (self.public_key_id is None):
            raise ValueError("the platform's public key and its id come together")


class _Merchant(Core):  # type: ignore[misc]  # the library has no types
    """The library's signing and checking; certificates are fetched when first needed and seldom, not at start."""

    def __init__(self, settings: WeChatPaySettings) -> None:
        self._refreshing = threading.Lock()
        self._refreshed = -REFRESH
        try:
            super().__init__(
                mchid=settings.mchid,
                cert_serial_no=settings.cert_serial_no,
                private_key=settings.private_key,
                apiv3_key=settings.apiv3_key,
                timeout=TIMEOUT,
                public_key=settings.public_key,
                public_key_id=settings.public_key_id,
            )
        except Exception:  # the library raises nothing narrower
            raise ValueError("the private key or WeChat Pay's public key is no PEM (PKCS#8) that can be read") from None
        self._gate_way = settings.api_url.rstrip("/")  # the library knows one address only

    def _init_certificates(self) -> None:
        """Not while we start."""

    def _update_certificates(self) -> None:
        with self._refreshing:
            if time.monotonic() - self._refreshed < REFRESH:
                return
            self._refreshed = time.monotonic()
            known = list(self._certificates)
            try:
                super()._update_certificates()
            finally:
                if not self._certificates:
                    self._certificates.extend(known)


class WeChatPay:
    """Pays CNY to the WeChat wallet of a member who told their openid for our appid.

    Raises `ValueError` for keys that cannot be read.
    """

    name = "wechatpay"
    can_cancel = True
    not_ours = 404

    def __init__(self, settings: WeChatPaySettings, now: Callable[[], datetime] = clock.now) -> None:
        hide(settings.private_key)
        hide(settings.apiv3_key)
        self._settings = settings
        self._now = now
        self._core = _Merchant(settings)
        # Threads of its own: a WeChat Pay that is slow must not hold up whatever else this process does on threads.
        self._threads = ThreadPoolExecutor(PARALLEL, thread_name_prefix="wechatpay")
        # What the library's functions want of their object. Its own one downloads certificates when it is made.
        self._pay = SimpleNamespace(_core=self._core, _appid=settings.appid, _notify_url=settings.notify_url)

    def carries(self, asset: str) -> bool:
        """CNY only."""
        return carries(self.name, asset)

    async def start(self, order: PayoutOrder) -> Answer:
        """Make the transfer; the same reference again gives the transfer that is already there."""
        name = order.payee.get("name", "")
        if not self.carries(order.asset):
            return Answer("failed", reason="currency_not_carried")
        if not order.payee.get("openid"):
            return Answer("failed", reason="payee_missing")
        if order.amount >= NAME_FROM and not name:
            return Answer("failed", reason="name_missing")
        status, told = await self._ask(
            mchtransfer.mch_transfer_bills,
            out_bill_no=order.reference,
            transfer_scene_id=self._settings.scene_id,
            openid=order.payee["openid"],
            transfer_amount=order.amount,
            transfer_remark=(order.note or self._settings.remark)[:REMARK],
            user_name=name or None,
            user_recv_perception=self._settings.perception,
            transfer_scene_report_infos=[
                {"info_type": kind, "info_content": content} for kind, content in self._settings.scene_infos
            ],
        )
        if status == 200:
            return self._read(order, told)
        code = str(told.get("code", ""))
        if code in PASSING or code not in FINAL:
            return Answer("unknown", reason=PASSING.get(code, "provider_unclear"), detail=_refusal(status, told))
        found = await self._query(order)
        if found.state != "not_found":
            return found
        return Answer("failed", reason=FINAL[code], detail=_refusal(status, told))

    async def look_up(self, order: PayoutOrder) -> Answer:
        """Ask by our reference."""
        found = await self._query(order)
        tried = order.detail.get("tried_at") or order.sent_at
        if found.state == "not_found" and tried and self._since(tried) < timedelta(seconds=self._settings.settle):
            return Answer("unknown", reason="provider_unclear")
        return found

    def _since(self, moment: str) -> timedelta:
        return self._now() - datetime.fromisoformat(moment)

    async def _query(self, order: PayoutOrder) -> Answer:
        status, told = await self._ask(mchtransfer.mch_transfer_bills_query, out_bill_no=order.reference)
        if status == 200:
            return self._read(order, told)
        if status == 404 and told.get("code") == "NOT_FOUND":
            if order.sent_at and self._since(order.sent_at) > REMEMBERED:
                return Answer("unknown", reason="too_long_ago", detail=_refusal(status, told))
            return Answer("not_found")
        reason = PASSING.get(str(told.get("code", "")), "provider_unclear")
        return Answer("unknown", reason=reason, detail=_refusal(status, told))

    async def cancel(self, order: PayoutOrder) -> Answer:
        """Take it back while the member has not confirmed; that it was heard is not yet that it is done."""
        status, told = await self._ask(mchtransfer.mch_transfer_bills_cancel, out_bill_no=order.reference)
        if status == 200:
            state, reason = STATES.get(str(told.get("state", "")), ("unknown", "provider_unclear"))
            return Answer(state, told.get("transfer_bill_no"), reason, {"state": told.get("state")})
        return await self.look_up(order)

    async def close(self) -> None:
        """The library keeps no connection; calls under way end by their own time limit."""
        self._threads.shutdown(wait=False)

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """A transfer's end, signed by WeChat Pay and encrypted for us. Raises `NoticeRefused`."""
        marks = {name: value for name, value in headers.items() if name.startswith("wechatpay-")}
        stamp = marks.get("wechatpay-timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and abs(self._now().timestamp() - int(stamp[:12])) <= FRESH):
            raise NoticeRefused("the notice is not of now")
        try:
            text = body.decode()
            notice = await asyncio.to_thread(self._core.callback, marks, text)
        except Exception as error:  # whatever a stranger's bytes can break in the library
            raise NoticeRefused(f"the notice could not be checked: {type(error).__name__}") from None
        if not notice:
            raise NoticeRefused("the notice is not signed by WeChat Pay")
        told = notice["resource"]
        if not str(notice.get("event_type", "")).startswith("MCHTRANSFER.BILL"):
            return None
        if told.get("mch_id", told.get("mchid")) != self._settings.mchid:
            raise NoticeRefused("the notice is for another merchant", 403)
        reference, amount = str(told.get("out_bill_no", "")), told.get("transfer_amount")
        return Notice(str(notice.get("id", "")), reference, self._answer(reference, told), "CNY", amount)

    def acknowledge(self, status: int) -> bytes:
        """SUCCESS, or FAIL, after which WeChat Pay sends it again."""
        good = status < 300
        return json.dumps({"code": "SUCCESS" if good else "FAIL", "message": "" if good else "not taken"}).encode()

    async def _ask(self, call: Callable[..., tuple[int, Any]], **fields: Any) -> tuple[int, dict[str, Any]]:
        """One call on a thread; raises when nobody answered or the answer's signature is wrong."""
        work = partial(call, self._pay, **fields)
        status, text = await asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            told = json.loads(text) if text else {}
        except ValueError:
            told = {}
        return status, told if isinstance(told, dict) else {}

    def _read(self, order: PayoutOrder, told: Mapping[str, Any]) -> Answer:
        """An answer about this order; one about another sum is believed by nobody."""
        amount = told.get("transfer_amount", order.amount)
        if told.get("out_bill_no", order.reference) != order.reference or amount != order.amount:
            log.error("wechatpay.answer_differs", payout=str(order.id))
            return Answer("unknown", reason="answer_differs", detail={"amount": amount})
        return self._answer(order.reference, told)

    def _answer(self, reference: str, told: Mapping[str, Any]) -> Answer:
        state, reason = STATES.get(str(told.get("state", "")), ("unknown", "provider_unclear"))
        detail = {key: told[key] for key in ("state", "fail_reason", "package_info") if told.get(key)}
        if reason == "confirm_in_wechat" and self._settings.confirm_url:
            detail["confirm_url"] = self._settings.confirm_url + reference
        if state == "failed" and reason is None:
            reason = FAILURES.get(str(told.get("fail_reason", "")), "provider_refused")
        return Answer(state, told.get("transfer_bill_no"), reason, detail)

    def handed(self, detail: Mapping[str, Any]) -> dict[str, str] | None:
        """What WeChat's own sheet wants to know of a transfer that waits for confirmation; None before it is made."""
        package = detail.get("package_info")
        settings = self._settings
        return {"mchId": settings.mchid, "appId": settings.appid, "package": str(package)} if package else None


def _refusal(status: int, told: Mapping[str, Any]) -> dict[str, Any]:
    """The code of a refusal, without its words: they may quote what we sent."""
    return {"http": status, "code": str(told.get("code", ""))[:64]}
