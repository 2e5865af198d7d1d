"""`POST /hooks/{source}/{brand}`: a shop's message is checked over its raw body, booked, and answered.

200: taken, whatever became of it; the shop need not try again. 401: not signed by this shop. 404: no such shop here,
which says the same for an unknown brand. 413: larger than any order (`web.guard.HOOK_BODY`). 503: we, or the shop we
had to ask, cannot now; nothing was booked, and the shop brings it again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import BadInput, NotAllowed, Unavailable
from referral import shops
from referral.shops import Delivery, Opened
from web import errors
from web.hooks.kinds import Kind, kinds
from web.hooks.news import Told
from web.hooks.reading import parse
from web.hooks.settings import ShopEnv
from web.hooks.taking import failed, take_in
from web.parts import WebParts
from web.visitors import locale_of

log = structlog.get_logger()
NOTED_EVERY = 60.0
"""Seconds between two notes that a signature was wrong: somebody may send a thousand of them."""


def routes(parts: WebParts) -> list[BaseRoute]:
    """Where shops bring their orders."""
    door = ShopDoor(parts, kinds(ShopEnv().youzan_url.rstrip("/")))
    return [Route("/hooks/{source}/{brand}", door.hear, methods=["POST"])]


class ShopDoor:
    """Every shop of every brand comes in here."""

    def __init__(self, parts: WebParts, known: Mapping[str, Kind]) -> None:
        self._parts = parts
        self._kinds = known
        self._noted: dict[UUID, float] = {}

    async def hear(self, request: Request) -> Response:
        """Answer one message."""
        source, brand = request.path_params["source"], request.path_params["brand"]
        if "\0" in source + brand:  # nothing is called so, and PostgreSQL cannot be asked for it
            raise HTTPException(404)
        body = await request.body()
        shop = await self._parts.reader.run(lambda session: shops.opened(session, brand[:100], source[:40]))
        if shop is None:
            raise HTTPException(404)
        kind = self._kinds[shop.kind]
        if kind.is_ping(body):
            return JSONResponse(dict(kind.thanks))
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            shop, signed = _verified(kind, shop, body, headers)
        except NotAllowed as error:
            await self._note_wrong(shop)
            locale = locale_of(request)
            return errors.told(errors.problem(locale, 401, error.code, error.params), locale)
        digest = hashlib.sha256(signed).hexdigest()
        delivery = await self._take(shop, kind, body, headers, digest)
        log.info("shop.delivery", source=source, topic=delivery.topic, outcome=delivery.outcome, reason=delivery.reason)
        return JSONResponse({**kind.thanks, "outcome": delivery.outcome})

    async def _take(self, shop: Opened, kind: Kind, body: bytes, headers: Mapping[str, str], digest: str) -> Delivery:
        told = Told("", "", ())
        try:
            data = await self._enquire(shop, kind, body, digest)
            told = kind.decode(data, headers, shop.options)
            return await self._parts.writer.run(lambda session: take_in(session, shop, told, digest))
        except BadInput as error:
            delivery = failed(told, digest, error)
        await self._parts.writer.run(lambda session: self._remember(session, shop, delivery))
        return delivery

    async def _enquire(self, shop: Opened, kind: Kind, body: bytes, digest: str) -> Any:
        """What the message is about. If the shop that must be asked cannot say, its people see why nothing comes; what
        becomes of the next try takes the line's place."""
        try:
            return await kind.enquire(parse(body), shop.secrets)
        except Unavailable as error:
            delivery = failed(Told("", "", ()), digest, error)
            await self._parts.writer.run(lambda session: self._remember(session, shop, delivery))
            raise

    @staticmethod
    def _remember(session: Session, shop: Opened, delivery: Delivery) -> None:
        shops.remember(session, shop.brand_id, shop.shop_id, delivery, by_new_key=not shop.by_old_key)

    async def _note_wrong(self, shop: Opened) -> None:
        now = time.monotonic()
        if self._noted.get(shop.shop_id, -NOTED_EVERY) + NOTED_EVERY > now:
            return
        self._noted[shop.shop_id] = now
        log.warning("shop.signature_wrong", source=shop.source)
        try:
            await self._parts.writer.run(lambda session: shops.note_wrong(session, shop.brand_id, shop.shop_id))
        except Unavailable:
            log.warning("shop.note_failed", source=shop.source)


def _verified(kind: Kind, shop: Opened, body: bytes, headers: Mapping[str, str]) -> tuple[Opened, bytes]:
    """The shop as it signed, and what it signed. Raises `NotAllowed("shop_signature")`."""
    try:
        return shop, kind.verify(body, headers, shop.secrets)
    except NotAllowed:
        if not shop.before:
            raise
        return replace(shop, by_old_key=True), kind.verify(body, headers, shop.before)
