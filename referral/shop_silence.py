"""Shops that went silent: a webhook that was switched off there costs every order from then on, and nobody notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from core import clock
from referral.shops import KEPT, Shop, ShopDelivery

QUIET = timedelta(days=8)
"""A shop that was never longer silent than this, and is now, is told of: a week, and a day because no week is exact."""
SPAN = timedelta(days=14)
"""For as long its messages must go back, unless more came than we keep: from less nobody knows how often it sends."""
FEWEST = 5
"""Messages, at least, that tell a habit."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A connected shop, and for how many whole days nothing came from it."""

    source: str
    name: str
    days: int


def silent_shops(session: Session, brand_id: UUID) -> list[Silent]:
    """The brand's connected shops that used to send at least weekly and have not for longer, the oldest first."""
    now, at = clock.now(), col(ShopDelivery.at)
    rows = session.execute(
        select(col(Shop.id), col(Shop.source), col(Shop.name), func.max(at))
        .join(
            ShopDelivery,
            (col(ShopDelivery.brand_id) == col(Shop.brand_id)) & (col(ShopDelivery.shop_id) == col(Shop.id)),
        )
        .where(col(Shop.brand_id) == brand_id, col(Shop.ended_at).is_(None))
        .group_by(col(Shop.id), col(Shop.source), col(Shop.name), col(Shop.created_at))
        .having(func.max(at) < now - QUIET, func.count() >= FEWEST)
        .order_by(col(Shop.created_at), col(Shop.id))
    ).all()
    return [
        Silent(source, name, (now - last).days)
        for shop_id, source, name, last in rows
        if _was_regular(session, brand_id, shop_id)
    ]


def _was_regular(session: Session, brand_id: UUID, shop_id: UUID) -> bool:
    moments: list[datetime] = list(
        session.scalars(
            select(col(ShopDelivery.at))
            .where(col(ShopDelivery.brand_id) == brand_id, col(ShopDelivery.shop_id) == shop_id)
            .order_by(col(ShopDelivery.at))
        )
    )
    known = len(moments) >= KEPT or moments[-1] - moments[0] >= SPAN
    return known and all(after - before <= QUIET for before, after in pairwise(moments))
