"""Answers leave in one piece, and what is long is neither held back nor mixed up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from tests.web.shops.serving import serving
from web.cork import HELD, Cork, CorkedProtocol

PIECE = 10_000


class Answering:
    """Answers with these pieces; `sent` counts those that the server has taken. Waits for `go` before the second."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces
        self.sent = 0
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        length = str(sum(map(len, self.pieces))).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        for number, piece in enumerate(self.pieces):
            if number:
                await self.go.wait()
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(self.pieces) - 1})
            self.sent += 1


@asynccontextmanager
async def asked(app: ASGIApp, *headers: str, limit: int = 2**16) -> AsyncIterator[asyncio.StreamReader]:
    """What comes back to a request."""
    async with serving(app, http=CorkedProtocol) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=limit)
        lines = ["GET / HTTP/1.1", "Host: here", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        try:
            yield reader
        finally:
            writer.close()


class Calls(asyncio.Transport):
    """Counts the calls into the kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.calls.append(bytes(data))


async def test_head_and_body_go_out_with_one_call() -> None:
    kernel = Calls()
    corked = Cork(kernel)
    corked.write(b"head")
    corked.write(b"body")
    assert kernel.calls == []
    await asyncio.sleep(0)
    corked.write(b"next")
    await asyncio.sleep(0)
    assert kernel.calls == [b"headbody", b"next"]


async def test_what_is_sent_bit_by_bit_comes_bit_by_bit() -> None:
    app = Answering(b"first;", b"second")
    app.go.clear()
    async with asked(app) as answer:
        assert (await answer.readuntil(b";")).endswith(b"first;")
        app.go.set()
        assert await answer.readexactly(6) == b"second"


async def test_a_long_answer_comes_whole_and_waits_for_who_reads_it_slowly() -> None:
    pieces = [bytes([number % 256]) * PIECE for number in range(3_000)]
    app = Answering(*pieces)
    async with asked(app, "Connection: close") as answer:
        await answer.readuntil(b"\r\n\r\n")
        while (before := app.sent) < len(pieces):
            await asyncio.sleep(0.2)
            if app.sent == before:
                break
        assert app.sent < len(pieces), "nobody has read it: the server is told to wait"
        assert await answer.read(-1) == b"".join(pieces)


async def test_more_than_is_held_goes_out_at_once() -> None:
    piece = b"x" * (HELD + 1)
    async with asked(Answering(piece, b"y")) as answer:
        await answer.readuntil(b"\r\n\r\n")
        assert await answer.readexactly(len(piece) + 1) == piece + b"y"


async def test_an_answer_that_ends_the_connection_is_sent_before() -> None:
    async with asked(Answering(b"farewell"), "Connection: close") as answer:
        said = await answer.read(-1)
    assert said.endswith(b"farewell")


async def test_what_is_no_request_is_told_so() -> None:
    async with serving(Answering(b""), http=CorkedProtocol) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"nonsense\r\n\r\n")
        assert (await reader.read(-1)).startswith(b"HTTP/1.1 400")
        writer.close()
