"""Reads what was recorded about an order or a friend: a fixed number of statements, each by an index, and bounded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlmodel import Session, col

from core.db import among, table
from core.errors import NotFound
from referral.attribution.decisions import Attribution
from referral.audit import AuditEntry
from referral.brands import Community
from referral.campaigns import Campaign, CampaignVersion, Enrollment, InviteCode
from referral.cases import Case
from referral.conversions import Conversion, Refund
from referral.journeys.steps import Person
from referral.linking import MemberLink
from referral.members import Member, Membership, Sighting, fingerprint, identities_of
from referral.referrals import Referral
from referral.touches import Touch

TOUCHES = 60
"""Touches of one person told in a journey, the latest."""
ROWS = 60
"""Of everything else."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a code is, and in which campaign."""

    advocate_id: UUID
    campaign_id: UUID


@dataclass(frozen=True, slots=True)
class Seen:
    """When the brand first saw an account, and how."""

    platform: str
    at: datetime
    via: str
    fingerprint: str


@dataclass(slots=True)
class Known:
    """All rows a journey is told from. `owners`: of the codes that stand on touches and on the order. `credited`: the
    touches that the decisions about an order saw, by identifier."""

    brand_id: UUID
    order: Conversion | None
    referral: Referral | None
    friend_id: UUID | None
    advocate_id: UUID | None
    referrals: Sequence[Referral] = ()
    orders: Sequence[Conversion] = ()
    touches: Sequence[Touch] = ()
    clicks: dict[UUID, Touch] = field(default_factory=dict)
    seen: Sequence[Seen] = ()
    stays: Sequence[Membership] = ()
    decisions: Sequence[Attribution] = ()
    credited: dict[UUID, Touch] = field(default_factory=dict)
    refunds: Sequence[Refund] = ()
    cases: Sequence[Case] = ()
    acts: Sequence[AuditEntry] = ()
    links: Sequence[MemberLink] = ()
    campaigns: dict[UUID, Campaign] = field(default_factory=dict)
    versions: dict[UUID, list[tuple[int, datetime]]] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    communities: dict[UUID, Community] = field(default_factory=dict)
    more: bool = False

    @property
    def campaign(self) -> Campaign | None:
        """The campaign the order or the friend hangs on."""
        wanted = self.referral.campaign_id if self.referral else (self.order.campaign_id if self.order else None)
        return self.campaigns.get(wanted) if wanted else None

    def version_at(self, campaign_id: UUID, at: datetime) -> int | None:
        """The version of a campaign's terms that was in force."""
        found = [number for number, since in self.versions.get(campaign_id, []) if since <= at]
        return max(found, default=None)


def read_order(session: Session, brand_id: UUID, conversion_id: UUID) -> Known:
    """What is known of an order and its buyer. Raises `NotFound("order")`, also for another brand's."""
    order = session.get(Conversion, (brand_id, conversion_id))
    if order is None:
        raise NotFound("order", order=str(conversion_id), source="")
    referral = session.get(Referral, (brand_id, order.referral_id)) if order.referral_id else None
    known = Known(brand_id, order, referral, order.member_id, referral.advocate_id if referral else None)
    known.orders = [order]
    return _fill(session, known)


def read_friend(session: Session, brand_id: UUID, referral_id: UUID) -> Known:
    """What is known of a friend in a campaign. Raises `NotFound("referral")`, also for another brand's."""
    referral = session.get(Referral, (brand_id, referral_id))
    if referral is None:
        raise NotFound("referral")
    known = Known(brand_id, None, referral, referral.friend_id, referral.advocate_id)
    known.orders = _all(
        session,
        select(Conversion)
        .where(col(Conversion.brand_id) == brand_id, col(Conversion.referral_id) == referral_id)
        .order_by(col(Conversion.ordered_at).desc(), col(Conversion.id).desc()),
        known,
        ROWS,
    )
    return _fill(session, known)


def read_person(session: Session, brand_id: UUID, member_id: UUID) -> Known:
    """What is known of a member in every campaign. Raises `NotFound("member")`, also for another brand's."""
    if session.get(Member, (brand_id, member_id)) is None:
        raise NotFound("member")
    known = Known(brand_id, None, None, member_id, None)
    bought = select(Conversion).where(col(Conversion.brand_id) == brand_id, col(Conversion.member_id) == member_id)
    latest = bought.order_by(col(Conversion.ordered_at).desc(), col(Conversion.id).desc())
    known.orders = _all(session, latest, known, ROWS)
    return _fill(session, known)


def _all(session: Session, query: Select[Any], known: Known, most: int) -> Sequence[Any]:
    """The first rows of a query; notes where there are more."""
    rows = session.scalars(query.limit(most + 1)).all()
    known.more = known.more or len(rows) > most
    return rows[:most]


def _fill(session: Session, known: Known) -> Known:
    brand_id = known.brand_id
    if known.friend_id is not None:
        _of_friend(session, known, known.friend_id)
    known.refunds = _refunds(session, brand_id, [order.id for order in known.orders])
    if known.order is not None:
        _of_credit(session, known, known.order)
    _of_codes(session, known)
    _of_campaigns(session, known)
    known.cases = _cases(session, known)
    known.acts = _acts(session, known)
    places = {touch.community_id for touch in known.touches} | {stay.community_id for stay in known.stays}
    wanted = [place for place in places if place is not None]
    if wanted:
        rows = session.scalars(
            select(Community).where(col(Community.brand_id) == brand_id, among(session, _id(Community), wanted))
        )
        known.communities = {row.id: row for row in rows}
    return known


def _id(model: Any) -> Any:
    return table(model).c.id


def _of_friend(session: Session, known: Known, friend_id: UUID) -> None:
    brand_id = known.brand_id
    known.referrals = session.scalars(
        select(Referral).where(col(Referral.brand_id) == brand_id, col(Referral.friend_id) == friend_id)
    ).all()
    touches = select(Touch).where(col(Touch.brand_id) == brand_id, col(Touch.member_id) == friend_id)
    if known.referral is not None and known.order is None:
        touches = touches.where(col(Touch.campaign_id) == known.referral.campaign_id)
    latest = touches.order_by(col(Touch.touched_at).desc(), col(Touch.id).desc())
    known.touches = _all(session, latest, known, TOUCHES)
    clicks = [UUID(touch.facts["click"]) for touch in known.touches if touch.facts and "click" in touch.facts]
    if clicks:
        found = session.scalars(
            select(Touch).where(col(Touch.brand_id) == brand_id, among(session, _id(Touch), clicks))
        )
        known.clicks = {touch.id: touch for touch in found}
    known.seen = _seen(session, brand_id, friend_id)
    known.stays = session.scalars(
        select(Membership).where(col(Membership.brand_id) == brand_id, col(Membership.member_id) == friend_id)
    ).all()[:ROWS]
    people = [one for one in (friend_id, known.advocate_id) if one is not None]
    known.links = session.scalars(
        select(MemberLink)
        .where(col(MemberLink.brand_id) == brand_id, col(MemberLink.kept_id).in_(people))
        .order_by(col(MemberLink.linked_at))
        .limit(ROWS)
    ).all()


def _seen(session: Session, brand_id: UUID, friend_id: UUID) -> list[Seen]:
    accounts = {fingerprint(row.platform, row.account): row for row in identities_of(session, brand_id, [friend_id])}
    if not accounts:
        return []
    rows = session.scalars(
        select(Sighting).where(
            col(Sighting.brand_id) == brand_id, among(session, table(Sighting).c.fingerprint, list(accounts))
        )
    )
    return [Seen(accounts[row.fingerprint].platform, row.seen_at, row.via, row.fingerprint) for row in rows]


def _refunds(session: Session, brand_id: UUID, orders: Sequence[UUID]) -> Sequence[Refund]:
    if not orders:
        return []
    found = select(Refund).where(
        col(Refund.brand_id) == brand_id, among(session, table(Refund).c.conversion_id, orders)
    )
    return session.scalars(found.order_by(col(Refund.refunded_at)).limit(ROWS)).all()


def _of_credit(session: Session, known: Known, order: Conversion) -> None:
    """The decisions about whose credit the order is, and the touches they saw."""
    d = table(Attribution).c
    known.decisions = session.scalars(
        select(Attribution)
        .where(d.brand_id == known.brand_id, d.conversion_id == order.id)
        .order_by(d.revision)
        .limit(ROWS)
    ).all()
    seen = list(dict.fromkeys(touch for one in known.decisions for touch in one.touches))[-TOUCHES:]
    if seen:
        found = select(Touch).where(
            col(Touch.brand_id) == known.brand_id, among(session, _id(Touch), [UUID(touch) for touch in seen])
        )
        known.credited = {touch.id: touch for touch in session.scalars(found)}


def _of_codes(session: Session, known: Known) -> None:
    """Whose the codes are that stand on the touches; and the campaigns these belong to."""
    codes: set[str | None] = {
        touch.code for touch in (*known.touches, *known.clicks.values(), *known.credited.values())
    }
    codes |= {order.code for order in known.orders}
    named = [code for code in codes if code]
    if not named:
        return
    rows = session.execute(
        select(col(InviteCode.code), col(Enrollment.member_id), col(Enrollment.campaign_id))
        .join(
            Enrollment,
            (col(Enrollment.brand_id) == col(InviteCode.brand_id))
            & (col(Enrollment.id) == col(InviteCode.enrollment_id)),
        )
        .where(col(InviteCode.brand_id) == known.brand_id, among(session, table(InviteCode).c.code, named))
    )
    known.owners = {code: Owner(member_id, campaign_id) for code, member_id, campaign_id in rows}


def _of_campaigns(session: Session, known: Known) -> None:
    wanted = {owner.campaign_id for owner in known.owners.values()}
    wanted |= {referral.campaign_id for referral in known.referrals}
    wanted |= {order.campaign_id for order in known.orders if order.campaign_id}
    if not wanted:
        return
    brand_id = known.brand_id
    rows = session.scalars(
        select(Campaign).where(col(Campaign.brand_id) == brand_id, among(session, _id(Campaign), list(wanted)))
    )
    known.campaigns = {row.id: row for row in rows}
    versions = session.execute(
        select(col(CampaignVersion.campaign_id), col(CampaignVersion.version), col(CampaignVersion.created_at)).where(
            col(CampaignVersion.brand_id) == brand_id,
            among(session, table(CampaignVersion).c.campaign_id, list(wanted)),
        )
    )
    for campaign_id, number, since in versions:
        known.versions.setdefault(campaign_id, []).append((number, since))


def _cases(session: Session, known: Known) -> Sequence[Case]:
    """What a person was asked about these referrals, or about who brought this friend."""
    c = table(Case).c
    referrals = [one.id for one in known.referrals]
    about = [among(session, c.referral_id, referrals)] if referrals else []
    campaigns = _campaign_ids(session, known) if known.seen else ()
    keys = [f"{seen.fingerprint}/{campaign_id}" for seen in known.seen for campaign_id in campaigns]
    if keys:
        about.append((c.kind == "attribution") & among(session, c.key, keys))
    if not about:
        return []
    mine = select(Case).where(c.brand_id == known.brand_id, or_(*about))
    return session.scalars(mine.order_by(c.opened_at, c.id).limit(ROWS)).all()


def _campaign_ids(session: Session, known: Known) -> Sequence[UUID]:
    """Of every campaign of the brand: a doubt about who brought somebody may be of one they have no touch in."""
    c = table(Campaign).c
    return session.scalars(select(c.id).where(c.brand_id == known.brand_id).order_by(c.id.desc()).limit(ROWS)).all()


def _acts(session: Session, known: Known) -> Sequence[AuditEntry]:
    """What staff did to these, but for decisions of cases, which the cases themselves tell."""
    subjects = {str(order.id) for order in known.orders}
    subjects |= {f"{order.source}/{order.external_id}" for order in known.orders}
    subjects |= {str(known.referral.id)} if known.referral else set()
    return session.scalars(
        select(AuditEntry)
        .where(
            col(AuditEntry.brand_id) == known.brand_id,
            among(session, table(AuditEntry).c.subject, subjects),
            col(AuditEntry.act) != "case.decide",
        )
        .order_by(col(AuditEntry.number))
        .limit(ROWS)
    ).all()


def people_of(session: Session, brand_id: UUID, members: Collection[UUID]) -> dict[UUID, Person]:
    """These members as a page may name them."""
    if not members:
        return {}
    rows = session.execute(
        select(col(Member.id), col(Member.name), col(Member.erased_at)).where(
            col(Member.brand_id) == brand_id, among(session, _id(Member), members)
        )
    )
    return {member_id: Person(member_id, name, erased_at is not None) for member_id, name, erased_at in rows}
