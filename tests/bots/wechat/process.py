"""The real npm gateway as a process of its own: started, spoken to, killed and frozen by the tests."""

from __future__ import annotations

import asyncio
import atexit
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import IO, Any

FOLDER = Path(__file__).parent / "gateway"
GROUP = "group@chatroom"
TOKEN = "test-token"
START_SECONDS = 60


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class GatewayProcess:
    """One gateway with one pretend account; `control.mjs` says what can be asked of it."""

    def __init__(self, *, port: int | None = None, tls: tuple[Path, Path] | None = None) -> None:
        self.port = port or free_port()
        self._tls = tls
        self._process: subprocess.Popen[str] | None = None
        self._control = 0
        self._tmp = ""

    @property
    def endpoint(self) -> str:
        """Where the gateway speaks gRPC."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait for the ready line."""
        # the gateway leaves the registry of its files behind
        self._tmp = tempfile.mkdtemp(prefix="daixin-wechat-")
        command = ["node", "gateway.mjs", "--port", str(self.port), "--token", TOKEN]
        environment = os.environ | {"TMPDIR": self._tmp, "NODE_NO_WARNINGS": "1"}
        if self._tls:
            command.append("--tls")
            certificate, key = self._tls
            environment["WECHATY_PUPPET_SERVICE_TLS_SERVER_CERT"] = certificate.read_text()
            environment["WECHATY_PUPPET_SERVICE_TLS_SERVER_KEY"] = key.read_text()
        self._process = subprocess.Popen(
            command,
            cwd=FOLDER,
            env=environment,
            stdin=subprocess.PIPE,  # its end tells the gateway that nobody needs it any more
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_read, args=(self._process.stdout, lines), daemon=True).start()
        said = []
        while (line := lines.get(timeout=START_SECONDS)) is not None:
            if line.startswith('{"ready"'):
                self._control = int(json.loads(line)["control"])
                return
            said.append(line)
        raise RuntimeError(f"the gateway did not start: {''.join(said)}")

    async def do(self, op: str, **arguments: Any) -> Any:
        """One operation of the control port."""
        return await asyncio.to_thread(self._post, {"op": op, **arguments})

    def _post(self, body: dict[str, Any]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._control, timeout=10)
        try:
            connection.request("POST", "/", json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(answer["error"])
        return answer

    def kill(self) -> None:
        """End it without a goodbye, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            shutil.rmtree(self._tmp, ignore_errors=True)

    def freeze(self) -> None:
        """Stop it where it stands: its sockets stay open and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _read(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


@cache
def shared() -> GatewayProcess:
    """The gateway all tests of this process share; it takes seconds to start, and `reset` makes it as new."""
    process = GatewayProcess()
    process.start()
    atexit.register(process.kill)
    return process
