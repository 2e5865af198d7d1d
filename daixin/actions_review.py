"""What `daixin review …` does in the database: units of work that return what is printed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.case_words import Telling
from bots.markup import plain
from core.errors import BadInput, Conflict, NotFound
from daixin.console import LOCALE, brand_named
from referral import cases, reviewing
from referral.brands import Brand
from referral.cases import Case
from referral.staff import OPERATOR
from rewards.case_answers import answers
from rewards.case_words import evidence, question

Document = dict[str, Any]
MARK = 8
"""Letters of a case's number that are shown; so many or more of its end name it, unless two share them."""


def queue(session: Session, brand: str | None, kind: str | None, most: int) -> list[Document]:
    """The open cases, the oldest first."""
    owner = brand_named(session, brand)
    if kind is not None and kind not in cases.KINDS:
        raise BadInput("case_kind", kinds=", ".join(cases.KINDS))
    wanted = [kind] if kind is not None else cases.KINDS
    return [_line(session, owner, case) for case in cases.open_cases(session, owner.id, wanted, most)]


def _line(session: Session, owner: Brand, case: Case) -> Document:
    telling = Telling(session, owner, LOCALE)
    return {
        "case": case.id.hex[-MARK:],
        "id": str(case.id),
        "kind": case.kind,
        "about": question(telling, case),
        "campaign": telling.title(case),
        "opened_at": case.opened_at.isoformat(),
        "state": case.state,
    }


def show(session: Session, brand: str | None, named: str) -> Document:
    """A case with its evidence and what can be decided. Raises as `_named`."""
    owner = brand_named(session, brand)
    case = _named(session, owner, named)
    telling = Telling(session, owner, LOCALE)
    options = [
        {"answer": one.label, "verdict": one.verdict} | ({"choice": one.choice} if one.choice else {})
        for one in answers(telling, case)
        if not one.alike
    ]
    over = {
        "verdict": case.verdict,
        "choice": case.choice,
        "reason": case.reason,
        "decided_by": case.decided_by,
        "decided_at": case.decided_at.isoformat() if case.decided_at else None,
    }
    rest = {"answers": options} if case.state == "open" else over
    return _line(session, owner, case) | {"evidence": plain(evidence(telling, case))} | rest


def decide(session: Session, brand: str | None, named: str, verdict: str, reason: str, choice: str | None) -> Document:
    """Decide a case as the operator. Raises `BadInput("case_verdict")`, and as `reviewing.decide`."""
    owner = brand_named(session, brand)
    case = _named(session, owner, named)
    if verdict not in cases.VERDICTS:
        raise BadInput("case_verdict")
    done = reviewing.decide(session, owner.id, case.id, verdict, reason, OPERATOR, choice=choice)
    return _line(session, owner, done) | {"verdict": done.verdict, "choice": done.choice, "reason": done.reason}


def _named(session: Session, owner: Brand, named: str) -> Case:
    """The case of this number or end of one. Raises `NotFound("case")`, `Conflict("case_several")`."""
    try:
        return cases.find_case(session, owner.id, UUID(named))
    except ValueError:
        pass
    ending = named.lower().replace("-", "")
    if len(ending) < MARK:
        raise NotFound("case")
    known = session.scalars(select(col(Case.id)).where(col(Case.brand_id) == owner.id)).all()
    found = [case_id for case_id in known if case_id.hex.endswith(ending)]
    if len(found) > 1:
        raise Conflict("case_several")
    if not found:
        raise NotFound("case")
    return cases.find_case(session, owner.id, found[0])
