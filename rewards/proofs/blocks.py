"""Transfers sealed in blocks, one chain of blocks for each brand.

With every transfer the database itself notes it in `unsealed`, in the same transaction; the sealer takes what it sees
there, so a transfer that commits late lands in a later block, and none is missed or sealed twice, however many
processes write. Writers never wait for the sealer. Sealers wait for one another at the brand's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Row, UniqueConstraint, delete, exists, select
from sqlmodel import Field, Session

from core import clock, events
from core.db import Row as Table
from core.db import TenantRow, UtcDateTime, insert_all, insert_new, table
from referral.brands import Brand
from rewards.ledger import Transfer
from rewards.proofs.merkle import START, header_hash, root_of, transfer_leaf

LARGEST_BLOCK = 1024
"""Transfers in one block at most; sealing so many takes the writer some hundredths of a second."""


class Block(Table, table=True):
    """A sealed block. Hashes are 64 hexadecimal digits; `previous` is the `hash` of the block below."""

    __tablename__ = "block"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        CheckConstraint("height >= 0", name="height"),
        CheckConstraint("count > 0", name="not_empty"),
    )

    brand_id: UUID = Field(primary_key=True)
    height: int = Field(primary_key=True)
    count: int
    previous: str
    root: str
    hash: str
    sealed_at: datetime = Field(sa_type=UtcDateTime)


class SealedTransfer(TenantRow, table=True):
    """Where a transfer (whose `id` it has) is sealed; `leaf` is its 32-byte hash. In a block ids ascend."""

    __tablename__ = "sealed_transfer"
    __table_args__ = (
        UniqueConstraint("brand_id", "height", "position"),
        ForeignKeyConstraint(["brand_id", "height"], ["block.brand_id", "block.height"]),
    )

    height: int
    position: int
    leaf: bytes


class UnsealedTransfer(TenantRow, table=True):
    """A transfer (whose `id` it has) that waits to be sealed; written by the database with the transfer."""

    __tablename__ = "unsealed_transfer"


class PublishedRoot(Table, table=True):
    """What was made public at the end of a day: the hash (`root`) of the day's last block."""

    __tablename__ = "published_root"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "height"], ["block.brand_id", "block.height"]),)

    brand_id: UUID = Field(primary_key=True)
    day: date = Field(primary_key=True)
    height: int
    root: str
    published_at: datetime = Field(sa_type=UtcDateTime)


class RootReaders(Table, table=True):
    """A chat in which the brand's roots are posted, day by day."""

    __tablename__ = "root_readers"
    __table_args__ = (ForeignKeyConstraint(["brand_id"], ["brand.id"]),)

    brand_id: UUID = Field(primary_key=True)
    platform: str = Field(primary_key=True)
    chat: str = Field(primary_key=True)


@dataclass(frozen=True, slots=True)
class RootPublished:
    """The root of a brand's day is to be told. `day`: of the brand's own time zone."""

    brand_id: UUID
    day: date
    height: int
    root: str


def moment_text(moment: datetime) -> str:
    """A moment as sealed documents write it: UTC with six decimals and a Z."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def transfer_document(row: Transfer | Row[Any]) -> dict[str, str]:
    """The transfer as it is sealed: only texts, the amount in minor units."""
    return {
        "amount": str(row.amount),
        "asset": row.asset,
        "brand": str(row.brand_id),
        "created_at": moment_text(row.created_at),
        "credit": str(row.credit_id),
        "debit": str(row.debit_id),
        "id": str(row.id),
        "kind": row.kind,
        "reference": row.reference,
    }


def leaf_of(row: Transfer | Row[Any]) -> bytes:
    """The hash of a transfer as a leaf of its block's tree."""
    accounts = str(row.debit_id), str(row.credit_id)
    names = str(row.brand_id), str(row.id), row.reference, row.kind
    return transfer_leaf(*names, *accounts, row.asset, row.amount, moment_text(row.created_at))


def header(block: Block | Row[Any]) -> dict[str, Any]:
    """The header of a block, whose canonical bytes are hashed."""
    return {
        "brand": str(block.brand_id),
        "count": block.count,
        "height": block.height,
        "previous": block.previous,
        "root": block.root,
        "sealed_at": moment_text(block.sealed_at),
    }


def seal_due(session: Session) -> int:
    """Seal one block of a brand that has something to seal; how many transfers (at most `LARGEST_BLOCK`)."""
    brand, waiting = table(Brand), table(UnsealedTransfer)
    # A lock that writers of rows which refer to the brand do not meet; what another process seals is left to it.
    brand_id = session.scalar(
        select(brand.c.id)
        .where(exists().where(waiting.c.brand_id == brand.c.id))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return _seal(session, brand_id) if brand_id is not None else 0


def _seal(session: Session, brand_id: UUID) -> int:
    moved, waiting, sealed = table(Transfer), table(UnsealedTransfer), table(SealedTransfer)
    rows = session.execute(
        select(moved)
        .join(waiting, (waiting.c.brand_id == moved.c.brand_id) & (waiting.c.id == moved.c.id))
        .where(waiting.c.brand_id == brand_id)
        .order_by(waiting.c.id)
        .limit(LARGEST_BLOCK)
    ).all()
    if not rows:
        return 0
    leaves = [leaf_of(row) for row in rows]
    block = _next(session, brand_id, leaves)
    session.add(block)
    session.flush()
    entries = [
        {"brand_id": brand_id, "id": row.id, "height": block.height, "position": position, "leaf": hashed}
        for position, (row, hashed) in enumerate(zip(rows, leaves, strict=True))
    ]
    insert_all(session, sealed, entries)
    taken = exists().where(sealed.c.brand_id == brand_id, sealed.c.id == waiting.c.id)
    session.execute(delete(waiting).where(waiting.c.brand_id == brand_id, waiting.c.id <= rows[-1].id, taken))
    return len(rows)


def _next(session: Session, brand_id: UUID, leaves: Sequence[bytes]) -> Block:
    """The block that follows the brand's last one. Its moment is never before that one's."""
    below = last_block(session, brand_id)
    now = clock.now()
    block = Block(
        brand_id=brand_id,
        height=below.height + 1 if below else 0,
        count=len(leaves),
        previous=below.hash if below else START,
        root=root_of(leaves).hex(),
        hash="",
        sealed_at=max(now, below.sealed_at) if below else now,
    )
    block.hash = header_hash(header(block))
    return block


def last_block(session: Session, brand_id: UUID, before: datetime | None = None) -> Block | None:
    """The newest block of a brand (sealed before a moment)."""
    t = table(Block)
    found = select(Block).where(t.c.brand_id == brand_id).order_by(t.c.height.desc()).limit(1)
    if before is not None:
        found = found.where(t.c.sealed_at < before)
    return session.scalars(found).one_or_none()


def day_root(session: Session, brand: Brand, day: date) -> tuple[int, str] | None:
    """(height, root) of a day: of the last block sealed on it in the brand's zone; None if none was."""
    begin, end = _day(brand, day)
    block = last_block(session, brand.id, end)
    return (block.height, block.hash) if block is not None and block.sealed_at >= begin else None


def _day(brand: Brand, day: date) -> tuple[datetime, datetime]:
    zone = ZoneInfo(brand.timezone)
    begin, end = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(days=1)))
    return begin.astimezone(UTC), end.astimezone(UTC)


def publish_on(session: Session, brand_id: UUID, chats: Sequence[tuple[str, str]]) -> None:
    """From now on post each day's root in these (platform, chat)s, and in no others."""
    publish_off(session, brand_id)
    rows = [{"brand_id": brand_id, "platform": platform, "chat": chat} for platform, chat in dict.fromkeys(chats)]
    insert_all(session, table(RootReaders), rows)


def publish_off(session: Session, brand_id: UUID) -> None:
    """Post no roots any more."""
    session.execute(delete(RootReaders).where(table(RootReaders).c.brand_id == brand_id))


def readers_of(session: Session, brand_id: UUID) -> list[tuple[str, str]]:
    """The (platform, chat)s in which a brand's roots are posted."""
    t = table(RootReaders)
    rows = session.execute(select(t.c.platform, t.c.chat).where(t.c.brand_id == brand_id).order_by(t.c.platform))
    return [(platform, chat) for platform, chat in rows]


def publish_due(session: Session) -> None:
    """Make public what was the root of yesterday, once, for each brand that has somebody to tell it to."""
    t = table(RootReaders)
    brands = session.scalars(select(Brand).where(table(Brand).c.id.in_(select(t.c.brand_id)))).all()
    told: list[RootPublished] = []
    for brand in brands:
        day = clock.now().astimezone(ZoneInfo(brand.timezone)).date() - timedelta(days=1)
        found = day_root(session, brand, day)
        if found is not None and _keep(session, brand.id, day, *found):
            told.append(RootPublished(brand.id, day, *found))
    if told:
        events.emit(session, told)


def _keep(session: Session, brand_id: UUID, day: date, height: int, root: str) -> bool:
    """Write down what is made public; False if it was already."""
    target = table(PublishedRoot)
    row = {"brand_id": brand_id, "day": day, "height": height, "root": root, "published_at": clock.now()}
    return bool(insert_new(session, target, [row], ["brand_id", "day"], returning=target.c.day))


def published_from(session: Session, brand_id: UUID, height: int) -> PublishedRoot | None:
    """The first published root at or above a height: the one that covers this block."""
    t = table(PublishedRoot)
    return session.scalars(
        select(PublishedRoot).where(t.c.brand_id == brand_id, t.c.height >= height).order_by(t.c.height).limit(1)
    ).one_or_none()
