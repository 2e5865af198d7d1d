"""The session's cookie, and the tokens forms carry."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from core.errors import NotAllowed
from referral.users.sessions import LONGEST

NAME = "daixin"
FIELD, HEADER = "csrf", "x-csrf-token"
_OURS = ("same-origin", "none")


def name_of(*, secure: bool) -> str:
    """Over https a browser takes the prefixed cookie from this very host alone, never from a neighbour of its domain
    (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{NAME}" if secure else NAME


def give(response: Response, token: str, *, secure: bool) -> None:
    """Let the browser keep the session."""
    response.set_cookie(
        name_of(secure=secure),
        token,
        max_age=int(LONGEST.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def take(response: Response, *, secure: bool) -> None:
    """Let the browser forget the session."""
    response.delete_cookie(name_of(secure=secure), path="/", secure=secure, httponly=True, samesite="lax")


def token_of(request: Request, *, secure: bool) -> str | None:
    """The session's token, if the request carries something that could be one."""
    found = request.cookies.get(name_of(secure=secure), "")
    return found if 40 <= len(found) <= 64 else None


def form_token(session_token: str) -> str:
    """What this session's forms carry: nobody can make it who does not have the cookie."""
    return hmac.new(session_token.encode(), b"form", hashlib.sha256).hexdigest()[:43]


def check_origin(request: Request, public_url: str) -> None:
    """Raises `NotAllowed("wrong_origin")` for what another site had the browser send, or no browser sends at all: a
    form in a charset of its own could hold text that cannot be written down."""
    if "charset" in request.headers.get("content-type", "").lower().replace("charset=utf-8", ""):
        raise NotAllowed("wrong_origin")
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in _OURS:
        raise NotAllowed("wrong_origin")
    origin = request.headers.get("origin")
    if origin is None:
        return
    ours = {request.headers.get("host"), urlsplit(public_url).netloc}
    if split(origin).netloc not in ours:
        raise NotAllowed("wrong_origin")


def split(address: str) -> SplitResult:
    """An address that a header names, taken apart; one that is none has no parts."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


async def check_token(request: Request, session_token: str) -> None:
    """Raises `NotAllowed("form_stale")` unless the form, or a header of it, carries this session's token."""
    given = request.headers.get(HEADER)
    if given is None:
        value = (await request.form()).get(FIELD)
        given = value if isinstance(value, str) else ""
    if not hmac.compare_digest(given.encode(), form_token(session_token).encode()):
        raise NotAllowed("form_stale")


def own_path(wanted: str | None, otherwise: str = "/") -> str:
    """Where to go on to: a path of ours, or `otherwise`. Browsers read `//host` and `/\\host` as another site."""
    if not wanted or len(wanted) > 2000 or not wanted.startswith("/") or wanted[1:2] in ("/", "\\"):
        return otherwise
    if any(letter < "!" or letter in "\\\x7f" for letter in wanted):
        return otherwise
    return wanted
