"""The hot path: `GET /r/{code}` keeps the touch and sends the friend on to the landing page.

The code is looked up in a bounded cache of this process, clicks are written by the batch, so that one visitor costs
about as much as an empty answer.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from core import clock, ids
from core.db import insert_all, table
from core.errors import BadInput, DaixinError, NotFound
from core.reader import Reader
from referral import codes
from referral.brands import Brand
from referral.campaigns import CodeOwner, owners_of
from referral.members import fingerprint
from referral.touches import ADDRESS_KEPT, Touch
from web.errors import answer, refusal
from web.pages import Pages
from web.parts import WebParts
from web.visitors import agent_of, locale_of, referrer_host, told_by

FRESH_SECONDS = 5.0
"""How long a looked-up code is believed: a campaign that ends is known everywhere after this."""
KNOWN_CODES = 100_000
UNKNOWN_CODES = 10_000
LONGEST_CODE = 64
_BARE = ((b"cache-control", b"no-store"), (b"content-length", b"0"))


@dataclass(frozen=True, slots=True)
class Lead:
    """What a code leads to: its owner and the brand."""

    owner: CodeOwner
    brand: Brand


class Click(NamedTuple):
    """One visit of a link. `address` is already a keyed hash."""

    id: UUID
    brand_id: UUID
    campaign_id: UUID
    code: str
    at: datetime
    device: str | None
    referrer: str | None
    robot: bool
    address: str | None


def record_clicks(session: Session, clicks: Sequence[Click]) -> list[None]:
    """Keep these clicks with one statement. A batch function of `core.writer`."""
    insert_all(session, table(Touch), [_row(click) for click in clicks])
    return [None] * len(clicks)


def _row(click: Click) -> dict[str, Any]:
    return {
        "brand_id": click.brand_id,
        "id": click.id,
        "campaign_id": click.campaign_id,
        "code": click.code,
        "kind": "click",
        "touched_at": click.at,
        "platform": "web",
        "certainty": "code",
        "device": click.device,
        "referrer": click.referrer,
        "robot": click.robot,
        "address_hash": click.address,
        "address_expires_at": click.at + ADDRESS_KEPT if click.address else None,
    }


def find_lead(session: Session, code: str) -> Lead | None:
    """What a (normalized) code leads to, if it is one."""
    owner = owners_of(session, [code]).get(code)
    brand = session.get(Brand, owner.brand_id) if owner else None
    return Lead(owner, brand) if owner and brand else None


@dataclass(slots=True)
class Leads:
    """Codes looked up a moment ago, the least used forgotten first; those that are none are kept apart and fewer.

    Callers who ask for the same code at once wait for one query.
    """

    reader: Reader
    known: OrderedDict[str, tuple[float, Lead | None]] = field(default_factory=OrderedDict)
    unknown: OrderedDict[str, tuple[float, Lead | None]] = field(default_factory=OrderedDict)
    asked: dict[str, asyncio.Task[Lead | None]] = field(default_factory=dict)

    def at_hand(self, text: str) -> Lead | None:
        """The lead of this very spelling, if it was looked up within `FRESH_SECONDS`."""
        kept = self.known.get(text)
        if kept is None or kept[0] < time.monotonic():
            return None
        self.known.move_to_end(text)
        return kept[1]

    async def find(self, text: str) -> Lead:
        """What the code in a link leads to. Raises `BadInput` if it is misspelt, `NotFound` if there is none."""
        if len(text) > LONGEST_CODE:
            raise BadInput("code_unreadable")
        code = codes.normalize(text)
        lead = self.at_hand(code) or await self._look_up(code)
        if lead is None:
            raise NotFound("code", code=codes.display(code))
        return lead

    async def _look_up(self, code: str) -> Lead | None:
        kept = self.unknown.get(code)
        if kept is not None and kept[0] >= time.monotonic():
            return None
        task = self.asked.get(code)
        if task is None:
            task = asyncio.create_task(self.reader.run(lambda session: find_lead(session, code)))
            self.asked[code] = task
            task.add_done_callback(lambda _: self.asked.pop(code, None))
        lead = await asyncio.shield(task)
        shelf, room = (self.known, KNOWN_CODES) if lead else (self.unknown, UNKNOWN_CODES)
        shelf[code] = (time.monotonic() + FRESH_SECONDS, lead)
        shelf.move_to_end(code)
        if len(shelf) > room:
            shelf.popitem(last=False)
        return lead


class Links:
    """`/r/{code}`, as an ASGI application of its own: the framework's layers would cost as much as the touch."""

    def __init__(self, parts: WebParts, pages: Pages, leads: Leads) -> None:
        self._parts = parts
        self._pages = pages
        self._leads = leads
        self.touched = {False: 0, True: 0}
        """Clicks kept by this process, by whether a robot made them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the touch, then lead a person to the landing page; a program gets the words for its preview."""
        if scope["method"] not in ("GET", "HEAD"):
            return await answer(self._pages, Request(scope), 405, None, {})(scope, receive, send)
        text = scope["path_params"]["code"]
        try:
            lead = self._leads.at_hand(text) or await self._leads.find(text)
            click = self._click(lead.owner, scope)
            await self._parts.writer.call(record_clicks, click)
            self.touched[click.robot] += 1
        except DaixinError as error:
            return await refusal(self._pages, Request(scope), error)(scope, receive, send)
        if click.robot:
            return await self._pages.preview(Request(scope), lead.owner, lead.brand)(scope, receive, send)
        location = f"/l/{lead.owner.code}?t={click.id.hex}{self._carried(scope)}"
        await send(
            {"type": "http.response.start", "status": 302, "headers": [(b"location", location.encode()), *_BARE]}
        )
        await send({"type": "http.response.body", "body": b""})

    def _click(self, owner: CodeOwner, scope: Scope) -> Click:
        headers = told_by(scope)
        agent = agent_of(headers)
        played = self._pages.staged and b"as=" in scope["query_string"]
        address = scope["client"][0] if scope.get("client") else None
        return Click(
            id=ids.new(),
            brand_id=owner.brand_id,
            campaign_id=owner.campaign.id,
            code=owner.code,
            at=clock.now(),
            device=agent.device,
            referrer=referrer_host(headers),
            robot=(agent.robot and not played) or scope["method"] == "HEAD",
            address=fingerprint("address", address) if address else None,
        )

    def _carried(self, scope: Scope) -> str:
        """What goes on to the landing page: the language asked for and, on the stage, who one plays."""
        if not scope["query_string"]:
            return ""
        request = Request(scope)
        lang = f"&lang={locale_of(request)}" if "lang" in request.query_params else ""
        return lang + self._pages.role(request)
