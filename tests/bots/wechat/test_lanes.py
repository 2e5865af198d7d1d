"""Order within a chat, none between chats."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from bots.wechat.lanes import Lanes


async def test_a_chat_is_kept_in_order_while_another_goes_on() -> None:
    lanes = Lanes()
    done: list[str] = []
    gate = asyncio.Event()

    async def work(name: str, *, waits: bool = False) -> None:
        if waits:
            await gate.wait()
        done.append(name)

    await lanes.put("alice", partial(work, "alice 1", waits=True))
    await lanes.put("alice", partial(work, "alice 2"))
    await lanes.put("bob", partial(work, "bob 1"))
    assert not await lanes.drain(0.05)
    assert done == ["bob 1"]
    gate.set()
    assert await lanes.drain(5)
    assert done == ["bob 1", "alice 1", "alice 2"]


async def test_a_failure_is_told_and_the_next_job_done(caplog: pytest.LogCaptureFixture) -> None:
    lanes = Lanes()
    done: list[str] = []

    async def fail() -> None:
        raise ZeroDivisionError("broken")

    async def work() -> None:
        done.append("next")

    await lanes.put("alice", fail)
    await lanes.put("alice", work)
    assert await lanes.drain(5)
    assert done == ["next"]
    assert "ZeroDivisionError: broken" in caplog.text


async def test_a_full_house_holds_the_sender_back() -> None:
    lanes = Lanes(room=1)
    gate = asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    await lanes.put("alice", wait)
    second = asyncio.create_task(lanes.put("bob", wait))
    await asyncio.sleep(0)
    assert not second.done()
    gate.set()
    await second
    assert await lanes.drain(5)


async def test_what_is_given_up_frees_its_place() -> None:
    lanes = Lanes(room=1)

    async def forever() -> None:
        await asyncio.Event().wait()

    await lanes.put("alice", forever)
    await asyncio.sleep(0)
    await lanes.stop()
    await asyncio.wait_for(lanes.put("alice", forever), 1)
    await lanes.stop()
