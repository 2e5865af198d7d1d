"""What outreach keeps of a person: goes over when accounts are linked, can be read, and is forgotten with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from core import clock
from core.db import table
from core.events import Bus
from referral.linking import LinkUndone, MemberLink, MembersLinked
from referral.outreach.models import Outreach, OutreachChoice
from referral.outreach.people import choose


def listen(bus: Bus) -> None:
    """Follow the linking of members."""
    bus.on(MembersLinked, _on_linked)
    bus.on(LinkUndone, _on_undone)


def _on_linked(session: Session, happened: Sequence[MembersLinked]) -> None:
    """Messages become the kept member's, except those it has itself. Quiet on either side is quiet for both."""
    for event in happened:
        subjects = _move(session, event.brand_id, event.absorbed_id, event.kept_id)
        theirs = session.get(OutreachChoice, (event.brand_id, event.absorbed_id))
        own = session.get(OutreachChoice, (event.brand_id, event.kept_id))
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        link.moved = {**link.moved, "outreach": subjects}
        if theirs is not None and theirs.quiet and not (own is not None and own.quiet):
            choose(session, event.brand_id, event.kept_id, quiet=True)
            link.moved = {**link.moved, "quiet": clock.now().isoformat()}
        session.add(link)
        session.flush()


def _on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """Messages go back, and quiet that came with the link ends, if nobody has chosen anew since."""
    for event in happened:
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        _move(session, event.brand_id, event.kept_id, event.absorbed_id, link.moved.get("outreach", []))
        if "quiet" in link.moved:
            since = clock.parse(link.moved["quiet"])
            own = session.get(OutreachChoice, (event.brand_id, event.kept_id), populate_existing=True)
            if own is not None and own.quiet and own.changed_at <= since:
                choose(session, event.brand_id, event.kept_id, quiet=False)


def _move(
    session: Session, brand_id: UUID, source: UUID, target: UUID, subjects: Sequence[str] | None = None
) -> list[str]:
    """Give one member's messages (all, or these) to another who has none of that subject; which went over."""
    t = table(Outreach)
    has = select(t.c.subject).where(t.c.brand_id == brand_id, t.c.member_id == target).scalar_subquery()
    which = [t.c.brand_id == brand_id, t.c.member_id == source, t.c.subject.not_in(has)]
    if subjects is not None:
        which.append(t.c.subject.in_(subjects))
    return list(session.scalars(update(t).where(*which).values(member_id=target).returning(t.c.subject)))


def export_outreach(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, Any]:
    """What a member chose, and what was written to them unasked, ready for JSON."""
    choice = session.get(OutreachChoice, (brand_id, member_id))
    rows = session.scalars(
        select(Outreach)
        .where(col(Outreach.brand_id) == brand_id, col(Outreach.member_id) == member_id)
        .order_by(col(Outreach.planned_at), col(Outreach.subject))
    )
    return {
        "quiet": choice.quiet if choice is not None else False,
        "messages": [
            {
                "kind": row.kind,
                "platform": row.platform,
                "state": row.state,
                "planned_at": row.planned_at.isoformat(),
                "at": row.at.isoformat() if row.at else None,
            }
            for row in rows
        ],
    }


def forget_outreach(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Drop what was chosen and what was written; what waits in the outbox finds nobody."""
    for model in (Outreach, OutreachChoice):
        t = table(model)
        session.execute(delete(t).where(t.c.brand_id == brand_id, t.c.member_id.in_(members)))
