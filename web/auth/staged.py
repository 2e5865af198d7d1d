"""The demo's way into the dashboard: one button, for whoever sits before the stage."""

from __future__ import annotations

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from referral.brands import Brand
from referral.members import Member
from referral.users import roles
from web.auth.entry import Entry


def routes(entry: Entry) -> list[BaseRoute]:
    """`POST /stage/dashboard`, on the stage only."""
    stage = entry.door.parts.stage
    if stage is None or stage.admin is None:
        return []
    admin = stage.admin

    async def enter(request: Request) -> Response:
        """As the one who runs the demo's brand; a second press is the same person again."""
        entry.door.check_origin(request)
        locale = await entry.door.locale(request, None)

        def unit(session: Session) -> tuple[str, str]:
            brand_id, member_id = admin(session)
            member = session.get_one(Member, (brand_id, member_id))
            user = roles.come_as(session, brand_id, member_id, member.name, locale)
            slug = session.get_one(Brand, brand_id).slug
            return entry.let_in(session, user.id, request, "link")[0], f"/b/{slug}/?lang={locale}"

        return entry.door.welcome(*await entry.door.parts.writer.run(unit))

    return [Route("/stage/dashboard", enter, methods=["POST"])]
