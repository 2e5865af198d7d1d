"""The program as its operator runs it: a process of its own with its own environment, in a folder of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 40.0
"""Seconds something may take on a busy machine before the test says that it never came."""
SECRET = "a-secret-of-at-least-thirty-two-characters"


def environment(**settings: str) -> dict[str, str]:
    """This machine's, without the operator's own settings; `web_port="0"` becomes `DAIXIN_WEB_PORT`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DAIXIN_")}
    ours = {f"DAIXIN_{name.upper()}": value for name, value in settings.items()}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | ours


@dataclass
class Done:
    """A finished command: exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Types commands: `shell(folder, "campaign", "list")`. Where no `.env` is but the folder's own."""

    def __init__(self) -> None:
        self._warm = subprocess.Popen(
            [sys.executable, "-m", "tests.daixin.warm"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, folder: Path, *words: str, **settings: str) -> Done:
        """`daixin words…`, with the database `folder/daixin.db` unless another is set."""
        settings = {"database_url": f"sqlite:///{folder / 'daixin.db'}", "secret_key": SECRET} | settings
        out, err = folder / ".out", folder / ".err"
        job = {"words": words, "folder": str(folder), "environment": environment(**settings)}
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(json.dumps(job | {"out": str(out), "err": str(err)}) + "\n")
        self._warm.stdin.flush()
        status = json.loads(self._warm.stdout.readline())["status"]
        return Done(status, out.read_text(), err.read_text())

    def close(self) -> None:
        self._warm.communicate(timeout=PATIENCE)


def migrated(folder: Path, template: Path) -> Path:
    """`folder` with a database of the present schema in it."""
    shutil.copy(template, folder / "daixin.db")
    return folder


@dataclass
class Server:
    """A running `daixin serve`. `log`: its lines so far, one JSON object each."""

    process: asyncio.subprocess.Process
    log: list[dict[str, Any]] = field(default_factory=list)

    def said(self, event: str) -> dict[str, Any] | None:
        return next((line for line in self.log if line.get("event") == event), None)

    @property
    def url(self) -> str:
        """Where its web listens, without the last slash."""
        line = self.said("web.listening")
        assert line is not None
        return str(line["url"]).rstrip("/")

    async def get(self, path: str) -> tuple[int, str]:
        return await asyncio.to_thread(_fetch, self.url + path, None)

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        return await asyncio.to_thread(_fetch, self.url + path, body)

    async def health(self) -> dict[str, Any]:
        return dict(json.loads((await self.get("/healthz"))[1]))

    async def until(self, probe: Callable[[], Any]) -> Any:
        """Wait, bounded, until the probe (which may be a coroutine function) finds something."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            found = probe()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            assert self.process.returncode is None, f"it ended: {self.log}"
            await asyncio.sleep(0.05)
        raise AssertionError(f"waited in vain: {self.log}")

    async def stop(self) -> int:
        """SIGTERM, and the exit status, within the bound that `serve` promises."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


@asynccontextmanager
async def serving(folder: Path, *words: str, begun: str = "serve.started", **settings: str) -> AsyncIterator[Server]:
    """`daixin serve words…` on a free port, from its line `begun` on."""
    ours = {
        "database_url": f"sqlite:///{folder / 'daixin.db'}",
        "secret_key": SECRET,
        "web_port": "0",
        "log_json": "true",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "daixin", "serve", *words),
        cwd=folder,
        env=environment(**(ours | settings)),
        stderr=asyncio.subprocess.PIPE,
    )
    server = Server(process)
    reading = asyncio.create_task(_read(server))
    try:
        await server.until(lambda: server.said(begun))
        yield server
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def _read(server: Server) -> None:
    assert server.process.stderr is not None
    async for line in server.process.stderr:
        try:
            server.log.append(json.loads(line))
        except ValueError:
            server.log.append({"event": line.decode().rstrip()})


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def _fetch(url: str, body: dict[str, Any] | None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"} if data else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
