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
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
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
    """Types commands: `shell(folder, "campaign", "list")`. No `.env` is read but the folder's own."""

    def __init__(self) -> None:
        self._warm = subprocess.Popen(
            [sys.executable, "-m", "tests.daixin.warm"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._started = 0

    def __call__(self, folder: Path, *words: str, **settings: str) -> Done:
        """`daixin words…`, with the database `folder/daixin.db` unless another is set."""
        running = self.start(folder, *words, **settings)
        deadline = time.monotonic() + PATIENCE
        while running.status is None:
            if time.monotonic() > deadline:
                running.kill()
                raise AssertionError(f"{words} did not end: {running.err.read_text()}")
            time.sleep(0.01)
        return Done(running.status, running.out.read_text(), running.err.read_text())

    def start(self, folder: Path, *words: str, **settings: str) -> Running:
        """The same command, not waited for."""
        settings = {"database_url": f"sqlite:///{folder / 'daixin.db'}", "secret_key": SECRET} | settings
        self._started += 1
        out, err = folder / f".out{self._started}", folder / f".err{self._started}"
        job = {"words": words, "folder": str(folder), "environment": environment(**settings)}
        return Running(self, int(self.ask(job | {"out": str(out), "err": str(err)})), out, err)

    def ask(self, question: dict[str, Any]) -> Any:
        """One question to the warm process, and its answer."""
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        self._warm.stdin.write(json.dumps(question) + "\n")
        self._warm.stdin.flush()
        return json.loads(self._warm.stdout.readline())

    def close(self) -> None:
        self._warm.communicate(timeout=PATIENCE)


@dataclass
class Running:
    """A command under way, and the files it prints to."""

    shell: Shell
    pid: int
    out: Path
    err: Path
    ended: int | None = None

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        if self.ended is None:
            self.ended = self.shell.ask({"of": self.pid})
        return self.ended

    def signal(self, number: signal.Signals) -> None:
        if self.status is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it whatever it does."""
        self.signal(signal.SIGKILL)


def migrated(folder: Path, template: Path) -> Path:
    """`folder` with a database of the present schema in it."""
    shutil.copy(template, folder / "daixin.db")
    return folder


@dataclass
class Server:
    """A running `daixin serve`."""

    running: Running

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its lines so far, one JSON object each."""
        text = self.running.err.read_text() if self.running.err.exists() else ""
        return [_line(line) for line in text.splitlines()]

    def said(self, event: str) -> dict[str, Any] | None:
        return next((line for line in self.log if line.get("event") == event), None)

    @property
    def url(self) -> str:
        """Where its web listens, without the last slash."""
        deadline = time.monotonic() + PATIENCE
        while (line := self.said("web.listening")) is None:
            assert time.monotonic() < deadline, f"waited in vain: {self.log}"
            assert self.running.status is None, f"it ended: {self.log}"
            time.sleep(0.02)
        return str(line["url"]).rstrip("/")

    async def get(self, path: str) -> tuple[int, str]:
        return await asyncio.to_thread(_fetch, self.url + path)

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
            assert self.running.status is None, f"it ended: {self.log}"
            await asyncio.sleep(0.05)
        raise AssertionError(f"waited in vain: {self.log}")

    async def stop(self) -> int:
        """SIGTERM, and the exit status; bounded."""
        self.running.signal(signal.SIGTERM)
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while (status := self.running.status) is None:
            assert asyncio.get_running_loop().time() < deadline, f"it does not end: {self.log}"
            await asyncio.sleep(0.02)
        return status


@asynccontextmanager
async def serving(
    shell: Shell, folder: Path, *words: str, begun: str = "serve.started", **settings: str
) -> AsyncIterator[Server]:
    """`daixin serve words…` on a free port, from its line `begun` on."""
    running = shell.start(folder, "serve", *words, **({"web_port": "0", "log_json": "true"} | settings))
    server = Server(running)
    try:
        await server.until(lambda: server.said(begun))
        yield server
    finally:
        running.kill()


def _line(line: str) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except ValueError:
        return {"event": line}


def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def _fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read().decode()
