"""`/sign-up`: somebody starts a brand here, where the operator lets anybody; signed in already, one more of theirs."""

from __future__ import annotations

from functools import partial
from secrets import token_hex
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import BadInput, Conflict, DaixinError, NotAllowed
from referral.brands import Brand, create_brand
from referral.users import passwords, roles
from referral.users.accounts import actor_of, create_user, read_email, read_name, user_by_email
from web.auth.door import Signed
from web.auth.entry import Entry, read_form
from web.auth.throttle import STARTS
from web.dashboard import shown

ZONES = (
    *("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Asia/Seoul", "Asia/Bangkok"),
    *("Asia/Jakarta", "Asia/Manila", "Asia/Kolkata", "Asia/Dubai", "Europe/Istanbul", "Europe/Moscow"),
    *("Europe/Athens", "Europe/Berlin", "Europe/Paris", "Europe/London", "UTC", "America/Sao_Paulo"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "Australia/Sydney"),
)


def routes(entry: Entry) -> list[BaseRoute]:
    """The page and its form."""
    return [
        Route("/sign-up", partial(show, entry)),
        Route("/sign-up", partial(sign_up, entry), methods=["POST"]),
    ]


async def show(entry: Entry, request: Request) -> Response:
    """The form, or how one gets in where it is not open to all."""
    return await _form(entry, request, await entry.door.signed(request), {})


async def _form(
    entry: Entry,
    request: Request,
    signed: Signed | None,
    fields: dict[str, str],
    problem: DaixinError | HTTPException | None = None,
) -> Response:
    locale = await entry.door.locale(request, signed)
    given = {name: fields.get(name, "") for name in ("brand", "name", "email", "timezone")}
    return await entry.show(
        request,
        "sign_up.html",
        signed=signed,
        problem=problem,
        status=200 if entry.open else 403,
        open=entry.open,
        given=given,
        zones=[(zone, shown.zone(locale, zone)) for zone in ZONES],
        least=passwords.SHORTEST,
    )


async def sign_up(entry: Entry, request: Request) -> Response:
    """The form, sent."""
    signed = await entry.door.signed(request)
    if signed is None:
        entry.door.check_origin(request)
    else:
        await entry.door.check(request)
    if not entry.open:
        raise NotAllowed("brands_closed")
    fields = await read_form(request)
    try:
        entry.throttle.visitor(request, STARTS)
        token, where = await _start(entry, request, signed, fields)
    except (DaixinError, HTTPException) as error:
        return await _form(entry, request, signed, fields, error)
    if token is None:
        return RedirectResponse(where, 303, {"Cache-Control": "no-store"})
    return entry.door.welcome(token, where)


async def _start(
    entry: Entry, request: Request, signed: Signed | None, fields: dict[str, str]
) -> tuple[str | None, str]:
    locale = await entry.door.locale(request, signed)
    wanted: dict[str, Any] = {
        "name": fields.get("brand", ""),
        "locale": locale,
        "timezone": _zone(fields.get("timezone", "")),
    }
    writer = entry.door.parts.writer
    if signed is not None:
        slug = await writer.run(lambda session: _brand(session, signed.user_id, **wanted))
        return None, f"/b/{slug}/"
    email, name = read_email(fields.get("email", "")), read_name(fields.get("name", ""))
    password = passwords.check_password(fields.get("password", ""), email, name, fields.get("brand"))
    if (known := await _known(entry, email, password)) is not None:

        def enter(session: Session) -> tuple[str, str]:
            slug = _brand(session, known, **wanted)
            return entry.let_in(session, known, request, "password")[0], f"/b/{slug}/"

        return await writer.run(enter)
    kept = await entry.hash(passwords.hash_password, password)

    def unit(session: Session) -> tuple[str, str]:
        user = create_user(session, name, email, kept, locale)
        slug = _brand(session, user.id, **wanted)
        return entry.let_in(session, user.id, request, "start")[0], f"/b/{slug}/"

    return await writer.run(unit)


async def _known(entry: Entry, email: str, password: str) -> UUID | None:
    """The user who has this address already, if this is their password: the button was pressed twice, or it is one
    more brand of theirs. Raises `Conflict("user_email_taken")`, and what the throttle raises."""
    user = await entry.door.parts.reader.run(lambda session: user_by_email(session, email))
    if user is None:
        return None
    counted = entry.throttle.account(email, None)
    right, _ = await entry.hash(passwords.verify_password, password, user.password_hash)
    if not right or user.disabled_at is not None:
        raise Conflict("user_email_taken")
    entry.throttle.forgive(counted)
    return user.id


def _brand(session: Session, user_id: UUID, *, name: str, locale: str, timezone: str) -> str:
    """The slug of the brand: a new one, or the user's own of this very name, made by the same button just before."""
    plain = " ".join(name.split())
    for seat in roles.seats_of(session, user_id):
        if seat.brand.name == plain and seat.role == "owner":
            return seat.brand.slug
    try:
        brand: Brand = create_brand(session, name, locale=locale, timezone=timezone)
    except Conflict:
        # The name's own slug is taken; somebody else's brand of that name is no reason to refuse this one.
        brand = create_brand(session, name, slug=f"b-{token_hex(4)}", locale=locale, timezone=timezone)
    roles.give(session, brand.id, user_id, "owner", actor_of(user_id))
    return brand.slug


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput("timezone_unknown") from None
    return text
