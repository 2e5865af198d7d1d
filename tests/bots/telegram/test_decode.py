"""Updates as words: commands in every spelling, people with any name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telegram import Update

from bots.message import Incoming, Person, Pressed, Said
from bots.telegram.decode import ALLOWED_UPDATES, Me, decode

ME = Me(42, "daixin_bot")
USER = {"id": 7, "first_name": "Alice", "is_bot": False}
PRIVATE = {"id": 7, "type": "private"}


def read(**update: Any) -> tuple[Incoming, ...]:
    parsed = Update.de_json({"update_id": 5, **update}, None)
    assert parsed is not None
    return decode(parsed, ME)


def message(text: str | None = None, **more: Any) -> tuple[Incoming, ...]:
    given: dict[str, Any] = {"message_id": 1, "date": 1_760_000_000, "chat": PRIVATE, "from": USER}
    return read(message=given | ({} if text is None else {"text": text}) | more)


@pytest.mark.parametrize(
    ("text", "command", "argument"),
    [
        ("/start", "start", ""),
        ("/start ABCD2345", "start", "ABCD2345"),
        ("/START  ABCD2345 ", "start", "ABCD2345"),
        ("/invite@daixin_bot", "invite", ""),
        ("/join@Daixin_Bot ABCD 2345", "join", "ABCD 2345"),
        ("/campaign new\nTea", "campaign", "new\nTea"),
        ("/", None, ""),
        ("/邀请", None, ""),
        ("hello /start", None, ""),
        ("邀请", None, ""),
    ],
)
def test_commands(text: str, command: str | None, argument: str) -> None:
    [said] = message(text)
    assert isinstance(said, Said)
    assert (said.text, said.command, said.argument, said.key) == (text, command, argument, "tg:5")


def test_another_bots_command_is_not_ours() -> None:
    assert message("/start@other_bot") == ()


def test_a_photos_caption_is_what_was_said() -> None:
    [said] = message(caption="/join ABCD2345")
    assert isinstance(said, Said)
    assert said.argument == "ABCD2345"


def test_a_sticker_a_bot_and_a_channel_say_nothing() -> None:
    assert message() == ()
    assert message("hello", **{"from": USER | {"is_bot": True}}) == ()
    assert read(message={"message_id": 1, "date": 1, "chat": {"id": -1, "type": "channel"}, "text": "x"}) == ()
    assert read(poll_answer={"poll_id": "1", "option_ids": [], "option_persistent_ids": []}) == ()


@given(st.text(max_size=64), st.text(max_size=64), st.none() | st.just("alice"), st.none() | st.just("zh-hans"))
def test_a_person_always_has_a_name(first: str, last: str, handle: str | None, language: str | None) -> None:
    user = USER | {"first_name": first, "last_name": last, "username": handle, "language_code": language}
    [said] = message("hi", **{"from": user})
    assert isinstance(said, Said)
    assert said.person == Person("7", said.person.name, handle, language)
    assert said.person.name
    assert first.strip() in said.person.name


def test_a_press_on_a_message_too_old_to_see() -> None:
    old = {"message_id": 1, "date": 0, "chat": {"id": -100, "type": "supergroup", "title": "Tea"}}
    query = {"id": "9", "from": USER, "chat_instance": "1", "data": "page:2"}
    [pressed] = read(callback_query=query | {"message": old})
    assert isinstance(pressed, Pressed)
    assert (pressed.place.group, pressed.key) == ("-100", "tg:5")
    [inline] = read(callback_query=query | {"inline_message_id": "x"})
    assert isinstance(inline, Pressed)
    assert (inline.place.group, inline.place.address.chat) == (None, "7")


def test_what_must_be_asked_for_is_asked_for() -> None:
    assert {"chat_member", "my_chat_member", "chat_join_request", "callback_query", "message"} == set(ALLOWED_UPDATES)
