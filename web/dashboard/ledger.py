"""`/ledger`: what lies where, what is left of each budget, every transfer, and whether the books were proved."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from core import i18n
from rewards import bookkeeping, books
from rewards.account_words import account_words, asset_words, purpose_words
from rewards.bookkeeping import Wanted
from rewards.ledger import Purpose
from rewards.proofs import blocks, proofs
from rewards.statements.causes import Causes, known_words
from rewards.verify.transfers import KINDS
from web.dashboard.desk import Desk, Viewer
from web.dashboard.payouts import id_of
from web.dashboard.telling import amount_words, asset_name

PAGE = "/ledger"
SHOWN = 50
ROOTS = 7
SHOWN_PURPOSES = (Purpose.BUDGET, Purpose.HELD, Purpose.PAYABLE, Purpose.CLEARING, Purpose.FUNDING)
YEARS = range(1970, 3000)


def routes(desk: Desk) -> list[BaseRoute]:
    async def page(request: Request, viewer: Viewer) -> Response:
        shown = await desk.read(viewer, lambda session: _shown(session, viewer, request.query_params))
        return desk.show(request, viewer, "dashboard/ledger.html", here="ledger", **shown)

    async def proof(request: Request, viewer: Viewer) -> Response:
        """A document by which anybody can check, offline, that the transfer is in the books."""
        transfer_id = id_of(request.path_params["transfer"], "unknown_transfer")
        found = await desk.read(viewer, lambda session: proofs.proof_of(session, viewer.brand_id, transfer_id))
        name = f'attachment; filename="proof-{transfer_id}.json"'
        return JSONResponse(found, headers={"Content-Disposition": name, "Cache-Control": "no-store"})

    return [desk.route(PAGE, page), desk.route(f"{PAGE}/{{transfer}}/proof", proof)]


def _shown(session: Session, viewer: Viewer, asked: QueryParams) -> dict[str, Any]:
    wanted, wrong = _wanted(asked, viewer.timezone)
    before = id_of(asked["before"], "unknown_transfer") if asked.get("before") else None
    found = bookkeeping.transfers(session, viewer.brand_id, wanted, SHOWN + 1, before)
    items = asset_words(session, viewer.brand_id, viewer.locale)
    kept = [(name, asked[name]) for name in ("q", "kind", "since", "until") if asked.get(name)]
    sums = bookkeeping.totals(session, viewer.brand_id)
    budgets = bookkeeping.budgets(session, viewer.brand_id)

    def said(amount: int, asset: str) -> str:
        return amount_words(items, viewer.locale, amount, asset)

    return {
        "purposes": [(purpose, purpose_words(purpose, viewer.locale)) for purpose in SHOWN_PURPOSES],
        "totals": {
            asset: {purpose: said(of.get(purpose, 0), asset) for purpose in SHOWN_PURPOSES}
            for asset, of in sums.items()
        },
        "asset_name": {asset: asset_name(items, viewer.locale, asset) for asset in sums},
        "budgets": [
            {
                "title": i18n.pick(one.campaign.title, viewer.locale),
                "slug": one.campaign.slug,
                "left": said(one.left, one.asset),
                "funded": said(one.funded, one.asset),
                "spent": 1 - one.left / one.funded if one.funded > 0 else 0,
            }
            for one in budgets
        ],
        "transfers": _lines(session, viewer, found[:SHOWN], items),
        "older": "?" + urlencode([*kept, ("before", str(found[SHOWN - 1].id))]) if len(found) > SHOWN else "",
        "asked": asked,
        "wrong": wrong,
        "kinds": [(kind, i18n.text(viewer.locale, f"statement.kind.{kind}")) for kind in sorted(KINDS)],
        "check": books.last_check(session),
        "block": blocks.last_block(session, viewer.brand_id),
        "unsealed": bookkeeping.unsealed(session, viewer.brand_id),
        "roots": bookkeeping.published(session, viewer.brand_id, ROOTS),
    }


def _lines(session: Session, viewer: Viewer, found: Any, items: dict[str, str]) -> list[dict[str, Any]]:
    """What a list says of each transfer."""
    sides: set[UUID] = {row.debit_id for row in found} | {row.credit_id for row in found}
    accounts = account_words(session, viewer.brand_id, sides, viewer.locale)
    causes = Causes(session, viewer.brand_id, (row.reference for row in found))
    return [
        {
            "row": row,
            "kind": known_words(f"statement.kind.{row.kind}", row.kind, viewer.locale),
            "taken_from": accounts.get(row.debit_id, ""),
            "given_to": accounts.get(row.credit_id, ""),
            "amount": amount_words(items, viewer.locale, row.amount, row.asset),
            "cause": causes.words(row.reference, viewer.locale),
        }
        for row in found
    ]


def _wanted(asked: QueryParams, timezone: str) -> tuple[Wanted, bool]:
    """Which transfers, and whether a day could not be read."""
    since, one = _day(asked.get("since", ""), timezone)
    until, other = _day(asked.get("until", ""), timezone)
    kind = asked.get("kind", "")
    text = "".join(letter for letter in asked.get("q", "").strip() if letter.isprintable())
    through = until + timedelta(days=1) if until is not None else None
    return Wanted(text, kind if kind in KINDS else "", since, through), one or other


def _day(text: str, timezone: str) -> tuple[datetime | None, bool]:
    if not text.strip():
        return None, False
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None, True
    if day.year not in YEARS:
        return None, True
    return datetime.combine(day, time(), ZoneInfo(timezone)).astimezone(UTC), False
