"""Writes down what happens for brands that want to know, in the unit of work in which it happens.

For a brand without an address this costs one question every `FRESH_SECONDS`, whatever happens there.
"""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session, col, select

from core import clock, ids
from core.db import insert_all, table
from core.events import Bus
from core.outbox import Message, put
from referral.campaigns import CampaignMoved
from referral.conversions import OrdersRecorded, PurchaseRefunded
from referral.referrals import FriendJoined, FriendQualified, ReferralReversed
from referral.rejection import ReferralReinstated
from referral.webhooks.models import WebhookEndpoint, WebhookEvent

FRESH_SECONDS = 2.0
"""How long the answer is believed: so much later a process may notice the first address a brand gave to another."""
KNOWN_BRANDS = 10_000
EVENTS_TOPIC = "webhook.events"
"""The outbox's topic of brands whose new events wait for their numbers."""


class Fact(NamedTuple):
    """Something to write down. `data` names rows by id; what a reader would have to look up is added later."""

    brand_id: UUID
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EndpointsChanged:
    """A brand has another set of addresses."""

    brand_id: UUID


@dataclass(slots=True)
class Hearing:
    """Knows of each brand whether it wants to hear anything. One for each bus."""

    _known: OrderedDict[UUID, tuple[float, bool]] = field(default_factory=OrderedDict)

    def wanted(self, session: Session, brand_id: UUID) -> bool:
        """Whether the brand has an address."""
        kept = self._known.get(brand_id)
        if kept is not None and kept[0] >= time.monotonic():
            return kept[1]
        found = session.exec(
            select(col(WebhookEndpoint.id))
            .where(col(WebhookEndpoint.brand_id) == brand_id, col(WebhookEndpoint.removed_at).is_(None))
            .limit(1)
        ).first()
        self._known[brand_id] = (time.monotonic() + FRESH_SECONDS, found is not None)
        self._known.move_to_end(brand_id)
        if len(self._known) > KNOWN_BRANDS:
            self._known.popitem(last=False)
        return found is not None

    def forget(self, session: Session, changes: Sequence[EndpointsChanged]) -> None:
        """Ask anew about these brands."""
        for change in changes:
            self._known.pop(change.brand_id, None)

    def on(self, bus: Bus, kind: type, facts_of: Callable[[Any], Sequence[Fact]]) -> None:
        """Let events of this kind be written down as these facts, where the brand wants them."""

        def hear(session: Session, happened: Sequence[Any]) -> None:
            wanted = [event for event in happened if self.wanted(session, event.brand_id)]
            if wanted:
                note(session, [fact for event in wanted for fact in facts_of(event)])

        bus.on(kind, hear)


def note(session: Session, facts: Sequence[Fact]) -> None:
    """Write these down; their numbers, and their way out, follow after the commit."""
    by_brand: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for fact in facts:
        by_brand[fact.brand_id].append({**fact._asdict(), "id": ids.new(), "number": None})
    insert_all(session, table(WebhookEvent), [row for rows in by_brand.values() for row in rows])
    put(
        session,
        [
            Message(EVENTS_TOPIC, f"webhook/events/{rows[0]['id']}", {"brand": str(brand_id)}, brand_id)
            for brand_id, rows in by_brand.items()
        ],
    )


def listen(bus: Bus) -> Hearing:
    """Hear what this part tells; who knows of money adds to it."""
    hearing = Hearing()
    bus.on(EndpointsChanged, hearing.forget)
    hearing.on(bus, FriendJoined, _joined)
    hearing.on(bus, FriendQualified, _qualified)
    hearing.on(bus, ReferralReversed, _reversed)
    hearing.on(bus, ReferralReinstated, _reinstated)
    hearing.on(bus, OrdersRecorded, _recorded)
    hearing.on(bus, PurchaseRefunded, _refunded)
    hearing.on(bus, CampaignMoved, _moved)
    return hearing


def _people(event: Any) -> dict[str, Any]:
    named = ("campaign_id", "referral_id", "advocate_id", "friend_id")
    return {name: str(getattr(event, name)) for name in named}


def _joined(event: FriendJoined) -> list[Fact]:
    due = {"qualifies_at": event.due_at.isoformat() if event.due_at else None}
    return [Fact(event.brand_id, "referral.joined", clock.now(), _people(event) | due)]


def _qualified(event: FriendQualified) -> list[Fact]:
    order = {"conversion_id": str(event.conversion_id) if event.conversion_id else None}
    data = _people(event) | {"event": event.event, "qualified_at": event.at.isoformat()} | order
    return [Fact(event.brand_id, "referral.qualified", clock.now(), data)]


def _reversed(event: ReferralReversed) -> list[Fact]:
    return [Fact(event.brand_id, "referral.reversed", clock.now(), _people(event) | {"reason": event.reason})]


def _reinstated(event: ReferralReinstated) -> list[Fact]:
    return [Fact(event.brand_id, "referral.reinstated", event.at, _people(event) | {"reason": event.reason})]


def _recorded(event: OrdersRecorded) -> list[Fact]:
    return [
        Fact(event.brand_id, "conversion.recorded", event.at, {"conversion_id": str(one)}) for one in event.conversions
    ]


def _refunded(event: PurchaseRefunded) -> list[Fact]:
    money = {"refunded": event.net_before - event.net_after, "left": event.net_after}
    about = {"conversion_id": str(event.conversion_id), "refund_id": str(event.refund_id)}
    data = _people(event) | about | money | {"refunded_at": event.at.isoformat()}
    return [Fact(event.brand_id, "conversion.refunded", clock.now(), data)]


def _moved(event: CampaignMoved) -> list[Fact]:
    data = {"campaign_id": str(event.campaign_id), "before": event.before, "after": event.after}
    return [Fact(event.brand_id, "campaign.moved", clock.now(), data)]
