"""Joins the pages on which one comes in and goes out."""

from __future__ import annotations

from starlette.routing import BaseRoute

from web.auth import account, doors, leaving, passkeys, sign_in, staged, starting
from web.auth.door import Doorkeeper
from web.auth.entry import Entry
from web.dashboard.desk import Desk

MODULES = (sign_in, starting, doors, passkeys, account, leaving, staged)


def routes(desk: Desk, door: Doorkeeper) -> list[BaseRoute]:
    """Every page that belongs to a person rather than to a brand."""
    entry = Entry(desk, door)
    return [route for module in MODULES for route in module.routes(entry)]
