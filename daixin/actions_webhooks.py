"""What `daixin webhook` does in the database; each act stands in the brand's audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from core.errors import NotFound
from core.settings import Settings
from daixin.console import brand_named
from referral.webhooks import addresses, deliveries, endpoints
from referral.webhooks.fanning import endpoints_of
from referral.webhooks.models import WebhookEndpoint

ACTOR = "operator"
Document = dict[str, Any]


def check(settings: Settings, url: str) -> str:
    """The address as it is kept. Raises `BadInput` for one we may not send to."""
    return asyncio.run(addresses.check_url(url, addresses.read_allowed(settings.webhook_allow)))


def add(session: Session, brand: str | None, url: str, types: Sequence[str]) -> Document:
    """An address (checked before) with its secret, to be shown once."""
    owner = brand_named(session, brand)
    made, secret = endpoints.add_endpoint(session, owner.id, url, types, ACTOR)
    return {**_shown(session, endpoints.endpoint_of(session, owner.id, made)), "secret": secret}


def listed(session: Session, brand: str | None) -> list[Document]:
    """The brand's addresses."""
    return [_shown(session, one) for one in endpoints_of(session, brand_named(session, brand).id)]


def sent(session: Session, brand: str | None, webhook: str, state: str | None, limit: int) -> list[Document]:
    """What became of the latest events, the newest first."""
    owner, which = brand_named(session, brand), _id(webhook)
    endpoints.endpoint_of(session, owner.id, which)
    named = ("number", "type", "state", "attempts", "tried_at", "status", "error", "said")
    rows = deliveries.listed(session, owner.id, which, state=state, limit=limit)
    return [{name: getattr(row, name) for name in named} for row in rows]


def send_test(session: Session, brand: str | None, webhook: str) -> None:
    """Send one event made up for it."""
    endpoints.send_test(session, brand_named(session, brand).id, _id(webhook))


def replay(session: Session, brand: str | None, webhook: str, after: int) -> Document:
    """Send again what came after an event: how many, and after which one to go on."""
    owner = brand_named(session, brand)
    count, following = deliveries.replay(session, owner.id, _id(webhook), after, ACTOR)
    return {"sent": count, "next": following}


def rotate(session: Session, brand: str | None, webhook: str) -> Document:
    """A new secret, to be shown once."""
    owner = brand_named(session, brand)
    return {"secret": endpoints.rotate_secret(session, owner.id, _id(webhook), ACTOR)}


def pause(session: Session, brand: str | None, webhook: str) -> Document:
    """Send nothing for now."""
    owner = brand_named(session, brand)
    endpoints.pause(session, owner.id, _id(webhook), ACTOR)
    return _shown(session, endpoints.endpoint_of(session, owner.id, _id(webhook)))


def resume(session: Session, brand: str | None, webhook: str) -> Document:
    """Go on from where it stopped."""
    owner = brand_named(session, brand)
    endpoints.resume(session, owner.id, _id(webhook), ACTOR)
    return _shown(session, endpoints.endpoint_of(session, owner.id, _id(webhook)))


def remove(session: Session, brand: str | None, webhook: str) -> None:
    """Send nothing there any more."""
    endpoints.remove(session, brand_named(session, brand).id, _id(webhook), ACTOR)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("webhook") from None


def _shown(session: Session, one: WebhookEndpoint) -> Document:
    named = {"id", "url", "events", "state", "reason", "failures", "created_at", "answered_at"}
    shown = one.model_dump(mode="json", include=named)
    return {**shown, "waiting": endpoints.waiting(session, one.brand_id, one.id)}
