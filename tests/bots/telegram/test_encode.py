"""Our words in Telegram's: nothing a person is called can become markup, nothing is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.markup import clean, escape, plain
from bots.message import Button, Field, Form, Image, Reply
from bots.telegram.encode import CAPTION_UNITS, TEXT_UNITS, can_be_link, cut, encode, utf16
from tests.bots.telegram.botapi_table import shown

NASTY = st.text(st.sampled_from("<>&\"'*_`[]()\\#-~|!.\n\t aZ😀阿\u202e\u0301\ud83d"), min_size=1, max_size=80)
CARD = Image(lambda: b"card", "card.jpg", "card")


def test_the_subset_becomes_html() -> None:
    text = "**bold** *italic* `code` [link](https://a.example/?a=1&b=2)\n\n- one\n- two"
    [message] = encode(Reply(text))
    assert message.html == (
        '<b>bold</b> <i>italic</i> <code>code</code> <a href="https://a.example/?a=1&amp;b=2">link</a>\n• one\n• two'
    )


def test_a_message_is_escaped() -> None:
    [message] = encode(Reply("1 < 2 & <b>not bold</b>"))
    assert message.html == "1 &lt; 2 &amp; &lt;b&gt;not bold&lt;/b&gt;"


@given(NASTY)
def test_a_name_reads_as_it_was_given(name: str) -> None:
    cleaned = clean(name) or "somebody"
    for message in encode(Reply(f"Welcome **{escape(cleaned)}** and {escape(cleaned)}")):
        assert shown(message.html, "HTML", TEXT_UNITS) == f"Welcome {cleaned} and {cleaned}".strip()


@given(st.text(max_size=300))
def test_any_text_is_markup_telegram_takes(text: str) -> None:
    for message in encode(Reply(text)):
        assert shown(message.html, "HTML", TEXT_UNITS)


@given(st.lists(NASTY, max_size=400), st.booleans())
def test_every_part_fits(names: list[str], with_image: bool) -> None:
    text = "\n\n".join(escape(clean(name)) * 3 for name in names)
    messages = encode(Reply(text, image=CARD if with_image else None))
    for message in messages:
        shown(message.html, "HTML", CAPTION_UNITS if message.image else TEXT_UNITS)
    assert sum(message.image is not None for message in messages) == with_image


def test_a_line_of_4000_characters_and_more_arrives_whole() -> None:
    messages = encode(Reply("😀" * 5000))
    assert sum(message.html.count("😀") for message in messages) == 5000
    assert len(messages) >= 3


def test_only_the_last_part_has_the_buttons() -> None:
    messages = encode(Reply("word " * 2000, ((Button("Go", action="go"),),)))
    assert [message.keyboard is not None for message in messages] == [False] * (len(messages) - 1) + [True]


def test_a_caption_is_at_most_1024_units() -> None:
    assert [bool(message.image) for message in encode(Reply("x" * 1024, image=CARD))] == [True]
    assert [(bool(message.image), len(message.html)) for message in encode(Reply("x" * 1025, image=CARD))] == [
        (True, 0),
        (False, 1025),
    ]


def test_nothing_to_say_is_no_message() -> None:
    assert encode(Reply("")) == ()
    assert encode(Reply(" \n\n ")) == ()
    assert len(encode(Reply("", image=CARD))) == 1


def test_buttons_of_every_kind() -> None:
    rows = (
        (Button("Act", action="a" * 64), Button("Open", url="https://a.example")),
        (Button("Copy", copy="ABCD2345"),),
    )
    [message] = encode(Reply("text", rows))
    assert message.keyboard
    [[act, link], [copy]] = message.keyboard.inline_keyboard
    assert (act.callback_data, link.url) == ("a" * 64, "https://a.example")
    assert copy.copy_text
    assert copy.copy_text.text == "ABCD2345"


@pytest.mark.parametrize(
    ("button", "written"),
    [
        (Button("Copy", copy="x" * 257), f"Copy: {'x' * 257}"),
        (Button("Open", url="http://localhost:8000/r/AB_CD*"), "Open: http://localhost:8000/r/AB_CD*"),
    ],
)
def test_what_cannot_be_a_button_is_written(button: Button, written: str) -> None:
    [message] = encode(Reply("text", ((button,),)))
    assert message.keyboard is None
    assert shown(message.html, "HTML", TEXT_UNITS) == f"text\n{written}"


def test_a_form_is_only_its_text() -> None:
    form = Form("New campaign", "campaign:new", (Field("title", "Title"),))
    [message] = encode(Reply("What is it called?", form=form))
    assert (message.html, message.keyboard) == ("What is it called?", None)


def test_what_telegram_takes_as_a_link() -> None:
    assert can_be_link("https://a.example/r/x")
    assert can_be_link("tg://resolve?domain=daixin_bot")
    assert can_be_link("http://127.0.0.1:8000/")
    assert not can_be_link("http://localhost:8000/")
    assert not can_be_link("javascript:alert(1)")
    assert not can_be_link("http://[::1")


@given(st.text(max_size=80), st.integers(1, 40))
def test_a_cut_name_is_a_beginning_that_fits(name: str, limit: int) -> None:
    kept = cut(name, limit)
    assert name.startswith(kept)
    assert utf16(kept) <= limit
    assert utf16(name) > limit or kept == name


def test_plain_words_stay_the_same() -> None:
    [message] = encode(Reply("邀请好友，各得 100 积分"))
    assert message.html == plain("邀请好友，各得 100 积分")


def test_a_page_of_ours_opens_inside_telegram() -> None:
    [message] = encode(Reply("board", ((Button("Live", url="https://friends.example/mini?b=tea", app=True),),)))
    assert message.keyboard is not None
    [[key]] = message.keyboard.inline_keyboard
    assert key.web_app is not None
    assert (key.web_app.url, key.url) == ("https://friends.example/mini?b=tea", None)
