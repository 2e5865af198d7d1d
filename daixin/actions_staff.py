"""What `daixin staff …` and `daixin audit …` do in the database: units of work that return what is printed."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from daixin.console import brand_named, member_named
from referral import audit, staff
from referral.audit import AuditEntry
from referral.members import Member
from referral.staff import OPERATOR

Document = dict[str, Any]


def team(session: Session, brand: str | None) -> list[Document]:
    """Who runs the brand, the most powerful first."""
    owner = brand_named(session, brand)
    people = []
    for row in staff.staff_of(session, owner.id):
        member = session.get_one(Member, (owner.id, row.member_id))
        people.append(
            {
                "member": str(row.member_id),
                "name": member.name,
                "role": row.role,
                "given_by": row.given_by,
                "given_at": row.given_at,
            }
        )
    return people


def give(session: Session, brand: str | None, named: str, role: str) -> Document:
    """Make a member (`platform:account`, or an id) owner, manager or reviewer. Raises as `staff.give`."""
    owner = brand_named(session, brand)
    member = member_named(session, owner.id, named)
    staff.give(session, owner.id, member, role, OPERATOR)
    return {"member": str(member), "role": role}


def take(session: Session, brand: str | None, named: str) -> Document:
    """Take a member's role away. Raises as `staff.take`."""
    owner = brand_named(session, brand)
    member = member_named(session, owner.id, named)
    staff.take(session, owner.id, member, OPERATOR)
    return {"member": str(member), "role": None}


def code(session: Session, brand: str | None, what: str) -> Document:
    """A one-time code for a role, for a group of the brand's own (`connect`) or a partner's (`partner`)."""
    owner = brand_named(session, brand)
    made = staff.new_code(session, owner.id, what, OPERATOR)
    word = "connect" if what in ("connect", "partner") else "staff"
    return {"brand": owner.slug, "for": what, "say": f"/{word} {made}", "minutes": staff.CODE_MINUTES}


def entries(session: Session, brand: str | None, subject: str | None, most: int) -> list[Document]:
    """The latest acts, the newest first."""
    owner = brand_named(session, brand)
    return [_shown(row) for row in audit.entries_of(session, owner.id, subject=subject, most=most)]


def _shown(row: AuditEntry) -> Document:
    names = ("number", "at", "actor", "act", "subject", "details", "hash")
    return {name: getattr(row, name) for name in names}


def broken(session: Session, brand: str | None) -> list[Document]:
    """Where the brand's chain of acts does not hold."""
    owner = brand_named(session, brand)
    return [{"number": one.number, "what": one.what} for one in audit.verify_chain(session, owner.id)]
