"""Keys with which a brand's programs speak to us: what each may do, until when, and how one follows another."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, select, update
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Json, TenantRow, UtcDateTime, insert_new, table
from core.errors import BadInput, Conflict, NotFound

SCOPES = ("conversions:write", "conversions:read", "results:read", "events:read", "webhooks:write")
"""Telling of orders and refunds; reading them; reading campaigns and leaderboards; reading everything that happens;
saying where that is sent."""
NAME_LENGTH = 64
OVERLAP = timedelta(hours=24)
"""How long a key that was rotated still opens, so that nobody has to change it everywhere at one moment."""
USED_EVERY = timedelta(minutes=10)
"""How exactly we know when a key was last used."""


class ApiKey(TenantRow, table=True):
    """A bearer key; only its SHA-256 is kept (the key itself has 256 bits, so a plain hash is enough)."""

    __tablename__ = "api_key"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    name: str
    digest: str = Field(unique=True)
    scopes: list[str] = Field(sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who speaks: the brand, by which key, and what that key may do until when."""

    brand_id: UUID
    key_id: UUID
    scopes: frozenset[str]
    expires_at: datetime | None
    used_at: datetime | None


def create_api_key(
    session: Session,
    brand_id: UUID,
    name: str = "default",
    scopes: Collection[str] = SCOPES,
    expires_at: datetime | None = None,
    key_id: UUID | None = None,
) -> str:
    """A new key, shown this once. `key_id`: chosen by whoever asks, so that asking again makes no second one.

    Raises `BadInput`: key_name (limit), key_scope (scope, scopes), key_scopes_none; `Conflict("key_made")` where that
    id has its key.
    """
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadInput("key_name", limit=NAME_LENGTH)
    for scope in scopes:
        if scope not in SCOPES:
            raise BadInput("key_scope", scope=scope[:40], scopes=", ".join(SCOPES))
    if not scopes:
        raise BadInput("key_scopes_none")
    key, target = "dx_" + secrets.token_urlsafe(32), table(ApiKey)
    row = {
        "brand_id": brand_id,
        "id": key_id or ids.new(),
        "name": name,
        "digest": digest_of(key),
        "scopes": [scope for scope in SCOPES if scope in scopes],
        "created_at": clock.now(),
        "expires_at": expires_at,
    }
    if not insert_new(session, target, [row], ["brand_id", "id"], target.c.id):
        raise Conflict("key_made")
    return key


def rotate_api_key(
    session: Session, brand_id: UUID, key_id: UUID, overlap: timedelta = OVERLAP, new_id: UUID | None = None
) -> str:
    """A new key (of the id `new_id`) that may do what this one may, for as long as it might from its making; the old
    one opens for `overlap` more. Raises `NotFound("api_key")`, `Conflict("key_made")`."""
    old = _key(session, brand_id, key_id)
    now = clock.now()
    until = now + (old.expires_at - old.created_at) if old.expires_at else None
    made = create_api_key(session, brand_id, old.name, old.scopes, until, new_id)
    old.expires_at = min(now + overlap, old.expires_at or now + overlap)
    session.add(old)
    session.flush()
    return made


def revoke_api_key(session: Session, brand_id: UUID, key_id: UUID) -> None:
    """Let a key open nothing from now on. Raises `NotFound("api_key")`."""
    found = _key(session, brand_id, key_id)
    found.revoked_at = found.revoked_at or clock.now()
    session.add(found)
    session.flush()


def _key(session: Session, brand_id: UUID, key_id: UUID) -> ApiKey:
    found = session.get(ApiKey, (brand_id, key_id))
    if found is None or found.revoked_at is not None:
        raise NotFound("api_key")
    return found


def api_keys_of(session: Session, brand_id: UUID) -> list[ApiKey]:
    """The brand's keys that were not revoked, the oldest first."""
    return list(
        session.scalars(
            select(ApiKey)
            .where(col(ApiKey.brand_id) == brand_id, col(ApiKey.revoked_at).is_(None))
            .order_by(col(ApiKey.created_at), col(ApiKey.id))
        )
    )


def digest_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def holder_of(session: Session, digest: str) -> Holder | None:
    """Whose key this is, if it is one and neither revoked nor past its time."""
    row = session.scalar(select(ApiKey).where(col(ApiKey.digest) == digest, col(ApiKey.revoked_at).is_(None)))
    if row is None or (row.expires_at is not None and row.expires_at <= clock.now()):
        return None
    return Holder(row.brand_id, row.id, frozenset(row.scopes), row.expires_at, row.used_at)


def note_use(session: Session, holder: Holder) -> None:
    """Remember that a key was used just now."""
    session.execute(
        update(table(ApiKey))
        .where(table(ApiKey).c.brand_id == holder.brand_id, table(ApiKey).c.id == holder.key_id)
        .values(used_at=clock.now())
    )
