"""What `daixin ledger …` does in the database: units of work that return what is printed."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.errors import BadInput, NotFound
from daixin.console import brand_named
from referral.campaigns import find_campaign
from rewards import settlement
from rewards.ledger import Transfer
from rewards.proofs import blocks, proofs

Document = dict[str, Any]


def prove(session: Session, brand: str | None, transfer: str) -> Document:
    """The proof of a transfer named by its id or its reference. Raises as `proofs.proof_of`."""
    owner = brand_named(session, brand)
    try:
        found: UUID | None = UUID(transfer)
    except ValueError:
        found = session.scalar(
            select(col(Transfer.id)).where(col(Transfer.brand_id) == owner.id, col(Transfer.reference) == transfer)
        )
    if found is None:
        raise NotFound("unknown_transfer", transfer=transfer[:100])
    return proofs.proof_of(session, owner.id, found)


def root(session: Session, brand: str | None, day: date | None) -> Document:
    """The root of a day; of today as it is so far if none is given. Raises `NotFound("nothing_sealed")`."""
    owner = brand_named(session, brand)
    wanted = day or clock.now().astimezone(ZoneInfo(owner.timezone)).date()
    found = blocks.day_root(session, owner, wanted)
    if found is None:
        raise NotFound("nothing_sealed", day=wanted.isoformat())
    return {"day": wanted.isoformat(), "height": found[0], "root": found[1]}


def publish(session: Session, brand: str | None, chats: list[str]) -> Document:
    """Post the roots in these chats (`platform:chat`), or nowhere. Raises `BadInput("chat_name")`."""
    owner = brand_named(session, brand)
    named = [chat.partition(":") for chat in chats]
    wrong = [chat for chat, (platform, _, place) in zip(chats, named, strict=True) if not (platform and place)]
    if wrong:
        raise BadInput("chat_name", chat=wrong[0][:100])
    blocks.publish_on(session, owner.id, [(platform, place) for platform, _, place in named])
    return {"brand": owner.slug, "posted_in": [":".join(chat) for chat in blocks.readers_of(session, owner.id)]}


def settle(session: Session, brand: str | None, slug: str) -> Document:
    """What an ended campaign has not spent, returned to the brand. Raises as `settlement.settle`."""
    found = find_campaign(session, brand_named(session, brand).id, slug)
    returned = settlement.settle(session, found)
    return {"slug": found.slug, "state": found.state, "returned": returned}
