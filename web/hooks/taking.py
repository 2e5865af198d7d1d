"""The unit of work behind a shop's message: what it says is booked, each part by itself, and what became of it is
remembered in the same commit.

What a message says may have been said before, in another order, or contradict what was said first: none of that may
make the shop try again for ever, so it is written down with its reason and the message counts as taken.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from sqlalchemy import delete, select
from sqlmodel import Session

from core.db import among, insert_missing, insert_new, table
from core.errors import BadInput, DaixinError, NotFound, Unavailable
from referral import codes, shops
from referral.buyers import find_buyers
from referral.campaigns import Campaign, Enrollment, InviteCode, owners_of
from referral.conversions import (
    Conversion,
    Order,
    Recorded,
    Refund,
    RefundOrder,
    conversions_by,
    customer_hash,
    hash_of_digest,
    lock_orders,
)
from referral.orders import assign_order, record_orders
from referral.refunds import record_refunds
from referral.shops import Delivery, Opened, ShopOrderName, ShopRefund
from referral.touches import Touch
from rewards.items.promo_codes import owner_of
from web.hooks.news import Back, Item, Named, Sale, Told

WEIGHT: dict[shops.Outcome, int] = {
    "refused": 6,
    "kept": 5,
    "waiting": 4,
    "refunded": 3,
    "recorded": 2,
    "repeated": 1,
    "ignored": 0,
}
"""Which part of a message is told of it, if its parts ended differently."""
LONGEST_CODE = 64


def take_in(session: Session, shop: Opened, told: Told, digest: str) -> Delivery:
    """Book a message. Raises `NotFound("shop")` if the shop was disconnected meanwhile, and `Unavailable`."""
    if not shops.is_open(session, shop.brand_id, shop.shop_id):
        raise NotFound("shop")
    # Before anything is read: an order and its refund that come at one moment, in two processes, see each other.
    lock_orders(session, {shop.brand_id})
    results: list[Delivery] = []
    items = deque(told.items)
    while items:
        try:
            with session.begin_nested():
                (outcome, reason, order_id, conversion_id), waited = _take(session, shop, items.popleft())
        except Unavailable:
            raise
        except DaixinError as error:
            results.append(failed(told, digest, error))
            continue
        results.append(Delivery(digest, told.topic, told.label, outcome, reason, None, order_id, conversion_id))
        # What waited for this is booked by itself, too: a refund that contradicts its order keeps no order out.
        items.extendleft(reversed(waited))
    delivery = max(results, key=lambda one: WEIGHT[one.outcome])
    shops.remember(session, shop.brand_id, shop.shop_id, delivery, by_new_key=not shop.by_old_key)
    return delivery


def failed(told: Told, digest: str, error: DaixinError) -> Delivery:
    """A message, or a part of it, that contradicts what we know or cannot be read."""
    outcome: shops.Outcome = "kept" if error.code in ("order_differs", "refund_differs") else "refused"
    params = {name: str(value)[:100] for name, value in error.params.items()}
    return Delivery(digest, told.topic, told.label, outcome, error.code, params)


Made = tuple[shops.Outcome, str | None, str | None, UUID | None]
"""Outcome, reason, the order's number, the conversion."""


def _take(session: Session, shop: Opened, item: Item) -> tuple[Made, list[Back]]:
    """Book one part; and the refunds that waited for it."""
    if isinstance(item, Sale):
        return _sell(session, shop, item), _waited(session, shop, item.number)
    if isinstance(item, Back):
        return _give_back(session, shop, item), []
    if isinstance(item, Named):
        return _name(session, shop, item), _waited(session, shop, item.name)
    return (item.refund and _failed_late(session, shop, item.refund)) or ("ignored", item.reason, None, None), []


def _sell(session: Session, shop: Opened, sale: Sale) -> Made:
    order = _order(session, shop, sale)
    recorded = record_orders(session, [order])[0]
    if recorded.repeated and order.code is not None and recorded.reason in ("guest", "unknown_buyer"):
        recorded = _with_late_code(session, order, recorded)
    # What became of an order is its status with its reason; a plain "attributed" needs no more.
    reason = recorded.reason if recorded.status == "attributed" else f"{recorded.status}.{recorded.reason}"
    return "repeated" if recorded.repeated else "recorded", reason, sale.number, recorded.conversion_id


def _with_late_code(session: Session, order: Order, first: Recorded) -> Recorded:
    """An order that was told first by a message without the code, as one of Stripe's session and invoice may be, and
    they come in any order: whoever the code names has brought the buyer all the same."""
    buyer = find_buyers(session, [replace(order, ordered_at=first.ordered_at)])[0]
    if buyer.member_id is None or buyer.outcome != "referred":
        return first
    conversions_by(session, [order.key])[order.key].code = order.code
    session.flush()
    return assign_order(session, *order.key, buyer.member_id)


def _order(session: Session, shop: Opened, sale: Sale) -> Order:
    """The order, with the code that brought it and the customer's keyed hash in place of the customer."""
    code, click_id = _code(session, shop.brand_id, sale)
    return Order(
        brand_id=shop.brand_id,
        source=shop.source,
        external_id=sale.number,
        currency=sale.currency,
        gross=sale.gross,
        ordered_at=sale.ordered_at,
        discount=sale.discount,
        shipping=sale.shipping,
        tax=sale.tax,
        lines=sale.lines,
        code=code,
        customer_hash=_customer(shop, sale),
        click_id=click_id,
        consent=sale.consent,
    )


def _customer(shop: Opened, sale: Sale) -> str | None:
    """The first contact that can be read; else the shop's own number of the customer; a guest has neither."""
    for contact in sale.contacts:
        try:
            return customer_hash(contact)
        except BadInput:
            continue
    if not sale.customer:
        return None
    return hash_of_digest(hashlib.sha256(f"{shop.shop_id}:{sale.customer}".encode()).hexdigest())


def _code(session: Session, brand_id: UUID, sale: Sale) -> tuple[str | None, UUID | None]:
    """Whose order this is: what was given as a code, then what may be one, then the click (with its id); the first
    that is one of this brand's. What was given as a code and is none is kept all the same: the order says so."""
    given = _invite_code(session, brand_id, [*sale.codes, *sale.maybe])
    given = given or _promo_owner(session, brand_id, [*sale.maybe, *sale.codes])
    clicked = _code_of_click(session, brand_id, sale.clicks)
    if given is not None:
        # A click of another link is a touch that the campaign's policy weighs against what was typed.
        other = clicked is not None and clicked[0] != given and not clicked[2]
        return given, clicked[1] if clicked is not None and other else None
    if clicked is not None:
        return clicked[:2]
    return next((code for code in sale.codes if len(code) <= LONGEST_CODE), None), None


def _invite_code(session: Session, brand_id: UUID, candidates: Iterable[str]) -> str | None:
    read = []
    for candidate in candidates:
        try:
            read.append(codes.normalize(candidate))
        except BadInput:
            continue
    owners = owners_of(session, read) if read else {}
    return next((code for code in read if code in owners and owners[code].brand_id == brand_id), None)


def _promo_owner(session: Session, brand_id: UUID, candidates: Iterable[str]) -> str | None:
    """The invite code of the member whose promo code it is: of the campaign that runs, joined last."""
    for candidate in candidates:
        promo = owner_of(session, brand_id, candidate)
        if promo is None:
            continue
        i, e, c = table(InviteCode).c, table(Enrollment).c, table(Campaign).c
        code = session.scalar(
            select(i.code)
            .join(Enrollment, (e.brand_id == i.brand_id) & (e.id == i.enrollment_id))
            .join(Campaign, (c.brand_id == e.brand_id) & (c.id == e.campaign_id))
            .where(e.brand_id == brand_id, e.member_id == promo.member_id)
            .order_by((c.state == "running").desc(), e.id.desc())
            .limit(1)
        )
        if code is not None:
            return str(code)
    return None


def _code_of_click(session: Session, brand_id: UUID, candidates: Iterable[str]) -> tuple[str, UUID, bool] | None:
    """The code a click was made with, the click, and whether a robot made it."""
    clicks = []
    for candidate in candidates:
        try:
            clicks.append(UUID(candidate))
        except ValueError:
            continue
    if not clicks:
        return None
    t = table(Touch)
    found = select(t.c.id, t.c.code, t.c.robot).where(t.c.brand_id == brand_id, among(session, t.c.id, clicks))
    by_click = {row.id: (row.code, row.id, row.robot) for row in session.execute(found) if row.code}
    return next((by_click[click] for click in clicks if click in by_click), None)


def _give_back(session: Session, shop: Opened, back: Back) -> Made:
    order_id = _known_as(session, shop, back.order)
    amount = back.goods
    if back.paid is not None:
        key = (shop.brand_id, shop.source, order_id)
        order = conversions_by(session, [key]).get(key)
        if order is None:
            _wait(session, shop, back, order_id)
            return "waiting", "refund_waiting", order_id, None
        amount = goods_part(order, back.paid)
        if not amount:
            return "ignored", "nothing_back", order_id, order.id
    refund = RefundOrder(shop.brand_id, shop.source, back.number, order_id, amount, back.currency, back.at)
    recorded = record_refunds(session, [refund])[0]
    if recorded.status == "waiting":
        return "waiting", "refund_waiting", order_id, None
    outcome: shops.Outcome = "repeated" if recorded.repeated else "refunded"
    if not recorded.applied and not recorded.repeated:
        outcome = "repeated"  # all of it had gone back before
    return outcome, "refund_cut" if recorded.rest else None, order_id, recorded.conversion_id


def _failed_late(session: Session, shop: Opened, number: str) -> Made | None:
    """A refund that failed after it had been taken off its order: a bank may send the money back days after it seemed
    to have arrived. What was taken off stays off until a person gives it back, so the brand must see it."""
    t = table(Refund)
    mine = (t.c.brand_id == shop.brand_id, t.c.source == shop.source, t.c.external_id == number)
    found = session.execute(select(t.c.order_id, t.c.conversion_id).where(*mine, t.c.applied > 0)).first()
    return ("kept", "refund_failed_late", found.order_id, found.conversion_id) if found is not None else None


def goods_part(order: Conversion, paid: int) -> int:
    """How much of a refund was for the goods: their share of what the customer paid, rounded up, so that the last
    part of a whole refund leaves nothing (of the order's net; minor units)."""
    in_all = order.gross - order.discount
    return min(order.net, -(-paid * order.net // in_all)) if in_all else 0


def _wait(session: Session, shop: Opened, back: Back, order_id: str) -> None:
    """Keep a refund until its order comes."""
    row = {
        "brand_id": shop.brand_id,
        "shop_id": shop.shop_id,
        "external_id": back.number,
        "order_id": order_id,
        "paid": back.paid,
        "currency": back.currency,
        "refunded_at": back.at,
    }
    target = table(ShopRefund)
    insert_missing(session, target, [row], ["brand_id", "shop_id", "external_id"])


def _waited(session: Session, shop: Opened, name: str) -> list[Back]:
    """The refunds that waited for an order by this name, which wait no longer."""
    t = table(ShopRefund)
    mine = (t.c.brand_id == shop.brand_id, t.c.shop_id == shop.shop_id, t.c.order_id == name)
    found = session.execute(select(t).where(*mine).order_by(t.c.refunded_at, t.c.external_id)).all()
    if found:
        session.execute(delete(t).where(*mine))
    return [Back(row.external_id, name, row.currency, row.refunded_at, paid=row.paid) for row in found]


def _known_as(session: Session, shop: Opened, name: str) -> str:
    """The number of the order that has this name."""
    t = table(ShopOrderName)
    mine = (t.c.brand_id == shop.brand_id, t.c.shop_id == shop.shop_id, t.c.name == name)
    return session.scalar(select(t.c.order_id).where(*mine)) or name


def _name(session: Session, shop: Opened, named: Named) -> Made:
    if max(len(named.name), len(named.order)) > 200:
        raise BadInput("shop_unreadable", field="id")
    row = {"brand_id": shop.brand_id, "shop_id": shop.shop_id, "name": named.name, "order_id": named.order}
    target = table(ShopOrderName)
    new = insert_new(session, target, [row], ["brand_id", "shop_id", "name"], returning=target.c.name)
    return "recorded" if new else "repeated", "named", named.order, None
