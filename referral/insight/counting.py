"""The figures of one day, each by one statement over the day's records.

Every figure is of people, not of what they did twice; programs that fetch links are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    String,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    distinct,
    exists,
    func,
    or_,
    select,
)
from sqlmodel import Session

from core.db import UtcDateTime, table
from referral.campaigns import Enrollment
from referral.conversions import Conversion
from referral.insight.models import NOBODY
from referral.linking import MemberLink
from referral.members import Membership
from referral.referrals import Referral
from referral.touches import Touch

SECOND_ACCOUNT = "linked_duplicate"
"""Why a referral fell whose friend turned out to be somebody who had come already (`referral.merging`)."""
Counted = tuple[UUID, str, str, int]
"""(campaign or `NOBODY`, what, part, amount)"""


@dataclass(frozen=True, slots=True)
class Span:
    """A day of a brand: `begins <= moment < ends`, its records between two identifiers."""

    brand_id: UUID
    begins: datetime
    ends: datetime
    first_id: UUID
    last_id: UUID

    @property
    def values(self) -> dict[str, Any]:
        """What the parameters of `within` stand for on this day."""
        return {
            "brand": self.brand_id,
            "begins": self.begins,
            "ends": self.ends,
            "first": self.first_id,
            "last": self.last_id,
        }


BRAND = bindparam("brand", type_=Uuid())


def within(of: Table, moment: Column[Any]) -> ColumnElement[bool]:
    """Whether a record of a table is of the day whose `Span.values` are given. Statements are put together once."""
    return and_(
        of.c.brand_id == BRAND,
        of.c.id >= bindparam("first", type_=Uuid()),
        of.c.id <= bindparam("last", type_=Uuid()),
        moment >= bindparam("begins", type_=UtcDateTime()),
        moment < bindparam("ends", type_=UtcDateTime()),
    )


@dataclass(frozen=True, slots=True)
class Source:
    """Records that figures are counted from. `open_days`: for how long what became of one may still change.

    `kept_days`: after so many days a part of the record is forgotten on purpose, and what was counted stands.
    """

    name: str
    of: Table
    moment: str
    count: Callable[[Session, Span], Iterator[Counted]]
    open_days: int = 2
    kept_days: int | None = None


@cache
def _visitors() -> Select[Any]:
    t = table(Touch)
    stranger = case(
        (t.c.member_id.is_(None), func.coalesce(t.c.address_hash, func.coalesce(t.c.device, "-"))), else_=None
    )
    by_code = (
        select(
            t.c.campaign_id,
            func.count(distinct(stranger)).label("strangers"),
            func.count(distinct(t.c.member_id)).label("members"),
        )
        .where(within(t, t.c.touched_at), t.c.campaign_id.is_not(None), ~t.c.robot)
        .group_by(t.c.campaign_id, t.c.code)
        .subquery()
    )
    larger = case((by_code.c.strangers > by_code.c.members, by_code.c.strangers), else_=by_code.c.members)
    return select(by_code.c.campaign_id, func.sum(larger)).group_by(by_code.c.campaign_id)


def visitors(session: Session, day: Span) -> Iterator[Counted]:
    """Who opened an invitation or came by one.

    People are told apart by their account, and before we know one by the keyed hash of their address. Whoever comes
    with a code has most often opened its link first, so that of the visitors and the members of one code the larger
    number is taken, not the sum: there were at least so many.
    """
    for campaign_id, people in session.execute(_visitors(), day.values):
        yield campaign_id, "visitors", "", int(people)


@cache
def _advocates() -> Select[Any]:
    t, link = table(Enrollment), table(MemberLink)
    second = select(link.c.absorbed_id).where(link.c.brand_id == BRAND, link.c.undone_at.is_(None))
    whole = within(t, t.c.enrolled_at) & t.c.member_id.not_in(second)
    return select(t.c.campaign_id, func.count()).where(whole).group_by(t.c.campaign_id)


def advocates(session: Session, day: Span) -> Iterator[Counted]:
    """Who began to take part, without the second accounts of those who did already."""
    for campaign_id, people in session.execute(_advocates(), day.values):
        yield campaign_id, "advocates", "", people


@cache
def _friends() -> Select[Any]:
    r, t, m, c = table(Referral), table(Touch), table(Membership), table(Conversion)
    first_stay = (
        select(m.c.community_id)
        .where(m.c.brand_id == BRAND, m.c.member_id == r.c.friend_id)
        .order_by(m.c.joined_at, m.c.community_id)
        .limit(1)
        .correlate(r)
        .scalar_subquery()
    )
    bought = exists().where(c.c.brand_id == BRAND, c.c.referral_id == r.c.id, c.c.status == "attributed", _stands(c))
    community = func.coalesce(cast(func.coalesce(t.c.community_id, first_stay), String), "")
    counts = r.c.state == "qualified"
    each = (
        select(
            r.c.campaign_id,
            (r.c.platform + "/" + community).label("part"),
            case((or_(r.c.joined_at.is_not(None), counts), 1), else_=0).label("joined"),
            case((counts, 1), else_=0).label("qualified"),
            case((bought, 1), else_=0).label("purchased"),
        )
        .select_from(r)
        .outerjoin(t, (t.c.brand_id == BRAND) & (t.c.id == r.c.touch_id))
        .where(within(r, r.c.started_at), r.c.state != "rejected", func.coalesce(r.c.reason, "") != SECOND_ACCOUNT)
        .subquery()
    )
    steps = (func.count(), func.sum(each.c.joined), func.sum(each.c.qualified), func.sum(each.c.purchased))
    return select(each.c.campaign_id, each.c.part, *steps).group_by(each.c.campaign_id, each.c.part)


def friends(session: Session, day: Span) -> Iterator[Counted]:
    """Of the friends who came on this day, how far each has got until now, by platform and community.

    The community is the one they came through, else the first they were in. Who was refused is none of them, nor is
    the second account of somebody who came already.
    """
    for campaign_id, part, *people in session.execute(_friends(), day.values):
        for what, number in zip(("came", "joined", "qualified", "purchased"), people, strict=True):
            yield campaign_id, what, part, int(number)


@cache
def _orders() -> Select[Any]:
    c, r = table(Conversion), table(Referral)
    brought = or_(r.c.id.is_(None), r.c.state.not_in(("reversed", "rejected")))
    return (
        select(c.c.campaign_id, c.c.currency, func.count(), func.sum(c.c.net - c.c.refunded))
        .select_from(c)
        .outerjoin(r, (r.c.brand_id == BRAND) & (r.c.id == c.c.referral_id))
        .where(within(c, c.c.ordered_at), c.c.status == "attributed", _stands(c), brought)
        .group_by(c.c.campaign_id, c.c.currency)
    )


@cache
def _nameless() -> Select[Any]:
    c = table(Conversion)
    return select(func.count()).where(
        within(c, c.c.ordered_at), _stands(c), c.c.member_id.is_(None), c.c.customer_hash.is_(None)
    )


@cache
def _customers() -> Select[Any]:
    c, r = table(Conversion), table(Referral)
    b = c.alias("before")
    known = and_(c.c.member_id.is_not(None), b.c.member_id == c.c.member_id)
    hashed = and_(c.c.customer_hash.is_not(None), b.c.member_id.is_(None), b.c.customer_hash == c.c.customer_hash)
    earlier = or_(b.c.ordered_at < c.c.ordered_at, and_(b.c.ordered_at == c.c.ordered_at, b.c.id < c.c.id))
    ours = b.c.brand_id == BRAND
    brought = (r.c.brand_id == BRAND, r.c.state.in_(("started", "joined", "qualified", "expired")))
    of_order = select(r.c.campaign_id).where(*brought, r.c.id == c.c.referral_id).correlate(c).scalar_subquery()
    last = (
        select(r.c.campaign_id)
        .where(*brought, r.c.friend_id == c.c.member_id, r.c.started_at <= c.c.ordered_at)
        .order_by(r.c.started_at.desc())
        .limit(1)
        .correlate(c)
        .scalar_subquery()
    )
    first = (
        select(func.coalesce(of_order, last).label("campaign_id"))
        .select_from(c)
        .where(
            within(c, c.c.ordered_at),
            _stands(c),
            or_(c.c.member_id.is_not(None), c.c.customer_hash.is_not(None)),
            ~exists().where(ours, known, earlier, _stands(b)).correlate(c),
            ~exists().where(ours, hashed, earlier, _stands(b)).correlate(c),
        )
        .subquery()
    )
    return select(first.c.campaign_id, func.count()).group_by(first.c.campaign_id)


def orders(session: Session, day: Span) -> Iterator[Counted]:
    """Orders of friends with what is left of them, without those of friends who were refused or taken back since; and
    first orders that were not wholly given back, by the campaign that had brought the customer before it.

    A customer is a member, or the keyed hash of the address the shop knows; orders that name neither are counted as
    `nameless` and of nobody.
    """
    for campaign_id, currency, number, left in session.execute(_orders(), day.values):
        yield campaign_id, "orders", currency, number
        yield campaign_id, "revenue", currency, int(left)
    for campaign_id, people in session.execute(_customers(), day.values):
        yield campaign_id or NOBODY, "customers", "", people
    if number := session.scalar(_nameless(), day.values):
        yield NOBODY, "nameless", "", number


def _stands(of: Any) -> ColumnElement[bool]:
    """Whether an order was not wholly given back."""
    stands: ColumnElement[bool] = or_(of.c.refunded < of.c.net, of.c.net == 0)
    return stands


SOURCES = (
    Source("touch", table(Touch), "touched_at", visitors, kept_days=29),
    Source("enrollment", table(Enrollment), "enrolled_at", advocates),
    Source("referral", table(Referral), "started_at", friends, open_days=45),
    Source("conversion", table(Conversion), "ordered_at", orders, open_days=45),
)
