"""Promo codes: made when they are given, unguessable, each knowing its member.

The random symbols and the check symbol are those of invite codes (`referral.codes`). A shop that sends the code back
with an order thereby names who shared it: `owner_of` finds the member.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlmodel import Field, Session, col

from core import clock, ids
from core.db import TenantRow, UtcDateTime, insert_new, table
from core.errors import Unavailable
from referral import codes
from rewards.items.items import Item

TRIES = 8
"""Fresh codes drawn before we give up; with 40 random bits the second is hardly ever needed."""
_NOISE = re.compile(r"[\s\-_.·—–]+")


class PromoCode(TenantRow, table=True):
    """One code. `code` is as it is shown, `key` without dashes: what is compared."""

    __tablename__ = "promo_code"
    __table_args__ = (
        ForeignKeyConstraint(["brand_id", "item_id"], ["item.brand_id", "item.id"]),
        ForeignKeyConstraint(["brand_id", "payout_id"], ["payout.brand_id", "payout.id"]),
        UniqueConstraint("brand_id", "key"),
        UniqueConstraint("brand_id", "payout_id", "number"),
        Index("ix_promo_code_member", "brand_id", "member_id"),
    )

    item_id: UUID
    member_id: UUID
    payout_id: UUID
    number: int
    code: str
    key: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


def draw(pattern: str) -> str:
    """A fresh code of this pattern: `?` a random symbol, `#` the check symbol of the random ones."""
    body = [secrets.choice(codes.ALPHABET) for _ in range(pattern.count("?"))]
    check = codes.check_symbol("".join(body))
    symbols = iter(body)
    return "".join(next(symbols) if sign == "?" else check if sign == "#" else sign for sign in pattern)


def key_of(code: str) -> str:
    """What two spellings of one code have in common."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", code[:100])).upper()


def give(session: Session, item: Item, member_id: UUID, payout_id: UUID, quantity: int) -> None:
    """Make the payout's codes."""
    now = clock.now()
    days = item.settings["days"]
    target = table(PromoCode)
    for number in range(1, quantity + 1):
        for _ in range(TRIES):
            code = draw(item.settings["pattern"])
            row = {
                "brand_id": item.brand_id,
                "id": ids.new(),
                "item_id": item.id,
                "member_id": member_id,
                "payout_id": payout_id,
                "number": number,
                "code": code,
                "key": key_of(code),
                "created_at": now,
                "expires_at": now + timedelta(days=days) if days else None,
            }
            if insert_new(session, target, [row], ["brand_id", "key"], returning=target.c.id):
                break
        else:
            raise Unavailable("no_free_code")


def promo_codes_of(session: Session, brand_id: UUID, payout_id: UUID) -> list[PromoCode]:
    """What a payout gave."""
    return list(
        session.scalars(
            select(PromoCode)
            .where(col(PromoCode.brand_id) == brand_id, col(PromoCode.payout_id) == payout_id)
            .order_by(col(PromoCode.number))
        )
    )


def owner_of(session: Session, brand_id: UUID, code: str) -> PromoCode | None:
    """The promo code somebody wrote in whatever spelling, and with it its member; None for one that is none."""
    return session.scalar(
        select(PromoCode).where(col(PromoCode.brand_id) == brand_id, col(PromoCode.key) == key_of(code))
    )
