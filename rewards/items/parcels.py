"""Parcels for whoever packs them: lists, files with addresses, and what a parcel's journey means for its payout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core.sheets import write_sheet
from referral import codes
from referral.members import Member
from rewards.items import shipments
from rewards.items.addresses import KEYS
from rewards.items.items import Item
from rewards.items.shipments import Shipment, address_of
from rewards.payouts.payouts import payout_of
from rewards.payouts.port import Answer
from rewards.payouts.settling import cancel_payout, conclude

COLUMNS = ("reference", "item", "quantity", "member", *KEYS)


def ship(session: Session, shipment: Shipment, carrier: str, tracking: str) -> None:
    """It is on its way, which completes its payout. Raises `Refused("shipment_state")`, `BadInput`."""
    shipments.ship(session, shipment, carrier, tracking)
    conclude(session, shipment.brand_id, shipment.payout_id, Answer("completed"), "start")


def cancel(session: Session, shipment: Shipment, actor: str) -> None:
    """It will not be sent: the points come back. Raises `Refused` once it is on its way."""
    if shipment.state != "cancelled":
        cancel_payout(session, shipment.brand_id, shipment.payout_id, actor)


def summary(session: Session, shipment: Shipment, zone: ZoneInfo) -> dict[str, Any]:
    """A parcel without its address."""
    item, member = _about(session, shipment)
    moments = ("asked_at", "ready_at", "shipped_at", "delivered_at")
    return {
        "reference": codes.display(shipment.reference),
        "state": shipment.state,
        "item": item.slug,
        "member": member.name if member else "",
        "country": shipment.country,
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
    } | {
        name: at.astimezone(zone).isoformat("T", "minutes") if (at := getattr(shipment, name)) else None
        for name in moments
    }


def _about(session: Session, shipment: Shipment) -> tuple[Item, Member | None]:
    item = session.get(Item, (shipment.brand_id, shipment.item_id))
    assert item is not None
    return item, session.get(Member, (shipment.brand_id, shipment.member_id))


def write(session: Session, rows: Sequence[Shipment], file: Path) -> int:
    """Parcels with their addresses as `.csv` or `.xlsx`, readable by this user alone; how many.

    Raises `BadInput("table_format")`, `Unavailable("sealed")`.
    """
    write_sheet(file, "parcels", [COLUMNS, *(_line(session, row) for row in rows)])
    return len(rows)


def _line(session: Session, shipment: Shipment) -> list[str]:
    item, member = _about(session, shipment)
    address = address_of(shipment) or {}
    quantity = payout_of(session, shipment.brand_id, shipment.payout_id).quantity
    known = [codes.display(shipment.reference), item.slug, str(quantity), member.name if member else ""]
    return known + [str(address.get(key, "")) for key in KEYS]
