"""Blocks: every leaf, root, hash and link of the chains is computed again from the transfers as they are now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select
from sqlmodel import Session

from core.db import table
from rewards.blocks import Block, PublishedRoot, SealedTransfer, UnsealedTransfer, header
from rewards.ledger import Transfer
from rewards.merkle import START, header_hash, leaf, root_of, transfer_bytes
from rewards.verify.problem import AT_ONCE, Problem, dashed, is_lite, raw, raw_moment, stream

KNOWN = 200_000
"""Identifiers of accounts that are remembered with dashes at once."""
Entry = tuple[Any, ...]


def sealed(session: Session) -> Iterator[Problem]:
    """What is not as it was sealed: a transfer changed, dropped, added or moved to another place, a block likewise."""
    ordered = select(Block).order_by(table(Block).c.brand_id, table(Block).c.height)
    blocks = iter(session.scalars(ordered.execution_options(yield_per=AT_ONCE)))
    chain = _Chain()
    leaves = _Leaves(is_lite(session))
    block = next(blocks, None)
    rows: Iterator[Entry] = (tuple(row) for row in stream(session, _entries(session)))
    for (brand, height), group in groupby(rows, lambda row: (row[0], row[1])):
        entries = list(group)
        while block is not None and (str(block.brand_id), block.height) < (dashed(brand), height):
            yield from chain.add(block)
            yield Problem("count", "block", _name(block), f"has {block.count} transfers, none of them is there")
            block = next(blocks, None)
        if block is None or (str(block.brand_id), block.height) != (dashed(brand), height):
            for entry in entries:
                yield Problem("orphan", "sealed_transfer", dashed(entry[3]), f"there is no block {height}")
            continue
        yield from chain.add(block)
        yield from _block(block, entries, leaves)
        block = next(blocks, None)
    while block is not None:
        yield from chain.add(block)
        yield Problem("count", "block", _name(block), f"has {block.count} transfers, none of them is there")
        block = next(blocks, None)


def _entries(session: Session) -> Select[Any]:
    """(brand, height, position, id, leaf, and what is sealed of the transfer), block by block."""
    entry, moved = table(SealedTransfer), table(Transfer)
    return (
        select(
            raw(session, entry.c.brand_id),
            entry.c.height,
            entry.c.position,
            raw(session, entry.c.id),
            entry.c.leaf,
            moved.c.reference,
            moved.c.kind,
            raw(session, moved.c.debit_id),
            raw(session, moved.c.credit_id),
            moved.c.asset,
            moved.c.amount,
            raw_moment(session, moved.c.created_at),
        )
        .outerjoin(moved, and_(moved.c.brand_id == entry.c.brand_id, moved.c.id == entry.c.id))
        .order_by(entry.c.brand_id, entry.c.height, entry.c.position)
    )


class _Leaves:
    """Hashes the leaves of a block again. Accounts and the brand come up again and again, and are written once."""

    def __init__(self, lite: bool) -> None:
        self._lite = lite
        self._known: dict[str, str] = {}

    def of(self, entries: Sequence[Entry]) -> list[bytes]:
        """The leaf hash of each transfer as it is now; empty for one that is gone."""
        known = self._known
        if len(known) > KNOWN:
            known.clear()
        if not self._lite:
            return [
                leaf(transfer_bytes(brand, name, *facts)) if facts[0] is not None else b""
                for brand, _, _, name, _, *facts in entries
            ]
        hashes = []
        for brand, _, _, name, _, reference, kind, debit, credit, asset, amount, at in entries:
            if reference is None:
                hashes.append(b"")
                continue
            for account in (brand, debit, credit):
                if account not in known:
                    known[account] = dashed(account)
            names = (known[brand], dashed(name), reference, kind, known[debit], known[credit])
            hashes.append(leaf(transfer_bytes(*names, asset, amount, f"{at[:10]}T{at[11:]}Z")))
        return hashes


def _block(block: Block, entries: Sequence[Entry], leaves: _Leaves) -> Iterator[Problem]:
    """What is wrong inside a block."""
    written = [bytes(entry[4]) for entry in entries]
    now = leaves.of(entries)
    if len(entries) != block.count:
        yield Problem("count", "block", _name(block), f"has {block.count} transfers, {len(entries)} are there")
    for place, (before, entry) in enumerate(zip([None, *entries], entries, strict=False)):
        if entry[2] != place or (before is not None and before[3] >= entry[3]):
            detail = f"stands at {entry[2]} of block {entry[1]}, where it was not sealed"
            yield Problem("order", "sealed_transfer", dashed(entry[3]), detail)
    intact = root_of(written).hex() == block.root
    if not intact:
        yield Problem("root", "block", _name(block), "its root is not that of what is in it")
    if written == now:
        return
    # The root says which of the two was changed: the transfer, or what was written down of it.
    restored = root_of(now).hex() == block.root if not intact and all(now) else False
    for entry, kept, hashed in zip(entries, written, now, strict=True):
        name = dashed(entry[3])
        if not hashed:
            yield Problem("dropped", "transfer", name, f"is sealed in block {entry[1]} and is gone")
        elif kept != hashed and restored:
            yield Problem("leaf", "sealed_transfer", name, f"its hash in block {entry[1]} was changed")
        elif kept != hashed:
            yield Problem("changed", "transfer", name, f"is not as it was sealed in block {entry[1]}")


def _name(block: Block) -> str:
    return f"{block.brand_id}/{block.height}"


@dataclass(slots=True)
class _Chain:
    """The block last seen, to which the next must refer."""

    last: Block | None = None

    def add(self, block: Block) -> Iterator[Problem]:
        """What is wrong with a block's own hash and with its place in the chain."""
        below = self.last if self.last is not None and self.last.brand_id == block.brand_id else None
        self.last = block
        if block.hash != header_hash(header(block)):
            yield Problem("hash", "block", _name(block), "its hash is not that of its header")
        if block.height != (below.height + 1 if below is not None else 0):
            yield Problem("chain", "block", _name(block), "the block below it is gone")
        elif block.previous != (below.hash if below is not None else START):
            yield Problem("chain", "block", _name(block), "does not refer to the block below it")
        elif below is not None and block.sealed_at < below.sealed_at:
            yield Problem("chain", "block", _name(block), "was sealed before the block below it")


def waiting(session: Session) -> Iterator[Problem]:
    """Transfers that are neither sealed nor wait for it; what waits and should not."""
    moved, entry, wait = table(Transfer), table(SealedTransfer), table(UnsealedTransfer)

    def no(other: Any, of: Any) -> Any:
        return ~exists().where(other.c.brand_id == of.c.brand_id, other.c.id == of.c.id)

    for (row_id,) in stream(session, select(moved.c.id).where(no(entry, moved), no(wait, moved))):
        yield Problem("added", "transfer", str(row_id), "is in no block and does not wait for one")
    for (row_id,) in stream(session, select(wait.c.id).where(or_(no(moved, wait), ~no(entry, wait)))):
        yield Problem("waits", "unsealed_transfer", str(row_id), "waits for a block, but is sealed already or gone")


def published(session: Session) -> Iterator[Problem]:
    """Published roots that are not the hash of their block any more."""
    told, block = table(PublishedRoot), table(Block)
    statement = (
        select(told.c.brand_id, told.c.day, told.c.height, told.c.root, block.c.hash)
        .outerjoin(block, and_(block.c.brand_id == told.c.brand_id, block.c.height == told.c.height))
        .where(or_(block.c.hash.is_(None), block.c.hash != told.c.root))
    )
    for row in stream(session, statement):
        detail = f"{row.root} was published for block {row.height}, which is now {row.hash}"
        yield Problem("published", "published_root", f"{row.brand_id}/{row.day}", detail)


CHECKS = (sealed, waiting, published)
