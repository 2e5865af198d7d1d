"""Where a link leads: the page that opens the campaign's communities, and the card as a picture."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Literal

from PIL import Image
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core import clock, i18n
from core.errors import NotFound
from referral import codes
from referral.brands import communities_of
from referral.campaigns import Campaign, invites_of, runs_in
from referral.cards import CardSpec, banner_of, card_of, draw_card
from referral.cards.qr import modules
from referral.members import Member
from web.links import Lead, Leads
from web.pages import Pages
from web.parts import Entrance, WebParts
from web.visitors import agent_of, locale_of, told_by

Phase = Literal["early", "open", "paused", "ended"]
STATUS: dict[Phase, int] = {"early": 200, "open": 200, "paused": 200, "ended": 410}
NAME_LENGTH = 24
CARDS_KEPT = 64
"""Drawn cards in memory, about 150 kB each."""
_TOUCH = re.compile(r"[0-9a-f]{32}")
_SAFE_URL = re.compile(r"(?:https?|tg|weixin)://[^\s\"'<>]+|/(?!/)[^\s\"'<>\\]*")


def phase_of(campaign: Campaign, now: datetime) -> Phase:
    """What a visitor finds at this moment, even if the job that moves campaigns has not come by yet."""
    if campaign.state in ("ended", "settled") or now >= campaign.ends_at:
        return "ended"
    if campaign.state == "draft" or now < campaign.starts_at:
        return "early"
    return "paused" if campaign.state == "paused" else "open"


def first_name(name: str) -> str:
    """How a friend is called: the first of several words, short, without letters that turn or stack on others."""
    kept = "".join(char for char in name if unicodedata.category(char) not in ("Cf", "Cc", "Cs", "Co", "Cn", "Me"))
    kept = re.sub(r"([\u0300-\u036f]{2})[\u0300-\u036f]+", r"\1", kept)
    words = kept.split()
    return words[0][:NAME_LENGTH] if words else ""


def isolated(name: str) -> str:
    """A name inside a sentence of the other writing direction (Unicode's FSI … PDI)."""
    return f"\u2068{name}\u2069"


@dataclass(slots=True)
class Landing:
    """`/l/{code}` and `/c/{code}.jpg`."""

    parts: WebParts
    pages: Pages
    leads: Leads
    cards: OrderedDict[tuple[CardSpec, str], asyncio.Task[bytes]] = field(default_factory=OrderedDict)
    drawing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def show(self, request: Request) -> Response:
        """The landing page, or the page that says why there is nothing to join now and what to do."""
        lead = await self.leads.find(request.path_params["code"])
        locale = locale_of(request, lead.brand.locale)
        campaign = lead.owner.campaign
        phase = phase_of(campaign, clock.now())
        name, entrances = await self.parts.reader.run(lambda session: self._facts(session, lead))
        moment = {"early": campaign.starts_at, "open": campaign.ends_at}.get(phase, campaign.ends_at)
        wechat = agent_of(told_by(request.scope)).wechat
        if wechat:
            entrances.sort(key=lambda entrance: not entrance.opens_in_wechat)
        return self.pages.show(
            request,
            "landing.html" if phase == "open" else "closed.html",
            locale,
            status=STATUS[phase],
            card=self.pages.card_words(lead.owner, lead.brand, locale),
            code=codes.display(lead.owner.code),
            name=isolated(name) if name else "",
            initial=next((char.upper() for char in name if char.isalnum()), ""),
            phase=phase,
            date=i18n.moment(locale, moment, campaign.timezone, time=phase == "early"),
            entrances=[_ready(entrance, self._tail(request, locale)) for entrance in entrances],
            wechat_blocks=wechat and any(found.url and not found.opens_in_wechat for found in entrances),
        )

    async def typed(self, request: Request) -> Response:
        """A code typed into the form of a page: on to its link."""
        lead = await self.leads.find(request.query_params.get("code", "")[:64])
        lang = "?lang=" + locale_of(request, lead.brand.locale)
        return RedirectResponse(f"/r/{lead.owner.code}{lang}", 302, {"Cache-Control": "no-store"})

    async def card(self, request: Request) -> Response:
        """The invite card as JPEG or PNG, in the language asked for or the brand's own."""
        lead = await self.leads.find(request.path_params["code"])
        asked = request.query_params.get("lang")
        locale = i18n.negotiate(asked, lead.brand.locale)
        spec = await self.parts.reader.run(lambda session: card_spec(session, lead, locale, self.pages.public_url))
        kind: Literal["JPEG", "PNG"] = "PNG" if request.url.path.endswith(".png") else "JPEG"
        return Response(
            await self._drawn(spec, kind),
            media_type=f"image/{kind.lower()}",
            headers={"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"},
        )

    def _facts(self, session: Session, lead: Lead) -> tuple[str, list[Entrance]]:
        owner = lead.owner
        communities = [
            community for community in communities_of(session, owner.brand_id) if runs_in(owner.campaign, community.id)
        ]
        invites = invites_of(session, owner.brand_id, owner.code)
        return _name_of(session, lead), self.parts.entrances(session, communities, owner.code, invites)

    def _tail(self, request: Request, locale: str) -> str:
        """What our own pages are told further on: the touch, the language, and who the stage plays."""
        touch = request.query_params.get("t", "")
        return (f"&t={touch}" if _TOUCH.fullmatch(touch) else "") + f"&lang={locale}" + self.pages.role(request)

    async def _drawn(self, spec: CardSpec, kind: Literal["JPEG", "PNG"]) -> bytes:
        """The picture, drawn once however many ask for it, two at a time."""
        key = (spec, kind)
        task = self.cards.get(key)
        if task is None or (task.done() and task.exception() is not None):
            task = self.cards[key] = asyncio.create_task(self._draw(spec, kind))
            if len(self.cards) > CARDS_KEPT:
                self.cards.popitem(last=False)
        self.cards.move_to_end(key)
        return await asyncio.shield(task)

    async def _draw(self, spec: CardSpec, kind: Literal["JPEG", "PNG"]) -> bytes:
        async with self.drawing:
            return await asyncio.to_thread(draw_card, spec, format=kind)


def card_spec(session: Session, lead: Lead, locale: str, public_url: str) -> CardSpec:
    """The words of a code's card."""
    owner = lead.owner
    link = f"{public_url.rstrip('/')}/r/{owner.code}"
    name = _name_of(session, lead, whole=True)
    picture = banner_of(session, owner.campaign)
    return card_of(locale, owner.campaign, lead.brand.name, name, owner.code, link, picture)


def _name_of(session: Session, lead: Lead, *, whole: bool = False) -> str:
    member = session.get(Member, (lead.owner.brand_id, lead.owner.advocate_id))
    if member is None:
        raise NotFound("code", code=codes.display(lead.owner.code))
    return member.name if whole else first_name(member.name)


def _ready(entrance: Entrance, tail: str) -> Entrance:
    """An entrance as the template takes it: only addresses that a browser may be sent to, codes of QR as pictures."""
    url = entrance.url if entrance.url and _SAFE_URL.fullmatch(entrance.url) else None
    if url and url.startswith("/"):
        url += tail if "?" in url else "?" + tail.lstrip("&")
    return replace(entrance, url=url, qr=_qr_picture(entrance.qr) if entrance.qr else None)


@lru_cache(maxsize=256)
def _qr_picture(text: str) -> str | None:
    """A QR code as a `data:` address, because a phone reads a long-pressed picture but no drawing."""
    try:
        dark = modules(text)
    except ValueError:
        return None
    picture = Image.new("L", (dark.width + 8, dark.width + 8), 255)
    picture.paste(0, (4, 4), dark)
    out = io.BytesIO()
    picture.resize((picture.width * 6, picture.width * 6), Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
