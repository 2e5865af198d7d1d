"""Youzan 有赞: signed with MD5 over client id, message and client secret, and without a time: who has seen one message
can send it again for ever. So a message only says which trade to ask for; what is booked is what Youzan answers.

Two forms are sent: the signature in the body, over its `msg` (JSON, percent-encoded), or in the header `Event-Sign`,
over the whole body. Answered with `{"code": 0, "msg": "success"}`, or the message comes again.

What it answers lags behind its messages, says its own paper, by up to half a minute. So a message also says what has to
be true of the trade; if it is not yet, the message is left to come again (after 10 seconds, 30, a minute …).

Sources: 有赞云 "消息推送" and its API `youzan.trade.get` 4.0.0 (amounts in yuan, times in China's zone; the state 60 of
a refund is success) and `auth/token` (`authorize_type` silent).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus
from zoneinfo import ZoneInfo

import httpx2

from core.errors import BadInput, DaixinError, NotAllowed, Unavailable
from referral.conversions import LINES_MAX, Line
from web.hooks.news import Back, Item, Sale, Told, ignored
from web.hooks.reading import (
    CODE_NAMES,
    Fields,
    consented,
    fields,
    first_of,
    kept,
    minor,
    moment,
    named_values,
    number_of,
    parse,
    rows,
    text,
    whole,
    words_in,
)

CHINA = ZoneInfo("Asia/Shanghai")
CURRENCY = "CNY"
REFUNDED = "60"
WHOLLY_REFUNDED = "12"
"""`refund_state` of a refund that is done, and of an order all of which went back."""
PATIENCE = 3.0
"""Seconds we wait for Youzan's answer while it waits for ours, which it does for five."""
WAITS = (1.0, None)
"""Seconds until it is asked once more for what it must know, but does not say yet."""
CLOSED = "TRADE_CLOSED"
PAID = ("trade_TradePaid", "trade_TradeBuyerPay")
PAID_BACK = ("trade_refund_RefundSuccess", "trade_refund_SysRefund", "youzan_trade_RefundSuccess")
AGREED = "trade_refund_RefundSellerAgree"
"""The end of a refund without a return; of one with a return, a step on its way."""
ASKED_FOR = "1"
"""`refund_state` of a refund that the seller has not agreed to."""
TOKEN_OVER = (4201, 4202, 4203)
TOKEN_SPARE = 600.0
"""Seconds before its end from which on a token is not used any more."""


def verify(body: bytes, headers: Mapping[str, str], secrets: Mapping[str, str]) -> bytes:
    """What was signed. Raises `NotAllowed("shop_signature")` unless the app's secret made this signature."""
    given, signed = headers.get("event-sign"), body
    if not given:
        try:
            message = fields(parse(body))
        except BadInput:
            raise NotAllowed("shop_signature") from None
        written = message.get("msg")
        given = text(message.get("sign"), 64)
        signed = written.encode("utf-8", "replace") if isinstance(written, str) else b""
    stamped = secrets["client_id"].encode() + signed + secrets["client_secret"].encode()
    made = hashlib.md5(stamped, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(made.encode(), given.strip().lower().encode()):
        raise NotAllowed("shop_signature")
    return signed


def _inner(message: Fields) -> Fields:
    """What a message says itself: JSON, in most kinds as percent-encoded text."""
    inner = message.get("msg")
    if isinstance(inner, str):
        try:
            inner = parse(unquote_plus(inner).encode("utf-8", "replace"))
        except BadInput:
            inner = None
    return fields(inner)


def trade_of(data: Any) -> str | None:
    """The number of the trade a message is about, if it is about one."""
    message = fields(data)
    told = _inner(message)
    order = fields(fields(told.get("full_order_info")).get("order_info"))
    for holder, name in ((told, "tid"), (order, "tid"), (told, "order_no"), (message, "tid"), (message, "id")):
        if found := text(holder.get(name), 64):
            return found
    return None


def is_of(data: Any, kdt_id: str) -> bool:
    """Whether a message is of this shop, or of a branch of it: one address is told of all the shops of an app."""
    named = [text(fields(data).get(name), 40) for name in ("kdt_id", "root_kdt_id")]
    return kdt_id in named or not any(named)


def is_behind(data: Any, trade: Fields) -> bool:
    """Whether a trade does not show yet what a message says has happened to it."""
    message = fields(data)
    kind, order = text(message.get("type"), 60), fields(fields(trade.get("full_order_info")).get("order_info"))
    if text(order.get("status"), 40) == CLOSED:
        return False
    if kind in PAID:
        return not order.get("pay_time")
    if kind in PAID_BACK or kind == AGREED:
        named = text(_inner(message).get("refund_id"), 64)
        refunds = [one for one in rows(trade.get("refund_order")) if not named or text(one.get("refund_id")) == named]
        states = {text(one.get("refund_state"), 10) for one in refunds}
        return states <= {ASKED_FOR} if kind == AGREED else REFUNDED not in states
    return kind == "trade_TradeClose"


@dataclass(slots=True)
class YouzanApi:
    """Youzan's interface at this address, with the tokens it gave."""

    url: str
    _tokens: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    _locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)

    async def enquire(self, data: Any, secrets: Mapping[str, str]) -> Any:
        """The trade a message is about, as Youzan has it now, beside the message.

        Raises `Unavailable`: shop_unreachable, shop_refuses (with what it `said`), shop_trade_unknown, shop_behind.
        """
        tid = trade_of(data)
        if fields(data).get("test") is True or tid is None:
            return {"message": data}
        if not is_of(data, secrets["kdt_id"]):
            return {"message": data, "elsewhere": True}
        try:
            async with asyncio.timeout(PATIENCE), httpx2.AsyncClient() as client:
                for wait in WAITS:
                    answer = await self._answer(client, secrets, tid)
                    trade = fields(answer.get("data") or answer.get("response"))
                    if trade.get("full_order_info") and not is_behind(data, trade):
                        return {"message": data, "trade": trade}
                    if wait is not None:
                        await asyncio.sleep(wait)
        except (httpx2.HTTPError, TimeoutError):
            raise Unavailable("shop_unreachable") from None
        if trade.get("full_order_info"):
            raise Unavailable("shop_behind", order=tid)
        raise Unavailable("shop_trade_unknown", order=tid, said=text(answer.get("message") or answer.get("msg"), 100))

    async def _answer(self, client: httpx2.AsyncClient, secrets: Mapping[str, str], tid: str) -> Fields:
        answer = await self._trade(client, secrets, tid)
        if _refusal(answer)[0] in TOKEN_OVER:
            self._tokens.pop(_name(secrets), None)
            answer = await self._trade(client, secrets, tid)
        code, said = _refusal(answer)
        if code is not None:  # no right, too many questions: the trade may well be there
            raise Unavailable("shop_refuses", said=said)
        return answer

    async def _trade(self, client: httpx2.AsyncClient, secrets: Mapping[str, str], tid: str) -> Fields:
        token = await self._token(client, secrets)
        path = f"{self.url}/api/youzan.trade.get/4.0.0"
        return await _ask(client, path, {"tid": tid}, {"access_token": token})

    async def _token(self, client: httpx2.AsyncClient, secrets: Mapping[str, str]) -> str:
        name = _name(secrets)
        async with self._locks.setdefault(name, asyncio.Lock()):
            token, ends = self._tokens.get(name, ("", 0.0))
            if ends > time.monotonic():
                return token
            wanted = {
                "client_id": secrets["client_id"],
                "client_secret": secrets["client_secret"],
                "authorize_type": "silent",
                "grant_id": secrets["kdt_id"],
                "refresh": False,
            }
            answer = await _ask(client, f"{self.url}/auth/token", wanted, {})
            given = fields(answer.get("data"))
            token = text(given.get("access_token"))
            if not token:
                raise Unavailable("shop_refuses", said=text(answer.get("message"), 100))
            # `expires`: the moment in milliseconds; whatever it says, a token is asked for again after an hour.
            lasts = min(3600.0, _seconds_left(given.get("expires")) - TOKEN_SPARE)
            self._tokens[name] = (token, time.monotonic() + lasts)
            return token


def _refusal(answer: Fields) -> tuple[Any, str]:
    """What Youzan's gateway says in place of an answer, with the status 200 all the same: (its code, its words)."""
    found = fields(answer.get("gw_err_resp"))
    if found:
        return found.get("err_code", 0), text(found.get("err_msg"), 100)
    return (answer["code"], text(answer.get("message"), 100)) if answer.get("code") in TOKEN_OVER else (None, "")


def _seconds_left(expires: Any) -> float:
    return expires / 1000 - time.time() if isinstance(expires, int) else 0.0


def _name(secrets: Mapping[str, str]) -> tuple[str, str]:
    return secrets["client_id"], secrets["kdt_id"]


async def _ask(client: httpx2.AsyncClient, path: str, body: Fields, params: Mapping[str, str]) -> Fields:
    answer = await client.post(path, params=dict(params), json=dict(body))
    if answer.status_code != 200:
        raise Unavailable("shop_unreachable")
    try:
        return fields(parse(answer.content))
    except DaixinError:
        raise Unavailable("shop_unreachable") from None


def decode(data: Any, headers: Mapping[str, str], options: Mapping[str, Any]) -> Told:
    """What the trade says that a message is about. Raises `BadInput("shop_unreadable")`."""
    message = fields(fields(data).get("message"))
    topic = text(first_of(message, "type") or headers.get("event-type"), 60)
    if message.get("test") is True:
        return ignored(topic, "", "test")
    if fields(data).get("elsewhere") is True:
        return ignored(topic, "", "other_shop")
    trade = fields(fields(data).get("trade"))
    if not trade:
        return ignored(topic, "", "not_order")
    given = fields(trade.get("full_order_info"))
    order = fields(given.get("order_info"))
    number = number_of(order, "tid")
    if not order.get("pay_time"):
        closed = text(order.get("status"), 40) == CLOSED
        return ignored(topic, number, "cancelled_unpaid" if closed else "unpaid")
    paid_at = moment(order.get("pay_time"), CHINA, "pay_time")
    items: list[Item] = [_sale(given, number)]
    for refund in rows(trade.get("refund_order")):
        back = minor(refund.get("refund_fee"), CURRENCY, "refund_fee")
        if text(refund.get("refund_state"), 10) == REFUNDED and back > 0:
            items.append(Back(number_of(refund, "refund_id"), number, CURRENCY, paid_at, paid=back))
    if text(order.get("refund_state"), 10) == WHOLLY_REFUNDED or text(order.get("status"), 40) == CLOSED:
        items.append(Back(f"closed-{number}", number, CURRENCY, paid_at))
    return Told(topic, number, tuple(items))


def _sale(given: Fields, number: str) -> Sale:
    """The goods are what was paid for each line (`payment`, after all discounts); postage is told apart."""
    lines: list[Line] = []
    discount = 0
    for line in rows(given.get("orders")):
        count = whole(line.get("num", 1), "num")
        paid = minor(line.get("payment"), CURRENCY, "orders.payment")
        listed = max(paid, minor(line.get("price"), CURRENCY, "orders.price") * count)
        discount += listed - paid
        sku = text(first_of(line, "outer_sku_id", "outer_item_id", "sku_id", "item_id", "oid")) or "?"
        lines.append(Line(sku, listed, count, text(line.get("title"))))
    paid_in_all = fields(given.get("pay_info"))
    shipping = minor(paid_in_all.get("post_fee"), CURRENCY, "post_fee")
    goods = sum(line.amount for line in lines)
    if not lines:
        goods = max(0, minor(paid_in_all.get("payment"), CURRENCY, "payment") - shipping)
    buyer, order = fields(given.get("buyer_info")), fields(given.get("order_info"))
    written = [(name, value) for line in rows(given.get("orders")) for name, value in _answers(line)]
    remark = fields(given.get("remark_info")).get("buyer_message")
    return Sale(
        number=number,
        currency=CURRENCY,
        gross=goods + shipping,
        ordered_at=moment(first_of(order, "created", "pay_time"), CHINA, "created"),
        discount=discount,
        shipping=shipping,
        lines=tuple(lines) if len(lines) <= LINES_MAX else (),
        contacts=kept([_open(buyer.get("buyer_phone"))]),
        customer=text(first_of(buyer, "yz_open_id", "buyer_id", "outer_user_id")),
        codes=kept(named_values(written, CODE_NAMES)),
        maybe=kept(words_in(remark)),
        consent=consented(written),
    )


def _answers(line: Fields) -> list[tuple[Any, Any]]:
    """What the buyer wrote into an item's own fields: `{"邀请码": "…"}`, as text in JSON."""
    written = line.get("buyer_messages")
    try:
        found = json.loads(written) if isinstance(written, str) and len(written) <= 2000 else written
    except (ValueError, RecursionError):
        return []
    return list(found.items()) if isinstance(found, dict) else []


def _open(phone: Any) -> str:
    """A phone number that is neither encrypted (`$…`) nor masked (`138****8000`)."""
    found = text(phone, 40)
    return "" if "*" in found or "$" in found else found
