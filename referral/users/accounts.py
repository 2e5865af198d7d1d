"""Users: people who sign in on the web. A user is not a member: members are the customers of one brand, a user runs
brands, and may also be a member who came by a link from the chat.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, delete, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, col

from core import clock, i18n, ids
from core.db import Row, UtcDateTime, table
from core.errors import BadInput, Conflict, NotFound
from referral.staff_codes import void_codes_by

NAME_LENGTH = 64
EMAIL_LENGTH = 254
"""Characters of the longest address mail can be sent to (RFC 5321)."""
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\]\\,;:\"]{1,64}@[^@\s\x00-\x1f\x7f<>()\[\]\\,;:\"]+\.[^@\s.]{2,}")


class User(Row, table=True):
    """Somebody who signs in. `email`: as `read_email` writes it, for signing in by password; nobody is written to."""

    __tablename__ = "web_user"

    id: UUID = Field(default_factory=ids.new, primary_key=True)
    email: str | None = Field(default=None, unique=True)
    name: str
    password_hash: str | None = None
    locale: str | None = None
    """The language they chose; None follows the browser."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class UserRole(Row, table=True):
    """What a user is for a brand. `role` was given on the web or by the operator; with `member_id` they came from the
    chat as that member, whose role there counts too, as it is at the moment. `given_by`: as in the audit log."""

    __tablename__ = "user_role"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["user_id"], ["web_user.id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        UniqueConstraint("brand_id", "member_id", name="uq_user_role_brand_id_member_id"),
        Index("ix_user_role_user_id", "user_id"),
    )

    brand_id: UUID = Field(primary_key=True)
    user_id: UUID = Field(primary_key=True)
    role: str | None = None
    member_id: UUID | None = None
    given_by: str
    given_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def actor_of(user_id: UUID) -> str:
    """A user as the audit log names them."""
    return f"user:{user_id}"


def read_email(text: str) -> str:
    """The address as we keep it: without space around, compatibility forms folded, in lower case.

    Raises `BadInput("user_email")`.
    """
    email = unicodedata.normalize("NFKC", text[: 2 * EMAIL_LENGTH]).strip().lower()
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email) or not email.isprintable():
        raise BadInput("user_email")
    return email


def read_name(text: str) -> str:
    """What to call a user, on one line. Raises `BadInput("user_name")`."""
    name = " ".join(text[: 4 * NAME_LENGTH].split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadInput("user_name", limit=NAME_LENGTH)
    return name


def create_user(
    session: Session, name: str, email: str | None = None, password_hash: str | None = None, locale: str | None = None
) -> User:
    """A new user. Raises `BadInput` (user_email, user_name), `Conflict("user_email_taken")`."""
    user = User(
        name=read_name(name),
        email=read_email(email) if email else None,
        password_hash=password_hash,
        locale=locale if locale in i18n.LOCALES else None,
        created_at=clock.now(),
    )
    try:
        with session.begin_nested():
            session.add(user)
            session.flush()
    except IntegrityError:
        raise Conflict("user_email_taken") from None
    return user


def user_by_email(session: Session, email: str) -> User | None:
    """Who signs in with this address, if anybody does."""
    return session.scalar(select(User).where(col(User.email) == email).execution_options(populate_existing=True))


def user_of(session: Session, user_id: UUID) -> User:
    """The user as they are now. Raises `NotFound("user")`."""
    user = session.get(User, user_id, populate_existing=True)
    if user is None:
        raise NotFound("user")
    return user


def set_email(session: Session, user_id: UUID, email: str) -> None:
    """Let a user sign in with this address. Raises `BadInput("user_email")`, `Conflict("user_email_taken")`."""
    user = user_of(session, user_id)
    user.email = read_email(email)
    try:
        with session.begin_nested():
            session.add(user)
            session.flush()
    except IntegrityError:
        raise Conflict("user_email_taken") from None


def set_name(session: Session, user_id: UUID, name: str) -> None:
    """Call a user this. Raises `BadInput("user_name")`."""
    user = user_of(session, user_id)
    user.name = read_name(name)
    session.add(user)
    session.flush()


def set_locale(session: Session, user_id: UUID, locale: str) -> None:
    """Remember the language a user chose (one of `i18n.LOCALES`)."""
    user = user_of(session, user_id)
    user.locale = locale
    session.add(user)
    session.flush()


def set_disabled(session: Session, user_id: UUID, disabled: bool) -> None:
    """Shut a user out everywhere, with the codes they gave out, or let them in again."""
    user = user_of(session, user_id)
    user.disabled_at = clock.now() if disabled else None
    session.add(user)
    session.flush()
    if disabled:
        void_codes_by(session, None, [actor_of(user_id)])


def names_of(session: Session, users: set[UUID]) -> dict[UUID, str]:
    """What these users are called."""
    if not users:
        return {}
    rows = session.execute(select(col(User.id), col(User.name)).where(col(User.id).in_(users)))
    return {row.id: row.name for row in rows}


def owners_on_the_web(session: Session, brand_id: UUID) -> int:
    """How many users who can sign in are owners by a role given here."""
    rows = session.scalars(
        select(col(User.id))
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(
            col(UserRole.brand_id) == brand_id,
            col(UserRole.role) == "owner",
            col(UserRole.ended_at).is_(None),
            col(User.disabled_at).is_(None),
        )
    )
    return len(rows.all())


def delete_user(session: Session, user_id: UUID) -> None:
    """Forget a user: nothing of them stays but their number in audit logs. Sessions, passkeys, links and roles go too:
    whoever calls this has made sure that no brand is left without an owner."""
    session.flush()
    for one in list(session.identity_map.values()):
        if isinstance(one, User | UserRole) and user_id in (getattr(one, "user_id", None), getattr(one, "id", None)):
            session.expunge(one)
    for name in ("user_session", "passkey", "door_link", "user_role"):
        rows = table(User).metadata.tables[name]
        session.execute(delete(rows).where(rows.c.user_id == user_id))
    void_codes_by(session, None, [actor_of(user_id)])
    session.execute(delete(table(User)).where(table(User).c.id == user_id))
