"""A brand's shops: which ones tell us of orders, with which secret they sign, and what they told us last.

Orders are recorded under the shop's `source`, which stands in its address (`/hooks/<source>/<brand>`) and stays the
shop's own for ever: a shop that is disconnected and comes back goes on where it was, and no order is counted twice.
"""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    delete,
    select,
    update,
)
from sqlmodel import Field, Session, col

from core import clock, ids, vault
from core.db import Json, Row, TenantRow, UtcDateTime, insert_new, table
from core.errors import BadInput, Conflict, NotFound, Refused, Unavailable
from referral.brands import Brand

Outcome = Literal["recorded", "refunded", "kept", "waiting", "ignored", "refused", "repeated"]
KINDS = ("shopify", "woocommerce", "stripe", "youzan")
SECRETS: dict[str, tuple[str, ...]] = {
    "shopify": ("secret",),
    "woocommerce": ("secret",),
    "stripe": ("secret",),
    "youzan": ("client_id", "client_secret", "kdt_id"),
}
"""What a shop of each kind is opened with."""
OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {"stripe": {"orders": ("checkout", "billing", "intents")}}
"""What can be chosen for a kind, the usual first. `tests` (yes or no) can be for each."""
MADE_BY_US = ("woocommerce",)
"""Shops that take any secret: we make a long one, so that nobody invents a short one."""
NAME_LENGTH = 80
SECRET_LENGTH = 200
SHOPS_MOST = 20
OVERLAP = timedelta(hours=1)
"""How long a key that we made is taken after we made another: as long as it may take to paste that into the shop, which
would not bring again what we refuse meanwhile."""
KEPT = 100
"""Deliveries of a shop that are remembered, the latest."""


class Shop(TenantRow, table=True):
    """A shop of a brand. `sealed`: its secrets (`SECRETS`), empty until they are given.

    `heard_at`: when a signature of its was last right; `wrong_at`: when one was last wrong.
    """

    __tablename__ = "shop"
    __table_args__ = (
        UniqueConstraint("brand_id", "source"),
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
    )

    kind: str
    source: str
    name: str
    sealed: str = ""
    options: dict[str, Any] = Field(default_factory=dict, sa_column=Column(Json, nullable=False))
    created_at: datetime = Field(sa_type=UtcDateTime)
    heard_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    wrong_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ShopDelivery(TenantRow, table=True):
    """One message of a shop, kept once however often it came (`times`), without anything personal.

    `digest`: of what was signed. `label`: the order as the shop's people call it. `reason`: a code of ours, or of
    `core.errors`, with its `params`.
    """

    __tablename__ = "shop_delivery"
    __table_args__ = (
        UniqueConstraint("brand_id", "shop_id", "digest"),
        ForeignKeyConstraint(["brand_id", "shop_id"], ["shop.brand_id", "shop.id"]),
        Index("ix_shop_delivery_at", "brand_id", "shop_id", "at"),
    )

    shop_id: UUID
    digest: str
    topic: str
    label: str
    outcome: str
    reason: str | None = None
    params: dict[str, Any] | None = Field(default=None, sa_column=Column(Json))
    order_id: str | None = None
    conversion_id: UUID | None = None
    times: int = 1
    at: datetime = Field(sa_type=UtcDateTime)


class ShopOrderName(Row, table=True):
    """Another name of an order: a payment, by which a refund of it may be told."""

    __tablename__ = "shop_order_name"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "shop_id"], ["shop.brand_id", "shop.id"]),)

    brand_id: UUID = Field(primary_key=True)
    shop_id: UUID = Field(primary_key=True)
    name: str = Field(primary_key=True)
    order_id: str


class ShopRefund(Row, table=True):
    """A refund that waits for its order: how much of `paid` was for the goods, only the order can tell."""

    __tablename__ = "shop_refund"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "shop_id"], ["shop.brand_id", "shop.id"]),
        Index("ix_shop_refund_order", "brand_id", "shop_id", "order_id"),
    )

    brand_id: UUID = Field(primary_key=True)
    shop_id: UUID = Field(primary_key=True)
    external_id: str = Field(primary_key=True)
    order_id: str
    paid: int = Field(sa_type=BigInteger)
    currency: str
    refunded_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Opened:
    """A connected shop with its secrets, found by its address. `before`: the secret it had until `OVERLAP` ago;
    `by_old_key`: a message was signed with that one."""

    brand_id: UUID
    shop_id: UUID
    kind: str
    source: str
    options: dict[str, Any]
    secrets: dict[str, str] = field(repr=False)
    before: dict[str, str] | None = field(default=None, repr=False)
    by_old_key: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a message of a shop was about and what became of it, to be remembered."""

    digest: str
    topic: str
    label: str
    outcome: Outcome
    reason: str | None = None
    params: dict[str, Any] | None = None
    order_id: str | None = None
    conversion_id: UUID | None = None


def connect_shop(session: Session, brand_id: UUID, kind: str, name: str, options: Mapping[str, Any]) -> Shop:
    """A new shop, which has its address from now on and opens once it has its secrets.

    Raises `BadInput`: shop_kind, shop_name, shop_option; `Conflict("shop_name_taken")`; `Refused("shops_many")`.
    """
    if kind not in KINDS:
        raise BadInput("shop_kind", kind=kind[:20])
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadInput("shop_name", limit=NAME_LENGTH)
    # One at a time: else two would be given the same source, or the same name.
    session.execute(select(col(Brand.id)).where(col(Brand.id) == brand_id).with_for_update(key_share=True))
    before = shops_of(session, brand_id)
    if any(shop.kind == kind and shop.name.casefold() == name.casefold() for shop in before):
        raise Conflict("shop_name_taken", name=name)
    if len(before) >= SHOPS_MOST:
        raise Refused("shops_many", most=SHOPS_MOST)
    taken = {shop.source for shop in before}
    source = next(one for number in range(1, SHOPS_MOST + 2) if (one := _source(kind, number)) not in taken)
    shop = Shop(
        brand_id=brand_id,
        id=ids.new(),
        kind=kind,
        source=source,
        name=name,
        options=check_options(kind, options),
        created_at=clock.now(),
    )
    if kind in MADE_BY_US:
        shop.sealed = vault.seal({"secret": random.token_urlsafe(32)}, bound_to=shop.id)
    session.add(shop)
    session.flush()
    return shop


def _source(kind: str, number: int) -> str:
    return kind if number == 1 else f"{kind}-{number}"


def check_options(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a shop, complete. Raises `BadInput("shop_option")`."""
    choices = OPTIONS.get(kind, {})
    chosen: dict[str, Any] = {"tests": bool(options.get("tests"))}
    for name, allowed in choices.items():
        chosen[name] = options.get(name) or allowed[0]
        if chosen[name] not in allowed:
            raise BadInput("shop_option", option=name)
    return chosen


def set_secrets(session: Session, brand_id: UUID, source: str, given: Mapping[str, str]) -> Shop:
    """Give a shop what it is opened with; a shop of `MADE_BY_US` gets a new secret from us.

    Raises `NotFound("shop")`, `BadInput`: shop_secret, shop_secret_stripe; and `Conflict("shop_same_secret")` where
    another shop of the brand has the same: one shop connected twice would have each of its orders counted twice.
    """
    shop = find_shop(session, brand_id, source)
    kept: dict[str, str] = {}
    if shop.kind in MADE_BY_US:
        details = {"secret": random.token_urlsafe(32)}
        with suppress(Unavailable):  # sealed with a key that is lost: nothing to overlap with
            kept = {"before": secrets_of(shop)["secret"], "until": (clock.now() + OVERLAP).isoformat()}
    else:
        details = {name: given.get(name, "").strip() for name in SECRETS[shop.kind]}
    for value in details.values():
        if not value or len(value) > SECRET_LENGTH or not value.isascii() or not value.isprintable():
            raise BadInput("shop_secret", limit=SECRET_LENGTH)
    if shop.kind == "stripe" and not details["secret"].startswith("whsec_"):  # an API key would open all of their money
        raise BadInput("shop_secret_stripe")
    for other in shops_of(session, brand_id):
        if other.id != shop.id and other.kind == shop.kind and other.sealed and secrets_of(other) == details:
            raise Conflict("shop_same_secret", name=other.name)
    shop.sealed = vault.seal(details | kept, bound_to=shop.id)
    shop.heard_at = shop.wrong_at = None
    session.add(shop)
    session.flush()
    return shop


def secrets_of(shop: Shop) -> dict[str, str]:
    """A shop's secrets; none before they are given. Raises `Unavailable("sealed")`."""
    return _secrets_in(shop, vault.unseal(shop.sealed, bound_to=shop.id)) if shop.sealed else {}


def _secrets_in(shop: Shop, kept: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in kept.items() if name in SECRETS[shop.kind]}


def _before_in(kept: Mapping[str, str]) -> dict[str, str] | None:
    """The secret before, while it is still taken."""
    fresh = "before" in kept and datetime.fromisoformat(kept["until"]) > clock.now()
    return {"secret": kept["before"]} if fresh else None


def end_shop(session: Session, brand_id: UUID, source: str) -> Shop:
    """Listen to a shop no longer; what it told stays. Raises `NotFound("shop")`."""
    shop = find_shop(session, brand_id, source)
    shop.ended_at = shop.ended_at or clock.now()
    session.add(shop)
    session.flush()
    return shop


def resume_shop(session: Session, brand_id: UUID, source: str) -> Shop:
    """Listen again to a shop that was disconnected. Raises `NotFound("shop")`."""
    shop = find_shop(session, brand_id, source)
    shop.ended_at = None
    session.add(shop)
    session.flush()
    return shop


def choose(session: Session, brand_id: UUID, source: str, options: Mapping[str, Any]) -> Shop:
    """Change a shop's options. Raises `NotFound("shop")`, `BadInput("shop_option")`."""
    shop = find_shop(session, brand_id, source)
    shop.options = check_options(shop.kind, options)
    session.add(shop)
    session.flush()
    return shop


def shops_of(session: Session, brand_id: UUID) -> list[Shop]:
    """All shops a brand ever connected, the oldest first."""
    found = select(Shop).where(col(Shop.brand_id) == brand_id).order_by(col(Shop.created_at), col(Shop.id))
    return list(session.scalars(found))


def told_twice(session: Session, shop: Shop) -> list[str]:
    """The names of connected shops that may tell of the same orders: a shop, and the Stripe account it is paid by."""
    other = ("shopify", "woocommerce") if shop.kind == "stripe" else ("stripe",)
    if shop.kind == "youzan" or shop.ended_at is not None:
        return []
    return [one.name for one in shops_of(session, shop.brand_id) if one.kind in other and one.ended_at is None]


def find_shop(session: Session, brand_id: UUID, source: str) -> Shop:
    """The brand's shop of this source. Raises `NotFound("shop")`."""
    shop = session.scalar(select(Shop).where(col(Shop.brand_id) == brand_id, col(Shop.source) == source))
    if shop is None:
        raise NotFound("shop")
    return shop


def opened(session: Session, brand: str, source: str) -> Opened | None:
    """The shop at this address, if it is connected and has its secrets."""
    shop = session.scalar(
        select(Shop)
        .join(Brand, col(Brand.id) == col(Shop.brand_id))
        .where(col(Brand.slug) == brand, col(Shop.source) == source, col(Shop.ended_at).is_(None))
    )
    if shop is None or not shop.sealed:
        return None
    kept = vault.unseal(shop.sealed, bound_to=shop.id)
    secrets, before = _secrets_in(shop, kept), _before_in(kept)
    return Opened(shop.brand_id, shop.id, shop.kind, shop.source, shop.options, secrets, before)


def is_open(session: Session, brand_id: UUID, shop_id: UUID) -> bool:
    """Whether the shop is connected, in the unit of work that takes its message in."""
    shop = session.get(Shop, (brand_id, shop_id))
    return shop is not None and shop.ended_at is None


def note_wrong(session: Session, brand_id: UUID, shop_id: UUID) -> None:
    """Remember that somebody came to the shop's address with a signature that is none of its."""
    t = table(Shop)
    session.execute(update(t).where(t.c.brand_id == brand_id, t.c.id == shop_id).values(wrong_at=clock.now()))


def remember(session: Session, brand_id: UUID, shop_id: UUID, one: Delivery, *, by_new_key: bool = True) -> None:
    """Keep a delivery, and the latest `KEPT` of its shop only. One that came before takes its old line again."""
    t, now = table(ShopDelivery), clock.now()
    told: dict[str, Any] = {
        "topic": one.topic,
        "label": one.label,
        "outcome": one.outcome,
        "reason": one.reason,
        "params": one.params,
        "order_id": one.order_id,
        "conversion_id": one.conversion_id,
        "at": now,
    }
    key: dict[str, Any] = {"brand_id": brand_id, "shop_id": shop_id, "digest": one.digest}
    new = [key | told | {"id": ids.new(), "times": 1}]
    if not insert_new(session, t, new, list(key), returning=t.c.digest):
        same = (t.c.brand_id == brand_id, t.c.shop_id == shop_id, t.c.digest == one.digest)
        before = session.scalar(select(t.c.outcome).where(*same))
        # The first outcome says more than "told again", unless nothing came of it then.
        changed = {"at": now} if one.outcome == "repeated" and before != "refused" else told
        session.execute(update(t).where(*same).values(times=t.c.times + 1, **changed))
    mine = (t.c.brand_id == brand_id, t.c.shop_id == shop_id)
    old = select(t.c.id).where(*mine).order_by(t.c.at.desc(), t.c.id.desc()).offset(KEPT)
    session.execute(delete(t).where(*mine, t.c.id.in_(old)))
    if by_new_key:
        s = table(Shop)
        session.execute(update(s).where(s.c.brand_id == brand_id, s.c.id == shop_id).values(heard_at=now))


def deliveries_of(session: Session, brand_id: UUID, shop_id: UUID, limit: int = KEPT) -> Sequence[ShopDelivery]:
    """The latest deliveries of a shop, the last first."""
    mine = (col(ShopDelivery.brand_id) == brand_id, col(ShopDelivery.shop_id) == shop_id)
    latest = select(ShopDelivery).where(*mine).order_by(col(ShopDelivery.at).desc(), col(ShopDelivery.id).desc())
    return session.scalars(latest.limit(limit)).all()
