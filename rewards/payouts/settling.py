"""What becomes of a payout: every answer is noted, money moves at most once, contradictions are told and not obeyed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.errors import Refused
from core.writer import announce
from referral.members import Member
from rewards.ledger import transfer
from rewards.payouts.approvals import is_paid
from rewards.payouts.opening import TOPIC, cover, follow
from rewards.payouts.payouts import (
    SETTLED,
    EventKind,
    Payout,
    PayoutCompleted,
    PayoutContradicted,
    PayoutEvent,
    PayoutFailed,
    PayoutLine,
    PayoutProgressed,
    PayoutStuck,
    back_moves,
    done_moves,
    payout_of,
    tell,
)
from rewards.payouts.persons import forget_payees
from rewards.payouts.port import AUTOMATIC, Answer

log = structlog.get_logger()
ASKING = "asking"
"""The reason of a payout between the moment it was handed over and the answer."""
CANCEL_ASKED = "cancel_asked"
"""Noted in the detail of a payout that is not to be handed over again, whatever became of it."""
TRIED = "tried_at"
"""Noted in the detail: when it was last handed over."""
LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient we are. `lease`: how long one call may take before somebody else may ask what became of it.
    `settle`: how long after a start `not_found` is not believed: what we gave up waiting for may still be on its way.
    Longer than the lease, in which a start may be sent late and take long.
    `look_ups`: after how many of them in a row without an answer, or starts, we leave it to a person."""

    lease: timedelta = timedelta(minutes=2)
    settle: timedelta = timedelta(minutes=3)
    first: timedelta = timedelta(seconds=10)
    longest: timedelta = timedelta(hours=1)
    look_ups: int = 24

    def wait(self, times: int) -> timedelta:
        """How long to wait after the n-th time, n from 1: doubling."""
        return min(self.longest, self.first * (1 << min(max(times - 1, 0), 20)))


USUAL = Pace()


def conclude(
    session: Session,
    brand_id: UUID,
    payout_id: UUID,
    answer: Answer,
    kind: EventKind,
    *,
    actor: str | None = None,
    pace: Pace = USUAL,
    attempts: int | None = None,
) -> Payout:
    """Take an answer in, whoever brings it, however often and in whatever order. Returns the payout as it is now.

    `attempts`: how often it had been handed over when the provider was asked. A `not_found` from before the last time
    is only noted: it says nothing of what was sent since.

    A settled payout stays as it is: an answer that says otherwise is noted and told (`PayoutContradicted`). Raises
    `NotFound("payout")`.
    """
    payout = payout_of(session, brand_id, payout_id, lock=True)
    note(session, payout, kind, answer, actor)
    if payout.state in SETTLED:
        _late(session, payout, answer)
        return payout
    if answer.state == "not_found" and attempts not in (None, payout.attempts):
        return payout
    payout.external_id = _short(answer.external_id) or payout.external_id
    if answer.detail:
        payout.detail = {**payout.detail, **answer.detail}
    match answer.state:
        case "completed":
            _complete(session, payout)
        case "failed":
            _fail(session, payout, answer.reason)
        case "processing":
            _wait_for_it(session, payout, answer, pace)
        case "not_found" if _too_soon(payout, pace):
            _wonder(session, payout, "too_soon", pace)
        case "not_found" if kind in ("look_up", "cancel") and payout.detail.get(CANCEL_ASKED):
            _fail(session, payout, "cancelled")
        case "not_found" if kind == "look_up" and payout.look_ups < pace.look_ups:
            # The one way back to the start. The reference stays what it is.
            payout.state, payout.reason, payout.look_ups = "pending", None, payout.look_ups + 1
            payout.due_at = clock.now() + (pace.wait(payout.attempts) if payout.attempts > 1 else timedelta())
            announce(session, TOPIC)
        case _:
            _wonder(session, payout, answer.reason, pace)
    session.add(payout)
    session.flush()
    if payout.state in SETTLED and session.get_one(Member, (brand_id, payout.member_id)).erased_at is not None:
        forget_payees(session, brand_id, [payout.member_id])  # this payout was what it was kept for
    return payout


def cancel_payout(session: Session, brand_id: UUID, payout_id: UUID, actor: str) -> Payout:
    """Take back a payout that no provider has; its amount is payable again.

    Raises `Refused("payout_sent", state)` for one that may have gone out (ask the provider to cancel it), and
    `Refused("payout_settled", state)`.
    """
    payout = payout_of(session, brand_id, payout_id, lock=True)
    if payout.state == "failed" and payout.reason == "cancelled":
        return payout
    if payout.state in SETTLED:
        raise Refused("payout_settled", state=payout.state)
    if payout.state != "pending":
        raise Refused("payout_sent", state=payout.state)
    return conclude(session, brand_id, payout_id, Answer("failed", reason="cancelled"), "cancel", actor=actor)


def retry(session: Session, brand_id: UUID, payout_id: UUID, actor: str) -> Payout:
    """Let the runner ask again, now, about a payout it gave up or waits with. One that may have gone out is looked up
    before anything else. Raises `Refused`: payout_settled (state), not_by_runner (provider).
    """
    payout = payout_of(session, brand_id, payout_id, lock=True)
    if payout.state in SETTLED:
        raise Refused("payout_settled", state=payout.state)
    if payout.provider not in AUTOMATIC:
        raise Refused("not_by_runner", provider=payout.provider)
    payout.due_at, payout.look_ups = clock.now(), 0
    session.add(payout)
    _note_act(session, payout, "retry", actor)
    announce(session, TOPIC)
    return payout


def decide(session: Session, brand_id: UUID, payout_id: UUID, answer: Answer, actor: str) -> Payout:
    """What a person found out about a payout nobody else could tell about: completed or failed.

    Who is paid may say that it arrived, not that it did not, for that gives them the amount again. Raises `Refused`:
    payout_settled (state), payout_not_unknown (state), own_payout.
    """
    payout = payout_of(session, brand_id, payout_id, lock=True)
    if payout.state in SETTLED:
        raise Refused("payout_settled", state=payout.state)
    if payout.state != "unknown":
        raise Refused("payout_not_unknown", state=payout.state)
    if answer.state != "completed" and is_paid(session, payout, actor):
        raise Refused("own_payout")
    return conclude(session, brand_id, payout_id, answer, "decide", actor=actor)


def _note_act(session: Session, payout: Payout, kind: EventKind, actor: str) -> None:
    session.add(
        PayoutEvent(
            brand_id=payout.brand_id,
            payout_id=payout.id,
            kind=kind,
            state=payout.state,
            reason=payout.reason,
            actor=actor,
            at=clock.now(),
        )
    )
    session.flush()


def note(session: Session, payout: Payout, kind: EventKind, answer: Answer, actor: str | None = None) -> None:
    """Write down what was said, unless it is word for word what was said last."""
    last = session.scalars(
        select(PayoutEvent)
        .where(col(PayoutEvent.brand_id) == payout.brand_id, col(PayoutEvent.payout_id) == payout.id)
        .order_by(col(PayoutEvent.id).desc())
        .limit(1)
    ).one_or_none()
    said = PayoutEvent(
        brand_id=payout.brand_id,
        payout_id=payout.id,
        kind=kind,
        state=answer.state,
        external_id=_short(answer.external_id),
        reason=_short(answer.reason),
        actor=actor,
        detail=dict(answer.detail),
        at=clock.now(),
    )
    if last is None or _words(last) != _words(said):
        session.add(said)
        session.flush()


def _words(event: PayoutEvent) -> tuple[object, ...]:
    return event.kind, event.state, event.external_id, event.reason, event.actor, event.detail


def _short(text: str | None) -> str | None:
    return text[:LONGEST_TEXT] if text else None


def _complete(session: Session, payout: Payout) -> None:
    payout.state, payout.reason, payout.due_at, payout.settled_at = "completed", None, None, clock.now()
    session.add(payout)
    session.flush()
    follow(session, payout.brand_id, list(_lines(session, payout)))
    transfer(session, done_moves(payout))
    tell(session, PayoutCompleted, payout)


def _fail(session: Session, payout: Payout, reason: str | None) -> None:
    payout.state, payout.reason, payout.due_at, payout.settled_at = "failed", _short(reason), None, clock.now()
    session.add(payout)
    session.flush()
    cover(session, payout.brand_id, {reward: -amount for reward, amount in _lines(session, payout).items()})
    transfer(session, back_moves(payout))
    tell(session, PayoutFailed, payout)


def _too_soon(payout: Payout, pace: Pace) -> bool:
    """Whether the last start is so recent that the provider may yet hear of it."""
    tried = payout.detail.get(TRIED)
    return tried is not None and clock.now() - clock.parse(tried) < pace.settle


def _wait_for_it(session: Session, payout: Payout, answer: Answer, pace: Pace) -> None:
    """The provider has it. Look again in longer and longer intervals; a notice usually comes before."""
    waited = clock.now() - (payout.sent_at or clock.now())
    payout.due_at = clock.now() + min(pace.longest, max(pace.first, waited))
    before, payout.state, payout.look_ups = payout.reason, "processing", 0
    payout.reason = _short(answer.reason)
    if payout.reason and payout.reason != before:
        tell(session, PayoutProgressed, payout, detail=answer.detail)


def _wonder(session: Session, payout: Payout, reason: str | None, pace: Pace) -> None:
    """Nobody can say. Ask again later; after so many times leave it to a person, and never send it blindly."""
    payout.state, payout.reason, payout.look_ups = "unknown", _short(reason), payout.look_ups + 1
    if payout.look_ups < pace.look_ups:
        payout.due_at = clock.now() + pace.wait(payout.look_ups)
        return
    payout.due_at = None
    log.error("payout.stuck", payout=payout.reference, provider=payout.provider)
    tell(session, PayoutStuck, payout)


def _late(session: Session, payout: Payout, answer: Answer) -> None:
    """An answer after the end: nothing moves; one that says otherwise is told."""
    if answer.state not in SETTLED:
        return
    another = payout.external_id and answer.external_id and payout.external_id != _short(answer.external_id)
    if answer.state == payout.state and not (another and payout.state == "completed"):
        return
    log.error("payout.contradicted", payout=payout.reference, had=payout.state, said=answer.state)
    tell(session, PayoutContradicted, payout, had=payout.state, said=answer.state, reason=_short(answer.reason))


def _lines(session: Session, payout: Payout) -> dict[UUID, int]:
    """How much of which reward the payout covers."""
    rows = session.execute(
        select(col(PayoutLine.reward_id), col(PayoutLine.amount)).where(
            col(PayoutLine.brand_id) == payout.brand_id, col(PayoutLine.payout_id) == payout.id
        )
    )
    return {row.reward_id: row.amount for row in rows}
