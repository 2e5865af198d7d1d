"""Posts in a group and their pins: what Telegram takes, what it refuses, and where the bot is not any more."""

from __future__ import annotations

import pytest

from bots.adapter import NotThere, SendError
from bots.message import Button, Image, Reply
from tests.bots.telegram.harness import TelegramHarness, open_harness

START = Reply("The **Spring** campaign has begun", buttons=((Button("Join", action="do:invite"),),))


def group_of(at: TelegramHarness) -> str:
    return str(at.community.id)


async def test_a_post_is_pinned_quietly_and_its_pin_taken_down() -> None:
    async with open_harness() as at:
        message = await at.adapter.post(group_of(at), START, key="a")
        [shown] = at.api.seen(at.community)
        assert (shown.text, shown.labels) == ("The Spring campaign has begun", ["Join"])
        assert message == f"{at.community.id}/{shown.message_id}"
        for _ in range(2):  # what may have been done before a crash is done again, and changes nothing
            await at.adapter.pin(group_of(at), message)
        assert at.community.pinned == [shown.message_id]
        assert [call["disable_notification"] for call in at.api.called("pinChatMessage")] == [True, True]
        for _ in range(2):
            await at.adapter.unpin(group_of(at), message)
        assert at.community.pinned == []


async def test_what_may_be_a_second_post_rings_no_phone() -> None:
    async with open_harness() as at:
        await at.adapter.post(group_of(at), START, key="a")
        await at.adapter.post(group_of(at), START, key="a", again=True)
        assert [call.get("disable_notification") for call in at.api.called("sendMessage")] == [None, True]


async def test_of_a_post_in_parts_the_one_with_the_words_is_pinned() -> None:
    async with open_harness() as at:
        picture = Image(lambda: b"jpeg", "c.jpg", "card")
        await at.adapter.pin(
            group_of(at), await at.adapter.post(group_of(at), Reply("x" * 1100, image=picture), key="a")
        )
        photo, words = at.api.seen(at.community)
        assert (photo.photo, words.photo) == (b"jpeg", None)
        assert at.community.pinned == [words.message_id]


async def test_without_the_right_to_pin_it_says_so_for_good() -> None:
    async with open_harness() as at:
        message = await at.adapter.post(group_of(at), START, key="a")
        at.community.can_pin = False
        with pytest.raises(SendError, match=r"(?i)not enough rights to manage pinned messages") as refused:
            await at.adapter.pin(group_of(at), message)
        assert refused.value.permanent
        assert not isinstance(refused.value, NotThere)


@pytest.mark.parametrize("where", ["kicked", "unknown"])
async def test_where_the_bot_is_not_any_more_it_says_that(where: str) -> None:
    async with open_harness() as at:
        message = await at.adapter.post(group_of(at), START, key="a")
        if where == "kicked":
            at.community.statuses[at.api.bot.id] = "kicked"
        else:
            del at.api.groups[at.community.id]
        with pytest.raises(NotThere):
            await at.adapter.post(group_of(at), START, key="b")
        with pytest.raises(NotThere):
            await at.adapter.pin(group_of(at), message)
        with pytest.raises(NotThere):
            await at.adapter.unpin(group_of(at), message)


async def test_a_refused_post_is_no_absence() -> None:
    async with open_harness() as at:
        at.api.fail_next("sendMessage", 400, "Bad Request: not enough rights to send text messages to the chat")
        with pytest.raises(SendError, match=r"(?i)not enough rights") as refused:
            await at.adapter.post(group_of(at), START, key="a")
        assert refused.value.permanent
        assert not isinstance(refused.value, NotThere)
