"""Who runs a brand: roles of members, what each may do, and the one-time codes that give a role or connect a group.

A role belongs to the person: with linked accounts it holds on all of them, and on none once they are forgotten.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, delete, select, update
from sqlmodel import Field, Session, col

from core import clock, events
from core.db import Row, UtcDateTime, table, upsert
from core.errors import BadInput, NotFound, Refused
from referral import audit
from referral.brands import WaitingGroup
from referral.codes import ALPHABET
from referral.linking import person_of, standing_links
from referral.members import Member, identities_of, keyed_hash
from referral.staff_codes import StaffCode, void_codes_by
from referral.users.accounts import UserRole, actor_of, owners_on_the_web

ROLES = ("owner", "manager", "reviewer")
"""The most powerful first."""
ACTS = {
    "review": ROLES,
    "campaign": ("owner", "manager"),
    "connect": ("owner", "manager"),
    "export": ("owner", "manager"),
    "staff": ("owner",),
    "money": ("owner",),
}
"""What can be done for a brand, and by whom."""
OPERATOR = "operator"
"""The actor of what is done on the command line."""
CODE_LENGTH = 10
CODE_MINUTES = 30
"""How long a code works."""
CODES = ("connect", "partner", *ROLES)
"""What a code can be for: a group of the brand's own, a partner's group, a role."""
_NOISE = re.compile(r"[\s\-_.·—–:：,，。]+")


class Staff(Row, table=True):
    """A member's role for a brand. `given_by`: the actor as in the audit log, which also keeps earlier roles."""

    __tablename__ = "staff"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),)

    brand_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    role: str
    given_by: str
    given_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class StaffChanged:
    """A member's role is another: `role` is None where it was taken away, `before` where they had none."""

    brand_id: UUID
    member_id: UUID
    role: str | None
    before: str | None
    actor: str


def may(role: str | None, act: str) -> bool:
    """Whether somebody of this role may do this (one of `ACTS`)."""
    return role in ACTS[act]


def higher(one: str | None, other: str | None) -> str | None:
    """The more powerful of two roles; None is none."""
    return next((role for role in ROLES if role in (one, other)), None)


def role_of(session: Session, brand_id: UUID, member_id: UUID) -> str | None:
    """The member's role, also where it was given to an account that is linked to theirs since."""
    held = {row.role for row in _held(session, brand_id, member_id)}
    return next((role for role in ROLES if role in held), None)


def staff_of(session: Session, brand_id: UUID, roles: Collection[str] = ROLES) -> list[Staff]:
    """Who runs the brand now, the most powerful first; whoever was forgotten is not among them."""
    rows = session.scalars(
        select(Staff)
        .join(Member, (col(Member.brand_id) == col(Staff.brand_id)) & (col(Member.id) == col(Staff.member_id)))
        .where(
            col(Staff.brand_id) == brand_id,
            col(Staff.role).in_(roles),
            col(Staff.ended_at).is_(None),
            col(Member.erased_at).is_(None),
        )
        .execution_options(populate_existing=True)
    ).all()
    return sorted(rows, key=lambda row: (ROLES.index(row.role), row.given_at, row.member_id))


def give(session: Session, brand_id: UUID, member_id: UUID, role: str, actor: str) -> None:
    """Give a member a role instead of the one they had; nothing happens if they have it already. With a lesser one
    their unused codes are void.

    Raises `BadInput("staff_role")`, `NotFound("member")`, `Refused("staff_last_owner")`.
    """
    if role not in ROLES:
        raise BadInput("staff_role", role=role[:20])
    member = session.get(Member, (brand_id, member_id))
    if member is None or member.erased_at is not None:
        raise NotFound("member", account=str(member_id))
    if {row.role for row in _held(session, brand_id, member_id)} == {role}:
        return
    before = role_of(session, brand_id, member_id)
    # The entry first: with it we hold the brand's chain, so nobody changes the team meanwhile.
    audit.record(session, brand_id, actor, "staff.give", str(member_id), role=role, before=before)
    now = clock.now()
    held = _held(session, brand_id, member_id)
    for row in held:
        row.ended_at = now
        session.add(row)
    session.flush()
    values = {"role": role, "given_by": actor, "given_at": now, "ended_at": None}
    upsert(
        session,
        table(Staff),
        [{"brand_id": brand_id, "member_id": member_id, **values}],
        ["brand_id", "member_id"],
        list(values),
    )
    if any(row.role == "owner" for row in held):
        keep_an_owner(session, brand_id)
    if before is not None and higher(before, role) == before:
        _void_codes(session, brand_id, _whole(session, brand_id, member_id))
    events.emit(session, [StaffChanged(brand_id, member_id, role, before, actor)])


def take(session: Session, brand_id: UUID, member_id: UUID, actor: str) -> None:
    """Take a person's role away, on all their linked accounts, and with it the codes they made that nobody used.

    Raises `NotFound("staff")`, `Refused("staff_last_owner")`.
    """
    role = role_of(session, brand_id, member_id)
    if role is None:
        raise NotFound("staff")
    audit.record(session, brand_id, actor, "staff.take", str(member_id), role=role)
    rows = _held(session, brand_id, member_id)
    for row in rows:
        row.ended_at = clock.now()
        session.add(row)
    session.flush()
    if any(row.role == "owner" for row in rows):
        keep_an_owner(session, brand_id)
    _void_codes(session, brand_id, _whole(session, brand_id, member_id))
    events.emit(session, [StaffChanged(brand_id, member_id, None, role, actor)])


def _held(session: Session, brand_id: UUID, member_id: UUID) -> list[Staff]:
    """The roles of a person, who may have been given them on several accounts that are linked now."""
    persons = [member_id, *(link.absorbed_id for link in standing_links(session, brand_id, member_id))]
    return list(
        session.scalars(
            select(Staff)
            .where(col(Staff.brand_id) == brand_id, col(Staff.member_id).in_(persons), col(Staff.ended_at).is_(None))
            .order_by(col(Staff.given_at), col(Staff.member_id))
            .execution_options(populate_existing=True)
        )
    )


def keep_an_owner(session: Session, brand_id: UUID) -> None:
    """Raises `Refused("staff_last_owner")` if nobody is the brand's owner any more, in the chat or on the web."""
    if not staff_of(session, brand_id, ("owner",)) and not owners_on_the_web(session, brand_id):
        raise Refused("staff_last_owner")


def new_code(session: Session, brand_id: UUID, what: str, actor: str) -> str:
    """A code that works once within `CODE_MINUTES`, shown this once; `what`: one of `CODES`."""
    now = clock.now()
    audit.record(session, brand_id, actor, "staff.code", what)
    session.execute(
        delete(table(StaffCode)).where(col(StaffCode.brand_id) == brand_id, col(StaffCode.expires_at) <= now)
    )
    body = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    expires = now + timedelta(minutes=CODE_MINUTES)
    session.add(StaffCode(digest=_digest(body), brand_id=brand_id, what=what, made_by=actor, expires_at=expires))
    session.flush()
    return f"{body[:5]}-{body[5:]}"


def looks_like_code(text: str) -> bool:
    """Whether this may be meant as such a code: ten of its symbols, however they are set apart."""
    body = _body(text)
    return len(body) == CODE_LENGTH and all(symbol in ALPHABET for symbol in body)


def use_code(session: Session, code: str, wanted: Collection[str]) -> StaffCode:
    """Use a code up; it is used only if this unit of work is kept. `wanted`: what it may be for.

    Raises `Refused("staff_code_wrong")` for one that is not known, was used, has expired or is for something else.
    """
    row: StaffCode | None = session.scalar(
        update(StaffCode)
        .where(
            col(StaffCode.digest) == _digest(_body(code)),
            col(StaffCode.used_at).is_(None),
            col(StaffCode.expires_at) > clock.now(),
            col(StaffCode.what).in_(wanted),
        )
        .values(used_at=clock.now())
        .returning(StaffCode)
    )
    if row is None:
        raise Refused("staff_code_wrong", minutes=CODE_MINUTES)
    return row


def export_staff(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    """The roles a member has or had."""
    rows = session.scalars(select(Staff).where(col(Staff.brand_id) == brand_id, col(Staff.member_id) == member_id))
    return [
        {
            "role": row.role,
            "since": row.given_at.isoformat(),
            "until": row.ended_at.isoformat() if row.ended_at else None,
        }
        for row in rows
    ]


def forget_staff(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Who is about to be forgotten runs nothing any more, not even as the last owner, and the codes they gave out work
    no more. What they did stays in the log, under the account they did it with."""
    accounts = [(row.platform, row.account) for row in identities_of(session, brand_id, members)]
    held = session.scalars(
        select(Staff).where(
            col(Staff.brand_id) == brand_id, col(Staff.member_id).in_(members), col(Staff.ended_at).is_(None)
        )
    ).all()
    for row in held:
        audit.record(session, brand_id, "forgotten", "staff.take", str(row.member_id), role=row.role)
        row.ended_at = clock.now()
        session.add(row)
    _void_codes(session, brand_id, members)
    for platform, account in accounts:
        session.execute(
            delete(WaitingGroup).where(col(WaitingGroup.platform) == platform, col(WaitingGroup.account) == account)
        )


def _whole(session: Session, brand_id: UUID, member_id: UUID) -> list[UUID]:
    """The person a member is by now, with every member that was linked into them."""
    person = person_of(session, brand_id, member_id)
    return [person, *(link.absorbed_id for link in standing_links(session, brand_id, person))]


def _void_codes(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """What these members gave out works no more: nobody comes back by a code they made while they still could, in the
    chat or on the web."""
    makers = [f"{row.platform}:{row.account}" for row in identities_of(session, brand_id, members)]
    came = select(col(UserRole.user_id)).where(col(UserRole.brand_id) == brand_id, col(UserRole.member_id).in_(members))
    void_codes_by(session, brand_id, [*makers, *map(actor_of, session.scalars(came))])


def _body(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text)[:100]).upper()


def _digest(body: str) -> str:
    return keyed_hash("staff code", body)
