"""Whoever is out of a contest is out under every account: one that is linked while nothing is final goes out with them.

A link moves friends from account to account, and so could bring back what a decision took out. After the final the
score sheet holds what was true at it, and no link changes that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import i18n
from core.events import Bus
from referral.campaigns import Campaign
from referral.contests.decisions import (
    ContestDecision,
    disqualify,
    hold,
    reinstate,
    standing_decisions,
)
from referral.contests.results import frozen_among
from referral.linking import LinkUndone, MembersLinked

BY_LINK = "link/"
"""How the actor of a decision begins that a link brought with it; the link's id follows."""


def listen(bus: Bus) -> None:
    """Hear of links; after the rewards have followed them."""
    bus.on(MembersLinked, on_linked)
    bus.on(LinkUndone, on_undone)


def on_linked(session: Session, happened: Sequence[MembersLinked]) -> None:
    """One of two who became one person is out: so is the other, for the same reason."""
    for event in happened:
        pair = (event.kept_id, event.absorbed_id)
        for campaign, out in _open(session, event.brand_id, pair):
            mine = [one for one in out if one.member_id in pair]
            if len(mine) == 1:
                actor = f"{BY_LINK}{event.link_id}"
                disqualify(session, campaign, event.kept_id, reason=mine[0].reason, actor=actor)


def on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """Who was out only by the link is in again, while nothing is final: after that a person decides."""
    reason = " / ".join(i18n.text(locale, "contest.unlinked") for locale in i18n.LOCALES)
    for event in happened:
        actor = f"{BY_LINK}{event.link_id}"
        for campaign, out in _open(session, event.brand_id, (event.kept_id, event.absorbed_id)):
            for one in out:
                if one.actor == actor and one.member_id in (event.kept_id, event.absorbed_id):
                    reinstate(session, campaign, one.member_id, reason=reason, actor=actor)


def _open(
    session: Session, brand_id: UUID, members: Iterable[UUID]
) -> Iterator[tuple[Campaign, list[ContestDecision]]]:
    """The contests without a final in which there were decisions about these members, with all that stand."""
    d = col(ContestDecision.campaign_id)
    about = col(ContestDecision.member_id).in_(list(members))
    found = session.scalars(select(d).where(col(ContestDecision.brand_id) == brand_id, about).distinct())
    for campaign_id in sorted(found):
        campaign = session.get_one(Campaign, (brand_id, campaign_id))
        hold(session, campaign)
        if not frozen_among(session, [(brand_id, campaign_id)]):
            yield campaign, standing_decisions(session, brand_id, campaign_id)
