"""The catalogue: what a brand gives for points, or as a reward of its own (`item:<slug>`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, UniqueConstraint, select, update
from sqlmodel import Field, Session, col

from core import clock, i18n
from core.db import Json, Row, TenantRow, UtcDateTime, insert, table
from core.errors import BadInput, Conflict, NotFound, Refused
from core.money import LARGEST
from rewards.items.kinds import read_settings

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
TITLE_LENGTH, ABOUT_LENGTH = 64, 600
AT_ONCE = 10
"""The most of one item that one redemption asks for."""


class Item(TenantRow, table=True):
    """Something that can be given.

    `price`: points for one, None where it is not for sale (a reward or a prize only). `stock`: how many may be given
    in all, None without a limit; a voucher's pool is its stock. `given`: how many were, vouchers aside.
    """

    __tablename__ = "item"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        UniqueConstraint("brand_id", "slug"),
        CheckConstraint("price IS NULL OR price > 0", name="price"),
        CheckConstraint("given >= 0 AND (stock IS NULL OR given <= stock)", name="stock"),
    )

    slug: str
    kind: str
    title: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    about: dict[str, str] = Field(sa_column=Column(Json, nullable=False))
    price: int | None = Field(default=None, sa_type=BigInteger)
    stock: int | None = None
    given: int = 0
    per_member: int | None = None
    settings: dict[str, Any] = Field(sa_column=Column(Json, nullable=False))
    active: bool = True
    pool: int = 0
    """Vouchers at hand after the last import: what a low stock is measured against."""
    warned: int | None = None
    """The lowest level (20, 0 per cent) the brand was told of since that import."""
    created_at: datetime = Field(sa_type=UtcDateTime)


class ItemCount(Row, table=True):
    """How many of an item a member has taken."""

    __tablename__ = "item_count"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "item_id"], ["item.brand_id", "item.id"]),
        CheckConstraint("taken >= 0", name="taken"),
    )

    brand_id: UUID = Field(primary_key=True)
    item_id: UUID = Field(primary_key=True)
    member_id: UUID = Field(primary_key=True)
    taken: int


@dataclass(frozen=True, slots=True)
class ItemForm:
    """An item as an operator describes it."""

    slug: str
    kind: str
    title: dict[str, str]
    about: dict[str, str]
    price: int | None = None
    stock: int | None = None
    per_member: int | None = None
    settings: dict[str, Any] | None = None
    active: bool = True


def save_item(session: Session, brand_id: UUID, form: ItemForm) -> tuple[Item, bool]:
    """Make the item what the form says; whether anything changed.

    Raises `BadInput` for a form that makes no sense, `Conflict("item_kind_fixed")` for another kind than it has,
    `Refused("stock_below_given")`.
    """
    settings = _check(form)
    item = _item_of(session, brand_id, form.slug)
    wanted: dict[str, Any] = {
        "title": form.title,
        "about": form.about,
        "price": form.price,
        "stock": form.stock,
        "per_member": form.per_member,
        "settings": settings,
        "active": form.active,
    }
    if item is None:
        item = Item(brand_id=brand_id, slug=form.slug, kind=form.kind, created_at=clock.now(), **wanted)
        session.add(item)
        session.flush()
        return item, True
    if item.kind != form.kind:
        raise Conflict("item_kind_fixed", slug=form.slug, kind=item.kind)
    if form.stock is not None and form.stock < item.given:
        raise Refused("stock_below_given", slug=form.slug, given=item.given)
    if all(getattr(item, name) == value for name, value in wanted.items()):
        return item, False
    for name, value in wanted.items():
        setattr(item, name, value)
    session.add(item)
    session.flush()
    return item, True


def _check(form: ItemForm) -> dict[str, Any]:
    if not SLUG.fullmatch(form.slug):
        raise BadInput("slug", slug=form.slug[:60])
    settings = read_settings(form.kind, form.settings or {})
    for what, words, longest in (("title", form.title, TITLE_LENGTH), ("about", form.about, ABOUT_LENGTH)):
        for locale, said in words.items():
            if locale not in i18n.LOCALES or not said.strip() or len(said) > longest:
                raise BadInput("item_words", place=f"{what}.{locale}", limit=longest)
    if not form.title:
        raise BadInput("item_words", place="title", limit=TITLE_LENGTH)
    for name in ("price", "stock", "per_member"):
        number = getattr(form, name)
        if number is not None and not (0 if name == "stock" else 1) <= number <= LARGEST:
            raise BadInput("item_number", place=name)
    if form.stock is not None and form.kind == "voucher":
        raise BadInput("voucher_stock")
    return settings


def form_of(item: Item) -> ItemForm:
    """The item as the form that would make it."""
    return ItemForm(
        item.slug,
        item.kind,
        dict(item.title),
        dict(item.about),
        item.price,
        item.stock,
        item.per_member,
        dict(item.settings),
        item.active,
    )


def _item_of(session: Session, brand_id: UUID, slug: str) -> Item | None:
    return session.scalar(select(Item).where(col(Item.brand_id) == brand_id, col(Item.slug) == slug))


def find_item(session: Session, brand_id: UUID, slug: str) -> Item:
    """The brand's item of this slug. Raises `NotFound("item")`."""
    item = _item_of(session, brand_id, slug)
    if item is None:
        raise NotFound("item", slug=slug[:60])
    return item


def items_of(session: Session, brand_id: UUID) -> list[Item]:
    """All items of a brand, the retired ones too, by slug."""
    return list(session.scalars(select(Item).where(col(Item.brand_id) == brand_id).order_by(col(Item.slug))))


def retire(session: Session, brand_id: UUID, slug: str) -> Item:
    """Take an item out of the catalogue; what was given stays given."""
    item = find_item(session, brand_id, slug)
    item.active = False
    session.add(item)
    session.flush()
    return item


def take(session: Session, item: Item, member_id: UUID, quantity: int, *, limited: bool = True) -> None:
    """Count these as given, if stock and the member's limit allow; the database decides, not a read before.

    limited: whether the member's limit counts (it does not for rewards and prizes).
    Raises `Refused`: sold_out, limit_reached.
    """
    if item.kind != "voucher":
        t = table(Item)
        taken = session.execute(
            update(t)
            .where(
                t.c.brand_id == item.brand_id,
                t.c.id == item.id,
                t.c.stock.is_(None) | (t.c.given + quantity <= t.c.stock),
            )
            .values(given=t.c.given + quantity)
            .returning(t.c.given)
        ).first()
        if taken is None:
            raise Refused("sold_out", slug=item.slug)
        session.expire(item, ["given"])
    if limited:
        _count(session, item, member_id, quantity)


def _count(session: Session, item: Item, member_id: UUID, quantity: int) -> None:
    """Counted without a limit too: one that is set later counts what was bought before."""
    t = table(ItemCount)
    limit = item.per_member
    if limit is not None and quantity > limit:
        raise Refused("limit_reached", slug=item.slug, limit=limit)
    wanted = insert(session, t).values(brand_id=item.brand_id, item_id=item.id, member_id=member_id, taken=quantity)
    counted = session.execute(
        wanted.on_conflict_do_update(
            index_elements=["brand_id", "item_id", "member_id"],
            set_={"taken": t.c.taken + quantity},
            where=None if limit is None else t.c.taken + quantity <= limit,
        ).returning(t.c.taken)
    ).first()
    if counted is None:
        raise Refused("limit_reached", slug=item.slug, limit=limit)


def put_back(session: Session, item: Item, member_id: UUID, quantity: int, *, limited: bool = True) -> None:
    """Undo `take` for what could not be given after all."""
    if item.kind != "voucher":
        t = table(Item)
        session.execute(
            update(t).where(t.c.brand_id == item.brand_id, t.c.id == item.id).values(given=t.c.given - quantity)
        )
        session.expire(item, ["given"])
    if limited:
        c = table(ItemCount)
        session.execute(
            update(c)
            .where(c.c.brand_id == item.brand_id, c.c.item_id == item.id, c.c.member_id == member_id)
            .where(c.c.taken >= quantity)
            .values(taken=c.c.taken - quantity)
        )


def taken_by(session: Session, brand_id: UUID, member_id: UUID) -> dict[UUID, int]:
    """How many of each item the member has bought, of those that have a limit."""
    rows = session.execute(
        select(col(ItemCount.item_id), col(ItemCount.taken)).where(
            col(ItemCount.brand_id) == brand_id, col(ItemCount.member_id) == member_id
        )
    )
    return dict(rows.all())
