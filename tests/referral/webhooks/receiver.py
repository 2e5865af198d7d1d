"""A brand's own program on a socket: takes webhooks, checks them with the library of Standard Webhooks, and answers
as the story wants. With it the house's sender, driven by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import uvicorn
from sqlalchemy import select
from sqlmodel import Session
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from core import vault
from core.db import table
from core.outbox import Dispatcher
from referral.webhooks import addresses, deliveries, endpoints, fanning, sending
from referral.webhooks import hearing as webhooks
from referral.webhooks.models import WebhookDelivery, WebhookEndpoint
from tests.house import House
from tests.web.site import until

LOOPBACK = addresses.read_allowed("127.0.0.1")
BY = "operator"
Say = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    headers: Mapping[str, str]
    body: bytes

    def checked(self, secret: str) -> dict[str, Any]:
        """What it says, if the library believes it."""
        found = Webhook(secret).verify(self.body, dict(self.headers))
        assert isinstance(found, dict)
        return found


@dataclass
class Receiver:
    """`says`: how it answers; a number is a status."""

    heard: list[Heard] = field(default_factory=list)
    says: int | Say = 200
    url: str = ""

    async def take(self, request: Request) -> Response:
        self.heard.append(Heard(dict(request.headers), await request.body()))
        if isinstance(self.says, int):
            return PlainTextResponse("seen" if self.says < 300 else "closed for today", self.says)
        return await self.says(request)

    def types(self, secret: str) -> list[str]:
        """What it was told of, in the order in which it came."""
        return [str(one.checked(secret)["type"]) for one in self.heard]


@dataclass
class Post:
    """The house's way out to one receiver; `rings` delivers what is due."""

    house: House
    brand_id: UUID
    receiver: Receiver
    dispatcher: Dispatcher
    sender: sending.Sender
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def rings(self) -> None:
        """Everything that is due now goes out."""
        while await self.dispatcher.deliver_due():
            pass

    def adds(self, *types: str, url: str | None = None) -> tuple[UUID, str]:
        """The brand gives the receiver's address: (its id, its secret)."""
        where = url or f"{self.receiver.url}?n={next(self.numbers)}"
        made, secret = self.house.do(lambda session: endpoints.add_endpoint(session, self.brand_id, where, types, BY))
        assert secret is not None
        return made, secret

    def changes(self, which: UUID, url: str) -> None:
        """The brand gives another address instead."""
        self.house.do(lambda session: endpoints.change_endpoint(session, self.brand_id, which, BY, url=url))

    def endpoint(self, which: UUID) -> WebhookEndpoint:
        """The address as it stands."""
        return self.house.ask(lambda session: endpoints.endpoint_of(session, self.brand_id, which))

    def deliveries(self, which: UUID) -> list[Any]:
        """What became of each event, the first first."""
        found = self.house.ask(lambda session: deliveries.listed(session, self.brand_id, which))
        return sorted(found, key=lambda row: row.number)

    def secret(self, which: UUID) -> str:
        """What is signed with now."""
        return str(vault.unseal(self.endpoint(which).sealed, bound_to=which)["secret"])


def all_deliveries(session: Session) -> int:
    """How many there are of any brand."""
    return len(session.execute(select(table(WebhookDelivery).c.id)).all())


@asynccontextmanager
async def serving(receiver: Receiver, **more: Any) -> AsyncIterator[None]:
    """The receiver listens on a port of its own until the block ends; `more` is for its server."""
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["POST", "GET"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1, **more))
    running = asyncio.create_task(server.serve())
    try:
        await until(lambda: server.started)
        host, port = server.servers[0].sockets[0].getsockname()[:2]
        receiver.url = f"http://{host}:{port}/hook"
        yield
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(running, 20)


@asynccontextmanager
async def post_office(
    house: House, brand_id: UUID, *, ask: addresses.Resolve = addresses.resolve, seconds: float = sending.SECONDS
) -> AsyncIterator[Post]:
    """A sender that may send to this machine, and a receiver there."""
    receiver = Receiver()
    async with serving(receiver):
        dispatcher = Dispatcher(house.writer)
        sender = sending.Sender(house.writer, LOOPBACK, ask=ask, seconds=seconds)
        dispatcher.on(webhooks.EVENTS_TOPIC, sending.number)
        dispatcher.on(fanning.SEND_TOPIC, sender, apart=4)
        yield Post(house, brand_id, receiver, dispatcher, sender)
