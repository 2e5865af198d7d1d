"""The end of a campaign's books: what was not spent goes back to the brand, and the campaign is settled."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session

from core.db import table
from core.errors import Refused
from referral.campaigns import Campaign, move
from rewards import ledger
from rewards.ledger import Purpose, Transfer
from rewards.rewards import Reward


def settle(session: Session, campaign: Campaign) -> dict[str, int]:
    """Return what is left of an ended campaign's budgets to the brand, by asset in minor units, and settle it.

    What corrections bring back afterwards is returned by settling again. Raises `Refused("campaign_state")` for one
    that has not ended, `Refused("rewards_held")` (held: how many) while rewards are on hold.
    """
    reward = table(Reward)
    held = session.scalar(
        select(func.count()).where(
            reward.c.brand_id == campaign.brand_id,
            reward.c.campaign_id == campaign.id,
            reward.c.state.in_(("held", "in_review")),
        )
    )
    if campaign.state in ("ended", "settled") and held:
        raise Refused("rewards_held", held=held)
    if campaign.state != "settled":
        move(session, campaign, "settle")
    returned = {}
    balances = ledger.balances_of(session, campaign.brand_id, campaign.id)
    for (purpose, asset), left in sorted(balances.items()):
        if purpose == Purpose.BUDGET and left > 0:
            reference = f"unfund/{campaign.id}/settled/{asset}/{_times(session, campaign)}"
            ledger.unfund(session, campaign.brand_id, campaign.id, asset, left, reference)
            returned[asset] = left
    return returned


def _times(session: Session, campaign: Campaign) -> int:
    """How often something was returned by settling before."""
    t = table(Transfer)
    settled = t.c.reference.startswith(f"unfund/{campaign.id}/settled/")
    return session.scalar(select(func.count()).where(t.c.brand_id == campaign.brand_id, settled)) or 0
