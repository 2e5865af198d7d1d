"""Joins the pages of the dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from web.dashboard.desk import Desk

MODULES: Sequence[object] = ()


def routes(desk: Desk) -> list[BaseRoute]:
    """Every page of a brand, and what stands beside them."""
    return []
