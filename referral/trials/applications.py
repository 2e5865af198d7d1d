"""Applying for a place in a trial, and everything that becomes of an application until it is delivered.

Each step is taken under the lock of the trial and tells `ApplicationMoved`. What is handed over, and when it has
arrived, the rewards know (`rewards.trials`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock, ids, vault
from core.db import insert_new, table
from core.errors import BadInput, NotFound, Refused
from referral import audit, reviewing
from referral.campaigns import Campaign
from referral.cases import Case, close_cases, open_case
from referral.members import Member
from referral.referrals import referral_of
from referral.trials import credit, line
from referral.trials.places import (
    IN_LINE,
    UNFINISHED,
    Trial,
    TrialApplication,
    answering,
    application_of,
    campaign_of,
    lock,
    locked,
    step,
    tell,
    terms_of,
)
from referral.trials.terms import ANSWER_LENGTH, TrialQuestion

CASE = "application"
NO_PLACE = "no_place"
"""Why an application is declined that nobody decided against: all places went to others."""
NOT_DRAWN = "not_drawn"
"""Why an application waits that was in a draw."""


def apply(session: Session, campaign: Campaign, member_id: UUID, answers: Mapping[str, str] = {}) -> TrialApplication:
    """Apply for a place, once a person and campaign; after a withdrawal again, from the end of the line.

    `answers` by the questions' keys. Raises `NotFound("trial")`; `Refused`: trial_not_running (state), trial_closed,
    trial_applied; `BadInput("trial_answer", key)`.
    """
    trial = lock(session, campaign.brand_id, campaign.id)
    session.refresh(campaign)
    terms = terms_of(session, campaign)
    check_open(trial, campaign)
    said = {question.key: read_answer(question, answers.get(question.key, "")) for question in terms.questions}
    row, before = _row(session, trial, campaign, member_id)
    row.state = "waiting" if trial.approve == "rule" else "applied"
    row.sealed = vault.seal(said, bound_to=row.id) if said else None
    row.friends = line.friends_of(session, campaign.brand_id, campaign.id, member_id)
    session.add(row)
    session.flush()
    credit.hold_window(session, campaign, terms, member_id)
    with answering(session, row.id):
        tell(session, row, before, row.applied_at)
        if trial.approve == "hand":
            ask_somebody(session, campaign, row)
        follow_up(session, trial, campaign, member_id)
    return row


def check_open(trial: Trial, campaign: Campaign) -> None:
    """Raises `Refused`: trial_not_running (state), trial_closed."""
    if campaign.state != "running":
        raise Refused("trial_not_running", state=campaign.state)
    if clock.now() >= trial.closes_at or trial.drawn_at is not None:
        raise Refused("trial_closed")


def _row(session: Session, trial: Trial, campaign: Campaign, member_id: UUID) -> tuple[TrialApplication, str]:
    """The member's row, new or as it was when they withdrew, with its state before; the unique key decides."""
    target, now = table(TrialApplication), clock.now()
    new = {
        "brand_id": campaign.brand_id,
        "id": ids.new(),
        "campaign_id": campaign.id,
        "member_id": member_id,
        "campaign_version": campaign.version,
        "round": 1,
        "state": "applied",
        "friends": 0,
        "applied_at": now,
    }
    made = insert_new(session, target, [new], ["brand_id", "campaign_id", "member_id"], returning=target.c.id)
    row = application_of(session, campaign.brand_id, campaign.id, member_id)
    assert row is not None
    if made:
        return row, ""
    session.refresh(row)
    if row.state != "withdrawn" or row.reason != "own":
        raise Refused("trial_applied", state=row.state)
    row.round, row.applied_at, row.campaign_version = row.round + 1, now, campaign.version
    row.reason = row.decided_by = row.ended_at = row.approved_at = None
    return row, "withdrawn"


def read_answer(question: TrialQuestion, said: str) -> str:
    """An answer as it is kept: a line of text, or the number of a choice from 0. Raises `BadInput("trial_answer")`.

    A line keeps its Chinese punctuation (NFC); only to find the choice that is meant are widths made alike.
    """
    text = " ".join(unicodedata.normalize("NFC", said).split())
    if not text:
        if question.optional:
            return ""
        raise BadInput("trial_answer", key=question.key)
    if not question.choices:
        if len(text) > ANSWER_LENGTH or not text.isprintable():
            raise BadInput("trial_answer", key=question.key)
        return text
    meant = _alike(text)
    for number, words in enumerate(question.choices):
        if meant in {str(number + 1), *map(_alike, words.values())}:
            return str(number)
    raise BadInput("trial_answer", key=question.key)


def _alike(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def answers_of(session: Session, row: TrialApplication, locale: str) -> list[tuple[str, str]]:
    """(question, answer) in words, of the questions as they were when it was answered; empty once it is erased."""
    if row.sealed is None:
        return []
    terms = terms_of(session, campaign_of(session, row), row.campaign_version)
    said: dict[str, str] = vault.unseal(row.sealed, bound_to=row.id)
    return [
        (question.text[locale], question.choices[int(answer)][locale] if question.choices else answer)
        for question in terms.questions
        if (answer := said.get(question.key))
    ]


def ask_somebody(session: Session, campaign: Campaign, row: TrialApplication) -> None:
    """What the person who decides sees besides the answers, which stay sealed with the application."""
    t = table(TrialApplication)
    missed = session.scalar(
        select(func.count()).where(t.c.brand_id == row.brand_id, t.c.member_id == row.member_id, t.c.state == "no_show")
    )
    open_case(
        session,
        row.brand_id,
        CASE,
        row.case_key,
        member_id=row.member_id,
        campaign_id=row.campaign_id,
        subject_id=row.id,
        facts={"friends": row.friends, "round": row.round, "missed_before": int(missed or 0)},
    )


def follow_up(session: Session, trial: Trial, campaign: Campaign, member_id: UUID) -> None:
    """Somebody's application came, went or changed: their advocate's place in line moves, and places are given."""
    referral = referral_of(session, campaign.brand_id, member_id, campaign.id)
    if referral is not None:
        line.recount(session, trial, [referral.advocate_id])
    line.fill(session, trial, campaign)


def approve(session: Session, brand_id: UUID, application_id: UUID, actor: str, reason: str | None = None) -> None:
    """A person decided for it: it gets a place, or the next that is free in the order of the line. A repeat does
    nothing. Raises `Refused("application_state", state)`, also where a rule or a draw decides."""
    trial, row = locked(session, brand_id, application_id)
    if row.state in ("waiting", "approved", "taken", "delivered", "reviewed"):
        return
    if trial.approve != "hand" or row.state != "applied":
        raise Refused("application_state", state=row.state)
    campaign = campaign_of(session, row)
    step(session, trial, row, "waiting", reason=reason, actor=actor)
    audit.record(session, brand_id, actor, "trial.approve", str(row.id), campaign=campaign.slug)
    line.fill(session, trial, campaign)


def decline(session: Session, brand_id: UUID, application_id: UUID, actor: str, reason: str) -> None:
    """A person decided against it. A repeat does nothing. Raises `Refused("application_state", state)`."""
    trial, row = locked(session, brand_id, application_id)
    if row.state == "declined":
        return
    if row.state not in IN_LINE:
        raise Refused("application_state", state=row.state)
    campaign = campaign_of(session, row)
    step(session, trial, row, "declined", reason=reason, actor=actor)
    audit.record(session, brand_id, actor, "trial.decline", str(row.id), campaign=campaign.slug)
    finish(session, trial, campaign, row)


def reinstate(session: Session, brand_id: UUID, application_id: UUID, actor: str) -> None:
    """An appeal was right: who was declined stands in line again, at the place their application always had; when no
    place passes on any more they are told that."""
    trial, row = locked(session, brand_id, application_id)
    campaign = campaign_of(session, row)
    if row.state != "declined":
        return
    if trial.over_at is not None or campaign.state == "settled":  # its boxes went back to the brand
        row.reason = NO_PLACE
        session.add(row)
        session.flush()
        tell(session, row, "declined", clock.now())
        return
    step(session, trial, row, "waiting", actor=actor)
    credit.hold_window(session, campaign, terms_of(session, campaign), row.member_id)
    audit.record(session, brand_id, actor, "trial.approve", str(row.id), campaign=campaign.slug, appeal=True)
    line.fill(session, trial, campaign)


def decide(session: Session, brand_id: UUID, application_id: UUID, verdict: str, reason: str, actor: str) -> Case:
    """Decide about an application as `/review` does. Raises as `reviewing.decide`, and `NotFound("case")` for one that
    no person decides about."""
    row = session.get(TrialApplication, (brand_id, application_id))
    found = case_of(session, row) if row is not None else None
    if found is None:
        raise NotFound("case")
    return reviewing.decide(session, brand_id, found.id, verdict, reason, actor)


def case_of(session: Session, row: TrialApplication) -> Case | None:
    """The case in which a person decides, or decided, about an application; None where a rule or a draw does."""
    return session.scalar(
        select(Case).where(col(Case.brand_id) == row.brand_id, col(Case.kind) == CASE, col(Case.key) == row.case_key)
    )


def take(session: Session, brand_id: UUID, application_id: UUID) -> TrialApplication:
    """Take the place that is kept for it; the rewards hand it over. A repeat does nothing.

    Raises `Refused`: trial_no_place (none is kept, or not any more), trial_sold_out (the budget has none left).
    """
    trial, row = locked(session, brand_id, application_id)
    if row.state in ("taken", "delivered", "reviewed"):
        return row
    if row.state != "approved" or row.due_at is None or clock.now() >= row.due_at:
        raise Refused("trial_no_place", state=row.state)
    with answering(session, row.id):
        step(session, trial, row, "taken")
    return row


def await_address(session: Session, brand_id: UUID, application_id: UUID) -> None:
    """It is posted, and nobody knows where to: the place is kept as long again as it was for taking it."""
    _, row = locked(session, brand_id, application_id)
    if row.state != "taken" or row.claimed_at is not None:
        return
    whole = timedelta(hours=terms_of(session, campaign_of(session, row)).take_hours)
    row.due_at = clock.now() + whole
    row.remind_at = row.due_at - min(line.SOON, whole / 2)
    session.add(row)
    session.flush()


def claim(session: Session, brand_id: UUID, application_id: UUID) -> None:
    """The place is theirs for good: the address is known, or the code was handed over. Counted once."""
    _, row = locked(session, brand_id, application_id)
    if row.claimed_at is not None or row.state not in ("taken", "delivered"):
        return
    row.claimed_at, row.due_at, row.remind_at = clock.now(), None, None
    session.add(row)
    session.flush()
    credit.credit(session, campaign_of(session, row), row, credit.CLAIMED)


def deliver(session: Session, brand_id: UUID, application_id: UUID) -> None:
    """It has arrived; feedback is waited for from now on. A repeat does nothing."""
    trial, row = locked(session, brand_id, application_id)
    if row.state != "taken":
        return
    whole = timedelta(days=terms_of(session, campaign_of(session, row)).feedback_days)
    due = clock.now() + whole
    step(session, trial, row, "delivered", due_at=due, remind_at=due - min(timedelta(days=3), whole / 2))


def withdraw(session: Session, brand_id: UUID, application_id: UUID, reason: str = "own") -> TrialApplication:
    """They do not want it any more; a place kept for them passes on. A repeat does nothing.

    Raises `Refused("trial_taken")` once they took it.
    """
    trial, row = locked(session, brand_id, application_id)
    if row.state == "withdrawn":
        return row
    if row.state not in (*IN_LINE, "approved"):
        raise Refused("trial_taken", state=row.state)
    step(session, trial, row, "withdrawn", reason=reason)
    finish(session, trial, campaign_of(session, row), row)
    return row


def give_up(session: Session, brand_id: UUID, application_id: UUID, after: str, reason: str) -> None:
    """A place that was taken comes back: no address in time (`lapsed`), the parcel called off (`withdrawn`)."""
    trial, row = locked(session, brand_id, application_id)
    if row.state != "taken":
        return
    step(session, trial, row, after, reason=reason)
    finish(session, trial, campaign_of(session, row), row)


def finish(session: Session, trial: Trial, campaign: Campaign, row: TrialApplication) -> None:
    """Nothing more comes of an application: its case is moot, its window closes, its place passes on."""
    close_cases(session, row.brand_id, CASE, [row.case_key], row.state)
    credit.let_window_go(session, campaign, row.member_id)
    follow_up(session, trial, campaign, row.member_id)


def unfinished(session: Session, brand_id: UUID, campaign_id: UUID) -> int:
    """How many applications something may still come of: while there are any, the campaign is not settled."""
    t = table(TrialApplication)
    found = session.scalar(
        select(func.count()).where(t.c.brand_id == brand_id, t.c.campaign_id == campaign_id, t.c.state.in_(UNFINISHED))
    )
    return int(found or 0)


def applications_of(
    session: Session, brand_id: UUID, campaign_id: UUID, states: Sequence[str] = (), most: int | None = None
) -> list[tuple[TrialApplication, Member]]:
    """Applications with whose they are, in the order of the line."""
    chosen = (
        select(TrialApplication, Member)
        .join(
            Member,
            (col(Member.brand_id) == col(TrialApplication.brand_id))
            & (col(Member.id) == col(TrialApplication.member_id)),
        )
        .where(col(TrialApplication.brand_id) == brand_id, col(TrialApplication.campaign_id) == campaign_id)
        .order_by(col(TrialApplication.friends).desc(), col(TrialApplication.applied_at), col(TrialApplication.id))
    )
    if states:
        chosen = chosen.where(col(TrialApplication.state).in_(states))
    rows: Any = session.execute(chosen.limit(most) if most else chosen)
    return [(row, member) for row, member in rows]


def applications_by(session: Session, brand_id: UUID, member_id: UUID) -> list[TrialApplication]:
    """A member's applications, the newest first."""
    return list(
        session.scalars(
            select(TrialApplication)
            .where(col(TrialApplication.brand_id) == brand_id, col(TrialApplication.member_id) == member_id)
            .order_by(col(TrialApplication.applied_at).desc(), col(TrialApplication.id))
        )
    )
