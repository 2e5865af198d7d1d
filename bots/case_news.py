"""News of cases: to reviewers that something waits, to whoever a decision concerns what it is and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.admin_news import who_runs
from bots.case_words import Telling
from bots.context import Safe
from bots.message import Button, Reply
from bots.news import News, Voice, tell
from core import clock, i18n
from core.events import Bus
from referral import doubts, reviewing
from referral.cases import Case, CaseDecided, CaseOpened
from referral.linking import person_of
from referral.overdue import CasesOverdue
from referral.referrals import Referral
from referral.staff import staff_of
from rewards.case_words import first_of, friend_name, question
from rewards.rewards import rewards_for


def listen(bus: Bus, admins: Collection[str]) -> None:
    """Hear of cases; `admins`: the accounts the operator named, as `platform:account`."""
    bus.on(CaseOpened, partial(_on_opened, admins=admins))
    bus.on(CasesOverdue, partial(_on_overdue, admins=admins))
    bus.on(CaseDecided, _on_decided)


def _on_opened(session: Session, happened: Sequence[CaseOpened], *, admins: Collection[str]) -> None:
    """Only the case that ends a time of nothing to do is told of: the queue shows the others."""
    by_brand: dict[UUID, list[UUID]] = {}
    for event in happened:
        by_brand.setdefault(event.brand_id, []).append(event.case_id)
    for brand_id, opened in by_brand.items():
        others = select(col(Case.id)).where(
            col(Case.brand_id) == brand_id, col(Case.state) == "open", col(Case.id).not_in(opened)
        )
        if session.scalar(others.limit(1)) is None:
            facts = {"what": "waiting", "case": str(opened[0])}
            _tell_reviewers(session, brand_id, facts, f"case/opened/{opened[0]}", admins)


def _on_overdue(session: Session, happened: Sequence[CasesOverdue], *, admins: Collection[str]) -> None:
    """Once a day, however many cases come of age on it."""
    for event in happened:
        what = "escalated" if event.escalated else "overdue"
        facts = {"what": what, "count": event.count, "at": event.oldest.isoformat()}
        cause = f"case/{what}/{event.brand_id}/{clock.now():%Y-%m-%d}"
        _tell_reviewers(session, event.brand_id, facts, cause, admins, owners=event.escalated)


def _tell_reviewers(
    session: Session,
    brand_id: UUID,
    facts: Mapping[str, Any],
    cause: str,
    admins: Collection[str],
    *,
    owners: bool = False,
) -> None:
    """Everybody who may decide; where it is for the owners, only them, if there are any."""
    people = {person_of(session, brand_id, one.member_id) for one in staff_of(session, brand_id, ("owner",))}
    if not (owners and people):
        people |= {person_of(session, brand_id, one.member_id) for one in staff_of(session, brand_id)}
        people |= who_runs(session, brand_id, admins)
    tell(session, [News(brand_id, one, "case", f"{cause}/{one}", facts) for one in sorted(people)])


def _on_decided(session: Session, happened: Sequence[CaseDecided]) -> None:
    """Whoever a decision concerns is told of it once; a trial tells of its applications itself."""
    news = []
    for event in happened:
        case = session.get_one(Case, (event.brand_id, event.case_id))
        if case.kind == "application":
            continue
        for member_id in reviewing.concerned(session, case):
            facts = {"what": "decided", "case": str(case.id)}
            news.append(News(event.brand_id, member_id, "case", f"case/decided/{case.id}/{member_id}", facts))
    tell(session, news)


def _words(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    telling = Telling(voice.session, voice.brand, voice.locale)
    if "case" not in facts:
        words = telling.say(f"news.case.{facts['what']}", count=facts["count"], when=voice.moment(facts["at"]))
        return _with_button(voice, words, "button.case.queue", "do:review")
    case = voice.session.get(Case, (voice.brand.id, UUID(facts["case"])))
    if case is None:
        return None
    if facts["what"] == "waiting":
        if case.state != "open":
            return None
        words = telling.say("news.case.waiting", question=question(telling, case), title=telling.title(case))
        return _with_button(voice, words, "button.case.look", f"do:review {case.id.hex}")
    return _decided(voice, telling, case)


def _with_button(voice: Voice, words: str, label: str, action: str) -> Reply:
    return Reply(words, buttons=((Button(i18n.text(voice.locale, label), action=action),),), private=True)


def _decided(voice: Voice, telling: Telling, case: Case) -> Reply | None:
    tellers: dict[str, Callable[[Voice, Telling, Case], str]] = {
        "attribution": _attribution,
        "referral": _referral,
        "appeal": _appeal,
    }
    words = tellers[case.kind](voice, telling, case)
    if _may_appeal(voice, case):
        words += "\n" + telling.say("news.case.may_appeal")
        return _with_button(voice, words, "button.appeal", f"do:appeal c{case.id.hex}")
    return Reply(words, private=True)


def _may_appeal(voice: Voice, case: Case) -> bool:
    return reviewing.may_appeal(voice.session, case)


def _attribution(voice: Voice, telling: Telling, case: Case) -> str:
    key = "not_credited"
    if case.verdict == "approve":
        mine = [one.code for one in doubts.candidates_of(voice.session, case) if one.advocate_id == voice.member.id]
        key = "credited" if case.choice in mine else "credited_other"
    return _say(telling, case, key, friend=friend_name(telling, case), when=_came_at(telling, case))


def _came_at(telling: Telling, case: Case) -> Safe:
    return telling.when(clock.parse(case.facts["at"]), case)


def _say(telling: Telling, case: Case, key: str, **facts: Any) -> str:
    return telling.say(f"news.case.{key}", title=telling.title(case), reason=case.reason or "", **facts)


def _friend_of(telling: Telling, case: Case) -> str:
    referral = telling.session.get(Referral, (case.brand_id, case.referral_id)) if case.referral_id else None
    return telling.name(referral.friend_id if referral is not None else None)


def _referral(voice: Voice, telling: Telling, case: Case) -> str:
    friend = _friend_of(telling, case)
    if case.verdict == "decline" or case.referral_id is None:
        return _say(telling, case, "rejected", friend=friend)
    held = [
        reward.hold_until
        for reward in rewards_for(voice.session, case.brand_id, [case.referral_id])
        if reward.member_id == voice.member.id and reward.state == "held"
    ]
    if not held:
        return _say(telling, case, "fine", friend=friend)
    return _say(telling, case, "fine_until", friend=friend, when=telling.when(max(held), case))


def _appeal(voice: Voice, telling: Telling, case: Case) -> str:
    first = first_of(telling, case)
    referral = voice.session.get(Referral, (case.brand_id, case.referral_id)) if case.referral_id else None
    own = referral is not None and referral.friend_id == voice.member.id
    if case.verdict == "decline":
        about = telling.title(case)
        if referral is not None and not own:
            about = _friend_of(telling, case)
        elif first is not None and first.kind == "attribution":
            about = friend_name(telling, first)
        return _say(telling, case, "not_upheld", about=about)
    if referral is not None:
        if own:
            return _say(telling, case, "upheld.friend", advocate=telling.name(referral.advocate_id))
        return _say(telling, case, "upheld", friend=_friend_of(telling, case))
    if first is not None and first.kind == "attribution":
        return _say(telling, case, "credited", friend=friend_name(telling, first), when=_came_at(telling, first))
    return _say(telling, case, "upheld.application")


KINDS = {"case": _words}
