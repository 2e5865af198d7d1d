"""`/communities`: the groups a brand is in, what each brought, and how further ones are connected."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core.db import table
from core.errors import BadInput, NotFound
from referral import connecting, staff
from referral.brands import Community
from referral.insight.figures import STEPS
from referral.insight.models import InsightFigure
from referral.members import Membership
from rewards.account_words import names_of
from rewards.insight import refresh
from web.dashboard.desk import Desk, Viewer
from web.dashboard.payouts import id_of

PAGE = "/communities"
CODES = ("connect", "partner")


def routes(desk: Desk) -> list[BaseRoute]:
    async def listed(request: Request, viewer: Viewer, made: tuple[str, str] | None = None) -> Response:
        if await desk.read(viewer, lambda session: refresh.is_due(session, viewer.brand_id)):
            await desk.write(viewer, lambda session: refresh.refresh(session, viewer.brand_id))
        shown = await desk.read(viewer, lambda session: _listed(session, viewer))
        return desk.show(
            request,
            viewer,
            "dashboard/communities.html",
            here="communities",
            made=made,
            minutes=staff.CODE_MINUTES,
            bots=await desk.read(viewer, desk.parts.bots),
            **shown,
        )

    async def code(request: Request, viewer: Viewer) -> Response:
        """A one-time code. It is shown this once, so the page is the answer itself."""
        what = str((await request.form()).get("what", ""))
        if what not in CODES:
            raise BadInput("community_code")
        body = await desk.write(viewer, lambda session: staff.new_code(session, viewer.brand_id, what, viewer.actor))
        return await listed(
            request, viewer, (what, f"连接 {body}" if viewer.locale == "zh_Hans" else f"/connect {body}")
        )

    async def off(request: Request, viewer: Viewer) -> Response:
        community_id = id_of(request.path_params["community"], "community")
        await desk.write(viewer, lambda session: _disconnect(session, viewer, community_id))
        return desk.back(viewer, PAGE, "desk.disconnected")

    return [
        desk.route(PAGE, listed),
        desk.route(f"{PAGE}/code", code, act="connect", methods=["POST"]),
        desk.route(f"{PAGE}/{{community}}/disconnect", off, act="connect", methods=["POST"]),
    ]


def _disconnect(session: Session, viewer: Viewer, community_id: UUID) -> None:
    found = session.get(Community, (viewer.brand_id, community_id), populate_existing=True)
    if found is None or found.open:  # the web chat is no group that could be left
        raise NotFound("community_page")
    connecting.disconnect_group(session, found, viewer.actor)


def _listed(session: Session, viewer: Viewer) -> dict[str, Any]:
    found = session.scalars(
        select(Community)
        .where(col(Community.brand_id) == viewer.brand_id)
        .order_by(col(Community.removed_at).is_not(None), col(Community.connected_at), col(Community.id))
    ).all()
    people, friends = _people(session, viewer.brand_id), _friends(session, viewer.brand_id)
    return {
        "communities": [
            {
                "one": one,
                "people": people.get(one.id, (0, 0)),
                "friends": friends.get(one.id, {}),
            }
            for one in found
        ],
        "admins": names_of(session, viewer.brand_id, (one.admin_id for one in found), viewer.locale),
    }


def _people(session: Session, brand_id: UUID) -> dict[UUID, tuple[int, int]]:
    """(who is there now, whoever was ever there) by community."""
    t = table(Membership)
    here = func.sum(case((t.c.left_at.is_(None), 1), else_=0))
    rows = session.execute(
        select(t.c.community_id, here, func.count()).where(t.c.brand_id == brand_id).group_by(t.c.community_id)
    )
    return {key: (int(now), int(ever)) for key, now, ever in rows}


def _friends(session: Session, brand_id: UUID) -> dict[UUID, dict[str, int]]:
    """How many friends came, joined, qualified and bought by community, as the daily figures have it."""
    t = table(InsightFigure)
    rows = session.execute(
        select(t.c.part, t.c.what, func.sum(t.c.amount))
        .where(t.c.brand_id == brand_id, t.c.what.in_(STEPS[1:]), t.c.part.contains("/"))
        .group_by(t.c.part, t.c.what)
    )
    found: dict[UUID, dict[str, int]] = {}
    for part, what, amount in rows:
        _, _, community = part.partition("/")
        if community:
            of = found.setdefault(UUID(community), {})
            of[what] = of.get(what, 0) + int(amount)
    return found
