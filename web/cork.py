"""Answers leave in one piece: the server writes the head and the body of an answer apart, each with a call into the
kernel that wakes the other side."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HELD = 64 * 1024
"""Bytes that are held back; with more of them nothing waits, so that who writes much is told to wait in time."""


class CorkedProtocol(HttpToolsProtocol):
    """HTTP/1.1 over a transport that is corked."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as theirs
        """A connection begins."""
        super().connection_made(Cork(transport))  # type: ignore[arg-type]  # it has all that a transport has


class Cork:
    """A transport that hands on what is written during one turn of the event loop at the turn's end, with one call."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send this, soon."""
        if not self._held:
            self._loop.call_soon(self._pull)
        self._held.append(data)
        self._size += len(data)
        if self._size > HELD:
            self._pull()

    def close(self) -> None:
        """Send what is held, then close."""
        self._pull()
        self._transport.close()

    def _pull(self) -> None:
        if self._held:
            self._transport.write(b"".join(self._held))
            self._held, self._size = [], 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
