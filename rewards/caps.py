"""What counts towards caps and schedules so far, for a whole batch at once and only where a plan asks.

The rows of the batch's budgets are locked before anything is counted (`accrual`), so whoever counts sees what every
other process has granted, and nobody grants meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, func, select
from sqlmodel import Session

from core import clock
from core.db import among_keys, table
from referral.campaigns import Campaign
from referral.referrals import Referral
from rewards.decisions import COUNTED, Books, Case, Standing
from rewards.plans import Rule
from rewards.rewards import Reward

LIVE = ("held", "payable", "in_payout", "paid", "in_review")
"""States of a reward that is granted."""
LOST = "milestone_lost"
"""Why a reward was taken back whose friend still counts: it was another friend who fell."""


FALLEN = ("reversed", "rejected")
"""States of a referral whose friend counts for nothing any more; one that expired may have bought before."""


def counts(reward: Any, referral: Any) -> ColumnElement[bool]:
    """Whether a reward's friend counts towards a schedule: something was granted, or will be with the next step."""
    reached = func.coalesce(reward.c.reason, "").in_((COUNTED, LOST)) & referral.c.state.not_in(FALLEN)
    counted: ColumnElement[bool] = reward.c.state.in_(LIVE) | reached
    return counted


def worth(reward: Any) -> ColumnElement[int]:
    """What a reward is worth now, in minor units; 0 for one that was never granted."""
    value: ColumnElement[int] = case((reward.c.state == "capped", 0), else_=reward.c.amount - reward.c.taken_back)
    return value


def load(session: Session, cases: Sequence[Case], books: Books) -> None:
    """Fill the books with everything that the rules of these cases are limited by."""
    if capped := [one for one in cases if one.plan.cap is not None]:
        _paid_for(session, capped, books)
    if scheduled := [one for one in cases if any(rule.scheduled for rule in one.rules)]:
        _standings(session, scheduled, books)
    limited = [(one, rule) for one in cases for rule in one.rules if rule.caps.model_fields_set]
    if limited:
        _by_friend(session, limited, books)
        _by_advocate(session, limited, books)
        _by_campaign(session, limited, books)


def _paid_for(session: Session, cases: Sequence[Case], books: Books) -> None:
    """How many friends each advocate was paid for so far, and which of the batch's friends are among them."""
    reward, referral = table(Reward), table(Referral)
    plain = [one for one in cases if _shows_friends(one)]
    if plain:
        # What counts is no condition of the whole: it would lead the database to an index on states or roles.
        counted = (reward.c.role == "advocate") & reward.c.state.in_(LIVE)
        owner = (reward.c.campaign_id, reward.c.member_id)
        rows = session.execute(
            select(*owner, func.count(reward.c.referral_id.distinct()).filter(counted))
            .where(among_keys(session, (reward.c.brand_id, *owner), _pairs(plain)))
            .group_by(*owner)
        )
        books.paid_for.update({(campaign_id, member_id): count for campaign_id, member_id, count in rows})
    others = [one for one in cases if not _shows_friends(one)] if len(plain) < len(cases) else []
    if others:
        owner = (referral.c.campaign_id, referral.c.advocate_id)
        rows = session.execute(
            select(*owner, func.count(reward.c.referral_id.distinct()).filter(counts(reward, referral)))
            .join(reward, _its_referral(reward, referral))
            .where(among_keys(session, (referral.c.brand_id, *owner), _pairs(others)))
            .group_by(*owner)
        )
        books.paid_for.update({(campaign_id, advocate_id): count for campaign_id, advocate_id, count in rows})
        books.friends.update(referral_id for referral_id, _ in _counted(session, others))


def _shows_friends(one: Case) -> bool:
    """Whether each friend that was paid for has one event and a living reward of the advocate's, no more, no less."""
    return all(rule.on is None and not rule.scheduled for rule in one.plan.rules) and any(
        rule.to == "advocate" for rule in one.plan.rules
    )


def _counted(session: Session, cases: Sequence[Case]) -> set[tuple[UUID, str]]:
    """The (referral, rule) by which friends of these cases count already."""
    reward, referral = table(Reward), table(Referral)
    keys = {(one.event.brand_id, one.event.referral_id) for one in cases}
    rows = session.execute(
        select(reward.c.referral_id, reward.c.rule)
        .join(referral, _its_referral(reward, referral))
        .where(among_keys(session, (reward.c.brand_id, reward.c.referral_id), keys), counts(reward, referral))
    )
    return {(referral_id, rule) for referral_id, rule in rows}


def _standings(session: Session, cases: Sequence[Case], books: Books) -> None:
    names = {rule.name for one in cases for rule in one.rules if rule.scheduled}
    books.standings.update(standings_of(session, _pairs(cases), names))
    books.counted.update(_counted(session, cases))


def standings_of(
    session: Session, pairs: set[tuple[UUID, UUID, UUID]], rules: set[str]
) -> dict[tuple[UUID, UUID, str], Standing]:
    """How each (brand, campaign, advocate) stands in the schedules of these names, by (campaign, advocate, rule)."""
    reward, referral = table(Reward), table(Referral)
    key = (referral.c.campaign_id, referral.c.advocate_id, reward.c.rule)
    rows = session.execute(
        select(
            *key,
            func.count(reward.c.referral_id.distinct()).filter(counts(reward, referral)),
            func.coalesce(func.sum(worth(reward)), 0),
        )
        .join(reward, _its_referral(reward, referral))
        .where(
            among_keys(session, (referral.c.brand_id, referral.c.campaign_id, referral.c.advocate_id), pairs),
            reward.c.rule.in_(rules),
        )
        .group_by(*key)
    )
    return {(campaign, member, rule): Standing(friends, int(live)) for campaign, member, rule, friends, live in rows}


def _by_friend(session: Session, limited: Sequence[tuple[Case, Rule]], books: Books) -> None:
    reward = table(Reward)
    keys = {(one.event.brand_id, one.event.referral_id) for one, rule in limited if rule.caps.friend is not None}
    if keys:
        rows = session.execute(
            select(reward.c.referral_id, reward.c.rule, func.sum(worth(reward)))
            .where(among_keys(session, (reward.c.brand_id, reward.c.referral_id), keys))
            .group_by(reward.c.referral_id, reward.c.rule)
        )
        books.spent.update({("friend", referral_id, rule): int(spent) for referral_id, rule, spent in rows})


def _by_advocate(session: Session, limited: Sequence[tuple[Case, Rule]], books: Books) -> None:
    """What was granted by rules for advocates counts for whom it was granted to, by others for whose friend it was."""
    reward, referral = table(Reward), table(Referral)
    capped = [(one, rule) for one, rule in limited if rule.caps.advocate is not None]
    own = {
        (one.event.brand_id, one.event.campaign_id, advocate_id)
        for one, rule in capped
        if rule.to == "advocate"
        for advocate_id in one.advocates
    }
    if own:
        owner = (reward.c.campaign_id, reward.c.member_id)
        rows = session.execute(
            select(*owner, reward.c.rule, func.sum(case((reward.c.role == "advocate", worth(reward)), else_=0)))
            .where(among_keys(session, (reward.c.brand_id, *owner), own))
            .group_by(*owner, reward.c.rule)
        )
        books.spent.update({("advocate", c, advocate, rule): int(spent) for c, advocate, rule, spent in rows})
    keys = _pairs([one for one, rule in capped if rule.to != "advocate"])
    if keys:
        owner = (referral.c.campaign_id, referral.c.advocate_id)
        rows = session.execute(
            select(*owner, reward.c.rule, func.sum(worth(reward)))
            .join(reward, _its_referral(reward, referral))
            .where(among_keys(session, (referral.c.brand_id, *owner), keys), reward.c.role != "advocate")
            .group_by(*owner, reward.c.rule)
        )
        books.spent.update({("advocate", c, advocate, rule): int(spent) for c, advocate, rule, spent in rows})


def _by_campaign(session: Session, limited: Sequence[tuple[Case, Rule]], books: Books) -> None:
    """In the whole campaign and in the days and weeks of the batch, nearly always one of each."""
    wanted: dict[tuple[UUID, UUID, str, datetime | None], set[str]] = defaultdict(set)
    _name_periods(session, [one for one, rule in limited if rule.caps.day or rule.caps.week])
    for one, rule in limited:
        event = one.event
        if rule.caps.campaign is not None:
            wanted[(event.brand_id, event.campaign_id, "campaign", None)].add(rule.name)
        for name, most in (("day", rule.caps.day), ("week", rule.caps.week)):
            if most is not None:
                wanted[(event.brand_id, event.campaign_id, name, one.periods[name])].add(rule.name)
    for (brand_id, campaign_id, name, begins), rules in wanted.items():
        spent = _spent(session, brand_id, campaign_id, rules, begins, _end(name, begins))
        for rule_name, amount in spent.items():
            key = (name, campaign_id, rule_name) if begins is None else (name, campaign_id, begins, rule_name)
            books.spent[key] = amount


def _spent(
    session: Session, brand_id: UUID, campaign_id: UUID, rules: set[str], begins: datetime | None, ends: datetime | None
) -> dict[str, int]:
    reward = table(Reward)
    statement = select(reward.c.rule, func.sum(worth(reward))).where(
        reward.c.brand_id == brand_id, reward.c.campaign_id == campaign_id, reward.c.rule.in_(rules)
    )
    if begins is not None and ends is not None:
        statement = statement.where(reward.c.created_at >= begins, reward.c.created_at < ends)
    return {rule: int(spent) for rule, spent in session.execute(statement.group_by(reward.c.rule))}


def _name_periods(session: Session, cases: Sequence[Case]) -> None:
    """Say of each case when its day and its ISO week began in the campaign's time zone."""
    campaign = table(Campaign)
    keys = {(one.event.brand_id, one.event.campaign_id) for one in cases}
    if not keys:
        return
    rows = session.execute(
        select(campaign.c.id, campaign.c.timezone).where(
            among_keys(session, (campaign.c.brand_id, campaign.c.id), keys)
        )
    )
    zones = {campaign_id: ZoneInfo(name) for campaign_id, name in rows}
    for one in cases:
        when = one.event.at, zones[one.event.campaign_id]
        one.periods = {"day": clock.day_of(*when), "week": clock.week_of(*when)}


def _end(name: str, begins: datetime | None) -> datetime | None:
    """The next midnight or Monday of the same clock: a day with a change of the clock has 23 or 25 hours."""
    return None if begins is None else begins + timedelta(days=7 if name == "week" else 1)


def _pairs(cases: Sequence[Case]) -> set[tuple[UUID, UUID, UUID]]:
    return {(one.event.brand_id, *one.pair) for one in cases}


def _its_referral(reward: Any, referral: Any) -> ColumnElement[bool]:
    same: ColumnElement[bool] = (reward.c.brand_id == referral.c.brand_id) & (reward.c.referral_id == referral.c.id)
    return same
