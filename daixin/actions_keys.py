"""What `daixin key` does in the database; each act stands in the brand's audit log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from core import clock
from core.errors import NotFound
from daixin.console import brand_named
from referral import api_keys, audit

ACTOR = "operator"
Document = dict[str, Any]


def create(session: Session, brand: str | None, name: str, scopes: Sequence[str] | None, days: int | None) -> Document:
    """A new key, to be shown once."""
    owner = brand_named(session, brand)
    until = clock.now() + timedelta(days=days) if days else None
    key = api_keys.create_api_key(session, owner.id, name, scopes or api_keys.SCOPES, until)
    made = api_keys.api_keys_of(session, owner.id)[-1]
    audit.record(session, owner.id, ACTOR, "key.create", str(made.id), scopes=made.scopes)
    return {**_shown(made), "api_key": key}


def listed(session: Session, brand: str | None) -> list[Document]:
    """The keys that were not revoked."""
    return [_shown(one) for one in api_keys.api_keys_of(session, brand_named(session, brand).id)]


def rotate(session: Session, brand: str | None, key: str, hours: int) -> Document:
    """The key that follows this one, to be shown once. Raises `NotFound("api_key")`."""
    owner = brand_named(session, brand)
    new = api_keys.rotate_api_key(session, owner.id, _id(key), timedelta(hours=hours))
    made = api_keys.api_keys_of(session, owner.id)[-1]
    audit.record(session, owner.id, ACTOR, "key.rotate", key, follows=str(made.id))
    return {**_shown(made), "api_key": new}


def revoke(session: Session, brand: str | None, key: str) -> None:
    """A key that opens nothing any more. Raises `NotFound("api_key")`."""
    owner = brand_named(session, brand)
    api_keys.revoke_api_key(session, owner.id, _id(key))
    audit.record(session, owner.id, ACTOR, "key.revoke", key)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("api_key") from None


def _shown(key: api_keys.ApiKey) -> Document:
    return key.model_dump(mode="json", include={"id", "name", "scopes", "created_at", "expires_at", "used_at"})
