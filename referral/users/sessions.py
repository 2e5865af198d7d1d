"""Where a user is signed in. A session is a random token in a cookie; only its digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, delete, select, update
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Row, UtcDateTime, table
from core.errors import NotFound
from referral.users.accounts import User

LONGEST = timedelta(days=30)
"""After this a session ends, however busy it was."""
IDLE = timedelta(days=7)
"""After this without a look it ends too."""
SEEN_EVERY = timedelta(minutes=5)
"""How exactly we know when a session was last used."""
KEPT = timedelta(days=30)
"""How long a session that ended is kept: one finds it among the places one was signed in."""
DEVICE_LENGTH = 80
HOW = ("password", "passkey", "link", "invite", "start")
"""How a session began: by password, passkey, a link from the chat, an invitation, or with a new brand."""


class UserSession(Row, table=True):
    """One browser somebody is signed in with. `device`: a few words about it, as it named itself."""

    __tablename__ = "user_session"
    __table_args__ = (
        ForeignKeyConstraint(["user_id"], ["web_user.id"]),
        Index("ix_user_session_user_id", "user_id"),
    )

    digest: str = Field(primary_key=True)
    id: UUID = Field(default_factory=ids.new, unique=True)
    user_id: UUID
    device: str
    how: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def digest_of(token: str) -> str:
    """What is kept of a token: it has 256 bits of chance, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def open_session(session: Session, user_id: UUID, device: str, how: str) -> str:
    """Sign a user in: the token for their cookie, shown this once. What ended long ago is cleared away."""
    now = clock.now()
    token = secrets.token_urlsafe(32)
    rows = table(UserSession)
    session.execute(delete(rows).where(rows.c.user_id == user_id, rows.c.expires_at < now - KEPT))
    session.add(
        UserSession(
            digest=digest_of(token),
            user_id=user_id,
            device=device[:DEVICE_LENGTH],
            how=how,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
        )
    )
    session.flush()
    return token


def signed_in(session: Session, token: str) -> tuple[UserSession, User] | None:
    """Whose token this is, if it is one that still holds."""
    now = clock.now()
    row = session.execute(
        select(UserSession, User)
        .join(User, col(User.id) == col(UserSession.user_id))
        .where(
            col(UserSession.digest) == digest_of(token),
            col(UserSession.ended_at).is_(None),
            col(UserSession.expires_at) > now,
            col(UserSession.seen_at) > now - IDLE,
            col(User.disabled_at).is_(None),
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def note_seen(session: Session, session_id: UUID) -> None:
    """Remember that a session was used just now."""
    rows = table(UserSession)
    session.execute(update(rows).where(rows.c.id == session_id, rows.c.ended_at.is_(None)).values(seen_at=clock.now()))


def sessions_of(session: Session, user_id: UUID) -> list[UserSession]:
    """Where the user is signed in now, the last used first."""
    now = clock.now()
    return list(
        session.scalars(
            select(UserSession)
            .where(
                col(UserSession.user_id) == user_id,
                col(UserSession.ended_at).is_(None),
                col(UserSession.expires_at) > now,
                col(UserSession.seen_at) > now - IDLE,
            )
            .order_by(col(UserSession.seen_at).desc(), col(UserSession.created_at).desc())
        )
    )


def end_session(session: Session, user_id: UUID, session_id: UUID) -> None:
    """Sign the user out there. Raises `NotFound("session")`."""
    rows = table(UserSession)
    ended = session.execute(
        update(rows)
        .where(rows.c.user_id == user_id, rows.c.id == session_id, rows.c.ended_at.is_(None))
        .values(ended_at=clock.now())
        .returning(rows.c.id)
    ).all()
    if not ended:
        raise NotFound("session")


def end_sessions(session: Session, user_id: UUID, *, but: UUID | None = None) -> int:
    """Sign the user out everywhere (`but` there): how many sessions that ended."""
    rows = table(UserSession)
    which = update(rows).where(rows.c.user_id == user_id, rows.c.ended_at.is_(None))
    if but is not None:
        which = which.where(rows.c.id != but)
    return len(session.execute(which.values(ended_at=clock.now()).returning(rows.c.id)).all())
