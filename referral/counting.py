"""By which referral a buyer's order counts: how they came, and why an order does not count by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from core.db import table
from core.keyed import Keyed
from referral.attribution.decisions import Verdicts
from referral.campaigns import Campaign
from referral.conversions import PURCHASED
from referral.members import Member
from referral.referrals import Referral
from referral.refunds import REFUNDED


@dataclass(slots=True)
class Brought:
    """How a friend came, with what the campaign counts: the columns that a decision about an order needs.

    `gone_at`: when the advocate was forgotten, if they were.
    """

    brand_id: UUID
    id: UUID
    campaign_id: UUID
    campaign_version: int
    advocate_id: UUID
    friend_id: UUID
    state: str
    reason: str | None
    started_at: datetime
    joined_at: datetime | None
    expires_at: datetime
    touch_id: UUID
    event: str
    ends_at: datetime
    gone_at: datetime | None


_R, _C, _A = table(Referral), table(Campaign), table(Member)
# Asked row by row, so that no plan ever reads all members for it.
_GONE_AT = select(_A.c.erased_at).where(_A.c.brand_id == _R.c.brand_id, _A.c.id == _R.c.advocate_id).scalar_subquery()
_WAYS = Keyed(
    select(*(_R.c[name] for name in tuple(Brought.__dataclass_fields__)[:-3]), _C.c.event, _C.c.ends_at, _GONE_AT)
    .join(_C, (_C.c.brand_id == _R.c.brand_id) & (_C.c.id == _R.c.campaign_id))
    .order_by(_R.c.id)
    .with_for_update(of=_R, key_share=True),
    _R.c.brand_id,
    _R.c.friend_id,
)


def ways_of(
    session: Session, friends: Collection[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID | None], list[Brought]]:
    """How these (brand, friend) came, with what their campaigns count, as it stands now and until the commit."""
    found: dict[tuple[UUID, UUID | None], list[Brought]] = defaultdict(list)
    if friends:
        session.flush()
        for row in _WAYS.ask(session, friends):
            one = Brought(*row)
            found[(one.brand_id, one.friend_id)].append(one)
    return found


class Ordered(Protocol):
    """What is asked of an order."""

    id: UUID

    @property
    def ordered_at(self) -> datetime:
        """When it was made."""


def refusal(row: Ordered, brought: Brought, judged: Verdicts) -> str | None:
    """Why an order does not count by this referral, or None if it does."""
    verdict = judged.get((row.id, brought.id)) if judged else None
    end = brought.ends_at if verdict is not None else min(brought.expires_at, brought.ends_at)
    if not brought.started_at <= row.ordered_at < end:
        return "outside_window"
    counts_purchases = brought.event == PURCHASED
    # Who gave everything back and bought again is a customer again.
    again = counts_purchases and brought.reason == REFUNDED
    if brought.state == "rejected" or (brought.state == "reversed" and not again):
        return f"referral_{brought.state}"
    if brought.state == "expired" and brought.reason != "window_over":
        return "referral_expired"
    if brought.advocate_id == brought.friend_id:  # two accounts that were linked when this had run out already
        return "referral_own"
    if verdict is not None and not verdict.credit.shares:
        return "credit_lapsed"
    if verdict is None and brought.gone_at is not None:
        return "referral_forgotten"
    return None if counts_purchases or brought.joined_at is not None else "not_joined"
