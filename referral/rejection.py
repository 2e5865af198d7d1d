"""A person decides that a referral does not count: fraud, or somebody who never was a friend. Or that it does again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from core import clock, events
from core.errors import BadInput, NotFound, Refused
from referral import stays
from referral.campaigns import Campaign, runs_in
from referral.members import Member, active_memberships
from referral.referrals import Referral, is_upstream, lock_graph, recount, reverse

FRAUD = "fraud"
"""Why a referral that had counted does no longer."""
REVIEW = "review"
"""Why one that was on its way never will."""
LONGEST = 200
LEFT = "left_during_hold"
APPEALABLE = (FRAUD, REVIEW, LEFT)
"""Reasons of a fallen referral that a person may judge otherwise; the others are undone by what caused them."""


@dataclass(frozen=True, slots=True)
class ReferralReinstated:
    """A referral that had fallen for `reason` counts again, by the decision that `case_id` names."""

    brand_id: UUID
    campaign_id: UUID
    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    reason: str
    case_id: UUID
    at: datetime


def reject(
    session: Session, brand_id: UUID, referral_id: UUID, *, reason: str, actor: str, case_id: UUID | None = None
) -> Referral:
    """Let a referral count no longer, and what it earned be taken back; the referral. Decided once.

    `reason` and `actor` are kept with it for whoever asks later, and the case in which it was decided; people are told
    that it was not accepted after a review. Raises `NotFound("referral")`, and `Refused("referral_over")` for one that
    ended in another way.
    """
    for name, text in (("reason", reason), ("actor", actor)):
        if not text.strip() or len(text) > LONGEST or not text.isprintable():
            raise BadInput("adjustment_text", field=name, most=LONGEST)
    referral = _locked(session, brand_id, referral_id)
    if referral.state == "rejected" or (referral.state == "reversed" and referral.reason == FRAUD):
        return referral
    if referral.state not in ("started", "joined", "qualified"):
        raise Refused("referral_over", state=referral.state)
    decision = {"reason": reason, "actor": actor, "at": clock.now().isoformat()}
    if case_id is not None:
        decision["case"] = str(case_id)
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


def _locked(session: Session, brand_id: UUID, referral_id: UUID) -> Referral:
    referral = session.exec(
        select(Referral)
        .where(col(Referral.brand_id) == brand_id, col(Referral.id) == referral_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if referral is None:
        raise NotFound("referral")
    return referral


def may_reinstate(referral: Referral) -> bool:
    """Whether a person may let this fallen referral count again."""
    return referral.state in ("rejected", "reversed") and referral.reason in APPEALABLE


def reinstate(session: Session, brand_id: UUID, referral_id: UUID, case_id: UUID) -> Referral:
    """Let a referral that a person or a departure had ended go on where it was; the referral.

    What it had earned is granted anew by whoever hears `ReferralReinstated`. Raises `NotFound("referral")` and
    `Refused("case_cannot")` with `reason`: `over` where it did not fall for such a reason, `gone` where either of the
    two was forgotten since, `loop` where the friend has brought the advocate in the meantime.
    """
    lock_graph(session, brand_id)
    referral = _locked(session, brand_id, referral_id)
    if not may_reinstate(referral):
        raise Refused("case_cannot", reason="over")
    for member_id in (referral.advocate_id, referral.friend_id):
        member = session.get(Member, (brand_id, member_id))
        if member is None or member.erased_at is not None:
            raise Refused("case_cannot", reason="gone")
    if is_upstream(session, brand_id, referral.friend_id, of=referral.advocate_id):
        raise Refused("case_cannot", reason="loop")
    now, reason = clock.now(), referral.reason or REVIEW
    again = {"case": str(case_id), "at": now.isoformat(), "reason": reason}
    referral.facts = {**(referral.facts or {}), "reinstated": [*_reinstated(referral), again]}
    referral.reason = None
    if referral.qualified_at is not None:
        referral.state = "qualified"
        referral.stay_since = referral.joined_at if _is_here(session, referral) else None
    else:
        referral.state = "joined" if referral.joined_at is not None else "started"
    session.add(referral)
    session.flush()
    recount(session, brand_id, [(referral.campaign_id, referral.advocate_id)])
    told = (brand_id, referral.campaign_id, referral.id, referral.advocate_id, referral.friend_id)
    events.emit(session, [ReferralReinstated(*told, reason, case_id, now)])
    # Whoever never left has stayed since they came: the time in which it did not count is no fault of theirs.
    stays.start_stays(session, brand_id, {referral.friend_id: referral.joined_at or referral.started_at})
    return referral


def _is_here(session: Session, referral: Referral) -> bool:
    """Whether the friend is in one of the campaign's communities."""
    campaign = session.get_one(Campaign, (referral.brand_id, referral.campaign_id))
    here = active_memberships(session, referral.brand_id, [referral.friend_id]).get(referral.friend_id, [])
    return any(runs_in(campaign, stay.community_id) for stay in here)


def _reinstated(referral: Referral) -> list[dict[str, str]]:
    return list((referral.facts or {}).get("reinstated", []))


def times_reinstated(referral: Referral) -> int:
    """How often a referral that had fallen was let count again."""
    return len(_reinstated(referral))
