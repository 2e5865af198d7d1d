"""Many chats side by side, each in order; what was accepted is finished."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bots.message import Incoming, Reply, Said
from bots.telegram.queues import ChatQueues
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.harness import eventually, make, open_harness, running


async def test_a_slow_chat_keeps_its_order_and_blocks_nobody() -> None:
    async with open_harness() as at:
        go_on = asyncio.Event()
        done: list[str] = []

        async def hear(incoming: Incoming) -> Sequence[Reply]:
            assert isinstance(incoming, Said)
            if incoming.text == "first":
                await go_on.wait()
            done.append(incoming.text)
            return [Reply(f"heard {incoming.text}")]

        at.hear = hear
        for text in ("first", "second", "third"):
            await at.say("alice", text)
        await at.say("bob", "meanwhile")

        await at.seen("bob", 1)
        assert done == ["meanwhile"]
        go_on.set()
        assert [seen.text for seen in await at.seen("alice", 3)] == ["heard first", "heard second", "heard third"]


async def test_what_was_accepted_is_finished_and_acknowledged_at_close() -> None:
    async with BotApi() as api:
        at = make(api)
        go_on = asyncio.Event()
        entered = asyncio.Event()

        async def hear(incoming: Incoming) -> Sequence[Reply]:
            entered.set()
            await go_on.wait()
            return [Reply("done")]

        task = asyncio.create_task(at.adapter.run(hear))
        await eventually(lambda: api.asked)
        await at.say("alice", "one")
        await at.say("alice", "two")
        await entered.wait()
        closing = asyncio.create_task(at.adapter.close())
        await asyncio.sleep(0)
        go_on.set()
        await closing
        await task

        answered = len(api.seen(at.alice))
        assert answered + api.unheard == 2, "an update is either answered or still with Telegram"
        assert answered >= 1


async def test_a_run_that_was_cancelled_still_finishes_what_it_took_on() -> None:
    async with BotApi() as api, running(api) as at:
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def hear(incoming: Incoming) -> Sequence[Reply]:
            entered.set()
            await go_on.wait()
            return [Reply("done")]

        at.hear = hear
        await at.say("alice", "one")
        await entered.wait()
        assert at.running
        at.running.cancel()
        await asyncio.gather(at.running, return_exceptions=True)
        go_on.set()
        await at.adapter.close()
        assert [seen.text for seen in await at.seen("alice", 1)] == ["done"]
        assert api.unheard == 0


async def test_a_run_that_ended_can_be_started_again() -> None:
    async with BotApi() as api, running(api) as at:
        assert at.running
        at.running.cancel()
        await asyncio.gather(at.running, return_exceptions=True)
        await at.say("alice", "anyone?")
        again = asyncio.create_task(at.adapter.run(at.on_incoming))
        await eventually(lambda: at.script.heard)
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)


async def test_a_handler_that_fails_stops_nobody() -> None:
    async with open_harness() as at:

        async def hear(incoming: Incoming) -> Sequence[Reply]:
            assert isinstance(incoming, Said)
            if incoming.text == "boom":
                raise RuntimeError("a defect of ours")
            return [Reply("fine")]

        at.hear = hear
        await at.say("alice", "boom")
        await at.say("alice", "hello")
        assert [seen.text for seen in await at.seen("alice", 1)] == ["fine"]


async def test_five_hundred_friends_arrive_at_once() -> None:
    async with open_harness() as at:
        at.script.answer = lambda incoming: [Reply("welcome")]
        friends = [at.api.person(f"Friend {number}") for number in range(500)]
        for friend in friends:
            at.api.say(friend, "/start ABCD2345")

        await eventually(lambda: at.api.answered == 500, seconds=60)
        assert all(len(at.api.seen(friend)) == 1 for friend in friends)
        await eventually(lambda: at.api.unheard == 0)


async def test_a_full_house_lets_in_again_as_it_empties() -> None:
    queues = ChatQueues(most=2)
    go_on = asyncio.Event()

    async def job() -> None:
        await go_on.wait()

    queues.put("a", job)
    await queues.room()
    queues.put("a", job)
    waiting = asyncio.create_task(queues.room())
    await asyncio.sleep(0)
    assert not waiting.done()
    go_on.set()
    await waiting
    await queues.drain()
