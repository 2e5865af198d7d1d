"""A Youzan shop says that something happened to a trade; what happened, Youzan is asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core import clock
from tests.web.shops.payloads import youzan_trade
from tests.web.shops.serving import serving
from tests.web.shops.shopfront import Shopfront, open_shopfront

TID = "E20261123084141000001"


@dataclass
class Youzan:
    """A stand-in for Youzan's interface: it gives tokens to one app of one shop, and the trades it has; those it has
    `soon` from the next question on."""

    trades: dict[str, Any] = field(default_factory=dict)
    soon: dict[str, Any] = field(default_factory=dict)
    tokens: int = 0
    down: bool = False
    refuses: str = ""
    no_token: str = ""
    address: str = ""

    async def token(self, request: Request) -> Response:
        if self.no_token:
            return JSONResponse({"success": False, "code": 1103, "data": None, "message": self.no_token})
        asked = await request.json()
        assert (asked["client_id"], asked["client_secret"], asked["grant_id"]) == ("app", "hush", "19144834")
        self.tokens += 1
        expires = int((clock.now().timestamp() + 604_800) * 1000)
        given = {"access_token": f"token-{self.tokens}", "expires": expires}
        return JSONResponse({"success": True, "code": 200, "data": given})

    @staticmethod
    def says(code: int, words: str) -> Response:
        """As its gateway does, before any interface is reached: with the status 200."""
        return JSONResponse({"gw_err_resp": {"trace_id": "yz7-0", "err_code": code, "err_msg": words}})

    async def trade(self, request: Request) -> Response:
        if self.down:
            return Response("busy", 502)
        if request.query_params["access_token"] != f"token-{self.tokens}":
            return self.says(4203, "Token 不存在")
        if self.refuses:
            return self.says(4005, self.refuses)
        found = self.trades.get((await request.json())["tid"])
        self.trades.update(self.soon)
        if found is None:
            return JSONResponse({"success": False, "code": 101201008, "message": "订单不存在"})
        return JSONResponse({"success": True, "code": 200, "data": found})


@asynccontextmanager
async def open_youzan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Shopfront, Youzan]]:
    youzan = Youzan()
    routes = [
        Route("/auth/token", youzan.token, methods=["POST"]),
        Route("/api/youzan.trade.get/4.0.0", youzan.trade, methods=["POST"]),
    ]
    monkeypatch.setattr("web.hooks.youzan.WAITS", (0.01, None))
    async with serving(Starlette(routes=routes)) as address:
        monkeypatch.setenv("DAIXIN_YOUZAN_URL", address)
        async with open_shopfront(folder, "youzan") as shop:
            yield shop, youzan


def _signed(inner: dict[str, Any], secret: str = "hush") -> dict[str, str]:
    msg = quote(json.dumps(inner))
    return {"msg": msg, "sign": hashlib.md5(f"app{msg}{secret}".encode()).hexdigest()}


def message(tid: str = TID, secret: str = "hush", **more: Any) -> dict[str, Any]:
    envelope = {"client_id": "app", "id": tid, "kdt_id": 19144834, "mode": 1, "test": False}
    envelope |= _signed({"tid": tid, "kdt_id": 19144834}, secret)
    return envelope | {"status": "TRADE_PAID", "type": "trade_TradePaid", "sendCount": 0} | more


async def test_a_trade_is_booked_as_youzan_tells_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        trade = youzan.trades[TID] = youzan_trade(TID)
        trade["full_order_info"]["remark_info"]["buyer_message"] = f"朋友推荐的，邀请码 {shop.code}，谢谢！"
        answer = await shop.send(message(), headers={})
        assert (answer.status_code, answer.json()["code"], answer.json()["msg"]) == (200, 0, "success")
        assert shop.figures() == (17_000, 2_100, 1_000, 0, 13_900)
        assert [(row.status, row.currency, row.external_id) for row in shop.orders()] == [("attributed", "CNY", TID)]
        assert (await shop.send(message(), headers={})).json()["outcome"] == "repeated"
        assert youzan.tokens == 1


async def test_the_header_of_newer_messages_signs_the_whole_body(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        youzan.trades[TID] = youzan_trade(TID)
        body = json.dumps({"msg": quote(json.dumps({"tid": TID})), "kdt_id": 19144834}).encode()
        good = hashlib.md5(b"app" + body + b"hush").hexdigest()
        bad = hashlib.md5(b"app" + body + b"other").hexdigest()
        assert (await shop.send(body, headers={"event-sign": bad})).status_code == 401
        assert (await shop.send(body, headers={"event-sign": good})).json()["outcome"] == "recorded"


async def test_an_old_message_sent_again_books_only_what_is_true_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        youzan.trades[TID] = youzan_trade(TID, pay_time="", status="TRADE_CLOSED")
        assert (await shop.send(message(), headers={})).json()["outcome"] == "ignored"
        assert shop.orders() == []
        forged = message(tid="E1", secret="guessed")
        assert (await shop.send(forged, headers={})).status_code == 401
        moved = message() | {"msg": message(tid="E1")["msg"]}
        assert (await shop.send(moved, headers={})).status_code == 401
        assert (await shop.send(message(tid="E1"), headers={})).status_code == 503
        assert (shop.deliveries()[0].outcome, shop.deliveries()[0].reason) == ("refused", "shop_trade_unknown")
        elsewhere = message(tid="E1", kdt_id=7)
        assert (await shop.send(elsewhere, headers={})).json()["outcome"] == "ignored"
        assert shop.deliveries()[0].reason == "other_shop"


async def test_refunds_come_with_the_trade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        asked = {"refund_id": "R1", "refund_fee": "74.50", "refund_state": 1}
        youzan.trades[TID] = youzan_trade(TID, [asked])
        assert (await shop.send(message(), headers={})).json()["outcome"] == "recorded"
        youzan.trades[TID] = youzan_trade(TID, [asked | {"refund_state": 60}])
        assert (await shop.send(message(), headers={})).json()["outcome"] == "refunded"
        # Half of the 149.00 went back: half of the 139.00 of goods.
        assert [(row.net, row.refunded) for row in shop.orders()] == [(13_900, 6_950)]
        youzan.trades[TID] = youzan_trade(TID, [asked | {"refund_state": 60}], status="TRADE_CLOSED", refund_state=12)
        await shop.send(message(), headers={})
        assert [row.left for row in shop.orders()] == [0]


async def test_while_youzan_cannot_be_asked_it_shall_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        youzan.trades[TID] = youzan_trade(TID)
        youzan.down = True
        answer = await shop.send(message(), headers={})
        assert (answer.status_code, answer.json()["code"]) == (503, "shop_unreachable")
        assert shop.orders() == []
        youzan.down = False
        youzan.tokens += 1  # meanwhile the token was made anew
        assert (await shop.send(message(), headers={})).json()["outcome"] == "recorded"
        assert (await shop.send(message() | {"test": True}, headers={})).json()["outcome"] == "ignored"


async def test_an_order_youzan_may_not_give_yet_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        youzan.trades[TID] = youzan_trade(TID)
        youzan.refuses = "没有接口权限"
        answer = await shop.send(message(), headers={})
        assert (answer.status_code, answer.json()["code"]) == (503, "shop_refuses")
        (line,) = shop.deliveries()
        assert (line.outcome, line.reason, line.params) == ("refused", "shop_refuses", {"said": "没有接口权限"})
        youzan.refuses = ""
        finished = message(type="trade_TradeSuccess", status="TRADE_SUCCESS") | _signed({"tid": TID, "step": 2})
        assert (await shop.send(finished, headers={})).json()["outcome"] == "recorded"
        # What was refused comes again, too: by then the order is known, and its line says so.
        assert (await shop.send(message(), headers={})).json()["outcome"] == "repeated"
        assert [one.outcome for one in shop.deliveries()] == ["repeated", "recorded"]


async def test_a_shop_number_that_is_none_is_said_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        youzan.trades[TID] = youzan_trade(TID)
        youzan.no_token = "店铺不存在"
        assert (await shop.send(message(), headers={})).status_code == 503
        assert [(one.reason, one.params) for one in shop.deliveries()] == [("shop_refuses", {"said": "店铺不存在"})]


async def test_what_youzan_does_not_show_yet_comes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):

        async def told(kind: str, **inner: Any) -> tuple[int, str]:
            answer = await shop.send(message(type=kind) | _signed({"tid": TID, **inner}), headers={})
            body = answer.json()
            return answer.status_code, body.get("outcome") or body["code"]

        youzan.trades[TID] = youzan_trade(TID, pay_time="", status="WAIT_BUYER_PAY")
        assert await told("trade_TradePaid") == (503, "shop_behind")
        youzan.trades[TID] = youzan_trade(TID)
        assert await told("trade_TradePaid") == (200, "recorded")
        success, agreed = "youzan_trade_RefundSuccess", "trade_refund_RefundSellerAgree"
        assert await told(success, refund_id="R1") == (503, "shop_behind")
        back = {"refund_id": "R1", "refund_fee": "74.50", "refund_state": 1}
        other = {"refund_id": "R0", "refund_fee": "1.49", "refund_state": 60}
        youzan.trades[TID] = youzan_trade(TID, [other, back])
        assert await told(success, refund_id="R1") == (503, "shop_behind")
        assert await told(agreed, refund_id="R1") == (503, "shop_behind")
        assert shop.refunds() == []
        youzan.trades[TID] = youzan_trade(TID, [other, back | {"refund_state": 20}])  # it is to be returned first
        assert await told(agreed, refund_id="R1") == (200, "refunded")
        youzan.trades[TID] = youzan_trade(TID, [other, back | {"refund_state": 60}])
        assert await told(success, refund_id="R1") == (200, "refunded")
        assert await told("trade_TradeClose") == (503, "shop_behind")
        youzan.trades[TID] = youzan_trade(TID, [other, back], status="TRADE_CLOSED")
        assert await told("trade_TradeClose") == (200, "refunded")
        assert [row.left for row in shop.orders()] == [0]


async def test_a_trade_is_asked_for_again_while_the_message_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_youzan(tmp_path, monkeypatch) as (shop, youzan):
        youzan.trades[TID] = youzan_trade(TID, pay_time="")
        youzan.soon[TID] = youzan_trade(TID)
        assert (await shop.send(message(), headers={})).json()["outcome"] == "recorded"
