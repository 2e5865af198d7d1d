"""Deciding a case: who may, when there is nothing left to decide, what is written down, and appeals.

An appeal asks another person to look at a decision again: once for each decision. It is decided by somebody other than
who decided first, where the brand has such a person. A decision about an appeal is the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from core import clock
from core.errors import NotFound, Refused
from core.events import Bus
from referral import audit, cases, doubts, rejection
from referral.actors import has_others, is_same, person_behind
from referral.cases import Case, CaseDecided
from referral.linking import person_of, standing_links
from referral.members import Member, fingerprint, identities_of
from referral.referrals import Referral
from referral.staff import OPERATOR

WORDS = 500
"""How long what somebody says in an appeal may be."""
FALLEN = ("rejected", "reversed")
APPEALED = ("attribution", "application")
"""Kinds of cases whose decision may be appealed against; about a referral, the referral itself is appealed for."""


def listen(bus: Bus) -> None:
    """Hear what was decided about attributions and appeals."""
    bus.on(CaseDecided, doubts.on_decided)
    bus.on(CaseDecided, _on_appeal_decided)


def decide(
    session: Session, brand_id: UUID, case_id: UUID, verdict: str, reason: str, actor: str, *, choice: str | None = None
) -> Case:
    """Decide a case and all that follows from it, once; audited. The case, which is `closed` if there was nothing left
    to decide.

    Raises `NotFound("case")`, as `cases.decide`, `BadInput("case_choice")` where a candidate must be named,
    `Refused("case_own")`, `Refused("case_own_appeal")` as `why_not_by` says, and `Refused("case_cannot")`.
    """
    case = cases.find_case(session, brand_id, case_id)
    if case.state == "open" and close_if_moot(session, case):
        return case
    if case.state == "open" and (why := why_not_by(session, case, actor)) is not None:
        raise Refused(why)
    asks_whom = case.kind == "attribution" and case.state == "open" and verdict == "approve"
    chosen = doubts.check_choice(session, case, choice) if asks_whom else None
    decided = cases.decide(session, case, verdict, reason, actor, choice=chosen)
    # Without the reason: what somebody wrote may name a person, and the log is never forgotten.
    audit.record(session, brand_id, actor, "case.decide", str(case.id), kind=case.kind, verdict=verdict, choice=chosen)
    return decided


def close_if_moot(session: Session, case: Case) -> bool:
    """Close an open case that nobody need decide any more; whether it was."""
    why = why_moot(session, case)
    if why is None:
        return False
    cases.close_cases(session, case.brand_id, case.kind, [case.key], why)
    session.refresh(case)
    return True


def why_moot(session: Session, case: Case) -> str | None:
    """Why nobody need decide an open case any more: `gone`, `over` and the like; None while somebody has to."""
    if case.kind == "attribution":
        return doubts.moot(session, case)
    if case.kind == "referral":
        referral = session.get(Referral, (case.brand_id, case.referral_id)) if case.referral_id else None
        return "over" if referral is None or referral.state in FALLEN else None
    if case.kind == "appeal":
        return _moot_appeal(session, case)
    return None


def _moot_appeal(session: Session, case: Case) -> str | None:
    member = session.get(Member, (case.brand_id, case.member_id)) if case.member_id else None
    if member is None or member.erased_at is not None:
        return "gone"
    if case.referral_id is not None:
        referral = session.get(Referral, (case.brand_id, case.referral_id), populate_existing=True)
        return None if referral is not None and rejection.may_reinstate(referral) else "over"
    first = cases.find_case(session, case.brand_id, case.appeal_of) if case.appeal_of else None
    return doubts.moot(session, first) if first is not None and first.kind == "attribution" else None


def why_not_by(session: Session, case: Case, actor: str) -> str | None:
    """Why this actor may not decide a case, or None: `case_own` for whoever it is about, `case_own_appeal` for whoever
    took the decision that is appealed against. Where the brand has nobody else they may; the command line always."""
    if actor == OPERATOR:
        return None
    mine = person_behind(session, case.brand_id, actor)
    why = "case_own" if mine is not None and mine in parties(session, case) else None
    first = first_decider(session, case) if case.kind == "appeal" else None
    if why is None and first is not None and is_same(session, case.brand_id, first, actor):
        why = "case_own_appeal"
    return why if why is not None and has_others(session, case.brand_id, actor) else None


def parties(session: Session, case: Case) -> set[UUID]:
    """Everybody who gains or loses by a decision, as the persons they are now."""
    found = set(concerned(session, case))
    referral = session.get(Referral, (case.brand_id, case.referral_id)) if case.referral_id else None
    if referral is not None:
        found |= {person_of(session, case.brand_id, one) for one in (referral.advocate_id, referral.friend_id)}
    person = case.facts.get("person")
    if person and (friend := person_behind(session, case.brand_id, f"{person['platform']}:{person['account']}")):
        found.add(friend)
    return found


def first_decider(session: Session, case: Case) -> str | None:
    """The actor of the decision that is appealed against, where it is known."""
    if case.appeal_of is not None:
        return cases.find_case(session, case.brand_id, case.appeal_of).decided_by
    referral = session.get(Referral, (case.brand_id, case.referral_id)) if case.referral_id else None
    rejected = (referral.facts or {}).get("rejected") if referral is not None else None
    return str(rejected["actor"]) if rejected else None


def appeal_referral(session: Session, brand_id: UUID, member_id: UUID, referral_id: UUID, words: str) -> Case:
    """Ask that a referral which counts no longer be looked at again, by its advocate or its friend.

    Raises `NotFound("case")` for somebody else's, `Refused("appeal_not_possible")` for one that no person judged, and
    `Refused("appeal_again")` with `state` if it was appealed for already.
    """
    referral = session.get(Referral, (brand_id, referral_id), populate_existing=True)
    if referral is None or member_id not in (referral.advocate_id, referral.friend_id):
        raise NotFound("case")
    if not rejection.may_reinstate(referral):
        raise Refused("appeal_not_possible")
    decided = (referral.facts or {}).get("rejected", {}).get("case")
    return _open_appeal(
        session,
        brand_id,
        _key_of_referral(referral),
        member_id,
        words,
        referral_id=referral.id,
        campaign_id=referral.campaign_id,
        appeal_of=UUID(decided) if decided else None,
    )


def appeal_case(session: Session, brand_id: UUID, member_id: UUID, case_id: UUID, words: str) -> Case:
    """Ask that a decision be looked at again, by whom it concerned. Raises as `appeal_referral`."""
    first = cases.find_case(session, brand_id, case_id)
    if first.kind == "referral" and first.referral_id is not None:
        return appeal_referral(session, brand_id, member_id, first.referral_id, words)
    if member_id not in concerned(session, first):
        raise NotFound("case")
    if not may_appeal(session, first):
        raise Refused("appeal_not_possible")
    return _open_appeal(
        session,
        brand_id,
        _key_of_case(first, member_id),
        member_id,
        words,
        campaign_id=first.campaign_id,
        subject_id=first.subject_id,
        appeal_of=first.id,
    )


def _key_of_referral(referral: Referral) -> str:
    """One appeal for each time it fell, whoever of the two makes it."""
    return f"referral/{referral.id}/{rejection.times_reinstated(referral)}"


def _key_of_case(first: Case, member_id: UUID) -> str:
    return f"case/{first.id}" + (f"/{member_id}" if first.kind == "attribution" else "")


def appealed(
    session: Session, brand_id: UUID, member_id: UUID, referral_id: UUID | None, case_id: UUID | None
) -> Case | None:
    """The appeal there has been about a referral's fall, or about a decision, if any."""
    key = None
    first = session.get(Case, (brand_id, case_id)) if case_id is not None else None
    if first is not None and first.kind != "referral":
        key = _key_of_case(first, member_id)
    wanted = referral_id or (first.referral_id if first is not None else None)
    referral = session.get(Referral, (brand_id, wanted)) if wanted is not None else None
    if key is None and referral is not None:
        key = _key_of_referral(referral)
    return session.scalar(
        select(Case).where(col(Case.brand_id) == brand_id, col(Case.kind) == "appeal", col(Case.key) == key)
    )


def may_appeal(session: Session, case: Case) -> bool:
    """Whether a decision can be appealed against: it said no, and it was not the last word."""
    if case.state != "decided" or case.verdict != "decline":
        return False
    if case.kind == "referral":
        referral = session.get(Referral, (case.brand_id, case.referral_id)) if case.referral_id else None
        return referral is not None and rejection.may_reinstate(referral)
    return case.kind in APPEALED


def concerned(session: Session, case: Case) -> list[UUID]:
    """Whom a decision concerns, as the persons they are now; who was forgotten is not among them."""
    if case.kind == "attribution":
        return [owner.advocate_id for owner in doubts.candidates_of(session, case)]
    if case.member_id is None:
        return []
    person = person_of(session, case.brand_id, case.member_id)
    member = session.get(Member, (case.brand_id, person))
    return [person] if member is not None and member.erased_at is None else []


def _open_appeal(
    session: Session,
    brand_id: UUID,
    key: str,
    member_id: UUID,
    words: str,
    *,
    campaign_id: UUID | None,
    appeal_of: UUID | None,
    referral_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> Case:
    found = session.scalar(
        select(Case).where(col(Case.brand_id) == brand_id, col(Case.kind) == "appeal", col(Case.key) == key)
    )
    if found is not None:
        raise Refused("appeal_again", state=found.state)
    return cases.open_case(
        session,
        brand_id,
        "appeal",
        key,
        member_id=member_id,
        referral_id=referral_id,
        campaign_id=campaign_id,
        subject_id=subject_id,
        facts={"words": words.strip()[:WORDS]},
        appeal_of=appeal_of,
    )


def _on_appeal_decided(session: Session, happened: Sequence[CaseDecided]) -> None:
    """An appeal that is upheld brings back what the first decision had ended."""
    for event in happened:
        if event.kind != "appeal" or event.verdict != "approve":
            continue
        if event.referral_id is not None:
            rejection.reinstate(session, event.brand_id, event.referral_id, event.case_id)
        elif event.appeal_of is not None:
            first = cases.find_case(session, event.brand_id, event.appeal_of)
            if first.kind == "attribution" and event.member_id is not None:
                doubts.credit(session, first, _code_of(session, first, event.member_id))


def _code_of(session: Session, first: Case, member_id: UUID) -> str | None:
    person = person_of(session, first.brand_id, member_id)
    mine = [owner.code for owner in doubts.candidates_of(session, first) if owner.advocate_id == person]
    return mine[0] if mine else None


def cases_about(session: Session, brand_id: UUID, members: Collection[UUID]) -> list[Case]:
    """All cases about these members, the oldest first."""
    return list(
        session.scalars(
            select(Case)
            .where(col(Case.brand_id) == brand_id, _about(session, brand_id, members))
            .order_by(col(Case.opened_at), col(Case.id))
        )
    )


def _about(session: Session, brand_id: UUID, members: Collection[UUID]) -> ColumnElement[bool]:
    prints = [fingerprint(row.platform, row.account) for row in identities_of(session, brand_id, list(members))]
    mine: ColumnElement[bool] = col(Case.member_id).in_(members)
    for one in prints:
        mine |= (col(Case.kind) == "attribution") & col(Case.key).startswith(f"{one}/")
    return mine


def forget(session: Session, brand_id: UUID, member_id: UUID) -> None:
    """Let go of what people said and were called in cases about a member who is being forgotten; what was open is
    closed. To be called while their accounts are still known."""
    everyone = [member_id, *(link.absorbed_id for link in standing_links(session, brand_id, member_id))]
    for case in cases_about(session, brand_id, everyone):
        case.facts = {name: value for name, value in case.facts.items() if name not in ("person", "words", "locale")}
        if case.state == "open" and case.kind != "referral":  # which may keep the other one's reward in review
            case.state, case.decided_at = "closed", clock.now()
        case.reason = "gone" if case.state == "closed" else None
        session.add(case)
    session.flush()
