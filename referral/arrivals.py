"""Coming with a code: `arrive` is the hot command behind `/start CODE`, `/join CODE` and a member's own invite link."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import Session, col

from core import events, ids
from core.db import insert_all, insert_new, table
from referral import members, rules, stays
from referral.brands import Community, communities_of
from referral.campaigns import CodeOwner, owners_of
from referral.members import Account, Known, Member
from referral.referrals import MemberReferred, Referral, is_upstream, lock_graph, terms_of
from referral.touches import Touch

REVIEWED = "review"
"""The certainty of an arrival that a person decided about: judged as of its own moment, though the campaign was paused
or has ended since."""


@dataclass(frozen=True, slots=True)
class Arrive:
    """A person comes with a (normalized) code.

    `kind` and `certainty`: see `referral.touches`. `community_id`: where the join that carried the code happened.
    `click_id`: the click on the landing page that led here, for the journey.
    """

    code: str
    person: Account
    at: datetime
    kind: str = "code"
    certainty: str = "code"
    community_id: UUID | None = None
    click_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Arrived:
    """What became of it. `outcome`: referred, a refusal of `referral.rules`, or unknown_code (all else None then).

    `state` and `due_at` are the referral's, after everything that followed from the arrival.
    """

    outcome: str
    owner: CodeOwner | None = None
    member_id: UUID | None = None
    created: bool = False
    same_advocate: bool = False
    state: str | None = None
    due_at: datetime | None = None


@dataclass(slots=True)
class _Case:
    """One arrival on its way through `arrive`."""

    command: Arrive
    owner: CodeOwner
    known: Known
    touch_id: UUID
    outcome: str = ""
    earlier: UUID | None = None
    referral: Referral | None = None


def arrive(session: Session, commands: Sequence[Arrive]) -> list[Arrived]:
    """Judge and record these arrivals, set-based: a fixed number of statements however many there are."""
    owners = owners_of(session, [command.code for command in commands])
    by_brand: dict[UUID, list[int]] = defaultdict(list)
    for index, command in enumerate(commands):
        if command.code in owners:
            by_brand[owners[command.code].brand_id].append(index)
    results = [Arrived("unknown_code")] * len(commands)
    for brand_id, indices in by_brand.items():
        cases = _meet(session, brand_id, [commands[index] for index in indices], owners)
        _judge(session, brand_id, cases)
        _record(session, brand_id, cases)
        for index, case in zip(indices, cases, strict=True):
            results[index] = _result(case)
    return results


def _meet(session: Session, brand_id: UUID, commands: Sequence[Arrive], owners: dict[str, CodeOwner]) -> list[_Case]:
    people = [command.person for command in commands]
    known = members.meet(session, brand_id, people, [command.at for command in commands], "code")
    return [_Case(command, owners[command.code], who, ids.new()) for command, who in zip(commands, known, strict=True)]


def _judge(session: Session, brand_id: UUID, cases: list[_Case]) -> None:
    known = [case for case in cases if not case.known.created]
    earlier = _earlier_advocates(session, brand_id, known)
    gone = _erased(session, brand_id, {case.owner.advocate_id for case in cases})
    for case in cases:
        advocate, friend = case.owner.advocate_id, case.known.member_id
        case.earlier = earlier.get((case.owner.campaign.id, friend))
        facts = rules.Facts(
            advocate,
            friend,
            case.command.at,
            case.known.first_seen_at,
            case.known.via,
            case.known.created,
            case.earlier,
            upstream=not case.known.created and is_upstream(session, brand_id, friend, of=advocate),
            advocate_gone=advocate in gone,
        )
        case.outcome = rules.refusal(_terms(case), facts) or "referred"
    _close_no_loop(session, brand_id, [case for case in known if case.outcome == "referred"])


def _terms(case: _Case) -> rules.Terms:
    terms = terms_of(case.owner.campaign)
    late = case.command.certainty == REVIEWED and terms.state in ("paused", "ended")
    return replace(terms, state="running") if late else terms


def _close_no_loop(session: Session, brand_id: UUID, cases: Sequence[_Case]) -> None:
    """Judge again, one unit of work at a time, the friends who may have brought people themselves."""
    if not cases:
        return
    lock_graph(session, brand_id)
    pending: dict[UUID, set[UUID]] = defaultdict(set)
    for case in cases:
        advocate, friend = case.owner.advocate_id, case.known.member_id
        if is_upstream(session, brand_id, friend, of=advocate, pending=pending):
            case.outcome = "loop"
        else:
            pending[friend].add(advocate)


def _erased(session: Session, brand_id: UUID, advocates: set[UUID]) -> set[UUID]:
    return set(
        session.execute(
            select(col(Member.id)).where(
                col(Member.brand_id) == brand_id, col(Member.id).in_(advocates), col(Member.erased_at).is_not(None)
            )
        ).scalars()
    )


def _earlier_advocates(session: Session, brand_id: UUID, cases: Sequence[_Case]) -> dict[tuple[UUID, UUID], UUID]:
    if not cases:
        return {}
    pairs = [(case.owner.campaign.id, case.known.member_id) for case in cases]
    rows = session.execute(
        select(col(Referral.campaign_id), col(Referral.friend_id), col(Referral.advocate_id)).where(
            col(Referral.brand_id) == brand_id,
            tuple_(col(Referral.campaign_id), col(Referral.friend_id)).in_(pairs),
        )
    )
    return {(campaign, friend): advocate for campaign, friend, advocate in rows}


def _record(session: Session, brand_id: UUID, cases: list[_Case]) -> None:
    """Write referrals and touches; a referral that somebody else was faster to make is `already_referred`."""
    communities = communities_of(session, brand_id)
    rows = {case.touch_id: _referral_row(brand_id, case) for case in cases if case.outcome == "referred"}
    target = table(Referral)
    made = insert_new(
        session, target, list(rows.values()), ["brand_id", "campaign_id", "friend_id"], returning=target.c.touch_id
    )
    told = []
    late = [case for case in cases if case.outcome == "referred" and case.touch_id not in made]
    earlier = _earlier_advocates(session, brand_id, late)
    for case in cases:
        if case.outcome == "referred" and case.touch_id not in made:
            case.outcome = "already_referred"
            case.earlier = earlier.get((case.owner.campaign.id, case.known.member_id))
        elif case.outcome == "referred":
            row = rows[case.touch_id]
            told.append(
                MemberReferred(
                    brand_id, row["campaign_id"], row["id"], row["advocate_id"], row["friend_id"], case.command.at
                )
            )
    insert_all(session, table(Touch), [_touch_row(brand_id, case) for case in cases])
    events.emit(session, told)
    _enter(session, brand_id, cases, communities, rows)


def _referral_row(brand_id: UUID, case: _Case) -> dict[str, Any]:
    campaign, command = case.owner.campaign, case.command
    return {
        "brand_id": brand_id,
        "id": ids.new(),
        "campaign_id": campaign.id,
        "campaign_version": campaign.version,
        "advocate_id": case.owner.advocate_id,
        "friend_id": case.known.member_id,
        "code": command.code,
        "touch_id": case.touch_id,
        "platform": command.person.platform,
        "certainty": command.certainty,
        "state": "started",
        "started_at": command.at,
        "expires_at": min(command.at + terms_of(campaign).window, campaign.ends_at),
    }


def _same_advocate(case: _Case) -> bool:
    return case.earlier == case.owner.advocate_id


def _touch_row(brand_id: UUID, case: _Case) -> dict[str, Any]:
    command = case.command
    facts = {"click": str(command.click_id)} if command.click_id else {}
    if case.outcome == "not_new":
        facts |= {"seen_at": case.known.first_seen_at.isoformat(), "seen_via": case.known.via}
    return {
        "brand_id": brand_id,
        "id": case.touch_id,
        "campaign_id": case.owner.campaign.id,
        "code": command.code,
        "kind": command.kind,
        "touched_at": command.at,
        "platform": command.person.platform,
        "community_id": command.community_id,
        "member_id": case.known.member_id,
        "certainty": command.certainty,
        # Coming twice through the same friend is no refusal, so `/why` does not list it as one.
        "outcome": "again" if case.outcome == "already_referred" and _same_advocate(case) else case.outcome,
        "facts": facts or None,
        "robot": False,
    }


def _enter(
    session: Session,
    brand_id: UUID,
    cases: Sequence[_Case],
    communities: Sequence[Community],
    rows: dict[UUID, dict[str, Any]],
) -> None:
    """Friends who are in a community of the campaign, also by this very arrival, begin their stay with it."""
    places = {community.id: community for community in communities}
    open_here = {community.platform: community for community in communities if community.open}
    entries: list[stays.Entry] = []
    moments: dict[UUID, datetime] = {}
    for case in cases:
        place = places.get(case.command.community_id) if case.command.community_id else None
        place = place or open_here.get(case.command.person.platform)
        if place is not None:
            entries.append(stays.Entry(place, case.command.person.account, case.known.member_id, case.command.at))
        if place is not None or case.outcome == "referred":
            moments[case.known.member_id] = case.command.at
    stays.enter(session, entries)
    begun = {referral.id: referral for referral in stays.start_stays(session, brand_id, moments)}
    for case in cases:
        if case.outcome == "referred":
            case.referral = begun.get(rows[case.touch_id]["id"])


def _result(case: _Case) -> Arrived:
    state = case.referral.state if case.referral else ("started" if case.outcome == "referred" else None)
    return Arrived(
        case.outcome,
        case.owner,
        case.known.member_id,
        case.known.created,
        same_advocate=_same_advocate(case),
        state=state,
        due_at=case.referral.due_at if case.referral else None,
    )
