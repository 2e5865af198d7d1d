"""Signing out."""

from __future__ import annotations

from contextlib import suppress

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import NotFound
from referral.users import sessions
from web.auth import cookies
from web.auth.door import SIGN_IN
from web.auth.entry import Entry


def routes(entry: Entry) -> list[BaseRoute]:
    """`POST /sign-out`."""
    door = entry.door

    async def sign_out(request: Request) -> Response:
        """Twice is once: whoever is out already is told the same."""
        signed = await door.signed(request)
        if signed is not None:
            await door.check(request)

            def end(session: Session) -> None:
                with suppress(NotFound):
                    sessions.end_session(session, signed.user_id, signed.session_id)

            await door.parts.writer.run(end)
        response = RedirectResponse(f"{SIGN_IN}?said=out", 303, {"Cache-Control": "no-store"})
        cookies.take(response, secure=door.secure)
        return response

    return [Route("/sign-out", sign_out, methods=["POST"])]
