"""`/trials`: what is given out to try, who applied and where they stand, and what they said of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from core import i18n
from core.errors import NotFound
from core.money import ITEM
from referral.campaigns import Campaign, campaigns_of, find_campaign
from referral.cases import Case
from referral.pictures import picture_of
from referral.trials import applications
from referral.trials.feedback import all_feedback
from referral.trials.funnel import Funnel, funnel
from referral.trials.places import STATES, TrialApplication, TrialFeedback, terms_of, trial_of
from rewards.account_words import asset_words, names_of
from rewards.statements.causes import known_words
from rewards.trials import draw_of
from web.dashboard.desk import Desk, Viewer
from web.dashboard.payouts import id_of
from web.dashboard.review import show
from web.dashboard.telling import telling_for

PAGE = "/trials"
SHOWN = 40
VOICES = 12
STEPS = ("applied", "approved", "taken", "delivered", "reviewed", "purchased")


def routes(desk: Desk) -> list[BaseRoute]:
    async def listed(request: Request, viewer: Viewer) -> Response:
        shown = await desk.read(viewer, lambda session: _listed(session, viewer))
        return desk.show(request, viewer, "dashboard/trials.html", here="trials", **shown)

    async def one(request: Request, viewer: Viewer) -> Response:
        slug, asked = request.path_params["slug"], request.query_params
        shown = await desk.read(viewer, lambda session: _one(session, viewer, slug, asked))
        return desk.show(request, viewer, "dashboard/trial.html", here="trials", **shown)

    async def photo(request: Request, viewer: Viewer) -> Response:
        application_id = id_of(request.path_params["application"], "picture")
        body = await desk.read(viewer, lambda session: _photo(session, viewer, application_id))
        return Response(body, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})

    async def draw(request: Request, viewer: Viewer) -> Response:
        """The draw that was held, for anybody to check."""
        slug = request.path_params["slug"]
        found = await desk.read(viewer, lambda session: draw_of(session, find_campaign(session, viewer.brand_id, slug)))
        headers = {"Content-Disposition": 'attachment; filename="draw.json"', "Cache-Control": "no-store"}
        return JSONResponse(found, headers=headers)

    return [
        desk.route(PAGE, listed),
        desk.route(f"{PAGE}/{{slug}}", one),
        desk.route(f"{PAGE}/{{slug}}/draw", draw),
        desk.route(f"{PAGE}/photos/{{application}}", photo),
    ]


def _listed(session: Session, viewer: Viewer) -> dict[str, Any]:
    found = [one for one in campaigns_of(session, viewer.brand_id) if one.kind == "trial"]
    waiting = dict(
        session.execute(
            select(col(Case.campaign_id), func.count())
            .where(col(Case.brand_id) == viewer.brand_id, col(Case.kind) == "application", col(Case.state) == "open")
            .group_by(col(Case.campaign_id))
        ).all()
    )
    return {
        "trials": [
            {
                "campaign": one,
                "title": i18n.pick(one.title, viewer.locale),
                "places": trial_of(session, viewer.brand_id, one.id),
                "waiting": waiting.get(one.id, 0),
            }
            for one in found
        ]
    }


def _one(session: Session, viewer: Viewer, slug: str, asked: QueryParams) -> dict[str, Any]:
    campaign = find_campaign(session, viewer.brand_id, slug)
    places, terms = trial_of(session, viewer.brand_id, campaign.id), terms_of(session, campaign)
    state = asked.get("state", "")
    state = state if state in STATES else ""
    figures = funnel(session, campaign) if places is not None else None
    item = f"{ITEM}{terms.item}"
    return {
        "campaign": campaign,
        "title": i18n.pick(campaign.title, viewer.locale),
        "places": places,
        "terms": terms,
        "item": asset_words(session, viewer.brand_id, viewer.locale).get(item, terms.item),
        "figures": figures,
        "steps": _steps(figures),
        "state": state,
        "states": [one for one in STATES if figures is not None and (figures.states[one] or one == state)],
        **_applications(session, viewer, campaign, state, asked.get("after")),
        "voices": [
            {
                "said": said,
                "name": member.name or i18n.text(viewer.locale, "member.unnamed"),
                "stars": "★" * said.rating + "☆" * (5 - said.rating),
                "application": row.id,
            }
            for said, row, member in reversed(all_feedback(session, viewer.brand_id, campaign.id, latest=VOICES))
        ],
    }


def _steps(figures: Funnel | None) -> list[tuple[str, int, float]]:
    """(step, how many came so far, their share of those who applied)."""
    if figures is None:
        return []
    counts = [(step, int(getattr(figures, step))) for step in STEPS]
    return [(step, count, count / figures.applied if figures.applied else 0) for step, count in counts]


def _applications(
    session: Session, viewer: Viewer, campaign: Campaign, state: str, after: str | None
) -> dict[str, Any]:
    """A page of applications in the order of the line, with what can be decided about those that wait."""
    t = TrialApplication
    wanted = (
        select(t)
        .where(col(t.brand_id) == viewer.brand_id, col(t.campaign_id) == campaign.id)
        .order_by(col(t.friends).desc(), col(t.applied_at), col(t.id))
        .limit(SHOWN + 1)
    )
    if state:
        wanted = wanted.where(col(t.state) == state)
    if after:
        mark = session.get(t, (viewer.brand_id, id_of(after, "application")))
        if mark is None:
            raise NotFound("application")
        later = (col(t.applied_at) > mark.applied_at) | ((col(t.applied_at) == mark.applied_at) & (col(t.id) > mark.id))
        wanted = wanted.where((col(t.friends) < mark.friends) | ((col(t.friends) == mark.friends) & later))
    found = list(session.scalars(wanted))
    page = found[:SHOWN]
    names = names_of(session, viewer.brand_id, (row.member_id for row in page), viewer.locale)
    waiting = _waiting(session, viewer, page)
    return {
        "applications": [
            {
                "row": row,
                "name": names.get(row.member_id, ""),
                "answers": applications.answers_of(session, row, viewer.locale),
                "why": known_words(f"export.application.why.{row.reason}", row.reason or "", viewer.locale),
                "case": waiting.get(row.case_key),
            }
            for row in page
        ],
        "more": page[-1].id if len(found) > SHOWN else None,
    }


def _waiting(session: Session, viewer: Viewer, page: list[TrialApplication]) -> dict[str, Any]:
    """The open cases of these applications, as they are decided, by key."""
    keys = [row.case_key for row in page if row.state == "applied"]
    if not keys or not viewer.may("review"):
        return {}
    telling = telling_for(session, viewer)
    cases = session.scalars(
        select(Case).where(
            col(Case.brand_id) == viewer.brand_id,
            col(Case.kind) == applications.CASE,
            col(Case.key).in_(keys),
            col(Case.state) == "open",
        )
    )
    return {case.key: show(telling, viewer, case) for case in cases}


def _photo(session: Session, viewer: Viewer, application_id: UUID) -> bytes:
    said = session.get(TrialFeedback, (viewer.brand_id, application_id))
    if said is None or said.picture is None:
        raise NotFound("picture")
    return picture_of(session, viewer.brand_id, said.picture)
