"""Joins the pages into one application."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from web import errors
from web.api.app import create_api
from web.api.callers import Callers
from web.api.straight import METHOD, PATHS, StraightOrders
from web.auth import site as auth
from web.auth.door import Doorkeeper
from web.board import StageBoard
from web.boards import mini
from web.boards import public as boards
from web.dashboard import site as dashboard
from web.dashboard.desk import Desk
from web.guard import guard
from web.health import HealthPages, livez
from web.hooks import receiving
from web.landing import Landing
from web.links import Leads, Links
from web.pages import STATIC, Pages
from web.parts import Entrance, Stage, WebParts
from web.stage import StagePages
from web.visitors import locale_of, read_networks, warm_up

__all__ = ["Entrance", "Stage", "WebParts", "create_app"]


def create_app(parts: WebParts) -> ASGIApp:
    """The web application. Its server must not read forwarding headers itself (uvicorn: `proxy_headers=False`)."""
    warm_up()
    staged = parts.stage is not None
    pages = Pages(parts.settings.public_url, staged=staged)
    registry = CollectorRegistry()
    callers = Callers(parts.reader, parts.writer, parts.settings.api_rate)
    leads = Leads(parts.reader)
    links = Links(parts, pages, leads)
    health = HealthPages(parts, registry, links.touched)
    app = FastAPI(
        title="Daixin",
        openapi_url=None,
        routes=_routes(parts, pages, leads, health, callers),
        exception_handlers=errors.handlers(pages),  # type: ignore[arg-type]  # typed for one exception each
    )

    async def too_large(scope: Scope, receive: Receive, send: Send) -> None:
        await errors.answer(pages, Request(scope), 413, None, {})(scope, receive, send)

    secure = parts.settings.public_url.startswith("https://")
    orders = StraightOrders(app, parts.writer, pages, callers)
    to_link, to_orders = Route("/r/{code}", links), {path: Route(path, orders) for path in PATHS}

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        """Links and orders go past the framework, whose looking for a route costs as much as the work itself."""
        head, _, code = scope.get("path", "").partition("/r/")
        if not head and code and "/" not in code and scope["type"] == "http":
            scope["path_params"], scope["route"] = {"code": code}, to_link
            await links(scope, receive, send)
        elif head in to_orders and scope.get("method") == METHOD:
            scope["route"] = to_orders[head]
            await orders(scope, receive, send)
        else:
            await app(scope, receive, send)

    proxies = read_networks(parts.settings.trusted_proxies)
    return guard(front, registry, staged=staged, secure=secure, refuse=too_large, proxies=proxies)


def _routes(parts: WebParts, pages: Pages, leads: Leads, health: HealthPages, callers: Callers) -> list[BaseRoute]:
    landing = Landing(parts, pages, leads)
    door = Doorkeeper(parts)
    desk = Desk(parts, pages, door)

    async def home(request: Request) -> Response:
        return pages.show(request, "home.html", locale_of(request))

    return [
        Route("/l/{code}", landing.show),
        Route("/l", landing.typed),
        Route("/c/{code}.jpg", landing.card),
        Route("/c/{code}.png", landing.card),
        *(_stage_routes(parts.stage, pages, desk) if parts.stage else [Route("/", home)]),
        Route("/healthz", health.healthz),
        Route("/livez", livez),
        Route("/metrics", health.metrics),
        Mount("/static", _Static(directory=STATIC)),
        Mount("/api/v1", create_api(parts, pages, callers)),
        *receiving.routes(parts),
        *boards.routes(parts, pages, desk.boards),
        *mini.routes(parts, pages, desk.boards),
        *auth.routes(desk, door),
        *dashboard.routes(desk),
        *parts.routes,
    ]


def _stage_routes(stage: Stage, pages: Pages, desk: Desk) -> Sequence[BaseRoute]:
    played = StagePages(stage, pages)
    return [
        Route("/", played.show),
        Route("/stage/board", StageBoard(stage, desk.boards).show),
        Route("/stage/advance", played.advance, methods=["POST"]),
        Route("/stage/invite", played.invite, methods=["POST"]),
    ]


class _Static(StaticFiles):
    """Our own files; pages name them with a version, so a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code >= 400:
            raise HTTPException(response.status_code)
        versioned = b"v=" in scope["query_string"]
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response
