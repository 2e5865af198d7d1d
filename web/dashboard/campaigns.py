"""Campaigns: all of them at a glance, and each with what it has come to, what it costs and what was done to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import func, select
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import clock, i18n
from core.db import table
from core.errors import BadInput, DaixinError
from referral import audit
from referral.campaigns import MOVES, STATES, Campaign, campaigns_of, find_campaign
from referral.insight.figures import Period
from referral.insight.models import InsightFigure
from rewards.account_words import asset_words
from rewards.campaign_edits import steer
from rewards.case_words import actor_name
from rewards.insight.overview import Overview, overview
from rewards.ledger import LedgerAccount, Purpose
from rewards.plans import RewardPlan, plan_of
from web.dashboard import charts, shown
from web.dashboard.beginning import Best, best
from web.dashboard.desk import Desk, Viewer
from web.dashboard.overview import count_first
from web.dashboard.telling import amount_words, asset_name, telling_for

PAGE = "/campaigns"
LISTED = 30
LOGGED = 20
LOG = ("launch", "schedule", "pause", "resume", "end", "edit", "extend", "budget", "apply", "duplicate", "announce")
"""What is told of a campaign's life, of all that is in the audit log."""
CAN = {"running": ("pause", "end"), "paused": ("resume", "end"), "scheduled": ("end",)}
"""What can be done here, by state; everything else is done in the chat."""
STEPS = ("came", "qualified", "purchased")


@dataclass(frozen=True, slots=True)
class Budget:
    """Of an asset: what was set aside, what is spent, what is left, all written out; `share` of it spent, 0 … 1.
    `returned`: what went back to the brand when the campaign was settled, None before."""

    asset: str
    whole: str
    spent: str
    left: str
    share: float
    returned: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the list. `people`: by step."""

    campaign: Campaign
    title: str
    people: dict[str, int]
    budget: Budget | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done to a campaign."""

    at: object
    who: str
    act: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything one campaign's page shows."""

    campaign: Campaign
    title: str
    figures: Overview
    budgets: Sequence[Budget]
    best: Best
    log: Sequence[Entry]
    goods: dict[str, str]


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def listed(self, request: Request, viewer: Viewer) -> Response:
        """The newest first; `?state=` shows those of one state, `?page=` older ones."""
        asked = request.query_params.get("state", "")
        states = (asked,) if asked in STATES else STATES
        number = request.query_params.get("page", "")
        page = int(number) if number.isdecimal() and len(number) < 5 else 0
        await count_first(self._desk, viewer)
        lines, more = await self._desk.read(viewer, lambda session: _listed(session, viewer, states, page))
        return self._desk.show(
            request,
            viewer,
            "dashboard/campaigns.html",
            here="campaigns",
            lines=lines,
            state=states[0] if len(states) == 1 else "",
            states=STATES,
            page=page,
            more=more,
        )

    async def one(self, request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        """`?view=total` shows the course in sums; `?ask=end` asks before it ends."""
        await count_first(self._desk, viewer)
        slug = request.path_params["campaign"]
        seen = await self._desk.read(viewer, lambda session: _look(session, viewer, slug))
        total = request.query_params.get("view") == "total"
        can = CAN.get(seen.campaign.state, ()) if viewer.may("campaign") else ()
        asks = request.query_params.get("ask")
        return self._desk.show(
            request,
            viewer,
            "dashboard/campaign.html",
            here="campaigns",
            problem=problem,
            seen=seen,
            campaign=seen.campaign,
            figures=seen.figures,
            total=total,
            can=can,
            asks=asks if asks in can else "",
            chart=_course(viewer, seen.figures, total=total),
            goods=lambda asset: asset_name(seen.goods, viewer.locale, asset),
        )

    async def act(self, request: Request, viewer: Viewer) -> Response:
        """Pause, resume or end it. What is so already is not done again."""
        form = await request.form()
        what, slug = str(form.get("what", "")), request.path_params["campaign"]

        def unit(session: Session) -> None:
            campaign = find_campaign(session, viewer.brand_id, slug)
            if what not in ("pause", "resume", "end"):
                raise BadInput("campaign_act")
            if campaign.state not in MOVES[what].values():
                steer(session, campaign, what, viewer.actor)

        try:
            await self._desk.write(viewer, unit)
        except DaixinError as error:
            if error.code != "campaign_state":
                raise
            return await self.one(request, viewer, error)
        return self._desk.back(viewer, f"{PAGE}/{slug}", f"dash.{what}")


def routes(desk: Desk) -> list[BaseRoute]:
    """`/b/{brand}/campaigns` and each of them."""
    pages = _Pages(desk)
    return [
        desk.route(PAGE, pages.listed),
        desk.route(f"{PAGE}/{{campaign}}", pages.one),
        desk.route(f"{PAGE}/{{campaign}}/act", pages.act, act="campaign", methods=("POST",)),
    ]


def _listed(session: Session, viewer: Viewer, states: Sequence[str], page: int) -> tuple[list[Listed], bool]:
    found = campaigns_of(session, viewer.brand_id, states)
    shown_here = found[page * LISTED : (page + 1) * LISTED]
    ids = [one.id for one in shown_here]
    people: dict[UUID, dict[str, int]] = {campaign_id: {} for campaign_id in ids}
    t = table(InsightFigure)
    rows = session.execute(
        select(t.c.campaign_id, t.c.what, func.sum(t.c.amount))
        .where(t.c.brand_id == viewer.brand_id, t.c.campaign_id.in_(ids), t.c.what.in_(STEPS))
        .group_by(t.c.campaign_id, t.c.what)
    )
    for campaign_id, what, amount in rows:
        people[campaign_id][what] = int(amount)
    budgets = _budgets(session, viewer, shown_here)
    lines = [
        Listed(one, i18n.pick(one.title, viewer.locale), people[one.id], next(iter(budgets[one.id]), None))
        for one in shown_here
    ]
    return lines, len(found) > (page + 1) * LISTED


def _look(session: Session, viewer: Viewer, slug: str) -> Seen:
    campaign = find_campaign(session, viewer.brand_id, slug)
    figures = overview(session, viewer.brand_id, _period(campaign, viewer.timezone), campaign.id)
    return Seen(
        campaign,
        i18n.pick(campaign.title, viewer.locale),
        figures,
        _budgets(session, viewer, [campaign])[campaign.id],
        best(session, campaign),
        _log(session, viewer, campaign),
        asset_words(session, viewer.brand_id, viewer.locale),
    )


def _period(campaign: Campaign, timezone: str) -> Period:
    """From its first day until today: friends may still move on after its end."""
    zone = ZoneInfo(timezone)
    today = clock.now().astimezone(zone).date()
    first = min(campaign.starts_at, campaign.created_at).astimezone(zone).date()
    return Period(min(first, today), today)


def _budgets(session: Session, viewer: Viewer, campaigns: Sequence[Campaign]) -> dict[UUID, list[Budget]]:
    """What each campaign set aside in its newest plan and what is left of it in the books, its own asset first.

    What a settled campaign did not spend is back with the brand: there the days' figures say what it gave.
    """
    ids = [one.id for one in campaigns]
    a, p = table(LedgerAccount), table(RewardPlan)
    rows = session.execute(
        select(a.c.owner_id, a.c.asset, a.c.balance).where(
            a.c.brand_id == viewer.brand_id, a.c.owner_id.in_(ids), a.c.purpose == Purpose.BUDGET
        )
    )
    left = {(owner, asset): amount for owner, asset, amount in rows}
    versions = select(p.c.campaign_id, func.max(p.c.version)).where(
        p.c.brand_id == viewer.brand_id, p.c.campaign_id.in_(ids)
    )
    latest = dict(session.execute(versions.group_by(p.c.campaign_id)).all())
    given = _given(session, viewer.brand_id, [one.id for one in campaigns if one.state == "settled"])
    items = asset_words(session, viewer.brand_id, viewer.locale)
    found: dict[UUID, list[Budget]] = {}
    for one in campaigns:
        plan = plan_of(session, viewer.brand_id, one.id, latest.get(one.id, one.version))
        found[one.id] = []
        for asset in plan.assets:
            if whole := plan.budget_of(asset):
                rest = left.get((one.id, asset), 0)
                spent = given.get((one.id, asset), 0) if one.state == "settled" else whole - rest
                budget = _budget(items, viewer.locale, asset, whole, max(spent, 0), rest, one.state == "settled")
                found[one.id].append(budget)
    return found


def _given(session: Session, brand_id: UUID, campaigns: Sequence[UUID]) -> dict[tuple[UUID, str], int]:
    """What these campaigns gave of each asset, less what was taken back."""
    if not campaigns:
        return {}
    t = table(InsightFigure)
    rows = session.execute(
        select(t.c.campaign_id, t.c.part, t.c.what, func.sum(t.c.amount))
        .where(t.c.brand_id == brand_id, t.c.campaign_id.in_(campaigns), t.c.what.in_(("granted", "taken_back")))
        .group_by(t.c.campaign_id, t.c.part, t.c.what)
    )
    found: dict[tuple[UUID, str], int] = {}
    for campaign_id, asset, what, amount in rows:
        found[(campaign_id, asset)] = found.get((campaign_id, asset), 0) + int(amount) * (
            -1 if what != "granted" else 1
        )
    return found


def _budget(items: dict[str, str], locale: str, asset: str, whole: int, spent: int, left: int, settled: bool) -> Budget:
    amounts = (whole, spent, left, max(whole - spent - left, 0))
    said = [amount_words(items, locale, amount, asset) for amount in amounts]
    return Budget(asset, said[0], said[1], said[2], spent / whole, said[3] if settled else None)


def _log(session: Session, viewer: Viewer, campaign: Campaign) -> list[Entry]:
    acts = [f"campaign.{act}" for act in LOG]
    rows = audit.entries_of(session, viewer.brand_id, subject=campaign.slug, acts=acts, most=LOGGED)
    telling = telling_for(session, viewer)
    return [Entry(row.at, actor_name(telling, row.actor), row.act.partition(".")[2]) for row in rows]


def _course(viewer: Viewer, figures: Overview, *, total: bool) -> Markup:
    """Friends day by day, or all until each day."""
    days, locale = figures.period.all(), viewer.locale
    lines = []
    for step in STEPS:
        values = figures.sums.series(step, days)
        lines.append(charts.Series(i18n.text(locale, f"insight.step.{step}"), _grown(values) if total else values))
    labels, series = charts.together([shown.short_day(locale, day) for day in days], lines, last=total)
    said = i18n.text(locale, "insight.trend"), i18n.text(locale, "dash.figures_of")
    return charts.line_chart(said[0], labels, series, lambda value: shown.number(locale, value, 1), said[1])


def _grown(values: Sequence[int]) -> list[int]:
    found, whole = [], 0
    for value in values:
        whole += value
        found.append(whole)
    return found
