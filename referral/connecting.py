"""How a group comes to a brand and leaves it again; and how a brand is begun from a group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from core import clock, events
from core.db import table, upsert
from referral import audit, members, staff
from referral.brands import (
    Brand,
    Community,
    WaitingGroup,
    connect,
    create_brand,
    disconnect,
    slugify,
)
from referral.members import Account, Identity


@dataclass(frozen=True, slots=True)
class CommunityConnected:
    """A group is the brand's now, for the first time or again."""

    brand_id: UUID
    community_id: UUID


@dataclass(frozen=True, slots=True)
class CommunityLeft:
    """A group is no longer the brand's: it was disconnected, or (`removed`) the bot was taken out of it."""

    brand_id: UUID
    community_id: UUID
    removed: bool
    at: datetime


def wait_for_connection(session: Session, platform: str, group_id: str, title: str, account: str | None) -> bool:
    """Note that the bot is in a group nobody has connected; whether that is news. `account`: who added it."""
    known = session.get(WaitingGroup, (platform, group_id))
    row = {
        "platform": platform,
        "group_id": group_id,
        "title": title or (known.title if known else ""),
        "account": account or (known.account if known else None),
        "placed_at": clock.now(),
    }
    upsert(session, table(WaitingGroup), [row], ["platform", "group_id"], ["title", "account", "placed_at"])
    return known is None


def waiting_groups(session: Session, platform: str, account: str) -> list[WaitingGroup]:
    """The groups this account added the bot to that wait to be connected, the latest first."""
    return list(
        session.scalars(
            select(WaitingGroup)
            .where(col(WaitingGroup.platform) == platform, col(WaitingGroup.account) == account)
            .order_by(col(WaitingGroup.placed_at).desc(), col(WaitingGroup.group_id))
        )
    )


def forget_waiting(session: Session, platform: str, group_id: str) -> None:
    """The group waits no more: it is connected, or the bot was taken out of it."""
    session.execute(
        delete(WaitingGroup).where(col(WaitingGroup.platform) == platform, col(WaitingGroup.group_id) == group_id)
    )


def connect_group(
    session: Session,
    brand_id: UUID,
    platform: str,
    group_id: str,
    title: str,
    actor: str,
    *,
    partner_admin: UUID | None = None,
    invite_url: str | None = None,
) -> Community:
    """Connect a group to a brand. `invite_url`: its own open invite. `partner_admin`: the group is a partner's, and
    this member gets the admin's share.

    Raises `Conflict("community_taken")` if another brand has it.
    """
    waiting = session.get(WaitingGroup, (platform, group_id))
    called = title or (waiting.title if waiting else "")
    community = connect(session, brand_id, platform, group_id, called, invite_url)
    if community.partner or partner_admin is not None:
        # A partner's share is the partner's: it ends when the group becomes the brand's own, or another partner's.
        community.admin_id = partner_admin
    community.partner = partner_admin is not None
    session.add(community)
    session.flush()
    forget_waiting(session, platform, group_id)
    audit.record(
        session,
        brand_id,
        actor,
        "community.connect",
        str(community.id),
        platform=platform,
        group=group_id,
        partner=community.partner,
    )
    events.emit(session, [CommunityConnected(brand_id, community.id)])
    return community


def disconnect_group(session: Session, community: Community, actor: str, *, removed: bool = False) -> None:
    """The group is no longer the brand's; what came of it stays counted. Once, however many try. `removed`: the bot
    was taken out of it."""
    if community.removed_at is not None:
        return
    disconnect(session, community.platform, community.group_id)
    session.flush()
    audit.record(
        session,
        community.brand_id,
        actor,
        "community.disconnect",
        str(community.id),
        platform=community.platform,
        group=community.group_id,
        removed=removed,
    )
    events.emit(session, [CommunityLeft(community.brand_id, community.id, removed, clock.now())])


def begin_brand(session: Session, name: str, person: Account) -> tuple[Brand, UUID]:
    """A brand of which this person is the owner; with their member. Raises `BadInput("brand_name")`."""
    slug: str | None = slugify(name)
    if session.scalar(select(col(Brand.id)).where(col(Brand.slug) == slug)) is not None:
        slug = slugify("")
    brand = create_brand(session, name, slug=slug, locale=person.locale)
    known = members.meet(session, brand.id, [person], [clock.now()], "message")[0]
    staff.give(session, brand.id, known.member_id, "owner", f"{person.platform}:{person.account}")
    return brand, known.member_id


def brands_run_by(session: Session, platform: str, account: str, act: str) -> list[Brand]:
    """The brands for which this account may do this by a role of theirs, the oldest brand first."""
    rows = session.execute(
        select(Brand, col(Identity.member_id))
        .join(Identity, col(Identity.brand_id) == col(Brand.id))
        .where(col(Identity.platform) == platform, col(Identity.account) == account)
        .order_by(col(Brand.created_at), col(Brand.id))
    ).all()
    return [brand for brand, member_id in rows if staff.may(staff.role_of(session, brand.id, member_id), act)]


def nobody_runs(session: Session, brand_id: UUID, platform: str) -> bool:
    """Whether nobody has a role for the brand, and it never had a group on this platform."""
    had = (
        select(func.count())
        .select_from(Community)
        .where(col(Community.brand_id) == brand_id, col(Community.platform) == platform, col(Community.open).is_(False))
    )
    return not session.scalar(had) and not staff.staff_of(session, brand_id)


def brand_count(session: Session) -> int:
    """How many brands the installation has."""
    return int(session.scalar(select(func.count()).select_from(Brand)) or 0)
