"""Blocks: every leaf, root, hash and link of the chains is computed again from the transfers as they are now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, exists, or_, select, type_coerce
from sqlalchemy.types import NullType
from sqlmodel import Session

from core.db import table
from rewards.ledger import Transfer
from rewards.proofs.blocks import Block, PublishedRoot, SealedTransfer, UnsealedTransfer, header
from rewards.proofs.merkle import START, header_hash, root_of, transfer_leaf
from rewards.verify.problem import AT_ONCE, Problem, dashed, is_lite, raw, raw_moment, stream

KNOWN = 200_000
"""Identifiers of accounts that are remembered with dashes at once."""
Entries = Sequence[Any]
"""Rows of (position, id, leaf, and what is sealed of the transfer), in order."""


def sealed(session: Session) -> Iterator[Problem]:
    """What is not as it was sealed: a transfer changed, dropped, added or moved to another place, a block likewise."""
    chain, leaves = _Chain(), _Leaves(is_lite(session))
    entries = _entries(session)
    ordered = select(Block).order_by(table(Block).c.brand_id, table(Block).c.height)
    for block in session.scalars(ordered.execution_options(yield_per=AT_ONCE)):
        yield from chain.add(block)
        inside = session.execute(entries, {"brand": block.brand_id, "height": block.height}).all()
        yield from _block(block, inside, leaves.of(str(block.brand_id), inside))
    t, block_ = table(SealedTransfer), table(Block)
    homeless = select(t.c.id, t.c.height).where(
        ~exists().where(block_.c.brand_id == t.c.brand_id, block_.c.height == t.c.height)
    )
    for row in stream(session, homeless):
        yield Problem("orphan", "sealed_transfer", str(row.id), f"there is no block {row.height}")


def _entries(session: Session) -> Select[Any]:
    """`Entries` of one block."""
    entry, moved = table(SealedTransfer), table(Transfer)
    return (
        select(
            entry.c.position,
            raw(session, entry.c.id),
            type_coerce(entry.c.leaf, NullType),  # as the driver gives it: bytes
            moved.c.reference,
            moved.c.kind,
            raw(session, moved.c.debit_id),
            raw(session, moved.c.credit_id),
            moved.c.asset,
            moved.c.amount,
            raw_moment(session, moved.c.created_at),
        )
        .outerjoin(moved, and_(moved.c.brand_id == entry.c.brand_id, moved.c.id == entry.c.id))
        .where(entry.c.brand_id == bindparam("brand"), entry.c.height == bindparam("height"))
        .order_by(entry.c.position)
    )


class _Dashed(dict[str, str]):
    """Identifiers of accounts with dashes, each written once: they come up again and again."""

    def __missing__(self, name: str) -> str:
        if len(self) > KNOWN:
            self.clear()
        self[name] = dashed(name)
        return self[name]


class _Leaves:
    """Hashes the leaves of a block again."""

    def __init__(self, lite: bool) -> None:
        self._lite = lite
        self._known = _Dashed()

    def of(self, brand: str, entries: Entries) -> list[bytes]:
        """The leaf hash of each transfer as it is now; empty for one that is gone."""
        if not self._lite:
            return [transfer_leaf(brand, entry[1], *entry[3:]) if entry[4] else b"" for entry in entries]
        known = self._known
        return [
            transfer_leaf(
                *(brand, f"{name[:8]}-{name[8:12]}-{name[12:16]}-{name[16:20]}-{name[20:]}", reference, kind),
                *(known[debit], known[credit], asset, amount, f"{at[:10]}T{at[11:]}Z"),
            )
            if reference is not None
            else b""
            for _, name, _, reference, kind, debit, credit, asset, amount, at in entries
        ]


def _block(block: Block, entries: Entries, now: Sequence[bytes]) -> Iterator[Problem]:
    """What is wrong inside a block, whose leaves are these `now`."""
    written = [entry[2] for entry in entries]
    names = [entry[1] for entry in entries]
    if len(entries) != block.count:
        yield Problem("count", "block", _name(block), f"has {block.count} transfers, {len(entries)} are there")
    in_order = sorted(names)
    if [entry[0] for entry in entries] != list(range(len(entries))) or names != in_order:
        for place, (entry, right) in enumerate(zip(entries, in_order, strict=True)):
            if entry[0] != place or entry[1] != right:
                detail = f"stands at {entry[0]} of block {block.height}, where it was not sealed"
                yield Problem("order", "sealed_transfer", dashed(entry[1]), detail)
    intact = root_of(written).hex() == block.root
    if not intact:
        yield Problem("root", "block", _name(block), "its root is not that of what is in it")
    if written == now:
        return
    # The root says which of the two was changed: the transfer, or what was written down of it.
    restored = root_of(now).hex() == block.root if not intact and all(now) else False
    for name, kept, hashed in zip(names, written, now, strict=True):
        if not hashed:
            yield Problem("dropped", "transfer", dashed(name), f"is sealed in block {block.height} and is gone")
        elif kept != hashed and restored:
            yield Problem("leaf", "sealed_transfer", dashed(name), f"its hash in block {block.height} was changed")
        elif kept != hashed:
            yield Problem("changed", "transfer", dashed(name), f"is not as it was sealed in block {block.height}")


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
