"""Buttons: a press is heard, answered once, and may rewrite the message it stood under."""

from __future__ import annotations

from collections.abc import Sequence

from bots.message import Button, Image, Incoming, Pressed, Reply
from tests.bots.telegram.harness import TelegramHarness, eventually, open_harness

ROWS = ((Button("Next", action="page:2"),),)
CARD = Image(lambda: b"\xff\xd8 card", "card.jpg", "card")


def pages(at: TelegramHarness, first: Reply, then: Sequence[Reply]) -> None:
    at.script.answer = lambda incoming: then if isinstance(incoming, Pressed) else [first]


async def test_a_press_rewrites_the_message_and_stops_the_spinner_once() -> None:
    async with open_harness() as at:
        pages(at, Reply("page 1", ROWS), [Reply("page 2", edit=True)])
        await at.say("alice", "/leaderboard")
        await at.seen("alice", 1)
        await at.press("alice", "Next")

        await eventually(lambda: at.api.seen(at.alice)[0].edited)
        [seen] = await at.seen("alice", 1)
        assert (seen.text, seen.buttons) == ("page 2", [])
        pressed = at.script.heard[1]
        assert isinstance(pressed, Pressed)
        assert (pressed.action, pressed.person.name) == ("page:2", "Alice")
        await eventually(lambda: len(at.api.called("answerCallbackQuery")) == 1)


async def test_pressed_twice_changes_nothing_and_says_nothing_more() -> None:
    async with open_harness() as at:
        pages(at, Reply("same", ROWS), [Reply("same", ROWS, edit=True), Reply("over")])
        await at.say("alice", "/start")
        await at.seen("alice", 1)
        await at.press("alice", "Next")
        assert [seen.text for seen in await at.seen("alice", 2)] == ["same", "over"]


async def test_a_cards_caption_is_rewritten() -> None:
    async with open_harness() as at:
        pages(at, Reply("old", ROWS, CARD), [Reply("new", edit=True)])
        await at.say("alice", "/invite")
        await at.seen("alice", 1)
        await at.press("alice", "Next")
        await eventually(lambda: at.api.seen(at.alice)[0].edited)
        assert [(seen.text, seen.image) for seen in await at.seen("alice", 1)] == [("new", CARD.draw())]


async def test_what_cannot_be_rewritten_is_sent_anew() -> None:
    async with open_harness() as at:
        pages(at, Reply("text", ROWS), [Reply("a card", image=CARD, edit=True), Reply("gone", edit=True)])
        await at.say("alice", "/start")
        await at.seen("alice", 1)
        at.api.fail_next("editMessageText", 400, "Bad Request: message can't be edited")
        await at.press("alice", "Next")
        assert [seen.text for seen in await at.seen("alice", 3)] == ["text", "a card", "gone"]


async def test_a_private_answer_to_a_press_in_the_group_leaves_the_group_as_it_is() -> None:
    async with open_harness() as at:
        pages(at, Reply("for all", ROWS), [Reply("for you", private=True, edit=True)])
        await at.say("bob", "/leaderboard", group=True)
        await at.seen("bob", 1, group=True)
        await at.press("alice", "Next")
        assert [seen.text for seen in await at.seen("alice", 1)] == ["for you"]
        assert [seen.text for seen in await at.seen("bob", 1, group=True)] == ["for all"]


async def test_the_spinner_stops_although_the_handler_fails() -> None:
    async with open_harness() as at:
        pages(at, Reply("text", ROWS), [])
        await at.say("alice", "/start")
        await at.seen("alice", 1)

        def fail(incoming: Incoming) -> Sequence[Reply]:
            raise RuntimeError("a defect of ours")

        at.script.answer = fail
        await at.press("alice", "Next")
        await eventually(lambda: len(at.api.called("answerCallbackQuery")) == 1)


async def test_a_spinner_that_stopped_already_hurts_nobody() -> None:
    async with open_harness() as at:
        pages(at, Reply("text", ROWS), [Reply("pressed")])
        await at.say("alice", "/start")
        await at.seen("alice", 1)
        at.api.fail_next("answerCallbackQuery", 400, "Bad Request: query is too old and response timeout expired")
        await at.press("alice", "Next")
        assert [seen.text for seen in await at.seen("alice", 2)] == ["text", "pressed"]


async def test_a_press_without_data_still_stops_the_spinner() -> None:
    async with open_harness() as at:
        at.api._open_presses.add("7")
        at.api.inject(callback_query={"id": "7", "from": at.alice.json(), "chat_instance": "1"})
        await eventually(lambda: len(at.api.called("answerCallbackQuery")) == 1)
        assert at.script.heard == []
