"""`/settings/members`: who runs the brand, on the web and in the chat; invitations by link."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import ids
from core.errors import Conflict, DaixinError, NotFound
from referral import staff
from referral.users import links, roles
from referral.users.roles import Colleague
from web.dashboard import once
from web.dashboard.desk import Desk, Viewer

PAGE = "/settings/members"
ACT = "staff"


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        def query(session: Session) -> tuple[list[Colleague], list[links.DoorLink]]:
            return roles.team_of(session, viewer.brand_id), links.open_invitations(session, viewer.brand_id)

        people, invitations = await self._desk.read(viewer, query)
        fresh = once.taken(request, viewer, PAGE)
        response = self._desk.show(
            request,
            viewer,
            "dashboard/members.html",
            here="settings",
            problem=problem,
            people=[_shown(one, viewer) for one in people],
            unlisted=all(one.user_id != viewer.user_id for one in people),
            invitations=invitations,
            fresh=fresh,
            roles=staff.ROLES,
            days=links.LASTS["invite"].days,
            number_of_form=str(ids.new()),
        )
        return once.clear(self._desk, viewer, response) if fresh else response

    async def invite(self, request: Request, viewer: Viewer) -> Response:
        form = await request.form()

        def unit(session: Session) -> str:
            number = once.number(form.get(once.FIELD))
            role = str(form.get("role", ""))
            return links.invitation(session, viewer.brand_id, role, viewer.actor, number)

        try:
            token = await self._desk.write(viewer, unit)
        except Conflict:  # the same form once more: its link was made, and shown or lost
            return self._desk.back(viewer, PAGE, "team.again")
        except DaixinError as error:
            return await self.show(request, viewer, error)
        address = f"{self._desk.pages.public_url}/door/{token}"
        return once.give(self._desk, viewer, self._desk.back(viewer, PAGE, "team.invited"), PAGE, link=address)

    async def withdraw(self, request: Request, viewer: Viewer) -> Response:
        which = _id(request.path_params["which"], "invitation")
        return await self._do(
            request, viewer, "withdrawn", lambda s: links.withdraw(s, viewer.brand_id, which, viewer.actor)
        )

    async def change(self, request: Request, viewer: Viewer) -> Response:
        role = str((await request.form()).get("role", ""))
        who = _person(request.path_params["who"])
        return await self._do(
            request, viewer, "changed", lambda s: roles.change(s, viewer.brand_id, *who, role, viewer.actor)
        )

    async def remove(self, request: Request, viewer: Viewer) -> Response:
        who = _person(request.path_params["who"])
        return await self._do(
            request, viewer, "removed", lambda s: roles.remove(s, viewer.brand_id, *who, viewer.actor)
        )

    async def _do(self, request: Request, viewer: Viewer, said: str, unit: Any) -> Response:
        try:
            await self._desk.write(viewer, unit)
        except DaixinError as error:
            return await self.show(request, viewer, error)
        return self._desk.back(viewer, PAGE, f"team.{said}")


def routes(desk: Desk) -> list[BaseRoute]:
    """The team's page and its forms."""
    pages = _Pages(desk)
    return [
        desk.route(PAGE, pages.show, act=ACT),
        desk.route(f"{PAGE}/invite", pages.invite, act=ACT, methods=["POST"]),
        desk.route(f"{PAGE}/invitations/{{which}}/withdraw", pages.withdraw, act=ACT, methods=["POST"]),
        desk.route(f"{PAGE}/{{who}}/role", pages.change, act=ACT, methods=["POST"]),
        desk.route(f"{PAGE}/{{who}}/remove", pages.remove, act=ACT, methods=["POST"]),
    ]


def _shown(one: Colleague, viewer: Viewer) -> dict[str, Any]:
    """A row of the list. `key`: how its forms name the person."""
    key = f"u-{one.user_id}" if one.user_id is not None else f"m-{one.member_id}"
    where = "both" if one.user_id and one.chat else "web" if one.web else "chat"
    return {
        "key": key,
        "name": one.name,
        "email": one.email,
        "role": one.role,
        "where": where,
        "since": one.since,
        "you": one.user_id == viewer.user_id,
    }


def _person(text: str) -> tuple[UUID | None, UUID | None]:
    """(user, member) of a form's name for a person. Raises `NotFound("user")`."""
    kind, _, number = text.partition("-")
    found = _id(number, "user")
    if kind not in ("u", "m"):
        raise NotFound("user")
    return (found, None) if kind == "u" else (None, found)


def _id(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(what) from None
