"""Talking without a browser, as `daixin say` and the dialogue tests do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bots.adapter import SendError
from bots.message import Address, Button, Incoming, Joined, Left, Person, Pressed, Reply, Said, Submitted
from bots.webchat.adapter import WebChatAdapter
from bots.webchat.settings import WebChatSettings
from tests.bots.webchat.harness import MENU, Clock, FlakyStore

ALICE = Person("say:alice", "Alice", locale="en")


class Bot:
    """Hears everything and answers a little."""

    def __init__(self) -> None:
        self.heard: list[Incoming] = []

    async def __call__(self, incoming: Incoming) -> Sequence[Reply]:
        self.heard.append(incoming)
        match incoming:
            case Said():
                return [Reply("Shall we?", buttons=((Button("Yes", action="yes"),),))]
            case Pressed():
                return [Reply("Done", edit=True)]
            case Joined(person=person):
                return [Reply(f"Welcome {person.name}")]
            case _:
                return []


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
def chat(bot: Bot) -> WebChatAdapter:
    settings = WebChatSettings("secret", "http://chat.test", admins=frozenset({"stage:carol"}), sends_per_minute=2)
    adapter = WebChatAdapter(settings, MENU, FlakyStore(), Clock())
    adapter.listen(bot)
    return adapter


async def test_one_says_something_presses_and_fills_in(chat: WebChatAdapter, bot: Bot) -> None:
    assert [reply.text for reply in await chat.say(ALICE, "/start")] == ["Shall we?"]
    assert [reply.text for reply in await chat.press(ALICE, "yes")] == ["Done"]
    await chat.submit(ALICE, "form", {"a": "b"})
    assert [type(incoming) for incoming in bot.heard] == [Said, Pressed, Submitted]


async def test_the_turns_are_in_the_history_and_an_edit_takes_the_place_of_its_message(chat: WebChatAdapter) -> None:
    await chat.say(ALICE, "/start")
    await chat.press(ALICE, "yes")
    said, asked, done = chat._talk.chats.open("say:alice").entries
    assert said.author == "say:alice"
    assert done.message == asked.message
    assert done.body["edited"]


async def test_groups_are_entered_and_left_once(chat: WebChatAdapter, bot: Bot) -> None:
    assert [reply.text for reply in await chat.join(ALICE, "tea", inviter="say:bob")] == ["Welcome Alice"]
    assert await chat.join(ALICE, "tea") == []
    await chat.say(ALICE, "hello", group="tea")
    await chat.leave(ALICE, "tea")
    await chat.leave(ALICE, "tea")
    assert [type(incoming) for incoming in bot.heard] == [Joined, Said, Left]
    joined, said, _ = bot.heard
    assert isinstance(joined, Joined)
    assert isinstance(said, Said)
    assert (joined.inviter, joined.certainty) == ("say:bob", "inviter_hint")
    assert said.place.group == "tea"


async def test_the_inbox_holds_what_was_sent(chat: WebChatAdapter) -> None:
    news = Reply("news")
    await chat.send(Address("webchat", ALICE.account), news)
    assert chat.inbox(ALICE.account) == [news]
    assert chat.inbox("say:bob") == []


async def test_a_private_message_to_a_room_says_only_the_brief(chat: WebChatAdapter) -> None:
    await chat.say(ALICE, "hello", group="tea")
    await chat.send(Address("webchat", "tea"), Reply("secret", private=True, brief="I wrote to you"))
    assert [reply.text for reply in chat.inbox("tea")] == ["I wrote to you"]
    with pytest.raises(SendError) as caught:
        await chat.send(Address("webchat", "tea"), Reply("secret", private=True))
    assert caught.value.permanent


async def test_what_cannot_be_sent_says_why(chat: WebChatAdapter) -> None:
    to_alice = Address("webchat", ALICE.account)
    with pytest.raises(SendError) as elsewhere:
        await chat.send(Address("telegram", "1"), Reply("x"))
    assert elsewhere.value.permanent
    await chat.send(to_alice, Reply("1"))
    await chat.send(to_alice, Reply("2"))
    with pytest.raises(SendError) as fast:
        await chat.send(to_alice, Reply("3"))
    assert fast.value.retry_after == 60.0
    await chat.close()
    with pytest.raises(SendError) as closed:
        await chat.send(to_alice, Reply("4"))
    assert not closed.value.permanent


async def test_admins_are_those_the_operator_named(chat: WebChatAdapter) -> None:
    assert await chat.is_admin("tea", "stage:carol")
    assert not await chat.is_admin("tea", ALICE.account)


async def test_a_post_is_seen_in_the_room_once_for_a_key(chat: WebChatAdapter) -> None:
    for _ in range(2):
        assert await chat.post("tea", Reply("**Spring** has begun"), key="a") == ""
    assert [reply.text for reply in chat.inbox("tea")] == ["**Spring** has begun"]


async def test_a_post_that_was_put_off_is_not_taken_for_done(chat: WebChatAdapter) -> None:
    for key in ("a", "b"):
        await chat.post("tea", Reply("x"), key=key)
    with pytest.raises(SendError) as refused:
        await chat.post("tea", Reply("y"), key="c")
    assert refused.value.retry_after
    chat.outgoing = type(chat.outgoing)(60, Clock())
    await chat.post("tea", Reply("y"), key="c")
    assert [reply.text for reply in chat.inbox("tea")] == ["x", "x", "y"]
