"""The first page: who brings customers, what they cost, how far it carries, and on how few shoulders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import select
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import clock, i18n
from core.money import ITEM
from referral.brands import Community
from referral.campaigns import Campaign, campaigns_of, current_campaign, find_campaign
from referral.insight.figures import STEPS
from referral.shop_silence import Silent, silent_shops
from referral.webhooks.endpoints import in_trouble
from referral.webhooks.models import WebhookEndpoint
from rewards.insight import refresh
from rewards.insight.overview import Overview, latest, overview
from rewards.items.items import Item
from web.dashboard import beginning, charts, shown
from web.dashboard.desk import Desk, Viewer

DAYS = (7, 30, 90, 365)
USUAL = 30


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page shows, and the names of what stands in it."""

    figures: Overview
    campaigns: Sequence[Campaign]
    campaign: Campaign | None
    communities: dict[UUID, str]
    goods: dict[str, str]
    stopped: Sequence[WebhookEndpoint]
    """Addresses of the brand's programs that were given up, for who may look after them."""
    silent: Sequence[Silent]
    """Shops that send no more, for whoever may look after them."""
    waiting: Sequence[beginning.Waiting]
    steps: Sequence[beginning.Step]
    """What a brand without a campaign does first."""
    best: beginning.Best | None
    """The first places of the campaign that was chosen, or else of the one people mean when they name none."""


def routes(desk: Desk) -> list[BaseRoute]:
    """`/b/{brand}/`."""

    async def show(request: Request, viewer: Viewer) -> Response:
        days = chosen_days(request)
        slug = request.query_params.get("campaign", "")
        await count_first(desk, viewer)
        seen = await desk.read(viewer, lambda session: look(session, viewer, days, slug))
        return desk.show(
            request,
            viewer,
            "dashboard/overview.html",
            here="overview",
            seen=seen,
            bots=() if seen.campaigns else await desk.read(viewer, desk.parts.bots),
            figures=seen.figures,
            days=days,
            choices=DAYS,
            chart=trend(viewer, seen.figures),
            goods=lambda asset: seen.goods.get(asset, asset),
            pick=lambda title: i18n.pick(title, viewer.locale),
        )

    return [desk.route("/", show)]


def chosen_days(request: Request) -> int:
    """The length of the period that was asked for."""
    asked = request.query_params.get("days", "")
    return int(asked) if asked.isdecimal() and len(asked) < 5 and int(asked) in DAYS else USUAL


async def count_first(desk: Desk, viewer: Viewer) -> None:
    """Let what is new be counted before figures are shown, unless that was just done."""
    if await desk.read(viewer, lambda session: refresh.is_due(session, viewer.brand_id)):
        await desk.write(viewer, lambda session: refresh.refresh(session, viewer.brand_id))


def look(session: Session, viewer: Viewer, days: int, slug: str = "") -> Seen:
    """Everything the page says, in one session."""
    today = clock.now().astimezone(ZoneInfo(viewer.timezone)).date()
    campaign = find_campaign(session, viewer.brand_id, slug) if slug else None
    found = overview(session, viewer.brand_id, latest(today, days), campaign.id if campaign else None)
    places = {place.community_id for place in found.communities if place.community_id}
    rows = session.scalars(
        select(Community).where(col(Community.brand_id) == viewer.brand_id, col(Community.id).in_(places))
    )
    campaigns = campaigns_of(session, viewer.brand_id)
    ranked = campaign or current_campaign(session, viewer.brand_id)
    return Seen(
        found,
        campaigns,
        campaign,
        {row.id: row.title or row.group_id for row in rows},
        goods_of(session, viewer, found.unvalued),
        in_trouble(session, viewer.brand_id) if viewer.may("connect") else (),
        silent_shops(session, viewer.brand_id) if viewer.may("connect") else (),
        beginning.waiting(session, viewer),
        () if campaigns else beginning.steps(session, viewer),
        beginning.best(session, ranked) if ranked else None,
    )


def goods_of(session: Session, viewer: Viewer, assets: Sequence[str]) -> dict[str, str]:
    """What points and goods are called in the viewer's language."""
    named = {asset: i18n.text(viewer.locale, "campaign.points") for asset in assets if asset == "PTS"}
    slugs = [asset.removeprefix(ITEM) for asset in assets if asset.startswith(ITEM)]
    if slugs:
        rows = session.scalars(select(Item).where(col(Item.brand_id) == viewer.brand_id, col(Item.slug).in_(slugs)))
        named |= {ITEM + row.slug: i18n.pick(row.title, viewer.locale) for row in rows}
    return named


def trend(viewer: Viewer, figures: Overview) -> Markup:
    """Friends day by day, as far as each has got."""
    days, locale = figures.period.all(), viewer.locale
    labels, series = charts.together(
        [shown.short_day(locale, day) for day in days],
        [
            charts.Series(i18n.text(locale, f"insight.step.{step}"), figures.sums.series(step, days))
            for step in STEPS[1:]
        ],
    )
    said = i18n.text(locale, "insight.trend"), i18n.text(locale, "dash.figures_of")
    return charts.line_chart(said[0], labels, series, lambda value: shown.number(locale, value, 1), said[1])
