"""`/settings/keys`: the keys with which a brand's programs speak to us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import clock, ids
from core.errors import BadInput, Conflict, DaixinError, NotFound
from referral import api_keys, audit
from web.dashboard import once
from web.dashboard.desk import Desk, Viewer

PAGE = "/settings/keys"
ACT = "connect"
DAYS = ("0", "30", "90", "365")
"""For how long a key can be made; 0 is for ever."""
OVERLAPS = ("0", "24", "168")
"""Hours for which a key that is followed by another still opens."""


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(
        self, request: Request, viewer: Viewer, problem: DaixinError | None = None, given: FormData | None = None
    ) -> Response:
        keys = await self._desk.read(viewer, lambda session: api_keys.api_keys_of(session, viewer.brand_id))
        fresh = once.taken(request, viewer, PAGE)
        response = self._desk.show(
            request,
            viewer,
            "dashboard/keys.html",
            here="settings",
            problem=problem,
            keys=[_shown(one) for one in reversed(keys)],
            fresh=fresh,
            given=_given(given),
            number_of_form=str(ids.new()),
            scopes=api_keys.SCOPES,
            days=DAYS,
            overlaps=OVERLAPS,
            api=f"{self._desk.pages.public_url}/api/v1",
        )
        return once.clear(self._desk, viewer, response) if fresh else response

    async def create(self, request: Request, viewer: Viewer) -> Response:
        form = await request.form()
        scopes = [str(one) for one in form.getlist("scope")]

        def unit(session: Session) -> str:
            key_id, days = once.number(form.get(once.FIELD)), _choice(form, "days", DAYS)
            until = clock.now() + timedelta(days=days) if days else None
            name = str(form.get("name", ""))
            key = api_keys.create_api_key(session, viewer.brand_id, name, scopes, until, key_id)
            audit.record(session, viewer.brand_id, viewer.actor, "key.create", str(key_id), scopes=sorted(scopes))
            return key

        return await self._made(request, viewer, unit, form, "created")

    async def rotate(self, request: Request, viewer: Viewer) -> Response:
        form, old = await request.form(), _id(request)

        def unit(session: Session) -> str:
            new, hours = once.number(form.get(once.FIELD)), _choice(form, "hours", OVERLAPS)
            key = api_keys.rotate_api_key(session, viewer.brand_id, old, timedelta(hours=hours), new)
            audit.record(session, viewer.brand_id, viewer.actor, "key.rotate", str(old), follows=str(new))
            return key

        return await self._made(request, viewer, unit, None, "rotated")

    async def revoke(self, request: Request, viewer: Viewer) -> Response:
        key_id = _id(request)

        def unit(session: Session) -> None:
            api_keys.revoke_api_key(session, viewer.brand_id, key_id)
            audit.record(session, viewer.brand_id, viewer.actor, "key.revoke", str(key_id))

        try:
            await self._desk.write(viewer, unit)
        except NotFound as error:
            return await self.show(request, viewer, error)
        return self._desk.back(viewer, PAGE, "keys.revoked")

    async def _made(self, request: Request, viewer: Viewer, unit: Any, form: FormData | None, said: str) -> Response:
        """On to the list, which shows the key that was made once."""
        try:
            key = await self._desk.write(viewer, unit)
        except Conflict:  # the same form once more: its key was made, and shown or lost
            return self._desk.back(viewer, PAGE, "keys.again")
        except DaixinError as error:
            return await self.show(request, viewer, error, form)
        return once.give(self._desk, viewer, self._desk.back(viewer, PAGE, f"keys.{said}"), PAGE, key=key)


def routes(desk: Desk) -> list[BaseRoute]:
    """The keys' page."""
    pages = _Pages(desk)
    return [
        desk.route(PAGE, pages.show, act=ACT),
        desk.route(PAGE, pages.create, act=ACT, methods=["POST"]),
        desk.route(f"{PAGE}/{{key}}/rotate", pages.rotate, act=ACT, methods=["POST"]),
        desk.route(f"{PAGE}/{{key}}/revoke", pages.revoke, act=ACT, methods=["POST"]),
    ]


def _shown(key: api_keys.ApiKey) -> dict[str, Any]:
    """A key as the list shows it. `end`: expired, ending (within a week), or nothing to say."""
    now = clock.now()
    end = ""
    if key.expires_at is not None:
        end = "expired" if key.expires_at <= now else "ending" if key.expires_at <= now + timedelta(days=7) else ""
    columns = {name: getattr(key, name) for name in ("id", "name", "scopes", "created_at", "expires_at", "used_at")}
    return columns | {"end": end, "short": str(key.id)[-8:], "once": str(ids.new())}


def _given(form: FormData | None) -> dict[str, Any]:
    """What was typed, so that it is not lost to a mistake; at first what most keys are for."""
    if form is None:
        return {"name": "", "scopes": ["conversions:write", "conversions:read"], "days": "0"}
    return {"name": form.get("name", ""), "scopes": form.getlist("scope"), "days": form.get("days", "0")}


def _choice(form: FormData, name: str, choices: tuple[str, ...]) -> int:
    said = str(form.get(name, choices[0]))
    if said not in choices:
        raise BadInput("form_choice", field=name)
    return int(said)


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["key"])
    except ValueError:
        raise NotFound("api_key") from None
