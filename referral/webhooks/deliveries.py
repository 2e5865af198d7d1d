"""What became of each event on its way to each address: taken in hand, noted, listed, sent again."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, or_, select, update
from sqlmodel import Session

from core import clock, events, ids
from core.db import among, insert_new, table
from core.errors import NotFound, Unavailable
from referral import audit
from referral.webhooks.endpoints import EndpointStopped, endpoint_of, secrets_of
from referral.webhooks.fanning import delivery, wake
from referral.webhooks.models import (
    DELIVERED,
    FAILED,
    TEST,
    WAITING,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
)

AT_ONCE = 8
"""Events on their way to one address at the same time."""
LEASE = timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=8)
GIVEN_UP_AFTER = timedelta(days=3)
FAILURES = 20
"""Failures in a row after which an address is given up: with the waits above about two days and a half."""
KEPT = timedelta(days=30)
"""How long events, and what became of them, can be read and sent again."""
SAID = 500
"""Characters kept of an answer."""
REPLAYED_AT_ONCE = 10_000
FORGOTTEN_AT_ONCE = 1_000
_D, _E = table(WebhookDelivery).c, table(WebhookEvent).c


@dataclass(frozen=True, slots=True)
class Sending:
    """An event in our hands until the lease ends."""

    id: UUID
    event_id: UUID
    number: int
    type: str
    at: datetime
    data: dict[str, Any]
    attempts: int
    test: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be sent to one address now, signed with these secrets."""

    url: str
    secrets: list[str]
    sendings: list[Sending]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try. `status`: what was answered, None without an answer; `error`: a code of `webhook.error.…`,
    None if it arrived; `said`: how the answer began; `took`: milliseconds."""

    sending: Sending
    status: int | None
    error: str | None
    said: str
    took: int


def take(session: Session, brand_id: UUID, endpoint_id: UUID) -> Load | None:
    """Take in hand what is due at an address; None where nothing is, or not now.

    Tests go first, and always. One that failed is tried with a single event, the one that was tried least, by one
    process at a time.
    """
    now = clock.now()
    try:
        endpoint = endpoint_of(session, brand_id, endpoint_id, lock=True)
    except NotFound:
        return None
    which = _due(session, endpoint, now, test=True)
    if not which and endpoint.state == "on" and (endpoint.resume_at is None or endpoint.resume_at <= now):
        which = _due(session, endpoint, now, test=False)
        if which and endpoint.failures:
            endpoint.resume_at = now + LEASE
            session.add(endpoint)
            session.flush()
    if not which:
        return None
    mine = (_D.brand_id == brand_id, among(session, _D.id, which))
    session.execute(update(table(WebhookDelivery)).where(*mine).values(due_at=now + LEASE, attempts=_D.attempts + 1))
    rows = session.execute(
        select(_D.id, _D.event_id, _D.number, _E.type, _E.at, _E.data, _D.attempts, _D.test)
        .join(table(WebhookEvent), (_E.brand_id == _D.brand_id) & (_E.id == _D.event_id))
        .where(*mine)
        .order_by(_D.number)
    )
    return Load(endpoint.url, _secrets(endpoint), [Sending(*row) for row in rows])


def _due(session: Session, endpoint: WebhookEndpoint, now: datetime, *, test: bool) -> list[UUID]:
    mine = (_D.brand_id == endpoint.brand_id, _D.endpoint_id == endpoint.id)
    due = select(_D.id).where(*mine, _D.state == WAITING, _D.due_at <= now, _D.test.is_(test))
    if endpoint.failures and not test:
        due = due.order_by(_D.attempts, _D.due_at, _D.number).limit(1)
    else:
        due = due.order_by(_D.due_at, _D.number).limit(AT_ONCE)
    return list(session.execute(due).scalars())


def _secrets(endpoint: WebhookEndpoint) -> list[str]:
    """None where the vault's key is not ours: a try fails by that, and the brand gets to know."""
    try:
        return secrets_of(endpoint)
    except Unavailable:
        return []


def note(session: Session, brand_id: UUID, endpoint_id: UUID, outcomes: Sequence[Outcome]) -> bool:
    """Write down what came of these; whether there may be more to send at once."""
    now = clock.now()
    try:
        endpoint = endpoint_of(session, brand_id, endpoint_id, lock=True)
    except NotFound:
        return False
    for one in outcomes:
        _note_one(session, brand_id, endpoint_id, one, now)
    real = [one for one in outcomes if not one.sending.test]
    if any(one.error is None for one in outcomes):
        endpoint.answered_at = now
    if any(one.error is None for one in real):
        endpoint.failures, endpoint.failing_since, endpoint.resume_at = 0, None, None
    elif real:
        _count_failure(session, endpoint, [one.status for one in real], now)
    session.add(endpoint)
    session.flush()
    return not real or (endpoint.state == "on" and endpoint.failures == 0)


def _note_one(session: Session, brand_id: UUID, endpoint_id: UUID, one: Outcome, now: datetime) -> None:
    sending = one.sending
    over = sending.test or sending.attempts >= FAILURES
    state = DELIVERED if one.error is None else FAILED if over else WAITING
    due_at = now + wait_after(sending.attempts)
    values = {"state": state, "due_at": due_at, "tried_at": now}
    answer = {"status": one.status, "error": one.error, "said": one.said[:SAID], "took": one.took}
    done = session.execute(
        update(table(WebhookDelivery))
        # Whoever took longer than the lease has nothing to say: it is in other hands by now.
        .where(_D.brand_id == brand_id, _D.id == sending.id, _D.state == WAITING, _D.attempts == sending.attempts)
        .values(**values, **answer)
        .returning(_D.id)
    ).first()
    if done is not None and state == WAITING:
        wake(session, brand_id, [endpoint_id], f"again/{sending.id}/{sending.attempts}/{due_at.timestamp()}", due_at)


def _count_failure(
    session: Session, endpoint: WebhookEndpoint, statuses: Collection[int | None], now: datetime
) -> None:
    """One failure for everything that was tried together; after too many the address is given up."""
    endpoint.failures += 1
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.resume_at = now + wait_after(endpoint.failures)
    if endpoint.state != "on":
        return
    gone = 410 in statuses
    if gone or endpoint.failures >= FAILURES or endpoint.failing_since + GIVEN_UP_AFTER <= now:
        endpoint.state, endpoint.reason = "off", "gone" if gone else "failing"
        events.emit(session, [EndpointStopped(endpoint.brand_id, endpoint.id, endpoint.reason)])
    else:
        cause = f"probe/{endpoint.resume_at.timestamp()}"
        wake(session, endpoint.brand_id, [endpoint.id], cause, endpoint.resume_at)


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries: twice as long each time, a little more or less, so that not everybody
    comes back at once."""
    seconds = min(LONGEST_WAIT.total_seconds(), FIRST_WAIT.total_seconds() * 2.0 ** min(tries - 1, 20))
    return timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311  # jitter, not a secret


def listed(
    session: Session,
    brand_id: UUID,
    endpoint_id: UUID,
    *,
    state: str | None = None,
    kind: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Row[Any]]:
    """Deliveries of an address with their events, the newest first; `before`: below this number of an event."""
    query = (
        select(*table(WebhookDelivery).c, _E.type, _E.at, _E.data)
        .join(table(WebhookEvent), (_E.brand_id == _D.brand_id) & (_E.id == _D.event_id))
        .where(_D.brand_id == brand_id, _D.endpoint_id == endpoint_id)
    )
    for column, value in ((_D.state, state), (_E.type, kind)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(_D.number < before)
    return list(session.execute(query.order_by(_D.number.desc()).limit(limit)))


def send_again(session: Session, brand_id: UUID, endpoint_id: UUID, delivery_id: UUID, actor: str) -> bool:
    """Send one event again; whether it was not waiting already.

    Raises `NotFound("webhook")`, `NotFound("delivery")`.
    """
    endpoint_of(session, brand_id, endpoint_id, lock=True)
    own = (_D.brand_id == brand_id, _D.endpoint_id == endpoint_id, _D.id == delivery_id)
    if session.execute(select(_D.id).where(*own)).first() is None:
        raise NotFound("delivery")
    again = session.execute(
        update(table(WebhookDelivery))
        .where(*own, _D.state != WAITING)
        .values(state=WAITING, due_at=clock.now(), attempts=0)
        .returning(_D.id)
    ).first()
    wake(session, brand_id, [endpoint_id], f"once/{ids.new()}")
    if again is not None:
        audit.record(session, brand_id, actor, "webhook.again", str(endpoint_id), delivery=delivery_id)
    return again is not None


def replay(session: Session, brand_id: UUID, endpoint_id: UUID, after: int, actor: str) -> tuple[int, int | None]:
    """Send every event it wants with a number above `after` again, the oldest `REPLAYED_AT_ONCE` of them: (how many,
    the number to go on after if there are more). What waits already is left alone. Raises `NotFound("webhook")`."""
    endpoint = endpoint_of(session, brand_id, endpoint_id, lock=True)
    query = select(_E.id, _E.number).where(_E.brand_id == brand_id, _E.number > after, _E.type != TEST)
    if endpoint.events:
        query = query.where(_E.type.in_(endpoint.events))
    found = session.execute(query.order_by(_E.number).limit(REPLAYED_AT_ONCE + 1)).all()
    rows, more = found[:REPLAYED_AT_ONCE], len(found) > REPLAYED_AT_ONCE
    if not rows:
        return 0, None
    now, target = clock.now(), table(WebhookDelivery)
    fresh = [delivery(brand_id, endpoint_id, row.id, row.number, now, test=False) for row in rows]
    made = insert_new(session, target, fresh, ["brand_id", "endpoint_id", "event_id"], target.c.id)
    again = session.execute(
        update(target)
        .where(
            *(_D.brand_id == brand_id, _D.endpoint_id == endpoint_id, _D.state != WAITING, _D.test.is_(False)),
            *(_D.number > after, _D.number <= rows[-1].number),
        )
        .values(state=WAITING, due_at=now, attempts=0)
        .returning(_D.id)
    ).all()
    wake(session, brand_id, [endpoint_id], f"replay/{ids.new()}")
    audit.record(session, brand_id, actor, "webhook.replay", str(endpoint_id), after=after)
    return len(made) + len(again), rows[-1].number if more else None


def look_after(session: Session) -> None:
    """Wake what nobody woke: addresses with something long due. A safety net, and nothing else waits for it."""
    late = clock.now() - LEASE - LEASE
    e = table(WebhookEndpoint).c
    rows = session.execute(
        select(_D.brand_id, _D.endpoint_id)
        .distinct()
        .join(table(WebhookEndpoint), (e.brand_id == _D.brand_id) & (e.id == _D.endpoint_id))
        .where(
            *(_D.state == WAITING, _D.due_at < late, e.state == "on", e.removed_at.is_(None)),
            or_(e.resume_at.is_(None), e.resume_at < late),
        )
    ).all()
    for brand_id, endpoint_id in rows:
        wake(session, brand_id, [endpoint_id], f"late/{ids.new()}")


def forget(session: Session) -> int:
    """Drop some of the events that are too old, with what became of them; how many."""
    old = select(_E.brand_id, _E.id).where(_E.at < clock.now() - KEPT, _E.number.is_not(None)).limit(FORGOTTEN_AT_ONCE)
    rows = session.execute(old).all()
    for brand_id in {row.brand_id for row in rows}:
        which = [row.id for row in rows if row.brand_id == brand_id]
        mine = (_E.brand_id == brand_id, among(session, _E.id, which))
        session.execute(
            delete(table(WebhookDelivery)).where(_D.brand_id == brand_id, among(session, _D.event_id, which))
        )
        session.execute(delete(table(WebhookEvent)).where(*mine))
    return len(rows)
