"""What `daixin attribution` does in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from core.errors import NotFound
from daixin.console import LOCALE, brand_named
from referral.attribution.decisions import decisions_of
from referral.attribution.policy import terms_from
from referral.attribution.whatif import Replay, replay
from referral.attribution.words import describe, explain
from referral.campaigns import find_campaign
from referral.conversions import Conversion, conversions_by
from referral.members import Member

Document = dict[str, Any]


def show(session: Session, brand: str | None, source: str, number: str) -> Document:
    """Every decision about an order, the first one first. Raises `NotFound("order")`."""
    owner = brand_named(session, brand)
    key = (owner.id, source, number)
    row: Conversion | None = conversions_by(session, [key]).get(key)
    if row is None:
        raise NotFound("order", order=number, source=source)
    decisions = [
        one.model_dump(mode="json", exclude={"brand_id"})
        | {"in_words": explain(one.reason, LOCALE), "policy_in_words": describe(one.policy, LOCALE)}
        for one in decisions_of(session, owner.id, row.id)
    ]
    return {"order": row.external_id, "status": row.status, "decisions": decisions}


def whatif(session: Session, brand: str | None, slug: str, said: Mapping[str, Any], limit: int) -> list[Document]:
    """What each advocate has now and would have, who gains most first; the sums last.

    Raises `BadInput("attribution")`, `NotFound("campaign")`.
    """
    owner = brand_named(session, brand)
    campaign = find_campaign(session, owner.id, slug)
    found = replay(session, campaign, terms_from(said, campaign.window_days), limit)
    names = dict(
        session.exec(
            select(col(Member.id), col(Member.name)).where(
                col(Member.brand_id) == owner.id, col(Member.id).in_({*found.now, *found.then})
            )
        ).all()
    )
    people = [
        {
            "advocate": str(advocate_id),
            "name": names.get(advocate_id),
            "orders_now": found.now[advocate_id].orders / 1_000_000,
            "orders_then": found.then[advocate_id].orders / 1_000_000,
            "net_now": dict(found.now[advocate_id].net),
            "net_then": dict(found.then[advocate_id].net),
        }
        for advocate_id in found.ranked()
    ]
    return [*people, _sums(found)]


def _sums(found: Replay) -> Document:
    return {
        "policy": found.policy.text,
        "in_words": describe(found.policy, LOCALE),
        "orders": found.orders,
        "counted_now": found.counted_now,
        "counted_then": found.counted_then,
        "moved": found.moved,
        "more": found.more,
    }
