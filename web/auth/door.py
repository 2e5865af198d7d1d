"""Who is signed in: the one place that turns a cookie into a person, and a person into a brand's viewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from core import clock, i18n
from referral.users import accounts, roles, sessions
from referral.users.roles import Seat
from web.auth import cookies
from web.auth.devices import device_of
from web.dashboard.desk import Viewer
from web.parts import WebParts
from web.visitors import locale_of

SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody who is signed in. `seats`: the brands they may look at now, with their role for each."""

    user_id: UUID
    session_id: UUID
    name: str
    email: str | None
    has_password: bool
    locale: str | None
    since: datetime
    seen_at: datetime
    csrf: str
    seats: tuple[Seat, ...]

    @property
    def home(self) -> str:
        """Where they go when they want nothing special."""
        return f"/b/{quote(self.seats[0].brand.slug)}/" if self.seats else "/account"


class Doorkeeper:
    """`desk.Door` over cookies and the users' tables."""

    def __init__(self, parts: WebParts) -> None:
        self.parts = parts
        self.secure = parts.settings.public_url.startswith("https://")
        self.operators = frozenset(one.strip() for one in parts.settings.admins.split(",") if one.strip())

    async def signed(self, request: Request) -> Signed | None:
        """Who sends this request, if they are signed in. Asked afresh each time: what somebody may do can have ended
        a moment ago."""
        token = cookies.token_of(request, secure=self.secure)
        if token is None:
            return None
        found = await self.parts.reader.run(lambda session: self._look_up(session, token))
        if found is not None and found.seen_at + sessions.SEEN_EVERY <= clock.now():
            await self.parts.writer.run(lambda session: sessions.note_seen(session, found.session_id))
        return found

    def _look_up(self, session: Session, token: str) -> Signed | None:
        found = sessions.signed_in(session, token)
        if found is None:
            return None
        row, user = found
        seats = roles.seats_of(session, user.id, self.operators)
        return Signed(
            user_id=user.id,
            session_id=row.id,
            name=user.name,
            email=user.email,
            has_password=user.password_hash is not None,
            locale=user.locale,
            since=row.created_at,
            seen_at=row.seen_at,
            csrf=cookies.form_token(token),
            seats=tuple(seats),
        )

    async def locale(self, request: Request, signed: Signed | None) -> str:
        """The language of the answer; one that a signed-in person picks (`?lang=`) is remembered."""
        chosen = locale_of(request, i18n.DEFAULT)
        if signed is None:
            return chosen
        if "lang" not in request.query_params:
            return signed.locale or chosen
        if chosen != signed.locale:
            await self.parts.writer.run(lambda session: accounts.set_locale(session, signed.user_id, chosen))
        return chosen

    async def viewer(self, request: Request) -> Viewer | Response:
        """See `desk.Door`."""
        signed = await self.signed(request)
        if signed is None:
            return self.to_sign_in(request)
        slug = request.path_params["brand"]
        seat = next((one for one in signed.seats if one.brand.slug == slug), None)
        if seat is None:
            raise HTTPException(404)
        return Viewer(
            user_id=signed.user_id,
            session_id=str(signed.session_id),
            name=signed.name,
            brand_id=seat.brand.id,
            brand=seat.brand.slug,
            brand_name=seat.brand.name,
            timezone=seat.brand.timezone,
            role=seat.role,
            locale=await self.locale(request, signed),
            csrf=signed.csrf,
            brands=tuple((one.brand.slug, one.brand.name) for one in signed.seats),
        )

    def to_sign_in(self, request: Request) -> Response:
        """The answer to somebody who must sign in first: they come back to where they wanted to go."""
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        if request.method not in ("GET", "HEAD") or "hx-request" in request.headers:
            # What they typed is lost with the session; the page they typed it on is not.
            page = request.headers.get("hx-current-url") or request.headers.get("referer") or ""
            at = cookies.split(page[:2000])
            wanted = cookies.own_path(at.path + (f"?{at.query}" if at.query else ""), "/")
        where = f"{SIGN_IN}?next={quote(wanted, safe='/')}"
        if request.method not in ("GET", "HEAD"):
            where += "&said=again"  # they were at work: why else would this page stand here now?
        if "hx-request" in request.headers:
            return Response(status_code=401, headers={"HX-Redirect": where, "Cache-Control": "no-store"})
        if "text/event-stream" in request.headers.get("accept", ""):
            return Response(status_code=401, headers={"Cache-Control": "no-store"})
        return RedirectResponse(where, 303, {"Cache-Control": "no-store"})

    async def check_form(self, request: Request, viewer: Viewer) -> None:
        """See `desk.Door`."""
        await self.check(request)

    async def check(self, request: Request) -> None:
        """Raises `NotAllowed` unless a page of ours, shown in this very session, sent the form."""
        cookies.check_origin(request, self.parts.settings.public_url)
        await cookies.check_token(request, cookies.token_of(request, secure=self.secure) or "")

    def check_origin(self, request: Request) -> None:
        """The same for a form of somebody who is not signed in."""
        cookies.check_origin(request, self.parts.settings.public_url)

    def open_session(self, session: Session, user_id: UUID, request: Request, how: str) -> str:
        """Sign somebody in, in a unit of work; the session this browser had before ends. The cookie's token."""
        before = cookies.token_of(request, secure=self.secure)
        known = sessions.signed_in(session, before) if before else None
        if known is not None:
            sessions.end_session(session, known[0].user_id, known[0].id)
        return sessions.open_session(session, user_id, device_of(request), how)

    def welcome(self, token: str, where: str) -> Response:
        """On to a page, signed in."""
        response = RedirectResponse(where, 303, {"Cache-Control": "no-store"})
        self.give(response, token)
        return response

    def give(self, response: Response, token: str) -> None:
        """Let the browser keep the session."""
        cookies.give(response, token, secure=self.secure)
