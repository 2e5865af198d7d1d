"""A draw's prizes are given: goodwill from the budget of the draw's campaign, each with the draw as its reason."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlmodel import Session

from core import i18n
from core.events import Bus
from core.money import ITEM
from referral.members import Member, identities_of
from rewards.adjustments import adjust
from rewards.items.draws import Draw, PrizeWon
from rewards.ledger import fund

log = structlog.get_logger()
ACTOR = "draw"


def listen(bus: Bus) -> None:
    """Hear who won."""
    bus.on(PrizeWon, _on_won)


def _on_won(session: Session, happened: Sequence[PrizeWon]) -> None:
    for won in happened:
        member = session.get(Member, (won.brand_id, won.member_id))
        draw = session.get(Draw, (won.brand_id, won.draw_id))
        assert draw is not None
        if member is None or member.erased_at is not None:
            # Whoever was forgotten cannot be given anything; the place stays theirs, or the draw could be bent.
            log.warning("draw.winner_gone", draw=draw.slug, place=won.place)
            continue
        locale = member.locale or _spoken(session, won) or i18n.DEFAULT
        reason = i18n.text(locale, "draw.prize", title=i18n.pick(draw.title, locale), place=won.place)
        cause = f"draw/{won.draw_id}/{won.place}"
        if won.asset.startswith(ITEM):
            # Items are no money: the brand puts into the budget what it promised to give.
            fund(session, won.brand_id, won.campaign_id, won.asset, won.amount, f"fund/{won.campaign_id}/{cause}")
        adjust(
            session,
            won.brand_id,
            won.member_id,
            won.campaign_id,
            won.asset,
            won.amount,
            reason=reason,
            actor=ACTOR,
            key=cause,
        )


def _spoken(session: Session, won: PrizeWon) -> str | None:
    """The language of the platform where the winner was last heard."""
    known = sorted(identities_of(session, won.brand_id, [won.member_id]), key=lambda identity: identity.seen_at)
    return known[-1].locale if known else None
