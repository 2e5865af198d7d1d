"""What lets somebody in later (a password, a passkey) is changed only soon after signing in: a browser left open, or a
stolen cookie, must not become a key of its own."""

from __future__ import annotations

from datetime import timedelta

from core import clock
from core.errors import NotAllowed
from web.auth.door import Signed

FRESH = timedelta(hours=1)


def is_fresh(signed: Signed) -> bool:
    """Whether they signed in lately."""
    return clock.now() < signed.since + FRESH


def check_fresh(signed: Signed) -> None:
    """Raises `NotAllowed("sign_in_again")` unless they signed in lately."""
    if not is_fresh(signed):
        raise NotAllowed("sign_in_again")
