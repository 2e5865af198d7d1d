"""Gives new events their numbers and what their readers would look up, and sends each on to who wants it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select
from sqlmodel import Session, col

from core import clock, ids
from core.db import among, insert_all, insert_missing, table, update_each
from core.outbox import Message, put
from referral.campaigns import Campaign
from referral.conversions import Conversion, Refund
from referral.referrals import Referral
from referral.webhooks.hearing import EVENTS_TOPIC
from referral.webhooks.models import TEST, WAITING, WebhookDelivery, WebhookEndpoint, WebhookEvent, WebhookHead

AT_ONCE = 500
"""Events numbered in one unit of work."""
SEND_TOPIC = "webhook"
"""The outbox's topic of addresses that have something waiting."""
Data = dict[str, Any]


def fan_out(session: Session, brands: Sequence[UUID]) -> list[None]:
    """Number what is new for these brands, in the order it was written; a batch function for the writer."""
    for brand_id in sorted(set(brands)):
        _fan_out(session, brand_id)
    return [None] * len(brands)


def _fan_out(session: Session, brand_id: UUID) -> None:
    head = table(WebhookHead)
    insert_missing(session, head, [{"brand_id": brand_id, "number": 0}], ["brand_id"])
    last = session.execute(select(head.c.number).where(head.c.brand_id == brand_id).with_for_update()).scalar_one()
    e = table(WebhookEvent)
    rows = session.execute(
        select(e.c.id, e.c.type, e.c.data)
        .where(e.c.brand_id == brand_id, e.c.number.is_(None))
        .order_by(e.c.id)
        .limit(AT_ONCE)
    ).all()
    if not rows:
        return
    complete = _looked_up(session, brand_id, {row.id: (row.type, dict(row.data)) for row in rows})
    numbers = {row.id: last + place for place, row in enumerate(rows, 1)}
    update_each(
        session,
        e,
        [{"brand_id": brand_id, "id": one, "number": numbers[one], "data": complete[one]} for one in numbers],
        ["brand_id", "id"],
    )
    session.execute(head.update().where(head.c.brand_id == brand_id).values(number=last + len(rows)))
    _send(session, brand_id, [(numbers[row.id], row.id, row.type, complete[row.id]) for row in rows])
    if len(rows) == AT_ONCE:
        put(session, [Message(EVENTS_TOPIC, f"webhook/events/{rows[-1].id}/on", {"brand": str(brand_id)}, brand_id)])


def _send(session: Session, brand_id: UUID, events: Sequence[tuple[int, UUID, str, Data]]) -> None:
    """Give each address the events it wants; those of one that is paused or off wait there."""
    now = clock.now()
    rows = []
    for endpoint in endpoints_of(session, brand_id):
        rows += [
            delivery(brand_id, endpoint.id, event_id, number, now, test=kind == TEST)
            for number, event_id, kind, data in events
            if wants(endpoint, kind, data)
        ]
    insert_all(session, table(WebhookDelivery), rows)
    wake(session, brand_id, {row["endpoint_id"] for row in rows}, f"after/{events[-1][0]}")


def delivery(brand_id: UUID, endpoint_id: UUID, event_id: UUID, number: int, now: Any, *, test: bool) -> Data:
    """The columns of an event that waits for its first try."""
    return {
        "brand_id": brand_id,
        "id": ids.new(),
        "endpoint_id": endpoint_id,
        "event_id": event_id,
        "number": number,
        "test": test,
        "state": WAITING,
        "attempts": 0,
        "due_at": now,
        "created_at": now,
        "tried_at": None,
        "status": None,
        "error": None,
        "said": "",
        "took": None,
    }


def wants(endpoint: WebhookEndpoint, kind: str, data: Mapping[str, Any]) -> bool:
    """Whether an address is told of such an event."""
    if kind == TEST:
        return bool(data["endpoint_id"] == str(endpoint.id))
    return not endpoint.events or kind in endpoint.events


def wake(session: Session, brand_id: UUID, endpoints: Collection[UUID], cause: str, due_at: Any = None) -> None:
    """Let somebody look what waits for these addresses, now or at `due_at`; `cause` makes the call unique."""
    put(
        session,
        [
            Message(
                SEND_TOPIC,
                f"webhook/{one}/{cause}",
                {"brand": str(brand_id), "endpoint": str(one)},
                brand_id,
                due_at,
            )
            for one in sorted(endpoints)
        ],
    )


def endpoints_of(session: Session, brand_id: UUID) -> list[WebhookEndpoint]:
    """The brand's addresses as they stand, the oldest first."""
    found = (
        select(WebhookEndpoint)
        .where(col(WebhookEndpoint.brand_id) == brand_id, col(WebhookEndpoint.removed_at).is_(None))
        .order_by(col(WebhookEndpoint.id))
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(found))


def _looked_up(session: Session, brand_id: UUID, events: Mapping[UUID, tuple[str, Data]]) -> dict[UUID, Data]:
    """The events' data with what their readers would ask for next: the campaign's slug, the invite code, the shop's
    own numbers."""
    data = {one: found for one, (_, found) in events.items()}
    orders = _rows(session, table(Conversion), brand_id, _named(data.values(), "conversion_id"))
    refunds = _rows(session, table(Refund), brand_id, _named(data.values(), "refund_id"))
    for one, (kind, _) in events.items():
        if kind == "conversion.recorded":
            data[one] = _order(orders[data[one]["conversion_id"]])
        elif kind == "conversion.refunded":
            order, refund = orders[data[one]["conversion_id"]], refunds[data[one]["refund_id"]]
            about = {"source": order.source, "order_id": order.external_id, "currency": order.currency}
            data[one] = {**data[one], **about, "external_id": refund.external_id}
    referrals = _rows(session, table(Referral), brand_id, _named(data.values(), "referral_id"))
    campaigns = _rows(session, table(Campaign), brand_id, _named(data.values(), "campaign_id"))
    for found in data.values():
        if found.get("referral_id") in referrals:
            found["code"] = referrals[found["referral_id"]].code
        if "campaign_id" in found:
            campaign = campaigns.get(found.pop("campaign_id"))
            found["campaign"] = campaign.slug if campaign is not None else None
    return data


def _order(row: Any) -> Data:
    plain = ("source", "external_id", "status", "reason", "code", "currency", "net", "refunded")
    named = ("campaign_id", "referral_id", "member_id")
    return {
        "conversion_id": str(row.id),
        **{name: getattr(row, name) for name in plain},
        **{name: str(getattr(row, name)) if getattr(row, name) is not None else None for name in named},
        "ordered_at": row.ordered_at.isoformat(),
    }


def _named(data: Iterable[Data], name: str) -> set[UUID]:
    return {UUID(found[name]) for found in data if found.get(name)}


def _rows(session: Session, of: Table, brand_id: UUID, which: Collection[UUID]) -> dict[str, Any]:
    """The rows of a table by their ids as text."""
    if not which:
        return {}
    found = session.execute(select(of).where(of.c.brand_id == brand_id, among(session, of.c.id, which)))
    return {str(row.id): row for row in found}
