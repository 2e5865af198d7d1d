"""Long polling: what people say arrives, poison is stepped over, trouble is told and survived."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from telegram.error import NetworkError

from bots.message import Reply, Said
from bots.telegram.client import FloodError
from bots.telegram.polling import backoff
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


async def test_a_second_poller_is_named_as_the_trouble_and_outlived() -> None:
    async with open_harness() as at:
        await at.say("alice", "hello")
        await eventually(lambda: at.api.unheard == 0)  # now a poll is under way
        at.api.fail_next("getUpdates", 409, "Conflict: terminated by other getUpdates request")
        await at.say("alice", "before")  # ends that poll, so that the next one meets the conflict

        await eventually(lambda: at.adapter.status.state == "degraded")
        assert "another program polls with the same token" in at.adapter.status.detail
        await at.say("alice", "after")
        await eventually(lambda: at.adapter.status.state == "ready" and len(at.script.heard) == 3)


async def test_two_bots_on_one_token_both_live_to_tell() -> None:
    async with BotApi() as api, running(api) as first, running(api) as second:
        states = [first.adapter.status, second.adapter.status]
        await eventually(lambda: any("another program" in status.detail for status in states))
        assert first.running
        assert not first.running.done()
        await second.say("bob", "hello")
        await eventually(lambda: first.script.heard or second.script.heard)


async def test_a_server_that_is_away_for_a_while_loses_nothing() -> None:
    async with open_harness() as at:
        at.api.fail_next("getUpdates", 502, "Bad Gateway")
        at.api.drop_next("getUpdates")
        for text in ("one", "two", "three"):
            await at.say("alice", text)

        await eventually(lambda: len(at.script.heard) == 3)
        assert [said.text for said in at.script.heard if isinstance(said, Said)] == ["one", "two", "three"]


async def test_a_server_that_is_away_at_the_start_is_waited_for() -> None:
    async with BotApi() as api:
        for _ in range(3):
            api.fail_next("getMe", 502, "Bad Gateway")
        async with running(api) as at:
            assert at.adapter.status.state == "ready"


async def test_a_wrong_token_ends_the_run_and_says_what_to_do() -> None:
    async with BotApi() as api:
        at = make(api, token="42:WRONG")
        with pytest.raises(PermissionError, match="refuses the token") as raised:
            await at.adapter.run(at.script)
        assert at.adapter.status.state == "down"
        assert "@BotFather" in at.adapter.status.detail
        assert "WRONG" not in "".join(traceback.format_exception(raised.value))
        await at.adapter.close()


async def test_the_token_reaches_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with BotApi() as api:
        api.fail_next("getMe", 502)
        async with running(api) as at:
            at.script.answer = lambda incoming: [Reply("hello")]
            api.drop_next("send")
            await at.say("bob", "/start")
            await at.seen("bob", 1)
    assert "HTTP Request: POST" in caplog.text
    assert api.token not in caplog.text


async def test_the_menu_is_published_in_both_languages() -> None:
    async with open_harness() as at:
        menus = at.api.menus
        assert [entry["command"] for entry in menus["default", ""]] == ["start", "invite"]
        assert menus["default", "zh"][1]["description"] == "我的邀请链接和海报"
        assert [entry["command"] for entry in menus["all_chat_administrators", ""]] == ["start", "invite", "campaign"]


def test_the_wait_grows_to_half_a_minute_and_outlasts_a_night() -> None:
    away = NetworkError("away")
    assert [backoff(away, failures) for failures in (1, 2, 3, 5, 6, 5000)] == [1, 2, 4, 16, 30, 30]
    assert backoff(FloodError(7), 1) == 7
