"""Who bought: the member behind an order, and the friend whom an invite code at the till has brought.

A customer whom only the shop knows is an account of the platform `shop`, named by a keyed hash: linking, forgetting
and "never seen before" work for them as for any other account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import insert_missing, table
from core.keyed import Keyed
from referral import codes
from referral.arrivals import Arrive, arrive
from referral.attribution.consent import agreed
from referral.campaigns import owners_of
from referral.conversions import SHOP, Order
from referral.linking import MemberLink, person_of
from referral.members import Account, Identity, Member, Sighting, fingerprint
from referral.referrals import Referral

Named = tuple[UUID, str, str]
"""(brand, platform, account)"""


@dataclass(slots=True)
class Buyer:
    """`member_id`: who bought, or None with the `reason`: guest, unknown_buyer or ambiguous_buyer.

    `code_campaign`, `code_advocate`: whose the order's code is. `outcome`: what became of coming with it, as `arrive`
    says.
    """

    member_id: UUID | None = None
    reason: str | None = None
    code_campaign: UUID | None = None
    code_advocate: UUID | None = None
    outcome: str | None = None


_I, _M, _R, _L = table(Identity).c, table(Member).c, table(Referral).c, table(MemberLink).c
_ABSORBED = (_L.brand_id == _M.brand_id) & (_L.absorbed_id == _M.id) & _L.undone_at.is_(None)
_PEOPLE = Keyed(
    select(_M.brand_id, _M.id, _L.kept_id).outerjoin(table(MemberLink), _ABSORBED).where(_M.erased_at.is_(None)),
    _M.brand_id,
    _M.id,
)
"""Members, with whom they have become."""
_BROUGHT = Keyed(select(_R.brand_id, _R.id, _R.friend_id), _R.brand_id, _R.id)
"""The friends of referrals."""
_BEHIND = Keyed(select(_I.brand_id, _I.platform, _I.account, _I.member_id), _I.brand_id, _I.platform, _I.account)
"""The members behind accounts."""


def find_buyers(session: Session, orders: Sequence[Order]) -> list[Buyer]:
    """The buyer of each order; who comes with a code and was never seen is made a friend. Set-based."""
    named = [_accounts(order) for order in orders]
    members, friends, accounts = _given(session, orders, named)
    buyers = [_find(order, names, members, friends, accounts) for order, names in zip(orders, named, strict=True)]
    # An account that is a member's was seen when it became one.
    unseen = [
        (order, new)
        for order, names in zip(orders, named, strict=True)
        if (new := [name for name in names if name not in accounts])
    ]
    _see(session, [(order, names) for order, names in unseen if order.code is None])
    if _come(session, orders, named, buyers, accounts):
        # Who has just come may have bought more than the order that had the code.
        for order, names, buyer in zip(orders, named, buyers, strict=True):
            if buyer.reason == "unknown_buyer":
                found = _find(order, names, members, friends, accounts)
                buyer.member_id, buyer.reason = found.member_id, found.reason
    _see(session, unseen)
    _adopt(session, orders, buyers, accounts)
    return buyers


def _given(
    session: Session, orders: Sequence[Order], accounts: Sequence[Sequence[Named]]
) -> tuple[dict[tuple[UUID, UUID], UUID], dict[tuple[UUID, UUID], UUID], dict[Named, UUID]]:
    """What the orders name and we know: members (as the persons they are by now), the friends of referrals, the members
    of accounts."""
    people = _PEOPLE.ask(session, {(order.brand_id, order.member_id) for order in orders if order.member_id})
    brought = _BROUGHT.ask(session, {(order.brand_id, order.referral_id) for order in orders if order.referral_id})
    named = _BEHIND.ask(session, {name for given in accounts for name in given})
    return (
        {(row[0], row[1]): person_of(session, row[0], row[2]) if row[2] else row[1] for row in people},
        {(row[0], row[1]): row[2] for row in brought},
        {(brand, platform, account): member for brand, platform, account, member in named},
    )


def _accounts(order: Order) -> list[Named]:
    """The accounts an order names, the one on a platform first."""
    named = [order.account] if order.account else []
    if order.customer_hash:
        named.append((SHOP, order.customer_hash))
    return [(order.brand_id, *account) for account in named]


def _find(
    order: Order,
    names: Sequence[Named],
    members: dict[tuple[UUID, UUID], UUID],
    friends: dict[tuple[UUID, UUID], UUID],
    accounts: dict[Named, UUID],
) -> Buyer:
    found = {accounts[name] for name in names if name in accounts}
    if order.member_id and (order.brand_id, order.member_id) in members:
        found.add(members[(order.brand_id, order.member_id)])
    if order.referral_id and (order.brand_id, order.referral_id) in friends:
        found.add(friends[(order.brand_id, order.referral_id)])
    if len(found) > 1:
        return Buyer(reason="ambiguous_buyer")
    if found:
        return Buyer(found.pop())
    said = order.member_id or order.referral_id or names
    return Buyer(reason="unknown_buyer" if said else "guest")


def _come(
    session: Session,
    orders: Sequence[Order],
    named: Sequence[Sequence[Named]],
    buyers: Sequence[Buyer],
    accounts: dict[Named, UUID],
) -> bool:
    """Let those who gave a code come with it; who is known and who is new, `arrive` says. Whether anybody came."""
    read = {order.code: codes.read(order.code) for order in orders if order.code is not None}
    if not read:
        return False
    owners = owners_of(session, [code for code in read.values() if code is not None])
    coming: list[tuple[Buyer, Named, Arrive]] = []
    for order, names, buyer in zip(orders, named, buyers, strict=True):
        owner = owners.get(read[order.code] or "") if order.code is not None else None
        if owner is None or owner.brand_id != order.brand_id:
            buyer.outcome = None if order.code is None else "unknown_code"
            continue
        buyer.code_campaign, buyer.code_advocate = owner.campaign.id, owner.advocate_id
        name = next((one for one in names if accounts.get(one) == buyer.member_id), None)
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


def _see(session: Session, unseen: Sequence[tuple[Order, Sequence[Named]]]) -> None:
    """A customer of an order has been seen by the brand: later they are not new."""
    rows = [
        {"brand_id": order.brand_id, "fingerprint": fingerprint(*name[1:]), "seen_at": order.ordered_at, "via": "order"}
        for order, names in sorted(unseen, key=lambda one: one[0].ordered_at)
        for name in names
    ]
    first = {(row["brand_id"], row["fingerprint"]): row for row in reversed(rows)}
    target = table(Sighting)
    ordered = [first[key] for key in sorted(first, key=str)]
    insert_missing(session, target, ordered, ["brand_id", "fingerprint"])


def _adopt(session: Session, orders: Sequence[Order], buyers: Sequence[Buyer], accounts: dict[Named, UUID]) -> None:
    """Where we know the buyer, the shop names its customer, and the buyer agreed to be joined over devices, the shop's
    account is the buyer's from now on."""
    owners: dict[Named, tuple[UUID, datetime]] = {}
    at_tills: dict[tuple[UUID, UUID], str] = {}
    for order, buyer in zip(orders, buyers, strict=True):
        if buyer.member_id is None or order.customer_hash is None:
            continue
        name = (order.brand_id, SHOP, order.customer_hash)
        if name not in accounts:
            owners[name] = (buyer.member_id, order.ordered_at)
            if order.consent:
                at_tills[(order.brand_id, buyer.member_id)] = order.source
    joined = agreed(session, {(name[0], member_id) for name, (member_id, _) in owners.items()}, at_tills)
    target = table(Identity)
    rows = [
        {
            "brand_id": name[0],
            "platform": SHOP,
            "account": name[2],
            "member_id": member_id,
            "reachable": False,
            "seen_at": seen_at,
        }
        for name, (member_id, seen_at) in sorted(owners.items(), key=str)
        if (name[0], member_id) in joined
    ]
    insert_missing(session, target, rows, ["brand_id", "platform", "account"])
