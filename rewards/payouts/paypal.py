"""PayPal Payouts over httpx2: one batch of one item for each payout, named by our reference.

PayPal makes one payout for a `sender_batch_id` within 30 days and answers a repeat with a link to the first. It cannot
be asked by that id, so a payout whose batch number was lost is asked about by posting it again: that pays at most once.
Source: developer.paypal.com, Payouts API v1 and webhooks.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx2
import structlog

from core import clock
from core.log import hide
from core.money import decimals
from rewards.payouts.notices import Notice, NoticeRefused
from rewards.payouts.paypal_seals import Seals
from rewards.payouts.port import PAYPAL_WHOLE, Answer, AnswerState, PayoutOrder, carries
from rewards.payouts.settling import CANCEL_ASKED

log = structlog.get_logger()

PRODUCTION = "https://api-m.paypal.com"
SANDBOX = "https://api-m.sandbox.paypal.com"
CERTIFICATES = {
    PRODUCTION: ("https://api.paypal.com", PRODUCTION),
    SANDBOX: ("https://api.sandbox.paypal.com", SANDBOX),
}
"""Where the certificates of PayPal's notices come from, in each mode."""
TIMEOUT = httpx2.Timeout(20.0, connect=5.0)
REPEATABLE = timedelta(days=25)
"""How long after the first start we dare to post again: PayPal knows a repeat for 30 days."""

STATES: Mapping[str, tuple[AnswerState, str | None]] = {
    "SUCCESS": ("completed", None),
    "PENDING": ("processing", None),
    "UNCLAIMED": ("processing", "unclaimed_yet"),
    "ONHOLD": ("processing", "on_hold"),
    "ON_HOLD": ("processing", "on_hold"),
    "RETURNED": ("failed", "unclaimed"),
    "REFUNDED": ("failed", "refunded_by_payee"),
    "REVERSED": ("failed", "reversed"),
    "BLOCKED": ("failed", "provider_refused"),
    "FAILED": ("failed", "provider_refused"),
    "DENIED": ("failed", "provider_refused"),
}
"""An item's `transaction_status`."""
DENIED = ("DENIED", "CANCELED")
"""A batch's `batch_status` that ends it without its items being sent."""
FAILURES = {
    "RECEIVER_UNREGISTERED": "unclaimed_yet",
    "RECEIVER_ACCOUNT_LOCKED": "payee_refused",
    "RECEIVER_COUNTRY_NOT_ALLOWED": "payee_refused",
    "RECEIVER_STATE_RESTRICTED": "payee_refused",
    "RECEIVER_REFUSED": "payee_refused",
    "INSUFFICIENT_FUNDS": "provider_funds",
}
PASSING = {"INSUFFICIENT_FUNDS": "provider_funds", "RATE_LIMIT_REACHED": "provider_busy"}
FINAL = {"VALIDATION_ERROR": "payee_refused", "RECEIVER_UNREGISTERED": "payee_refused"}
"""Refusals of a whole request: PayPal checks it before anything is made."""
_BATCH = re.compile(r"/v1/payments/payouts/([A-Za-z0-9-]{1,64})(?:[?#]|$)")


@dataclass(frozen=True, slots=True)
class PayPalSettings:
    """A REST app with Payouts enabled. webhook_id: of the webhook set up for it; without it no notice is believed.

    api_url: PayPal's own of this mode unless another server speaks for it; notices then name certificates there.
    """

    client_id: str
    client_secret: str = field(repr=False)
    sandbox: bool = True
    webhook_id: str = ""
    subject: str = ""
    api_url: str = ""

    def __post_init__(self) -> None:
        if not (self.client_id and self.client_secret):
            raise ValueError("an app has an id and a secret")

    @property
    def url(self) -> str:
        """Where the calls go."""
        return self.api_url.rstrip("/") or (SANDBOX if self.sandbox else PRODUCTION)


class PayPal:
    """Pays to the PayPal account behind an e-mail address or a PayPal id."""

    name = "paypal"
    can_cancel = True
    not_ours = 200  # its webhooks tell of all payouts of the account, whoever made them

    def __init__(self, settings: PayPalSettings, now: Callable[[], datetime] = clock.now) -> None:
        hide(settings.client_secret)
        self._settings = settings
        self._now = now
        self._client = httpx2.AsyncClient(base_url=settings.url, timeout=TIMEOUT)
        self._token = ""
        self._token_until = 0.0
        self._asking = asyncio.Lock()
        self._seals = Seals(self._client, settings.webhook_id, CERTIFICATES.get(settings.url, (settings.url,)), now)

    def carries(self, asset: str) -> bool:
        """PayPal's 24 payout currencies."""
        return carries(self.name, asset)

    async def start(self, order: PayoutOrder) -> Answer:
        """Make the payout; the same reference again finds the one that is there."""
        if not self.carries(order.asset):
            return Answer("failed", reason="currency_not_carried")
        if not (order.payee.get("email") or order.payee.get("paypal_id")):
            return Answer("failed", reason="payee_missing")
        value = amount_text(order.amount, order.asset)
        if value is None:
            return Answer("failed", reason="amount_not_whole")
        return await self._post(order, value)

    async def look_up(self, order: PayoutOrder) -> Answer:
        """Ask by PayPal's number; if that was lost by posting again, which pays at most once within 30 days."""
        if order.sent_at is None and order.external_id is None:
            return Answer("not_found")
        if order.external_id is not None:
            return await self._get_batch(order, order.external_id)
        if order.detail.get(CANCEL_ASKED):
            return Answer("unknown", reason="number_lost")  # asking would be paying, and that was called off
        if self._now() - datetime.fromisoformat(order.sent_at or "") > REPEATABLE:
            return Answer("unknown", reason="too_long_ago")
        return await self.start(order)

    async def cancel(self, order: PayoutOrder) -> Answer:
        """Take back what nobody has claimed yet; otherwise what it stands at."""
        found = await self.look_up(order)
        if found.reason != "unclaimed_yet" or "item" not in found.detail:
            return found
        told = await self._call("POST", f"/v1/payments/payouts-item/{quote(str(found.detail['item']), safe='')}/cancel")
        if told.status_code == 200:
            answer = self._item(order, _json(told), found.external_id)
            return Answer(answer.state, found.external_id, "cancelled") if answer.state == "failed" else answer
        return await self.look_up(order)

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def _post(self, order: PayoutOrder, value: str) -> Answer:
        email = order.payee.get("email")
        header = {"sender_batch_id": order.reference}
        if self._settings.subject:
            header["email_subject"] = self._settings.subject[:255]
        item = {
            "recipient_type": "EMAIL" if email else "PAYPAL_ID",
            "receiver": email or order.payee["paypal_id"],
            "amount": {"value": value, "currency": order.asset},
            "sender_item_id": order.reference,
        }
        if order.note:
            item["note"] = order.note[:4000]
        asked = {"sender_batch_header": header, "items": [item]}
        told = await self._call("POST", "/v1/payments/payouts", asked)
        body = _json(told)
        if told.status_code in (200, 201, 202):
            batch = body.get("batch_header", {})
            number = batch.get("payout_batch_id")
            if not number:
                return Answer("unknown", reason="provider_unclear")
            return _batch(batch, number) or Answer("processing", number, None, {"batch": batch.get("batch_status")})
        if _is_repeat(body):
            original = _original(body)
            return await self._get_batch(order, original) if original else Answer("unknown", None, "already_there")
        return self._refused(order, told.status_code, body)

    def _refused(self, order: PayoutOrder, status: int, body: Mapping[str, Any]) -> Answer:
        name = str(body.get("name", ""))
        detail = {"http": status, "code": name[:64], "debug_id": str(body.get("debug_id", ""))[:64]}
        if status in (400, 422) and name in FINAL and not order.external_id:
            return Answer("failed", None, FINAL[name], detail)
        if status in (401, 403):
            return Answer("unknown", None, "provider_access", detail)
        busy = status == 429 or status >= 500
        return Answer("unknown", None, PASSING.get(name, "provider_busy" if busy else "provider_unclear"), detail)

    async def _get_batch(self, order: PayoutOrder, number: str) -> Answer:
        told = await self._call("GET", f"/v1/payments/payouts/{quote(number, safe='')}")
        body = _json(told)
        if told.status_code != 200:
            return Answer("unknown", order.external_id, "provider_unclear", {"http": told.status_code})
        header = body.get("batch_header", {})
        if header.get("sender_batch_header", {}).get("sender_batch_id") != order.reference:
            log.error("paypal.answer_differs", payout=str(order.id))
            return Answer("unknown", order.external_id, "answer_differs")
        items = body.get("items") or []
        if not items:
            return _batch(header, number) or Answer("processing", number, None, {"batch": header.get("batch_status")})
        return self._item(order, items[0], number)

    def _item(self, order: PayoutOrder, item: Mapping[str, Any], number: str | None) -> Answer:
        """What an item says of this order; one about another sum is believed by nobody."""
        amount = item.get("payout_item", {}).get("amount", {})
        if amount and (amount.get("currency"), _minor(amount)) != (order.asset, order.amount):
            log.error("paypal.answer_differs", payout=str(order.id))
            return Answer("unknown", number, "answer_differs", {"amount": amount.get("value")})
        return _answer(item, number)

    async def _call(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        """One call with a token; a refused token is renewed once. Raises when nobody answers."""
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        for renewed in (False, True):
            headers = {"authorization": f"Bearer {await self._bearer(renewed)}", "content-type": "application/json"}
            told = await self._client.request(method, path, content=content, headers=headers)
            if told.status_code != 401:
                break
        return told

    async def _bearer(self, renew: bool) -> str:
        async with self._asking:
            if renew or time.monotonic() >= self._token_until:
                told = await self._client.post(
                    "/v1/oauth2/token",
                    data={"grant_type": "client_credentials"},
                    auth=(self._settings.client_id, self._settings.client_secret),
                )
                told.raise_for_status()
                body = _json(told)
                self._token = str(body["access_token"])
                hide(self._token)
                self._token_until = time.monotonic() + max(0.0, float(body.get("expires_in", 0)) - 60)
            return self._token

    async def read_notice(self, headers: Mapping[str, str], body: bytes) -> Notice | None:
        """A payout's news, signed by PayPal for our webhook. Raises `NoticeRefused`."""
        await self._seals.check(headers, body)
        try:
            return _notice(json.loads(body))
        except (ValueError, AttributeError, TypeError, KeyError):
            raise NoticeRefused("the notice cannot be read", 400) from None

    def acknowledge(self, status: int) -> bytes:
        """PayPal reads only the status."""
        return b"{}"


def amount_text(minor: int, asset: str) -> str | None:
    """The amount as PayPal writes it (`12.30`, `500`); None for one PayPal cannot express."""
    value = Decimal(minor).scaleb(-decimals(asset))
    if asset in PAYPAL_WHOLE:
        return str(int(value)) if value == value.to_integral_value() else None
    return f"{value:.{decimals(asset)}f}"


def _minor(amount: Mapping[str, Any]) -> int | None:
    """PayPal's amount in minor units; None if it is none."""
    try:
        value = Decimal(str(amount.get("value"))).scaleb(decimals(str(amount.get("currency"))))
        return int(value) if value == value.to_integral_value() else None
    except (ArithmeticError, ValueError):
        return None


def _answer(item: Mapping[str, Any], number: str | None) -> Answer:
    status = str(item.get("transaction_status", ""))
    state, reason = STATES.get(status, ("unknown", "provider_unclear"))
    errors = item.get("errors")
    code = str(errors.get("name", "")) if isinstance(errors, Mapping) else ""
    if state == "failed" and reason == "provider_refused":
        reason = FAILURES.get(code, reason)
    detail = {"state": status, "code": code, "item": item.get("payout_item_id"), "paid": item.get("transaction_id")}
    return Answer(state, number, reason, {key: str(value)[:64] for key, value in detail.items() if value})


def _batch(header: Mapping[str, Any], number: str) -> Answer | None:
    """What a batch says whose items are not told yet, if that is its end."""
    status = header.get("batch_status")
    return Answer("failed", number, "provider_refused", {"batch": status}) if status in DENIED else None


def _is_repeat(body: Mapping[str, Any]) -> bool:
    """Whether a refusal is about our reference: PayPal has, or may have, a payout of that name."""
    return "SENDER_BATCH_ID" in json.dumps(body).upper()


def _original(body: Mapping[str, Any]) -> str | None:
    """The batch a refused repeat points to. Only its number is taken: we ask where we always ask."""
    found = (_BATCH.search(text) for text in _texts(body))
    return next((match[1] for match in found if match), None)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _notice(told: Mapping[str, Any]) -> Notice | None:
    kind, key, resource = str(told.get("event_type", "")), str(told.get("id", "")), told["resource"]
    if kind.startswith("PAYMENT.PAYOUTS-ITEM."):
        item = resource.get("payout_item", {})
        amount = item.get("amount", {})
        reference = resource.get("sender_batch_id") or item.get("sender_item_id") or ""
        answer = _answer(resource, resource.get("payout_batch_id"))
        return Notice(key, str(reference), answer, amount.get("currency"), _minor(amount))
    if kind.startswith("PAYMENT.PAYOUTSBATCH."):
        header = resource.get("batch_header", {})
        number = str(header.get("payout_batch_id", ""))
        answer = _batch(header, number) or Answer("processing", number, None, {"batch": header.get("batch_status")})
        return Notice(key, str(header.get("sender_batch_header", {}).get("sender_batch_id", "")), answer)
    return None


def _json(told: httpx2.Response) -> dict[str, Any]:
    try:
        body = told.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
