"""Conversions: the orders of friends, what became of each, and the refunds that take from them.

`referral.orders` records orders, `referral.refunds` refunds; here is what both, and whoever reads them, share. Amounts
are whole minor units of the order's currency. `net` is what the customer paid for the goods alone: gross less
discount, tax and shipping. `refunded` is how much of the net has gone back; what is left of it is what counts.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, Session, col, select

from core.db import Json, TenantRow, UtcDateTime, among_keys, table
from core.errors import BadInput
from core.keyed import Keyed
from core.money import LARGEST, is_currency
from referral.members import keyed_hash
from referral.referrals import lock_graph
from referral.sources import check_source

PURCHASED = "purchased"
"""The qualifying event of an order."""
SHOP = "shop"
"""The platform of a customer whom we know by the shop's word only; the account is their `customer_hash`."""
STATUSES = ("attributed", "unattributed", "rejected")
REFUND_STATUSES = ("applied", "cut", "waiting", "rejected")
LONGEST = {"source": 40, "external_id": 200, "order_id": 200, "code": 64, "customer_hash": 64, "account": 200}
"""Characters of what others name."""
LINES_MAX = 500
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What no database takes: NUL, and halves of a character."""

Key = tuple[UUID, str, str]
"""(brand, source, the source's own id) of an order or a refund."""
_UNCOUNTED = text("status <> 'attributed'")


class Conversion(TenantRow, table=True):
    """An order as its shop told it, once for each (source, external id).

    `status`: attributed (it belongs to a referral and counts), unattributed (nobody can say whose friend bought) or
    rejected (a rule said no); `reason` names why. `member_id`: who bought. `refunded`: how much of `net` went back.
    """

    __tablename__ = "conversion"
    __table_args__ = (
        UniqueConstraint("brand_id", "source", "external_id"),
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        ForeignKeyConstraint(["brand_id", "referral_id"], ["referral.brand_id", "referral.id"]),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        CheckConstraint("net = gross - discount - tax - shipping", name="net"),
        CheckConstraint("0 <= refunded AND refunded <= net", name="refunded"),
        Index("ix_conversion_member", "brand_id", "member_id", "ordered_at"),
        Index("ix_conversion_referral", "brand_id", "referral_id"),
        Index("ix_conversion_received", "brand_id", "received_at"),
        # Customers whom only the shop knows: how their first order is told from the later ones.
        Index(
            "ix_conversion_customer",
            *("brand_id", "customer_hash", "ordered_at"),
            sqlite_where=text("member_id IS NULL AND customer_hash IS NOT NULL"),
            postgresql_where=text("member_id IS NULL AND customer_hash IS NOT NULL"),
        ),
        Index(
            "ix_conversion_uncounted", "brand_id", "received_at", sqlite_where=_UNCOUNTED, postgresql_where=_UNCOUNTED
        ),
    )

    source: str
    external_id: str
    member_id: UUID | None = None
    referral_id: UUID | None = None
    campaign_id: UUID | None = None
    currency: str
    gross: int = Field(sa_type=BigInteger)
    discount: int = Field(default=0, sa_type=BigInteger)
    shipping: int = Field(default=0, sa_type=BigInteger)
    tax: int = Field(default=0, sa_type=BigInteger)
    net: int = Field(sa_type=BigInteger)
    refunded: int = Field(default=0, sa_type=BigInteger)
    lines: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(Json))
    code: str | None = None
    customer_hash: str | None = None
    status: str
    reason: str | None = None
    ordered_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)

    @property
    def left(self) -> int:
        """What is left of the net after refunds."""
        return self.net - self.refunded


class Refund(TenantRow, table=True):
    """Money that went back for an order, once for each (source, external id).

    `amount` is what was asked to be taken from the order's net, None for all that is left; `applied` is what was.
    `status`: applied, cut (more was asked than was left), waiting (its order has not come yet) or rejected.
    """

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("brand_id", "source", "external_id"),
        ForeignKeyConstraint(["brand_id"], ["brand.id"]),
        ForeignKeyConstraint(["brand_id", "conversion_id"], ["conversion.brand_id", "conversion.id"]),
        CheckConstraint("0 <= applied AND (amount IS NULL OR applied <= amount)", name="applied"),
        Index("ix_refund_conversion", "brand_id", "conversion_id"),
        Index(
            "ix_refund_waiting",
            *("brand_id", "source", "order_id"),
            sqlite_where=text("status = 'waiting'"),
            postgresql_where=text("status = 'waiting'"),
        ),
    )

    source: str
    external_id: str
    order_id: str
    conversion_id: UUID | None = None
    amount: int | None = Field(default=None, sa_type=BigInteger)
    applied: int = Field(default=0, sa_type=BigInteger)
    currency: str
    status: str
    reason: str | None = None
    refunded_at: datetime = Field(sa_type=UtcDateTime)
    received_at: datetime = Field(sa_type=UtcDateTime)

    @property
    def rest(self) -> int:
        """What was asked for beyond what the order had left."""
        return (self.amount - self.applied) if self.status == "cut" and self.amount is not None else 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order. `amount`: what the line costs in all, before discounts of the order, without tax."""

    sku: str
    amount: int
    quantity: int = 1
    name: str = ""
    category: str = ""


@dataclass(slots=True)
class Order:
    """An order that a shop tells of. Who bought may be said in several ways, which must not contradict each other.
    Never changed, though not frozen, like all that is made once for each order: that would take nine times as long.

    `account`: (platform, account) of the buyer. `code`: the invite code given with the order. `customer_hash`: see the
    function of this name. `lines`: their amounts sum to the goods before discount (gross - tax - shipping).
    `click_id`: the click the buyer came to the shop by; where nobody typed a code, `code` is the click's. `consent`:
    the customer agreed at the till that their purchases may be joined to them (see `referral.attribution.consent`).
    """

    brand_id: UUID
    source: str
    external_id: str
    currency: str
    gross: int
    ordered_at: datetime
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    lines: tuple[Line, ...] = ()
    member_id: UUID | None = None
    referral_id: UUID | None = None
    account: tuple[str, str] | None = None
    code: str | None = None
    customer_hash: str | None = None
    click_id: UUID | None = None
    consent: bool = False

    @property
    def key(self) -> Key:
        """What tells orders apart."""
        return self.brand_id, self.source, self.external_id

    @property
    def net(self) -> int:
        """What was paid for the goods alone."""
        return self.gross - self.discount - self.tax - self.shipping


@dataclass(slots=True)
class Recorded:
    """What became of an order; told again, the answer is the same but for `repeated`, and for `refunded`: how much of
    the net went back since."""

    conversion_id: UUID
    status: str
    reason: str | None
    referral_id: UUID | None
    campaign_id: UUID | None
    member_id: UUID | None
    net: int
    refunded: int
    ordered_at: datetime
    received_at: datetime
    repeated: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund that a shop tells of. `amount`: of the order's net, in minor units; None: all that is left of it."""

    brand_id: UUID
    source: str
    external_id: str
    order_id: str
    amount: int | None
    currency: str
    refunded_at: datetime

    @property
    def key(self) -> Key:
        """What tells refunds apart."""
        return self.brand_id, self.source, self.external_id

    @property
    def order_key(self) -> Key:
        """The order it is about."""
        return self.brand_id, self.source, self.order_id


@dataclass(frozen=True, slots=True)
class RefundRecorded:
    """What became of a refund. `rest`: what was asked for beyond what the order had left."""

    refund_id: UUID
    conversion_id: UUID | None
    status: str
    applied: int
    rest: int
    reason: str | None = None
    repeated: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class OrdersRecorded:
    """Orders of a brand were taken in, whether they count or not; told once for all of a batch, by their ids."""

    brand_id: UUID
    conversions: Sequence[UUID]
    at: datetime


@dataclass(frozen=True, slots=True)
class PurchaseRefunded:
    """Part or all of an order that had counted went back; `net_before` and `net_after` are what counted of it."""

    brand_id: UUID
    campaign_id: UUID
    referral_id: UUID
    advocate_id: UUID
    friend_id: UUID
    conversion_id: UUID
    refund_id: UUID
    net_before: int
    net_after: int
    at: datetime


def customer_hash(contact: str) -> str:
    """The keyed hash of a customer's e-mail address or phone number, however it is written. Raises `BadInput`.

    Addresses are compared without case. Of numbers the digits count, with the country's code where `+` or `00` says
    so; a bare Chinese mobile number is taken for +86.
    """
    plain = unicodedata.normalize("NFKC", contact).strip()
    if "@" in plain:
        return hash_of_digest(hashlib.sha256(plain.lower().encode()).hexdigest())
    digits = re.sub(r"\D", "", plain)
    if not 5 <= len(digits) <= 20 or re.search(r"[^\d\s().+/-]", plain):
        raise BadInput("contact_unreadable")
    if digits.startswith("00"):
        digits = digits[2:]
    elif not plain.startswith("+") and re.fullmatch(r"1[3-9]\d{9}", digits):
        digits = "86" + digits
    return keyed_hash("customer", digits)


def hash_of_digest(digest: str) -> str:
    """The keyed hash of an e-mail address of which only the SHA-256 is known (in lower-case hexadecimal)."""
    return keyed_hash("customer", digest)


def check_order(order: Order) -> None:
    """Raise `BadInput` for an order that cannot be: its names, amounts, currency, sum of lines or moment."""
    _check_name("source", order.source)
    _check_name("external_id", order.external_id)
    if order.code is not None:
        _check_name("code", order.code)
    if order.customer_hash is not None:
        _check_name("customer_hash", order.customer_hash)
    for part in order.account or ():
        _check_name("account", part)
    check_source(order.source)
    check_currency(order.currency)
    named = ("gross", order.gross), ("discount", order.discount), ("shipping", order.shipping), ("tax", order.tax)
    for name, amount in named:
        check_amount(name, amount)
    if order.net < 0:
        raise BadInput("order_below_zero", net=order.net)
    check_moment(order.ordered_at)
    if len(order.lines) > LINES_MAX:
        raise BadInput("order_lines_many", most=LINES_MAX)
    for line in order.lines:
        check_amount("lines.amount", line.amount)
        check_amount("lines.quantity", line.quantity)
        if _UNSTORABLE.search(f"{line.sku}{line.name}{line.category}"):
            raise BadInput("order_name", field="lines", most=200)
    goods = order.gross - order.tax - order.shipping
    if order.lines and sum(line.amount for line in order.lines) != goods:
        raise BadInput("order_lines_sum", lines=sum(line.amount for line in order.lines), goods=goods)


def check_refund(refund: RefundOrder) -> None:
    """Raise `BadInput` for a refund that cannot be."""
    for name in ("source", "external_id", "order_id"):
        _check_name(name, getattr(refund, name))
    check_currency(refund.currency)
    if refund.amount is not None:
        check_amount("amount", refund.amount)
        if refund.amount == 0:
            raise BadInput("refund_of_nothing")
    check_moment(refund.refunded_at)


def _check_name(name: str, value: str) -> None:
    if not value or value != value.strip() or len(value) > LONGEST[name] or not value.isprintable():
        raise BadInput("order_name", field=name, most=LONGEST[name])


def check_amount(name: str, amount: int) -> None:
    """Raise `BadInput` unless this is a whole number of minor units within reach."""
    if type(amount) is not int or not 0 <= amount <= LARGEST:  # a bool is an int, too
        raise BadInput("order_amount", field=name, amount=str(amount)[:40])


def check_currency(currency: str) -> None:
    """Raise `BadInput` for what nobody pays with."""
    if not is_currency(currency):
        raise BadInput("unknown_asset", asset=currency[:20])


def check_moment(at: datetime) -> None:
    """Raise `BadInput` for a moment without its time zone."""
    if at.tzinfo is None:
        raise BadInput("moment_without_zone")


def lock_orders(session: Session, brand_ids: Collection[UUID]) -> None:
    """Let one unit of work at a time record a brand's orders and refunds.

    Else an order and its refund that come at the same moment, in two processes, would not see each other.
    """
    for brand_id in sorted(brand_ids):
        lock_graph(session, brand_id)


def conversions_by(
    session: Session, keys: Collection[tuple[UUID, str, str]]
) -> dict[tuple[UUID, str, str], Conversion]:
    """The orders of these (brand, source, external id), as they stand now and until the commit."""
    if not keys:
        return {}
    t = table(Conversion)
    rows: Sequence[Conversion] = session.exec(
        select(Conversion)
        .where(among_keys(session, (t.c.brand_id, t.c.source, t.c.external_id), keys))
        .order_by(col(Conversion.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return {(row.brand_id, row.source, row.external_id): row for row in rows}


_KNOWN = Keyed(
    select(table(Conversion).c.brand_id, table(Conversion).c.source, table(Conversion).c.external_id),
    table(Conversion).c.brand_id,
    table(Conversion).c.source,
    table(Conversion).c.external_id,
)


def known_of(session: Session, keys: Collection[Key]) -> dict[Key, Conversion]:
    """`conversions_by` where nearly all are expected to be new: those that are not are looked for by their keys first,
    which costs far less."""
    return conversions_by(session, [tuple(row) for row in _KNOWN.ask(session, keys)])
