"""What `daixin user …` does in the database: units of work that return what is printed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core.errors import NotFound
from daixin.console import brand_named
from referral import audit
from referral.brands import Brand
from referral.staff import OPERATOR
from referral.users import links, roles, sessions
from referral.users.accounts import User, UserRole, delete_user, read_email, set_disabled, user_by_email, user_of

Document = dict[str, Any]


def listed(session: Session, brand: str | None) -> list[Document]:
    """Everybody who signs in on the web, or those of one brand."""
    wanted = brand_named(session, brand).slug if brand is not None else None
    people = []
    for user in session.scalars(select(User).order_by(col(User.created_at), col(User.id))):
        seats = {seat.brand.slug: seat.role for seat in roles.seats_of(session, user.id)}
        if wanted is None or wanted in seats:
            people.append(
                {
                    "id": str(user.id),
                    "name": user.name,
                    "email": user.email,
                    "roles": seats,
                    "disabled_at": user.disabled_at,
                    "signed_in": len(sessions.sessions_of(session, user.id)),
                }
            )
    return people


def invite(session: Session, brand: str | None, role: str, email: str | None, public_url: str) -> Document:
    """A link that makes whoever opens it one of the brand's team; with the e-mail of a user, they are at once."""
    owner = brand_named(session, brand)
    known = user_by_email(session, read_email(email)) if email else None
    if known is not None:
        roles.give(session, owner.id, known.id, role, OPERATOR)
        return {"brand": owner.slug, "role": role, "user": str(known.id), "sign_in": f"{public_url}/sign-in"}
    token = links.invitation(session, owner.id, role, OPERATOR)
    days = links.LASTS["invite"].days
    return {"brand": owner.slug, "role": role, "link": f"{public_url}/door/{token}", "days": days}


def disable(session: Session, named: str, disabled: bool) -> Document:
    """Shut a user out everywhere at once, or let them in again."""
    user = _named(session, named)
    set_disabled(session, user.id, disabled)
    ended = sessions.end_sessions(session, user.id) if disabled else 0
    _record(session, user.id, "user.disable" if disabled else "user.enable")
    return {"user": str(user.id), "disabled": disabled, "sessions_ended": ended}


def reset(session: Session, named: str, public_url: str) -> Document:
    """A link by which a user chooses a new password."""
    user = _named(session, named)
    token = links.reset_for(session, user.id, OPERATOR)
    _record(session, user.id, "user.reset")
    hours = int(links.LASTS["reset"].total_seconds() // 3600)
    return {"user": str(user.id), "link": f"{public_url}/door/{token}", "hours": hours}


def delete(session: Session, named: str) -> Document:
    """Forget a user; their number stays in the audit logs. Raises `Refused("staff_last_owner")`."""
    user = _named(session, named)
    held = list(
        session.scalars(select(UserRole).where(col(UserRole.user_id) == user.id, col(UserRole.ended_at).is_(None)))
    )
    for row in held:
        audit.record(session, row.brand_id, OPERATOR, "user.delete", str(user.id), role=row.role)
    owned = [row.brand_id for row in held if row.role == "owner"]
    delete_user(session, user.id)
    for brand_id in owned:
        roles.keep_an_owner(session, brand_id)
    return {"user": str(user.id), "deleted": True}


def _named(session: Session, named: str) -> User:
    """The user of this e-mail or number. Raises `NotFound("user")`."""
    if "@" in named:
        found = user_by_email(session, read_email(named))
        if found is None:
            raise NotFound("user")
        return found
    try:
        return user_of(session, UUID(named))
    except ValueError:
        raise NotFound("user") from None


def _record(session: Session, user_id: UUID, act: str) -> None:
    """In the logs of every brand they have to do with."""
    held = select(UserRole).where(col(UserRole.user_id) == user_id, col(UserRole.ended_at).is_(None))
    for row in session.scalars(held.join(Brand, col(Brand.id) == col(UserRole.brand_id))).all():
        audit.record(session, row.brand_id, OPERATOR, act, str(user_id))
