"""`POST /api/v1/conversions`, singly and by the thousand, as an ASGI application of its own: the framework's layers
cost several times the order.

It answers what is plainly orders of somebody who may tell them. Whatever is not (no key, too often, a field that does
not fit, one order of many that is refused, many under one `Idempotency-Key`) goes to the framework's own route, which
says what is wrong; nothing has been done by then.
"""

from __future__ import annotations

import hashlib
import re

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import DaixinError
from core.writer import Writer
from referral.api_keys import Holder
from referral.conversions import check_order
from web.api.answers import LONGEST_KEY
from web.api.callers import COUNTED, Callers, TooMany
from web.api.schemas import ConversionIn, ConversionsIn
from web.api.taking import Told, take_many, take_orders
from web.errors import answer
from web.pages import Pages
from web.visitors import locale_by, told_by

METHOD, PATH = "POST", "/api/v1/conversions"
PATHS = (PATH, PATH + "/batch")
Headers = dict[str, str]
SCOPE = "conversions:write"
_KEY = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_KEY}}}")


class StraightOrders:
    """Stands before the framework's application, which answers everything else."""

    def __init__(self, app: ASGIApp, writer: Writer, pages: Pages, callers: Callers) -> None:
        self._app = app
        self._writer = writer
        self._pages = pages
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the orders, or hand them on with their body as it was."""
        headers = told_by(scope)
        holder = await self._callers.known(headers.get("authorization", ""))
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if holder is None or SCOPE not in holder.scopes or kind != "application/json":
            return await self._app(scope, receive, send)
        try:
            body = await _read(receive)
        except HTTPException as error:
            return await answer(self._pages, Request(scope), error.status_code, None, {})(scope, receive, send)
        take = self._one if scope["path"] == PATH else self._many
        try:
            await take(scope, headers, holder, body, send)
        except (ValidationError, ValueError, DaixinError, TooMany):
            await self._app(scope, _again(body), send)

    async def _one(self, scope: Scope, headers: Headers, holder: Holder, body: bytes, send: Send) -> None:
        key = headers.get("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            raise ValueError("idempotency-key")
        given = ConversionIn.model_validate_json(body)
        order = given.order(holder.brand_id)
        check_order(order)
        digest = digest_of(Request(scope), body) if key else ""
        said = self._count(scope, holder)
        locale = locale_by(scope, headers)
        made = await self._writer.call(take_orders, Told(order, locale, key, digest, given.click_id))
        if made.repeated:
            said["Idempotency-Replayed"] = "true"
        await _send(send, made.status, said, made.body)

    async def _many(self, scope: Scope, headers: Headers, holder: Holder, body: bytes, send: Send) -> None:
        if "idempotency-key" in headers:
            raise ValueError("idempotency-key")
        locale = locale_by(scope, headers)
        told = []
        for given in ConversionsIn.model_validate_json(body).conversions:
            order = given.order(holder.brand_id)
            check_order(order)
            told.append(Told(order, locale, click_id=given.click_id))
        said = self._count(scope, holder)
        made = await self._writer.call(take_many, told)
        results = [{"status": one.status, "conversion": one.body, "problem": None} for one in made]
        await _send(send, 200, said, {"results": results})

    def _count(self, scope: Scope, holder: Holder) -> dict[str, str]:
        said = scope[COUNTED] = self._callers.count(holder)
        return dict(said)


async def _send(send: Send, status: int, headers: Headers, body: object) -> None:
    said = to_json(body)
    written = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    length = (b"content-length", str(len(said)).encode())
    head = [(b"content-type", b"application/json"), length, *written]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": said})


def digest_of(request: Request, body: bytes) -> str:
    """What tells a repeat from another request under the same key."""
    return hashlib.sha256(f"{request.method} {request.url.path}\n".encode() + body).hexdigest()


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _again(body: bytes) -> Receive:
    """The body once more, for who reads the request from its beginning."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
