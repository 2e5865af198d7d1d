"""One person's accounts over platforms, linked by a two-step code kept in the database; reversible.

Step one: on one platform a member asks for a code. Step two: on the other platform they type it. The younger of the
two members is absorbed into the older one (`referral.merging`); what went over is kept, so that it can go back.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index, delete, select, update
from sqlmodel import Field, Session, col

from core import clock, events, ids
from core.db import Json, Row, TenantRow, UtcDateTime, insert, table
from core.errors import BadInput, NotFound, Refused
from referral import merging, stays
from referral.members import Member, keyed_hash
from referral.referrals import lock_graph

DIGITS = 8
LINK_MINUTES = 10
"""How long a code works."""
VALID = timedelta(minutes=LINK_MINUTES)
WRONG_TRIES = 5
"""Wrong codes a member may type within `TRIES_WITHIN`; a code has 10^8 values and few are open at a time."""
TRIES_WITHIN = timedelta(minutes=10)
_NOISE = re.compile(r"[\s\-_.·—–,，。]+")


class LinkCode(Row, table=True):
    """A short-lived code that a member shows on their other platform. Only its keyed hash is kept."""

    __tablename__ = "link_code"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),)

    brand_id: UUID = Field(primary_key=True)
    digest: str = Field(primary_key=True)
    member_id: UUID
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LinkAttempts(Row, table=True):
    """How many wrong codes a member typed since when; a new count begins when `TRIES_WITHIN` is over."""

    __tablename__ = "link_attempts"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),)

    brand_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    wrong: int
    since: datetime = Field(sa_type=UtcDateTime)


class MemberLink(TenantRow, table=True):
    """Two members became one: `absorbed_id` is now `kept_id`. `moved` lists the rows that went over, to undo it."""

    __tablename__ = "member_link"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "kept_id"], ["member.brand_id", "member.id"]),
        ForeignKeyConstraint(["brand_id", "absorbed_id"], ["member.brand_id", "member.id"]),
        Index("ix_member_link_kept", "brand_id", "kept_id"),
        Index("ix_member_link_absorbed", "brand_id", "absorbed_id"),
    )

    kept_id: UUID
    absorbed_id: UUID
    moved: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    linked_at: datetime = Field(sa_type=UtcDateTime)
    undone_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class MembersLinked:
    """Two members are one from now on; told before the referrals that fell by it are reversed."""

    brand_id: UUID
    link_id: UUID
    kept_id: UUID
    absorbed_id: UUID


@dataclass(frozen=True, slots=True)
class LinkUndone:
    """Two members are two again. `restored`: referrals that the link had reversed and that count again."""

    brand_id: UUID
    link_id: UUID
    kept_id: UUID
    absorbed_id: UUID
    restored: tuple[UUID, ...]


def start_link(session: Session, brand_id: UUID, member_id: UUID) -> str:
    """A code of eight digits that works for ten minutes; an earlier one of the member stops working."""
    now = clock.now()
    mine = (col(LinkCode.brand_id) == brand_id) & (col(LinkCode.member_id) == member_id)
    session.execute(delete(LinkCode).where(mine))
    session.execute(delete(LinkCode).where(col(LinkCode.brand_id) == brand_id, col(LinkCode.expires_at) < now - VALID))
    while True:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        digest = _digest(code)
        if session.get(LinkCode, (brand_id, digest)) is None:
            session.add(LinkCode(brand_id=brand_id, digest=digest, member_id=member_id, expires_at=now + VALID))
            session.flush()
            return code


def finish_link(session: Session, brand_id: UUID, member_id: UUID, code: str) -> MemberLink | Refused:
    """Link the member who types `code` with the member it was given to.

    Raises `BadInput("link_code_unreadable")` for what is no code. A refusal (`link_code_wrong`, `link_code_expired`,
    `link_self`, `link_too_many` with `minutes`) is returned rather than raised: the unit of work must commit,
    or the wrong try would not be counted.
    """
    digits = _NOISE.sub("", unicodedata.normalize("NFKC", code[:100]))
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits):
        raise BadInput("link_code_unreadable")
    now = clock.now()
    lock_graph(session, brand_id)
    wait = _wait(session, brand_id, member_id, now)
    if wait:
        return Refused("link_too_many", minutes=-(-wait // timedelta(minutes=1)))
    found = session.get(LinkCode, (brand_id, _digest(digits)), populate_existing=True)
    if found is None or found.used_at is not None:
        _count_wrong(session, brand_id, member_id, now)
        return Refused("link_code_wrong", left=WRONG_TRIES - _wrong(session, brand_id, member_id))
    if found.expires_at <= now:
        return Refused("link_code_expired")
    if found.member_id == member_id:
        return Refused("link_self")
    found.used_at = now
    session.add(found)
    session.flush()
    return link(session, brand_id, found.member_id, member_id)


def link(session: Session, brand_id: UUID, one: UUID, other: UUID) -> MemberLink:
    """Make two members one, the older one. `finish_link` without the proof by a code."""
    members = [_member(session, brand_id, member_id) for member_id in (one, other)]
    kept, absorbed = sorted(members, key=lambda member: (member.created_at, member.id))
    merged = merging.merge(session, brand_id, kept.id, absorbed.id)
    made = MemberLink(
        brand_id=brand_id,
        id=ids.new(),
        kept_id=kept.id,
        absorbed_id=absorbed.id,
        moved=merged.moved,
        linked_at=clock.now(),
    )
    session.add(made)
    session.execute(
        delete(LinkCode).where(
            col(LinkCode.brand_id) == brand_id,
            col(LinkCode.member_id).in_((kept.id, absorbed.id)),
            col(LinkCode.used_at).is_(None),
        )
    )
    session.flush()
    events.emit(session, [MembersLinked(brand_id, made.id, kept.id, absorbed.id)])
    events.emit(session, merged.reversed)
    return made


def last_link(session: Session, brand_id: UUID, member_id: UUID) -> MemberLink | None:
    """The latest link of a member that still stands."""
    return session.scalar(
        select(MemberLink)
        .where(
            col(MemberLink.brand_id) == brand_id,
            col(MemberLink.kept_id) == member_id,
            col(MemberLink.undone_at).is_(None),
        )
        .order_by(col(MemberLink.linked_at).desc(), col(MemberLink.id).desc())
        .limit(1)
    )


def standing_links(session: Session, brand_id: UUID, member_id: UUID) -> list[MemberLink]:
    """The links by which others were absorbed into this member, over any number of steps."""
    found: list[MemberLink] = []
    level: Iterable[UUID] = [member_id]
    while level:
        rows = session.scalars(
            select(MemberLink).where(
                col(MemberLink.brand_id) == brand_id,
                col(MemberLink.kept_id).in_(list(level)),
                col(MemberLink.undone_at).is_(None),
            )
        ).all()
        found.extend(rows)
        level = [row.absorbed_id for row in rows]
    return found


def person_of(session: Session, brand_id: UUID, member_id: UUID) -> UUID:
    """Who this member is by now: whoever they were absorbed into, over any number of steps, or themselves."""
    into = select(col(MemberLink.kept_id)).where(col(MemberLink.brand_id) == brand_id)
    into = into.where(col(MemberLink.undone_at).is_(None))
    while (kept := session.scalar(into.where(col(MemberLink.absorbed_id) == member_id))) is not None:
        member_id = kept
    return member_id


def undo_link(session: Session, brand_id: UUID, which: UUID) -> MemberLink:
    """Make two of one again, each with what was theirs before; what came since stays with the kept member.

    `which` is a link, or a member whose latest link is meant.
    Raises `NotFound("link")`, also when either was erased since, `Refused("link_undone")` for a repeat, and
    `Refused("link_not_last")` while a later link of the same person stands: that one goes first.
    """
    lock_graph(session, brand_id)
    found = session.get(MemberLink, (brand_id, which), populate_existing=True) or last_link(session, brand_id, which)
    if found is None or _member(session, brand_id, found.kept_id).erased_at is not None:
        raise NotFound("link")
    if found.undone_at is not None:
        raise Refused("link_undone")
    later = session.scalar(
        select(col(MemberLink.id)).where(
            col(MemberLink.brand_id) == brand_id,
            (col(MemberLink.kept_id) == found.kept_id) | (col(MemberLink.absorbed_id) == found.kept_id),
            col(MemberLink.undone_at).is_(None),
            col(MemberLink.id) != found.id,
            col(MemberLink.linked_at) >= found.linked_at,
        )
    )
    if later is not None:
        raise Refused("link_not_last")
    restored = merging.part(session, brand_id, found.kept_id, found.absorbed_id, found.moved)
    found.undone_at = clock.now()
    session.add(found)
    session.flush()
    counting = tuple(referral.id for referral in restored)
    events.emit(session, [LinkUndone(brand_id, found.id, found.kept_id, found.absorbed_id, counting)])
    friends = {found.kept_id, found.absorbed_id, *(referral.friend_id for referral in restored)}
    stays.start_stays(session, brand_id, dict.fromkeys(friends, found.undone_at))
    stays.end_stays(session, brand_id, friends, found.undone_at)
    return found


def _member(session: Session, brand_id: UUID, member_id: UUID) -> Member:
    member = session.get(Member, (brand_id, member_id))
    assert member is not None
    return member


def _digest(code: str) -> str:
    return keyed_hash("link-code", code)


def _wait(session: Session, brand_id: UUID, member_id: UUID, now: datetime) -> timedelta | None:
    """How long a member who typed too many wrong codes has to wait."""
    row = session.get(LinkAttempts, (brand_id, member_id), populate_existing=True)
    if row is None or row.wrong < WRONG_TRIES or now >= row.since + TRIES_WITHIN:
        return None
    return row.since + TRIES_WITHIN - now


def _wrong(session: Session, brand_id: UUID, member_id: UUID) -> int:
    row = session.get(LinkAttempts, (brand_id, member_id), populate_existing=True)
    return row.wrong if row else 0


def _count_wrong(session: Session, brand_id: UUID, member_id: UUID, now: datetime) -> None:
    target = table(LinkAttempts)
    session.execute(
        update(target)
        .where(target.c.brand_id == brand_id, target.c.member_id == member_id, target.c.since <= now - TRIES_WITHIN)
        .values(wrong=0, since=now)
    )
    statement = insert(session, target).values(brand_id=brand_id, member_id=member_id, wrong=1, since=now)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["brand_id", "member_id"], set_={"wrong": target.c.wrong + statement.excluded.wrong}
        )
    )
