"""The leaderboard as the demo's stage shows it: once as JSON, then as server-sent events while it changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from core import i18n
from referral.brands import Brand, find_brand, only_brand
from referral.campaigns import current_campaign
from referral.leaderboard import top
from referral.members import Member
from web.parts import Stage, WebParts
from web.visitors import locale_of

PLACES = 10
LOOK_SECONDS = 0.25
"""How often a stream looks whether this process has committed something; a change shows well within a second."""
KEEP_ALIVE_SECONDS = 15.0


def board_of(session: Session, brand: Brand | None, locale: str) -> dict[str, Any]:
    """The first places of the campaign people mean when they name none."""
    campaign = current_campaign(session, brand.id) if brand else None
    if brand is None or campaign is None:
        return {"brand": brand.name if brand else "", "title": "", "places": []}
    places = top(session, brand.id, campaign.id, PLACES)
    members = select(Member).where(
        col(Member.brand_id) == brand.id, col(Member.id).in_([place.member_id for place in places])
    )
    names = {member.id: member.name for member in session.scalars(members)}
    return {
        "brand": brand.name,
        "title": i18n.pick(campaign.title, locale),
        "places": [
            {"rank": place.rank, "name": names.get(place.member_id, ""), "score": place.score} for place in places
        ],
    }


class StageBoard:
    """`/stage/board`: JSON, or a stream for who accepts `text/event-stream`."""

    def __init__(self, parts: WebParts, stage: Stage) -> None:
        self._parts = parts
        self._stage = stage

    async def show(self, request: Request) -> Response:
        locale = locale_of(request)
        if "text/event-stream" not in request.headers.get("accept", ""):
            return JSONResponse(await self._read(locale), headers={"Cache-Control": "no-store"})
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(self._changes(request, locale), media_type="text/event-stream", headers=headers)

    async def _changes(self, request: Request, locale: str) -> AsyncIterator[str]:
        counts = self._parts.writer.counts
        seen: tuple[int, date] | None = None
        sent, quiet = "", 0.0
        while not self._parts.stopping() and not await request.is_disconnected():
            moment = (counts.commits, self._stage.now().date())
            if moment != seen:
                seen = moment
                board = json.dumps(await self._read(locale), ensure_ascii=False)
                if board != sent:
                    sent, quiet = board, 0.0
                    yield f"data: {board}\n\n"
            if quiet >= KEEP_ALIVE_SECONDS:
                quiet = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(LOOK_SECONDS)
            quiet += LOOK_SECONDS

    async def _read(self, locale: str) -> dict[str, Any]:
        def query(session: Session) -> dict[str, Any]:
            named = self._stage.brand
            brand = find_brand(session, named) if named else only_brand(session)
            zone = brand.timezone if brand else "UTC"
            today = i18n.moment(locale, self._stage.now(), zone, time=False)
            return {**board_of(session, brand, locale), "today": today}

        return await self._parts.reader.run(query)
