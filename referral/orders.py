"""Orders of friends: whose they are, whether they count, and what follows.

An order belongs to one referral of its buyer. Of several that could have it: the one of the campaign whose code came
with the order, then those of campaigns that count purchases, then the one begun last.

It counts when it was made inside the referral's window, `started_at <= ordered_at < expires_at` and before the end of
the campaign (half-open: an order at the very end is outside), by a friend who has joined, whenever we are told of
it. In a campaign that counts purchases a friend who only came, and never joined a group, counts too: the first such
order qualifies the referral. Every order that counts is told as `FriendQualified` or `FriendActed` with its
conversion, so that a plan can pay for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from core import clock, events, ids
from core.db import among_keys, insert_all, table
from core.errors import Conflict, NotFound
from referral.buyers import Buyer, find_buyers
from referral.campaigns import Campaign
from referral.conversions import (
    PURCHASED,
    Conversion,
    Key,
    Order,
    Recorded,
    Refund,
    check_order,
    conversions_by,
    lock_orders,
)
from referral.members import Member
from referral.qualifying import Qualify, qualify
from referral.referrals import FriendActed, FriendQualified, Referral, recount
from referral.refunds import REFUNDED, take_off, waiting_for

Pair = tuple[Referral, Campaign]


def record_orders(session: Session, orders: Sequence[Order]) -> list[Recorded]:
    """Record these orders once each; a batch function for the writer.

    Told again, an order gets its first answer, and `Conflict("order_differs")` with other figures. Who bought need not
    be known: the order is kept `unattributed` with its reason. Raises `BadInput` for what cannot be an order.
    """
    for order in orders:
        check_order(order)
    lock_orders(session, {order.brand_id for order in orders})
    known = conversions_by(session, {order.key for order in orders})
    fresh: dict[Key, Order] = {}
    for order in orders:
        if order.key in known:
            _compare(order, known[order.key])
        else:
            _compare(order, fresh.setdefault(order.key, order))
    made = _record(session, sorted(fresh.values(), key=lambda order: order.ordered_at))
    answers = []
    for order in orders:
        answers.append(_answer(known.get(order.key) or made[order.key], order.key in known))
        known[order.key] = known.get(order.key) or made[order.key]
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
    if session.get(Member, (brand_id, member_id)) is None:
        raise NotFound("member")
    if row.status == "attributed":
        if row.member_id != member_id:
            raise Conflict("order_assigned", order=external_id)
        return _answer(row, repeated=True)
    row.referral_id, row.campaign_id, row.reason, row.status = None, None, None, "unattributed"
    pair = _attribute(row, Buyer(member_id), _referrals_of(session, [(brand_id, member_id)])[(brand_id, member_id)])
    session.add(row)
    session.flush()
    if pair is not None and row.left:
        _follow(session, [(row, pair)])
    return _answer(row, repeated=False)


def _figures(of: Conversion | Order) -> tuple[object, ...]:
    return of.currency, of.gross, of.discount, of.shipping, of.tax


def _compare(order: Order, before: Conversion | Order) -> None:
    """Raise `Conflict` unless this is the order told before. Lines that either does not give contradict nothing."""
    lines = _lines(order)
    kept = before.lines if isinstance(before, Conversion) else _lines(before)
    if _figures(order) != _figures(before) or (lines and kept and lines != kept):
        raise Conflict("order_differs", order=order.external_id)


def _lines(order: Order) -> list[dict[str, Any]] | None:
    return [asdict(line) for line in order.lines] or None


def _answer(row: Conversion, repeated: bool) -> Recorded:
    return Recorded(row.id, row.status, row.reason, row.referral_id, row.member_id, row.net, repeated)


def _record(session: Session, orders: Sequence[Order]) -> dict[Key, Conversion]:
    """Write new orders, take off the refunds that waited for them, and let the referrals follow."""
    if not orders:
        return {}
    buyers = find_buyers(session, orders)
    friends = {(order.brand_id, b.member_id) for order, b in zip(orders, buyers, strict=True) if b.member_id}
    pairs = _referrals_of(session, friends)
    waiting = waiting_for(session, {order.key for order in orders})
    made: dict[Key, Conversion] = {}
    counting: list[tuple[Conversion, Pair]] = []
    for order, buyer in zip(orders, buyers, strict=True):
        row = made[order.key] = _row(order)
        for refund in waiting.get(order.key, ()):
            _net(row, refund)
        pair = _attribute(row, buyer, pairs[(order.brand_id, buyer.member_id)] if buyer.member_id else ())
        if pair is not None and row.left:
            counting.append((row, pair))
    # Before anything is flushed: a refund may not name an order that is not there.
    insert_all(session, table(Conversion), [row.model_dump() for row in made.values()])
    session.flush()
    _follow(session, counting)
    return made


def _row(order: Order) -> Conversion:
    return Conversion(
        brand_id=order.brand_id,
        id=ids.new(),
        source=order.source,
        external_id=order.external_id,
        currency=order.currency,
        gross=order.gross,
        discount=order.discount,
        shipping=order.shipping,
        tax=order.tax,
        net=order.net,
        lines=_lines(order),
        code=order.code,
        customer_hash=order.customer_hash,
        status="unattributed",
        ordered_at=order.ordered_at,
        received_at=clock.now(),
    )


def _net(row: Conversion, refund: Refund) -> None:
    if refund.currency == row.currency:
        take_off(row, refund)
    else:
        refund.status, refund.reason, refund.conversion_id = "rejected", "refund_currency", row.id


def _referrals_of(session: Session, friends: Collection[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], list[Pair]]:
    """How these members came, with the campaigns, as they stand now."""
    found: dict[tuple[UUID, UUID], list[Pair]] = defaultdict(list)
    if friends:
        t = table(Referral)
        rows = session.exec(
            select(Referral, Campaign)
            .join(
                Campaign,
                (col(Campaign.brand_id) == col(Referral.brand_id)) & (col(Campaign.id) == col(Referral.campaign_id)),
            )
            .where(among_keys(session, (t.c.brand_id, t.c.friend_id), friends))
            .order_by(col(Referral.id))
            .with_for_update(of=Referral, key_share=True)
            .execution_options(populate_existing=True)
        )
        for referral, campaign in rows:
            found[(referral.brand_id, referral.friend_id)].append((referral, campaign))
    return found


def _attribute(row: Conversion, buyer: Buyer, pairs: Sequence[Pair]) -> Pair | None:
    """Say on the row whose order it is; the referral by which it counts, if one."""
    row.member_id = buyer.member_id
    if buyer.member_id is None:
        row.reason = buyer.reason
        return None
    if not pairs:
        refused = buyer.outcome not in (None, "referred", "unknown_code")
        row.status = "rejected" if refused else "unattributed"
        row.reason = buyer.outcome if refused else "no_referral"
        return None

    def first(pair: Pair) -> tuple[object, ...]:
        referral, campaign = pair
        return (
            refusal(row, referral, campaign) is None,
            campaign.id == buyer.code_campaign,
            campaign.event == PURCHASED,
            referral.started_at,
            referral.id,
        )

    pair = max(pairs, key=first)
    row.referral_id, row.campaign_id = pair[0].id, pair[0].campaign_id
    row.reason = refusal(row, *pair)
    if row.reason is not None:
        row.status = "rejected"
        return None
    row.status = "attributed"
    if row.left == 0:
        row.reason = REFUNDED if row.net else "nothing_paid"
    return pair


def refusal(row: Conversion, referral: Referral, campaign: Campaign) -> str | None:
    """Why an order does not count by this referral, or None if it does."""
    if not referral.started_at <= row.ordered_at < min(referral.expires_at, campaign.ends_at):
        return "outside_window"
    counts_purchases = campaign.event == PURCHASED
    if referral.state == "reversed":
        # Who gave everything back and bought again is a customer again.
        return None if counts_purchases and referral.reason == REFUNDED else "referral_reversed"
    if referral.state == "rejected" or (referral.state == "expired" and referral.reason != "window_over"):
        return f"referral_{referral.state}"
    return None if counts_purchases or referral.joined_at is not None else "not_joined"


def _follow(session: Session, counting: Sequence[tuple[Conversion, Pair]]) -> None:
    """Qualify the referrals whose first purchase this is, and tell of all purchases."""
    firsts: dict[UUID, tuple[Conversion, Referral]] = {}
    again: dict[UUID, tuple[Conversion, Referral]] = {}
    further: list[tuple[Conversion, Referral]] = []
    for row, (referral, campaign) in counting:
        if campaign.event != PURCHASED or referral.id in firsts or referral.id in again:
            further.append((row, referral))
        elif referral.state == "reversed":
            again[referral.id] = (row, referral)
        elif referral.state == "qualified":
            further.append((row, referral))
        else:
            firsts[referral.id] = (row, referral)
    for _, referral in firsts.values():
        # An order may be told after its window, or be made by a friend who never joined a group.
        referral.state, referral.reason = "joined", None
        session.add(referral)
    _count_again(session, list(again.values()))
    session.flush()
    if firsts:
        qualify(session, [Qualify(r.brand_id, r.id, PURCHASED, row.ordered_at, row.id) for row, r in firsts.values()])
    events.emit(session, [FriendQualified(*_told(row, referral)) for row, referral in again.values()])
    events.emit(session, [FriendActed(*_told(row, referral)) for row, referral in further])


def _count_again(session: Session, again: Sequence[tuple[Conversion, Referral]]) -> None:
    for row, referral in again:
        referral.state, referral.reason, referral.qualified_at = "qualified", None, row.ordered_at
        session.add(referral)
    session.flush()
    for brand_id in {referral.brand_id for _, referral in again}:
        recount(session, brand_id, [(r.campaign_id, r.advocate_id) for _, r in again if r.brand_id == brand_id])


def _told(row: Conversion, r: Referral) -> tuple[UUID, UUID, int, UUID, UUID, UUID, str, datetime, UUID]:
    who = (r.brand_id, r.campaign_id, r.campaign_version, r.id, r.advocate_id, r.friend_id)
    return *who, PURCHASED, row.ordered_at, row.id
