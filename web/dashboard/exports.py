"""`/exports`: ask for a file of the brand's records, see how far it is, take it away."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute

from core import clock, i18n
from core.errors import BadInput, DaixinError, NotFound, Unavailable
from referral.campaigns import Campaign, campaigns_of
from rewards.case_words import actor_name
from rewards.exports import exports, runner
from rewards.exports.exports import FORMATS, KINDS, OF_A_CAMPAIGN, OPEN, TIMELESS, Export, Wish
from web.dashboard.desk import Desk, Viewer
from web.dashboard.telling import telling_for

TYPES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
PAGE = "/exports"
YEARS = range(1970, 3000)
LATE = timedelta(minutes=1)
"""After which it is said that nobody has begun a file."""


class ExportPages:
    """Their handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(self, request: Request, viewer: Viewer) -> Response:
        return await self.show(request, viewer)

    async def show(
        self, request: Request, viewer: Viewer, problem: DaixinError | None = None, given: Any = None
    ) -> Response:
        shown = await self._desk.read(viewer, lambda session: _listed(session, viewer))
        return self._desk.show(
            request,
            viewer,
            "dashboard/exports.html",
            here="exports",
            problem=problem,
            given=given or request.query_params,
            kinds=KINDS,
            of_a_campaign=OF_A_CAMPAIGN,
            timeless=TIMELESS,
            kept_days=exports.KEPT.days,
            **shown,
        )

    async def rows(self, request: Request, viewer: Viewer) -> Response:
        """The list alone, asked for again and again while something is under way."""
        shown = await self._desk.read(viewer, lambda session: _listed(session, viewer))
        return self._desk.show(request, viewer, "dashboard/exports_list.html", here="exports", **shown)

    async def ask(self, request: Request, viewer: Viewer) -> Response:
        form = await request.form()
        try:
            wish = _wish(form, viewer.timezone)
            await self._desk.write(
                viewer, lambda session: exports.ask(session, viewer.brand_id, wish, viewer.locale, viewer.actor)
            )
        except DaixinError as error:
            return await self.show(request, viewer, error, form)
        return self._desk.back(viewer, PAGE, "export.asked")

    async def cancel(self, request: Request, viewer: Viewer) -> Response:
        export_id = _id(request)
        await self._desk.write(
            viewer, lambda session: exports.cancel(session, viewer.brand_id, export_id, viewer.actor)
        )
        return self._desk.back(viewer, PAGE, "export.let_go")

    async def download(self, request: Request, viewer: Viewer) -> Response:
        export_id, folder = _id(request), self._desk.parts.settings.exports_folder
        found, campaign = await self._desk.read(viewer, lambda session: _found(session, viewer, export_id))
        path = runner.path_of(folder, found)
        if found.state == "done" and not await asyncio.to_thread(path.is_file):
            raise Unavailable("export_away")
        await self._desk.write(
            viewer, lambda session: exports.downloaded(session, viewer.brand_id, export_id, viewer.actor)
        )
        day = found.asked_at.astimezone(ZoneInfo(found.timezone)).date().isoformat()
        name = runner.file_name(found, viewer.brand, campaign, day)
        return FileResponse(path, media_type=TYPES[found.format], filename=name, headers={"Cache-Control": "no-store"})


def routes(desk: Desk) -> list[BaseRoute]:
    pages = ExportPages(desk)
    return [
        desk.route(PAGE, pages.page, act="export"),
        desk.route(PAGE, pages.ask, act="export", methods=["POST"]),
        desk.route(f"{PAGE}/list", pages.rows, act="export"),
        desk.route(f"{PAGE}/{{export}}/cancel", pages.cancel, act="export", methods=["POST"]),
        desk.route(f"{PAGE}/{{export}}/file", pages.download, act="export"),
    ]


def _id(request: Request) -> UUID:
    try:
        return UUID(request.path_params["export"])
    except ValueError:
        raise NotFound("export") from None


def _found(session: Session, viewer: Viewer, export_id: UUID) -> tuple[Export, str | None]:
    found = exports.export_of(session, viewer.brand_id, export_id)
    campaign = session.get(Campaign, (viewer.brand_id, found.campaign_id)) if found.campaign_id else None
    return found, campaign.slug if campaign is not None else None


def _listed(session: Session, viewer: Viewer) -> dict[str, Any]:
    campaigns = campaigns_of(session, viewer.brand_id)
    telling = telling_for(session, viewer)
    found = exports.exports_of(session, viewer.brand_id)
    busy = any(one.state == "running" for one in found)
    late = [one.id for one in found if one.state == "waiting" and one.asked_at + LATE <= clock.now() and not busy]
    return {
        "exports": found,
        "asked_by": {one.id: actor_name(telling, one.asked_by) for one in found},
        "campaigns": campaigns,
        "slugs": {one.id: one for one in campaigns},
        "under_way": any(one.state in OPEN for one in found),
        "late": late,
        "now": clock.now(),
        "pick": partial(i18n.pick, locale=viewer.locale),
    }


def _wish(form: FormData, timezone: str) -> Wish:
    """What the form asks for; its days are those of the brand, the last one included."""
    what, format_ = str(form.get("what", "")), str(form.get("format", ""))
    if what not in KINDS or format_ not in (*FORMATS, "csv-plain"):
        raise BadInput("export_kind")
    since, until = _day(form, "since", timezone), _day(form, "until", timezone)
    return Wish(
        what,
        "xlsx" if format_ == "xlsx" else "csv",
        format_ != "csv-plain",
        str(form.get("campaign", "")) or None,
        since,
        until + timedelta(days=1) if until is not None else None,
    )


def _day(form: FormData, name: str, timezone: str) -> datetime | None:
    """The beginning of a day in the brand's zone. Raises `BadInput("export_period")`."""
    text = str(form.get(name, "")).strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput("export_period") from None
    if day.year not in YEARS:
        raise BadInput("export_period")
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC)
