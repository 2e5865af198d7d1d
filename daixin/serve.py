"""Runs the roles of this process until it is told to stop; each platform is supervised on its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence

import structlog
import uvicorn

from bots.adapter import Adapter
from daixin import bootstrap, jobs, platforms
from daixin.bootstrap import Parts
from web.app import create_app
from web.parts import Stage, WebParts

log = structlog.get_logger()
ROLES = ("web", "worker", "telegram", "discord", "wechat")
LONGEST_PAUSE = 60.0
"""Seconds between two starts of a platform that keeps failing."""
GOODBYE = 10.0
"""Seconds that open requests and adapters get to finish when we stop."""


def platforms_of(roles: Sequence[str]) -> list[str]:
    """The platforms of these roles; the web chat lives with the web."""
    return [name for name in ("telegram", "discord", "wechat") if name in roles] + (
        ["webchat"] if "web" in roles else []
    )


async def serve(parts: Parts, roles: Sequence[str], stage: Stage | None = None) -> None:
    """Run until SIGTERM or SIGINT; what was accepted is finished first."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = [
        asyncio.create_task(supervise(adapter, parts.router.hear, stop), name=name)
        for name, adapter in parts.adapters.items()
    ]
    tasks.append(asyncio.create_task(parts.dispatcher.run(), name="outbox"))
    scheduler = jobs.alarm_clock(parts.writer) if "worker" in roles else None
    if scheduler is not None:
        scheduler.start()
    server = _web(parts, stage) if "web" in roles else None
    if server is not None:
        tasks.append(asyncio.create_task(_serve_web(server, stop), name="web"))
    log.info("serve.started", roles=list(roles), platforms=list(parts.adapters))
    await stop.wait()
    log.info("serve.stopping")
    if scheduler is not None:
        scheduler.shutdown(wait=False)
    await asyncio.gather(*(_close(adapter) for adapter in parts.adapters.values()))
    if server is not None:
        server.should_exit = True
    parts.dispatcher.stop()
    await asyncio.wait(tasks, timeout=GOODBYE + 2)
    for task in tasks:
        task.cancel()
    await asyncio.to_thread(parts.close)
    log.info("serve.stopped")


async def supervise(adapter: Adapter, hear: Callable[..., Awaitable[object]], stop: asyncio.Event) -> None:
    """Run a platform; when it dies, say so and start it again after a growing pause. The others go on."""
    pause = 1.0
    while not stop.is_set():
        started = asyncio.get_running_loop().time()
        try:
            await adapter.run(hear)  # type: ignore[arg-type]  # OnIncoming, seen from outside bots
            why = "it returned"
        except asyncio.CancelledError:
            raise
        except Exception as error:
            why = repr(error)
            log.warning("platform.died", platform=adapter.platform, error=why[:300])
        if stop.is_set():
            return
        if adapter.status.state == "ready":
            adapter.status.state, adapter.status.detail = "down", why[:200]
        if asyncio.get_running_loop().time() - started > LONGEST_PAUSE:
            pause = 1.0
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(LONGEST_PAUSE, pause * 2)


async def _close(adapter: Adapter) -> None:
    try:
        await asyncio.wait_for(adapter.close(), GOODBYE)
    except Exception as error:
        log.warning("platform.close_failed", platform=adapter.platform, error=repr(error)[:300])


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: we stop everything in our order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _web(parts: Parts, stage: Stage | None) -> uvicorn.Server:
    routes = [route for adapter in parts.adapters.values() for route in getattr(adapter, "routes", list)()]
    app = create_app(
        WebParts(
            writer=parts.writer,
            reader=parts.reader,
            settings=parts.settings,
            health=lambda: bootstrap.health_of(parts.adapters, {}),
            entrances=bootstrap.entrances,
            routes=routes,
            stage=stage,
        )
    )
    return _Server(
        uvicorn.Config(
            app,
            host=parts.settings.web_host,
            port=parts.settings.web_port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the web decides itself whom it trusts
            timeout_graceful_shutdown=int(GOODBYE),
        )
    )


async def _serve_web(server: uvicorn.Server, stop: asyncio.Event) -> None:
    try:
        await server.serve()
    except SystemExit:  # uvicorn's way of saying that the port is taken
        log.error("web.not_started", host=server.config.host, port=server.config.port)
    finally:
        stop.set()
