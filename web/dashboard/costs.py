"""What the brand says of its costs: the baseline of CAC, outside costs by month, the worth of points and goods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import clock
from core.errors import BadInput, DaixinError
from core.money import is_currency
from rewards.account_words import asset_words
from rewards.insight.costs import (
    KINDS,
    AssetValue,
    CostBaseline,
    OutsideCost,
    baselines_of,
    costs_of,
    read_cost,
    read_month,
    set_baseline,
    set_cost,
    set_value,
    values_of,
)
from rewards.ledger import LedgerAccount, Purpose
from web.dashboard.desk import Desk, Viewer
from web.dashboard.telling import amount_words, asset_name

PAGE = "/settings/costs"
OFTEN = ("CNY", "USD", "EUR", "GBP", "HKD", "TWD", "SGD", "MYR", "JPY", "KRW", "THB", "VND", "IDR", "AUD", "CAD")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was said so far, and what can be chosen."""

    costs: Sequence[OutsideCost]
    baselines: Mapping[str, CostBaseline]
    values: Mapping[str, AssetValue]
    currencies: Sequence[str]
    assets: Sequence[tuple[str, str]]
    goods: Mapping[str, str]


def routes(desk: Desk) -> list[BaseRoute]:
    """`/b/{brand}/settings/costs`."""

    async def show(request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        seen = await desk.read(viewer, lambda session: _look(session, viewer))
        form = dict(await request.form()) if problem is not None else {}
        items = dict(seen.goods)
        return desk.show(
            request,
            viewer,
            "dashboard/costs.html",
            here="settings",
            problem=problem,
            seen=seen,
            form=form,
            kinds=KINDS,
            month=f"{clock.now().astimezone(ZoneInfo(viewer.timezone)):%Y-%m}",
            asset_name=lambda asset: asset_name(items, viewer.locale, asset),
            of=lambda amount, asset: amount_words(items, viewer.locale, amount, asset),
        )

    async def keep(request: Request, viewer: Viewer) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            gone = await desk.write(viewer, lambda session: _keep(session, viewer, form))
        except BadInput as error:
            return await show(request, viewer, error)
        return desk.back(viewer, PAGE, "dash.removed" if gone else "dash.cost")

    return [desk.route(PAGE, show), desk.route(PAGE, keep, act="campaign", methods=("POST",))]


def _look(session: Session, viewer: Viewer) -> Seen:
    paid = session.scalars(
        select(col(LedgerAccount.asset))
        .where(col(LedgerAccount.brand_id) == viewer.brand_id, col(LedgerAccount.purpose) == Purpose.BUDGET)
        .distinct()
        .order_by(col(LedgerAccount.asset))
    ).all()
    costs, baselines = costs_of(session, viewer.brand_id), baselines_of(session, viewer.brand_id)
    goods = asset_words(session, viewer.brand_id, viewer.locale)
    used = [*(asset for asset in paid if is_currency(asset)), *baselines, *(cost.currency for cost in costs)]
    return Seen(
        costs,
        baselines,
        values_of(session, viewer.brand_id),
        tuple(dict.fromkeys((*used, *OFTEN))),
        [(asset, asset_name(goods, viewer.locale, asset)) for asset in paid if not is_currency(asset)],
        goods,
    )


def _keep(session: Session, viewer: Viewer, form: Mapping[str, str]) -> bool:
    """Keep what a form says; whether that takes something away."""
    currency, note = form.get("currency", ""), form.get("note", "")
    amount = read_cost(form.get("amount", ""), currency)
    match form.get("what", ""):
        case "baseline":
            set_baseline(session, viewer.brand_id, viewer.actor, currency, amount, note)
        case "cost":
            month = read_month(form.get("month", ""))
            kind = form.get("kind", "")
            set_cost(session, viewer.brand_id, viewer.actor, month, currency, kind, amount, note)
        case "value":
            said = form.get("units", "").strip()
            units = int(said) if said.isascii() and said.isdecimal() and len(said) < 13 else 0
            set_value(session, viewer.brand_id, viewer.actor, form.get("asset", ""), units, currency, amount)
        case _:
            raise BadInput("cost_kind")
    return amount == 0
