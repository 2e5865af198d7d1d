"""Long polling: what people say arrives, poison is stepped over, trouble is told and survived."""

from __future__ import annotations

import json
import logging

import pytest

from bots.message import Reply, Said
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.harness import eventually, make, open_harness, running


async def test_a_friend_comes_by_a_deep_link_and_is_answered() -> None:
    async with open_harness() as at:
        at.script.answer = lambda incoming: [Reply("Welcome **Bob**")]
        await at.say("bob", "/start ABCD2345")

        assert [seen.text for seen in await at.seen("bob", 1)] == ["Welcome Bob"]
        said = at.script.heard[0]
        assert isinstance(said, Said)
        assert (said.command, said.argument, said.text) == ("start", "ABCD2345", "/start ABCD2345")
        assert said.key is not None
        assert said.key.startswith("tg:")


async def test_a_poison_update_is_recorded_and_stepped_over() -> None:
    async with open_harness() as at:
        poison = at.api.inject(message={"message_id": "?", "chat": {"id": 1}})
        at.api.inject_raw(b'"not even an object"')
        at.api.inject(
            message={
                "message_id": 1,
                "date": 1,
                "chat": {"id": 1, "type": "private"},
                "text": 7,
                "from": at.alice.json(),
            }
        )
        await at.say("alice", "still there?")

        await eventually(lambda: at.script.heard)
        await eventually(lambda: len(at.store.quarantined) == 3)
        raw, error = at.store.quarantined[0]
        assert json.loads(raw)["update_id"] == poison
        assert "date" in error
        await eventually(lambda: at.api.unheard == 0)


async def test_a_batch_that_says_nothing_of_its_place_is_stepped_over() -> None:
    async with open_harness() as at:
        await at.say("alice", "one")
        await eventually(lambda: at.api.unheard == 0)
        at.api.inject_raw(b"[]")

        await at.say("alice", "two")
        await eventually(lambda: len(at.script.heard) == 2)
