"""In a group: quiet where it can be, brief where it must be, and clear about what the bot lacks."""

from __future__ import annotations

import traceback

import pytest

from bots.adapter import SendError
from bots.message import BotPlaced, Reachable, Reply, Said
from tests.bots.telegram.botapi import BotApi
from tests.bots.telegram.harness import eventually, make, open_harness

SECRET = Reply("Your points: 7", private=True, brief="I wrote to you")


async def test_a_private_answer_goes_to_the_person() -> None:
    async with open_harness() as at:
        at.script.answer = lambda incoming: [SECRET]
        await at.say("bob", "/me@daixin_bot", group=True)
        assert [seen.text for seen in await at.seen("bob", 1)] == ["Your points: 7"]
        assert at.api.seen(at.community) == []
        said = at.script.heard[0]
        assert isinstance(said, Said)
        assert (said.command, said.place.group, said.place.title) == ("me", str(at.community.id), "Tea lovers")


async def test_who_never_started_the_bot_is_shown_the_way() -> None:
    async with open_harness() as at:
        at.bob.started = False
        at.script.answer = lambda incoming: [SECRET]
        await at.say("bob", "/join ABCD2345", group=True)
        [seen] = await at.seen("bob", 1, group=True)
        assert (seen.text, seen.buttons) == ("I wrote to you", ["@daixin_bot"])
        [[button]] = at.api.seen(at.community)[0].keyboard
        assert button["url"] == "https://t.me/daixin_bot?start=ABCD2345"


async def test_without_a_brief_word_the_group_hears_nothing() -> None:
    async with open_harness() as at:
        at.bob.started = False
        at.script.answer = lambda incoming: [Reply("secret", private=True), Reply("for all")]
        await at.say("bob", "/me", group=True)
        assert [seen.text for seen in await at.seen("bob", 1, group=True)] == ["for all"]


async def test_another_bots_command_is_not_ours() -> None:
    async with open_harness() as at:
        await at.say("bob", "/me@other_bot", group=True)
        await at.say("bob", "ours", group=True)
        await eventually(lambda: at.script.heard)
        assert [said.text for said in at.script.heard if isinstance(said, Said)] == ["ours"]


async def test_a_blocked_bot_knows_it() -> None:
    async with open_harness() as at:
        at.api.block(at.bob)
        at.api.block(at.bob, False)
        await eventually(lambda: len(at.script.heard) == 2)
        assert [heard.reachable for heard in at.script.heard if isinstance(heard, Reachable)] == [False, True]


async def test_the_bot_tells_which_rights_it_lacks() -> None:
    async with open_harness() as at:
        for status, can_invite in (("member", True), ("administrator", False), ("administrator", True), ("left", True)):
            at.community.can_invite = can_invite
            at.api.membership(at.api.bot, at.community, status, by=at.alice)
        await eventually(lambda: len(at.script.heard) == 4)
        placed = [heard for heard in at.script.heard if isinstance(heard, BotPlaced)]
        assert [one.missing for one in placed] == [
            ("administrator", "can_invite_users", "can_pin_messages"),
            ("can_invite_users",),
            (),
            (),
        ]
        assert [one.present for one in placed] == [True, True, True, False]
        assert placed[0].by
        assert placed[0].by.name == "Alice"


async def test_admins_are_told_from_others_and_rights_from_their_lack() -> None:
    async with open_harness() as at:
        group = str(at.community.id)
        assert await at.adapter.is_admin(group, at.address("alice"))
        assert not await at.adapter.is_admin(group, at.address("bob"))
        assert await at.adapter.diagnose(group) == []
        at.community.statuses[at.api.bot.id] = "member"
        assert await at.adapter.diagnose(group) == ["administrator", "can_invite_users", "can_pin_messages"]


async def test_every_member_gets_a_link_of_their_own() -> None:
    async with open_harness() as at:
        first = await at.adapter.make_invite(str(at.community.id), "阿丽丝 😀" * 20)
        second = await at.adapter.make_invite(str(at.community.id), "Bob")
        assert first != second
        assert at.community.links[second]["name"] == "Bob"
        assert at.community.links[first]["name"].startswith("阿丽丝 😀")


async def test_without_the_right_there_is_no_link_and_no_use_in_trying_again() -> None:
    async with open_harness() as at:
        at.community.can_invite = False
        with pytest.raises(SendError, match="Not enough rights") as failed:
            await at.adapter.make_invite(str(at.community.id), "Bob")
        assert failed.value.permanent


async def test_a_question_in_a_topic_is_answered_in_that_topic() -> None:
    async with open_harness() as at:
        at.script.answer = lambda incoming: [Reply("here")]
        asked = {"message_id": 9, "date": 1_760_000_000, "chat": at.community.json() | {"is_forum": True}}
        asked |= {"from": at.bob.json(), "text": "/leaderboard", "message_thread_id": 77}
        at.api.inject(message=asked | {"is_topic_message": True})
        at.api.inject(message=asked)  # only a thread of replies
        await at.seen("bob", 2, group=True)
        assert [sent.get("message_thread_id") for sent in at.api.called("sendMessage")] == [77, None]


async def test_a_check_takes_no_update_from_the_bot_that_runs() -> None:
    async with open_harness() as at:
        doctor = make(at.api)
        at.community.statuses[at.api.bot.id] = "member"
        assert await doctor.adapter.probe() == "daixin_bot"
        lacking = await doctor.adapter.diagnose(str(at.community.id))
        assert lacking == ["administrator", "can_invite_users", "can_pin_messages"]
        await doctor.adapter.close()
        await at.say("bob", "hello")
        await eventually(lambda: at.script.heard)
        assert at.adapter.status.state == "ready"


async def test_a_check_tells_a_wrong_token_from_a_server_that_is_away() -> None:
    async with BotApi() as api:
        wrong = make(api, token="42:WRONG")
        with pytest.raises(PermissionError, match="refuses the token"):
            await wrong.adapter.probe()
        with pytest.raises(SendError, match="refuses the token") as failed:
            await wrong.adapter.diagnose("-1")
        assert "WRONG" not in "".join(traceback.format_exception(failed.value))
        api.fail_next("getMe", 502, "Bad Gateway")
        right = make(api)
        with pytest.raises(SendError, match="Bad Gateway"):
            await right.adapter.probe()
        await wrong.adapter.close()
        await right.adapter.close()
