"""`/payouts/batches`: paying by hand. What waits becomes a batch, somebody else approves it where the house wants
that, it goes out as a file with payees in full, and comes back with what the bank said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core.errors import BadInput, DaixinError, NotFound, Refused
from core.sheets import Cell, Line, read_table, sheet_bytes
from referral import audit
from rewards.case_words import actor_name
from rewards.payouts import batches, manual
from rewards.payouts.manual import NAME, problem_words
from rewards.payouts.payouts import Payout, PayoutBatch
from web.dashboard.desk import Desk, Viewer
from web.dashboard.exports import TYPES
from web.dashboard.payouts import lines_of
from web.dashboard.telling import telling_for

PAGE = "/payouts/batches"
LARGEST = 1024 * 1024
UNPACKED = 20 * LARGEST
"""Bytes of a file that comes back, and of what it unpacks to; 500 lines are far less."""


class BatchPages:
    """Their handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def listed(self, request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        shown = await self._desk.read(viewer, lambda session: _listed(session, viewer))
        return self._desk.show(request, viewer, "dashboard/batches.html", here="payouts", problem=problem, **shown)

    async def make(self, request: Request, viewer: Viewer) -> Response:
        form = await request.form()
        provider, _, asset = str(form.get("of", "")).partition(":")
        try:
            number = await self._desk.write(viewer, lambda session: _make(session, viewer, provider, asset))
        except DaixinError as error:
            return await self.listed(request, viewer, error)
        return self._desk.back(viewer, f"{PAGE}/{number}", "desk.batch_made")

    async def one(
        self, request: Request, viewer: Viewer, problem: DaixinError | str | None = None, imported: Any = None
    ) -> Response:
        number = _number(request)
        shown = await self._desk.read(viewer, lambda session: _one(session, viewer, number))
        return self._desk.show(
            request, viewer, "dashboard/batch.html", here="payouts", problem=problem, imported=imported, **shown
        )

    async def approve(self, request: Request, viewer: Viewer) -> Response:
        number = _number(request)
        try:
            await self._desk.write(viewer, lambda session: _approve(session, viewer, number))
        except Refused as error:
            return await self.one(request, viewer, error)
        return self._desk.back(viewer, f"{PAGE}/{number}", "desk.batch_approved")

    async def file(self, request: Request, viewer: Viewer) -> Response:
        number, form = _number(request), await request.form()
        ending = "csv" if form.get("format") == "csv" else "xlsx"
        try:
            rows = await self._desk.write(viewer, lambda session: _export(session, viewer, number))
        except DaixinError as error:
            return await self.one(request, viewer, error)
        body = await asyncio.to_thread(sheet_bytes, ending, "batch", rows)
        name = f"{viewer.brand}-batch-{number}.{ending}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return Response(body, media_type=TYPES[ending], headers=headers)

    async def results(self, request: Request, viewer: Viewer) -> Response:
        number, form = _number(request), await request.form()
        given = form.get("file")
        try:
            if not isinstance(given, UploadFile) or not given.filename:
                raise BadInput("batch_file")
            body = await given.read(LARGEST + 1)
            if len(body) > LARGEST:
                raise BadInput("sheet_large", limit=1)
            lines = await asyncio.to_thread(_lines, body, given.filename)
            done = await self._desk.write(viewer, lambda session: _import(session, viewer, number, lines))
        except NotFound:
            raise
        except DaixinError as error:
            found = error.params.get("problems")
            told = problem_words(viewer.locale, found) if found else None
            return await self.one(request, viewer, Refused("result_file", problems=told) if told else error)
        return await self.one(request, viewer, imported=done)


def routes(desk: Desk) -> list[BaseRoute]:
    pages = BatchPages(desk)
    return [
        desk.route(PAGE, pages.listed, act="money"),
        desk.route(PAGE, pages.make, act="money", methods=["POST"]),
        desk.route(f"{PAGE}/{{number}}", pages.one, act="money"),
        desk.route(f"{PAGE}/{{number}}/approve", pages.approve, act="money", methods=["POST"]),
        desk.route(f"{PAGE}/{{number}}/file", pages.file, act="money", methods=["POST"]),
        desk.route(f"{PAGE}/{{number}}/results", pages.results, act="money", methods=["POST"]),
    ]


def _number(request: Request) -> int:
    text = request.path_params["number"]
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound("payout_batch")
    return int(text)


def _listed(session: Session, viewer: Viewer) -> dict[str, Any]:
    waiting = session.execute(
        select(col(Payout.provider), col(Payout.asset), func.count(), func.sum(col(Payout.amount)))
        .where(
            col(Payout.brand_id) == viewer.brand_id,
            col(Payout.state) == "pending",
            col(Payout.batch_id).is_(None),
            col(Payout.item_id).is_(None),
            (col(Payout.provider) == NAME) | ~col(Payout.approved),
        )
        .group_by(col(Payout.provider), col(Payout.asset))
        .order_by(col(Payout.provider), col(Payout.asset))
    ).all()
    telling, found = telling_for(session, viewer), batches.batches_of(session, viewer.brand_id, 100)
    return {
        "waiting": [(provider, asset, count, int(total)) for provider, asset, count, total in waiting],
        "batches": found,
        "progress": {one.id: batches.progress_of(session, one) for one in found},
        "made_by": {one.id: actor_name(telling, one.created_by) for one in found},
    }


def _make(session: Session, viewer: Viewer, provider: str, asset: str) -> int:
    if not (provider + asset).isprintable():  # PostgreSQL takes no text with a zero in it
        raise Refused("batch_empty")
    batch = batches.create_batch(session, viewer.brand_id, provider[:40], asset[:60], viewer.actor)
    _note(session, viewer, "payout.batch", batch)
    return batch.number


def _note(session: Session, viewer: Viewer, act: str, batch: PayoutBatch) -> None:
    audit.record(session, viewer.brand_id, viewer.actor, act, str(batch.id), number=batch.number)


def _one(session: Session, viewer: Viewer, number: int) -> dict[str, Any]:
    batch = batches.batch_numbered(session, viewer.brand_id, number)
    payouts, telling = batches.payouts_in(session, batch), telling_for(session, viewer)
    return {
        "batch": batch,
        "payouts": payouts,
        "lines": lines_of(session, viewer, payouts),
        "progress": batches.progress_of(session, batch),
        "made_by": actor_name(telling, batch.created_by),
        "approved_by": actor_name(telling, batch.approved_by) if batch.approved_by else "",
        "by_hand": batch.provider == NAME,
        "why_not": batches.involved(session, batch, payouts, viewer.actor),
    }


def _approve(session: Session, viewer: Viewer, number: int) -> UUID:
    found = batches.batch_numbered(session, viewer.brand_id, number)
    batch = batches.approve_batch(session, viewer.brand_id, found.id, viewer.actor)
    _note(session, viewer, "payout.batch_approve", batch)
    return batch.id


def _export(session: Session, viewer: Viewer, number: int) -> list[list[Cell]]:
    batch = batches.batch_numbered(session, viewer.brand_id, number)
    rows = manual.export_batch(session, viewer.brand_id, batch.id, viewer.actor, viewer.locale)
    _note(session, viewer, "payout.batch_export", batch)
    return rows


def _lines(body: bytes, name: str) -> list[Line]:
    return list(read_table(body, Path(name).name[-60:], UNPACKED))


def _import(session: Session, viewer: Viewer, number: int, lines: list[Line]) -> manual.Imported:
    batch = batches.batch_numbered(session, viewer.brand_id, number)
    done = manual.import_results(session, viewer.brand_id, lines, viewer.actor, number)
    _note(session, viewer, "payout.batch_import", batch)
    return done
