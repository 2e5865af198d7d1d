"""Whose the orders of a campaign are: its policy in words, its latest decisions, and what another policy would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import i18n
from core.errors import BadInput
from referral.attribution.decisions import Attribution
from referral.attribution.evidence import policies_of
from referral.attribution.policy import MODELS, SPLITS, Policy, terms_from
from referral.attribution.split import WHOLE
from referral.attribution.whatif import Replay, replay
from referral.attribution.words import describe, explain
from referral.campaigns import Campaign, find_campaign
from referral.conversions import Conversion
from referral.members import Member
from web.dashboard.desk import Desk, Viewer

ORDERS = 2_000
"""Orders that the page decides again while one waits; the command line takes as many as one likes."""
LATEST = 10
PEOPLE = 50
WAYS = (*MODELS, *SPLITS[1:])
NUMBERS = ("validity_days", "protect_days", "half_life_days")
FIELDS = ("way", "precedence", *NUMBERS)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision about an order. `parts`: (advocate, share of the order), the largest first."""

    order_id: UUID
    number: str
    at: Any
    net: int
    currency: str
    reason: str
    parts: Sequence[tuple[UUID, Fraction]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page shows."""

    campaign: Campaign
    policy: Policy | None
    decided: Sequence[Decided]
    names: Mapping[UUID, str]
    told: Replay | None


def routes(desk: Desk) -> list[BaseRoute]:
    """`/b/{brand}/campaigns/{campaign}/attribution`."""

    async def show(request: Request, viewer: Viewer) -> Response:
        slug = request.path_params["campaign"]
        asked = {name: value for name, value in request.query_params.items() if name in FIELDS and value.strip()}
        problem, wrong = None, ""
        try:
            seen = await desk.read(viewer, lambda session: look(session, viewer.brand_id, slug, asked))
        except BadInput as error:
            wrong = error.params["field"] if error.params.get("field") in FIELDS else "way"
            problem = i18n.text(viewer.locale, "attribution.page.wrong")
            seen = await desk.read(viewer, lambda session: look(session, viewer.brand_id, slug, {}))
        return desk.show(
            request,
            viewer,
            "dashboard/attribution.html",
            here="campaigns",
            problem=problem,
            mistaken=wrong,
            status=400 if problem else None,
            seen=seen,
            asked=asked,
            ways=WAYS,
            in_words=describe(seen.policy, viewer.locale),
            then_in_words=describe(seen.told.policy, viewer.locale) if seen.told else "",
            explain=lambda reason: explain(reason, viewer.locale),
            orders=lambda millionths: Fraction(millionths, WHOLE),
            people=seen.told.ranked()[:PEOPLE] if seen.told else (),
        )

    return [desk.route("/campaigns/{campaign}/attribution", show)]


def look(session: Session, brand_id: UUID, slug: str, asked: Mapping[str, str]) -> Seen:
    """Everything the page says. Raises `NotFound("campaign")`, `BadInput("attribution")`."""
    campaign = find_campaign(session, brand_id, slug)
    version = (brand_id, campaign.id, campaign.version)
    told = replay(session, campaign, policy_asked(asked, campaign.window_days), ORDERS) if asked.get("way") else None
    decided = _latest(session, campaign)
    members = {who for one in decided for who, _ in one.parts} | ({*told.now, *told.then} if told else set())
    return Seen(campaign, policies_of(session, [version])[version], decided, _names(session, brand_id, members), told)


def policy_asked(asked: Mapping[str, str], window_days: int) -> Policy:
    """The policy of the form. Raises `BadInput("attribution")`."""
    way = asked.get("way", "")
    said: dict[str, Any] = {"model": way} if way in MODELS else {"split": way}
    if "precedence" in asked:
        said["precedence"] = asked["precedence"]
    for name in NUMBERS:
        if name not in asked:
            continue
        if not (asked[name].isdecimal() and len(asked[name]) < 5):
            raise BadInput("attribution", field=name)
        said[name] = int(asked[name])
    return terms_from(said, window_days)


def _latest(session: Session, campaign: Campaign) -> list[Decided]:
    """The decisions about the orders of this campaign that were told last."""
    c, a = col(Conversion.brand_id), col(Attribution.brand_id)
    rows = session.execute(
        select(Conversion, Attribution)
        .join(Attribution, (a == c) & (col(Attribution.conversion_id) == col(Conversion.id)))
        .where(c == campaign.brand_id, col(Conversion.campaign_id) == campaign.id)
        .order_by(col(Conversion.received_at).desc(), col(Conversion.id).desc(), col(Attribution.revision).desc())
        .limit(2 * LATEST)
    )
    found: dict[UUID, Decided] = {}
    for order, decision in rows:
        if order.id not in found:
            found[order.id] = Decided(
                order.id,
                order.external_id,
                order.ordered_at,
                order.net,
                order.currency,
                decision.reason,
                _parts(decision.shares),
            )
    return list(found.values())[:LATEST]


def _parts(shares: Sequence[Sequence[Any]]) -> list[tuple[UUID, Fraction]]:
    found: dict[UUID, int] = {}
    for _, advocate, share in shares:
        found[UUID(advocate)] = found.get(UUID(advocate), 0) + share
    return [(who, Fraction(share, WHOLE)) for who, share in sorted(found.items(), key=lambda one: (-one[1], one[0]))]


def _names(session: Session, brand_id: UUID, members: set[UUID]) -> dict[UUID, str]:
    rows = session.execute(
        select(col(Member.id), col(Member.name)).where(col(Member.brand_id) == brand_id, col(Member.id).in_(members))
    )
    return dict(rows.all())
