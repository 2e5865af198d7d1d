"""What a shop's message says, in words all shops share. Decoders make these; `web.hooks.taking` books them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from referral.conversions import Line


@dataclass(frozen=True, slots=True)
class Sale:
    """An order that was paid. Amounts in minor units of the shop's own currency, as in `referral.conversions.Order`.

    `contacts`: e-mail addresses, then phone numbers of the customer; `customer`: the shop's own number of theirs.
    `codes`: what was given as an invite code; `maybe`: discount codes, parameters of links, words of a note, which may
    be invite codes or promo codes, and are kept only if they are; `clicks`: what may be the number of a click of ours.
    `consent`: the customer ticked the shop's own box for it.
    """

    number: str
    currency: str
    gross: int
    ordered_at: datetime
    discount: int = 0
    shipping: int = 0
    tax: int = 0
    lines: tuple[Line, ...] = ()
    contacts: tuple[str, ...] = ()
    customer: str = ""
    codes: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Back:
    """Money that went back for an order. `goods`: so much of its net, None for all that is left of it. `paid`, where
    the shop does not say what it was for: so much of all that was paid, of which the goods get their share."""

    number: str
    order: str
    currency: str
    at: datetime
    goods: int | None = None
    paid: int | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """Another name of an order, by which refunds of it may be told."""

    name: str
    order: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to book. `reason`: `shop.reason.<reason>` in the catalogue. `refund`: the number of a refund that failed,
    which may have been booked when it seemed to succeed."""

    reason: str
    refund: str = ""


Item = Sale | Back | Named | Ignored


@dataclass(frozen=True, slots=True)
class Told:
    """A message, decoded. `topic`: what the shop calls this kind of message; `label`: how its people call the order."""

    topic: str
    label: str
    items: tuple[Item, ...]


def ignored(topic: str, label: str, reason: str) -> Told:
    """A message of which nothing is booked."""
    return Told(topic, label, (Ignored(reason),))
