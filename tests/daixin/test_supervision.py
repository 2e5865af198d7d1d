"""A part of the process that dies is shown and started again, after growing pauses; the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bots.adapter import Status
from daixin import supervision
from daixin.supervision import supervise
from tests.bots.telegram.harness import eventually


class Part:
    """Runs as its script says, one entry per start: an exception to die of, None to return, or what it waits for."""

    def __init__(self, *script: Exception | Callable[[], Awaitable[object]] | None) -> None:
        self.status = Status()
        self.script = list(script)
        self.starts: list[float] = []
        self.shown: list[tuple[str, str]] = []

    async def run(self) -> None:
        self.shown.append((self.status.state, self.status.detail))
        self.starts.append(asyncio.get_running_loop().time())
        self.status = Status("ready", "as @bot")
        act = self.script.pop(0)
        if isinstance(act, Exception):
            raise act
        if act is not None:
            await act()


async def watch(part: Part, *, pause: float = 0.01) -> None:
    """Supervise the part until its script stops it."""
    stop = asyncio.Event()

    async def end() -> None:
        stop.set()

    part.script.append(end)
    await asyncio.wait_for(supervise("part", part.run, lambda: part.status, stop, pause=pause), 20)


async def test_a_part_that_dies_is_shown_as_down_with_the_reason_and_started_again() -> None:
    part = Part(RuntimeError("the gateway hung up"))
    await watch(part)
    assert part.shown == [("starting", ""), ("down", "the gateway hung up")]
    assert part.status == Status("ready", "as @bot")


async def test_a_part_that_merely_returns_is_started_again_too() -> None:
    part = Part(None)
    await watch(part)
    assert part.shown[1] == ("down", "it returned")


async def test_what_a_part_says_of_itself_is_kept() -> None:
    part = Part()

    async def refuse() -> None:
        part.status = Status("down", "copy the token anew")
        raise PermissionError("InvalidToken")

    part.script.append(refuse)
    await watch(part)
    assert part.shown[1] == ("down", "copy the token anew")


async def test_the_pauses_grow_and_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "LONGEST_PAUSE", 0.2)
    part = Part(*(RuntimeError("no") for _ in range(5)))
    await watch(part, pause=0.05)
    pauses = [after - before for before, after in zip(part.starts, part.starts[1:], strict=False)]
    for at_least, pause in zip((0.05, 0.1, 0.2, 0.2, 0.2), pauses, strict=True):
        assert pause >= at_least * 0.99


async def test_stopping_does_not_wait_for_the_pause_to_end() -> None:
    stop = asyncio.Event()
    part = Part(RuntimeError("no"))
    watching = asyncio.create_task(supervise("part", part.run, lambda: part.status, stop, pause=3600))
    await eventually(lambda: part.status.state == "down")
    stop.set()
    await asyncio.wait_for(watching, 10)


async def test_one_that_keeps_dying_does_not_hold_up_another() -> None:
    stop, heard = asyncio.Event(), asyncio.Event()
    sick = Part(*(RuntimeError("no") for _ in range(1000)))

    async def listen() -> None:
        await eventually(lambda: len(sick.starts) >= 3)
        heard.set()
        await stop.wait()

    well = Part(listen)
    both = [
        asyncio.create_task(supervise("sick", sick.run, lambda: sick.status, stop, pause=0.005)),
        asyncio.create_task(supervise("well", well.run, lambda: well.status, stop, pause=0.005)),
    ]
    await asyncio.wait_for(heard.wait(), 10)
    assert (len(well.starts), well.status.state) == (1, "ready")
    stop.set()
    await asyncio.wait_for(asyncio.gather(*both), 10)


async def test_a_token_in_the_reason_is_not_shown() -> None:
    token = "123456789:" + "A" * 35
    part = Part(RuntimeError(f"GET https://api.telegram.org/bot{token}/getMe"))
    await watch(part)
    assert token not in part.shown[1][1]
