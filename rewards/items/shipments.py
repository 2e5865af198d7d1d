"""Things that are posted: who wants them sent where, sealed while it is needed and erased after.

States: asked (we need an address) → ready (to be packed) → shipped → delivered; or cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, select, update
from sqlmodel import Field, Session, col

from core import clock, events, vault
from core.db import TenantRow, UtcDateTime, table
from core.errors import BadInput, NotFound, Refused
from referral import codes
from rewards.items.addresses import check_address
from rewards.items.items import Item
from rewards.payouts.payouts import Payout

CARRIER_LENGTH = 40
AT_ONCE = 500
"""Parcels that one unit of the job looks at."""
ARRIVES = timedelta(days=30)
"""A parcel nobody says anything of counts as delivered this long after it left: its address must go some day."""
STATES = ("asked", "ready", "shipped", "delivered", "cancelled")


class Shipment(TenantRow, table=True):
    """One parcel: a payout's. `sealed`: the address, bound to this row; None before it is told and once erased."""

    __tablename__ = "shipment"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "item_id"], ["item.brand_id", "item.id"]),
        ForeignKeyConstraint(["brand_id", "payout_id"], ["payout.brand_id", "payout.id"]),
        UniqueConstraint("brand_id", "payout_id"),
        UniqueConstraint("brand_id", "reference"),
        CheckConstraint("state IN ('asked', 'ready', 'shipped', 'delivered', 'cancelled')", name="state"),
        Index("ix_shipment_state", "brand_id", "state", "asked_at"),
        Index("ix_shipment_member", "brand_id", "member_id"),
        Index("ix_shipment_erase", "erase_at"),
    )

    reference: str = Field(default_factory=codes.new)
    """How people who ship call it: random, with a check symbol."""
    item_id: UUID
    member_id: UUID
    payout_id: UUID
    state: str = "asked"
    sealed: str | None = None
    country: str | None = None
    carrier: str | None = None
    tracking: str | None = None
    asked_at: datetime = Field(sa_type=UtcDateTime)
    ready_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    shipped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    delivered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    erase_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the address goes; set at the end of the journey."""


@dataclass(frozen=True, slots=True)
class ShipmentMoved:
    """A parcel is in another state: tell its member."""

    brand_id: UUID
    shipment_id: UUID
    payout_id: UUID
    item_id: UUID
    member_id: UUID
    state: str
    carrier: str | None
    tracking: str | None


def ask(session: Session, item: Item, member_id: UUID, payout_id: UUID) -> Shipment:
    """A new parcel that waits for its address."""
    shipment = Shipment(
        brand_id=item.brand_id, item_id=item.id, member_id=member_id, payout_id=payout_id, asked_at=clock.now()
    )
    session.add(shipment)
    _tell(session, shipment)
    return shipment


def shipment_of(session: Session, brand_id: UUID, payout_id: UUID) -> Shipment | None:
    """The parcel of a payout."""
    return session.scalar(
        select(Shipment).where(col(Shipment.brand_id) == brand_id, col(Shipment.payout_id) == payout_id)
    )


def set_address(session: Session, payout: Payout, given: Mapping[str, str]) -> Shipment:
    """Keep where to send it, sealed; again as long as it is not shipped.

    Raises `BadInput` for an address of the wrong shape, `Refused`: shipped_already, not_sent_there, no_address_needed.
    """
    shipment = shipment_of(session, payout.brand_id, payout.id)
    if shipment is None:
        raise Refused("no_address_needed")
    if shipment.state not in ("asked", "ready"):
        raise Refused("shipped_already")
    item = session.get(Item, (shipment.brand_id, shipment.item_id))
    assert item is not None
    address = check_address(given)
    allowed = item.settings["countries"]
    if allowed and address["country"] not in allowed:
        raise Refused("not_sent_there", countries=", ".join(allowed))
    shipment.sealed = vault.seal(address, bound_to=shipment.id)
    shipment.country = address["country"]
    first = shipment.state == "asked"
    shipment.state = "ready"
    shipment.ready_at = shipment.ready_at or clock.now()
    session.add(shipment)
    if first:
        _tell(session, shipment)
    session.flush()
    return shipment


def address_of(shipment: Shipment) -> dict[str, Any] | None:
    """Where it goes, for whoever ships it; None while it is not told, and once it is erased."""
    return vault.unseal(shipment.sealed, bound_to=shipment.id) if shipment.sealed else None


def find_shipment(session: Session, brand_id: UUID, reference: str) -> Shipment:
    """By its reference, in whatever spelling. Raises `NotFound("shipment")`, also for a mistyped one."""
    try:
        wanted = codes.normalize(reference)
    except BadInput:
        raise NotFound("shipment", reference=reference[:40]) from None
    found = session.scalar(
        select(Shipment).where(col(Shipment.brand_id) == brand_id, col(Shipment.reference) == wanted)
    )
    if found is None:
        raise NotFound("shipment", reference=reference[:40])
    return found


def shipments_of(session: Session, brand_id: UUID, state: str | None = None) -> list[Shipment]:
    """The brand's parcels, oldest first."""
    chosen = select(Shipment).where(col(Shipment.brand_id) == brand_id)
    if state is not None:
        chosen = chosen.where(col(Shipment.state) == state)
    return list(session.scalars(chosen.order_by(col(Shipment.asked_at), col(Shipment.id))))


def ship(session: Session, shipment: Shipment, carrier: str, tracking: str) -> None:
    """It is on its way. A repeat with other words corrects them. Raises `Refused("shipment_state")`, `BadInput`."""
    carrier, tracking = " ".join(carrier.split()), "".join(tracking.split())
    if not carrier or len(carrier) > CARRIER_LENGTH or not tracking or len(tracking) > CARRIER_LENGTH:
        raise BadInput("carrier_words", limit=CARRIER_LENGTH)
    if shipment.state not in ("ready", "shipped"):
        raise Refused("shipment_state", state=shipment.state)
    if (shipment.state, shipment.carrier, shipment.tracking) == ("shipped", carrier, tracking):
        return
    shipment.state, shipment.carrier, shipment.tracking = "shipped", carrier, tracking
    shipment.shipped_at = shipment.shipped_at or clock.now()
    session.add(shipment)
    _tell(session, shipment)


def arrive(session: Session, shipment: Shipment) -> bool:
    """It was delivered; whether that is news. Raises `Refused("shipment_state")`."""
    if shipment.state == "delivered":
        return False
    if shipment.state != "shipped":
        raise Refused("shipment_state", state=shipment.state)
    _end(session, shipment, "delivered")
    return True


def cancel(session: Session, shipment: Shipment) -> None:
    """It will not be sent. Raises `Refused("shipment_state")` once it is on its way."""
    if shipment.state not in ("asked", "ready"):
        raise Refused("shipment_state", state=shipment.state)
    _end(session, shipment, "cancelled")


def _end(session: Session, shipment: Shipment, state: str) -> None:
    item = session.get(Item, (shipment.brand_id, shipment.item_id))
    assert item is not None
    now = clock.now()
    shipment.state = state
    shipment.delivered_at = now if state == "delivered" else None
    # A parcel that is not sent needs no address any more; one that came may have to be sent again.
    shipment.erase_at = now + timedelta(days=item.settings["keep_days"]) if state == "delivered" else now
    session.add(shipment)
    _tell(session, shipment)


def _tell(session: Session, row: Shipment) -> None:
    session.flush()
    moved = ShipmentMoved(
        row.brand_id, row.id, row.payout_id, row.item_id, row.member_id, row.state, row.carrier, row.tracking
    )
    events.emit(session, [moved])


def follow_clock(session: Session) -> int:
    """Count parcels as delivered that left long ago, erase addresses whose time is over; how many of both."""
    return _arrive_due(session) + _erase_due(session)


def _arrive_due(session: Session) -> int:
    due = session.scalars(
        select(Shipment)
        .where(col(Shipment.state) == "shipped", col(Shipment.shipped_at) <= clock.now() - ARRIVES)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for shipment in due:
        _end(session, shipment, "delivered")
    return len(due)


def _erase_due(session: Session) -> int:
    t = table(Shipment)
    due = (
        select(t.c.id)
        .where(t.c.sealed.is_not(None), t.c.erase_at <= clock.now())
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    erased = session.execute(
        update(t).where(t.c.id.in_(due.scalar_subquery())).values(sealed=None).returning(t.c.id)
    ).all()
    return len(erased)


def erase(session: Session, shipment: Shipment) -> None:
    """Erase where it goes, now: its member asked to be forgotten."""
    shipment.sealed = shipment.carrier = shipment.tracking = None
    session.add(shipment)
    session.flush()
