"""A secret that is shown once: on the page after the one that made it, and never again.

It travels in a sealed cookie of this session that its page takes away as it shows it. So a form is still answered
with a redirect, loading the page again makes nothing new, and no secret stands in an address or a log.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from core import clock, ids, vault
from core.errors import BadInput, Unavailable
from web.dashboard.desk import Desk, Viewer

COOKIE = "daixin-once"
KEPT = timedelta(minutes=2)
FIELD = "once"
"""The form's own number: sent twice, it makes one thing."""


def give(desk: Desk, viewer: Viewer, response: Response, path: str, **shown: str) -> Response:
    """Let the page at `path` of this brand show these once."""
    until = (clock.now() + KEPT).isoformat()
    sealed = vault.seal({"path": path, "until": until, **shown}, bound_to=_bound(viewer))
    response.set_cookie(
        COOKIE,
        sealed,
        max_age=int(KEPT.total_seconds()),
        path=f"/b/{viewer.brand}/settings",
        httponly=True,
        samesite="lax",
        secure=_secure(desk),
    )
    return response


def taken(request: Request, viewer: Viewer, path: str) -> dict[str, Any]:
    """What this page is to show now; nothing most of the time."""
    try:
        found = vault.unseal(request.cookies.get(COOKIE, ""), bound_to=_bound(viewer))
    except Unavailable:
        return {}
    return found if found["path"] == path and clock.parse(found["until"]) > clock.now() else {}


def clear(desk: Desk, viewer: Viewer, response: Response) -> Response:
    """It was shown."""
    response.delete_cookie(
        COOKIE, path=f"/b/{viewer.brand}/settings", httponly=True, samesite="lax", secure=_secure(desk)
    )
    return response


def number(text: object) -> UUID:
    """The form's own number, or a fresh one. Raises `BadInput("form_number")`."""
    if not text:
        return ids.new()
    try:
        return UUID(str(text))
    except ValueError:
        raise BadInput("form_number") from None


def _bound(viewer: Viewer) -> str:
    return f"once/{viewer.session_id}/{viewer.brand_id}"


def _secure(desk: Desk) -> bool:
    return desk.parts.settings.public_url.startswith("https://")
