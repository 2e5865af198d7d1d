"""Who bought: the member behind an order, and the friend whom an invite code at the till has brought.

A customer whom only the shop knows is an account of the platform `shop`, named by a keyed hash: linking, forgetting
and "never seen before" work for them as for any other account.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Select, select
from sqlmodel import Session

from core.db import among_keys, insert_new, table
from core.errors import BadInput
from referral import codes
from referral.arrivals import Arrive, arrive
from referral.campaigns import owners_of
from referral.conversions import SHOP, Order
from referral.members import Account, Identity, Member, Sighting, fingerprint
from referral.referrals import Referral

Named = tuple[UUID, str, str]
"""(brand, platform, account)"""


@dataclass(slots=True)
class Buyer:
    """`member_id`: who bought, or None with the `reason`: guest, unknown_buyer or ambiguous_buyer.

    `code_campaign`: the campaign of the order's code. `outcome`: what became of coming with it (see `arrive`).
    """

    member_id: UUID | None = None
    reason: str | None = None
    code_campaign: UUID | None = None
    outcome: str | None = None


def find_buyers(session: Session, orders: Sequence[Order]) -> list[Buyer]:
    """The buyer of each order; who comes with a code and was never seen is made a friend. Set-based."""
    members, friends, accounts = _given(session, orders)
    buyers = [_find(order, members, friends, accounts) for order in orders]
    _see(session, [order for order in orders if order.code is None])
    if _come(session, orders, buyers, accounts):
        # Who has just come may have bought more than the order that had the code.
        for order, buyer in zip(orders, buyers, strict=True):
            if buyer.reason == "unknown_buyer":
                found = _find(order, members, friends, accounts)
                buyer.member_id, buyer.reason = found.member_id, found.reason
    _see(session, orders)
    _adopt(session, orders, buyers)
    return buyers


def _given(
    session: Session, orders: Sequence[Order]
) -> tuple[set[tuple[UUID, UUID]], dict[tuple[UUID, UUID], UUID], dict[Named, UUID]]:
    """What the orders name and we know: members, the friends of referrals, the members of accounts."""
    m, r, i = table(Member), table(Referral), table(Identity)
    people = _among(
        session,
        select(m.c.brand_id, m.c.id).where(m.c.erased_at.is_(None)),
        (m.c.brand_id, m.c.id),
        {(order.brand_id, order.member_id) for order in orders if order.member_id},
    )
    brought = _among(
        session,
        select(r.c.brand_id, r.c.id, r.c.friend_id),
        (r.c.brand_id, r.c.id),
        {(order.brand_id, order.referral_id) for order in orders if order.referral_id},
    )
    named = _among(
        session,
        select(i.c.brand_id, i.c.platform, i.c.account, i.c.member_id),
        (i.c.brand_id, i.c.platform, i.c.account),
        {name for order in orders for name in _accounts(order)},
    )
    return (
        {(row[0], row[1]) for row in people},
        {(row[0], row[1]): row[2] for row in brought},
        {(row[0], row[1], row[2]): row[3] for row in named},
    )


def _among(
    session: Session, statement: Select[Any], columns: Sequence[Column[Any]], keys: Collection[Sequence[Any]]
) -> Sequence[Any]:
    return session.execute(statement.where(among_keys(session, columns, keys))).all() if keys else []


def _accounts(order: Order) -> list[Named]:
    """The accounts an order names, the one on a platform first."""
    named = [order.account] if order.account else []
    if order.customer_hash:
        named.append((SHOP, order.customer_hash))
    return [(order.brand_id, *account) for account in named]


def _find(
    order: Order,
    members: Collection[tuple[UUID, UUID]],
    friends: dict[tuple[UUID, UUID], UUID],
    accounts: dict[Named, UUID],
) -> Buyer:
    found = {accounts[name] for name in _accounts(order) if name in accounts}
    if order.member_id and (order.brand_id, order.member_id) in members:
        found.add(order.member_id)
    if order.referral_id and (order.brand_id, order.referral_id) in friends:
        found.add(friends[(order.brand_id, order.referral_id)])
    if len(found) > 1:
        return Buyer(reason="ambiguous_buyer")
    if found:
        return Buyer(found.pop())
    said = order.member_id or order.referral_id or _accounts(order)
    return Buyer(reason="unknown_buyer" if said else "guest")


def _come(session: Session, orders: Sequence[Order], buyers: Sequence[Buyer], accounts: dict[Named, UUID]) -> bool:
    """Let those who gave a code come with it; who is known and who is new, `arrive` says. Whether anybody came."""
    read = {order.code: _read(order.code) for order in orders if order.code is not None}
    owners = owners_of(session, [code for code in read.values() if code is not None]) if read else {}
    coming: list[tuple[Buyer, Named, Arrive]] = []
    for order, buyer in zip(orders, buyers, strict=True):
        owner = owners.get(read[order.code] or "") if order.code is not None else None
        if owner is None or owner.brand_id != order.brand_id:
            buyer.outcome = None if order.code is None else "unknown_code"
            continue
        buyer.code_campaign = owner.campaign.id
        name = next((one for one in _accounts(order) if accounts.get(one) == buyer.member_id), None)
        if name is not None and buyer.reason != "ambiguous_buyer":
            coming.append((buyer, name, Arrive(owner.code, Account(name[1], name[2], ""), order.ordered_at)))
    if not coming:
        return False
    arrived = arrive(session, [command for _, _, command in coming])
    for (buyer, name, _), came in zip(coming, arrived, strict=True):
        buyer.outcome = came.outcome
        if came.member_id is not None:
            buyer.member_id, buyer.reason = came.member_id, None
            accounts[name] = came.member_id
    return True


def _read(code: str) -> str | None:
    """The code as it is kept; None for what is none, which a till may send all the same."""
    try:
        return codes.normalize(code)
    except BadInput:
        return None


def _see(session: Session, orders: Sequence[Order]) -> None:
    """A customer of an order has been seen by the brand: later they are not new."""
    rows = [
        {"brand_id": order.brand_id, "fingerprint": fingerprint(*name[1:]), "seen_at": order.ordered_at, "via": "order"}
        for order in sorted(orders, key=lambda order: order.ordered_at)
        for name in _accounts(order)
    ]
    first = {(row["brand_id"], row["fingerprint"]): row for row in reversed(rows)}
    target = table(Sighting)
    ordered = [first[key] for key in sorted(first, key=str)]
    insert_new(session, target, ordered, ["brand_id", "fingerprint"], returning=target.c.fingerprint)


def _adopt(session: Session, orders: Sequence[Order], buyers: Sequence[Buyer]) -> None:
    """Where we know the buyer and the shop names its customer, the shop's account is the buyer's from now on."""
    rows = defaultdict[Named, dict[str, object]](dict)
    for order, buyer in zip(orders, buyers, strict=True):
        if buyer.member_id is not None and order.customer_hash is not None:
            rows[(order.brand_id, SHOP, order.customer_hash)] = {
                "brand_id": order.brand_id,
                "platform": SHOP,
                "account": order.customer_hash,
                "member_id": buyer.member_id,
                "reachable": False,
                "seen_at": order.ordered_at,
            }
    target = table(Identity)
    ordered = [rows[name] for name in sorted(rows, key=str)]
    insert_new(session, target, ordered, ["brand_id", "platform", "account"], returning=target.c.account)
