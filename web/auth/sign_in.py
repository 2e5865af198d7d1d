"""`/sign-in`: by e-mail and password. Whoever is unknown and whoever is wrong hear the same, after the same time."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from sqlmodel import Session
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core import i18n
from core.errors import BadInput, DaixinError, NotAllowed, NotFound
from referral import audit
from referral.users import passwords, roles
from referral.users.accounts import User, actor_of, read_email, user_by_email, user_of
from web.auth import throttle
from web.auth.cookies import own_path
from web.auth.devices import device_of
from web.auth.entry import Entry, read_form


def routes(entry: Entry) -> list[BaseRoute]:
    """The page and its form."""
    return [
        Route("/sign-in", partial(show, entry)),
        Route("/sign-in", partial(sign_in, entry), methods=["POST"]),
    ]


async def show(entry: Entry, request: Request) -> Response:
    """The form; whoever is signed in goes on at once."""
    signed = await entry.door.signed(request)
    wanted = own_path(request.query_params.get("next"), "")
    if signed is not None and "again" not in request.query_params:
        return RedirectResponse(wanted or signed.home, 303, {"Cache-Control": "no-store"})
    said = request.query_params.get("said")
    return await _form(entry, request, wanted=wanted, said=said if said in ("out", "again") else None)


async def _form(
    entry: Entry,
    request: Request,
    *,
    wanted: str,
    email: str = "",
    problem: DaixinError | str | None = None,
    status: int = 200,
    said: str | None = None,
) -> Response:
    return await entry.show(
        request,
        "sign_in.html",
        problem=problem,
        status=status,
        wanted=wanted,
        email=email,
        said=said,
        open=entry.open,
    )


async def sign_in(entry: Entry, request: Request) -> Response:
    """The form, sent."""
    entry.door.check_origin(request)
    fields = await read_form(request)
    given, wanted = fields.get("email", ""), own_path(fields.get("next"), "")
    again = partial(_form, entry, request, wanted=wanted, email=given[:254])
    try:
        entry.throttle.visitor(request)
        return await _try(entry, request, given, fields.get("password", ""), wanted)
    except NotAllowed as error:
        response = await again(problem=error)
        response.background = BackgroundTask(_note_failure, entry, request, given)
        return response
    except HTTPException as error:
        if error.status_code != 429:
            raise
        wait = int((error.headers or {})["Retry-After"])
        locale = await entry.door.locale(request, None)
        words = i18n.text(locale, "auth.too_often", n=-(-wait // 60))
        response = await again(problem=words, status=429)
        response.headers["Retry-After"] = str(wait)
        return response


async def _try(entry: Entry, request: Request, given: str, password: str, wanted: str) -> Response:
    # What is no address is nobody's, and nothing a database could be asked for either.
    email = _email_or_none(given) or ""
    user = await entry.door.parts.reader.run(lambda session: user_by_email(session, email))
    kept = user.password_hash if user is not None else None
    device = throttle.known_device(request, user.id, kept) if user is not None else None
    counted = entry.throttle.account(email or given[:254], device)
    right, better = await entry.hash(passwords.verify_password, password, kept)
    if user is None or not right:
        raise NotAllowed("sign_in_wrong")
    token, home = await entry.door.parts.writer.run(
        lambda session: _let_in(entry, session, user, kept, better, request)
    )
    entry.throttle.forgive(counted)
    response = entry.door.welcome(token, wanted or home)
    throttle.remember_device(response, user.id, better or kept, secure=entry.door.secure)
    return response


def _let_in(
    entry: Entry, session: Session, user: User, kept: str | None, better: str | None, request: Request
) -> tuple[str, str]:
    try:
        now = user_of(session, user.id)
    except NotFound:
        raise NotAllowed("sign_in_wrong") from None
    if now.password_hash != kept or now.disabled_at is not None:
        raise NotAllowed("sign_in_wrong")  # changed while we looked at the old one
    if better is not None:
        now.password_hash = better
        session.add(now)
        session.flush()
    return entry.let_in(session, user.id, request, "password")


async def _note_failure(entry: Entry, request: Request, given: str) -> None:
    """A wrong password stands in the logs of the brands it would have opened; written after the answer, so that the
    answer's time says nothing about who exists."""

    def unit(session: Session) -> None:
        user = user_by_email(session, _email_or_none(given) or "")
        if user is not None:
            for brand_id in _brands_of(session, user.id):
                audit.record(
                    session, brand_id, actor_of(user.id), "user.sign_in_failed", str(user.id), device=device_of(request)
                )

    await entry.door.parts.writer.run(unit)


def _email_or_none(given: str) -> str | None:
    try:
        return read_email(given)
    except BadInput:
        return None


def _brands_of(session: Session, user_id: UUID) -> list[UUID]:
    return [seat.brand.id for seat in roles.seats_of(session, user_id)]
