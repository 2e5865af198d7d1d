"""What the first page says beside its figures: how a new brand begins, what waits for a person, who brings the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from referral.api_keys import api_keys_of
from referral.boards.faces import names_of, places_of
from referral.boards.windows import ALL
from referral.brands import Community
from referral.campaigns import Campaign
from referral.cases import open_counts
from referral.shops import shops_of
from rewards.payouts.payouts import Payout
from web.dashboard.desk import Viewer
from web.dashboard.payouts import needs_approval

TOP = 5


@dataclass(frozen=True, slots=True)
class Step:
    """Something a new brand does. `path`: where, for who may `act`; "" where it is done in the chat."""

    name: str
    done: bool
    path: str = ""
    act: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Things of one kind that wait for a person."""

    name: str
    path: str
    count: int


@dataclass(frozen=True, slots=True)
class Best:
    """The first places of a campaign's board: place, member or (`teams`) team, name and friends."""

    campaign: Campaign
    lines: Sequence[tuple[int, UUID, str | None, int]]
    teams: bool


def steps(session: Session, viewer: Viewer) -> list[Step]:
    """What a brand without a campaign does first, and what of it is done."""
    groups = select(func.count()).where(
        col(Community.brand_id) == viewer.brand_id, col(Community.removed_at).is_(None), ~col(Community.open)
    )
    sells = any(shop.ended_at is None for shop in shops_of(session, viewer.brand_id))
    return [
        Step("group", bool(session.scalar(groups)), "/communities", "connect"),
        Step("campaign", done=False),
        Step("shop", sells or bool(api_keys_of(session, viewer.brand_id)), "/settings/shops", "connect"),
    ]


def waiting(session: Session, viewer: Viewer) -> list[Waiting]:
    """What waits for this viewer to decide."""
    found = []
    if viewer.may("review"):
        found.append(Waiting("review", "/review", sum(open_counts(session, viewer.brand_id).values())))
    if viewer.may("money"):
        open_ones = select(func.count()).where(col(Payout.brand_id) == viewer.brand_id, needs_approval())
        found.append(Waiting("payouts", "/payouts?which=approval", int(session.scalar(open_ones) or 0)))
    return [one for one in found if one.count]


def best(session: Session, campaign: Campaign) -> Best:
    """Who brings the most."""
    board = places_of(session, campaign, ALL, clock.now(), TOP)
    lines = board.standings.lines
    names = names_of(session, campaign, board, [line.owner for line in lines], public=False)
    return Best(campaign, [(line.rank, line.owner, names[line.owner], line.score) for line in lines], board.teams)
