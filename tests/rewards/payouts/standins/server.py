"""A pretend service on a local port: real HTTP, and what goes wrong with HTTP, on request."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

Trouble = Literal["lost", "lost_after", "late"]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked, as it came over the wire. `headers` have lower-case names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    """What happens to the next call whose "METHOD path" contains `where`.

    lost: the connection ends before anything is done. lost_after: it is done, and the answer never comes. late: the
    answer comes after `seconds`. A `reply` is given instead of doing it; with `after` it is done nevertheless.
    """

    where: str
    trouble: Trouble | None = None
    reply: Reply | None = None
    after: bool = False
    seconds: float = 0.0


class StandIn:
    """Serves `answer` on a thread. `calls` holds everything asked, `violations` what broke the service's rules."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.violations: list[str] = []
        self.faults: list[Fault] = []
        self.delay: Callable[[], float] = lambda: 0.0
        """Seconds every call takes before and after it is done; for a test that kills whoever asked."""
        self.lock = threading.RLock()

    def answer(self, call: Call) -> Reply:
        """What the service does and says; called under the lock."""
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fail(self, where: str, trouble: Trouble | None = None, **more: Any) -> None:
        self.faults.append(Fault(where, trouble, **more))

    def asked(self, where: str) -> list[Call]:
        """The calls whose "METHOD path" contains this."""
        return [call for call in self.calls if where in f"{call.method} {call.path}"]

    def serve(self, call: Call) -> Reply | None:
        """The answer to a call; None to hang up."""
        with self.lock:
            self.calls.append(call)
            fault = next((one for one in self.faults if one.where in f"{call.method} {call.path}"), None)
            if fault:
                self.faults.remove(fault)
        time.sleep(self.delay())
        if fault and fault.trouble == "lost":
            return None
        if fault and fault.reply and not fault.after:
            return fault.reply
        with self.lock:
            reply = self.answer(call)
        time.sleep(self.delay() + (fault.seconds if fault else 0.0))
        if fault and fault.trouble == "lost_after":
            return None
        return fault.reply if fault and fault.reply else reply


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked may be dead: that is what the tests are about."""


def _handler(standin: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(length := int(self.headers.get("content-length", 0)))
            if len(body) < length:  # whoever asked died while asking
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = standin.serve(Call(self.command, self.path, headers, body))
            if reply is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, *_: Any) -> None:
            """Tests say what they need to say."""

    return Handler
