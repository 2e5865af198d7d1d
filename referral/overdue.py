"""Cases that wait too long: the reviewers are reminded after two days, the owners hear of it after a week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock, events
from core.db import table
from referral.cases import WAITS, Case
from referral.reviewing import close_if_moot

DUE_AT_ONCE = 200
"""Cases looked at in one unit of work."""
ESCALATES = timedelta(days=7)
"""After this an open case is the owners' to hear of, and again each time as much has passed."""


@dataclass(frozen=True, slots=True)
class CasesOverdue:
    """`count` cases wait, the `oldest` since then; `escalated`: for more than a week."""

    brand_id: UUID
    count: int
    oldest: datetime
    escalated: bool


def remind_due(session: Session) -> int:
    """Remind of the open cases whose time has come, one message a brand; how many were looked at."""
    rows = session.scalars(
        select(Case)
        .where(col(Case.state) == "open", col(Case.remind_at) <= clock.now())
        .order_by(col(Case.remind_at), col(Case.id))
        .limit(DUE_AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for case in rows:
        _put_off(case)
        session.add(case)
    session.flush()
    late = {(case.brand_id, case.reminded > 1) for case in rows if not close_if_moot(session, case)}
    events.emit(session, [_overdue(session, brand_id, escalated) for brand_id, escalated in sorted(late)])
    return len(rows)


def _overdue(session: Session, brand_id: UUID, escalated: bool) -> CasesOverdue:
    """All that has waited so long, whichever of them it is that the reminder is due for."""
    t = table(Case)
    count, oldest = session.execute(
        select(func.count(), func.min(t.c.opened_at, type_=t.c.opened_at.type)).where(
            t.c.brand_id == brand_id,
            t.c.state == "open",
            t.c.opened_at <= clock.now() - (ESCALATES if escalated else WAITS),
        )
    ).one()
    return CasesOverdue(brand_id, count, oldest, escalated)


def _put_off(case: Case) -> None:
    """The first reminder is followed by one after a week, and one each week from then on."""
    case.reminded += 1
    now = clock.now()
    case.remind_at = case.opened_at + ESCALATES
    while case.remind_at <= now:
        case.remind_at += ESCALATES
        case.reminded = max(case.reminded, 2)
