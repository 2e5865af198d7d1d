"""What every page of the dashboard is built on: who looks, for which brand, and the only way to its rows.

A page is a function of a request and a `Viewer`. `Desk.route` lets it be called only by somebody who is signed in,
belongs to the brand in the path, and may do what the page does; `Desk.read` and `Desk.write` hand out sessions that
refuse any statement about another brand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core import i18n, tenants
from core.errors import DaixinError, NotAllowed
from referral import staff
from web.boards.hub import Hub
from web.dashboard import shown
from web.pages import Pages
from web.parts import WebParts

T = TypeVar("T")
WRONG = {
    **dict.fromkeys(("key_name", "shop_name", "shop_name_taken"), "name"),
    **dict.fromkeys(("shop_secret", "shop_same_secret"), "secret"),
    **{f"webhook_{what}": "url" for what in ("url", "scheme", "userinfo", "port", "private", "unknown_host", "exists")},
    **dict.fromkeys(("amount_unreadable", "amount_fractional", "amount_too_large", "cost_below_zero"), "amount"),
    "webhook_number": "after",
    "export_period": "since",
    "export_campaign": "campaign",
    "month_unreadable": "month",
    "asset_value": "units",
}
"""Which field of a form a refusal is about: the page comes back with the words and the cursor there."""
SAFE = ("GET", "HEAD")
ANYONE = "look"
"""The name of a route for whoever has a role for the brand; the others bear the name of the act they are for."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a brand's pages. `role`: one of `staff.ROLES`. `csrf`: the token their forms carry.

    `brands`: (slug, name) of all they may look at, for the switch. `timezone`: the brand's.
    """

    user_id: UUID
    session_id: str
    name: str
    brand_id: UUID
    brand: str
    brand_name: str
    timezone: str
    role: str
    locale: str
    csrf: str
    brands: tuple[tuple[str, str], ...] = ()

    def may(self, act: str) -> bool:
        """Whether they may do this (one of `staff.ACTS`)."""
        return staff.may(self.role, act)

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return f"user:{self.user_id}"


Handler = Callable[[Request, Viewer], Awaitable[Response]]


class Door(Protocol):
    """Who knows the people."""

    async def viewer(self, request: Request) -> Viewer | Response:
        """Who looks at the brand of `request.path_params["brand"]`; or the answer to somebody who may not (to be
        signed in first; a brand that is none of theirs does not exist for them)."""

    async def check_form(self, request: Request, viewer: Viewer) -> None:
        """Raises `NotAllowed` unless one of our own pages, opened by this viewer, sent this form."""


class Desk:
    """Given to every page's module; its `routes(desk)` says which pages there are."""

    def __init__(self, parts: WebParts, pages: Pages, door: Door) -> None:
        self.parts = parts
        self.pages = pages
        self._door = door
        self.boards = Hub(parts.reader, lambda: parts.writer.counts.commits, parts.stopping)

    def route(self, path: str, handler: Handler, *, act: str | None = None, methods: Sequence[str] = ("GET",)) -> Route:
        """A page at `/b/{brand}` + `path`, for who may `act` (anyone of the brand without one)."""

        async def guarded(request: Request) -> Response:
            viewer = await self._door.viewer(request)
            if isinstance(viewer, Response):
                return viewer
            # For the page that says what went wrong, should anything: in their language, with a way back.
            request.state.locale, request.state.home = viewer.locale, f"/b/{quote(viewer.brand, safe='')}/"
            if any("\0" in str(name) for name in request.path_params.values()):
                raise HTTPException(404)  # nothing is called so, and PostgreSQL cannot be asked for it
            if act is not None and not viewer.may(act):
                raise NotAllowed("web_may_not")
            if request.method not in SAFE:
                await self._door.check_form(request, viewer)
            response = await handler(request, viewer)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return Route(f"/b/{{brand}}{path}", guarded, methods=list(methods), name=act or ANYONE)

    async def may_stay(self, request: Request, viewer: Viewer) -> bool:
        """Whether the viewer of a page that stays open may still look at it."""
        again = await self._door.viewer(request)
        return isinstance(again, Viewer) and (again.user_id, again.brand_id) == (viewer.user_id, viewer.brand_id)

    async def read(self, viewer: Viewer, query: Callable[[Session], T]) -> T:
        """The query's result, from a session that sees this brand alone."""

        def bound(session: Session) -> T:
            with tenants.only(session, viewer.brand_id):
                return query(session)

        return await self.parts.reader.run(bound)

    async def write(self, viewer: Viewer, unit: Callable[[Session], T]) -> T:
        """Run a unit of work by the writer. Its first statement finds what it changes by the viewer's brand."""
        return await self.parts.writer.run(unit)

    def show(
        self,
        request: Request,
        viewer: Viewer,
        template: str,
        *,
        here: str = "",
        problem: str | DaixinError | None = None,
        mistaken: str = "",
        status: int | None = None,
        **context: Any,
    ) -> Response:
        """A page of the dashboard in the viewer's language; `template` extends `dashboard/base.html`.

        `here`: which entry of the menu it belongs to. `problem`: why what was asked for was not done, said on top of
        the page (its status then is the error's). `mistaken`: the field it is about, where the code does not tell.
        Templates write figures with the functions of `shown.helpers`.
        """
        locale = viewer.locale
        if isinstance(problem, DaixinError):
            mistaken = mistaken or WRONG.get(problem.code, "")
            status = status or problem.status
            problem = i18n.text(locale, f"error.{problem.code}", **problem.params)
        words = f"{asked[0]}.said.{asked[1]}" if (asked := request.query_params.get("said", "").split("."))[1:] else ""
        return self.pages.show(
            request,
            template,
            locale,
            status=status or 200,
            viewer=viewer,
            here=here,
            problem=problem,
            mistaken=mistaken,
            said=i18n.text(locale, words) if words in i18n.catalogue(locale) else None,
            **shown.helpers(locale, viewer.timezone, viewer.brand),
            **context,
        )

    def back(self, viewer: Viewer, path: str, said: str = "") -> Response:
        """After something was done: on to a page of the brand. `said`: `costs.kept` shows `costs.said.kept` there."""
        ask = ("&" if "?" in path else "?") + urlencode({"said": said}) if said else ""
        return RedirectResponse(f"/b/{quote(viewer.brand, safe='')}{path}{ask}", 303)
