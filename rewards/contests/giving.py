"""A contest's prizes are given: at the final, and set right by every revision.

What somebody has of a contest's prizes is made what the revision says, per person and asset: too much is taken back
first, what is missing is granted from the budget. So a repeat changes nothing, and nobody is paid twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from core import events, ids
from core.db import among, table
from core.events import Bus
from referral.campaigns import Campaign
from referral.contests import links, results
from referral.contests.decisions import hold
from referral.contests.results import ContestFrozen, ContestResult, result_of
from referral.linking import LinkUndone, MemberLink, person_of
from referral.members import Member
from rewards import budget
from rewards.budget import LEVELS, BudgetWarned
from rewards.caps import LIVE
from rewards.contests import finals
from rewards.contests.awards import Award
from rewards.contests.finals import basis_of
from rewards.corrections import take_back
from rewards.granting import book
from rewards.rewards import OF_CONTEST, Reward

log = structlog.get_logger()
EVENT = "contest_prize"
RULE = "prize"
"""What a prize has for a rule; no plan's rule answers an event of this name."""
OUT, REVISED = "disqualified", "contest_revised"
"""Why a prize is taken back: its winner is out, or the board was computed anew."""
Purse = tuple[UUID, str]
"""(member, asset)"""


def listen(bus: Bus) -> None:
    """Join contests: their ends, the decisions about them, and their finals."""
    results.listen(bus)
    finals.listen(bus)
    bus.on(ContestFrozen, on_frozen)


def follow_links(bus: Bus) -> None:
    """Hear of links and of those undone, once the rewards are whose they are by then."""
    links.listen(bus)
    bus.on(LinkUndone, on_undone)


def on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """What one person of two accounts was given since is each account's own again."""
    for event in happened:
        contests = session.scalars(
            select(col(Reward.campaign_id))
            .where(
                col(Reward.brand_id) == event.brand_id,
                col(Reward.member_id).in_((event.kept_id, event.absorbed_id)),
                col(Reward.cause).startswith(OF_CONTEST),
            )
            .distinct()
        )
        for campaign_id in sorted(contests):
            campaign = session.get_one(Campaign, (event.brand_id, campaign_id))
            hold(session, campaign)  # or a revision made meanwhile would be undone by the one before it
            result = result_of(session, event.brand_id, campaign_id)
            if result is not None:
                give(session, campaign, result)


def on_frozen(session: Session, happened: Sequence[ContestFrozen]) -> None:
    """Give what the newest revision says."""
    for event in happened:
        campaign = session.get_one(Campaign, (event.brand_id, event.campaign_id))
        result = result_of(session, event.brand_id, event.campaign_id)
        assert result is not None
        give(session, campaign, result)


def give(session: Session, campaign: Campaign, result: ContestResult) -> None:
    """Make what people have of the contest's prizes what this revision says; a repeat changes nothing."""
    budget.lock(session, {(campaign.brand_id, campaign.id)})
    basis = basis_of(session, campaign, result)
    wanted, forgotten = _wanted(session, campaign, basis.awards())
    have: dict[Purse, list[Reward]] = defaultdict(list)
    for reward in _given(session, campaign):
        have[(reward.member_id, reward.asset)].append(reward)
    out = {person_of(session, campaign.brand_id, one.member_id) for one in basis.out}
    _take(session, wanted, have, out)
    left = budget.lock(session, {(campaign.brand_id, campaign.id)})
    missing = [
        grant
        for purse, awards in wanted.items()
        if purse[0] not in forgotten
        for grant in _missing(purse, awards, have.get(purse, ()))
    ]
    rows = []
    for grant in missing:
        key = (campaign.id, grant.award.asset)
        enough = left[key] >= grant.amount
        left[key] -= grant.amount if enough else 0
        rows.append(_row(campaign, result, grant, enough))
    book(session, rows)
    short = {row["asset"] for row in rows if row["state"] == "capped"}
    told = [
        BudgetWarned(campaign.brand_id, campaign.id, asset, LEVELS[-1], left[campaign.id, asset]) for asset in short
    ]
    events.emit(session, told)


def _wanted(
    session: Session, campaign: Campaign, awards: Iterable[Award]
) -> tuple[dict[Purse, list[Award]], set[UUID]]:
    """What each person is to have, by who they are now; and who of them was forgotten. Those can be given nothing
    more, but the place stays theirs, or standings could be bent by it."""
    listed = list(awards)
    people, forgotten = _people(session, campaign.brand_id, {award.member_id for award in listed})
    found: dict[Purse, list[Award]] = defaultdict(list)
    for award in listed:
        person = people[award.member_id]
        found[(person, award.asset)].append(award)
        if person in forgotten:
            log.warning("contest.winner_gone", campaign=campaign.slug, place=award.place)
    return found, forgotten


def _people(session: Session, brand_id: UUID, members: Collection[UUID]) -> tuple[dict[UUID, UUID], set[UUID]]:
    """Who these members are by now, and who of those was forgotten."""
    linked, m = table(MemberLink), table(Member)
    absorbed = set(
        session.execute(
            select(linked.c.absorbed_id).where(
                linked.c.brand_id == brand_id,
                among(session, linked.c.absorbed_id, members),
                linked.c.undone_at.is_(None),
            )
        ).scalars()
    )
    now = {one: person_of(session, brand_id, one) if one in absorbed else one for one in members}
    gone = session.execute(
        select(m.c.id).where(
            m.c.brand_id == brand_id, among(session, m.c.id, set(now.values())), m.c.erased_at.is_not(None)
        )
    )
    return now, set(gone.scalars())


def _given(session: Session, campaign: Campaign) -> Sequence[Reward]:
    """The prizes of a contest that were granted and not wholly taken back, the newest first."""
    return session.scalars(
        select(Reward)
        .where(
            col(Reward.brand_id) == campaign.brand_id,
            col(Reward.campaign_id) == campaign.id,
            col(Reward.cause).startswith(OF_CONTEST),
            col(Reward.state).in_(LIVE),
        )
        .order_by(col(Reward.created_at).desc(), col(Reward.id).desc())
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _worth(rewards: Iterable[Reward]) -> int:
    return sum(one.amount - one.taken_back for one in rewards)


def _take(
    session: Session,
    wanted: Mapping[Purse, Sequence[Award]],
    have: Mapping[Purse, Sequence[Reward]],
    out: Collection[UUID],
) -> None:
    """Take back what is too much, the newest first."""
    for purse, rewards in have.items():
        too_much = _worth(rewards) - sum(award.amount for award in wanted.get(purse, ()))
        amounts: dict[UUID, int] = {}
        for reward in rewards:
            if too_much > 0:
                amounts[reward.id] = min(too_much, reward.amount - reward.taken_back)
                too_much -= amounts[reward.id]
        if amounts:
            reason = OUT if purse[0] in out else REVISED
            take_back(session, [one for one in rewards if one.id in amounts], reason, amounts=amounts)


@dataclass(frozen=True, slots=True)
class Grant:
    """Something to be granted: `amount` of it, for what was won."""

    member_id: UUID
    award: Award
    amount: int


def _missing(purse: Purse, awards: Sequence[Award], rewards: Sequence[Reward]) -> list[Grant]:
    """What somebody lacks: each prize by itself for who has none yet, else the difference for their best place."""
    if not any(one.amount > one.taken_back for one in rewards):
        return [Grant(purse[0], award, award.amount) for award in awards]
    lacking = sum(award.amount for award in awards) - _worth(rewards)
    return [Grant(purse[0], min(awards, key=lambda one: one.rank), lacking)] if lacking > 0 else []


def _row(campaign: Campaign, result: ContestResult, grant: Grant, enough: bool) -> dict[str, Any]:
    award, at = grant.award, result.frozen_at
    state = "held" if award.hold_days else "payable"
    return {
        "brand_id": campaign.brand_id,
        "id": ids.new(),
        "campaign_id": campaign.id,
        "campaign_version": result.version,
        "referral_id": None,
        "member_id": grant.member_id,
        "community_id": None,
        "role": "advocate",
        "rule": RULE,
        "event": EVENT,
        "cause": f"{OF_CONTEST}{result.revision}/{award.place}",
        "asset": award.asset,
        "amount": grant.amount,
        "taken_back": 0,
        "paid_out": 0,
        "state": state if enough else "capped",
        "reason": None if enough else "budget_empty",
        "facts": None,
        "hold_until": at + timedelta(days=award.hold_days),
        "created_at": at,
    }
