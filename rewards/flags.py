"""Referrals that look wrong: what a plan calls risky, and friends who are paid to the same place.

Each is a case for a person. Where the same place of payment is known what is held waits in review until the decision;
what a plan calls risky is held longer anyway, as the plan says, and a decision only shortens that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from core.events import Bus
from referral import cases, rejection
from referral.cases import Case, CaseDecided
from referral.referrals import OPEN, Referral
from rewards.corrections import take_back
from rewards.payouts.payouts import PayeeShared
from rewards.plans import cached_plan
from rewards.rewards import Reward, rewards_for

CLEARED = "cleared"
"""The fact of a referral that a person found nothing wrong with it."""
SIGNALS = ("risky", "payee")
FRIENDS = 20
"""Referrals put to review for one shared place of payment, at most."""


def listen(bus: Bus) -> None:
    """Hear what makes a referral look wrong, and what a person says to it."""
    bus.on(PayeeShared, _on_payee_shared)
    bus.on(CaseDecided, _on_decided)


def flag(session: Session, referral: Referral, signal: str, facts: Mapping[str, Any]) -> None:
    """Ask a person to look at a referral, once for each signal."""
    flag_as(session, (referral.brand_id, referral.campaign_id, referral.id, referral.advocate_id), signal, facts)


def flag_as(session: Session, who: tuple[UUID, UUID, UUID, UUID], signal: str, facts: Mapping[str, Any]) -> None:
    """`flag` by (brand, campaign, referral, advocate)."""
    brand_id, campaign_id, referral_id, advocate_id = who
    cases.open_case(
        session,
        brand_id,
        "referral",
        f"{referral_id}/{signal}",
        member_id=advocate_id,
        referral_id=referral_id,
        campaign_id=campaign_id,
        facts={"signal": signal, **facts},
    )


def _on_payee_shared(session: Session, happened: Sequence[PayeeShared]) -> None:
    """An advocate and a friend who are paid to one place, or several friends of one advocate, may be one person."""
    for event in happened:
        sharing = set(event.members)
        rows = session.scalars(
            select(Referral)
            .where(
                col(Referral.brand_id) == event.brand_id,
                col(Referral.friend_id).in_(sharing),
                col(Referral.state).in_(OPEN),
            )
            .order_by(col(Referral.started_at), col(Referral.id))
            .limit(FRIENDS)
        ).all()
        together: dict[tuple[UUID, UUID], int] = {}
        for row in rows:
            key = (row.campaign_id, row.advocate_id)
            together[key] = together.get(key, 0) + 1
        for row in rows:
            alone = together[row.campaign_id, row.advocate_id] == 1 and row.advocate_id not in sharing
            if alone or CLEARED in (row.facts or {}):
                continue
            flag(session, row, "payee", {"provider": event.provider, "members": sorted(map(str, sharing))})
            _hold(session, row)


def _hold(session: Session, referral: Referral) -> None:
    _move(session, referral.brand_id, referral.id, "held", "in_review")


def _move(session: Session, brand_id: UUID, referral_id: UUID, before: str, after: str) -> None:
    mine = (col(Reward.brand_id) == brand_id, col(Reward.referral_id) == referral_id, col(Reward.state) == before)
    session.execute(update(Reward).where(*mine).values(state=after).execution_options(synchronize_session="fetch"))


def _on_decided(session: Session, happened: Sequence[CaseDecided]) -> None:
    """Release from review what is found right; let the referral fall that is not."""
    for event in happened:
        if event.kind != "referral" or event.referral_id is None:
            continue
        if event.verdict == "approve":
            _clear(session, event.brand_id, event.referral_id, event.case_id)
        else:
            _fell(session, event)


def _clear(session: Session, brand_id: UUID, referral_id: UUID, case_id: UUID) -> None:
    referral = session.get_one(Referral, (brand_id, referral_id), populate_existing=True)
    referral.facts = {**(referral.facts or {}), CLEARED: str(case_id)}
    session.add(referral)
    session.flush()
    if not _waits(session, brand_id, referral_id):
        _move(session, brand_id, referral_id, "in_review", "held")
    for reward in rewards_for(session, brand_id, [referral_id]):
        rule = cached_plan(session, brand_id, reward.campaign_id, reward.campaign_version).rule_named(reward.rule)
        if reward.state == "held" and rule is not None and rule.risky_hold_days is not None:
            reward.hold_until = min(reward.hold_until, reward.created_at + timedelta(days=rule.hold_days))
            session.add(reward)
    session.flush()


def _waits(session: Session, brand_id: UUID, referral_id: UUID) -> bool:
    """Whether it is still asked who is paid there: what is held waits for that answer, and for no other."""
    asked = select(col(Case.id)).where(
        col(Case.brand_id) == brand_id,
        col(Case.kind) == "referral",
        col(Case.key) == f"{referral_id}/payee",
        col(Case.state) == "open",
    )
    return session.scalar(asked) is not None


def _fell(session: Session, event: CaseDecided) -> None:
    assert event.referral_id is not None
    referral = session.get_one(Referral, (event.brand_id, event.referral_id), populate_existing=True)
    if referral.state in OPEN:
        rejection.reject(
            session, event.brand_id, event.referral_id, reason=event.reason, actor=event.actor, case_id=event.case_id
        )
    else:  # one whose window is over may have earned by purchases before
        take_back(session, rewards_for(session, event.brand_id, [event.referral_id]), rejection.FRAUD)
