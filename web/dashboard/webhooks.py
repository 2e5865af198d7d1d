"""`/settings/webhooks`: where a brand's programs are told of events, what became of each, and sending again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import clock, ids
from core.errors import BadInput, DaixinError, NotFound
from referral.webhooks import addresses, deliveries, endpoints
from referral.webhooks.fanning import endpoints_of
from referral.webhooks.models import TEST, TYPES, WebhookEndpoint
from referral.webhooks.sending import payload_of
from web.dashboard import once
from web.dashboard.desk import Desk, Viewer

PAGE = "/settings/webhooks"
ACT = "connect"
SHOWN = 25
"""Deliveries on one page."""
SHOWN_STATES = ("", "waiting", "delivered", "failed")
_NOTHING: dict[str, Any] = {"url": "", "events": []}
LONGEST_NUMBER = 18
"""Digits of an event's number."""


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._allowed = addresses.read_allowed(desk.parts.settings.webhook_allow)

    async def all(
        self, request: Request, viewer: Viewer, problem: DaixinError | None = None, given: FormData | None = None
    ) -> Response:
        rows = await self._desk.read(viewer, lambda session: _overview(session, viewer.brand_id))
        return self._desk.show(
            request,
            viewer,
            "dashboard/webhooks.html",
            here="settings",
            problem=problem,
            rows=rows,
            types=TYPES,
            given={"url": given.get("url", ""), "events": given.getlist("event")}
            if given
            else {"url": "", "events": []},
            number_of_form=str(ids.new()),
        )

    async def add(self, request: Request, viewer: Viewer) -> Response:
        form = await request.form()
        try:
            made, url, wanted = once.number(form.get(once.FIELD)), await self._url(form), _events(form)
            found, secret = await self._desk.write(
                viewer,
                lambda session: endpoints.add_endpoint(session, viewer.brand_id, url, wanted, viewer.actor, made),
            )
        except DaixinError as error:
            return await self.all(request, viewer, error, form)
        where = f"{PAGE}/{found}"
        response = self._desk.back(viewer, where, "webhook.added")
        return once.give(self._desk, viewer, response, where, secret=secret) if secret is not None else response

    async def one(
        self, request: Request, viewer: Viewer, problem: DaixinError | None = None, typed: FormData | None = None
    ) -> Response:
        which = _id(request)
        shown = await self._desk.read(viewer, lambda session: _one(session, viewer, which, request))
        where = f"{PAGE}/{which}"
        fresh = once.taken(request, viewer, where)
        given = _given(request, shown["endpoint"], typed)
        response = self._desk.show(
            request,
            viewer,
            "dashboard/webhook.html",
            here="settings",
            problem=problem,
            fresh=fresh,
            given=given,
            **shown,
        )
        return once.clear(self._desk, viewer, response) if fresh else response

    async def rows(self, request: Request, viewer: Viewer) -> Response:
        """The deliveries alone, asked for again while something is under way."""
        which = _id(request)
        shown = await self._desk.read(viewer, lambda session: _one(session, viewer, which, request))
        return self._desk.show(request, viewer, "dashboard/webhook_list.html", here="settings", **shown)

    async def change(self, request: Request, viewer: Viewer) -> Response:
        form, which = await request.form(), _id(request)
        try:
            url, wanted = await self._url(form), _events(form)
            change = partial(endpoints.change_endpoint, url=url, types=wanted)
            await self._desk.write(viewer, lambda session: change(session, viewer.brand_id, which, viewer.actor))
        except NotFound:
            raise
        except DaixinError as error:
            return await self.one(request, viewer, error, form)
        return self._desk.back(viewer, f"{PAGE}/{which}", "webhook.changed")

    async def rotate(self, request: Request, viewer: Viewer) -> Response:
        which = _id(request)
        secret = await self._desk.write(
            viewer, lambda session: endpoints.rotate_secret(session, viewer.brand_id, which, viewer.actor)
        )
        where = f"{PAGE}/{which}"
        response = self._desk.back(viewer, where, "webhook.rotated")
        return once.give(self._desk, viewer, response, where, secret=secret)

    async def replay(self, request: Request, viewer: Viewer) -> Response:
        form, which = await request.form(), _id(request)
        try:
            after = _number(str(form.get("after", "")))
            sent, more = await self._desk.write(
                viewer, lambda session: deliveries.replay(session, viewer.brand_id, which, after, viewer.actor)
            )
        except BadInput as error:
            return await self.one(request, viewer, error, form)
        said = "webhook.replayed_more" if more is not None else "webhook.replayed" if sent else "webhook.nothing"
        return self._desk.back(viewer, f"{PAGE}/{which}" + (f"?after={more}" if more is not None else ""), said)

    async def again(self, request: Request, viewer: Viewer) -> Response:
        which, delivery = _id(request), _id(request, "delivery")
        await self._desk.write(
            viewer, lambda session: deliveries.send_again(session, viewer.brand_id, which, delivery, viewer.actor)
        )
        return self._desk.back(viewer, f"{PAGE}/{which}", "webhook.again")

    def act(self, said: str, act: Callable[[Session, UUID, UUID, str], object], to: str = "") -> Any:
        """A button that does one thing to an address."""

        async def pressed(request: Request, viewer: Viewer) -> Response:
            which = _id(request)
            try:
                await self._desk.write(viewer, lambda session: act(session, viewer.brand_id, which, viewer.actor))
            except NotFound:
                raise
            except DaixinError as error:
                return await self.one(request, viewer, error)
            return self._desk.back(viewer, to or f"{PAGE}/{which}", f"webhook.{said}")

        return pressed

    async def _url(self, form: FormData) -> str:
        return await addresses.check_url(str(form.get("url", "")), self._allowed)


def routes(desk: Desk) -> list[BaseRoute]:
    """The pages of webhooks."""
    pages = _Pages(desk)
    one = f"{PAGE}/{{webhook}}"
    posts = {
        "change": pages.change,
        "rotate": pages.rotate,
        "replay": pages.replay,
        "again/{delivery}": pages.again,
        "test": pages.act("tested", lambda session, brand, which, _: endpoints.send_test(session, brand, which)),
        "pause": pages.act("paused", endpoints.pause),
        "resume": pages.act("resumed", endpoints.resume),
        "remove": pages.act("removed", endpoints.remove, PAGE),
    }
    return [
        desk.route(PAGE, pages.all, act=ACT),
        desk.route(PAGE, pages.add, act=ACT, methods=["POST"]),
        desk.route(one, pages.one, act=ACT),
        desk.route(f"{one}/list", pages.rows, act=ACT),
        *(desk.route(f"{one}/{name}", page, act=ACT, methods=["POST"]) for name, page in posts.items()),
    ]


def _overview(session: Session, brand_id: UUID) -> list[dict[str, Any]]:
    return [
        {"endpoint": one, "state": _state(one), "waiting": endpoints.waiting(session, brand_id, one.id)}
        for one in endpoints_of(session, brand_id)
    ]


def _one(session: Session, viewer: Viewer, which: UUID, request: Request) -> dict[str, Any]:
    endpoint = endpoints.endpoint_of(session, viewer.brand_id, which)
    asked = request.query_params
    state, kind = asked.get("state", ""), asked.get("type", "")
    state, kind = state if state in SHOWN_STATES else "", kind if kind in (*TYPES, TEST) else ""
    before = asked.get("before", "")
    found = deliveries.listed(
        session,
        viewer.brand_id,
        which,
        state=state or None,
        kind=kind or None,
        before=_number(before) if before else None,
        limit=SHOWN + 1,
    )
    return {
        "endpoint": endpoint,
        "state": _state(endpoint),
        "waiting": endpoints.waiting(session, viewer.brand_id, which),
        "rows": [(row, _body(row)) for row in found[:SHOWN]],
        "older": found[SHOWN - 1].number if len(found) > SHOWN else None,
        "newest": not before,
        "under_way": _under_way(session, endpoint, found),
        "shown_state": state,
        "shown_kind": kind,
        "states": SHOWN_STATES,
        "types": TYPES,
        "test": TEST,
        "now": clock.now(),
    }


def _under_way(session: Session, endpoint: WebhookEndpoint, rows: Sequence[Row[Any]]) -> bool:
    """Whether the list is likely to be another in a moment."""
    soon = clock.now() + timedelta(seconds=30)
    if any(row.state == "waiting" and row.due_at < soon and (row.test or endpoint.state == "on") for row in rows):
        return True
    return endpoints.has_new(session, endpoint.brand_id)


def _state(endpoint: WebhookEndpoint) -> str:
    """What people are told: an address that is on may be struggling."""
    return "failing" if endpoint.state == "on" and endpoint.failures else endpoint.state


def _body(row: Row[Any]) -> str:
    """What was sent, laid out to be read."""
    return json.dumps(payload_of(row.type, row.at, row.number, row.data), ensure_ascii=False, indent=2)


def _given(request: Request, endpoint: WebhookEndpoint, typed: FormData | None) -> dict[str, Any]:
    """What stands in the forms of an address: how it is, or what was typed where that could not be taken."""
    given = {"url": endpoint.url, "events": endpoint.events, "after": request.query_params.get("after", "")}
    if typed is None:
        return given
    events = {"events": typed.getlist("event")} if "url" in typed else {}
    return given | events | {name: typed[name] for name in ("url", "after") if name in typed}


def _events(form: FormData) -> list[str]:
    """What was ticked; all of it is as none, so that what can be heard some day is heard, too."""
    found = [str(one) for one in form.getlist("event")]
    return [] if set(found) >= set(TYPES) else found


def _number(text: str) -> int:
    plain = text.strip().removeprefix("#")
    if not plain.isascii() or not plain.isdigit() or len(plain) > LONGEST_NUMBER:
        raise BadInput("webhook_number")
    return int(plain)


def _id(request: Request, name: str = "webhook") -> UUID:
    try:
        return UUID(request.path_params[name])
    except ValueError:
        raise NotFound("webhook") from None
