"""The leaderboard as a Telegram Mini App: the board, and where the one who opened it stands.

Telegram's script is not loaded, since nothing here comes from elsewhere: the page reads what Telegram has put behind
its address and sends it along with every question, as `Authorization: tma <init data>`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core import clock, i18n, tenants
from core.errors import NotAllowed, NotFound
from referral import leaderboard
from referral.boards.faces import key_of
from referral.brands import Brand
from referral.campaigns import Campaign, current_campaign, find_campaign
from referral.contests.boards import board_of, how_many, line_of
from referral.contests.teams import team_of
from referral.members import Identity
from web.boards.hub import Hub
from web.boards.public import window_of
from web.boards.telegram import Opened, read_init_data
from web.boards.topics import Which, masked_board, read
from web.guard import policy
from web.pages import Pages
from web.parts import WebParts
from web.visitors import locale_of

SCHEME = "tma "
FRAMED_BY = "https://web.telegram.org https://*.telegram.org"
"""Telegram on the web shows Mini Apps in a frame; its other programs in a window of their own."""


@dataclass(frozen=True, slots=True)
class _Me:
    """Where somebody stands. `key`: of their line, or their team's, on the board."""

    brand: Brand
    campaign: Campaign
    key: str
    rank: int | None
    score: int
    of: int


class MiniApp:
    """The page, and what it asks."""

    def __init__(self, parts: WebParts, pages: Pages, hub: Hub) -> None:
        self._parts = parts
        self._pages = pages
        self._hub = hub

    async def page(self, request: Request) -> Response:
        """The page knows nobody yet; its script says who opened it."""
        response = self._pages.show(request, "board/mini.html", locale_of(request, "zh_Hans"))
        staged = self._parts.stage is not None
        response.headers["Content-Security-Policy"] = policy(staged=staged, shown_by=FRAMED_BY)
        return response

    async def board(self, request: Request) -> Response:
        """The board for whom Telegram vouches for. Raises `NotAllowed`, `NotFound("mini_member")`."""
        said = request.headers.get("authorization", "")
        if not said.startswith(SCHEME):
            raise NotAllowed("mini_forged")
        opened = read_init_data(said.removeprefix(SCHEME), self._parts.telegram_token, clock.now())
        brand, campaign = request.query_params.get("b"), request.query_params.get("c")
        me = await self._parts.reader.run(lambda session: _find(session, opened, brand, campaign))
        window = window_of(request, me.campaign.state)
        sight = await self._hub.now(masked_board(Which(me.brand.id, me.campaign.id), window))
        locale = locale_of(request, i18n.negotiate(opened.language))
        told = read(sight) | {"brand": me.brand.name, "title": i18n.pick(me.campaign.title, locale)}
        told |= {"me": {"k": me.key, "r": me.rank, "s": me.score, "of": me.of}}
        return _unless_known(request, told)


def _unless_known(request: Request, told: dict[str, Any]) -> Response:
    """Nothing is sent that the page has."""
    response = JSONResponse(told, headers={"Cache-Control": "private, no-cache"})
    tag = f'"{hashlib.blake2b(bytes(response.body), digest_size=9).hexdigest()}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return response


def _find(session: Session, opened: Opened, brand: str | None, campaign: str | None) -> _Me:
    """The board this person means: of the brand and campaign they name, else of the brand they spoke to last.

    Only of brands they belong to: a board is shown to its own people, and to others where the brand has shared it.
    """
    mine = (
        select(Identity, Brand)
        .join(Brand, col(Brand.id) == col(Identity.brand_id))
        .where(col(Identity.platform) == "telegram", col(Identity.account) == opened.account)
        .order_by(col(Identity.seen_at).desc(), col(Brand.id))
    )
    for identity, its_brand in session.execute(mine).all():
        if brand is not None and its_brand.slug != brand:
            continue
        with tenants.only(session, its_brand.id):
            named = find_campaign(session, its_brand.id, campaign) if campaign else None
            found = named or current_campaign(session, its_brand.id)
            if found is not None and found.state != "draft":
                return _standing(session, its_brand, found, identity)
    raise NotFound("mini_member")


def _standing(session: Session, brand: Brand, campaign: Campaign, identity: Identity) -> _Me:
    member = identity.member_id
    if campaign.kind != "contest":
        place = leaderboard.standing(session, brand.id, campaign.id, member)
        rank, score, of = (place.rank, place.score, place.of) if place is not None else (None, 0, 0)
        return _Me(brand, campaign, key_of(campaign, member), rank, score, of)
    board = board_of(session, campaign)
    team = team_of(session, campaign, member) if board.teams else None
    owner = team.id if team is not None else member
    line = line_of(session, board, owner) if team is not None or not board.teams else None
    rank, score = (line.rank, line.score) if line is not None else (None, 0)
    return _Me(brand, campaign, key_of(campaign, owner), rank, score, how_many(session, board))


def routes(parts: WebParts, pages: Pages, hub: Hub) -> Sequence[BaseRoute]:
    """The Mini App, where there is a bot that can vouch for people."""
    if not parts.telegram_token:
        return []
    app = MiniApp(parts, pages, hub)
    return [Route("/mini", app.page), Route("/mini/board", app.board)]
