"""Orders of friends: whose they are, whether they count, and what follows.

An order belongs to one referral of its buyer. Of several that could have it: the one of the campaign whose code came
with the order, then those of campaigns that count purchases, then the one begun last. Whose credit it is within the
campaign, the campaign's policy says (`referral.attribution`); without one it is that referral's advocate's.

It counts when it was made inside the referral's window, `started_at <= ordered_at < expires_at` and before the end of
the campaign (half-open: an order at the very end is outside), by a friend who has joined, whenever we are told of it;
under a policy as long as a touch it goes by is valid. In a campaign that counts purchases a friend who only came, and
never joined a group, counts too: the first such order qualifies the referral. Every order that counts is told as
`FriendQualified` or `FriendActed` with its conversion, so that a plan can pay for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from core import clock, events, ids
from core.db import insert_all, let_go, table, update_each
from core.errors import Conflict, NotFound
from referral import codes
from referral.attribution.decisions import Verdicts, asked_again, decision, given_to, keep, next_revision, valid_until
from referral.attribution.evidence import Asked, judge
from referral.buyers import Buyer, find_buyers
from referral.conversions import (
    PURCHASED,
    Conversion,
    Key,
    Order,
    OrdersRecorded,
    Recorded,
    Refund,
    check_order,
    conversions_by,
    known_of,
    lock_orders,
)
from referral.counting import Brought, refusal, ways_of
from referral.linking import person_of
from referral.members import Member
from referral.qualifying import Qualify, qualify
from referral.referrals import FriendActed, FriendQualified, Referral, recount
from referral.refunds import REFUNDED, take_off, waiting_for


@dataclass(slots=True)
class Taken:
    """A new order, and what is said of it before it is written down: the columns of `Conversion` that are not told
    but decided. Plain, since this is a hot path."""

    order: Order
    id: UUID
    member_id: UUID | None = None
    referral_id: UUID | None = None
    campaign_id: UUID | None = None
    status: str = "unattributed"
    reason: str | None = None
    refunded: int = 0

    @property
    def currency(self) -> str:
        """Of the amounts."""
        return self.order.currency

    @property
    def net(self) -> int:
        """What was paid for the goods."""
        return self.order.net

    @property
    def left(self) -> int:
        """What is left of the net after refunds."""
        return self.order.net - self.refunded

    @property
    def ordered_at(self) -> datetime:
        """When it was made."""
        return self.order.ordered_at


def record_orders(session: Session, orders: Sequence[Order]) -> list[Recorded]:
    """Record these orders once each; a batch function for the writer.

    Told again, an order gets its first answer, and `Conflict("order_differs")` with other figures. Who bought need not
    be known: the order is kept `unattributed` with its reason. Raises `BadInput` for what cannot be an order.
    """
    for order in orders:
        check_order(order)
    return record_checked(session, orders)


def record_checked(session: Session, orders: Sequence[Order]) -> list[Recorded]:
    """`record_orders`, of orders that were checked (`check_order`) when they came."""
    lock_orders(session, {order.brand_id for order in orders})
    keys = [order.key for order in orders]
    known = known_of(session, set(keys))
    fresh: dict[Key, Order] = {}
    for key, order in zip(keys, orders, strict=True):
        _compare(order, known[key] if key in known else fresh.setdefault(key, order))
    made = _record(session, dict(sorted(fresh.items(), key=lambda one: one[1].ordered_at)))
    answers = []
    for key in keys:
        if fresh.pop(key, None) is not None:
            answers.append(made[key])
        else:
            first = made.get(key) or _answer(known[key])
            answers.append(replace(first, repeated=True))
    return answers


def assign_order(session: Session, brand_id: UUID, source: str, external_id: str, member_id: UUID) -> Recorded:
    """A person decides who bought: an order that counted for nobody is judged again, as this member's.

    Raises `NotFound("order")`, `NotFound("member")`, and `Conflict("order_assigned")` for one that counts already.
    """
    lock_orders(session, {brand_id})
    key = (brand_id, source, external_id)
    row = conversions_by(session, [key]).get(key)
    if row is None:
        raise NotFound("order", order=external_id, source=source)
    member = session.get(Member, (brand_id, member_id))
    if member is None or member.erased_at is not None:
        raise NotFound("member")
    member_id = person_of(session, brand_id, member_id)
    if row.status == "attributed":
        if row.member_id != member_id:
            raise Conflict("order_assigned", order=external_id)
        return replace(_answer(row), repeated=True)
    row.referral_id, row.campaign_id, row.reason, row.status = None, None, None, "unattributed"
    came = ways_of(session, [(brand_id, member_id)]).get((brand_id, member_id), ())
    asked = asked_again(session, row, came)
    judged = judge(session, [asked])
    brought = _attribute(row, Buyer(member_id, code_campaign=asked.code_campaign), came, judged)
    session.add(row)
    session.flush()
    made = decision(brand_id, row, _its(row, came), judged, revision=next_revision(session, brand_id, row.id))
    keep(session, [made], clock.now())
    _tell(session, [(brand_id, row.id)], clock.now())
    if brought is not None and row.left:
        _follow(session, [(row, brought)], judged)
    return _answer(row)


def _figures(of: Conversion | Order) -> tuple[object, ...]:
    return of.currency, of.gross, of.discount, of.shipping, of.tax


def _compare(order: Order, before: Conversion | Order) -> None:
    """Raise `Conflict` unless this is the order told before. Lines that either does not give contradict nothing."""
    if order is before:
        return
    lines = _lines(order)
    kept = before.lines if isinstance(before, Conversion) else _lines(before)
    if _figures(order) != _figures(before) or (lines and kept and lines != kept):
        raise Conflict("order_differs", order=order.external_id)


def _lines(order: Order) -> list[dict[str, Any]] | None:
    return [asdict(line) for line in order.lines] or None


def _answer(row: Conversion) -> Recorded:
    decided = (row.id, row.status, row.reason, row.referral_id, row.campaign_id, row.member_id)
    return Recorded(*decided, row.net, row.refunded, row.ordered_at, row.received_at)


def _record(session: Session, fresh: Mapping[Key, Order]) -> dict[Key, Recorded]:
    """Write new orders, take off the refunds that waited for them, and let the referrals follow."""
    if not fresh:
        return {}
    orders = list(fresh.values())
    buyers = find_buyers(session, orders)
    friends = {(order.brand_id, b.member_id) for order, b in zip(orders, buyers, strict=True) if b.member_id}
    came = ways_of(session, friends)
    waiting = waiting_for(session, fresh)
    taken = [Taken(order, ids.new()) for order in orders]
    theirs = [came.get((order.brand_id, buyer.member_id), ()) for order, buyer in zip(orders, buyers, strict=True)]
    judged = judge(session, _asked(taken, buyers, theirs))
    counting: list[tuple[Taken, Brought]] = []
    decided = []
    for one, buyer, ways in zip(taken, buyers, theirs, strict=True):
        for refund in waiting.get(one.order.key, ()):
            _net(one, refund)
        brought = _attribute(one, buyer, ways, judged)
        if brought is not None and one.left:
            counting.append((one, brought))
        decided.append(decision(one.order.brand_id, one, _its(one, ways), judged, click_id=one.order.click_id))
    now = clock.now()  # before anything is flushed: a refund may not name an order that is not there
    insert_all(session, table(Conversion), [_row(one, now) for one in taken])
    session.flush()
    keep(session, decided, now)
    _tell(session, [(one.order.brand_id, one.id) for one in taken], now)
    _follow(session, counting, judged)
    return {key: _told_first(one, now) for key, one in zip(fresh, taken, strict=True)}


def _tell(session: Session, recorded: Sequence[tuple[UUID, UUID]], now: datetime) -> None:
    by_brand: dict[UUID, list[UUID]] = {}
    for brand_id, conversion_id in recorded:
        by_brand.setdefault(brand_id, []).append(conversion_id)
    events.emit(session, [OrdersRecorded(brand_id, made, now) for brand_id, made in by_brand.items()])


def _told_first(one: Taken, now: datetime) -> Recorded:
    decided = (one.id, one.status, one.reason, one.referral_id, one.campaign_id, one.member_id)
    return Recorded(*decided, one.order.net, one.refunded, one.order.ordered_at, now)


def _row(one: Taken, now: datetime) -> dict[str, Any]:
    order = one.order
    return {
        "brand_id": order.brand_id,
        "id": one.id,
        "source": order.source,
        "external_id": order.external_id,
        "member_id": one.member_id,
        "referral_id": one.referral_id,
        "campaign_id": one.campaign_id,
        "currency": order.currency,
        "gross": order.gross,
        "discount": order.discount,
        "shipping": order.shipping,
        "tax": order.tax,
        "net": order.net,
        "refunded": one.refunded,
        "lines": _lines(order),
        "code": order.code,
        "customer_hash": order.customer_hash,
        "status": one.status,
        "reason": one.reason,
        "ordered_at": order.ordered_at,
        "received_at": now,
    }


def _net(row: Taken, refund: Refund) -> None:
    if refund.currency == row.currency:
        take_off(row, refund)
    else:
        refund.status, refund.reason, refund.conversion_id = "rejected", "refund_currency", row.id


def _asked(taken: Sequence[Taken], buyers: Sequence[Buyer], theirs: Sequence[Sequence[Brought]]) -> list[Asked]:
    """The orders whose buyers came through somebody, with what came with them."""
    asked = []
    for one, b, came in zip(taken, buyers, theirs, strict=True):
        if came:
            click = one.order.click_id
            code = codes.read(one.order.code) if click and one.order.code else None
            asked.append(Asked(one.id, one.ordered_at, came, b.code_campaign, b.code_advocate, click, b.outcome, code))
    return asked


def _its(row: Conversion | Taken, came: Sequence[Brought]) -> Brought | None:
    """The referral an order belongs to."""
    return next((one for one in came if one.id == row.referral_id), None)


def _attribute(row: Conversion | Taken, buyer: Buyer, came: Sequence[Brought], judged: Verdicts) -> Brought | None:
    """Say on the row whose order it is; how they came, if it counts by that."""
    row.member_id = buyer.member_id
    if buyer.member_id is None:
        row.reason = buyer.reason
        return None
    if not came:
        refused = buyer.outcome not in (None, "referred", "unknown_code")
        row.status = "rejected" if refused else "unattributed"
        row.reason = buyer.outcome if refused else "no_referral"
        return None

    def first(one: Brought) -> tuple[object, ...]:
        return (
            refusal(row, one, judged) is None,
            one.campaign_id == buyer.code_campaign,
            one.event == PURCHASED,
            one.started_at,
            one.id,
        )

    brought = came[0] if len(came) == 1 else max(came, key=first)
    row.referral_id, row.campaign_id = brought.id, brought.campaign_id
    row.reason = refusal(row, brought, judged)
    if row.reason is not None:
        row.status = "rejected"
        return None
    row.status = "attributed"
    if row.left == 0:
        row.reason = REFUNDED if row.net else "nothing_paid"
    return brought


def _follow(session: Session, counting: Sequence[tuple[Conversion | Taken, Brought]], judged: Verdicts) -> None:
    """Qualify the referrals whose first purchase this is, and tell of all purchases."""
    firsts: dict[UUID, tuple[Conversion | Taken, Brought]] = {}
    again: dict[UUID, tuple[Conversion | Taken, Brought]] = {}
    further: list[tuple[Conversion | Taken, Brought]] = []
    for row, brought in counting:
        if brought.event != PURCHASED or brought.id in firsts or brought.id in again:
            further.append((row, brought))
        elif brought.state == "reversed":
            again[brought.id] = (row, brought)
        elif brought.state == "qualified":
            further.append((row, brought))
        else:
            firsts[brought.id] = (row, brought)
    # An order may be told after its window, or be made by a friend who never joined a group.
    _open(session, list(firsts.values()), judged)
    _count_again(session, list(again.values()))
    if firsts:
        first = [(row, b, given_to(row, b, judged)) for row, b in firsts.values()]
        qualify(session, [Qualify(b.brand_id, b.id, PURCHASED, r.ordered_at, r.id, shares) for r, b, shares in first])
    events.emit(session, [FriendQualified(*_told(row, b), given_to(row, b, judged)) for row, b in again.values()])
    events.emit(session, [FriendActed(*_told(row, b), given_to(row, b, judged)) for row, b in further])


def _open(session: Session, firsts: Sequence[tuple[Conversion | Taken, Brought]], judged: Verdicts) -> None:
    """Let these referrals qualify; a policy goes by touches that may be valid beyond the window."""
    changes: list[tuple[Brought, dict[str, object]]] = []
    for row, b in firsts:
        if (b.state, b.reason) != ("joined", None) or row.ordered_at >= b.expires_at:
            end = max(b.expires_at, min(valid_until(row, b, judged) or b.expires_at, b.ends_at))
            changes.append((b, {"state": "joined", "reason": None, "expires_at": end}))
    _change(session, changes)


def _change(session: Session, changes: Sequence[tuple[Brought, dict[str, object]]]) -> None:
    rows = [{"brand_id": brought.brand_id, "id": brought.id} | values for brought, values in changes]
    update_each(session, table(Referral), rows, ["brand_id", "id"])
    let_go(session, Referral, [(brought.brand_id, brought.id) for brought, _ in changes])


def _count_again(session: Session, again: Sequence[tuple[Conversion | Taken, Brought]]) -> None:
    counted: dict[str, object] = {"state": "qualified", "reason": None}
    _change(session, [(brought, counted | {"qualified_at": row.ordered_at}) for row, brought in again])
    for brand_id in {brought.brand_id for _, brought in again}:
        recount(session, brand_id, [(b.campaign_id, b.advocate_id) for _, b in again if b.brand_id == brand_id])


def _told(row: Conversion | Taken, b: Brought) -> tuple[UUID, UUID, int, UUID, UUID, UUID, str, datetime, UUID]:
    who = (b.brand_id, b.campaign_id, b.campaign_version, b.id, b.advocate_id, b.friend_id)
    return *who, PURCHASED, row.ordered_at, row.id
