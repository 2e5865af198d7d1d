"""What became of unasked messages, for the stories about them."""

from __future__ import annotations

from sqlmodel import Session, col, select

from referral.outreach.models import Outreach
from tests.dialogue import Town


def fates(town: Town) -> list[tuple[str, str | None]]:
    """(state, reason) of every message, in the order they were planned."""

    def read(session: Session) -> list[tuple[str, str | None]]:
        rows = session.exec(select(Outreach).order_by(col(Outreach.planned_at), col(Outreach.member_id))).all()
        return [(row.state, row.reason) for row in rows]

    return town.do(read)
