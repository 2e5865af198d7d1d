"""Parcels for whoever packs them: lists, files with addresses, and what a parcel's journey means for its payout."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from sqlmodel import Session

from core.errors import BadInput
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
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


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


def write(session: Session, rows: Sequence[Shipment], file: Path, zone: ZoneInfo) -> int:
    """Parcels with their addresses as `.csv` (UTF-8 with a mark, for Excel) or `.xlsx`; how many.

    No cell is a formula, whatever somebody wrote into their address: in CSV an apostrophe stands before such a cell,
    in XLSX every cell is text. Raises `BadInput("table_format")`, `Unavailable("sealed")`.
    """
    table = [COLUMNS, *(_line(session, row) for row in rows)]
    match file.suffix.lower():
        case ".csv":
            with file.open("w", encoding="utf-8-sig", newline="") as out:
                csv.writer(out).writerows([_plain(cell) for cell in line] for line in table)
        case ".xlsx":
            book = Workbook(write_only=True)
            sheet = book.create_sheet("parcels")
            for line in table:
                sheet.append([_text(sheet, cell) for cell in line])
            book.save(file)
        case _:
            raise BadInput("table_format", path=file.name)
    file.chmod(0o600)  # addresses of people
    return len(rows)


def _line(session: Session, shipment: Shipment) -> list[str]:
    item, member = _about(session, shipment)
    address = address_of(shipment) or {}
    quantity = payout_of(session, shipment.brand_id, shipment.payout_id).quantity
    known = [codes.display(shipment.reference), item.slug, str(quantity), member.name if member else ""]
    return known + [str(address.get(key, "")) for key in KEYS]


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _text(sheet: Any, value: str) -> Any:
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    return cell
