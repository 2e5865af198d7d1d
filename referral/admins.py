"""Who runs a community, for campaigns that give its admin a share. Named by the operator, never guessed."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import among_keys, table
from core.errors import NotFound
from referral.brands import Community
from referral.campaigns import Campaign
from referral.linking import MemberLink
from referral.members import Member, Membership, find_identity
from referral.referrals import Referral
from referral.touches import Touch


def name_admin(session: Session, community: Community, platform: str, account: str) -> UUID:
    """Make the member who has this account the community's admin. Raises `NotFound("member")`."""
    identity = find_identity(session, community.brand_id, platform, account)
    if identity is None:
        raise NotFound("member", account=f"{platform}:{account}"[:60])
    community.admin_id = identity.member_id
    session.add(community)
    session.flush()
    return identity.member_id


def entered(session: Session, referrals: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], UUID]:
    """The community through which the friend of each (brand, referral) came: that of the touch, else the one of the
    campaign's communities in which they have been longest. Who is in none is missing."""
    if not referrals:
        return {}
    referral, campaign, touch, stay = table(Referral), table(Campaign), table(Touch), table(Membership)
    key = among_keys(session, (referral.c.brand_id, referral.c.id), referrals)
    touched = session.execute(
        select(referral.c.brand_id, referral.c.id, touch.c.community_id)
        .join(touch, (touch.c.brand_id == referral.c.brand_id) & (touch.c.id == referral.c.touch_id))
        .where(key, touch.c.community_id.is_not(None))
    )
    found = {(brand_id, referral_id): community_id for brand_id, referral_id, community_id in touched}
    stays = session.execute(
        select(referral.c.brand_id, referral.c.id, campaign.c.communities, stay.c.community_id)
        .join(campaign, (campaign.c.brand_id == referral.c.brand_id) & (campaign.c.id == referral.c.campaign_id))
        .join(stay, (stay.c.brand_id == referral.c.brand_id) & (stay.c.member_id == referral.c.friend_id))
        .where(key, stay.c.left_at.is_(None))
        .order_by(stay.c.joined_at, stay.c.community_id)
    )
    for brand_id, referral_id, wanted, community_id in stays:
        if not wanted or str(community_id) in wanted:
            found.setdefault((brand_id, referral_id), community_id)
    return found


def admins_of(session: Session, communities: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], UUID]:
    """The admin of each of these (brand, community) that has one who is still a member, as the one person they are
    now: accounts may have been linked since."""
    if not communities:
        return {}
    place = table(Community)
    rows = session.execute(
        select(place.c.brand_id, place.c.id, place.c.admin_id).where(
            among_keys(session, (place.c.brand_id, place.c.id), communities), place.c.admin_id.is_not(None)
        )
    ).all()
    found = {(brand_id, community_id): (brand_id, admin_id) for brand_id, community_id, admin_id in rows}
    whole = _whole(session, set(found.values()))
    gone = _erased(session, set(whole.values()))
    return {key: whole[admin][1] for key, admin in found.items() if whole[admin] not in gone}


def _whole(session: Session, members: set[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], tuple[UUID, UUID]]:
    """Whom each of these members was linked into, over any number of links."""
    link = table(MemberLink)
    now = {member: member for member in members}
    asked = set(members)
    while asked:
        rows = session.execute(
            select(link.c.brand_id, link.c.absorbed_id, link.c.kept_id).where(
                among_keys(session, (link.c.brand_id, link.c.absorbed_id), asked), link.c.undone_at.is_(None)
            )
        )
        into = {(brand_id, absorbed): (brand_id, kept) for brand_id, absorbed, kept in rows}
        now = {member: into.get(present, present) for member, present in now.items()}
        asked = set(into.values())
    return now


def _erased(session: Session, members: set[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    person = table(Member)
    if not members:
        return set()
    rows = session.execute(
        select(person.c.brand_id, person.c.id).where(
            among_keys(session, (person.c.brand_id, person.c.id), members), person.c.erased_at.is_not(None)
        )
    )
    return {(brand_id, member_id) for brand_id, member_id in rows}
