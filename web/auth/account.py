"""`/account`: one's own name and ways in, and where one is signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core import clock
from core.errors import BadInput, DaixinError, NotAllowed, NotFound
from referral import audit
from referral.users import accounts, passkeys, passwords, roles, sessions
from referral.users.accounts import actor_of, user_of
from web.auth.door import Signed
from web.auth.entry import Entry, read_form
from web.auth.fresh import check_fresh, is_fresh
from web.auth.throttle import STARTS

SAID = ("named", "email", "password", "ended", "others", "passkey_added", "passkey_removed")
"""What was done, said on top of the page."""
Change = Callable[[Entry, Request, Signed, dict[str, str]], Awaitable[str]]


def routes(entry: Entry) -> list[BaseRoute]:
    """The page and its forms."""
    forms: dict[str, Change] = {
        "/account/name": rename,
        "/account/email": change_email,
        "/account/password": change_password,
        "/account/sessions/{which}/end": end_one,
        "/account/sessions/end-others": end_others,
        "/account/passkeys/{which}/remove": remove_passkey,
    }
    return [
        Route("/account", partial(show, entry)),
        *(Route(path, partial(_changed, entry, change), methods=["POST"]) for path, change in forms.items()),
    ]


async def show(entry: Entry, request: Request) -> Response:
    """The page."""
    signed = await entry.door.signed(request)
    if signed is None:
        return entry.door.to_sign_in(request)
    return await _page(entry, request, signed)


async def _page(
    entry: Entry,
    request: Request,
    signed: Signed,
    problem: DaixinError | HTTPException | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    keys, places = await entry.door.parts.reader.run(
        lambda session: (
            passkeys.passkeys_of(session, signed.user_id),
            sessions.sessions_of(session, signed.user_id),
        )
    )
    of_email = isinstance(problem, DaixinError) and problem.code == "password_wrong" and "email" in (typed or {})
    locale = await entry.door.locale(request, signed)
    zone = ZoneInfo(signed.seats[0].brand.timezone if signed.seats else "UTC")
    said = request.query_params.get("said")
    return await entry.show(
        request,
        "account.html",
        signed=signed,
        problem=problem,
        said=said if said in SAID else None,
        typed={"name": signed.name, "email": signed.email or ""} | (typed or {}),
        wrong="sure" if of_email else None,
        keys=keys,
        places=places,
        fresh=is_fresh(signed),
        least=passwords.SHORTEST,
        when=lambda moment: format_datetime(
            moment, {"zh_Hans": "y年M月d日 HH:mm", "en": "MMM d, y, HH:mm"}[locale], tzinfo=zone, locale=locale
        ),
        now=clock.now(),
    )


async def _changed(entry: Entry, change: Change, request: Request) -> Response:
    """One of the forms: done, or the page again with the reason."""
    signed = await entry.door.signed(request)
    if signed is None:
        return entry.door.to_sign_in(request)
    await entry.door.check(request)
    fields = await read_form(request)
    try:
        said = await change(entry, request, signed, fields)
    except (DaixinError, HTTPException) as error:
        return await _page(entry, request, signed, error, fields)
    return RedirectResponse(f"/account?said={said}", 303, {"Cache-Control": "no-store"})


async def rename(entry: Entry, request: Request, signed: Signed, fields: dict[str, str]) -> str:
    """What colleagues read."""
    name = accounts.read_name(fields.get("name", ""))
    await entry.door.parts.writer.run(lambda session: accounts.set_name(session, signed.user_id, name))
    return "named"


async def change_email(entry: Entry, request: Request, signed: Signed, fields: dict[str, str]) -> str:
    """The address they sign in with; asked for their password, where they have one."""
    await _sure(entry, signed, fields)
    email = accounts.read_email(fields.get("email", ""))
    entry.throttle.visitor(request, STARTS)  # it says whether an address is taken

    def unit(session: Session) -> None:
        accounts.set_email(session, signed.user_id, email)
        _record(entry, session, signed, "user.email")

    await entry.door.parts.writer.run(unit)
    return "email"


async def change_password(entry: Entry, request: Request, signed: Signed, fields: dict[str, str]) -> str:
    """A new password; everywhere else they are signed out."""
    if signed.email is None:
        raise BadInput("password_without_email")
    await _sure(entry, signed, fields)
    password = passwords.check_password(fields.get("password", ""), signed.email, signed.name)
    kept = await entry.hash(passwords.hash_password, password)

    def unit(session: Session) -> None:
        user = user_of(session, signed.user_id)
        user.password_hash = kept
        session.add(user)
        session.flush()
        sessions.end_sessions(session, signed.user_id, but=signed.session_id)
        _record(entry, session, signed, "user.password", by="self")

    await entry.door.parts.writer.run(unit)
    return "password"


async def _sure(entry: Entry, signed: Signed, fields: dict[str, str]) -> None:
    """Raises `NotAllowed` unless they know their password; without one they must have signed in lately."""
    if not signed.has_password:
        check_fresh(signed)
        return
    counted = entry.throttle.account(f"sure:{signed.user_id}", None)
    user = await entry.door.parts.reader.run(lambda session: user_of(session, signed.user_id))
    right, _ = await entry.hash(passwords.verify_password, fields.get("current", ""), user.password_hash)
    if not right:
        raise NotAllowed("password_wrong")
    entry.throttle.forgive(counted)


async def end_one(entry: Entry, request: Request, signed: Signed, fields: dict[str, str]) -> str:
    """Sign out of one place."""
    which = _id(request, "session")
    await entry.door.parts.writer.run(lambda session: sessions.end_session(session, signed.user_id, which))
    return "ended"


async def end_others(entry: Entry, request: Request, signed: Signed, fields: dict[str, str]) -> str:
    """Sign out everywhere but here."""
    await entry.door.parts.writer.run(
        lambda session: sessions.end_sessions(session, signed.user_id, but=signed.session_id)
    )
    return "others"


async def remove_passkey(entry: Entry, request: Request, signed: Signed, fields: dict[str, str]) -> str:
    """One passkey less."""
    which = _id(request, "passkey")

    def unit(session: Session) -> None:
        passkeys.remove_passkey(session, signed.user_id, which)
        _record(entry, session, signed, "user.passkey_removed")

    await entry.door.parts.writer.run(unit)
    return "passkey_removed"


def _id(request: Request, what: str) -> UUID:
    try:
        return UUID(request.path_params["which"])
    except ValueError:
        raise NotFound(what) from None


def _record(entry: Entry, session: Session, signed: Signed, act: str, **details: str) -> None:
    """In the logs of all brands they have to do with."""
    for seat in roles.seats_of(session, signed.user_id, entry.door.operators):
        audit.record(session, seat.brand.id, actor_of(signed.user_id), act, str(signed.user_id), **details)
