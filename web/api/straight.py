"""`POST /api/v1/conversions` as an ASGI application of its own: the framework's layers cost several times the order.

It answers what is plainly an order of somebody who may tell it. Whatever is not (no key, too often, a field that does
not fit) goes to the framework's own route, which says what is wrong; nothing has been done by then.
"""

from __future__ import annotations

import hashlib
import json
import re
from uuid import UUID

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import DaixinError
from core.writer import Writer
from referral.conversions import Order, check_order
from web.api.answers import LONGEST_KEY
from web.api.callers import Callers, TooMany
from web.api.schemas import ConversionIn
from web.api.taking import Told, take_orders
from web.errors import answer, refusal
from web.pages import Pages
from web.visitors import locale_of, told_by

PATH, METHOD = "/api/v1/conversions", "POST"
SCOPE = "conversions:write"
_KEY = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_KEY}}}")
_AS_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class StraightOrders:
    """Stands before the framework's application, which answers everything else."""

    def __init__(self, app: ASGIApp, writer: Writer, pages: Pages, callers: Callers) -> None:
        self._app = app
        self._writer = writer
        self._pages = pages
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the order, or hand it on with its body as it was."""
        headers = told_by(scope)
        holder = self._callers.at_hand(headers.get("authorization", ""))
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if holder is None or SCOPE not in holder.scopes or kind != "application/json":
            return await self._app(scope, receive, send)
        request = Request(scope)
        try:
            body = await _read(receive)
        except HTTPException as error:
            return await answer(self._pages, request, error.status_code, None, {})(scope, receive, send)
        try:
            told = _told(request, headers, holder.brand_id, body)
            check_order(told.what)
            extra = self._callers.count(holder)
        except (ValidationError, ValueError, DaixinError, TooMany):
            return await self._app(scope, _again(body), send)
        try:
            given = await self._writer.call(take_orders, told)
        except DaixinError as error:
            return await refusal(self._pages, request, error)(scope, receive, send)
        if given.repeated:
            extra["Idempotency-Replayed"] = "true"
        said = _AS_JSON(given.body).encode()
        await send(
            {
                "type": "http.response.start",
                "status": given.status,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(said)).encode()),
                    *((name.lower().encode(), value.encode()) for name, value in extra.items()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": said})


def _told(request: Request, headers: dict[str, str], brand_id: UUID, body: bytes) -> Told[Order]:
    """What the request tells. Raises ValidationError, ValueError or `BadInput` for what does not fit."""
    key = headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise ValueError("idempotency-key")
    given = ConversionIn.model_validate_json(body)
    digest = digest_of(request, body) if key else ""
    return Told(given.order(brand_id), locale_of(request), key, digest, given.click_id)


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
