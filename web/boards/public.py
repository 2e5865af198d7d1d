"""Boards that anybody with the link may look at: as a page, inside other sites' pages, and on a screen in the shop."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from PIL import Image
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core import clock, i18n, tenants
from core.errors import NotFound
from referral.boards.shares import find_share
from referral.boards.windows import ALL, WINDOWS, windows_of
from referral.brands import Brand, communities_of
from referral.campaigns import Campaign, runs_in
from referral.cards.qr import modules
from web.boards.hub import Hub
from web.boards.topics import read, shared_board
from web.guard import policy
from web.pages import Pages
from web.parts import WebParts
from web.visitors import locale_of

EMBEDDED = 10
"""Lines of a board inside another site's page."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What stands around a board. `join`: where a QR leads that lets people take part, if there is such a place."""

    brand: str
    brand_locale: str
    campaign: Campaign
    join: str | None
    hosts: tuple[str, ...] = ()


def facts_of(session: Session, parts: WebParts, campaign: Campaign) -> Facts:
    """The facts of a campaign's board."""
    brand = session.get_one(Brand, campaign.brand_id)
    return Facts(brand.name, brand.locale, campaign, _way_in(session, parts, campaign))


def _way_in(session: Session, parts: WebParts, campaign: Campaign) -> str | None:
    """A public address by which people come to the campaign's first community that has one."""
    groups = [one for one in communities_of(session, campaign.brand_id) if runs_in(campaign, one.id)]
    ways = parts.entrances(session, groups, "", {})
    # Whoever scans a code has a phone in their hand, and so the group's own platform rather than our web chat.
    for entrance in sorted(ways, key=lambda way: way.platform == "webchat"):
        url = entrance.url or entrance.qr
        if url is not None:
            return parts.settings.public_url.rstrip("/") + url if url.startswith("/") else url
    return None


@lru_cache(maxsize=64)
def qr_picture(text: str) -> str | None:
    """A QR code as a `data:` address; None for a text too long to be read from afar."""
    try:
        dark = modules(text)
    except ValueError:
        return None
    picture = Image.new("L", (dark.width + 8, dark.width + 8), 255)
    picture.paste(0, (4, 4), dark)
    out = io.BytesIO()
    picture.resize((picture.width * 8, picture.width * 8), Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def window_of(request: Request, state: str = "running") -> str:
    """The window that was asked for, all time if none or none of ours."""
    asked = request.query_params.get("window", ALL)
    return asked if asked in WINDOWS and asked in windows_of(state) else ALL


def around(facts: Facts, locale: str) -> dict[str, Any]:
    """What every board's template says of the campaign."""
    campaign = facts.campaign
    zone = ZoneInfo(campaign.timezone)
    return {
        "brand": facts.brand,
        "title": i18n.pick(campaign.title, locale),
        "benefit": i18n.pick(campaign.benefit, locale),
        "kind": campaign.kind,
        "state": campaign.state,
        "ends": int(campaign.ends_at.timestamp()),
        "over": campaign.state in ("ended", "settled") or campaign.ends_at <= clock.now(),
        "starts_words": i18n.moment(locale, campaign.starts_at, campaign.timezone),
        "ends_words": i18n.moment(locale, campaign.ends_at, campaign.timezone),
        "year": campaign.ends_at.astimezone(zone).year,
        "windows": windows_of(campaign.state),
        "counted": partial(i18n.number, locale),
    }


class PublicBoards:
    """The pages behind a link."""

    def __init__(self, parts: WebParts, pages: Pages, hub: Hub) -> None:
        self._parts = parts
        self._pages = pages
        self._hub = hub

    async def page(self, request: Request) -> Response:
        """The board as a page of its own."""
        return await self._show(request, "board/page.html", "")

    async def stage(self, request: Request) -> Response:
        """The board for a screen that many look at from afar."""
        return await self._show(request, "board/stage.html", "/stage")

    async def embed(self, request: Request) -> Response:
        """The board inside a page of the sites that the brand has named."""
        response = await self._show(request, "board/embed.html", "/embed")
        facts = await self._facts(request)
        staged = self._parts.stage is not None
        response.headers["Content-Security-Policy"] = policy(staged=staged, shown_by=" ".join(facts.hosts))
        return response

    async def stream(self, request: Request) -> Response:
        """The board's events."""
        await self._facts(request)
        return self._hub.stream(request, shared_board(_token(request), window_of(request)))

    async def _show(self, request: Request, template: str, tail: str) -> Response:
        facts = await self._facts(request)
        locale = locale_of(request, facts.brand_locale)
        window = window_of(request, facts.campaign.state)
        sight = await self._hub.now(shared_board(_token(request), window))
        if sight.body is None:
            raise NotFound("board")
        base = f"/board/{_token(request)}"
        return self._pages.show(
            request,
            template,
            locale,
            **around(facts, locale),
            board=read(sight),
            window=window,
            here=base + tail,
            stream=f"{base}/stream?window={window}&seen={sight.id}",
            page=f"{self._pages.public_url}{base}",
            most=EMBEDDED,
            qr=qr_picture(facts.join) if facts.join else None,
            join=facts.join,
        )

    async def _facts(self, request: Request) -> Facts:
        token = _token(request)

        def query(session: Session) -> Facts:
            share = find_share(session, token)
            with tenants.only(session, share.brand_id):
                campaign = session.get_one(Campaign, (share.brand_id, share.campaign_id))
                facts = facts_of(session, self._parts, campaign)
            return Facts(facts.brand, facts.brand_locale, campaign, facts.join, tuple(share.hosts))

        return await self._parts.reader.run(query)


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def routes(parts: WebParts, pages: Pages, hub: Hub) -> Sequence[BaseRoute]:
    """Every page behind a link."""
    boards = PublicBoards(parts, pages, hub)
    return [
        Route("/board/{token}", boards.page),
        Route("/board/{token}/embed", boards.embed),
        Route("/board/{token}/stage", boards.stage),
        Route("/board/{token}/stream", boards.stream),
    ]
