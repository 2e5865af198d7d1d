"""Carries events to a brand's addresses: signed as Standard Webhooks has it (https://www.standardwebhooks.com), over a
connection to an address that was looked at, with an end to how long and how much we listen."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import httpx2
import structlog
from standardwebhooks import Webhook

from core import clock
from core.errors import BadInput
from core.outbox import Claimed, Parting
from core.writer import Writer
from referral.webhooks import deliveries
from referral.webhooks.addresses import Network, Resolve, Target, addresses_of, read_target, resolve
from referral.webhooks.deliveries import SAID, Load, Outcome, Sending
from referral.webhooks.fanning import fan_out, wake

log = structlog.get_logger()
SECONDS = 15.0
"""From the first look at the name to the end of the answer."""
CONNECT_SECONDS = 5.0
LISTENED = 4096
"""Bytes read of an answer."""
IN_HAND = 2.0
"""Seconds after which a busy address lets the others have their turn, for whom what it does is waited."""
AGENT = "Daixin-Webhooks/1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a try came to, see `Outcome`."""

    status: int | None
    error: str | None
    said: str = ""


async def number(message: Claimed) -> Parting:
    """Give a brand's new events their numbers, in the unit of work that marks the message done."""
    return fan_out, UUID(message.payload["brand"])


class Sender:
    """Delivers what waits for the address a message of the outbox names.

    An address keeps one place of those who are sent to at the same time, however slowly it answers: who is told of it
    meanwhile says so to whoever has it in hand, and is done.
    """

    def __init__(
        self,
        writer: Writer,
        allowed: Sequence[Network] = (),
        *,
        ask: Resolve = resolve,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._writer = writer
        self._allowed = allowed
        self._ask = ask
        self._seconds = seconds
        self._tls = tls
        self._told_again: dict[UUID, bool] = {}

    async def __call__(self, message: Claimed) -> None:
        endpoint_id = UUID(message.payload["endpoint"])
        if endpoint_id in self._told_again:
            self._told_again[endpoint_id] = True
            return
        try:
            await self._serve(message, UUID(message.payload["brand"]), endpoint_id)
        finally:
            del self._told_again[endpoint_id]

    async def _serve(self, message: Claimed, brand_id: UUID, endpoint_id: UUID) -> None:
        until = time.monotonic() + IN_HAND
        more = True
        while more:
            self._told_again[endpoint_id] = False
            load = await self._writer.run(partial(deliveries.take, brand_id=brand_id, endpoint_id=endpoint_id))
            more = False
            if load is not None:
                outcomes = await self._send_all(load)
                noted = partial(deliveries.note, brand_id=brand_id, endpoint_id=endpoint_id, outcomes=outcomes)
                more = await self._writer.run(noted)
            more = more or self._told_again[endpoint_id]
            if more and time.monotonic() > until:
                on = f"on/{message.id}/{message.attempts}"
                await self._writer.run(partial(wake, brand_id=brand_id, endpoints=[endpoint_id], cause=on))
                return

    async def _send_all(self, load: Load) -> list[Outcome]:
        """Try each, all at once, over connections of this address alone."""
        if not load.secrets:
            return [Outcome(one, None, "sealed", "", 0) for one in load.sendings]
        if self._tls is None:
            self._tls = ssl.create_default_context()
        try:
            target = read_target(load.url)
            hosts = await addresses_of(target, self._allowed, self._ask)
        except BadInput as error:
            code = "host" if error.code == "webhook_unknown_host" else "address"
            return [Outcome(one, None, code, "", 0) for one in load.sendings]
        limits = httpx2.Limits(max_connections=deliveries.AT_ONCE)
        async with httpx2.AsyncClient(
            verify=self._tls, trust_env=False, follow_redirects=False, timeout=None, limits=limits
        ) as client:
            return await asyncio.gather(
                *(self._send(client, target, hosts, load.secrets, one) for one in load.sendings)
            )

    async def _send(
        self, client: httpx2.AsyncClient, target: Target, hosts: Sequence[str], secrets: Sequence[str], one: Sending
    ) -> Outcome:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds):
                answer = await _post(client, target, hosts, secrets, one)
        except TimeoutError:
            answer = Answer(None, "timeout")
        except (httpx2.HTTPError, OSError) as error:
            answer = Answer(None, "tls" if _is_tls(error) else "connection", str(error))
        except Exception as error:  # whatever it says, it is an answer, and the others are not held up by it
            log.exception("webhook.unreadable", host=target.host)
            answer = Answer(None, "connection", repr(error))
        took = int((time.monotonic() - begun) * 1000)
        return Outcome(one, answer.status, answer.error, answer.said, took)


def payload_of(kind: str, at: datetime, number: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """An event as it is sent and read."""
    return {"type": kind, "timestamp": at.isoformat(), "sequence": number, "data": dict(data)}


def body_of(one: Sending) -> str:
    """What is sent, and signed."""
    payload = payload_of(one.type, one.at, one.number, one.data)
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def headers_of(one: Sending, secrets: Sequence[str], body: str) -> dict[str, str]:
    """Who it is, when, and the signatures with each of the secrets."""
    now = clock.now()
    return {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": AGENT,
        "webhook-id": str(one.event_id),
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(str(one.event_id), now, body) for secret in secrets),
    }


async def _post(
    client: httpx2.AsyncClient, target: Target, hosts: Sequence[str], secrets: Sequence[str], one: Sending
) -> Answer:
    """One POST to the first of the host's addresses that takes a connection."""
    body = body_of(one)
    headers = headers_of(one, secrets, body) | {"host": target.authority}
    extensions = {"sni_hostname": target.host, "timeout": {"connect": CONNECT_SECONDS}}
    for last, host in enumerate(hosts, 1):
        try:
            async with client.stream(
                "POST", target.at(host), content=body.encode(), headers=headers, extensions=extensions
            ) as response:
                said = await _listen(response)
                return Answer(response.status_code, _judged(response.status_code), said)
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            if last == len(hosts):
                raise
    raise AssertionError("a host without addresses was refused before")


async def _listen(response: httpx2.Response) -> str:
    """How the answer begins, as it came; what follows is not read."""
    heard = b""
    async for piece in response.aiter_raw():
        heard += piece
        if len(heard) >= LISTENED:
            break
    text = heard[:LISTENED].decode(errors="replace")
    return "".join(symbol if symbol.isprintable() or symbol == "\n" else " " for symbol in text)[:SAID]


def _judged(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    return "redirect" if 300 <= status < 400 else "gone" if status == 410 else "status"


def _is_tls(error: BaseException) -> bool:
    """Whether the cause of a failed connection is its encryption."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
