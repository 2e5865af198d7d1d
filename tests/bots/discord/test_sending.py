"""Messages outside a conversation, and what each refusal means."""

from __future__ import annotations

from typing import Any

import pytest

from bots.adapter import SendError
from bots.message import Address, Button, Field, Form, Image, Reply
from tests.bots.discord.harness import DiscordHarness, opened
from tests.bots.discord.reading import read
from tests.bots.discord.world import GUILD, Refusal


def to(chat: str) -> Address:
    return Address("discord", chat)


async def refusal(discord: DiscordHarness, chat: str = "1") -> SendError:
    with pytest.raises(SendError) as refused:
        await discord.adapter.send(to(chat), Reply("hello"))
    return refused.value


async def test_a_person_is_written_to_in_private(discord: DiscordHarness) -> None:
    reply = Reply(
        "You have **3** friends", ((Button("Show", action="show"),),), Image(lambda: b"jpeg", "c.jpg", "card")
    )
    await discord.adapter.send(to("1"), reply)

    seen = (await discord.seen("alice", 1))[0]
    assert (seen.text, seen.buttons, seen.image) == ("You have 3 friends", ["Show"], b"jpeg")


async def test_a_guilds_channel_is_written_to(discord: DiscordHarness) -> None:
    await discord.adapter.send(to(f"c:{GUILD}1"), Reply("Week 3 is over"))

    assert [seen.text for seen in await discord.seen("alice", 1, group=True)] == ["Week 3 is over"]


async def test_a_long_text_comes_in_parts_with_the_buttons_under_the_last(discord: DiscordHarness) -> None:
    text = "\n".join(f"line {number} of a very long list" for number in range(150))
    await discord.adapter.send(to("1"), Reply(text, ((Button("More", action="more"),),)))

    messages = discord.server.private_messages("alice")
    assert len(messages) > 1
    assert all(len(message.content) <= 2000 for message in messages)
    assert [bool(message.components) for message in messages] == [False] * (len(messages) - 1) + [True]
    assert "line 149 of a very long list" in read(messages[-1].content)


async def test_nobody_is_pinged(discord: DiscordHarness) -> None:
    await discord.adapter.send(to(f"c:{GUILD}1"), Reply("\\@everyone \\<\\@1\\> hi"))

    message = discord.server.public_messages()[0]
    assert message.mentions == {"parse": [], "replied_user": False} or message.mentions == {"parse": []}
    assert "PING" not in read(message.content)


async def test_a_person_who_refuses_messages_is_a_lasting_failure(discord: DiscordHarness) -> None:
    discord.server.user("bob").accepts_messages = False
    error = await refusal(discord, "2")

    assert error.permanent
    assert "50007" in error.reason


@pytest.mark.parametrize("chat", ["424242", "c:424242", "nobody", "c:", "²"])
async def test_a_chat_that_does_not_exist_is_a_lasting_failure(discord: DiscordHarness, chat: str) -> None:
    assert (await refusal(discord, chat)).permanent


async def test_a_rate_limit_without_via_is_told_with_its_time(discord: DiscordHarness) -> None:
    await discord.fail_next("rate_limited")
    error = await refusal(discord)

    assert (error.permanent, error.retry_after) == (False, 7.5)


async def test_a_short_rate_limit_with_via_is_waited_out(discord: DiscordHarness) -> None:
    body = {"message": "slow", "retry_after": 0.05, "global": False}
    discord.server.refusals.append(Refusal(429, body, {"Via": "1.1 google"}))
    await discord.adapter.send(to("1"), Reply("hello"))

    assert len(discord.server.private_messages("alice")) == 1


async def test_a_long_rate_limit_with_via_is_told_with_its_time(discord: DiscordHarness) -> None:
    body = {"message": "slow", "retry_after": 600.0, "global": False}
    discord.server.refusals.append(Refusal(429, body, {"Via": "1.1 google"}))

    assert (await refusal(discord)).retry_after == 600.0


async def test_500_is_tried_again_by_the_library_503_is_ours_to_repeat(discord: DiscordHarness) -> None:
    discord.server.refusals.append(Refusal(500))
    await discord.adapter.send(to("1"), Reply("hello"))
    assert len(discord.server.private_messages("alice")) == 1

    await discord.fail_next("gone_away")
    error = await refusal(discord)
    assert (error.permanent, error.retry_after) == (False, None)


async def test_before_the_connection_nothing_is_sent_and_later_it_may_be() -> None:
    async with opened(start=False) as discord:
        assert not (await refusal(discord)).permanent


async def test_a_dropped_connection_is_a_passing_failure(discord: DiscordHarness) -> None:
    await discord.server.stop()
    assert not (await refusal(discord)).permanent


async def test_a_form_sent_unasked_waits_behind_a_button(discord: DiscordHarness) -> None:
    form = Form("Feedback", "fb:1", (Field("text", "What do you think?"),))
    await discord.adapter.send(to("1"), Reply("Tell us", form=form))

    assert (await discord.seen("alice", 1))[0].buttons == ["…"]


async def test_a_picture_that_cannot_be_drawn_is_the_callers_error(discord: DiscordHarness) -> None:
    def fail() -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await discord.adapter.send(to("1"), Reply("x", image=Image(fail, "c.jpg", "card")))
