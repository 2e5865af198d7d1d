"""What an application means for whoever brought its applicant: windows that wait for it, and the acts that count.

A friend must apply within the window of their referral. What follows from the application (a place taken, feedback)
has deadlines of its own and counts whenever it comes: that a place passed on late, or that the post was slow, is not
the advocate's fault. So the window stays open while an application is under way (`TrialTerms.counts_until`), and closes
as it would have when nothing can come of it any more.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from core import clock, events
from core.db import table
from referral.campaigns import Campaign
from referral.qualifying import Qualify, qualify
from referral.referrals import OPEN, FriendActed, Referral, referral_of
from referral.trials.places import UNFINISHED, TrialApplication
from referral.trials.terms import TrialTerms

CLAIMED, GIVEN = "trial_claimed", "feedback_given"
OWN = (CLAIMED, GIVEN)
"""The qualifying events of trials."""


def hold_window(session: Session, campaign: Campaign, terms: TrialTerms, member_id: UUID) -> None:
    """Keep the way this member came open while their application is under way, if it is open now."""
    referral = referral_of(session, campaign.brand_id, member_id, campaign.id)
    if referral is None or referral.state not in ("started", "joined") or clock.now() >= referral.expires_at:
        return
    referral.expires_at = max(referral.expires_at, terms.counts_until(campaign.ends_at))
    session.add(referral)
    session.flush()


def let_window_go(session: Session, campaign: Campaign, member_id: UUID) -> None:
    """Nothing can come of the application any more: the window is what it would have been without it."""
    referral = referral_of(session, campaign.brand_id, member_id, campaign.id)
    if referral is None or referral.state not in ("started", "joined"):
        return
    usual = min(referral.started_at + timedelta(days=campaign.window_days), campaign.ends_at)
    referral.expires_at = min(referral.expires_at, usual)
    session.add(referral)
    session.flush()


def hold_windows(session: Session, campaign: Campaign, terms: TrialTerms) -> None:
    """The campaign ended, which closed all windows at that moment: those of applications under way open again."""
    session.flush()
    r, t = table(Referral), table(TrialApplication)
    applying = select(t.c.member_id).where(
        t.c.brand_id == campaign.brand_id, t.c.campaign_id == campaign.id, t.c.state.in_(UNFINISHED)
    )
    session.execute(
        update(r)
        .where(
            r.c.brand_id == campaign.brand_id,
            r.c.campaign_id == campaign.id,
            r.c.friend_id.in_(applying),
            r.c.state.in_(("started", "joined")),
            r.c.expires_at >= campaign.ends_at,
        )
        .values(expires_at=terms.counts_until(campaign.ends_at))
    )
    session.expire_all()


def credit(session: Session, campaign: Campaign, row: TrialApplication, event: str) -> None:
    """The applicant took a place, or gave feedback: their referral qualifies by it, or a rule may pay for it.

    Whoever has a place in a trial counts as having come, in a group or not, as a buyer does.
    """
    now = clock.now()
    referral = session.scalar(
        select(Referral)
        .where(
            col(Referral.brand_id) == row.brand_id,
            col(Referral.friend_id) == row.member_id,
            col(Referral.campaign_id) == row.campaign_id,
        )
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if referral is None or referral.state not in OPEN or (now >= referral.expires_at and referral.state != "qualified"):
        return
    if referral.state == "started" and campaign.event in OWN:
        referral.state, referral.joined_at = "joined", referral.joined_at or now
        session.add(referral)
        session.flush()
    if campaign.event == event:
        qualify(session, [Qualify(row.brand_id, referral.id, event, now)])
    elif referral.state != "started":
        who = (referral.brand_id, referral.campaign_id, referral.campaign_version, referral.id)
        events.emit(session, [FriendActed(*who, referral.advocate_id, referral.friend_id, event, now)])
