"""What a campaign's policy decides an order by: the friend's touches, and whose codes they came with.

Only campaigns with an `[attribution]` of their own come here; for all others not one statement is made. A touch speaks
for its advocate only if it could have brought the friend: not made by a robot, not refused when it happened, of an
advocate who is neither the friend nor somebody whom the friend has brought, directly or through others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlmodel import Session

from core.db import among_keys, table
from referral.attribution.policy import AttributionTerms, Credit, Policy, Seen, credit, resolve
from referral.campaigns import CampaignVersion, Enrollment, InviteCode
from referral.members import Member
from referral.referrals import is_upstream
from referral.touches import Touch

EACH_END = 32
"""Of a friend's touches in a campaign the first and the last of this number are looked at."""
ADMITTED = ("referred", "again", "already_referred")
"""Outcomes of touches that no rule refused but that somebody else may have been faster."""
JUDGED_AT_TILL = (None, *ADMITTED)

Version = tuple[UUID, UUID, int]
"""(brand, campaign, version)."""


class Came(Protocol):
    """What is asked of a referral."""

    brand_id: UUID
    id: UUID
    campaign_id: UUID
    campaign_version: int
    advocate_id: UUID
    friend_id: UUID
    gone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Asked:
    """An order whose buyer is known. `code_campaign`, `code_advocate`: whose the code is that was told with it.
    `outcome`: what became of coming with it. `click_id`: the click by which the buyer came to the shop; `code` is then
    the code itself, which is the click's own where nobody typed one."""

    conversion_id: UUID
    at: datetime
    came: Sequence[Came]
    code_campaign: UUID | None = None
    code_advocate: UUID | None = None
    click_id: UUID | None = None
    outcome: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy says of an order in one campaign. `touches`: all it saw, in the order of time."""

    policy: Policy
    credit: Credit
    touches: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A touch and its kind."""

    touch: Seen
    kind: str


@dataclass(frozen=True, slots=True)
class Click:
    """A click that an order names: the touch it is, in which campaign and with which code."""

    touch: Seen
    campaign_id: UUID
    code: str


@dataclass(slots=True)
class Trails:
    """Touches by (brand, friend, campaign), and the clicks asked for by (brand, click)."""

    by_friend: dict[tuple[UUID, UUID, UUID], list[Mark]]
    clicks: dict[tuple[UUID, UUID], Click]


_known: dict[Version, Policy | None] = {}
KNOWN_POLICIES = 4096


def policies_of(session: Session, versions: Collection[Version]) -> dict[Version, Policy | None]:
    """The policy of each version of a campaign, None for the usual one; remembered, since versions never change."""
    found = {key: _known[key] for key in versions if key in _known}
    missing = [key for key in versions if key not in found]
    if missing:
        t = table(CampaignVersion)
        rows = session.execute(
            select(t.c.brand_id, t.c.campaign_id, t.c.version, t.c.document).where(
                among_keys(session, (t.c.brand_id, t.c.campaign_id, t.c.version), missing)
            )
        )
        read = {(brand, campaign, version): policy_in(document) for brand, campaign, version, document in rows}
        found |= {key: read.get(key) for key in missing}
        if len(_known) + len(missing) > KNOWN_POLICIES:
            _known.clear()
        _known.update({key: found[key] for key in missing})
    return found


def policy_in(document: Mapping[str, Any]) -> Policy | None:
    """The policy of a campaign file as it is kept; None for the usual one."""
    said = document.get("attribution")
    if said is None:
        return None
    return resolve(AttributionTerms.model_validate(said), document["qualify"]["window_days"])


def judge(session: Session, asked: Sequence[Asked]) -> dict[tuple[UUID, UUID], Judged]:
    """What the policies say of these orders, by (order, referral); nothing for campaigns without one. Set-based."""
    came = {(one.brand_id, one.campaign_id, one.campaign_version) for order in asked for one in order.came}
    policies = policies_of(session, came) if came else {}
    if not any(policies.values()):
        return {}
    wanted = [
        (order, one, policy)
        for order in asked
        for one in order.came
        if (policy := policies[(one.brand_id, one.campaign_id, one.campaign_version)]) is not None
    ]
    clicks = {(one.brand_id, order.click_id) for order, one, _ in wanted if order.click_id}
    trails = trails_of(session, {_trail(one) for _, one, _ in wanted}, clicks)
    fair = Fair(session)
    return {(order.conversion_id, one.id): decide_by(policy, order, one, trails, fair) for order, one, policy in wanted}


def decide_by(policy: Policy, order: Asked, one: Came, trails: Trails, fair: Fair) -> Judged:
    """What this policy says of an order in the campaign by which its buyer came in this way."""
    seen = [mark for mark in trails.by_friend.get(_trail(one), ()) if mark.touch.at <= order.at]
    told_here = order.code_campaign == one.campaign_id
    # The code that came with the order is no touch before it: its own coming is taken out, and weighed by precedence.
    coming = [mark for mark in seen if told_here and mark.kind == "code" and mark.touch.at == order.at]
    seen = [mark for mark in seen if mark not in coming]
    click = trails.clicks.get((one.brand_id, order.click_id)) if order.click_id else None
    typed = order.click_id is None or (click is not None and click.code != order.code)
    till = _at_till(order, coming) if told_here and typed else None
    if click is not None and click.campaign_id == one.campaign_id and click.touch.at <= order.at:
        seen = [*(mark for mark in seen if mark.touch.id != click.touch.id), Mark(click.touch, "click")]
    touches = [mark.touch for mark in seen if fair.is_fair(one, mark.touch.advocate_id)]
    till = till if till is not None and fair.is_fair(one, till.advocate_id) else None
    decided = credit(policy, touches, order.at, till)
    ordered = sorted([*touches, *([till] if till else [])], key=lambda touch: touch.when)
    return Judged(policy, decided, tuple(touch.id for touch in ordered))


def _trail(one: Came) -> tuple[UUID, UUID, UUID]:
    return one.brand_id, one.friend_id, one.campaign_id


def _at_till(order: Asked, coming: Sequence[Mark]) -> Seen | None:
    """The code given with an order, unless it was refused."""
    if order.code_advocate is None or order.outcome not in JUDGED_AT_TILL:
        return None
    # Who gave a code without an account did not come by it: the order itself is what was seen.
    return Seen(coming[0].touch.id if coming else order.conversion_id, order.code_advocate, order.at)


class Fair:
    """Who may have credit for whom, asked once each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._answers: dict[tuple[UUID, UUID, UUID], bool] = {}

    def is_fair(self, came: Came, advocate_id: UUID) -> bool:
        """Whether the advocate is another person than the friend, still there, and was not brought by the friend."""
        key = (came.brand_id, came.friend_id, advocate_id)
        if key not in self._answers:
            own = advocate_id == came.advocate_id
            fair = came.gone_at is None if own else self._ask(*key)
            self._answers[key] = fair and advocate_id != came.friend_id
        return self._answers[key]

    def _ask(self, brand_id: UUID, friend_id: UUID, advocate_id: UUID) -> bool:
        m = table(Member)
        gone = self._session.scalar(
            select(m.c.erased_at).where(m.c.brand_id == brand_id, m.c.id == advocate_id, m.c.erased_at.is_not(None))
        )
        return gone is None and not is_upstream(self._session, brand_id, friend_id, of=advocate_id)


def trails_of(
    session: Session,
    friends: Collection[tuple[UUID, UUID, UUID]],
    clicks: Collection[tuple[UUID, UUID]] = (),
) -> Trails:
    """The touches of these (brand, friend, campaign) that may count, by whose code; and these (brand, click)."""
    touches = _touches(session, friends)
    joined = {(brand_id, UUID(click)) for brand_id, _, _, _, _, _, _, click in touches if click}
    clicked = _clicks(session, {*joined, *clicks})
    said = {(row[0], row[4]) for row in touches} | {(key[0], row[2]) for key, row in clicked.items()}
    owners = owners_of_codes(session, said)
    found: dict[tuple[UUID, UUID, UUID], list[Mark]] = defaultdict(list)
    for brand_id, member_id, campaign_id, touch_id, code, kind, at, click in touches:
        owner = owners.get((brand_id, campaign_id, code))
        if owner is None:
            continue
        marks = found[(brand_id, member_id, campaign_id)]
        first = clicked.get((brand_id, UUID(click))) if click else None
        # A click stands for itself, where its own code and campaign say the same as the touch that names it.
        if first is not None and (first[1], first[2]) == (campaign_id, code) and first[3] <= at:
            earlier = Seen(first[0], owner, first[3])
            if all(mark.touch.id != earlier.id for mark in marks):
                marks.append(Mark(earlier, "click"))
        marks.append(Mark(Seen(touch_id, owner, at), kind))
    asked: dict[tuple[UUID, UUID], Click] = {}
    for key in clicks:
        row = clicked.get(key)
        owner = owners.get((key[0], row[1], row[2])) if row else None
        if row is not None and owner is not None:
            asked[key] = Click(Seen(row[0], owner, row[3]), row[1], row[2])
    return Trails(found, asked)


def _touches(session: Session, friends: Collection[tuple[UUID, UUID, UUID]]) -> Sequence[Any]:
    """(brand, friend, campaign, touch, code, kind, moment, click) of the first and last touches of each."""
    t = table(Touch)
    each = (t.c.brand_id, t.c.member_id, t.c.campaign_id)
    first = func.row_number().over(partition_by=each, order_by=(t.c.touched_at, t.c.id)).label("first")
    last = func.row_number().over(partition_by=each, order_by=(t.c.touched_at.desc(), t.c.id.desc())).label("last")
    ranked: Any = (
        select(*each, t.c.id, t.c.code, t.c.kind, t.c.touched_at, t.c.facts, first, last)
        .where(
            # By the person alone: that is how touches are found, and a person has few.
            among_keys(session, each[:2], {friend[:2] for friend in friends}),
            t.c.campaign_id.in_({friend[2] for friend in friends}),
            t.c.code.is_not(None),
            t.c.robot.is_(False),
            or_(t.c.outcome.is_(None), t.c.outcome.in_(ADMITTED)),
        )
        .subquery()
    )
    c = ranked.c
    rows = session.execute(
        select(c.brand_id, c.member_id, c.campaign_id, c.id, c.code, c.kind, c.touched_at, c.facts)
        .where(or_(c.first <= EACH_END, c.last <= EACH_END))
        .order_by(c.touched_at, c.id)
    )
    return [(*row[:7], (row[7] or {}).get("click")) for row in rows]


def _clicks(session: Session, wanted: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Any]:
    """(id, campaign, code, moment) of these (brand, click), without those of robots."""
    if not wanted:
        return {}
    t = table(Touch)
    statement: Select[Any] = select(t.c.brand_id, t.c.id, t.c.campaign_id, t.c.code, t.c.touched_at).where(
        among_keys(session, (t.c.brand_id, t.c.id), wanted), t.c.robot.is_(False), t.c.code.is_not(None)
    )
    return {(row[0], row[1]): (row[1], row[2], row[3], row[4]) for row in session.execute(statement)}


def owners_of_codes(session: Session, codes: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, UUID, str], UUID]:
    """Who owns these (brand, code), by (brand, campaign, code)."""
    if not codes:
        return {}
    i, e = table(InviteCode), table(Enrollment)
    rows = session.execute(
        select(e.c.brand_id, e.c.campaign_id, i.c.code, e.c.member_id)
        .join(e, (e.c.brand_id == i.c.brand_id) & (e.c.id == i.c.enrollment_id))
        .where(among_keys(session, (i.c.brand_id, i.c.code), codes))
    )
    return {(brand_id, campaign_id, code): member_id for brand_id, campaign_id, code, member_id in rows}
