"""Joins the pages on which one comes in and goes out."""

from __future__ import annotations

from starlette.routing import BaseRoute

from web.auth import leaving
from web.auth.door import Doorkeeper
from web.dashboard.desk import Desk


def routes(desk: Desk, door: Doorkeeper) -> list[BaseRoute]:
    """Every page that belongs to a person rather than to a brand."""
    return [*leaving.routes(desk, door)]
