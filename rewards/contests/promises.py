"""What a contest that has begun may still change: what was published stays, or gets better for those who play."""

from __future__ import annotations

from sqlmodel import Session

from core.errors import Refused
from referral.campaigns import Campaign
from referral.contests.terms import ContestTerms, terms_of
from rewards.campaign_format import CampaignFile
from rewards.plans import plan_of

BEGUN = ("running", "paused")


def keep_promises(session: Session, campaign: Campaign, file: CampaignFile) -> None:
    """Raise `Refused` if a campaign that people take part in would become something else: `kind_fixed`, and
    `contest_fixed` for one whose way to play changes, whose prizes shrink or that gets harder to win."""
    if campaign.state not in BEGUN:
        return
    if campaign.kind != file.campaign.kind:
        raise Refused("kind_fixed", slug=campaign.slug)
    if file.contest is None:
        return
    before = plan_of(session, campaign.brand_id, campaign.id, campaign.version)
    less = any(file.plan.reserve(asset) < before.reserve(asset) for asset in before.assets)
    if less or _harder(terms_of(session, campaign), file.contest):
        raise Refused("contest_fixed", slug=campaign.slug)


def _harder(before: ContestTerms, after: ContestTerms) -> bool:
    return (
        before.mode != after.mode
        or after.floor > before.floor
        or after.team_most < before.team_most
        or after.objection_hours < before.objection_hours
    )
