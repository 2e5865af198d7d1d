"""A word to the advocate at a milestone, or one friend short of a prize.

In the unit of work that counts a friend it is only noted, which costs nothing where there is nothing to note; to whom
it may be said, and when, is found out after the commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from bots.outreach.prizes import reaches
from core import ids
from core.events import Bus
from core.outbox import Claimed, Message, Parting, put
from referral.brands import Brand
from referral.outreach.messages import Notice, plan
from referral.outreach.people import settings_of
from referral.referrals import ScoreRose
from rewards.plans import cached_plan

TOPIC = "cheers"
MILESTONES = (5, 10, 25, 50, 100, 250, 500, 1000)


def listen(bus: Bus) -> None:
    """Hear of scores that rise."""
    bus.on(ScoreRose, _on_rose)


def _on_rose(session: Session, happened: Sequence[ScoreRose]) -> None:
    noted: defaultdict[UUID, list[list[Any]]] = defaultdict(list)
    for event in happened:
        reached = max((one for one in MILESTONES if event.before < one <= event.after), default=None)
        if reached is not None:
            kind, reach = "milestone", reached
        elif event.after + 1 in _steps(session, event):
            kind, reach = "gap", event.after + 1
        else:
            continue
        noted[event.brand_id].append([kind, str(event.campaign_id), str(event.advocate_id), reach])
    if noted:
        put(
            session,
            [
                # A key of its own: what was said before is known by its subject, when the turn of these has come.
                Message(TOPIC, f"cheers/{ids.new()}", {"brand": str(brand_id), "noted": found}, brand_id)
                for brand_id, found in noted.items()
            ],
        )


def _steps(session: Session, event: ScoreRose) -> frozenset[int]:
    return reaches(cached_plan(session, event.brand_id, event.campaign_id, event.campaign_version))


async def deliver(message: Claimed) -> Parting:
    """Plan what was noted, in the unit of work that marks it done."""
    return plan_noted, message.payload


def plan_noted(session: Session, noted: Sequence[dict[str, Any]]) -> list[None]:
    """Queue a word for each; a batch function for the writer."""
    for payload in noted:
        brand_id = UUID(payload["brand"])
        if settings_of(session, brand_id).cheers:
            plan(session, session.get_one(Brand, brand_id), [_notice(*one) for one in payload["noted"]])
    return [None] * len(noted)


def _notice(kind: str, campaign: str, member: str, reach: int) -> Notice:
    facts = {"campaign": campaign, "reach": reach}
    return Notice(UUID(member), kind, f"{kind}/{campaign}/{reach}", facts, UUID(campaign))
