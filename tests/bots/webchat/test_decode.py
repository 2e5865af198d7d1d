"""What a page posts as neutral incoming, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.message import ACTION_BYTES, Field, Form, Person, Pressed, Said, Submitted
from bots.webchat.decode import Refused, decode
from bots.webchat.visitor import private
from bots.webchat.words import WORDS, pick_lang

ALICE = Person("v:alice", "Alice")
HER_CHAT = private(ALICE.account)
FORM = Form("Link", "link", (Field("code", "Code", max_length=5),))
MAX_TEXT = 4000


def read(body: object, form: Form | None = None) -> Any:
    return decode(body, ALICE, HER_CHAT, max_text=MAX_TEXT, form=form)


def refusal(body: object, form: Form | None = None) -> str:
    with pytest.raises(Refused) as caught:
        read(body, form)
    return caught.value.code


def test_text_button_and_form() -> None:
    assert read({"text": " /start ABCD\r\n", "key": "k1"}) == Said(ALICE, HER_CHAT, "/start ABCD", key="v:alice:k1")
    assert read({"action": "go:invite"}) == Pressed(ALICE, HER_CHAT, "go:invite")
    assert read({"form": "link", "answers": {"code": " ABCD"}}, FORM) == Submitted(
        ALICE, HER_CHAT, "link", {"code": "ABCD"}
    )


def test_the_edges_of_what_fits() -> None:
    assert len(read({"text": "好" * MAX_TEXT}).text) == MAX_TEXT
    assert refusal({"text": "好" * (MAX_TEXT + 1)}) == "too_long"
    assert read({"action": "x" * ACTION_BYTES}).action == "x" * ACTION_BYTES
    assert refusal({"action": "x" * (ACTION_BYTES + 1)}) == "malformed"
    assert refusal({"form": "link", "answers": {"code": "123456"}}, FORM) == "answer_long"
    assert refusal({"form": "link", "answers": {"other": "1"}}, FORM) == "malformed"
    assert read({"form": "link", "answers": {"code": "123456"}}).answers == {"code": "123456"}  # form no longer known


def test_control_characters_go_and_joined_emoji_and_lines_stay() -> None:
    assert read({"text": "a\x00\x1b[31mb\n👨‍👩‍👧\tc\x9f"}).text == "a[31mb\n👨‍👩‍👧\tc"
    assert refusal({"text": "\x00 \n"}) == "empty"


MALFORMED: list[object] = [
    *(None, [], 1, "text", {}),
    *({"text": 1}, {"text": None}, {"text": "x", "key": ""}, {"text": "x", "key": "k" * 65}),
    *({"action": ""}, {"action": "\ud800"}, {"form": "x"}, {"form": "x", "answers": {"a": 1}}),
]


@pytest.mark.parametrize("body", MALFORMED)
def test_malformed_bodies_are_refused(body: object) -> None:
    assert refusal(body) == "malformed"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["text", "action", "form", "answers", "key", "message"]), json_values))
def test_anything_is_either_understood_or_refused_with_a_word(body: dict[str, Any]) -> None:
    try:
        read(body)
    except Refused as refused:
        said = [words[refused.code].format(**refused.params) for words in WORDS.values()]
    else:
        said = ["understood"]
    assert all(said)


def test_both_languages_have_every_word_with_the_same_placeholders() -> None:
    english, chinese = WORDS["en"], WORDS["zh_Hans"]
    assert english.keys() == chinese.keys()
    for code, text in english.items():
        assert {part.split("}")[0] for part in text.split("{")[1:]} == {
            part.split("}")[0] for part in chinese[code].split("{")[1:]
        }


@pytest.mark.parametrize(
    ("asked", "accepts", "lang"),
    [
        ("zh", "en", "zh_Hans"),
        ("en-GB", "zh-CN", "en"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh_Hans"),
        (None, "fr-FR,en;q=0.5,zh;q=0.3", "en"),
        (None, "", "en"),
        ("klingon", "zh", "zh_Hans"),
    ],
)
def test_the_language_is_the_one_asked_for_else_the_browsers(asked: str | None, accepts: str, lang: str) -> None:
    assert pick_lang(asked, accepts) == lang
