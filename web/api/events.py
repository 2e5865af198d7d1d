"""`/api/v1/events` and `/api/v1/webhooks`: what happened, to be read at one's own pace, and where it is sent.

Annotations are evaluated here, as in `web.api.app`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, select
from sqlmodel import Session

from core.db import table
from core.errors import BadInput, NotAllowed
from referral.api_keys import Holder
from referral.webhooks import addresses, deliveries, endpoints
from referral.webhooks.fanning import endpoints_of
from referral.webhooks.models import TEST, WebhookEndpoint, WebhookEvent, WebhookHead
from web.api.callers import COUNTED, Callers
from web.parts import WebParts

PAGE, PAGE_MOST = 100, 500
LARGEST_NUMBER = 2**53 - 1
"""As far as a number is exact in every program that reads JSON."""
Documented = dict[int | str, dict[str, Any]]
Type = Literal[
    "referral.joined",
    "referral.qualified",
    "referral.reversed",
    "referral.reinstated",
    "conversion.recorded",
    "conversion.refunded",
    "reward.granted",
    "reward.released",
    "reward.taken_back",
    "payout.completed",
    "payout.failed",
    "campaign.moved",
]
Url = Annotated[
    str, Field(max_length=addresses.LONGEST, pattern=r"^\S+$", examples=["https://shop.example.com/daixin"])
]
Number = Annotated[int, Field(strict=True, ge=0, le=LARGEST_NUMBER, description="an event's `sequence`; 0: all")]
Cursor = Annotated[
    str | None, Query(max_length=16, pattern=r"^\d+$", description="`next` of the page before; without one, the oldest")
]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST)]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EventOut(BaseModel):
    """What happened. `data` depends on the type; amounts are minor units. `id` is the `webhook-id` it is sent with."""

    id: UUID
    type: str
    timestamp: datetime
    sequence: int
    data: dict[str, Any]


class EventPage(BaseModel):
    """`next`: the cursor to go on from, also when nothing new is there yet; `more`: whether there is more now."""

    events: list[EventOut]
    next: str
    more: bool


class WebhookIn(_Given):
    """An address to be told. Without `events` it hears everything, also what is added later."""

    url: Url
    events: list[Type] = Field(default_factory=list, max_length=50)


class WebhookChange(_Given):
    """What shall be another. `state`: on (go on, from where it stopped) or paused."""

    url: Url | None = None
    events: Annotated[list[Type], Field(max_length=50)] | None = None
    state: Literal["on", "paused"] | None = None


class WebhookOut(BaseModel):
    """An address. `state`: on, paused, or off (given up, `reason` is failing or gone). `waiting`: events not sent."""

    id: UUID
    url: str
    events: list[str]
    state: str
    reason: str | None
    failures: int
    waiting: int
    created_at: datetime
    answered_at: datetime | None


class WebhookMade(WebhookOut):
    """`secret` is told this once."""

    secret: str


class Webhooks(BaseModel):
    """The oldest first."""

    webhooks: list[WebhookOut]


class Secret(BaseModel):
    """A new secret, told this once; for a day messages are signed with the one before, too."""

    secret: str


class ReplayIn(_Given):
    """After which event."""

    after: Number


class Replayed(BaseModel):
    """How many are sent again. `next`: what to ask for `after` then, where there are more."""

    sent: int
    next: int | None


class DeliveryOut(BaseModel):
    """An event on its way. `status` and `said`: of the last answer; `error`: why that was none."""

    id: UUID
    event_id: UUID
    sequence: int
    type: str
    state: str
    attempts: int
    due_at: datetime
    tried_at: datetime | None
    status: int | None
    error: str | None
    said: str


class Deliveries(BaseModel):
    """The newest first. `next`: what to ask for `before` then, where there are more."""

    deliveries: list[DeliveryOut]
    next: int | None


def add_events(app: FastAPI, parts: WebParts, callers: Callers, explained: Callable[..., Documented]) -> None:
    """Put these addresses into the application. `explained(status, …)`: what the document says of errors."""
    reading = Annotated[Holder, Depends(_who(callers, "events:read"))]

    @app.get("/events", response_model=EventPage, responses=explained(400, 401, 403, 422, 429, 503))
    async def list_events(
        who: reading,
        cursor: Cursor = None,
        limit: Limit = PAGE,
        type: Annotated[Type | None, Query()] = None,
    ) -> dict[str, Any]:
        """What happened, the oldest first, from the day the first webhook was added and for 30 days. Go on from
        `next`: nothing is missed, and nothing before it comes later."""
        after = int(cursor or "0")
        return await parts.reader.run(lambda session: _page(session, who.brand_id, after, limit, type))

    _add_webhooks(app, parts, callers, explained)
    _add_changes(app, parts, callers, explained)
    _add_deliveries(app, parts, callers, explained)


def _add_webhooks(app: FastAPI, parts: WebParts, callers: Callers, explained: Callable[..., Documented]) -> None:
    writing = Annotated[Holder, Depends(_who(callers, "webhooks:write"))]
    allowed = addresses.read_allowed(parts.settings.webhook_allow)

    @app.get("/webhooks", response_model=Webhooks, responses=explained(400, 401, 403, 429, 503))
    async def list_webhooks(who: writing) -> dict[str, Any]:
        """Where events are sent."""

        def query(session: Session) -> list[dict[str, Any]]:
            return [_shown(session, one) for one in endpoints_of(session, who.brand_id)]

        return {"webhooks": await parts.reader.run(query)}

    @app.post(
        "/webhooks",
        response_model=WebhookMade,
        status_code=201,
        responses=explained(400, 401, 403, 409, 413, 422, 429, 503),
    )
    async def add_webhook(given: WebhookIn, who: writing) -> dict[str, Any]:
        """Send events there from now on. The address must be https and on the open internet."""
        url = await addresses.check_url(given.url, allowed)

        def unit(session: Session) -> dict[str, Any]:
            made, secret = endpoints.add_endpoint(session, who.brand_id, url, given.events, _actor(who))
            return _shown(session, endpoints.endpoint_of(session, who.brand_id, made)) | {"secret": secret}

        return await parts.writer.run(unit)


def _add_changes(app: FastAPI, parts: WebParts, callers: Callers, explained: Callable[..., Documented]) -> None:
    writing = Annotated[Holder, Depends(_who(callers, "webhooks:write"))]
    allowed = addresses.read_allowed(parts.settings.webhook_allow)

    @app.patch(
        "/webhooks/{webhook}",
        response_model=WebhookOut,
        responses=explained(400, 401, 403, 404, 409, 413, 422, 429, 503),
    )
    async def change_webhook(webhook: UUID, given: WebhookChange, who: writing) -> dict[str, Any]:
        """Another address, other events, pause, or go on from where it stopped."""
        url = await addresses.check_url(given.url, allowed) if given.url is not None else None

        def unit(session: Session) -> dict[str, Any]:
            which = (session, who.brand_id, webhook, _actor(who))
            if url is not None or given.events is not None:
                endpoints.change_endpoint(*which, url=url, types=given.events)
            if given.state is not None:
                (endpoints.resume if given.state == "on" else endpoints.pause)(*which)
            return _shown(session, endpoints.endpoint_of(session, who.brand_id, webhook))

        return await parts.writer.run(unit)

    @app.delete("/webhooks/{webhook}", status_code=204, responses=explained(400, 401, 403, 404, 422, 429, 503))
    async def remove_webhook(webhook: UUID, who: writing) -> None:
        """Send nothing there any more."""
        await parts.writer.run(lambda session: endpoints.remove(session, who.brand_id, webhook, _actor(who)))

    @app.post(
        "/webhooks/{webhook}/secret",
        response_model=Secret,
        responses=explained(400, 401, 403, 404, 422, 429, 503),
    )
    async def rotate_secret(webhook: UUID, who: writing) -> dict[str, Any]:
        """A new secret. For 24 hours what is sent is signed with both."""
        secret = await parts.writer.run(
            lambda session: endpoints.rotate_secret(session, who.brand_id, webhook, _actor(who))
        )
        return {"secret": secret}


def _add_deliveries(app: FastAPI, parts: WebParts, callers: Callers, explained: Callable[..., Documented]) -> None:
    writing = Annotated[Holder, Depends(_who(callers, "webhooks:write"))]

    @app.post("/webhooks/{webhook}/test", status_code=202, responses=explained(400, 401, 403, 404, 422, 429, 503))
    async def test_webhook(webhook: UUID, who: writing) -> dict[str, Any]:
        """Send one event made up for it; it is tried once."""
        await parts.writer.run(lambda session: endpoints.send_test(session, who.brand_id, webhook))
        return {}

    @app.post(
        "/webhooks/{webhook}/replay",
        response_model=Replayed,
        responses=explained(400, 401, 403, 404, 413, 422, 429, 503),
    )
    async def replay(webhook: UUID, given: ReplayIn, who: writing) -> dict[str, Any]:
        """Send again what came after an event, up to 10,000 at once."""
        sent, following = await parts.writer.run(
            lambda session: deliveries.replay(session, who.brand_id, webhook, given.after, _actor(who))
        )
        return {"sent": sent, "next": following}

    @app.get(
        "/webhooks/{webhook}/deliveries",
        response_model=Deliveries,
        responses=explained(400, 401, 403, 404, 422, 429, 503),
    )
    async def list_deliveries(
        webhook: UUID,
        who: writing,
        before: Annotated[int | None, Query(ge=1, le=LARGEST_NUMBER)] = None,
        limit: Limit = PAGE,
        state: Annotated[Literal["waiting", "delivered", "failed"] | None, Query()] = None,
    ) -> dict[str, Any]:
        """What became of the events sent there."""

        def query(session: Session) -> list[Row[Any]]:
            endpoints.endpoint_of(session, who.brand_id, webhook)
            return deliveries.listed(session, who.brand_id, webhook, state=state, before=before, limit=limit + 1)

        rows = await parts.reader.run(query)
        following = rows[limit - 1].number if len(rows) > limit else None
        shown = [row._asdict() | {"sequence": row.number} for row in rows[:limit]]
        return {"deliveries": shown, "next": following}


def _who(callers: Callers, scope: str) -> Callable[[Request, Response], Awaitable[Holder]]:
    """A dependency: whose key may do this. Raises as `callers.allowed`."""

    async def holder_of(request: Request, response: Response) -> Holder:
        holder = await callers.holder(request)
        response.headers.update(request.scope.get(COUNTED) or callers.count(holder))
        if scope not in holder.scopes:
            raise NotAllowed("key_may_not", scope=scope)
        return holder

    return holder_of


def _actor(who: Holder) -> str:
    """As the audit log names a program."""
    return f"key:{who.key_id}"


def _shown(session: Session, one: WebhookEndpoint) -> dict[str, Any]:
    named = ("id", "url", "events", "state", "reason", "failures", "created_at", "answered_at")
    return {
        **{name: getattr(one, name) for name in named},
        "waiting": endpoints.waiting(session, one.brand_id, one.id),
    }


def _page(session: Session, brand_id: UUID, after: int, limit: int, kind: str | None) -> dict[str, Any]:
    if after > LARGEST_NUMBER:
        raise BadInput("cursor")
    e, head = table(WebhookEvent).c, table(WebhookHead).c
    # Asked for first: every event up to it is there to be read.
    last = session.execute(select(head.number).where(head.brand_id == brand_id)).scalar() or 0
    query = select(e.id, e.type, e.at, e.number, e.data).where(
        e.brand_id == brand_id, e.number > after, e.type == kind if kind is not None else e.type != TEST
    )
    rows = session.execute(query.order_by(e.number).limit(limit + 1)).all()
    shown = [
        {"id": row.id, "type": row.type, "timestamp": row.at, "sequence": row.number, "data": row.data}
        for row in rows[:limit]
    ]
    more = len(rows) > limit
    read = rows[:limit][-1].number if rows else after
    return {"events": shown, "next": str(read if more else max(read, after, last)), "more": more}
