"""`/door/{token}`: one-time links. Looking at one leaves it as it is (chats fetch links to preview them, people come
back to them); only its button uses it up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlmodel import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import DaixinError, NotAllowed, Refused
from referral import audit, staff
from referral.brands import Brand
from referral.linking import person_of
from referral.members import Member, identities_of
from referral.users import links, passwords, roles, sessions
from referral.users.accounts import actor_of, create_user, read_email, read_name, user_of
from referral.users.links import DoorLink
from web.auth.door import Signed
from web.auth.entry import Entry, read_form


@dataclass(frozen=True, slots=True)
class Found:
    """A link that works, and what stands on its page."""

    what: str
    brand: str | None
    slug: str | None
    name: str | None
    role: str | None
    email: str | None


def routes(entry: Entry) -> list[BaseRoute]:
    """A link's page and its button."""
    return [
        Route("/door/{token}", partial(show, entry)),
        Route("/door/{token}", partial(use, entry), methods=["POST"]),
    ]


async def show(entry: Entry, request: Request) -> Response:
    """What the link is for."""
    return await _page(entry, request, await entry.door.signed(request))


async def _page(
    entry: Entry,
    request: Request,
    signed: Signed | None,
    problem: DaixinError | HTTPException | None = None,
    fields: dict[str, str] | None = None,
) -> Response:
    token = request.path_params["token"]
    try:
        found = await entry.door.parts.reader.run(lambda session: _look(entry, session, token))
    except Refused:
        return await entry.show(request, "door_closed.html", signed=signed, status=410)
    given = {name: (fields or {}).get(name, "") for name in ("name", "email")}
    return await entry.show(
        request,
        "door.html",
        signed=signed,
        problem=problem,
        found=found,
        token=token,
        given=given,
        least=passwords.SHORTEST,
    )


def _look(entry: Entry, session: Session, token: str) -> Found:
    link = links.look(session, token)
    brand = session.get(Brand, link.brand_id) if link.brand_id is not None else None
    name, role, email = None, link.role, None
    if link.what == "enter":
        member, role = _member(entry, session, link)
        name = member.name
    if link.what == "invite":
        _check_host(entry, session, link)
    if link.what == "reset" and link.user_id is not None:
        user = user_of(session, link.user_id)
        name, email = user.name, user.email
    return Found(link.what, brand.name if brand else None, brand.slug if brand else None, name, role, email)


def _member(entry: Entry, session: Session, link: DoorLink) -> tuple[Member, str]:
    """Who comes from the chat, and their role now. Raises `Refused("door_closed")` for whoever has none any more."""
    assert link.brand_id is not None
    assert link.member_id is not None
    person = person_of(session, link.brand_id, link.member_id)
    member = session.get(Member, (link.brand_id, person))
    if member is None or member.erased_at is not None:
        raise Refused("door_closed")
    accounts = identities_of(session, link.brand_id, [person])
    named = any(f"{one.platform}:{one.account}" in entry.door.operators for one in accounts)
    role = "owner" if named else staff.role_of(session, link.brand_id, person)
    if role is None:
        raise Refused("door_closed")
    return member, role


def _check_host(entry: Entry, session: Session, link: DoorLink) -> None:
    """Raises `Refused("door_closed")` where whoever invites may not any more: nobody comes in by what they gave out."""
    kind, _, number = link.made_by.partition(":")
    if kind != "user" or link.brand_id is None:
        return
    role = roles.role_of(session, link.brand_id, UUID(number), entry.door.operators)
    if not staff.may(role, "staff"):
        raise Refused("door_closed")


async def use(entry: Entry, request: Request) -> Response:
    """The button. Pressed twice it leads on all the same, for whoever it let in."""
    entry.door.check_origin(request)
    signed = await entry.door.signed(request)
    fields = await read_form(request)
    token = request.path_params["token"]
    try:
        link = await entry.door.parts.reader.run(lambda session: links.look(session, token))
    except Refused:
        if (
            signed is not None
            and signed.seats
            and await entry.door.parts.reader.run(lambda session: links.was_used_by(session, token, signed.user_id))
        ):
            return RedirectResponse(signed.home, 303, {"Cache-Control": "no-store"})
        return await _page(entry, request, signed)
    try:
        entry.throttle.visitor(request)
        match link.what:
            case "enter":
                return await _enter(entry, request, token)
            case "invite":
                return await _join(entry, request, token, signed, fields)
            case "reset":
                return await _reset(entry, request, token, link.user_id, fields)
    except (DaixinError, HTTPException) as error:
        return await _page(entry, request, signed, error, fields)
    raise HTTPException(404)


async def _enter(entry: Entry, request: Request, token: str) -> Response:
    def unit(session: Session) -> tuple[str, str]:
        link = links.use(session, token)
        member, _ = _member(entry, session, link)
        user = roles.come_as(session, member.brand_id, member.id, member.name, member.locale)
        links.note_user(session, link, user.id)
        brand = session.get_one(Brand, member.brand_id)
        return entry.let_in(session, user.id, request, "link")[0], f"/b/{brand.slug}/"

    return entry.door.welcome(*await entry.door.parts.writer.run(unit))


async def _join(entry: Entry, request: Request, token: str, signed: Signed | None, fields: dict[str, str]) -> Response:
    """An invitation: for whoever is signed in, or for somebody new."""
    if signed is not None and fields.get("as") == "me":
        await entry.door.check(request)
        where = await entry.door.parts.writer.run(lambda session: _take_seat(entry, session, token, signed.user_id))
        return RedirectResponse(where, 303, {"Cache-Control": "no-store"})
    email, name = read_email(fields.get("email", "")), read_name(fields.get("name", ""))
    kept = await entry.hash(passwords.hash_password, passwords.check_password(fields.get("password", ""), email, name))
    locale = await entry.door.locale(request, signed)

    def unit(session: Session) -> tuple[str, str]:
        user = create_user(session, name, email, kept, locale)
        where = _take_seat(entry, session, token, user.id)
        return entry.let_in(session, user.id, request, "invite")[0], where

    return entry.door.welcome(*await entry.door.parts.writer.run(unit))


def _take_seat(entry: Entry, session: Session, token: str, user_id: UUID) -> str:
    """Give the role an invitation was made for; a higher one they have stays."""
    link = links.use(session, token)
    assert link.brand_id is not None
    assert link.role is not None
    _check_host(entry, session, link)
    links.note_user(session, link, user_id)
    had = roles.role_of(session, link.brand_id, user_id)
    if staff.higher(had, link.role) != had:
        roles.give(session, link.brand_id, user_id, link.role, link.made_by)
    return f"/b/{session.get_one(Brand, link.brand_id).slug}/"


async def _reset(entry: Entry, request: Request, token: str, user_id: UUID | None, fields: dict[str, str]) -> Response:
    """A new password; whoever was signed in with the old one is out everywhere."""
    assert user_id is not None
    user = await entry.door.parts.reader.run(lambda session: user_of(session, user_id))
    password = passwords.check_password(fields.get("password", ""), user.email, user.name)
    kept = await entry.hash(passwords.hash_password, password)

    def unit(session: Session) -> tuple[str, str]:
        links.use(session, token)
        now = user_of(session, user_id)
        if now.disabled_at is not None:
            raise NotAllowed("user_disabled")
        now.password_hash = kept
        session.add(now)
        session.flush()
        sessions.end_sessions(session, user_id)
        for seat in roles.seats_of(session, user_id, entry.door.operators):
            audit.record(session, seat.brand.id, actor_of(user_id), "user.password", str(user_id), by="link")
        return entry.let_in(session, user_id, request, "link")

    return entry.door.welcome(*await entry.door.parts.writer.run(unit))
