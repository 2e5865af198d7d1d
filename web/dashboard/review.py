"""`/review`: what waits for a person's decision, with the evidence; one by one, several at once, what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import Session, col
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core import clock, i18n
from core.errors import BadInput, DaixinError, NotFound, Refused
from referral import cases, reviewing
from referral.cases import KINDS, VERDICTS, Case
from rewards import case_words
from rewards.case_answers import PRESETS, answer_given, answers, presets, reason_for
from rewards.case_words import actor_name, evidence_lines, question
from web.dashboard.desk import Desk, Viewer
from web.dashboard.telling import PageTelling, telling_for

PAGE = "/review"
SHOWN = 30
"""Cases on one page."""
MOST_AT_ONCE = 100
OUTCOMES = ("decided", "moot", "already", "own", "cannot", "choice")
"""What may become of each of several."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A case as the page shows it. `lines`: (text, whether it is one of several). `options`: what can be decided, by
    verdict; `reasons`: (name, words) by verdict. `why_not`: why this viewer may not decide it."""

    case: Case
    question: str
    title: str
    lines: list[tuple[str, bool]]
    options: dict[str, list[Any]]
    reasons: dict[str, list[tuple[str, str]]]
    why_not: str | None
    late: bool
    answer: str = ""
    by: str = ""


class ReviewPages:
    """Their handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def queue(self, request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        kind = request.query_params.get("kind", "")
        await self._tidy(viewer)
        shown = await self._desk.read(viewer, lambda session: _queue(session, viewer, kind if kind in KINDS else ""))
        return self._desk.show(
            request,
            viewer,
            "dashboard/review.html",
            here="review",
            problem=problem,
            note=_outcomes(viewer, request.query_params.getlist("done")),
            **shown,
        )

    async def _tidy(self, viewer: Viewer, case_id: UUID | None = None) -> None:
        """What nobody need decide any more leaves the queue before it is shown."""
        moot = await self._desk.read(viewer, lambda session: _moot(session, viewer, case_id))
        if moot:
            await self._desk.write(viewer, lambda session: _close(session, viewer, moot))

    async def past(self, request: Request, viewer: Viewer) -> Response:
        shown = await self._desk.read(
            viewer, lambda session: _past(session, viewer, request.query_params.get("before"))
        )
        return self._desk.show(request, viewer, "dashboard/review_past.html", here="review", **shown)

    async def one(self, request: Request, viewer: Viewer, problem: DaixinError | None = None) -> Response:
        case_id = _id(request.path_params["case"])
        await self._tidy(viewer, case_id)
        shown = await self._desk.read(viewer, lambda session: _one(session, viewer, case_id))
        return self._desk.show(request, viewer, "dashboard/review_one.html", here="review", problem=problem, **shown)

    async def decide(self, request: Request, viewer: Viewer) -> Response:
        case_id, form = _id(request.path_params["case"]), await request.form()
        try:
            state = await self._desk.write(viewer, lambda session: _decide(session, viewer, case_id, form))
        except (Refused, BadInput) as error:
            if error.code == "case_decided":  # somebody in the chat, or at another screen, was faster
                again = (error.params["by"], error.params["verdict"]) == (viewer.actor, form.get("verdict"))
                said = "desk.decided" if again else "desk.too_late"  # pressed twice, it was still decided
                return self._desk.back(viewer, f"{PAGE}/{case_id}", said)
            return await self.one(request, viewer, error)
        back = PAGE if form.get("back", "") in ("", PAGE) else _own_path(str(form["back"]))
        return self._desk.back(viewer, back, "desk.decided" if state == "decided" else "desk.moot")

    async def several(self, request: Request, viewer: Viewer) -> Response:
        form = await request.form()
        chosen = [_id(str(value)) for value in form.getlist("case")][:MOST_AT_ONCE]
        outcomes: dict[str, int] = {}
        try:
            if not chosen:
                raise BadInput("cases_none")
            for case_id in chosen:
                outcome = await self._desk.write(
                    viewer, partial(_one_of_several, viewer=viewer, case_id=case_id, form=form)
                )
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
        except DaixinError as error:
            return await self.queue(request, viewer, error)
        kind = request.query_params.get("kind", "")
        told = [("kind", kind)] * (kind in KINDS) + [("done", f"{name}.{count}") for name, count in outcomes.items()]
        return self._desk.back(viewer, f"{PAGE}?{urlencode(told)}")


def routes(desk: Desk) -> list[BaseRoute]:
    pages = ReviewPages(desk)
    return [
        desk.route(PAGE, pages.queue, act="review"),
        desk.route(PAGE, pages.several, act="review", methods=["POST"]),
        desk.route(f"{PAGE}/past", pages.past, act="review"),
        desk.route(f"{PAGE}/{{case}}", pages.one, act="review"),
        desk.route(f"{PAGE}/{{case}}", pages.decide, act="review", methods=["POST"]),
    ]


def _outcomes(viewer: Viewer, told: Sequence[str]) -> str:
    """What became of several at once, in words: `decided.3` and the like."""
    found = []
    for name, _, count in (one.partition(".") for one in told[: len(OUTCOMES)]):
        if name in OUTCOMES and count.isascii() and count.isdecimal() and len(count) < 5:
            words = i18n.text(viewer.locale, f"desk.outcome.{name}", count=i18n.number(viewer.locale, int(count)))
            found.append(words)
    return i18n.text(viewer.locale, "desk.and").join(found)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("case") from None


def _own_path(text: str) -> str:
    """A page of the brand that a form came from; anything else leads to the queue."""
    return text if text.startswith("/trials/") and text.isprintable() and len(text) < 200 else PAGE


def _moot(session: Session, viewer: Viewer, case_id: UUID | None) -> list[UUID]:
    """Of the cases that would be shown, or of this one, those that nobody need decide any more."""
    if case_id is None:
        waiting = cases.open_cases(session, viewer.brand_id, limit=SHOWN)
    else:
        waiting = [cases.find_case(session, viewer.brand_id, case_id)]
    return [case.id for case in waiting if case.state == "open" and reviewing.why_moot(session, case) is not None]


def _close(session: Session, viewer: Viewer, moot: Sequence[UUID]) -> None:
    for case_id in moot:
        case = cases.find_case(session, viewer.brand_id, case_id)
        if case.state == "open":
            reviewing.close_if_moot(session, case)


def _queue(session: Session, viewer: Viewer, kind: str) -> dict[str, Any]:
    telling = telling_for(session, viewer)
    waiting = cases.open_cases(session, viewer.brand_id, [kind] if kind else KINDS, SHOWN)
    counts = cases.open_counts(session, viewer.brand_id)
    of_kind = counts.get(kind, 0) if kind else sum(counts.values())
    return {
        "shown": [show(telling, viewer, case) for case in waiting],
        "counts": counts,
        "total": sum(counts.values()),
        "more": of_kind - len(waiting),
        "kind": kind,
        "kinds": KINDS,
        "verdicts": VERDICTS,
    }


def _one(session: Session, viewer: Viewer, case_id: UUID) -> dict[str, Any]:
    case = cases.find_case(session, viewer.brand_id, case_id)
    return {"one": show(telling_for(session, viewer), viewer, case)}


def _past(session: Session, viewer: Viewer, before: str | None) -> dict[str, Any]:
    telling = telling_for(session, viewer)
    wanted = (
        select(Case)
        .where(col(Case.brand_id) == viewer.brand_id, col(Case.state) != "open")
        .order_by(col(Case.opened_at).desc(), col(Case.id).desc())
        .limit(SHOWN + 1)
    )
    if before and (mark := session.get(Case, (viewer.brand_id, _id(before)))) is not None:
        wanted = wanted.where(tuple_(col(Case.opened_at), col(Case.id)) < (mark.opened_at, mark.id))
    found = list(session.scalars(wanted))
    page = found[:SHOWN]
    return {
        "past": [show(telling, viewer, case, brief=True) for case in page],
        "older": f"?before={page[-1].id}" if len(found) > SHOWN else "",
    }


def show(telling: PageTelling, viewer: Viewer, case: Case, *, brief: bool = False) -> Shown:
    """A case in the viewer's words; `brief`: without the evidence."""
    lines = [] if brief else [_line(text) for text in evidence_lines(telling, case)]
    is_open = case.state == "open" and not brief
    return Shown(
        case=case,
        question=question(telling, case),
        title=case_words.title_in(telling, case),
        lines=lines,
        options=_options(telling, case) if is_open else {},
        reasons={
            verdict: [(name, words) for words, name in presets(viewer.locale, case.kind, verdict)]
            for verdict in VERDICTS
        },
        why_not=reviewing.why_not_by(telling.session, case, viewer.actor) if is_open else None,
        late=case.state == "open" and case.opened_at + cases.WAITS <= clock.now(),
        answer=answer_given(telling, case) if case.state == "decided" else "",
        by=actor_name(telling, case.decided_by) if case.decided_by else "",
    )


def _line(text: str) -> tuple[str, bool]:
    return (text[2:], True) if text.startswith("- ") else (text, False)


def _options(telling: PageTelling, case: Case) -> dict[str, list[Any]]:
    """What can be decided, by verdict; each by what the form calls it."""
    found: dict[str, list[Any]] = {verdict: [] for verdict in VERDICTS}
    for one in answers(telling, case):
        if not one.alike:
            found[one.verdict].append(one)
    return found


def _decide(session: Session, viewer: Viewer, case_id: UUID, form: FormData) -> str:
    """Decide as the form says; the state the case is in then."""
    case = cases.find_case(session, viewer.brand_id, case_id)
    telling = telling_for(session, viewer)
    verdict = str(form.get("verdict", ""))
    if verdict not in VERDICTS:
        raise BadInput("case_choice")
    mark = str(form.get("answer", ""))
    meant = [one for one in answers(telling, case) if one.verdict == verdict and not one.alike]
    chosen = next((one for one in meant if one.mark == mark), meant[0] if len(meant) == 1 else None)
    if chosen is None and case.state == "open":
        raise BadInput("case_choice")
    reason = _reason(telling, case, verdict, form)
    choice = chosen.choice if chosen is not None else None
    return reviewing.decide(session, viewer.brand_id, case.id, verdict, reason, viewer.actor, choice=choice).state


def _reason(telling: PageTelling, case: Case, verdict: str, form: FormData) -> str:
    """An offered reason in the language of whom it concerns, or the viewer's own words."""
    named, own = str(form.get(f"reason-{verdict}", form.get("reason", ""))), str(form.get("words", ""))
    own = " ".join(own.split())
    if named in PRESETS[case.kind, verdict] and not own:
        return reason_for(telling, case, verdict, named)
    return own


def _one_of_several(session: Session, *, viewer: Viewer, case_id: UUID, form: FormData) -> str:
    """Decide one of those that were marked; what became of it, so that one does not hold up the others."""
    try:
        return "decided" if _decide(session, viewer, case_id, form) == "decided" else "moot"
    except NotFound:
        raise
    except Refused as error:
        return {"case_decided": "already", "case_own": "own", "case_own_appeal": "own"}.get(error.code, "cannot")
    except BadInput as error:
        if error.code == "case_choice":
            return "choice"
        raise


def waiting_of(session: Session, viewer: Viewer, found: Sequence[Case]) -> dict[UUID, Shown]:
    """These cases as the queue shows them, by id."""
    telling = telling_for(session, viewer)
    return {case.id: show(telling, viewer, case) for case in found}
