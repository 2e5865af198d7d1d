"""Advocates: the list with its search as one types, and the page of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from core import i18n
from core.money import ITEM, WORDS
from referral import search
from referral.campaigns import Campaign, campaigns_of, current_campaign
from referral.codes import display
from referral.journeys.steps import Person
from referral.referrals import STATES
from rewards import advocate, advocates
from rewards.advocates import Listed, Order
from rewards.plans import latest_plan
from web.dashboard.desk import Desk, Viewer
from web.dashboard.journey import read_cursor, read_id, write_cursor
from web.dashboard.journey_words import clean

_Found = tuple[Listed, Campaign | None, Sequence[Campaign], list[str]]
"""A page, the campaign it is of, all campaigns, and what can be earned in that one."""
_ASKED = ("q", "order", "campaign", "asset")
_TONES = {"qualified": "good", "started": "plain", "joined": "calm"}


def routes(desk: Desk) -> list[BaseRoute]:
    """The list and the page of one."""

    async def listed(request: Request, viewer: Viewer) -> Response:
        asked = {name: request.query_params.get(name, "").strip()[: search.LONGEST_QUERY] for name in _ASKED}
        after = (
            tuple(request.query_params.get("after", "")[:200].split("~")) if "after" in request.query_params else None
        )
        found = await desk.read(viewer, lambda session: _read(session, viewer, asked, after))
        return _show_list(desk, request, viewer, asked, found)

    async def one(request: Request, viewer: Viewer) -> Response:
        member_id = read_id(request, "member")
        slug, state = request.query_params.get("campaign", "")[:60], request.query_params.get("state", "")
        after = read_cursor(request.query_params.get("after"))
        found = await desk.read(
            viewer,
            lambda session: advocate.portrait(session, viewer.brand_id, member_id, slug=slug, state=state, after=after),
        )
        if found.kept is not None:
            return RedirectResponse(f"/b/{viewer.brand}/advocates/{found.kept}", 303)
        here = {"campaign": found.campaign.slug if found.campaign else "", "state": state if state in STATES else ""}
        older = urlencode({**here, "after": write_cursor(found.older)}) if found.older else ""
        return desk.show(
            request,
            viewer,
            "dashboard/advocate.html",
            here="advocates",
            one=found,
            asked=here,
            called=_called(viewer.locale, found.member.name, erased=found.member.erased_at is not None),
            titles={each.id: clean(i18n.pick(each.title, viewer.locale)) or each.slug for each in found.campaigns},
            states=STATES,
            tones=_TONES,
            older=f"?{older}" if older else "",
            show_code=display,
            reason=lambda code: _reason(viewer.locale, code),
            event=lambda reward: _event(viewer.locale, reward.event),
            ledger_reason=lambda code: _ledger_reason(viewer.locale, code),
            name=lambda which: _name(viewer.locale, found.people, which),
            platform=lambda code: _platform(viewer.locale, code),
        )

    return [desk.route("/advocates", listed), desk.route("/advocates/{id}", one)]


def _show_list(desk: Desk, request: Request, viewer: Viewer, asked: dict[str, str], found: _Found) -> Response:
    page, campaign, campaigns, assets = found
    # Typing asks for the rows alone.
    rows_alone = request.headers.get("hx-target") == "found"
    response = desk.show(
        request,
        viewer,
        "dashboard/advocates_found.html" if rows_alone else "dashboard/advocates.html",
        here="advocates",
        page=page,
        asked=asked,
        campaign=campaign,
        campaigns=[(one.slug, clean(i18n.pick(one.title, viewer.locale)) or one.slug) for one in campaigns],
        assets=assets,
        asset_options=[(one, _asset_words(viewer.locale, one)) for one in assets],
        asset=_asset(asked, assets),
        order=_order(asked, campaign),
        address=_address(asked),
        older=_address(asked, after="~".join(page.older)) if page.older else "",
        platforms=lambda one: ", ".join(_platform(viewer.locale, each) for each in one.platforms),
        called=lambda one: _called(viewer.locale, one.name, erased=one.erased),
    )
    response.headers["Vary"] = "Accept-Language, HX-Target"
    return response


def _read(session: Session, viewer: Viewer, asked: dict[str, str], after: tuple[str, ...] | None) -> _Found:
    brand_id = viewer.brand_id
    campaigns = campaigns_of(session, brand_id)
    campaign = next((one for one in campaigns if one.slug == asked["campaign"]), None)
    campaign = campaign or current_campaign(session, brand_id)
    assets = list(latest_plan(session, brand_id, campaign.id).assets) if campaign else []
    order, asset, text = _order(asked, campaign), _asset(asked, assets), asked["q"]

    def page(begin: tuple[str, ...] | None) -> Listed:
        return advocates.list_advocates(session, campaign, brand_id, order=order, asset=asset, text=text, after=begin)

    try:
        found = page(after)
    except (ValueError, OverflowError):  # an address somebody changed
        found = page(None)
    return found, campaign, campaigns, assets


def _order(asked: dict[str, str], campaign: Campaign | None) -> Order:
    if campaign is None:
        return "latest"
    return next((one for one in advocates.ORDERS if one == asked["order"]), "friends")


def _asset(asked: dict[str, str], assets: Sequence[str]) -> str:
    return asked["asset"] if asked["asset"] in assets else next(iter(assets), "PTS")


def _address(asked: dict[str, str], **more: str) -> str:
    return "?" + urlencode({name: value for name, value in {**asked, **more}.items() if value})


def _called(locale: str, name: str, *, erased: bool) -> str:
    if erased:
        return i18n.text(locale, "journey.person.erased")
    return clean(name) or i18n.text(locale, "journey.person.unnamed")


def _name(locale: str, people: dict[UUID, Person], member_id: UUID) -> str:
    person = people.get(member_id)
    return _called(locale, person.name if person else "", erased=person is None or person.erased)


def _reason(locale: str, code: str | None) -> str:
    key = f"journey.reason.{code}"
    return i18n.text(locale, key if key in i18n.catalogue(locale) else "journey.reason.other") if code else ""


def _ledger_reason(locale: str, code: str | None) -> str:
    key = f"statement.reason.{code}"
    return i18n.text(locale, key if key in i18n.catalogue(locale) else "statement.reason.other") if code else ""


def _platform(locale: str, code: str) -> str:
    keys = (f"platform.{code}", f"journey.platform.{code}")
    return i18n.text(locale, next((key for key in keys if key in i18n.catalogue(locale)), "journey.platform.other"))


def _event(locale: str, code: str) -> str:
    key = f"statement.event.{code}"
    return i18n.text(locale, key) if key in i18n.catalogue(locale) else code


def _asset_words(locale: str, asset: str) -> str:
    """What an asset is called by itself: points by their word, an item by its short name."""
    if asset in WORDS:
        return WORDS[asset].get(locale, WORDS[asset]["en"])[1]
    return asset.removeprefix(ITEM)
