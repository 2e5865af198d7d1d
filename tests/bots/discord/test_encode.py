"""Neutral replies in Discord's markdown."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bots.discord.encode import MORE, TEXT_LIMIT, encode, escape, markdown
from bots.markup import clean
from bots.markup import escape as neutral
from bots.message import Button, Field, Form, Image, Reply
from tests.bots.discord.reading import read

MARKUP = st.text(st.sampled_from("*_~`|>#-+[]()<>@!:\\/.,1 aé带\u200d😀\u0301\u202e"), max_size=60)
NAMES = st.one_of(
    MARKUP,
    st.text(max_size=80),
    st.sampled_from(
        [
            "@everyone",
            "<@1234567890>",
            "<:kappa:123>",
            "**x**",
            "https://evil.example/**a**",
            "[x](https://evil.example)",
            "||spoiler||",
            "# big",
            "> quote",
            "-# small",
            "1. one",
            "¯\\_(ツ)_/¯",
            "```js```",
        ]
    ),
).map(clean)


def content(text: str, *rows: tuple[Button, ...]) -> str:
    return encode(Reply(text, rows))[0].content


@pytest.mark.parametrize(
    ("text", "native"),
    [
        ("**bold** and *slanted*", "**bold** and *slanted*"),
        ("**both *at* once**", "**both *at* once**"),
        ("`AB_CD*`", "`AB_CD*`"),
        ("``a`b``", "``a`b``"),
        ("[your link](https://example.com/r/A_B)", "[your link](<https://example.com/r/A_B>)"),
        ("- one\n- two", "• one\n• two"),
        ("line\nbreak", "line\nbreak"),
        ("open https://example.com/r/A_B.", "open <https://example.com/r/A_B>."),
        ("snake_case \\*literal\\*", "snake\\_case \\*literal\\*"),
        ("[chat](weixin://x)", "chat weixin\\://x"),
    ],
)
def test_every_style_has_its_form(text: str, native: str) -> None:
    assert content(text) == native


@given(NAMES)
@example("https://a.b/_c_")
@example("\\")
@example("a\\*b")
def test_a_name_reads_as_it_was_written_whatever_it_holds(name: str) -> None:
    assert read(escape(name)) == name


@given(NAMES, NAMES)
def test_names_stay_inside_the_styles_around_them(first: str, second: str) -> None:
    text = f"Hello **{neutral(first) or 'x'}**, [{neutral(second) or 'x'}](https://example.com/r/1) brought you."
    assert read(markdown(text)) == f"Hello {first or 'x'}, {second or 'x'} brought you."


@given(st.text(max_size=6000))
def test_no_message_is_longer_than_discord_takes_or_empty(text: str) -> None:
    parts = encode(Reply(neutral(text)))
    assert parts
    assert all(0 < len(part.content) <= TEXT_LIMIT for part in parts)


def test_a_long_line_is_cut_and_nothing_is_lost() -> None:
    text = "".join(chr(0x4E00 + number % 5000) for number in range(5000))
    parts = encode(Reply(text))
    assert "".join(part.content for part in parts).replace("\n", "") == text


def test_a_text_to_copy_is_shown_since_discord_has_no_copy_button() -> None:
    (part,) = encode(Reply("Share", ((Button("Code", copy="AB`C"), Button("Open", url="https://example.com")),)))

    assert part.content == "Share\nCode: ``AB`C``"
    assert [button.label for row in part.rows for button in row] == ["Open"]


def test_an_address_discord_does_not_open_is_shown() -> None:
    (part,) = encode(Reply("Go", ((Button("WeChat", url="weixin://dl/chat"),),)))
    assert (part.content, part.rows) == ("Go\nWeChat: `weixin://dl/chat`", ())


def test_more_buttons_than_a_row_or_a_message_holds_go_on_below() -> None:
    rows = tuple(tuple(Button(f"{row}-{n}", action=f"a{n}") for n in range(6)) for row in range(4))
    first, second = encode(Reply("Choose", rows))

    assert [len(row) for row in first.rows] == [5, 1, 5, 1, 5]
    assert [len(row) for row in second.rows] == [1, 5, 1]
    assert second.content == MORE
    ids = [button.custom_id for part in (first, second) for row in part.rows for button in row]
    assert len(set(ids)) == 24


def test_labels_are_cut_and_never_empty() -> None:
    (part,) = encode(Reply("x", ((Button("long " * 40, action="a"), Button(" ", action="b")),)))
    long, empty = part.rows[0]
    assert (len(long.label), empty.label) == (80, MORE)


def test_every_custom_id_fits() -> None:
    (part,) = encode(Reply("x", ((Button("x", action="y" * 64),),)))
    assert len(part.rows[0][0].custom_id or "") <= 100


def test_a_picture_needs_no_text() -> None:
    (part,) = encode(Reply("", image=Image(bytes, "c.jpg", "card")))
    assert part.content == ""


def test_a_form_that_cannot_open_gets_a_button() -> None:
    form = Form("Title", "form:1", (Field("a", "A"),))
    (part,) = encode(Reply("Tell us", form=form), form_button=True)
    assert part.rows[0][0].custom_id == "f0:form:1"
    assert encode(Reply("Tell us", form=form))[0].rows == ()


def test_many_choices_are_a_menu_above_the_other_buttons() -> None:
    choices = tuple((Button(f"{n} days", action=f"answer:t.days {n}", choice=True),) for n in range(7))
    (part,) = encode(Reply("How long?", (*choices, (Button("Back", action="back"),))))
    (menu,) = part.menus
    assert [option.label for option in menu.options] == [f"{n} days" for n in range(7)]
    assert [[button.label for button in row] for row in part.rows] == [["Back"]]

    few = encode(Reply("How long?", choices[:5]))
    assert (few[0].menus, len(few[0].rows)) == ((), 5)


def test_a_menu_holds_25_and_the_next_one_the_rest() -> None:
    choices = tuple((Button(f"{n}", action=f"answer:t.days {n}", choice=True),) for n in range(30))
    others = tuple((Button(f"other {n}", action=f"o{n}"),) for n in range(4))
    first, second = encode(Reply("How long?", (*choices, *others)))
    assert [len(menu.options) for menu in first.menus] == [25, 5]
    assert (len(first.rows), len(second.rows), second.menus) == (3, 1, ())
