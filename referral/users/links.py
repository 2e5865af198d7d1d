"""One-time links that let somebody in: from the chat, by an invitation, or to choose a new password."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import Row, UtcDateTime, insert_new, table
from core.errors import BadInput, Conflict, NotFound, Refused
from referral import audit, staff
from referral.users.sessions import digest_of

LASTS = {"enter": timedelta(minutes=5), "invite": timedelta(days=7), "reset": timedelta(hours=24)}
"""What a link can be for, and how long it works: a member of the brand comes in from the chat; somebody is invited
with a role; a user chooses a new password."""


class DoorLink(Row, table=True):
    """A link; only its token's digest is kept. `what`: one of `LASTS`. `made_by`: as in the audit log."""

    __tablename__ = "door_link"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["user_id"], ["web_user.id"]),
        Index("ix_door_link_brand_id", "brand_id", "expires_at"),
    )

    digest: str = Field(primary_key=True)
    id: UUID = Field(default_factory=ids.new, unique=True)
    what: str
    brand_id: UUID | None = None
    member_id: UUID | None = None
    user_id: UUID | None = None
    role: str | None = None
    made_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def entry_for(session: Session, brand_id: UUID, member_id: UUID, actor: str) -> str:
    """The token of a link by which a member comes in from the chat; an earlier one of theirs works no more."""
    rows = table(DoorLink)
    session.execute(
        delete(rows).where(rows.c.brand_id == brand_id, rows.c.what == "enter", rows.c.member_id == member_id)
    )
    audit.record(session, brand_id, actor, "user.link", str(member_id))
    return _new(session, "enter", actor, brand_id=brand_id, member_id=member_id)


def invitation(session: Session, brand_id: UUID, role: str, actor: str, link_id: UUID | None = None) -> str:
    """The token of a link by which whoever opens it first gets this role.

    Raises `BadInput("staff_role")`, `Conflict("invitation_made")` for a `link_id` that has been made.
    """
    if role not in staff.ROLES:
        raise BadInput("staff_role", role=role[:20])
    audit.record(session, brand_id, actor, "user.invite", role)
    try:
        with session.begin_nested():
            return _new(session, "invite", actor, brand_id=brand_id, role=role, link_id=link_id)
    except IntegrityError:
        raise Conflict("invitation_made") from None


def reset_for(session: Session, user_id: UUID, actor: str) -> str:
    """The token of a link by which a user chooses a new password; an earlier one of theirs works no more."""
    rows = table(DoorLink)
    session.execute(delete(rows).where(rows.c.what == "reset", rows.c.user_id == user_id))
    return _new(session, "reset", actor, user_id=user_id)


def _new(
    session: Session,
    what: str,
    actor: str,
    *,
    brand_id: UUID | None = None,
    member_id: UUID | None = None,
    user_id: UUID | None = None,
    role: str | None = None,
    link_id: UUID | None = None,
) -> str:
    now = clock.now()
    rows = table(DoorLink)
    session.execute(delete(rows).where(rows.c.expires_at < now - max(LASTS.values())))
    token = secrets.token_urlsafe(32)
    link = DoorLink(
        digest=digest_of(token),
        id=link_id or ids.new(),
        what=what,
        brand_id=brand_id,
        member_id=member_id,
        user_id=user_id,
        role=role,
        made_by=actor,
        created_at=now,
        expires_at=now + LASTS[what],
    )
    session.add(link)
    session.flush()
    return token


def look(session: Session, token: str) -> DoorLink:
    """The link of this token, left as it is. Raises `Refused("door_closed")` unless it still works."""
    found = session.scalar(
        select(DoorLink).where(
            col(DoorLink.digest) == digest_of(token),
            col(DoorLink.used_at).is_(None),
            col(DoorLink.expires_at) > clock.now(),
        )
    )
    if found is None:
        raise Refused("door_closed")
    return found


def use(session: Session, token: str) -> DoorLink:
    """Use the link up; it is used only if this unit of work is kept. Raises `Refused("door_closed")`."""
    row: DoorLink | None = session.scalar(
        update(DoorLink)
        .where(
            col(DoorLink.digest) == digest_of(token),
            col(DoorLink.used_at).is_(None),
            col(DoorLink.expires_at) > clock.now(),
        )
        .values(used_at=clock.now())
        .returning(DoorLink)
    )
    if row is None:
        raise Refused("door_closed")
    return row


def note_user(session: Session, link: DoorLink, user_id: UUID) -> None:
    """Remember whom a link let in, so that its button pressed twice leads them on."""
    rows = table(DoorLink)
    session.execute(update(rows).where(rows.c.digest == link.digest).values(user_id=user_id))


def was_used_by(session: Session, token: str, user_id: UUID) -> bool:
    """Whether this link let this user in."""
    found = session.get(DoorLink, digest_of(token))
    return found is not None and found.used_at is not None and found.user_id == user_id


def spend(session: Session, challenge: str) -> None:
    """Use up what works once though it was never kept, such as a passkey's challenge. Raises `Refused("door_closed")`
    the second time."""
    now = clock.now()
    row = {
        "digest": digest_of(challenge),
        "id": ids.new(),
        "what": "spent",
        "made_by": "",
        "created_at": now,
        "expires_at": now + LASTS["enter"],
        "used_at": now,
    }
    if not insert_new(session, table(DoorLink), [row], ["digest"], table(DoorLink).c.digest):
        raise Refused("door_closed")


def open_invitations(session: Session, brand_id: UUID) -> list[DoorLink]:
    """The brand's invitations that nobody has used and that still work, the newest first."""
    return list(
        session.scalars(
            select(DoorLink)
            .where(
                col(DoorLink.brand_id) == brand_id,
                col(DoorLink.what) == "invite",
                col(DoorLink.used_at).is_(None),
                col(DoorLink.expires_at) > clock.now(),
            )
            .order_by(col(DoorLink.created_at).desc())
        )
    )


def withdraw(session: Session, brand_id: UUID, link_id: UUID, actor: str) -> None:
    """Let an invitation open nothing from now on. Raises `NotFound("invitation")`."""
    rows = table(DoorLink)
    gone = session.execute(
        delete(rows)
        .where(rows.c.brand_id == brand_id, rows.c.id == link_id, rows.c.what == "invite", rows.c.used_at.is_(None))
        .returning(rows.c.role)
    ).all()
    if not gone:
        raise NotFound("invitation")
    audit.record(session, brand_id, actor, "user.withdraw", gone[0].role)
