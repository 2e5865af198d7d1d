"""What a user may do for which brand: a role given on the web, or what they are in the chat at this moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlmodel import Session, col

from core import clock
from core.db import table, upsert
from core.errors import BadInput, NotFound
from referral import audit, staff
from referral.brands import Brand
from referral.linking import person_of
from referral.members import Member, identities_of
from referral.staff_codes import void_codes_by
from referral.users.accounts import User, UserRole, actor_of, delete_user, user_of
from referral.users.sessions import sessions_of

NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seat:
    """A brand somebody may look at. `role`: one of `staff.ROLES`."""

    brand: Brand
    role: str


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who runs a brand. `user_id` is None for who never came to the web; `member_id` for who is not in the
    chat. `web`: the role they were given here, `chat`: the one they have there; the higher counts."""

    name: str
    role: str
    user_id: UUID | None
    member_id: UUID | None
    email: str | None
    web: str | None
    chat: str | None
    since: datetime


def seats_of(session: Session, user_id: UUID, operators: Collection[str] = NOBODY) -> list[Seat]:
    """The brands a user may look at now, by name. `operators`: accounts that may do everything, `platform:account`."""
    rows = session.execute(
        select(UserRole, Brand)
        .join(Brand, col(Brand.id) == col(UserRole.brand_id))
        .where(col(UserRole.user_id) == user_id, col(UserRole.ended_at).is_(None))
        .order_by(col(Brand.name), col(Brand.id))
    )
    seats = []
    for row, brand in rows:
        role = staff.higher(row.role, _in_chat(session, row, operators))
        if role is not None:
            seats.append(Seat(brand, role))
    return seats


def role_of(session: Session, brand_id: UUID, user_id: UUID, operators: Collection[str] = NOBODY) -> str | None:
    """What the user is for the brand now; nothing while they are shut out."""
    row = _row(session, brand_id, user_id)
    if row is None or user_of(session, user_id).disabled_at is not None:
        return None
    return staff.higher(row.role, _in_chat(session, row, operators))


def _in_chat(session: Session, row: UserRole, operators: Collection[str]) -> str | None:
    """What the member they came as is for the brand now; nothing if they were forgotten since."""
    if row.member_id is None:
        return None
    person = person_of(session, row.brand_id, row.member_id)
    member = session.get(Member, (row.brand_id, person), populate_existing=True)
    if member is None or member.erased_at is not None:
        return None
    accounts = identities_of(session, row.brand_id, [person]) if operators else []
    named = any(f"{one.platform}:{one.account}" in operators for one in accounts)
    return "owner" if named else staff.role_of(session, row.brand_id, person)


def _row(session: Session, brand_id: UUID, user_id: UUID) -> UserRole | None:
    found = session.get(UserRole, (brand_id, user_id), populate_existing=True)
    return found if found is not None and found.ended_at is None else None


def give(session: Session, brand_id: UUID, user_id: UUID, role: str, actor: str) -> None:
    """Give a user a role instead of the one they had here; nothing happens if they have it already. With a lesser one
    their unused codes are void.

    Raises `BadInput("staff_role")`, `NotFound("user")`, `Refused("staff_last_owner")`.
    """
    if role not in staff.ROLES:
        raise BadInput("staff_role", role=role[:20])
    user_of(session, user_id)
    # The entry first: with it we hold the brand's chain, so nobody changes the team meanwhile.
    before = _row(session, brand_id, user_id)
    if before is not None and before.role == role:
        return
    was = before.role if before is not None else None
    audit.record(session, brand_id, actor, "user.give", str(user_id), role=role, before=was)
    _put(session, brand_id, user_id, role, actor)
    if was == "owner":
        keep_an_owner(session, brand_id)
    if was is not None and staff.higher(was, role) == was:
        void_codes_by(session, brand_id, [actor_of(user_id)])


def take(session: Session, brand_id: UUID, user_id: UUID, actor: str) -> None:
    """Take a user's role for the brand away, what connects them with their account in the chat, and the codes they made
    that nobody used.

    Raises `NotFound("user")`, `Refused("staff_last_owner")`.
    """
    row = _row(session, brand_id, user_id)
    if row is None:
        raise NotFound("user")
    audit.record(session, brand_id, actor, "user.take", str(user_id), role=row.role)
    row.ended_at, row.role, row.member_id = clock.now(), None, None
    session.add(row)
    session.flush()
    keep_an_owner(session, brand_id)
    void_codes_by(session, brand_id, [actor_of(user_id)])


def change(
    session: Session, brand_id: UUID, user_id: UUID | None, member_id: UUID | None, role: str, actor: str
) -> None:
    """Give somebody of the team another role, wherever they have one. Raises as `give` and `staff.give`."""
    user, member = _both(session, brand_id, user_id, member_id)
    if member is not None:
        staff.give(session, brand_id, member, role, actor)
    if user is not None and (member is None or user.role is not None):
        give(session, brand_id, user.user_id, role, actor)


def remove(session: Session, brand_id: UUID, user_id: UUID | None, member_id: UUID | None, actor: str) -> None:
    """Take somebody out of the team, on the web and in the chat. Raises as `take` and `staff.take`."""
    user, member = _both(session, brand_id, user_id, member_id)
    if member is not None:
        staff.take(session, brand_id, member, actor)
    if user is not None:
        take(session, brand_id, user.user_id, actor)


def _both(
    session: Session, brand_id: UUID, user_id: UUID | None, member_id: UUID | None
) -> tuple[UserRole | None, UUID | None]:
    """What somebody is on the web, and as which member they have a role in the chat. Raises `NotFound("user")`."""
    user = _row(session, brand_id, user_id) if user_id is not None else None
    if user is not None:
        member_id = person_of(session, brand_id, user.member_id) if user.member_id is not None else None
    member = member_id if member_id is not None and staff.role_of(session, brand_id, member_id) else None
    if user is None and member is None:
        raise NotFound("user")
    return user, member


def come_as(session: Session, brand_id: UUID, member_id: UUID, name: str, locale: str | None) -> User:
    """The user a member of the brand is on the web; made when they come for the first time."""
    known = session.scalar(
        select(UserRole).where(
            col(UserRole.brand_id) == brand_id,
            col(UserRole.member_id) == member_id,
            col(UserRole.ended_at).is_(None),
        )
    )
    if known is not None:
        return user_of(session, known.user_id)
    user = User(name=name, locale=locale, created_at=clock.now())
    row = UserRole(
        brand_id=brand_id, user_id=user.id, member_id=member_id, given_by=actor_of(user.id), given_at=clock.now()
    )
    for made in (user, row):
        session.add(made)
        session.flush()
    return user


def export_users(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    """What is kept of a member as somebody who comes to the brand's pages."""
    rows = session.execute(
        select(User, UserRole)
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(UserRole.brand_id) == brand_id, col(UserRole.member_id) == member_id)
    )
    return [
        {
            "name": user.name,
            "email": user.email,
            "locale": user.locale,
            "since": row.given_at.isoformat(),
            "signed_in": [
                {
                    "device": one.device,
                    "how": one.how,
                    "at": one.created_at.isoformat(),
                    "seen": one.seen_at.isoformat(),
                }
                for one in sessions_of(session, user.id)
            ],
        }
        for user, row in rows
    ]


def forget_members(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Who is about to be forgotten by a brand comes to it by no link any more; the user they were on the web is
    forgotten too, unless they run something else there by a role of their own."""
    links = table(UserRole).metadata.tables["door_link"]
    session.execute(delete(links).where(links.c.brand_id == brand_id, links.c.member_id.in_(members)))
    came = select(UserRole).where(col(UserRole.brand_id) == brand_id, col(UserRole.member_id).in_(members))
    for row in session.scalars(came).all():
        row.member_id = None
        if row.role is None:
            row.ended_at = clock.now()
        session.add(row)
        session.flush()
        others = select(col(UserRole.brand_id)).where(
            col(UserRole.user_id) == row.user_id, col(UserRole.ended_at).is_(None)
        )
        if session.scalar(others.limit(1)) is None:
            delete_user(session, row.user_id)


def _put(session: Session, brand_id: UUID, user_id: UUID, role: str, actor: str) -> None:
    values = {"role": role, "given_by": actor, "given_at": clock.now(), "ended_at": None}
    keys = {"brand_id": brand_id, "user_id": user_id}
    upsert(session, table(UserRole), [keys | values], ["brand_id", "user_id"], list(values))


def keep_an_owner(session: Session, brand_id: UUID) -> None:
    """Raises `Refused("staff_last_owner")` if nobody is the brand's owner any more, here or in the chat."""
    staff.keep_an_owner(session, brand_id)


def team_of(session: Session, brand_id: UUID) -> list[Colleague]:
    """Who runs the brand, on the web and in the chat, the most powerful first; one person once."""
    chat = {row.member_id: row for row in staff.staff_of(session, brand_id)}
    rows = session.execute(
        select(UserRole, User)
        .join(User, col(User.id) == col(UserRole.user_id))
        .where(col(UserRole.brand_id) == brand_id, col(UserRole.ended_at).is_(None))
        .order_by(col(UserRole.given_at))
    )
    people: list[Colleague] = []
    for row, user in rows:
        person = person_of(session, brand_id, row.member_id) if row.member_id is not None else None
        there = staff.role_of(session, brand_id, person) if person is not None else None
        role = staff.higher(row.role, there)
        for member_id in (row.member_id, person):
            if member_id is not None:
                chat.pop(member_id, None)
        if role is not None:
            people.append(Colleague(user.name, role, user.id, person, user.email, row.role, there, row.given_at))
    for member_id, held in chat.items():
        member = session.get_one(Member, (brand_id, member_id))
        people.append(Colleague(member.name, held.role, None, member_id, None, None, held.role, held.given_at))
    return sorted(people, key=lambda one: (staff.ROLES.index(one.role), one.since))


def names_of_actors(session: Session, brand_id: UUID, actors: Sequence[str]) -> dict[str, str]:
    """What people of the audit log (`user:…`) are called, as far as they have to do with this brand."""
    asked = {actor: _user_in(actor) for actor in actors}
    wanted = {user_id for user_id in asked.values() if user_id is not None}
    if not wanted:
        return {}
    rows = session.execute(
        select(col(User.id), col(User.name))
        .join(UserRole, col(UserRole.user_id) == col(User.id))
        .where(col(UserRole.brand_id) == brand_id, col(User.id).in_(wanted))
    )
    known = {row.id: row.name for row in rows}
    return {actor: known[user_id] for actor, user_id in asked.items() if user_id in known}


def _user_in(actor: str) -> UUID | None:
    kind, _, text = actor.partition(":")
    try:
        return UUID(text) if kind == "user" else None
    except ValueError:
        return None
