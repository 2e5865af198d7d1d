"""Passkeys of users (WebAuthn credentials): what is kept to know them again. Browsers are answered by the web."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, delete, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Row, UtcDateTime, table
from core.errors import Conflict, NotFound, Refused

MOST = 20
"""Passkeys of one user."""
NAME_LENGTH = 40


class Passkey(Row, table=True):
    """A public key that a device of the user holds the private part of. `credential`: its id in base64url. `uses`: the
    authenticator's own counter, where it counts."""

    __tablename__ = "passkey"
    __table_args__ = (ForeignKeyConstraint(["user_id"], ["web_user.id"]), Index("ix_passkey_user_id", "user_id"))

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    user_id: UUID
    credential: str = Field(unique=True)
    public_key: bytes
    uses: int = Field(default=0, sa_type=BigInteger)
    name: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def passkeys_of(session: Session, user_id: UUID) -> list[Passkey]:
    """The user's passkeys, the oldest first."""
    query = select(Passkey).where(col(Passkey.user_id) == user_id).order_by(col(Passkey.created_at), col(Passkey.id))
    return list(session.scalars(query))


def find_passkey(session: Session, credential: str) -> Passkey | None:
    """The passkey of this id, whoever's it is."""
    return session.scalar(
        select(Passkey).where(col(Passkey.credential) == credential).execution_options(populate_existing=True)
    )


def add_passkey(session: Session, user_id: UUID, credential: str, public_key: bytes, uses: int, name: str) -> Passkey:
    """Keep a new passkey. Raises `Conflict("passkey_known")`, `Refused("passkey_many")`."""
    if len(passkeys_of(session, user_id)) >= MOST:
        raise Refused("passkey_many", most=MOST)
    name = "".join(letter for letter in " ".join(name.split()) if letter.isprintable())[:NAME_LENGTH] or "Passkey"
    made = Passkey(
        user_id=user_id, credential=credential, public_key=public_key, uses=uses, name=name, created_at=clock.now()
    )
    try:
        with session.begin_nested():
            session.add(made)
            session.flush()
    except IntegrityError:
        raise Conflict("passkey_known") from None
    return made


def note_passkey(session: Session, passkey_id: UUID, uses: int) -> None:
    """Remember that a passkey was used, and how often its device says it ever was."""
    found = session.get(Passkey, passkey_id, populate_existing=True)
    if found is None:
        raise NotFound("passkey")
    found.uses, found.used_at = max(uses, found.uses), clock.now()
    session.add(found)
    session.flush()


def remove_passkey(session: Session, user_id: UUID, passkey_id: UUID) -> None:
    """Let a passkey open nothing from now on. Raises `NotFound("passkey")`."""
    rows = table(Passkey)
    gone = session.execute(
        delete(rows).where(rows.c.user_id == user_id, rows.c.id == passkey_id).returning(rows.c.id)
    ).all()
    if not gone:
        raise NotFound("passkey")
