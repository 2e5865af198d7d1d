"""How the pretend Bot API reads and writes HTTP: plain ASGI, as benches measure against it."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import uvicorn
from starlette.datastructures import UploadFile
from starlette.requests import Request

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Refusal(Exception):
    """An answer other than ok, for a call that is well formed."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters

    def body(self) -> bytes:
        answer: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return json.dumps(answer | ({"parameters": self.parameters} if self.parameters else {})).encode()


class HungUp(Refusal):
    """Whoever called died while asking; what was asked is not known, so nothing is done."""

    def __init__(self) -> None:
        super().__init__(400, "Bad Request: the request is not whole")


@dataclass
class Fault:
    """What happens to the next call of `method` (a prefix). `drop` closes the connection, after doing it if `done`."""

    method: str
    refusal: Refusal | None = None
    drop: bool = False
    done: bool = False


class QuietServer(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the tests."""
        yield


def quiet_server(app: Any) -> QuietServer:
    """A server for a plain ASGI function or an app, without logs or anything else that costs time."""
    return QuietServer(
        uvicorn.Config(
            app,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            interface="asgi3",
        )
    )


async def read_fields(scope: MutableMapping[str, Any], receive: Receive) -> dict[str, Any]:
    """The fields of a call, as a urlencoded form or with files as multipart."""
    kind = dict(scope["headers"]).get(b"content-type", b"")
    if kind.startswith(b"multipart/"):
        fields: dict[str, Any] = {}
        async with Request(scope, receive).form() as form:
            for name, value in form.items():
                fields[name] = await value.read() if isinstance(value, UploadFile) else value
        # The library may name the file part otherwise and point to it.
        return {
            name: fields[value.removeprefix("attach://")] if str(value).startswith("attach://") else value
            for name, value in fields.items()
            if f"attach://{name}" not in fields.values()
        }
    body, more = b"", True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise HungUp
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


async def respond(send: Send, code: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": code, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def hang_up(receive: Receive, send: Any) -> None:
    """Close the connection without a word; `send` is a method of the server's connection."""
    send.__self__.transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def bring(
    updates: deque[tuple[int, bytes]], hook: Callable[[], dict[str, Any]], news: asyncio.Event, answers: list[int]
) -> None:
    """Bring updates to the webhook one by one, while there is one; one that is not answered with 2xx comes again."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        while known := hook():
            if not updates:
                news.clear()
                await news.wait()
                continue
            headers = {"content-type": "application/json"}
            if "secret_token" in known:
                headers["X-Telegram-Bot-Api-Secret-Token"] = known["secret_token"]
            answer = await client.post(known["url"], content=updates[0][1], headers=headers)
            answers.append(answer.status_code)
            if answer.is_success:
                updates.popleft()
            else:
                await asyncio.sleep(0.02)
