"""What we say reaches people, and a failure says what to do about it."""

from __future__ import annotations

import pytest

from bots.adapter import SendError
from bots.message import Address, Button, Image, Reply
from tests.bots.telegram.harness import TelegramHarness, open_harness

CARD = Image(lambda: b"\xff\xd8\xff\xe0 a card", "card.jpg", "your card")


async def send(at: TelegramHarness, reply: Reply, who: str = "alice") -> None:
    await at.adapter.send(Address("telegram", at.address(who)), reply)


async def test_a_card_comes_with_its_caption_and_buttons() -> None:
    async with open_harness() as at:
        rows = ((Button("Copy", copy="https://a.example/r/ABCD"), Button("Open", url="https://a.example/r/ABCD")),)
        await send(at, Reply("Your **card**", rows, CARD))
        [seen] = await at.seen("alice", 1)
        assert (seen.text, seen.buttons, seen.image) == ("Your card", ["Copy", "Open"], CARD.draw())


async def test_a_long_caption_follows_the_card() -> None:
    async with open_harness() as at:
        await send(at, Reply("word " * 300, ((Button("Go", action="go"),),), CARD))
        card, text = await at.seen("alice", 2)
        assert (card.text, card.buttons, card.image) == ("", [], CARD.draw())
        assert (text.text.split(), text.buttons) == (["word"] * 300, ["Go"])


async def test_a_file_comes_as_one() -> None:
    async with open_harness() as at:
        statement = Image(lambda: b"a,b\r\n", "statement.csv", "Your statement", "text/csv")
        await send(at, Reply("Here it is", image=statement))
        [seen] = await at.seen("alice", 1)
        assert (seen.text, seen.image) == ("Here it is", b"a,b\r\n")


async def test_a_long_text_comes_in_parts() -> None:
    async with open_harness() as at:
        await send(at, Reply("\n\n".join(f"line {number} 😀" for number in range(1000))))
        seen = await at.seen("alice", 2)
        said = " ".join(message.text for message in seen).split()
        assert [word for word in said if word.isdigit()] == [str(number) for number in range(1000)]


@pytest.mark.parametrize("case", ["blocked", "never started", "unknown chat", "no chat at all"])
async def test_who_cannot_be_reached_is_a_permanent_failure(case: str) -> None:
    async with open_harness() as at:
        chat = {"unknown chat": "999", "no chat at all": "alice"}.get(case, at.address("bob"))
        at.bob.blocked = case == "blocked"
        at.bob.started = case != "never started"
        with pytest.raises(SendError) as failed:
            await at.adapter.send(Address("telegram", chat), Reply("hello"))
        assert failed.value.permanent


async def test_a_short_flood_wait_is_sat_out() -> None:
    async with open_harness() as at:
        at.api.fail_next("sendMessage", 429, "Too Many Requests: retry after 1", retry_after=1)
        await send(at, Reply("hello"))
        assert len(at.api.seen(at.alice)) == 1


async def test_a_long_flood_wait_is_told_and_halts_nobody() -> None:
    async with open_harness() as at:
        at.api.fail_next("sendMessage", 429, "Too Many Requests: retry after 300", retry_after=300)
        with pytest.raises(SendError) as failed:
            await send(at, Reply("hello"))
        assert (failed.value.permanent, failed.value.retry_after) == (False, 300)
        await send(at, Reply("hello"), "bob")


@pytest.mark.parametrize("trouble", ["bad gateway", "dropped", "dropped after it was sent"])
async def test_a_lost_connection_leaves_it_open(trouble: str) -> None:
    async with open_harness() as at:
        if trouble == "bad gateway":
            at.api.fail_next("sendMessage", 502, "Bad Gateway")
        else:
            at.api.drop_next("sendMessage", done="after" in trouble)
        with pytest.raises(SendError) as failed:
            await send(at, Reply("hello"))
        assert (failed.value.permanent, failed.value.retry_after) == (False, None)
        assert len(at.api.seen(at.alice)) == ("after" in trouble)


async def test_an_answer_in_place_is_tried_again_when_the_connection_is_lost() -> None:
    async with open_harness() as at:
        at.script.answer = lambda incoming: [Reply("here I am")]
        at.api.fail_next("sendMessage", 502, "Bad Gateway")
        at.api.drop_next("sendMessage")
        await at.say("alice", "/start")
        assert [seen.text for seen in await at.seen("alice", 1)] == ["here I am"]


async def test_a_card_that_cannot_be_drawn_is_a_failure_like_others() -> None:
    def draw() -> bytes:
        raise OSError("no space left on device")

    async with open_harness() as at:
        with pytest.raises(SendError, match="no space left"):
            await send(at, Reply("card", image=Image(draw, "card.jpg", "card")))
        at.script.answer = lambda incoming: [Reply("card", image=Image(draw, "card.jpg", "card")), Reply("but text")]
        await at.say("alice", "/invite")
        assert [seen.text for seen in await at.seen("alice", 1)] == ["but text"]


async def test_a_group_that_moved_is_followed() -> None:
    async with open_harness() as at:
        old = "-4001"
        at.api.fail_next("sendMessage", 400, "upgraded to a supergroup", migrate_to_chat_id=at.community.id)
        await at.adapter.send(Address("telegram", old), Reply("hello all"))
        assert [seen.text for seen in await at.seen("alice", 1, group=True)] == ["hello all"]


async def test_after_closing_a_message_is_for_later() -> None:
    async with open_harness() as at:
        await at.adapter.close()
        with pytest.raises(SendError) as failed:
            await send(at, Reply("hello"))
        assert not failed.value.permanent
