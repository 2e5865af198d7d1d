"""What `daixin item`, `catalogue`, `voucher`, `shipment` and `draw` do in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from core import i18n, money
from core.errors import BadInput
from daixin.console import brand_named
from referral.campaigns import find_campaign
from referral.members import Member
from rewards.items import draws, parcels, shipments, vouchers
from rewards.items.catalogue_files import apply_catalogue, read_catalogue
from rewards.items.items import Item, ItemForm, find_item, form_of, items_of, retire, save_item
from rewards.items.voucher_files import read_codes

Document = dict[str, Any]


def add_item(session: Session, brand: str | None, form: ItemForm) -> Document:
    """A new item. Raises what `save_item` raises; for a slug that is there it changes that item."""
    item, changed = save_item(session, brand_named(session, brand).id, form)
    return _shown(session, item) | {"changed": changed}


def edit_item(session: Session, brand: str | None, slug: str, changes: Document) -> Document:
    """Change what is named; words and settings are added to those that are there."""
    owner = brand_named(session, brand)
    form = form_of(find_item(session, owner.id, slug))
    for name in ("title", "about", "settings"):
        changes[name] = {**(getattr(form, name) or {}), **changes.pop(name, {})}
    item, changed = save_item(session, owner.id, replace(form, **changes))
    return _shown(session, item) | {"changed": changed}


def list_items(session: Session, brand: str | None) -> list[Document]:
    """All items with what is left of them."""
    return [_shown(session, item) for item in items_of(session, brand_named(session, brand).id)]


def retire_item(session: Session, brand: str | None, slug: str) -> Document:
    """Out of the catalogue."""
    return _shown(session, retire(session, brand_named(session, brand).id, slug))


def _shown(session: Session, item: Item) -> Document:
    if item.kind == "voucher":
        left: int | None = vouchers.available(session, item.brand_id, item.id)
    else:
        left = None if item.stock is None else item.stock - item.given
    return {
        "slug": item.slug,
        "kind": item.kind,
        "title": item.title,
        "price": item.price,
        "left": left,
        "given": item.given,
        "per_member": item.per_member,
        "active": item.active,
        "settings": item.settings,
    }


def apply_items(session: Session, brand: str | None, text: str) -> list[Document]:
    """The catalogue of a file."""
    applied = apply_catalogue(session, brand_named(session, brand).id, read_catalogue(text))
    return [{"slug": one.slug, "change": one.change} for one in applied]


def import_codes(session: Session, brand: str | None, slug: str, file: Path) -> Document:
    """The codes of a file into the pool of an item."""
    if not file.is_file():
        raise BadInput("no_file", path=str(file))
    owner = brand_named(session, brand)
    done = vouchers.import_vouchers(session, owner.id, slug, read_codes(file.read_bytes(), owner.timezone))
    return {"item": slug, "added": done.added, "known": done.known, "available": done.available}


def list_shipments(session: Session, brand: str | None, state: str | None) -> list[Document]:
    """The parcels, without addresses."""
    owner = brand_named(session, brand)
    return [
        parcels.summary(session, row, ZoneInfo(owner.timezone))
        for row in shipments.shipments_of(session, owner.id, state)
    ]


def export_shipments(session: Session, brand: str | None, file: Path, state: str) -> int:
    """Write the parcels of a state with their addresses; how many."""
    owner = brand_named(session, brand)
    return parcels.write(session, shipments.shipments_of(session, owner.id, state), file)


def move_shipment(
    session: Session, brand: str | None, reference: str, what: str, carrier: str = "", tracking: str = ""
) -> Document:
    """Ship, deliver or cancel a parcel."""
    owner = brand_named(session, brand)
    found = shipments.find_shipment(session, owner.id, reference)
    match what:
        case "ship":
            parcels.ship(session, found, carrier, tracking)
        case "delivered":
            shipments.arrive(session, found)
        case _:
            parcels.cancel(session, found, "cli")
    return parcels.summary(session, found, ZoneInfo(owner.timezone))


def create_draw(
    session: Session,
    brand: str | None,
    slug: str,
    item: str,
    campaign: str,
    title: dict[str, str],
    prizes: Sequence[str],
    closes: str,
    entropy: str | None,
) -> Document:
    """A draw with its commitment, which is to be published now."""
    owner = brand_named(session, brand)
    zone = ZoneInfo(owner.timezone)
    try:
        at = datetime.fromisoformat(closes)
    except ValueError:
        raise BadInput("draw_moment", given=closes[:40]) from None
    made = draws.create_draw(
        session,
        owner.id,
        slug,
        item,
        find_campaign(session, owner.id, campaign).id,
        title,
        [read_prize(text) for text in prizes],
        at if at.tzinfo else at.replace(tzinfo=zone),
        entropy,
    )
    return draws.document_of(session, made)


def read_prize(text: str) -> draws.Prize:
    """`3 x 100 PTS`, `10 x item:coffee`, `88.00 CNY`: winners (default 1), amount (default 1), asset.

    Raises `BadInput`: prize_unreadable, unknown_asset.
    """
    parts = text.replace("×", "x").split("x", 1) if not text.strip().startswith("item:") else [text]
    winners, rest = (parts[0].strip(), parts[1]) if len(parts) == 2 and parts[0].strip().isdigit() else ("1", text)
    words = rest.split()
    if not words or len(words) > 2:
        raise BadInput("prize_unreadable", given=text[:60])
    asset = words[-1]
    amount = money.Money.parse(words[0], asset).minor if len(words) == 2 else 1
    if len(words) == 1 and not asset.startswith(money.ITEM):
        raise BadInput("prize_unreadable", given=text[:60])
    return draws.Prize(asset, amount, int(winners))


def list_draws(session: Session, brand: str | None) -> list[Document]:
    """The draws, newest first."""
    return [
        {
            "slug": draw.slug,
            "state": draw.state,
            "tickets": draw.tickets,
            "closes_at": draw.closes_at.isoformat(),
            "commitment": draw.commitment,
        }
        for draw in draws.draws_of(session, brand_named(session, brand).id)
    ]


def close_draw(session: Session, brand: str | None, slug: str) -> Document:
    """Fix the list of tickets."""
    draw = draws.find_draw(session, brand_named(session, brand).id, slug)
    draws.close(session, draw)
    return {"slug": slug, "state": draw.state, "tickets": draw.tickets, "tickets_digest": draw.tickets_digest}


def reveal_draw(session: Session, brand: str | None, slug: str, entropy: str | None) -> list[Document]:
    """Make the seed public and give the prizes; the winners by name, for the operator's eyes."""
    draw = draws.find_draw(session, brand_named(session, brand).id, slug)
    rows = []
    for won in draws.reveal(session, draw, entropy):
        member = session.get(Member, (won.brand_id, won.member_id))
        prize = f"{won.amount} {won.asset}" if won.asset.startswith(money.ITEM) else _money(won.amount, won.asset)
        rows.append({"place": won.place, "ticket": won.number, "name": member.name if member else "", "prize": prize})
    return rows


def _money(amount: int, asset: str) -> str:
    return money.Money(amount, asset).format(i18n.DEFAULT)


def export_draw(session: Session, brand: str | None, slug: str) -> Document:
    """What everybody may read of a draw."""
    return draws.document_of(session, draws.find_draw(session, brand_named(session, brand).id, slug))
