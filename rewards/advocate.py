"""One member as the brand's team sees them: figures, friends, codes, rewards and what they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlmodel import Session, col

from core.db import among, table
from core.errors import NotFound
from referral import leaderboard, linking
from referral.campaigns import Campaign, Enrollment, InviteCode, campaigns_of
from referral.conversions import SHOP, Conversion
from referral.journeys.reading import people_of
from referral.journeys.steps import Person
from referral.leaderboard import Standing
from referral.members import Member, identities_of
from referral.referrals import STATES, Referral
from referral.rules import REFUSALS
from referral.touches import Touch
from rewards.advocates import figures_of
from rewards.overview import Purse, purses_of
from rewards.payouts.payouts import Payout, payouts_of
from rewards.rewards import Reward, rewards_of

FRIENDS = 30
REWARDS = 15
ORDERS = 10
TRIES = 10
LOOKED_AT = 2000
"""Touches by an advocate's codes, the latest, among which those that a rule stood against are looked for."""

Cursor = tuple[datetime, UUID]
"""(started_at, id) of the last friend on a page."""


@dataclass(frozen=True, slots=True)
class Account:
    """A platform account that may be shown: which, and how its owner calls it."""

    platform: str
    account: str
    handle: str | None


@dataclass(frozen=True, slots=True)
class Code:
    """An invite code, in which campaign, and since when."""

    code: str
    campaign_id: UUID
    since: datetime


@dataclass(frozen=True, slots=True)
class Portrait:
    """Everything the page shows. `campaign`: the one its figures are of. `kept`: who the member is by now, where they
    became somebody else. `older`: where the next page of friends begins."""

    member: Member
    kept: UUID | None
    accounts: Sequence[Account]
    codes: Sequence[Code]
    campaigns: Sequence[Campaign]
    campaign: Campaign | None
    standing: Standing | None
    earned: dict[str, int]
    purses: Sequence[Purse]
    came_by: Sequence[Referral]
    friends: Sequence[Referral]
    older: Cursor | None
    tries: Sequence[Touch]
    orders: Sequence[Conversion]
    rewards: Sequence[Reward]
    payouts: Sequence[Payout]
    people: dict[UUID, Person]


def portrait(
    session: Session,
    brand_id: UUID,
    member_id: UUID,
    *,
    slug: str = "",
    state: str = "",
    after: Cursor | None = None,
) -> Portrait:
    """The member's page. `slug`: of the campaign (else the one they take part in since last); `state`: of friends that
    are shown. Raises `NotFound("member")`, also for another brand's."""
    member = session.get(Member, (brand_id, member_id))
    if member is None:
        raise NotFound("member")
    kept = linking.person_of(session, brand_id, member_id)
    campaigns = campaigns_of(session, brand_id)
    codes = _codes(session, brand_id, member_id)
    campaign = _chosen(campaigns, codes, slug)
    friends, older = _friends(session, brand_id, member_id, campaign, state, after)
    came_by = _came_by(session, brand_id, member_id)
    rewards = rewards_of(session, brand_id, member_id, REWARDS)
    tries = _tries(session, brand_id, campaign, [code.code for code in codes])
    named = {one.friend_id for one in friends} | {one.advocate_id for one in came_by}
    named |= {one.member_id for one in tries if one.member_id}
    _, earned = figures_of(session, brand_id, campaign, [member_id])
    return Portrait(
        member,
        kept if kept != member_id else None,
        [
            Account(row.platform, row.account, row.handle)
            for row in identities_of(session, brand_id, [member_id])
            if row.platform != SHOP
        ],
        codes,
        campaigns,
        campaign,
        leaderboard.standing(session, brand_id, campaign.id, member_id) if campaign else None,
        earned.get(member_id, {}),
        purses_of(session, brand_id, member_id),
        came_by,
        friends,
        older,
        tries,
        _orders(session, brand_id, member_id),
        rewards,
        payouts_of(session, brand_id, member_id, 5),
        people_of(session, brand_id, named),
    )


def _chosen(campaigns: Sequence[Campaign], codes: Sequence[Code], slug: str) -> Campaign | None:
    mine = {code.campaign_id: code for code in codes}
    by_slug = next((one for one in campaigns if one.slug == slug), None)
    taking_part = [one for one in campaigns if one.id in mine]
    latest = max(taking_part, key=lambda one: mine[one.id].since, default=None)
    return by_slug or latest or next(iter(campaigns), None)


def _codes(session: Session, brand_id: UUID, member_id: UUID) -> list[Code]:
    e, c = table(Enrollment).c, table(InviteCode).c
    rows = session.execute(
        select(c.code, e.campaign_id, c.created_at)
        .join(table(Enrollment), and_(e.brand_id == c.brand_id, e.id == c.enrollment_id))
        .where(c.brand_id == brand_id, e.brand_id == brand_id, e.member_id == member_id)
        .order_by(c.created_at, c.code)
    )
    return [Code(code, campaign_id, since) for code, campaign_id, since in rows]


def _came_by(session: Session, brand_id: UUID, member_id: UUID) -> Sequence[Referral]:
    return session.scalars(
        select(Referral)
        .where(col(Referral.brand_id) == brand_id, col(Referral.friend_id) == member_id)
        .order_by(col(Referral.started_at).desc())
    ).all()


def _friends(
    session: Session, brand_id: UUID, member_id: UUID, campaign: Campaign | None, state: str, after: Cursor | None
) -> tuple[Sequence[Referral], Cursor | None]:
    if campaign is None:
        return [], None
    query = select(Referral).where(
        col(Referral.brand_id) == brand_id,
        col(Referral.advocate_id) == member_id,
        col(Referral.campaign_id) == campaign.id,
    )
    if state in STATES:
        query = query.where(col(Referral.state) == state)
    if after is not None:
        at, last = after
        same = and_(col(Referral.started_at) == at, col(Referral.id) < last)
        query = query.where(or_(col(Referral.started_at) < at, same))
    rows = session.scalars(
        query.order_by(col(Referral.started_at).desc(), col(Referral.id).desc()).limit(FRIENDS + 1)
    ).all()
    shown = rows[:FRIENDS]
    return shown, (shown[-1].started_at, shown[-1].id) if len(rows) > FRIENDS else None


def _tries(session: Session, brand_id: UUID, campaign: Campaign | None, codes: Sequence[str]) -> list[Touch]:
    """Who came with these codes lately and did not count, each once for each reason."""
    if campaign is None or not codes:
        return []
    t = table(Touch).c
    latest = (
        select(t.id, t.outcome, t.touched_at)
        .where(t.brand_id == brand_id, t.campaign_id == campaign.id, among(session, t.code, codes))
        .order_by(t.touched_at.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    rows = session.scalars(
        select(Touch)
        .join(latest, t.id == latest.c.id)
        .where(t.brand_id == brand_id, latest.c.outcome.in_(REFUSALS))
        .order_by(latest.c.touched_at.desc(), latest.c.id.desc())
        .limit(TRIES * 4)
    )
    newest: dict[tuple[UUID | None, str | None], Touch] = {}
    for touch in rows:
        newest.setdefault((touch.member_id, touch.outcome), touch)
    return list(newest.values())[:TRIES]


def _orders(session: Session, brand_id: UUID, member_id: UUID) -> Sequence[Conversion]:
    """What they bought themselves, the last first."""
    return session.scalars(
        select(Conversion)
        .where(col(Conversion.brand_id) == brand_id, col(Conversion.member_id) == member_id)
        .order_by(col(Conversion.ordered_at).desc(), col(Conversion.id).desc())
        .limit(ORDERS)
    ).all()
