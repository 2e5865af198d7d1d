"""The leaderboard as the demo's stage shows it: once as JSON, then as server-sent events while it changes."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import i18n
from referral.boards.windows import mark_of
from referral.brands import Brand, find_brand, only_brand
from referral.campaigns import Campaign, current_campaign
from referral.leaderboard import top
from referral.members import Member
from web.boards.hub import Hub, Sight, Topic
from web.parts import Stage
from web.visitors import locale_of

PLACES = 10


def board_of(session: Session, brand: Brand | None, campaign: Campaign | None, locale: str) -> dict[str, Any]:
    """The first places of a campaign."""
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

    def __init__(self, stage: Stage, hub: Hub) -> None:
        self._stage = stage
        self._hub = hub

    async def show(self, request: Request) -> Response:
        topic = self._topic(locale_of(request))
        if "text/event-stream" in request.headers.get("accept", ""):
            return self._hub.stream(request, topic)
        sight = await self._hub.now(topic)
        return JSONResponse(json.loads(sight.body or "{}"), headers={"Cache-Control": "no-store"})

    def _topic(self, locale: str) -> Topic:
        return Topic(("stage", locale), lambda session, last: self._look(session, locale, last))

    def _look(self, session: Session, locale: str, last: Sight | None) -> Sight:
        """The board of the campaign people mean when they name none, and the stage's date."""
        named = self._stage.brand
        brand = find_brand(session, named) if named else only_brand(session)
        campaign = current_campaign(session, brand.id) if brand else None
        mark = mark_of(session, campaign.brand_id, campaign.id) if campaign else None
        today = i18n.moment(locale, self._stage.now(), brand.timezone if brand else "UTC", time=False)
        basis = (campaign.id if campaign else None, mark, today)
        if last is not None and last.basis == basis:
            return last
        board = board_of(session, brand, campaign, locale) | {"today": today}
        return Sight(json.dumps(board, ensure_ascii=False), basis)
