"""Whether a person's purchases may be joined to them over devices: by the shop's hash of their e-mail or phone.

Without their word an order is theirs only if it says so itself: by their account, their code, their link. With it, an
order that names both them and the shop's customer joins the two, and later orders of that customer are theirs. Taken
back, the join is undone: later orders of the customer are a stranger's; what was decided before stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, delete, func, select
from sqlmodel import Field, Session, col

from core import clock
from core.db import Row, UtcDateTime, among_keys, insert_missing, table
from referral.conversions import SHOP, lock_orders
from referral.members import Identity

BY_PERSON = "person"
"""Who gave the word: the person in the chat; else `shop:<source>`, at whose till it was given."""


class DeviceConsent(Row, table=True):
    """A member's word. `ended_at`: taken back, and no shop can give it again: only the person themselves."""

    __tablename__ = "device_consent"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),)

    brand_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    given_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    given_by: str | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def agree(session: Session, brand_id: UUID, member_id: UUID) -> None:
    """The person gives their word, or gives it again."""
    row = session.get(DeviceConsent, (brand_id, member_id), populate_existing=True)
    if row is not None and row.given_at is not None and row.ended_at is None:
        return
    row = row or DeviceConsent(brand_id=brand_id, member_id=member_id)
    row.given_at, row.given_by, row.ended_at = clock.now(), BY_PERSON, None
    session.add(row)
    session.flush()


def withdraw(session: Session, brand_id: UUID, member_id: UUID) -> int:
    """The person takes their word back, also for the future; how many of a shop's customers were joined to them.

    A member whom only a shop knows stays that shop's customer: there is nothing to take apart.
    """
    lock_orders(session, [brand_id])  # an order on its way has seen the word as it was, and may join by it
    row = session.get(DeviceConsent, (brand_id, member_id), populate_existing=True)
    row = row or DeviceConsent(brand_id=brand_id, member_id=member_id)
    row.ended_at = row.ended_at or clock.now()
    session.add(row)
    mine = (col(Identity.brand_id) == brand_id) & (col(Identity.member_id) == member_id)
    elsewhere = session.scalar(select(func.count()).select_from(Identity).where(mine, col(Identity.platform) != SHOP))
    parted = 0
    if elsewhere:
        gone = delete(table(Identity)).where(mine, col(Identity.platform) == SHOP).returning(col(Identity.account))
        parted = len(session.execute(gone).all())
    session.flush()
    return parted


def join_words(session: Session, brand_id: UUID, kept: UUID, absorbed: UUID) -> dict[str, str | None] | None:
    """Two members are one: what either said last is what the person says. The kept one's word before it, `{}` for none;
    None where it stands as it was."""
    mine = session.get(DeviceConsent, (brand_id, kept), populate_existing=True)
    theirs = session.get(DeviceConsent, (brand_id, absorbed), populate_existing=True)
    if theirs is None or (mine is not None and _said_at(mine) >= _said_at(theirs)):
        return None
    before = export_consent(session, brand_id, kept) or {}
    mine = mine or DeviceConsent(brand_id=brand_id, member_id=kept)
    mine.given_at, mine.given_by, mine.ended_at = theirs.given_at, theirs.given_by, theirs.ended_at
    session.add(mine)
    session.flush()
    return before


def part_words(
    session: Session, brand_id: UUID, kept: UUID, absorbed: UUID, before: dict[str, str | None] | None
) -> None:
    """The two are two again: the kept one says what they said before, unless they have spoken since."""
    mine = session.get(DeviceConsent, (brand_id, kept), populate_existing=True)
    theirs = session.get(DeviceConsent, (brand_id, absorbed), populate_existing=True)
    if before is None or mine is None or theirs is None or _said_at(mine) != _said_at(theirs):
        return
    if before:
        given_at, ended_at = before["given_at"], before["ended_at"]
        mine.given_at = clock.parse(given_at) if given_at else None
        mine.ended_at = clock.parse(ended_at) if ended_at else None
        mine.given_by = before["given_by"]
        session.add(mine)
    else:
        session.delete(mine)
    session.flush()


def _said_at(row: DeviceConsent) -> datetime:
    said = [at for at in (row.given_at, row.ended_at) if at is not None]
    return max(said)


def has_agreed(session: Session, brand_id: UUID, member_id: UUID) -> bool:
    """Whether this member's word stands."""
    return (brand_id, member_id) in agreed(session, {(brand_id, member_id)}, {})


def export_consent(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, str | None] | None:
    """A member's word, ready for JSON; None where they never said anything."""
    row = session.get(DeviceConsent, (brand_id, member_id))
    if row is None:
        return None
    moments = {"given_at": row.given_at, "ended_at": row.ended_at}
    return {name: at.isoformat() if at else None for name, at in moments.items()} | {"given_by": row.given_by}


def forget_consent(session: Session, brand_id: UUID, members: Collection[UUID]) -> None:
    """Whoever is forgotten has said nothing."""
    theirs = (col(DeviceConsent.brand_id) == brand_id) & col(DeviceConsent.member_id).in_(members)
    session.execute(delete(table(DeviceConsent)).where(theirs))


def agreed(
    session: Session, members: Collection[tuple[UUID, UUID]], at_tills: dict[tuple[UUID, UUID], str]
) -> set[tuple[UUID, UUID]]:
    """Which of these (brand, member) have given their word; `at_tills`: who gave it with an order, at which source.

    A word given at a till is kept, unless the person had taken theirs back.
    """
    if not members:
        return set()
    t = table(DeviceConsent)
    rows = session.execute(
        select(t.c.brand_id, t.c.member_id, t.c.ended_at).where(
            among_keys(session, (t.c.brand_id, t.c.member_id), members)
        )
    ).all()
    known = {(brand_id, member_id): ended_at is None for brand_id, member_id, ended_at in rows}
    fresh = [key for key in members if key in at_tills and key not in known]
    now = clock.now()
    insert_missing(
        session,
        t,
        [
            {"brand_id": key[0], "member_id": key[1], "given_at": now, "given_by": f"shop:{at_tills[key]}"}
            for key in sorted(fresh, key=str)
        ],
        ["brand_id", "member_id"],
    )
    return {key for key, stands in known.items() if stands} | set(fresh)
