"""What was given follows the persons it belongs to: two members become one, one becomes two again, one is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, case, select, update
from sqlmodel import Session, col

from core.db import insert, table
from core.events import Bus
from referral.linking import LinkUndone, MemberLink, MembersLinked
from rewards.items import shipments
from rewards.items.badges import Badge
from rewards.items.contents import contents_of
from rewards.items.draws import Ticket
from rewards.items.items import Item, ItemCount
from rewards.items.promo_codes import PromoCode
from rewards.items.redeem import WAITING
from rewards.items.shipments import Shipment
from rewards.payouts.payouts import OPEN, Payout
from rewards.payouts.settling import cancel_payout

OWNED: tuple[Table, ...] = tuple(table(one) for one in (PromoCode, Shipment, Badge, Ticket))


def listen(bus: Bus) -> None:
    """Join what was given to the linking of members."""
    bus.on(MembersLinked, on_linked)
    bus.on(LinkUndone, on_undone)


def on_linked(session: Session, happened: Sequence[MembersLinked]) -> None:
    """Everything of the absorbed member becomes the kept one's; what both bought counts together."""
    for event in happened:
        moved = {one.name: _move(session, one, event) for one in OWNED}
        counts = _counts(session, event.brand_id, event.absorbed_id)
        _count(session, event.brand_id, event.kept_id, counts)
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        link.moved = {**link.moved, "items": moved, "item_counts": {str(item): n for item, n in counts.items()}}
        session.add(link)
        session.flush()


def _move(session: Session, owned: Table, event: MembersLinked) -> list[str]:
    rows = session.execute(
        update(owned)
        .where(owned.c.brand_id == event.brand_id, owned.c.member_id == event.absorbed_id)
        .values(member_id=event.kept_id)
        .returning(owned.c.id)
    )
    return [str(row) for row in rows.scalars()]


def _counts(session: Session, brand_id: UUID, member_id: UUID) -> dict[UUID, int]:
    t = table(ItemCount)
    rows = session.execute(
        select(t.c.item_id, t.c.taken).where(t.c.brand_id == brand_id, t.c.member_id == member_id).with_for_update()
    )
    return dict(rows.all())


def _count(session: Session, brand_id: UUID, member_id: UUID, counts: dict[UUID, int]) -> None:
    t = table(ItemCount)
    for item_id, taken in sorted(counts.items()):
        more = insert(session, t).values(brand_id=brand_id, item_id=item_id, member_id=member_id, taken=taken)
        session.execute(
            more.on_conflict_do_update(
                index_elements=["brand_id", "item_id", "member_id"], set_={"taken": t.c.taken + taken}
            )
        )


def on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """What had gone over goes back, and counts for the kept member no more."""
    for event in happened:
        moved = session.get_one(MemberLink, (event.brand_id, event.link_id)).moved
        for owned in OWNED:
            theirs = [UUID(one) for one in moved.get("items", {}).get(owned.name, [])]
            session.execute(
                update(owned)
                .where(owned.c.brand_id == event.brand_id, owned.c.id.in_(theirs))
                .values(member_id=event.absorbed_id)
            )
        failed = _failed_since(session, event.brand_id, moved.get("payouts", {}))
        for name, taken in moved.get("item_counts", {}).items():
            item_id = UUID(name)
            # What failed since came off the kept member's count already, and was the absorbed one's.
            _uncount(session, event.brand_id, event.kept_id, item_id, taken - failed[item_id])
            _uncount(session, event.brand_id, event.absorbed_id, item_id, failed[item_id])


def _failed_since(session: Session, brand_id: UUID, before: Mapping[str, str]) -> Counter[UUID]:
    """How many of each item these payouts took and gave back since. `before`: their states then."""
    failed: Counter[UUID] = Counter()
    rows = session.scalars(
        select(Payout).where(
            col(Payout.brand_id) == brand_id,
            col(Payout.id).in_([UUID(one) for one, state in before.items() if state in OPEN]),
            col(Payout.state) == "failed",
            col(Payout.item_id).is_not(None),
            col(Payout.reward_id).is_(None),
        )
    )
    for payout in rows:
        if payout.item_id is not None and payout.detail.get("taken"):
            failed[payout.item_id] += payout.quantity
    return failed


def _uncount(session: Session, brand_id: UUID, member_id: UUID, item_id: UUID, less: int) -> None:
    t = table(ItemCount)
    session.execute(
        update(t)
        .where(t.c.brand_id == brand_id, t.c.item_id == item_id, t.c.member_id == member_id)
        .values(taken=case((t.c.taken >= less, t.c.taken - less), else_=0))
    )


def forget_items(session: Session, brand_id: UUID, members: Sequence[UUID]) -> None:
    """Erase where things were sent to these members; what is not on its way yet is not sent any more, and what could
    not be handed over so far is called off."""
    waiting = select(col(Payout.id)).where(
        col(Payout.brand_id) == brand_id,
        col(Payout.member_id).in_(members),
        col(Payout.state) == "pending",
        col(Payout.reason).in_(WAITING),
        col(Payout.item_id).is_not(None),
    )
    for payout_id in session.scalars(waiting).all():
        cancel_payout(session, brand_id, payout_id, "privacy")
    rows = session.scalars(
        select(Shipment).where(col(Shipment.brand_id) == brand_id, col(Shipment.member_id).in_(members))
    ).all()
    for shipment in rows:
        if shipment.state in ("asked", "ready"):
            cancel_payout(session, brand_id, shipment.payout_id, "privacy")
        shipments.erase(session, shipment)


def export_items(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    """What a member was given, oldest first, with its codes and addresses, ready for JSON."""
    rows = session.scalars(
        select(Payout)
        .where(col(Payout.brand_id) == brand_id, col(Payout.member_id) == member_id, col(Payout.item_id).is_not(None))
        .order_by(col(Payout.created_at), col(Payout.id))
    )
    return [_exported(session, payout) for payout in rows]


def _exported(session: Session, payout: Payout) -> dict[str, Any]:
    found = contents_of(session, payout)
    item = session.get(Item, (payout.brand_id, payout.item_id))
    assert found is not None
    assert item is not None
    document: dict[str, Any] = {"item": item.slug, "quantity": payout.quantity, "state": payout.state}
    if found.codes:
        document["codes"] = [code.text for code in found.codes]
    if found.tickets:
        document |= {"tickets": list(found.tickets), "person": found.person}
    if found.badge:
        badge = found.badge
        document["badge"] = {"platform": badge.platform, "group": badge.group_id, "label": badge.label}
    if found.shipment:
        shipment = found.shipment
        document["shipment"] = {
            "state": shipment.state,
            "address": shipments.address_of(shipment),
            "carrier": shipment.carrier,
            "tracking": shipment.tracking,
        }
    return document
