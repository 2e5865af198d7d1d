"""How often one may try to come in: by visitor, by account and by device.

Counted in this process's memory: who tries against several processes has several times as many tries, which is still
few. An account that strangers try is closed to strangers only, for minutes: a device that its owner has signed in with
before counts apart (OWASP calls that a device cookie), and passkeys and links from the chat are not counted with it.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from referral.members import keyed_hash
from web.visitors import visitor_of

VISITOR = parse("60 per 10 minutes")
"""Tries from one address (an IPv6 network of one household) for whatever accounts."""
ACCOUNT = parse("10 per 15 minutes")
"""Wrong passwords for one account, from all devices it does not know; and from each it knows."""
STARTS = parse("10 per hour")
"""New brands, and new e-mail addresses of users, from one address: both tell which are taken."""
KNOWN = "daixin-known"
KNOWN_SECONDS = 180 * 24 * 3600


@dataclass(slots=True)
class Throttle:
    """The counters of a process."""

    _window: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))

    def visitor(self, request: Request, limit: RateLimitItem = VISITOR) -> None:
        """Count a try of this visitor. Raises `HTTPException(429)`."""
        self._count(limit, f"visitor:{visitor_of(request)}")

    def account(self, email: str, device: str | None) -> str:
        """Count a try for this account: under what name. Raises `HTTPException(429)`."""
        name = f"device:{device}" if device else f"account:{sha256(email.encode()).hexdigest()}"
        self._count(ACCOUNT, name)
        return name

    def forgive(self, name: str) -> None:
        """It was they: their tries count for nothing."""
        self._window.clear(ACCOUNT, name)

    def _count(self, limit: RateLimitItem, name: str) -> None:
        if not self._window.hit(limit, name):
            reset = self._window.get_window_stats(limit, name).reset_time
            wait = max(1, round(reset - time.time() + 0.5))
            raise HTTPException(429, headers={"Retry-After": str(wait)})


def known_device(request: Request, user_id: UUID, password_hash: str | None) -> str | None:
    """The name of a device this user has signed in with by the password they have now."""
    name, _, mark = request.cookies.get(KNOWN, "").partition(".")
    return name if name and mark == _mark(name, user_id, password_hash) else None


def remember_device(response: Response, user_id: UUID, password_hash: str | None, *, secure: bool) -> None:
    """Let the browser say later that this user has signed in with it; it opens nothing."""
    name = secrets.token_urlsafe(12)
    response.set_cookie(
        KNOWN,
        f"{name}.{_mark(name, user_id, password_hash)}",
        max_age=KNOWN_SECONDS,
        path="/sign-in",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def _mark(name: str, user_id: UUID, password_hash: str | None) -> str:
    return keyed_hash("known device", f"{name}:{user_id}:{password_hash}")
