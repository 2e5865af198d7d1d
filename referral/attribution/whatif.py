"""What if: the orders of a campaign decided again under another policy. Reads only; the books stay as they are.

What is told again is the credit, order by order, from the touches as they stand now: the same reading as when an order
is recorded. What changes with a policy and cannot be told again is what people would have done otherwise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select, tuple_
from sqlmodel import Session

from core.db import among_keys, table
from referral import codes
from referral.attribution.decisions import Attribution, Given, shares_of
from referral.attribution.evidence import ADMITTED, Asked, Fair, decide_by, owners_of_codes, trails_of
from referral.attribution.policy import Policy
from referral.attribution.split import WHOLE, parts_of
from referral.campaigns import Campaign
from referral.conversions import PURCHASED, Conversion
from referral.linking import MemberLink
from referral.members import Member
from referral.referrals import Referral
from referral.touches import Touch

AT_ONCE = 500
"""Orders decided with one round of statements."""
JUDGED = ("outside_window", "credit_lapsed")
"""Why an order did not count that another policy might have counted."""
FALLEN = ("reversed", "rejected")
"""States of a referral by which no order counts."""


@dataclass(slots=True)
class Standing:
    """What an advocate has: `orders` in millionths, `net` by currency in minor units, of what is left after refunds."""

    orders: int = 0
    net: dict[str, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(slots=True)
class Replay:
    """What came of it. `now`, `then`: by advocate, as decided and under the other policy. `moved`: how many orders are
    somebody else's, or shared otherwise; `more`: there were more orders than were looked at."""

    policy: Policy
    orders: int = 0
    counted_now: int = 0
    counted_then: int = 0
    moved: int = 0
    more: bool = False
    now: dict[UUID, Standing] = field(default_factory=lambda: defaultdict(Standing))
    then: dict[UUID, Standing] = field(default_factory=lambda: defaultdict(Standing))

    def ranked(self) -> list[UUID]:
        """The advocates: whoever would gain most first, whoever would lose most last."""
        everybody = {*self.now, *self.then}
        return sorted(everybody, key=lambda one: (self.now[one].orders - self.then[one].orders, one))


@dataclass(slots=True)
class _Way:
    """How a friend came, as policies ask, and whether an order of theirs may count at all."""

    brand_id: UUID
    id: UUID
    campaign_id: UUID
    campaign_version: int
    advocate_id: UUID
    friend_id: UUID
    started_at: datetime
    joined_at: datetime | None
    state: str
    gone_at: datetime | None


def replay(session: Session, campaign: Campaign, policy: Policy, limit: int = 100_000) -> Replay:
    """Decide the `limit` orders of a campaign's friends that were told last as `policy` would have."""
    found = Replay(policy)
    telling = _Telling(session, campaign, policy, Fair(session), persons(session, campaign.brand_id))
    for rows in _orders(session, campaign, limit + 1):
        left = limit - found.orders
        found.more = found.more or len(rows) > left
        telling.decide(rows[:left], found)
    return found


def persons(session: Session, brand_id: UUID) -> Mapping[UUID, UUID]:
    """Who members that were absorbed into others are by now."""
    t = table(MemberLink)
    standing = select(t.c.absorbed_id, t.c.kept_id).where(t.c.brand_id == brand_id, t.c.undone_at.is_(None))
    into: dict[UUID, UUID] = dict(session.execute(standing).all())
    for absorbed in into:
        while into[absorbed] in into:
            into[absorbed] = into[into[absorbed]]
    return into


def _orders(session: Session, campaign: Campaign, limit: int) -> Iterator[Sequence[Any]]:
    """The orders of the campaign's friends that a policy may judge, the last told first, some at a time."""
    c, a = table(Conversion), table(Attribution)
    columns = ("id", "referral_id", "status", "currency", "net", "refunded", "code", "ordered_at", "received_at")
    first = and_(a.c.brand_id == c.c.brand_id, a.c.conversion_id == c.c.id, a.c.revision == 1)
    before: tuple[datetime, UUID] | None = None
    while limit > 0:
        statement = (
            select(*(c.c[name] for name in columns), a.c.click_id)
            .outerjoin(a, first)
            .where(
                c.c.brand_id == campaign.brand_id,
                c.c.campaign_id == campaign.id,
                c.c.referral_id.is_not(None),
                (c.c.status == "attributed") | c.c.reason.in_(JUDGED),
            )
        )
        if before is not None:
            # The first part is what the index knows.
            statement = statement.where(c.c.received_at <= before[0], tuple_(c.c.received_at, c.c.id) < before)
        newest = statement.order_by(c.c.received_at.desc(), c.c.id.desc()).limit(min(limit, AT_ONCE))
        rows = session.execute(newest).all()
        if not rows:
            return
        yield rows
        limit -= len(rows)
        before = (rows[-1].received_at, rows[-1].id)


@dataclass(slots=True)
class _Telling:
    """What all orders of a replay are decided with."""

    session: Session
    campaign: Campaign
    policy: Policy
    fair: Fair
    persons: Mapping[UUID, UUID]

    def decide(self, rows: Sequence[Any], found: Replay) -> None:
        """Decide these orders again and add them up."""
        brand_id, campaign_id = self.campaign.brand_id, self.campaign.id
        ways = _ways(self.session, brand_id, {row.referral_id for row in rows})
        clicks = {(brand_id, row.click_id) for row in rows if row.click_id}
        friends = {(brand_id, way.friend_id, campaign_id) for way in ways.values()}
        trails = trails_of(self.session, friends, clicks)
        read = {row.code: codes.read(row.code) for row in rows if row.code}
        owners = owners_of_codes(self.session, {(brand_id, code) for code in read.values() if code})
        refused = _refused(self.session, self.campaign, {ways[row.referral_id].friend_id for row in rows if row.code})
        orders = {(brand_id, row.id) for row in rows if row.status == "attributed"}
        decided = shares_of(self.session, orders)
        for row in rows:
            way = ways[row.referral_id]
            code = read.get(row.code)
            owner = owners.get((brand_id, campaign_id, code or ""))
            here = campaign_id if owner else None
            outcome = refused.get((way.friend_id, code, row.ordered_at))
            asked = Asked(row.id, row.ordered_at, (way,), here, owner, row.click_id, outcome, code)
            verdict = decide_by(self.policy, asked, way, trails, self.fair)
            usual = decided.get((brand_id, row.id), ((way.advocate_id, WHOLE),))
            now: Given = usual if row.status == "attributed" else ()
            then = tuple((one.advocate_id, one.share) for one in verdict.credit.shares)
            _add(found, row, self._by_now(now), self._by_now(then if self._may_count(row, way) else ()))

    def _may_count(self, row: Any, way: _Way) -> bool:
        """Whether an order counts but for who has the credit."""
        if not way.started_at <= row.ordered_at < self.campaign.ends_at:
            return False
        open_ = way.state not in FALLEN and (self.campaign.event == PURCHASED or way.joined_at is not None)
        return bool(row.status == "attributed" or open_)

    def _by_now(self, shares: Given) -> Given:
        return tuple((self.persons.get(advocate_id, advocate_id), share) for advocate_id, share in shares)


def _add(found: Replay, row: Any, now: Given, then: Given) -> None:
    found.orders += 1
    found.counted_now += bool(now)
    found.counted_then += bool(then)
    found.moved += _summed(now) != _summed(then)
    for standings, shares in ((found.now, now), (found.then, then)):
        for advocate_id, share in _summed(shares).items():
            standings[advocate_id].orders += share
        for advocate_id, part in parts_of(row.net - row.refunded, shares).items():
            standings[advocate_id].net[row.currency] += part


def _summed(shares: Given) -> dict[UUID, int]:
    found: dict[UUID, int] = defaultdict(int)
    for advocate_id, share in shares:
        found[advocate_id] += share
    return dict(found)


def _refused(session: Session, campaign: Campaign, friends: set[UUID]) -> dict[tuple[UUID, str | None, datetime], str]:
    """Why coming with a code was refused, by (friend, code, moment): at the till it was then, too."""
    if not friends:
        return {}
    t = table(Touch)
    rows = session.execute(
        select(t.c.member_id, t.c.code, t.c.touched_at, t.c.outcome).where(
            among_keys(session, (t.c.brand_id, t.c.member_id), {(campaign.brand_id, friend) for friend in friends}),
            t.c.campaign_id == campaign.id,
            t.c.kind == "code",
            t.c.outcome.not_in(ADMITTED),
        )
    )
    return {(friend, code, at): outcome for friend, code, at, outcome in rows}


def _ways(session: Session, brand_id: UUID, referrals: set[UUID]) -> dict[UUID, _Way]:
    r, m = table(Referral), table(Member)
    rows = session.execute(
        select(*(r.c[name] for name in tuple(_Way.__dataclass_fields__)[:-1]), m.c.erased_at)
        .join(m, (m.c.brand_id == r.c.brand_id) & (m.c.id == r.c.advocate_id))
        .where(among_keys(session, (r.c.brand_id, r.c.id), {(brand_id, referral_id) for referral_id in referrals}))
    )
    return {row.id: _Way(*row) for row in rows}
