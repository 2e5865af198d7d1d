"""What may be sent to `/api/v1` and what it answers. Amounts are whole minor units of the currency (cents, fen).

Whatever is not named here is refused: a misspelt field would otherwise lose a customer without a word.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from core.money import LARGEST, currencies, is_currency
from referral.conversions import LINES_MAX, LONGEST, Line, Order, RefundOrder, customer_hash, hash_of_digest

BATCH_MOST = 1000


def _moment(given: Any) -> datetime:
    """RFC 3339 in a text, with its offset; not the numbers and dates that Python would read as well."""
    try:
        if not isinstance(given, str) or "T" not in given.upper():
            raise ValueError
        moment = datetime.fromisoformat(given)
        if moment.tzinfo is None or not 1970 <= moment.year < 9999:
            raise ValueError
    except ValueError:
        raise PydanticCustomError(
            "moment", "give a moment with its offset, such as 2026-03-01T12:00:00+08:00"
        ) from None
    return moment


Email = Annotated[str, StringConstraints(strict=True, min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Minor = Annotated[int, Field(strict=True, ge=0, le=LARGEST, description="whole minor units")]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]


def _currency(code: str) -> str:
    if not is_currency(code):
        raise PydanticCustomError("currency", "wants an ISO 4217 code such as CNY")
    return code


Currency = Annotated[
    str,
    AfterValidator(_currency),
    WithJsonSchema({"type": "string", "description": "ISO 4217", "enum": currencies()}),
]
Sha256 = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-fA-F]{64}$")]


def _name(most: int) -> Any:
    return StringConstraints(strict=True, min_length=1, max_length=most)


Source = Annotated[
    str,
    _name(LONGEST["source"]),
    Field(
        description="the shop or system that numbers the orders, in small letters: a capital is refused (400)",
        examples=["shop"],
    ),
]
Number = Annotated[str, _name(LONGEST["external_id"]), Field(description="the source's own number, unique in it")]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LineIn(_Given):
    """A line of an order. `amount`: what the line costs in all, before discounts of the order, without tax."""

    sku: Annotated[str, _name(200)]
    amount: Minor
    quantity: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1
    name: Annotated[str, StringConstraints(strict=True, max_length=200)] = ""
    category: Annotated[str, StringConstraints(strict=True, max_length=200)] = ""


class AccountIn(_Given):
    """An account of the buyer on a platform, as the platform names it."""

    platform: Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z]{1,20}$")]
    account: Annotated[str, _name(LONGEST["account"])]


class CustomerIn(_Given):
    """Who bought, in any ways that are known; they must not contradict each other. Contacts are kept as keyed hashes
    only. `email_sha256`: SHA-256 of the address in lower case, without spaces around it, in hexadecimal. `consent`: the
    customer agreed that later orders with this contact alone are joined to them."""

    member_id: UUID | None = None
    account: AccountIn | None = None
    email: Email | None = None
    email_sha256: Sha256 | None = None
    phone: Annotated[str, StringConstraints(strict=True, min_length=5, max_length=40)] | None = None
    consent: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _one_contact(self) -> CustomerIn:
        if sum(one is not None for one in (self.email, self.email_sha256, self.phone)) > 1:
            raise PydanticCustomError("one_contact", "give one of email, email_sha256 and phone")
        return self

    @property
    def contact_hash(self) -> str | None:
        """The keyed hash of the contact given. Raises `BadInput("contact_unreadable")`."""
        if self.email_sha256 is not None:
            return hash_of_digest(self.email_sha256.lower())
        contact = self.email or self.phone
        return customer_hash(contact) if contact is not None else None


class ConversionIn(_Given):
    """An order that was paid. `gross` is what was paid in all; `discount` of it was never paid, `shipping` and `tax`
    are not the goods: net = gross - discount - shipping - tax.

    `code`: the invite code given with it; `click_id`: the id a landing page was opened with (`t` in its address).
    """

    source: Source
    external_id: Number
    currency: Currency
    gross: Minor
    discount: Minor = 0
    shipping: Minor = 0
    tax: Minor = 0
    ordered_at: Moment
    lines: Annotated[tuple[LineIn, ...], Field(max_length=LINES_MAX)] = ()
    code: Annotated[str, _name(LONGEST["code"])] | None = None
    click_id: UUID | None = None
    customer: CustomerIn = CustomerIn()

    def order(self, brand_id: UUID) -> Order:
        """The order as the core knows it, but for its click. Raises `BadInput`."""
        who = self.customer
        return Order(
            brand_id,
            self.source,
            self.external_id,
            self.currency,
            self.gross,
            self.ordered_at,
            self.discount,
            self.shipping,
            self.tax,
            tuple(Line(**line.model_dump()) for line in self.lines),
            who.member_id,
            None,
            (who.account.platform, who.account.account) if who.account else None,
            self.code,
            who.contact_hash,
            consent=who.consent,
        )


class RefundIn(_Given):
    """Money that went back. `amount`: of the order's net; without one, all that is left of it."""

    source: Source
    external_id: Number
    order_id: Annotated[str, _name(LONGEST["order_id"]), Field(description="the order's external_id")]
    currency: Currency
    amount: Annotated[int, Field(strict=True, ge=1, le=LARGEST)] | None = None
    refunded_at: Moment

    def refund(self, brand_id: UUID) -> RefundOrder:
        """The refund as the core knows it."""
        return RefundOrder(
            brand_id, self.source, self.external_id, self.order_id, self.amount, self.currency, self.refunded_at
        )


class ConversionsIn(_Given):
    """Up to a thousand orders. Each is recorded or refused by itself."""

    conversions: Annotated[tuple[ConversionIn, ...], Field(min_length=1, max_length=BATCH_MOST)]


class RefundsIn(_Given):
    """Up to a thousand refunds. Each is recorded or refused by itself."""

    refunds: Annotated[tuple[RefundIn, ...], Field(min_length=1, max_length=BATCH_MOST)]


class ConversionOut(BaseModel):
    """What became of an order. `status`: attributed, unattributed or rejected; `reason` is a code, `explanation` says
    it in the language asked for. `refunded`: how much of `net` went back so far."""

    id: UUID
    source: str
    external_id: str
    status: Literal["attributed", "unattributed", "rejected"]
    reason: str | None
    explanation: str
    campaign: str | None
    referral_id: UUID | None
    member_id: UUID | None
    currency: str
    net: int
    refunded: int
    ordered_at: datetime
    received_at: datetime


class RefundOut(BaseModel):
    """What became of a refund. `applied`: what was taken off its order; `rest`: what was asked for beyond that."""

    id: UUID
    source: str
    external_id: str
    order_id: str
    conversion_id: UUID | None
    status: Literal["applied", "cut", "waiting", "rejected"]
    reason: str | None
    explanation: str
    currency: str
    applied: int
    rest: int
    refunded_at: datetime
    received_at: datetime


class Problem(BaseModel):
    """What went wrong (RFC 9457). `code` stays the same in every language."""

    type: str
    title: str
    status: int
    detail: str
    code: str | None = None
    errors: list[dict[str, Any]] | None = None


class ConversionResult(BaseModel):
    """One of a batch: `status` is what a single request would have had."""

    status: int
    conversion: ConversionOut | None = None
    problem: Problem | None = None


class RefundResult(BaseModel):
    """One of a batch: `status` is what a single request would have had."""

    status: int
    refund: RefundOut | None = None
    problem: Problem | None = None


class ConversionResults(BaseModel):
    """In the order of what was asked."""

    results: list[ConversionResult]


class RefundResults(BaseModel):
    """In the order of what was asked."""

    results: list[RefundResult]


class ConversionPage(BaseModel):
    """`next`: the cursor of the page after this one; absent on the last."""

    conversions: list[ConversionOut]
    next: str | None


class RefundPage(BaseModel):
    """`next`: the cursor of the page after this one; absent on the last."""

    refunds: list[RefundOut]
    next: str | None


class CampaignOut(BaseModel):
    """A campaign. Titles by language."""

    slug: str
    kind: str
    state: str
    title: dict[str, str]
    starts_at: datetime
    ends_at: datetime


class CampaignPage(BaseModel):
    """`next`: the cursor of the page after this one; absent on the last."""

    campaigns: list[CampaignOut]
    next: str | None


class PlaceOut(BaseModel):
    """A line of a leaderboard."""

    rank: int
    member_id: UUID
    name: str
    score: int
    reached_at: datetime


class LeaderboardOut(BaseModel):
    """Most first; ties by who got there first."""

    campaign: str
    places: list[PlaceOut]
