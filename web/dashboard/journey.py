"""Journeys: the orders of a brand, and of each order (or friend) everything that made it count or not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import clock, i18n
from core.errors import NotFound
from referral.campaigns import Campaign, campaigns_of
from referral.journeys import listing, orders
from referral.journeys.listing import Cursor, Wanted
from referral.journeys.reading import people_of
from referral.journeys.steps import Journey, Person
from referral.rules import REFUSALS
from rewards import journeys
from web.dashboard.desk import Desk, Viewer
from web.dashboard.journey_words import Words, clean

REASONS = (*orders.AGAINST, "no_referral", *REFUSALS)
"""Reasons one can filter by: what `referral.orders` gives for an order that does not count."""
LINKS = {"order": "/journeys/order/", "friend": "/journeys/friend/"}
"""Where the pages of a step's subject stand; a case stands in the review queue, a payout among the payouts."""


def routes(desk: Desk) -> list[BaseRoute]:
    """The list, an order's journey, and a friend's."""

    async def overview(request: Request, viewer: Viewer) -> Response:
        asked = {name: _given(request, name) for name in _ASKED}
        wanted = _wanted(asked)
        after = read_cursor(request.query_params.get("after"))
        found = await desk.read(viewer, lambda session: _read_list(session, viewer, wanted, asked["campaign"], after))
        page, people, campaigns, sources = found
        older = ""
        if page.older is not None:
            kept = {name: value for name, value in asked.items() if value}
            older = "?" + urlencode({**kept, "after": write_cursor(page.older)})
        return desk.show(
            request,
            viewer,
            "dashboard/journeys.html",
            here="journeys",
            page=page,
            people=people,
            asked=asked,
            filtered=any(asked.values()),
            older=older,
            options=_options(viewer.locale, campaigns, sources),
            reason=lambda code: _reason(viewer.locale, code),
            name=lambda member_id: _name(viewer.locale, people, member_id),
        )

    async def of_order(request: Request, viewer: Viewer) -> Response:
        wanted = read_id(request, "order")
        found = await desk.read(viewer, lambda session: journeys.order_journey(session, viewer.brand_id, wanted))
        return _show(desk, request, viewer, found)

    async def of_friend(request: Request, viewer: Viewer) -> Response:
        wanted = read_id(request, "referral")
        found = await desk.read(viewer, lambda session: journeys.friend_journey(session, viewer.brand_id, wanted))
        return _show(desk, request, viewer, found)

    async def of_person(request: Request, viewer: Viewer) -> Response:
        wanted = read_id(request, "member")
        found = await desk.read(viewer, lambda session: journeys.person_journey(session, viewer.brand_id, wanted))
        return _show(desk, request, viewer, found)

    return [
        desk.route("/journeys", overview),
        desk.route("/journeys/person/{id}", of_person),
        desk.route("/journeys/order/{id}", of_order),
        desk.route("/journeys/friend/{id}", of_friend),
    ]


_ASKED = ("q", "status", "reason", "source", "campaign")


def _given(request: Request, name: str) -> str:
    """What was asked, as one line without what no order's number has (nor a database's text may hold)."""
    return "".join(char for char in request.query_params.get(name, "") if char.isprintable()).strip()[:200]


def read_id(request: Request, what: str) -> UUID:
    """The identifier in the path. Raises `NotFound` for what is none."""
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise NotFound(what, order=str(request.path_params["id"])[:60], source="") from None


def write_cursor(cursor: Cursor) -> str:
    """A cursor as an address carries it."""
    return f"{cursor[0].isoformat()}_{cursor[1].hex}"


def read_cursor(text: str | None) -> Cursor | None:
    """The cursor in an address; None for what is none."""
    moment, _, last = (text or "")[:100].partition("_")
    try:
        at = datetime.fromisoformat(moment)
        return (clock.parse(moment), UUID(last)) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _wanted(asked: dict[str, str]) -> Wanted:
    status = asked["status"] if asked["status"] in listing.FILTERS else None
    reason = asked["reason"] if asked["reason"] in REASONS else None
    return Wanted(status, reason, asked["source"] or None, None, asked["q"] or None)


def _read_list(
    session: Session, viewer: Viewer, wanted: Wanted, slug: str, after: Cursor | None
) -> tuple[listing.Page, dict[UUID, Person], Sequence[Campaign], list[str]]:
    campaigns = campaigns_of(session, viewer.brand_id)
    chosen = next((one.id for one in campaigns if one.slug == slug), None)
    where = Wanted(wanted.status, wanted.reason, wanted.source, chosen, wanted.number)
    page = listing.orders_page(session, viewer.brand_id, where, after)
    named = {order.member_id for order in page.orders if order.member_id} | set(page.advocates.values())
    people = people_of(session, viewer.brand_id, named)
    return page, people, campaigns, listing.sources_of(session, viewer.brand_id)


def _options(locale: str, campaigns: Sequence[Campaign], sources: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    every = ("", i18n.text(locale, "journey.filter.any"))
    return {
        "status": [every, *((one, i18n.text(locale, f"journey.status.{one}")) for one in listing.FILTERS)],
        "reason": [every, *((one, _reason(locale, one)) for one in REASONS)],
        "source": [every, *((one, clean(one)) for one in sources)],
        "campaign": [every, *((one.slug, clean(i18n.pick(one.title, locale)) or one.slug) for one in campaigns)],
    }


def _reason(locale: str, code: str | None) -> str:
    key = f"journey.reason.{code}"
    return i18n.text(locale, key if key in i18n.catalogue(locale) else "journey.reason.other") if code else ""


def _name(locale: str, people: dict[UUID, Person], member_id: UUID | None) -> str:
    person = people.get(member_id) if member_id else None
    if person is None:
        return i18n.text(locale, "journey.person.nobody")
    if person.erased:
        return i18n.text(locale, "journey.person.erased")
    return clean(person.name) or i18n.text(locale, "journey.person.unnamed")


def _show(desk: Desk, request: Request, viewer: Viewer, journey: Journey) -> Response:
    words = Words(journey, viewer.locale, viewer.timezone)
    other = Words(journey, "en" if viewer.locale == "zh_Hans" else "zh_Hans", viewer.timezone)
    return desk.show(
        request,
        viewer,
        "dashboard/journey.html",
        here="journeys",
        journey=journey,
        title=_title(words, journey),
        verdict=words.verdict(),
        steps=[words.step(step) for step in journey.steps],
        letters=[(one, words.letter(one), other.letter(one)) for one in words.advocates()],
        address=f"{desk.pages.public_url}{request.url.path}",
        leads_to=lambda link: _leads_to(viewer, link),
        name=words.name,
        campaign=clean(i18n.pick(journey.campaign.title, viewer.locale)) if journey.campaign else "",
    )


def _title(words: Words, journey: Journey) -> str:
    if journey.order is not None:
        return i18n.text(words.locale, "journey.of_order", number=clean(journey.order.external_id))
    return i18n.text(words.locale, "journey.of_friend", friend=words.name(journey.friend_id))


def _leads_to(viewer: Viewer, link: tuple[str, str]) -> Any:
    """The page of a step's subject, where the viewer may open it."""
    kind, which = link
    if kind == "review":
        return f"/review#{which}" if viewer.may("review") else None
    return LINKS[kind] + which if kind in LINKS else "/payouts"
