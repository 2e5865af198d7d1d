"""What trials hear of: decisions, friends who came or fell, campaigns that moved, members who became one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import among, table
from core.events import Bus
from referral.campaigns import Campaign, CampaignMoved
from referral.cases import Case, CaseDecided
from referral.linking import LinkUndone, MembersLinked
from referral.referrals import MemberReferred, ReferralReversed
from referral.rejection import ReferralReinstated
from referral.trials import credit, line, persons
from referral.trials.applications import CASE, approve, decline, reinstate
from referral.trials.opening import arrange
from referral.trials.places import UNFINISHED, Trial, TrialApplication, campaign_of, lock, terms_of


def listen(bus: Bus) -> None:
    """Join the trials to the rest; after `stays.close_windows`, whose closing some windows survive."""
    bus.on(CampaignMoved, on_campaign)
    bus.on(CaseDecided, on_decided)
    bus.on(MemberReferred, on_referred)
    bus.on(ReferralReversed, on_reversed)
    bus.on(ReferralReinstated, on_reversed)
    bus.on(MembersLinked, persons.on_linked)
    bus.on(LinkUndone, persons.on_undone)


def on_campaign(session: Session, happened: Sequence[CampaignMoved]) -> None:
    """An end closes applications and leaves the windows open of those under way; a start gives what is free."""
    after = {(moved.brand_id, moved.campaign_id): moved.after for moved in happened}
    for key in _trials(session, happened):
        trial = lock(session, *key)
        campaign = session.get_one(Campaign, key)
        if after[key] == "ended":
            terms = terms_of(session, campaign)
            arrange(trial, campaign, terms)
            session.add(trial)
            session.flush()
            credit.hold_windows(session, campaign, terms)
        line.fill(session, trial, campaign)


def on_decided(session: Session, happened: Sequence[CaseDecided]) -> None:
    """A person decided about an application, or that declining one was wrong."""
    for event in happened:
        if event.kind == CASE and event.subject_id is not None:
            if event.verdict == "approve":
                approve(session, event.brand_id, event.subject_id, event.actor, event.reason)
            else:
                decline(session, event.brand_id, event.subject_id, event.actor, event.reason)
        elif event.kind == "appeal" and event.verdict == "approve" and event.appeal_of is not None:
            before = session.get(Case, (event.brand_id, event.appeal_of))
            if before is not None and before.kind == CASE and before.subject_id is not None:
                reinstate(session, event.brand_id, before.subject_id, event.actor)


def on_referred(session: Session, happened: Sequence[MemberReferred]) -> None:
    """A friend named who brought them, perhaps after applying. The hot path: most campaigns are no trials."""
    trials = _trials(session, happened)
    for brand_id, campaign_id in trials:
        here = [e for e in happened if (e.brand_id, e.campaign_id) == (brand_id, campaign_id)]
        t = table(TrialApplication)
        friends = among(session, t.c.member_id, [event.friend_id for event in here])
        applied = set(
            session.scalars(
                select(t.c.member_id).where(
                    t.c.brand_id == brand_id, t.c.campaign_id == campaign_id, friends, t.c.state.in_(UNFINISHED)
                )
            )
        )
        if not applied:
            continue
        trial = lock(session, brand_id, campaign_id)
        campaign = campaign_of(session, trial)
        terms = terms_of(session, campaign)
        for member_id in sorted(applied):
            credit.hold_window(session, campaign, terms, member_id)
        line.recount(session, trial, {event.advocate_id for event in here if event.friend_id in applied})
        line.fill(session, trial, campaign)


def on_reversed(session: Session, happened: Sequence[ReferralReversed | ReferralReinstated]) -> None:
    """Whose friends fell stands where they would have stood without them, and with them where they count again; a
    place that was given stays given."""
    advocates: dict[tuple[UUID, UUID], set[UUID]] = defaultdict(set)
    for event in happened:
        advocates[(event.brand_id, event.campaign_id)].add(event.advocate_id)
    for brand_id, campaign_id in _trials(session, happened):
        line.recount(session, lock(session, brand_id, campaign_id), advocates[(brand_id, campaign_id)])


def _trials(session: Session, happened: Iterable[Any]) -> list[tuple[UUID, UUID]]:
    """(brand, campaign) of those of these events that are about a trial, in one order for everybody."""
    keys = {(event.brand_id, event.campaign_id) for event in happened}
    rows = session.execute(
        select(col(Trial.brand_id), col(Trial.campaign_id)).where(
            col(Trial.brand_id).in_({brand for brand, _ in keys}),
            col(Trial.campaign_id).in_({campaign for _, campaign in keys}),
        )
    )
    return sorted((brand, campaign) for brand, campaign in rows)
