"""Servers of their own process for the benches of the web, and what wrk says of them."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
import uvloop
from starlette.types import ASGIApp

from core import events
from core.db import make_engine
from core.reader import Reader
from core.settings import Settings
from core.writer import Writer
from daixin import collector
from referral import members
from web.app import WebParts, create_app

CONNECTIONS = 32
SECONDS = 3


def serve_bare(app: ASGIApp, port: int) -> None:
    """The limit: the same server with the least an application can do."""
    uvicorn.run(app, port=port, log_level="warning", access_log=False, proxy_headers=False)


def serve_house(bus: events.Bus, port: int, url: str, settings: Settings) -> None:
    """Our web application as `daixin serve` runs it."""
    members.set_fingerprint_key("bench")
    writer = Writer(make_engine(url, writer=True), bus).start()
    reader = Reader(make_engine(url, writer=False))
    collector.settle()  # as `daixin serve` does
    app = create_app(WebParts(writer, reader, settings, dict, lambda *_: []))
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False, proxy_headers=False)
    try:
        # The loop that `uvicorn.run` chooses for the limit, and `daixin serve` for itself.
        uvloop.run(uvicorn.Server(config).serve())
    finally:
        writer.close()
        reader.close()


@contextmanager
def server(bench: str, kind: str, url: str) -> Iterator[str]:
    """The address of a process that runs `python -m <bench> <kind> <port> <url>`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", bench, kind, str(port), url])
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("the server ended before it answered")
        try:
            urllib.request.urlopen(f"{address}/livez", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not answer")


def wrk(address: str, *options: str, arguments: Sequence[str] = (), seconds: int = SECONDS) -> tuple[float, int]:
    """Answers a second and answers in all. Raises if any answer was none of 2xx and 3xx."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *options, address]
    command += ["--", *arguments] if arguments else []
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    total = re.search(r"(\d+) requests in", text)
    assert rate is not None
    assert total is not None
    return float(rate.group(1)), int(total.group(1))
