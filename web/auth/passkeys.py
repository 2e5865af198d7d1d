"""Passkeys (WebAuthn, level 3): signing in with one, adding one. What a browser says is checked by py_webauthn.

A challenge is ours by its own keyed hash, holds for minutes, and is used once: the one that opened something is kept
until it would have run out.
"""

from __future__ import annotations

import re
import secrets
import time
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from core.errors import BadInput, NotAllowed
from referral import audit
from referral.members import keyed_hash
from referral.users import links, passkeys, roles
from referral.users.accounts import actor_of
from web.auth.cookies import own_path
from web.auth.door import Signed
from web.auth.entry import Entry
from web.auth.fresh import check_fresh

SECONDS = 300
"""How long a challenge holds."""
_CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{1,1500}")
UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def routes(entry: Entry) -> list[BaseRoute]:
    """What the pages' script asks for."""
    return [
        Route("/sign-in/passkey/options", partial(sign_in_options, entry), methods=["POST"]),
        Route("/sign-in/passkey", partial(sign_in, entry), methods=["POST"]),
        Route("/account/passkeys/options", partial(add_options, entry), methods=["POST"]),
        Route("/account/passkeys", partial(add, entry), methods=["POST"]),
    ]


def party(entry: Entry) -> tuple[str, str]:
    """The relying party's id (our host's name) and origin."""
    address = urlsplit(entry.door.parts.settings.public_url)
    return address.hostname or "", f"{address.scheme}://{address.netloc}"


def new_challenge(what: str) -> bytes:
    """A challenge that `check_challenge` knows to be ours. `what`: for what, and for whom."""
    head = secrets.token_bytes(16) + int(time.time() + SECONDS).to_bytes(8)
    return head + bytes.fromhex(keyed_hash(f"passkey:{what}", head.hex()))


def check_challenge(challenge: bytes, what: str) -> None:
    """Raises `NotAllowed("passkey_late")` unless it is ours, for this, and still holds."""
    head, mark = challenge[:24], challenge[24:]
    ours = secrets.compare_digest(mark.hex(), keyed_hash(f"passkey:{what}", head.hex()))
    if len(challenge) != 40 or not ours or int.from_bytes(head[16:]) < time.time():
        raise NotAllowed("passkey_late")


async def sign_in_options(entry: Entry, request: Request) -> Response:
    """What the browser asks its passkeys with; which user it is they say themselves."""
    entry.door.check_origin(request)
    options = generate_authentication_options(
        rp_id=party(entry)[0],
        challenge=new_challenge("in"),
        timeout=SECONDS * 1000,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _said(options_to_json_dict(options))


async def sign_in(entry: Entry, request: Request) -> Response:
    """`{"credential": …, "next": …}` → `{"to": where to go on}`, signed in."""
    entry.door.check_origin(request)
    entry.throttle.visitor(request)
    body = await _read(request)
    credential = _credential_in(body)
    challenge = _challenge_in(credential)
    check_challenge(challenge, "in")
    key = str(credential.get("id", ""))
    if not _CREDENTIAL.fullmatch(key):
        raise NotAllowed("passkey_unknown")
    known = await entry.door.parts.reader.run(lambda session: passkeys.find_passkey(session, key))
    if known is None:
        raise NotAllowed("passkey_unknown")
    rp_id, origin = party(entry)
    try:
        told = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.uses,
            require_user_verification=True,
        )
    except UNREADABLE:
        raise NotAllowed("passkey_wrong") from None

    def unit(session: Session) -> tuple[str, str]:
        links.spend(session, bytes_to_base64url(challenge))
        passkeys.note_passkey(session, known.id, told.new_sign_count)
        return entry.let_in(session, known.user_id, request, "passkey")

    token, home = await entry.door.parts.writer.run(unit)
    wanted = body.get("next")
    where = own_path(wanted if isinstance(wanted, str) else None, home)
    response = _said({"to": where})
    entry.door.give(response, token)
    return response


async def add_options(entry: Entry, request: Request) -> Response:
    """What the browser makes a passkey with."""
    signed = await _signed(entry, request)
    rows = await entry.door.parts.reader.run(lambda session: passkeys.passkeys_of(session, signed.user_id))
    options = generate_registration_options(
        rp_id=party(entry)[0],
        rp_name="Daixin 带新",
        user_id=signed.user_id.bytes,
        user_name=signed.email or signed.name,
        user_display_name=signed.name,
        challenge=new_challenge(f"add:{signed.session_id}"),
        timeout=SECONDS * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(base64url_to_bytes(row.credential)) for row in rows],
    )
    return _said(options_to_json_dict(options))


async def add(entry: Entry, request: Request) -> Response:
    """`{"credential": …, "name": …}` → `{"to": the account's page}`, with one passkey more."""
    signed = await _signed(entry, request)
    body = await _read(request)
    credential = _credential_in(body)
    challenge = _challenge_in(credential)
    check_challenge(challenge, f"add:{signed.session_id}")
    rp_id, origin = party(entry)
    try:
        told = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=origin,
            require_user_verification=True,
        )
    except UNREADABLE:
        raise NotAllowed("passkey_wrong") from None
    name = str(body.get("name") or "")[:200]

    def unit(session: Session) -> None:
        links.spend(session, bytes_to_base64url(challenge))
        key = bytes_to_base64url(told.credential_id)
        passkeys.add_passkey(session, signed.user_id, key, told.credential_public_key, told.sign_count, name)
        for seat in roles.seats_of(session, signed.user_id, entry.door.operators):
            audit.record(session, seat.brand.id, actor_of(signed.user_id), "user.passkey_added", str(signed.user_id))

    await entry.door.parts.writer.run(unit)
    return _said({"to": "/account?said=passkey_added#passkeys"})


async def _signed(entry: Entry, request: Request) -> Signed:
    """Who asks: signed in by a page of ours, and lately. Raises `NotAllowed`."""
    signed = await entry.door.signed(request)
    if signed is None:
        raise NotAllowed("sign_in_first")
    await entry.door.check(request)
    check_fresh(signed)
    return signed


async def _read(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadInput("not_json")
    try:
        body = from_json(await request.body())  # refuses what is no text, such as half of a surrogate pair
    except ValueError:
        raise BadInput("not_json") from None
    if not isinstance(body, dict):
        raise BadInput("not_json")
    return body


def _credential_in(body: dict[str, Any]) -> dict[str, Any]:
    credential = body.get("credential")
    if not isinstance(credential, dict):
        raise NotAllowed("passkey_wrong")
    return credential


def _challenge_in(credential: dict[str, Any]) -> bytes:
    """The challenge the browser says it answers. Raises `NotAllowed("passkey_wrong")`."""
    try:
        return parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])).challenge
    except UNREADABLE:
        raise NotAllowed("passkey_wrong") from None


def _said(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
