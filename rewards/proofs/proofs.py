"""Proofs that a transfer stands in the books: from the transfer through its block to a published root.

Of other members a proof holds hashes only, and those cannot be guessed back: every transfer has an identifier of its
own with 74 random bits. The format is in `docs/proofs.md`; `rewards.proofs.merkle` checks it without a database.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from core.db import table
from core.errors import NotFound, Refused
from referral.brands import Brand
from rewards.ledger import Transfer
from rewards.proofs.blocks import (
    Block,
    PublishedRoot,
    SealedTransfer,
    day_root,
    header,
    last_block,
    published_from,
    transfer_document,
)
from rewards.proofs.merkle import FORMAT, Checked, check, path_of

__all__ = ["Checked", "check", "proof_of", "proof_of_reward"]

LONGEST_CHAIN = 20_000
"""Blocks between a transfer's block and the root its proof leads to, at most: some megabytes of headers."""


def proof_of(session: Session, brand_id: UUID, transfer_id: UUID) -> dict[str, Any]:
    """The proof of a transfer, ready for JSON.

    It leads to the first published root that covers the transfer; where none does, to the root of the block's own
    day as it is so far. Raises `NotFound("unknown_transfer")`, `Refused("not_sealed_yet")`.
    """
    transfer = session.get(Transfer, (brand_id, transfer_id))
    if transfer is None:
        raise NotFound("unknown_transfer", transfer=str(transfer_id))
    entry = session.get(SealedTransfer, (brand_id, transfer_id))
    if entry is None:
        raise Refused("not_sealed_yet")
    sealed = (
        select(col(SealedTransfer.leaf))
        .where(col(SealedTransfer.brand_id) == brand_id, col(SealedTransfer.height) == entry.height)
        .order_by(col(SealedTransfer.position))
    )
    leaves = list(session.scalars(sealed))
    published = published_from(session, brand_id, entry.height)
    if published is not None and published.height - entry.height > LONGEST_CHAIN:
        published = None
    last = published.height if published is not None else _end_of_its_day(session, brand_id, entry.height)
    chain = (
        select(Block)
        .where(col(Block.brand_id) == brand_id, col(Block.height).between(entry.height, last))
        .order_by(col(Block.height))
    )
    return {
        "format": FORMAT,
        "transfer": transfer_document(transfer),
        "position": entry.position,
        "path": [step.hex() for step in path_of(leaves, entry.position)],
        "headers": [header(block) for block in session.scalars(chain)],
        "published": _told(published) if published is not None else None,
    }


def _end_of_its_day(session: Session, brand_id: UUID, height: int) -> int:
    """The height of the last block of the day on which a block was sealed, so far."""
    block, brand = session.get_one(Block, (brand_id, height)), session.get_one(Brand, brand_id)
    found = day_root(session, brand, block.sealed_at.astimezone(ZoneInfo(brand.timezone)).date())
    newest = last_block(session, brand_id)
    assert newest is not None
    return min(found[0] if found is not None else height, newest.height, height + LONGEST_CHAIN)


def _told(published: PublishedRoot) -> dict[str, str]:
    return {"day": published.day.isoformat(), "root": published.root}


def proof_of_reward(session: Session, brand_id: UUID, reward_id: UUID) -> dict[str, Any]:
    """The proof of the transfer that set a reward aside; of its release, once it is released.

    Raises `NotFound("unknown_transfer")` for a reward without one (a capped one), `Refused("not_sealed_yet")`.
    """
    references = [f"release/{reward_id}", f"grant/{reward_id}"]
    t = table(Transfer)
    rows = session.execute(select(t.c.reference, t.c.id).where(t.c.brand_id == brand_id, t.c.reference.in_(references)))
    found = dict(rows.all())
    for reference in references:
        if reference in found:
            return proof_of(session, brand_id, found[reference])
    raise NotFound("unknown_transfer", transfer=str(reward_id))
