"""A brand's addresses: added, changed, given another secret, paused, let go."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from core import clock, events, ids, vault
from core.db import insert_new, table
from core.errors import BadInput, Conflict, NotFound, Refused, Unavailable
from referral import audit
from referral.webhooks.fanning import endpoints_of, wake
from referral.webhooks.hearing import EndpointsChanged, Fact, note
from referral.webhooks.models import TEST, TYPES, WAITING, WebhookDelivery, WebhookEndpoint, WebhookEvent

MOST = 10
"""Addresses a brand may have."""
TEST_EVERY = timedelta(seconds=5)
OVERLAP = timedelta(hours=24)
"""How long we sign with the secret before, too."""


@dataclass(frozen=True, slots=True)
class EndpointStopped:
    """We gave an address up, because nobody answered for days or it said that it is gone (`reason`)."""

    brand_id: UUID
    endpoint_id: UUID
    reason: str


def add_endpoint(
    session: Session, brand_id: UUID, url: str, types: Collection[str], actor: str, endpoint_id: UUID | None = None
) -> tuple[UUID, str | None]:
    """An address, checked by `addresses.check_url` before: (its id, its secret, to be shown this once).

    `types`: what it wants to hear, all if none is named. Under an `endpoint_id` that exists nothing is made, and
    there is no secret to show. Raises `BadInput("webhook_type")`, `Refused("webhook_many")`, and
    `Conflict("webhook_exists")` for an address the brand has already.
    """
    wanted = _types(types)
    secret, made = _secret(), endpoint_id or ids.new()
    target = table(WebhookEndpoint)
    row = {
        "brand_id": brand_id,
        "id": made,
        "url": url,
        "events": wanted,
        "sealed": vault.seal({"secret": secret}, bound_to=made),
        "created_at": clock.now(),
    }
    with _own_address(session, url):
        if not insert_new(session, target, [row], ["brand_id", "id"], target.c.id):
            return made, None
    if len(endpoints_of(session, brand_id)) > MOST:
        raise Refused("webhook_many", most=MOST)
    audit.record(session, brand_id, actor, "webhook.add", str(made), host=_host(url), events=wanted)
    events.emit(session, [EndpointsChanged(brand_id)])
    return made, secret


@contextmanager
def _own_address(session: Session, url: str) -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
    except IntegrityError:
        raise Conflict("webhook_exists", url=url) from None


def change_endpoint(
    session: Session,
    brand_id: UUID,
    endpoint_id: UUID,
    actor: str,
    *,
    url: str | None = None,
    types: Collection[str] | None = None,
) -> WebhookEndpoint:
    """Another address (checked before), or other events.

    Raises `NotFound("webhook")`, `BadInput("webhook_type")`, `Conflict("webhook_exists")`.
    """
    found = endpoint_of(session, brand_id, endpoint_id, lock=True)
    moved = url is not None and url != found.url
    if moved:
        found.url, found.failures, found.failing_since, found.resume_at = str(url), 0, None, None
    if types is not None:
        found.events = _types(types)
    session.add(found)
    with _own_address(session, found.url):
        session.flush()
    if moved:
        _go_on(session, found)
    audit.record(session, brand_id, actor, "webhook.change", str(found.id), host=_host(found.url), events=found.events)
    return found


def rotate_secret(session: Session, brand_id: UUID, endpoint_id: UUID, actor: str) -> str:
    """A new secret, to be shown this once; for `OVERLAP` what we send is signed with both.

    Raises `NotFound("webhook")`.
    """
    found = endpoint_of(session, brand_id, endpoint_id, lock=True)
    secret, kept = _secret(), {}
    with suppress(Unavailable):  # sealed with a key that is lost: nothing to overlap with
        kept = {"before": vault.unseal(found.sealed, bound_to=found.id)["secret"]}
    found.sealed = vault.seal({"secret": secret, **kept}, bound_to=found.id)
    found.before_until = clock.now() + OVERLAP
    session.add(found)
    session.flush()
    audit.record(session, brand_id, actor, "webhook.rotate", str(found.id))
    return secret


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """What is signed with now, the newest first. Raises `Unavailable("sealed")`."""
    kept = vault.unseal(endpoint.sealed, bound_to=endpoint.id)
    both = endpoint.before_until is not None and endpoint.before_until > clock.now()
    return [str(kept["secret"]), *([str(kept["before"])] if both and "before" in kept else [])]


def pause(session: Session, brand_id: UUID, endpoint_id: UUID, actor: str) -> None:
    """Send nothing for now; what happens meanwhile waits. Raises `NotFound("webhook")`."""
    found = endpoint_of(session, brand_id, endpoint_id, lock=True)
    if found.state == "on":
        found.state = "paused"
        session.add(found)
        session.flush()
        audit.record(session, brand_id, actor, "webhook.pause", str(found.id))


def resume(session: Session, brand_id: UUID, endpoint_id: UUID, actor: str) -> int:
    """Go on sending, from where it stopped; how much waits. Raises `NotFound("webhook")`."""
    found = endpoint_of(session, brand_id, endpoint_id, lock=True)
    found.state, found.reason = "on", None
    found.failures, found.failing_since, found.resume_at = 0, None, None
    session.add(found)
    session.flush()
    _go_on(session, found)
    audit.record(session, brand_id, actor, "webhook.resume", str(found.id))
    return waiting(session, brand_id, endpoint_id)


def _go_on(session: Session, endpoint: WebhookEndpoint) -> None:
    """Send now what waits for a later try."""
    d, now = table(WebhookDelivery), clock.now()
    mine = (d.c.brand_id == endpoint.brand_id, d.c.endpoint_id == endpoint.id)
    session.execute(update(d).where(*mine, d.c.state == WAITING, d.c.due_at > now).values(due_at=now))
    wake(session, endpoint.brand_id, [endpoint.id], f"resume/{ids.new()}")


def remove(session: Session, brand_id: UUID, endpoint_id: UUID, actor: str) -> None:
    """Send there never again. Raises `NotFound("webhook")`."""
    found = endpoint_of(session, brand_id, endpoint_id, lock=True)
    found.removed_at = clock.now()
    found.sealed = vault.seal({}, bound_to=found.id)
    session.add(found)
    session.flush()
    audit.record(session, brand_id, actor, "webhook.remove", str(found.id), host=_host(found.url))
    events.emit(session, [EndpointsChanged(brand_id)])


def send_test(session: Session, brand_id: UUID, endpoint_id: UUID) -> None:
    """Send one event made up for it, whatever state it is in; one every `TEST_EVERY` for a brand.

    Raises `NotFound("webhook")`, `Refused("webhook_test_soon")`.
    """
    found, e = endpoint_of(session, brand_id, endpoint_id, lock=True), table(WebhookEvent).c
    lately = select(e.id).where(e.brand_id == brand_id, e.at > clock.now() - TEST_EVERY, e.type == TEST)
    if session.execute(lately.limit(1)).first() is not None:
        raise Refused("webhook_test_soon", seconds=int(TEST_EVERY.total_seconds()))
    note(session, [Fact(brand_id, TEST, clock.now(), {"endpoint_id": str(found.id)})])


def endpoint_of(session: Session, brand_id: UUID, endpoint_id: UUID, *, lock: bool = False) -> WebhookEndpoint:
    """An address as it stands; with `lock` until the commit. Raises `NotFound("webhook")`."""
    query = select(WebhookEndpoint).where(
        col(WebhookEndpoint.brand_id) == brand_id,
        col(WebhookEndpoint.id) == endpoint_id,
        col(WebhookEndpoint.removed_at).is_(None),
    )
    if lock:
        query = query.with_for_update(key_share=True)
    found = session.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound("webhook")
    return found


def waiting(session: Session, brand_id: UUID, endpoint_id: UUID) -> int:
    """How many events wait to be sent there."""
    d = WebhookDelivery
    return session.exec(
        select(func.count()).where(
            col(d.brand_id) == brand_id, col(d.endpoint_id) == endpoint_id, col(d.state) == WAITING
        )
    ).one()


def has_new(session: Session, brand_id: UUID) -> bool:
    """Whether events wait for their numbers."""
    e = table(WebhookEvent).c
    found = select(e.id).where(e.brand_id == brand_id, e.number.is_(None)).limit(1)
    return session.execute(found).first() is not None


def in_trouble(session: Session, brand_id: UUID) -> list[WebhookEndpoint]:
    """The addresses that somebody has to look after: given up."""
    return [one for one in endpoints_of(session, brand_id) if one.state == "off"]


def _types(wanted: Collection[str]) -> list[str]:
    for one in wanted:
        if one not in TYPES:
            raise BadInput("webhook_type", type=one[:40], types=", ".join(TYPES))
    return [one for one in TYPES if one in wanted]


def _host(url: str) -> str:
    """What the log keeps of an address for ever: people put tokens into the rest."""
    return urlsplit(url).netloc


def _secret() -> str:
    """As Standard Webhooks has it: 24 to 64 random bytes in base64, so that it is known for what it is."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
