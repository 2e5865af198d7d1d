"""The leaderboard: live, in windows of time, final once a contest is over; and the stage view of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core import i18n
from core.errors import NotFound
from referral.boards.shares import BoardShare, share_of
from referral.campaigns import STATES, Campaign, campaigns_of, find_campaign
from referral.contests.results import Final, final_of, result_of
from web.boards.public import Facts, around, facts_of, qr_picture, window_of
from web.boards.topics import Which, brand_board, masked_board, read
from web.dashboard.desk import Desk, Viewer

RANKED = tuple(state for state in STATES if state != "draft")
FIRST = ("running", "paused", "ended", "settled", "scheduled")
"""The campaign that is shown to who names none: the newest in the first of these states."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What one campaign's page is made of."""

    campaigns: Sequence[Campaign]
    facts: Facts
    final: Final | None
    share: BoardShare | None


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def first(self, request: Request, viewer: Viewer) -> Response:
        """The board people mean when they name no campaign."""
        if named := request.query_params.get("campaign"):
            return RedirectResponse(f"/b/{viewer.brand}/leaderboard/{quote(named, safe='')}", 303)
        campaigns = await self._desk.read(viewer, lambda session: campaigns_of(session, viewer.brand_id, RANKED))
        if not campaigns:
            return self._desk.show(request, viewer, "dashboard/leaderboard.html", here="leaderboard", board=None)
        meant = min(campaigns, key=lambda one: FIRST.index(one.state))
        return await self._board(request, viewer, meant.slug)

    async def board(self, request: Request, viewer: Viewer) -> Response:
        return await self._board(request, viewer, request.path_params["campaign"])

    async def _board(self, request: Request, viewer: Viewer, slug: str) -> Response:
        def query(session: Session) -> _Shown:
            campaign = _ranked(session, viewer, slug)
            return _Shown(
                campaigns_of(session, viewer.brand_id, RANKED),
                facts_of(session, self._desk.parts, campaign),
                final_of(session, viewer.brand_id, campaign.id),
                share_of(session, campaign),
            )

        found = await self._desk.read(viewer, query)
        campaign = found.facts.campaign
        window = window_of(request, campaign.state)
        sight = await self._desk.boards.now(brand_board(Which(viewer.brand_id, campaign.id), window))
        path = f"/b/{viewer.brand}/leaderboard/{campaign.slug}"
        public = self._desk.pages.public_url
        return self._desk.show(
            request,
            viewer,
            "dashboard/leaderboard.html",
            here="leaderboard",
            **around(found.facts, viewer.locale),
            board=read(sight),
            window=window,
            path=path,
            slug=campaign.slug,
            stream=f"{path}/stream?window={window}&seen={sight.id}",
            campaigns=[(one.slug, i18n.pick(one.title, viewer.locale)) for one in found.campaigns],
            final=found.final,
            shared=f"{public}/board/{found.share.token}" if found.share is not None else None,
        )

    async def stream(self, request: Request, viewer: Viewer) -> Response:
        campaign = await self._desk.read(viewer, lambda s: _ranked(s, viewer, request.path_params["campaign"]))
        topic = brand_board if request.query_params.get("names") != "masked" else masked_board

        async def still() -> bool:
            return await self._desk.may_stay(request, viewer)

        watched = topic(Which(viewer.brand_id, campaign.id), window_of(request))
        return self._desk.boards.stream(request, watched, still)

    async def stage(self, request: Request, viewer: Viewer) -> Response:
        def query(session: Session) -> Facts:
            return facts_of(session, self._desk.parts, _ranked(session, viewer, request.path_params["campaign"]))

        facts = await self._desk.read(viewer, query)
        campaign = facts.campaign
        window = window_of(request, campaign.state)
        sight = await self._desk.boards.now(masked_board(Which(viewer.brand_id, campaign.id), window))
        path = f"/b/{viewer.brand}/leaderboard/{campaign.slug}"
        return self._desk.pages.show(
            request,
            "board/stage.html",
            viewer.locale,
            **around(facts, viewer.locale),
            board=read(sight),
            window=window,
            stream=f"{path}/stream?window={window}&names=masked&seen={sight.id}",
            qr=qr_picture(facts.join) if facts.join else None,
        )

    async def document(self, request: Request, viewer: Viewer) -> Response:
        """The final's document, byte for byte as it was published."""
        asked = request.query_params.get("revision", "")
        revision = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None

        def query(session: Session) -> tuple[str, int]:
            campaign = _ranked(session, viewer, request.path_params["campaign"])
            result = result_of(session, viewer.brand_id, campaign.id, revision)
            if result is None:
                raise NotFound("campaign", slug=campaign.slug)
            return result.document, result.revision

        text, number = await self._desk.read(viewer, query)
        name = f"{request.path_params['campaign']}-final-{number}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(text.encode(), headers=headers, media_type="application/json")


def _ranked(session: Session, viewer: Viewer, slug: str) -> Campaign:
    """The campaign of this name. Raises `NotFound("campaign")`, for a draft too: nobody has a place in it."""
    campaign = find_campaign(session, viewer.brand_id, slug)
    if campaign.state not in RANKED:
        raise NotFound("campaign", slug=slug[:60])
    return campaign


def routes(desk: Desk) -> list[BaseRoute]:
    """Every page of the leaderboard."""
    pages = _Pages(desk)
    return [
        desk.route("/leaderboard", pages.first),
        desk.route("/leaderboard/{campaign}", pages.board),
        desk.route("/leaderboard/{campaign}/stream", pages.stream),
        desk.route("/leaderboard/{campaign}/stage", pages.stage),
        desk.route("/leaderboard/{campaign}/final.json", pages.document),
    ]
