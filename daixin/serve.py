"""Runs the roles of this process until it is told to stop; what was accepted is finished first."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import structlog
import uvicorn

from bots.adapter import Adapter, OnIncoming, Status
from bots.pace import noting
from core.errors import Unavailable
from core.settings import Settings
from daixin import bootstrap, collector, jobs, platforms
from daixin.bootstrap import Parts
from daixin.supervision import supervise
from rewards.exports.runner import ExportRunner
from rewards.payouts.runner import PayoutRunner
from web import payouts
from web.app import create_app
from web.parts import Stage, WebParts

log = structlog.get_logger()
GOODBYE = 10.0
"""Seconds that open requests and each adapter get to finish when we stop."""
BACKLOG = 2048


async def serve(
    parts: Parts, roles: Sequence[str], stage: Stage | None = None, opened: Callable[[str], None] = lambda url: None
) -> None:
    """Run until SIGTERM or SIGINT, then close `parts`. `opened(url)` is called when the web's port is ours.

    Raises `Unavailable("port_taken")` before anything else has begun, and what ended the web server if it ended alone.
    """
    listening = listen(parts.settings) if "web" in roles else []
    if listening:
        opened(_url(listening[0]))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    own = {"outbox": Status("ready")} | ({"worker": Status("ready")} if "worker" in roles else {})
    tasks = _start(parts, own["outbox"], stop)
    runner = PayoutRunner(parts.writer, parts.providers)
    if "worker" in roles and parts.providers:
        own["payouts"] = Status("ready")
        tasks.append(_pay(runner, own["payouts"], stop))
    exporter = ExportRunner(parts.writer, parts.reader, parts.settings.exports_folder)
    if "worker" in roles:
        tasks.append(_export(exporter, own["worker"], stop))
    scheduler = jobs.alarm_clock(parts.writer) if "worker" in roles else None
    if scheduler is not None:
        scheduler.start()
    server = _web(parts, own, stage, stop) if listening else None
    web = asyncio.create_task(_serve_web(server, listening, stop), name="web") if server is not None else None
    collector.settle()
    log.info("serve.started", roles=list(roles), platforms=list(parts.adapters))
    await stop.wait()
    log.info("serve.stopping")
    if scheduler is not None:
        scheduler.shutdown(wait=False)
    if server is not None:
        server.should_exit = True
    parts.dispatcher.stop()
    runner.stop()
    exporter.stop()
    await asyncio.gather(*(_close(adapter) for adapter in parts.adapters.values()))
    await asyncio.wait([*tasks, *([web] if web else [])], timeout=GOODBYE)
    for task in tasks:
        task.cancel()
    await runner.close()
    await asyncio.to_thread(parts.close)
    log.info("serve.stopped")
    if web is not None and web.done():
        web.result()


def _start(parts: Parts, outbox: Status, stop: asyncio.Event) -> list[asyncio.Task[None]]:
    """Every platform of this process, and the outbox that writes to people on them."""

    async def deliver() -> None:
        outbox.state, outbox.detail = "ready", ""
        await parts.dispatcher.run()

    tasks = [
        asyncio.create_task(
            supervise(name, partial(adapter.run, _hear(parts, name)), partial(_status_of, adapter), stop), name=name
        )
        for name, adapter in parts.adapters.items()
    ]
    return [*tasks, asyncio.create_task(supervise("outbox", deliver, lambda: outbox, stop), name="outbox")]


def _hear(parts: Parts, platform: str) -> OnIncoming:
    """The router, before which unasked messages on the platform give way."""
    pace = parts.paces.get(platform)
    return noting(pace, parts.router.hear) if pace is not None else parts.router.hear


def _pay(runner: PayoutRunner, status: Status, stop: asyncio.Event) -> asyncio.Task[None]:
    """The payouts that are due, handed to their providers."""

    async def pay() -> None:
        status.state, status.detail = "ready", ""
        await runner.run()

    return asyncio.create_task(supervise("payouts", pay, lambda: status, stop), name="payouts")


def _export(exporter: ExportRunner, status: Status, stop: asyncio.Event) -> asyncio.Task[None]:
    """The files people asked for, made one after another."""

    async def export() -> None:
        status.state, status.detail = "ready", ""
        await exporter.run()

    return asyncio.create_task(supervise("exports", export, lambda: status, stop), name="exports")


def _status_of(adapter: Adapter) -> Status:
    return adapter.status


async def _close(adapter: Adapter) -> None:
    try:
        await asyncio.wait_for(adapter.close(), GOODBYE)
    except Exception as error:
        log.warning("platform.close_failed", platform=adapter.platform, error=repr(error)[:300])


def listen(settings: Settings) -> list[socket.socket]:
    """Sockets on every address of `web_host`. Raises `Unavailable("port_taken")`."""
    host, port = settings.web_host, settings.web_port
    opened: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            one = socket.socket(family, kind, protocol)
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
            one.listen(BACKLOG)  # now, because two programs may bind a port but only one may listen on it
            one.setblocking(False)
    except OSError as error:
        for one in opened:
            one.close()
        said = error.strerror or str(error)
        raise Unavailable("port_taken", host=host, port=port, said=said) from error
    return opened


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: we stop everything in our order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _web(parts: Parts, own: dict[str, Status], stage: Stage | None, stop: asyncio.Event) -> uvicorn.Server:
    routes = [route for adapter in parts.adapters.values() for route in getattr(adapter, "routes", list)()]
    routes += payouts.routes(parts.settings, parts.writer, parts.reader, parts.providers.values())
    app = create_app(
        WebParts(
            writer=parts.writer,
            reader=parts.reader,
            settings=parts.settings,
            health=lambda: bootstrap.health_of(parts.adapters, own),
            entrances=bootstrap.entrances,
            bots=bootstrap.bots_of,
            routes=routes,
            stage=stage,
            stopping=stop.is_set,
            telegram_token=platforms.telegram_token(),
        )
    )
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the web decides itself whom it trusts
            timeout_graceful_shutdown=int(GOODBYE),
        )
    )


async def _serve_web(server: uvicorn.Server, listening: list[socket.socket], stop: asyncio.Event) -> None:
    try:
        log.info("web.listening", url=_url(listening[0]))
        await server.serve(listening)
    finally:
        stop.set()
