"""What can be decided of a case: the answers, the reasons that are offered, and how what was decided is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session

from core import i18n
from referral import doubts, reviewing
from referral.cases import Case
from referral.members import Member, identities_of
from rewards.case_words import Telling, name_in

PRESETS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("attribution", "approve"): ("asked_friend", "seen_in_group"),
    ("attribution", "decline"): ("unclear", "came_alone"),
    ("referral", "approve"): ("two_people", "all_right"),
    ("referral", "decline"): ("same_person", "not_genuine"),
    ("application", "approve"): ("fits", "active"),
    ("application", "decline"): ("not_fit", "had_one", "incomplete"),
    ("appeal", "approve"): ("you_are_right", "new_facts"),
    ("appeal", "decline"): ("still_stands", "nothing_new"),
}
"""Reasons that are offered, by kind and verdict; their words are `case.reason.<name>`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Something that can be decided. `mark` names it in a button for as long as the case is there, whoever was
    forgotten or linked since the button was shown; `choice`: a candidate's code; `alike`: it is meant for so many more
    cases as well (`doubts.alike`)."""

    mark: str
    label: str
    verdict: str
    choice: str | None = None
    alike: int = 0


def answers(telling: Telling, case: Case) -> list[Answer]:
    """What can be decided, the approvals first."""
    yes, no = (i18n.text(telling.locale, f"button.case.{case.kind}.{one}") for one in ("approve", "decline"))
    if case.kind != "attribution":
        return [Answer("yes", yes, "approve"), Answer("no", no, "decline")]
    found: list[Answer] = []
    codes = list(case.facts.get("codes", ()))
    for owner in doubts.candidates_of(telling.session, case):
        name, mark = name_in(telling, owner.advocate_id), codes.index(owner.code)
        label = i18n.text(telling.locale, "button.case.credit", name=name)
        found.append(Answer(f"c{mark}", label, "approve", owner.code))
        if alike := len(doubts.alike(telling.session, case)):
            label = i18n.text(telling.locale, "button.case.credit_all", name=name, count=alike + 1)
            found.append(Answer(f"a{mark}", label, "approve", owner.code, alike))
    return [*found, Answer("no", no, "decline")]


def answer_given(telling: Telling, case: Case) -> str:
    """What was decided, as its button said it."""
    if case.kind == "attribution" and case.verdict == "approve":
        for owner in doubts.candidates_of(telling.session, case):
            if owner.code == case.choice:
                return i18n.text(telling.locale, "button.case.credit", name=name_in(telling, owner.advocate_id))
    return i18n.text(telling.locale, f"button.case.{case.kind}.{case.verdict}")


def presets(locale: str, kind: str, verdict: str) -> list[tuple[str, str]]:
    """(words, name) of the reasons that are offered."""
    return [(i18n.text(locale, f"case.reason.{name}"), name) for name in PRESETS[kind, verdict]]


def reason_for(telling: Telling, case: Case, verdict: str, said: str) -> str:
    """The reason as it is kept: an offered one in the language of whom it concerns, or else as it was said."""
    if said not in PRESETS[case.kind, verdict]:
        return said
    concerned = reviewing.concerned(telling.session, case)
    locale = _locale_of(telling.session, case.brand_id, concerned[0]) if concerned else telling.brand.locale
    return i18n.text(locale, f"case.reason.{said}")


def _locale_of(session: Session, brand_id: UUID, member_id: UUID) -> str:
    """The language a member is spoken to in."""
    member = session.get(Member, (brand_id, member_id))
    if member is not None and member.locale:
        return member.locale
    known = identities_of(session, brand_id, [member_id])
    return known[0].locale if known else i18n.DEFAULT
