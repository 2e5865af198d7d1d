"""What of a campaign's budgets its contest's prizes need: nothing else may spend it until the final has given them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlmodel import Session

from referral.contests.results import frozen_among
from rewards.decisions import Balance
from rewards.plans import latest_plan


def held_back(session: Session, campaigns: Collection[tuple[UUID, UUID]]) -> dict[Balance, int]:
    """How much of each budget of these (brand, campaign) is set aside for prizes that are still to be given."""
    if not campaigns:
        return {}
    frozen = frozen_among(session, list(campaigns))
    found: dict[Balance, int] = {}
    for brand_id, campaign_id in campaigns:
        if campaign_id not in frozen:
            plan = latest_plan(session, brand_id, campaign_id)
            for asset in dict.fromkeys(map(plan.prize_asset, plan.prizes)):
                found[(campaign_id, asset)] = plan.reserve(asset)
    return found
