"""A person decides that a referral does not count: fraud, or somebody who never was a friend."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from core import clock, events
from core.errors import BadInput, NotFound, Refused
from referral.referrals import Referral, reverse

FRAUD = "fraud"
"""Why a referral that had counted does no longer."""
REVIEW = "review"
"""Why one that was on its way never will."""
LONGEST = 200


def reject(session: Session, brand_id: UUID, referral_id: UUID, *, reason: str, actor: str) -> Referral:
    """Let a referral count no longer, and what it earned be taken back; the referral. Decided once.

    `reason` and `actor` are kept with it for whoever asks later; people are told that it was not accepted after a
    review. Raises `NotFound("referral")`, and `Refused("referral_over")` for one that ended in another way.
    """
    for name, text in (("reason", reason), ("actor", actor)):
        if not text.strip() or len(text) > LONGEST or not text.isprintable():
            raise BadInput("adjustment_text", field=name, most=LONGEST)
    referral = session.exec(
        select(Referral)
        .where(col(Referral.brand_id) == brand_id, col(Referral.id) == referral_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if referral is None:
        raise NotFound("referral")
    if referral.state == "rejected" or (referral.state == "reversed" and referral.reason == FRAUD):
        return referral
    if referral.state not in ("started", "joined", "qualified"):
        raise Refused("referral_over", state=referral.state)
    decision = {"reason": reason, "actor": actor, "at": clock.now().isoformat()}
    referral.facts = {**(referral.facts or {}), "rejected": decision}
    if referral.state == "qualified":
        events.emit(session, reverse(session, [referral], FRAUD))
    else:
        # Purchases of a friend who had not qualified may have earned already; they are taken back as well.
        fallen = reverse(session, [referral], FRAUD)
        referral.state, referral.reason = "rejected", REVIEW
        session.add(referral)
        session.flush()
        events.emit(session, fallen)
    return referral
