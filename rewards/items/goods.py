"""What platforms give: the books' side of a delivery that `bots.goods` carries out.

A role or a tag may be given twice without harm. Premium may not: Telegram pays again. So a delivery is marked
`processing` and committed before the platform is asked, and one that is found in that state is looked up, never sent
again; what cannot be told stays `unknown` for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from core import clock
from rewards.items.badges import WORN, Badge, is_ours, still_worn, take_away, wear
from rewards.items.items import Item
from rewards.items.kinds import PLATFORM_OF
from rewards.items.redeem import account_of
from rewards.payouts.payouts import OPEN, SETTLED, Payout, PayoutStuck, payout_of, tell
from rewards.payouts.port import Answer
from rewards.payouts.settling import conclude, note

PREMIUM_PRICES = {3: 1000, 6: 1500, 12: 2500}
"""What Telegram asks for so many months, in Stars (Bot API, giftPremiumSubscription)."""
SKEW = timedelta(seconds=90)
"""How far the platform's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Order:
    """A delivery in our hands. `step`: give it, or only find out whether it was given."""

    brand_id: UUID
    payout_id: UUID
    step: Literal["give", "look_up"]
    kind: str
    account: str
    settings: dict[str, Any]
    sent_at: datetime


def hand_over(session: Session, brand_id: UUID, payout_id: UUID) -> Order | None:
    """Mark it as being given, before the platform is asked; None if there is nothing to do any more."""
    payout = payout_of(session, brand_id, payout_id, lock=True)
    item = session.get(Item, (brand_id, payout.item_id))
    assert item is not None
    if payout.state in SETTLED:
        return None
    platform = PLATFORM_OF[item.kind]
    account = payout.detail.get("account") or account_of(session, brand_id, payout.member_id, platform)
    if account is None:
        conclude(session, brand_id, payout_id, Answer("failed", reason="account_gone"), "start")
        return None
    # What it was when it was bought counts, not what it has been changed to since.
    settings = payout.detail["item"]["settings"]
    if item.kind in WORN and not is_ours(session, brand_id, platform, settings["group"]):
        conclude(session, brand_id, payout_id, Answer("failed", reason="platform_refused"), "start")
        return None
    first = payout.state == "pending"
    if first:
        payout.state = "processing"
        payout.sent_at = clock.now()
        # A repeat goes to the same account, whatever the member has linked since.
        payout.detail = {**payout.detail, "account": account}
    payout.attempts += 1
    note(session, payout, "start" if first or item.kind in WORN else "look_up", Answer("processing"))
    session.add(payout)
    session.flush()
    assert payout.sent_at is not None
    step: Literal["give", "look_up"] = "give" if first or item.kind in WORN else "look_up"
    return Order(brand_id, payout_id, step, item.kind, account, settings, payout.sent_at)


def given(session: Session, order: Order, external_id: str | None = None) -> None:
    """The platform has given it."""
    payout = payout_of(session, order.brand_id, order.payout_id, lock=True)
    if order.kind in WORN and payout.state not in SETTLED:
        item = session.get(Item, (order.brand_id, payout.item_id))
        assert item is not None
        wear(session, item, order.settings, payout, order.account)
    conclude(session, order.brand_id, order.payout_id, Answer("completed", external_id), "start")


def not_given(session: Session, order: Order, reason: str, said: str, *, maybe: bool = False) -> None:
    """The platform refused for good: the points come back. `maybe`: a role or tag that may be there all the same, and
    is taken away."""
    payout = payout_of(session, order.brand_id, order.payout_id, lock=True)
    if maybe and payout.state not in SETTLED:
        item = session.get_one(Item, (order.brand_id, payout.item_id))
        take_away(session, [wear(session, item, order.settings, payout, order.account)])
    answer = Answer("failed", reason=reason, detail={"said": said[:200]})
    conclude(session, order.brand_id, order.payout_id, answer, "start")


def not_yet(session: Session, order: Order) -> None:
    """The platform said for certain that it has done nothing so far: it is to be given as if for the first time."""
    payout = payout_of(session, order.brand_id, order.payout_id, lock=True)
    if payout.state == "processing":
        payout.state = "pending"
        note(session, payout, "start", Answer("processing", reason="put_off"))
        session.add(payout)


def unclear(session: Session, order: Order, *, last: bool) -> None:
    """It may or may not have been given. `last`: nobody will look again, so a person has to."""
    reason = Answer("unknown", reason="provider_unclear")
    payout = conclude(session, order.brand_id, order.payout_id, reason, "look_up")
    if last and payout.state not in SETTLED:
        tell(session, PayoutStuck, payout)


def own_purchase(session: Session, order: Order, purchases: Sequence[str]) -> str | None:
    """Which of the platform's purchases for this account is this order's; None if that cannot be told.

    `purchases`: their numbers, of this kind, account and price, since the order was handed over. One that another
    payout has is not ours; of the rest one is ours for certain only if they outnumber those who may also have made one.
    """
    alike = (
        col(Payout.provider) == order.kind,
        col(Payout.id) != order.payout_id,
        col(Payout.external_id).is_not(None),
    )
    taken = set(session.scalars(select(col(Payout.external_id)).where(*alike, col(Payout.external_id).in_(purchases))))
    free = [number for number in purchases if number not in taken]
    member = session.scalar(
        select(col(Payout.member_id)).where(col(Payout.brand_id) == order.brand_id, col(Payout.id) == order.payout_id)
    )
    rivals = session.scalar(
        select(func.count()).where(
            col(Payout.provider) == order.kind,
            col(Payout.id) != order.payout_id,
            col(Payout.brand_id) == order.brand_id,
            col(Payout.member_id) == member,
            col(Payout.sent_at) >= order.sent_at - SKEW,
            col(Payout.external_id).is_(None),
            or_(col(Payout.state).in_(OPEN), col(Payout.state) == "completed"),
        )
    )
    return free[0] if len(free) > (rivals or 0) else None


def to_take(session: Session, brand_id: UUID, badge_id: UUID) -> Badge | None:
    """A badge that is to be taken away; None if that was done, or the member wears it by another payout."""
    badge = session.get(Badge, (brand_id, badge_id))
    if badge is None or badge.state == "ended":
        return None
    return None if still_worn(session, badge) else badge
