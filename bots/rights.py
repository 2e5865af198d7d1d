"""What the operator and the platforms themselves say of a person, asked afresh at every turn that needs it.

A role that the brand gave stands in the database (`referral.staff`); that a platform's own admin of a group runs the
brand's campaigns is the platform's to say, and it may have changed its mind since the last message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from bots.adapter import Adapter, ChecksAdmins, Diagnoses, SendError
from bots.message import Place
from core.db import table
from referral import staff
from referral.brands import Community
from referral.members import Account, Membership

log = structlog.get_logger()
ASKED = 8
"""Groups asked about, at most, when somebody writes to us in private; those they were seen in come first."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group to ask the platform about; `community_id` is None where nobody has connected it to this brand."""

    group_id: str
    community_id: UUID | None = None
    partner: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """`role`: what the operator or a platform makes of the person for the brand. `partner_of`: the partners' groups
    they are an admin of. `runs`: the platform's ids of the groups they are an admin of, connected or not. `untold`:
    those of which the platform does not tell."""

    role: str | None = None
    partner_of: frozenset[UUID] = frozenset()
    runs: frozenset[str] = frozenset()
    untold: frozenset[str] = frozenset()
    unsure: bool = False
    """The platform could not be asked just now; another time it may say more."""
    brand_id: UUID | None = None
    """The brand all this is about: what somebody is for one is nothing to another."""


def groups_to_ask(session: Session, brand_id: UUID | None, person: Account, place: Place) -> list[Group]:
    """The group this was said in; in private the brand's groups on this platform, those the person is in first."""
    c, m = table(Community), table(Membership)
    query = select(c.c.group_id, c.c.id, c.c.partner).where(
        c.c.brand_id == brand_id, c.c.platform == person.platform, c.c.removed_at.is_(None)
    )
    if place.group is not None:
        found = session.execute(query.where(c.c.group_id == place.group)).one_or_none()
        return [Group(*found)] if found is not None else [Group(place.group)]
    inside = m.c.joined_at.is_not(None) & m.c.left_at.is_(None)
    query = query.outerjoin(
        m, (m.c.brand_id == c.c.brand_id) & (m.c.community_id == c.c.id) & (m.c.account == person.account)
    )
    query = query.order_by(inside.is_not(True), col(Community.connected_at), col(Community.id)).limit(ASKED)
    return [Group(*row) for row in session.execute(query)]


async def standing_of(
    adapter: Adapter | None,
    operators: frozenset[str],
    person: Account,
    groups: Sequence[Group],
    brand_id: UUID | None = None,
) -> Standing:
    """What the operator and the platform say of the person now; what cannot be found out is a no."""
    role = "owner" if f"{person.platform}:{person.account}" in operators else None
    partner_of: set[UUID] = set()
    runs: set[str] = set()
    untold: set[str] = set()
    unsure = False
    for group in groups:
        try:
            found = await _runs(adapter, group.group_id, person.account)
        except SendError as error:
            log.warning("rights.not_known", platform=person.platform, group=group.group_id, reason=error.reason)
            found, unsure = None, unsure or not error.permanent
        if found is None:
            untold.add(group.group_id)
        if not found:
            continue
        runs.add(group.group_id)
        if group.community_id is not None and group.partner:
            partner_of.add(group.community_id)
        elif group.community_id is not None:
            role = staff.higher(role, "manager")
            break
    return Standing(role, frozenset(partner_of), frozenset(runs), frozenset(untold), unsure, brand_id)


async def _runs(adapter: Adapter | None, group: str, account: str) -> bool | None:
    """Whether the platform calls this account an admin of the group; None where it never tells. Raises `SendError`."""
    if not isinstance(adapter, ChecksAdmins):
        return None
    return await adapter.is_admin(group, account)


async def lacking(adapter: Adapter | None, group: str) -> tuple[str, ...]:
    """The rights the bot lacks in a group, as far as the platform tells."""
    if not isinstance(adapter, Diagnoses):
        return ()
    try:
        return tuple(await adapter.diagnose(group))
    except SendError as error:
        log.warning("rights.not_known", platform=adapter.platform, group=group, reason=error.reason)
        return ()
