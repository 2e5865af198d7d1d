"""What a payout of an item brought its member, for a receipt: codes, tickets, a badge, a parcel on its way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from rewards.items import badges, draws, promo_codes, shipments, vouchers
from rewards.items.badges import Badge
from rewards.items.draws import Draw
from rewards.items.items import Item
from rewards.items.shipments import Shipment
from rewards.payouts.payouts import Payout


@dataclass(frozen=True, slots=True)
class Code:
    """A voucher or promo code, readable: show it to its owner in private, and keep it nowhere."""

    text: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Contents:
    """Only what the item's kind has is filled. `person`: the member's mark in the list of the draw."""

    item: Item
    codes: tuple[Code, ...] = ()
    tickets: tuple[int, ...] = ()
    draw: Draw | None = None
    person: str | None = None
    badge: Badge | None = None
    shipment: Shipment | None = None


def contents_of(session: Session, payout: Payout) -> Contents | None:
    """What is in it by now; None for a payout of money. Raises `Unavailable("sealed")` when the vault's key is gone."""
    if payout.item_id is None:
        return None
    item = session.get(Item, (payout.brand_id, payout.item_id))
    assert item is not None
    here = (session, payout.brand_id, payout.id)
    match item.kind:
        case "voucher":
            found = vouchers.vouchers_of(*here)
            return Contents(item, tuple(Code(vouchers.code_of(one), vouchers.expires_at(one)) for one in found))
        case "promo_code":
            return Contents(item, tuple(Code(one.code, one.expires_at) for one in promo_codes.promo_codes_of(*here)))
        case "ticket":
            tickets = draws.tickets_of(*here)
            draw = session.get(Draw, (payout.brand_id, tickets[0].draw_id)) if tickets else None
            person = tickets[0].person if tickets else None
            return Contents(item, tickets=tuple(ticket.number for ticket in tickets), draw=draw, person=person)
        case "physical":
            return Contents(item, shipment=shipments.shipment_of(*here))
        case _:
            return Contents(item, badge=badges.badge_of(*here))
