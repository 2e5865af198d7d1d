"""Which boards anybody with the link may look at, and which websites may show them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import i18n
from core.errors import DaixinError
from referral.boards.shares import BoardShare, allow_hosts, share, shares_of, unshare
from referral.campaigns import Campaign, campaigns_of, find_campaign
from web.dashboard.desk import Desk, Viewer
from web.dashboard.leaderboard import RANKED

ACT = "campaign"
PATH = "/settings/sharing"


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(
        self, request: Request, viewer: Viewer, problem: DaixinError | None = None, typed: dict[str, str] | None = None
    ) -> Response:
        def query(session: Session) -> tuple[list[Campaign], dict[UUID, BoardShare]]:
            return campaigns_of(session, viewer.brand_id, RANKED), shares_of(session, viewer.brand_id)

        campaigns, shares = await self._desk.read(viewer, query)
        rows = [
            {
                "slug": one.slug,
                "title": i18n.pick(one.title, viewer.locale),
                "share": shares.get(one.id),
                "hosts": (typed or {}).get(one.slug),
            }
            for one in campaigns
        ]
        public = f"{self._desk.pages.public_url}/board/"
        return self._desk.show(
            request, viewer, "dashboard/sharing.html", here="settings", problem=problem, rows=rows, public=public
        )

    async def start(self, request: Request, viewer: Viewer) -> Response:
        return await self._do(request, viewer, "shared", lambda s, one: share(s, one, viewer.actor))

    async def renew(self, request: Request, viewer: Viewer) -> Response:
        return await self._do(request, viewer, "renewed", lambda s, one: share(s, one, viewer.actor, renew=True))

    async def stop(self, request: Request, viewer: Viewer) -> Response:
        return await self._do(request, viewer, "stopped", lambda s, one: unshare(s, one, viewer.actor))

    async def hosts(self, request: Request, viewer: Viewer) -> Response:
        form = await request.form()
        said = str(form.get("hosts", ""))[:4000]
        try:
            return await self._do(request, viewer, "hosts", lambda s, one: allow_hosts(s, one, viewer.actor, said))
        except DaixinError as error:
            return await self.show(request, viewer, error, {request.path_params["campaign"]: said})

    async def _do(
        self, request: Request, viewer: Viewer, said: str, act: Callable[[Session, Campaign], object]
    ) -> Response:
        slug = request.path_params["campaign"]

        def unit(session: Session) -> None:
            act(session, find_campaign(session, viewer.brand_id, slug))

        await self._desk.write(viewer, unit)
        return self._desk.back(viewer, PATH, f"board.{said}")


def routes(desk: Desk) -> list[BaseRoute]:
    """The settings of sharing."""
    pages = _Pages(desk)
    acts = {"start": pages.start, "renew": pages.renew, "stop": pages.stop, "hosts": pages.hosts}
    return [
        desk.route(PATH, pages.show, act=ACT),
        *(desk.route(f"{PATH}/{{campaign}}/{name}", page, act=ACT, methods=("POST",)) for name, page in acts.items()),
    ]
