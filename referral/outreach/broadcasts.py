"""Broadcasts: one text to many people, planned in pieces behind a cursor, so that a process that dies costs a piece
at most, and that piece was not committed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from core import clock, events
from core.db import table
from core.errors import BadInput, NotFound, Refused
from referral import audit
from referral.brands import Brand
from referral.outreach.audiences import AUDIENCES, page
from referral.outreach.messages import BROADCAST, Notice, plan
from referral.outreach.models import Broadcast, Outreach

TEXT_LENGTH = 1000
PIECE = 500
"""Members planned for in one unit of work."""
DRAFT_LASTS = timedelta(days=1)
"""A draft is sent within a day or not at all: a button that is found again a week later sends nothing stale."""
UNDER_WAY = ("planning", "sending")


@dataclass(frozen=True, slots=True)
class BroadcastDone:
    """Every message of a broadcast has gone out, or will not."""

    brand_id: UUID
    broadcast_id: UUID
    created_by: UUID


def subject_of(broadcast: Broadcast) -> str:
    """What its messages are about."""
    return f"{BROADCAST}{broadcast.id}"


def draft(session: Session, brand_id: UUID, text: Mapping[str, str], audience: str, created_by: UUID) -> Broadcast:
    """Write one down; nothing is sent yet. Raises `BadInput("broadcast_empty" | "broadcast_long" | "audience")`."""
    said = {locale: words.strip() for locale, words in text.items() if words.strip()}
    if not said:
        raise BadInput("broadcast_empty")
    if any(len(words) > TEXT_LENGTH for words in said.values()):
        raise BadInput("broadcast_long", limit=TEXT_LENGTH)
    if audience not in AUDIENCES:
        raise BadInput("audience")
    made = Broadcast(brand_id=brand_id, text=said, audience=audience, created_by=created_by, created_at=clock.now())
    session.add(made)
    session.flush()
    return made


def find_broadcast(session: Session, brand_id: UUID, broadcast_id: UUID) -> Broadcast:
    """The brand's broadcast. Raises `NotFound("broadcast")`."""
    found = session.get(Broadcast, (brand_id, broadcast_id), populate_existing=True)
    if found is None:
        raise NotFound("broadcast")
    return found


def broadcasts_of(session: Session, brand_id: UUID, limit: int) -> list[Broadcast]:
    """The latest that were sent, or are."""
    return list(
        session.scalars(
            select(Broadcast)
            .where(col(Broadcast.brand_id) == brand_id, col(Broadcast.started_at).is_not(None))
            .order_by(col(Broadcast.started_at).desc())
            .limit(limit)
        )
    )


def start(session: Session, broadcast: Broadcast, actor: str) -> None:
    """Begin to send a draft, once however often it is pressed.

    Raises `Refused`: `broadcast_started` for a repeat, `broadcast_old` after a day, `broadcast_running` while another
    of the brand is under way.
    """
    if broadcast.state == "draft" and broadcast.created_at + DRAFT_LASTS <= clock.now():
        raise Refused("broadcast_old")
    now = clock.now()
    try:
        with session.begin_nested():
            moved = _move(session, broadcast, ("draft",), "planning", started_at=now)
    except IntegrityError as error:  # the database keeps a second one from running
        raise Refused("broadcast_running") from error
    if not moved:
        raise Refused("broadcast_started")
    audit.record(
        session,
        broadcast.brand_id,
        actor,
        "broadcast.start",
        str(broadcast.id),
        audience=broadcast.audience,
        text=broadcast.text,
    )


def discard(session: Session, broadcast: Broadcast) -> None:
    """Throw a draft away; what is sent already is left alone. Raises `Refused("broadcast_started")`."""
    if not _move(session, broadcast, ("draft",), "discarded") and broadcast.state != "discarded":
        raise Refused("broadcast_started")


def stop(session: Session, broadcast: Broadcast, actor: str) -> None:
    """Send no more of it; what has gone out has. Raises `Refused("broadcast_over")` if there is nothing to stop."""
    if not _move(session, broadcast, UNDER_WAY, "stopped", ended_at=clock.now()):
        raise Refused("broadcast_over")
    audit.record(session, broadcast.brand_id, actor, "broadcast.stop", str(broadcast.id))


def _move(session: Session, broadcast: Broadcast, before: tuple[str, ...], after: str, **more: object) -> bool:
    """Whether this unit was the one to bring it from a state to the next."""
    t = table(Broadcast)
    changed = session.execute(
        update(t)
        .where(t.c.brand_id == broadcast.brand_id, t.c.id == broadcast.id, t.c.state.in_(before))
        .values(state=after, **more)
        .returning(t.c.id)
    ).all()
    session.refresh(broadcast)
    return bool(changed)


def plan_due(session: Session) -> int:
    """Plan one piece of one broadcast, whichever process comes; how many members were looked at (at least 1 while
    there is more to do)."""
    found = session.scalars(
        select(Broadcast)
        .where(col(Broadcast.state) == "planning")
        .order_by(col(Broadcast.started_at))
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return 0
    assert found.started_at is not None
    people = page(session, found.brand_id, found.audience, found.started_at, found.cursor, PIECE)
    brand = session.get_one(Brand, found.brand_id)
    subject = subject_of(found)
    found.planned += plan(session, brand, [Notice(member_id, "broadcast", subject) for member_id in people])
    if people:
        found.cursor = people[-1]
    if len(people) < PIECE:
        found.state = "sending"
    session.add(found)
    session.flush()
    return max(1, len(people))


def finish_due(session: Session) -> int:
    """End the broadcasts of which nothing waits any more; how many."""
    sending = select(Broadcast).where(col(Broadcast.state) == "sending").order_by(col(Broadcast.started_at))
    over = [one for one in session.scalars(sending).all() if not _waits(session, one)]
    over = [one for one in over if _move(session, one, ("sending",), "done", ended_at=clock.now())]
    events.emit(session, [BroadcastDone(one.brand_id, one.id, one.created_by) for one in over])
    return len(over)


def _waits(session: Session, broadcast: Broadcast) -> bool:
    t = table(Outreach)
    waiting = select(t.c.subject).where(
        t.c.brand_id == broadcast.brand_id,
        t.c.subject == subject_of(broadcast),
        t.c.state.in_(("waiting", "sending")),
    )
    return session.scalar(waiting.limit(1)) is not None
