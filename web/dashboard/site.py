"""Joins the pages of the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import BaseRoute

from web.dashboard import (
    advocates,
    attribution,
    batches,
    campaigns,
    communities,
    costs,
    exports,
    journey,
    keys,
    leaderboard,
    ledger,
    members,
    overview,
    payouts,
    review,
    sharing,
    shops,
    trials,
    webhooks,
)
from web.dashboard.desk import Desk

PAGES: Sequence[Callable[[Desk], list[BaseRoute]]] = (
    advocates.routes,
    campaigns.routes,
    costs.routes,
    attribution.routes,
    exports.routes,
    journey.routes,
    keys.routes,
    leaderboard.routes,
    members.routes,
    overview.routes,
    review.routes,
    sharing.routes,
    shops.routes,
    webhooks.routes,
    batches.routes,
    payouts.routes,
    ledger.routes,
    communities.routes,
    trials.routes,
)
"""Each page's `routes`."""


def routes(desk: Desk) -> list[BaseRoute]:
    """Every page of a brand, and what stands beside them."""
    return [route for page in PAGES for route in page(desk)]
