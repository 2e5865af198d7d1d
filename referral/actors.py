"""Who stands behind an actor of the audit log: `platform:account` of somebody in the chat, `user:<id>` of somebody on
the web (who may be a member too), or the command line."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from referral.linking import person_of
from referral.members import find_identity
from referral.staff import staff_of
from referral.users.accounts import User, UserRole

USER = "user"


def person_behind(session: Session, brand_id: UUID, actor: str) -> UUID | None:
    """The member an actor is for this brand, as the person they are now; None for who is none."""
    platform, _, account = actor.partition(":")
    if platform == USER:
        row = _seat(session, brand_id, account)
        return person_of(session, brand_id, row.member_id) if row is not None and row.member_id is not None else None
    identity = find_identity(session, brand_id, platform, account) if account else None
    return person_of(session, brand_id, identity.member_id) if identity is not None else None


def is_same(session: Session, brand_id: UUID, one: str, other: str) -> bool:
    """Whether two actors are one person: the same, or the same member by another account."""
    if one == other:
        return True
    person = person_behind(session, brand_id, one)
    return person is not None and person == person_behind(session, brand_id, other)


def has_others(session: Session, brand_id: UUID, actor: str) -> bool:
    """Whether anybody else runs the brand, in the chat or on the web."""
    mine = person_behind(session, brand_id, actor)
    if {person_of(session, brand_id, row.member_id) for row in staff_of(session, brand_id)} - {mine}:
        return True
    rows = session.scalars(
        select(UserRole).where(
            col(UserRole.brand_id) == brand_id, col(UserRole.ended_at).is_(None), col(UserRole.role).is_not(None)
        )
    )
    return any(not is_same(session, brand_id, actor, f"{USER}:{row.user_id}") for row in rows)


def user_name(session: Session, brand_id: UUID, actor: str) -> str | None:
    """What to call the user of the web behind an actor, who runs the brand or did once; None for any other."""
    platform, _, account = actor.partition(":")
    if platform != USER:
        return None
    return session.scalar(
        select(col(User.name))
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(UserRole.brand_id) == brand_id, col(UserRole.user_id) == _uuid(account))
    )


def _seat(session: Session, brand_id: UUID, user: str) -> UserRole | None:
    user_id = _uuid(user)
    return session.get(UserRole, (brand_id, user_id)) if user_id is not None else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
