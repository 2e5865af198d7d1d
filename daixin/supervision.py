"""Keeps one part of the process running whatever happens to it; the others go on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from bots.adapter import Status
from core.log import scrub

log = structlog.get_logger()
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two starts of a part that keeps failing: doubled from the first to the longest."""


async def supervise(
    name: str,
    run: Callable[[], Awaitable[None]],
    status: Callable[[], Status],
    stop: asyncio.Event,
    *,
    pause: float = FIRST_PAUSE,
) -> None:
    """Run a part until `stop`; when it dies or returns, show it as down and start it again after a growing pause.

    A part that has run for `LONGEST_PAUSE` seconds counts as recovered: its pauses begin anew.
    """
    loop = asyncio.get_running_loop()
    wait = pause
    while not stop.is_set():
        started = loop.time()
        try:
            await run()
            why = "it returned"
        except Exception as error:
            why = scrub(str(error) or repr(error))[:300]
            log.warning("part.died", part=name, error=scrub(repr(error))[:300])
        if stop.is_set():
            return
        shown = status()
        if shown.state != "down" or not shown.detail:  # what it said of itself is clearer than the exception
            shown.state, shown.detail = "down", why
        if loop.time() - started > LONGEST_PAUSE:
            wait = pause
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
        wait = min(LONGEST_PAUSE, wait * 2)
