"""What holds for every request: a largest body, headers that keep browsers safe, and counts for `/metrics`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import cache

from prometheus_client import CollectorRegistry, Counter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.visitors import Network, address_of, told_by

MAX_BODY = 1024 * 1024
"""Bytes of the largest request body; that many are still taken."""
HOOK_BODY = 4 * MAX_BODY
"""The same for what shops and providers send: an order of five hundred lines is larger than anything a page sends, and
a shop gives a receiver up that refuses it."""
Refuse = Callable[[Scope, Receive, Send], Awaitable[None]]


def policy(*, staged: bool, shown_by: str = "") -> str:
    """The Content-Security-Policy: everything from ourselves, nothing inline; frames only on the demo's stage.

    `shown_by`: the origins, apart by spaces, whose pages may show this one in a frame.
    """
    frames = "'self'" if staged else "'none'"
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"frame-src {frames}; form-action 'self'; base-uri 'none'; frame-ancestors {shown_by or frames}"
    )


def guard(
    app: ASGIApp,
    registry: CollectorRegistry,
    *,
    staged: bool,
    secure: bool,
    refuse: Refuse,
    proxies: Sequence[Network] = (),
) -> ASGIApp:
    """`app` with all of it. `secure`: people reach us by https. `refuse` answers a body that is too large.

    `proxies`: our own; behind them a request's client is the visitor they name, for every route alike.
    """
    counted = Counter("daixin_requests", "Requests answered", ["route", "status"], registry=registry)
    count = cache(counted.labels)
    headers = [
        (b"content-security-policy", policy(staged=staged).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
        (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    ]
    always = [(b"strict-transport-security", b"max-age=31536000")] if secure else []

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        if secure:
            scope["scheme"] = "https"  # what leads on from here, such as a missing `/`, must not lead out of it
        if proxies:
            scope["client"] = (address_of(scope, told_by(scope), proxies) or "", 0)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                # What has no content, such as a redirect, needs no policy for it, and each header costs time.
                added = headers if b"content-type" in present else ()
                message["headers"] = [*message["headers"], *always, *(pair for pair in added if pair[0] not in present)]
                count(getattr(scope.get("route"), "path", "none"), message["status"]).inc()
            await send(message)

        if scope["method"] in ("GET", "HEAD"):  # nobody reads a body of theirs
            return await app(scope, receive, send_guarded)
        most = HOOK_BODY if scope["path"].startswith("/hooks/") else MAX_BODY
        if _announced(scope) > most:
            return await refuse(scope, receive, send_guarded)
        await app(scope, _bounded(receive, most), send_guarded)

    return guarded


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _bounded(receive: Receive, most: int) -> Receive:
    """A body that was not announced is counted as it comes."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413)
        return message

    return bounded
