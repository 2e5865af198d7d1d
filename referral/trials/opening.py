"""The places of a trial are laid out when its campaign's file is applied, and follow each version of it."""

from __future__ import annotations

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import insert_missing, table
from core.errors import Refused
from referral.campaigns import Campaign
from referral.trials import line
from referral.trials.places import Trial, TrialApplication, lock
from referral.trials.terms import TrialTerms


def open_places(session: Session, campaign: Campaign, terms: TrialTerms) -> Trial:
    """Make the campaign's places what the terms say; more of them go to whoever waits.

    Raises `Refused`: quota_below_given (quota, given), trial_approve_fixed where people applied under another way to
    a place: what they were told holds.
    """
    target = table(Trial)
    new = {
        "brand_id": campaign.brand_id,
        "campaign_id": campaign.id,
        "quota": terms.quota,
        "given": 0,
        "approve": terms.approve,
        "friends": terms.friends,
        "closes_at": terms.closes_at(campaign.ends_at),
        "draw_at": terms.drawn_at(campaign.ends_at),
    }
    insert_missing(session, target, [new], ["brand_id", "campaign_id"])
    trial = lock(session, campaign.brand_id, campaign.id)
    if terms.quota < trial.given:
        raise Refused("quota_below_given", quota=terms.quota, given=trial.given)
    if (terms.approve, terms.friends) != (trial.approve, trial.friends) and _has_applications(session, campaign):
        raise Refused("trial_approve_fixed")
    trial.quota, trial.approve, trial.friends = terms.quota, terms.approve, terms.friends
    arrange(trial, campaign, terms)
    session.add(trial)
    session.flush()
    line.fill(session, trial, campaign)
    return trial


def arrange(trial: Trial, campaign: Campaign, terms: TrialTerms) -> None:
    """Applications close, and the draw is held, when the terms and the campaign's end say. Later than before opens
    them again."""
    closes = terms.closes_at(campaign.ends_at)
    if closes > trial.closes_at:
        trial.closed_at = None
    trial.closes_at = closes
    if trial.drawn_at is None:
        trial.draw_at = terms.drawn_at(campaign.ends_at)


def _has_applications(session: Session, campaign: Campaign) -> bool:
    found = session.scalar(
        select(col(TrialApplication.id))
        .where(col(TrialApplication.brand_id) == campaign.brand_id, col(TrialApplication.campaign_id) == campaign.id)
        .limit(1)
    )
    return found is not None
