"""The markdown subset: what we write is styled, what people gave stays as it is, and nothing is lost in cutting."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bots.markup import MAX_MARKS, Line, Span, clean, escape, parse, plain, render, split

MARKUP = "\\`*_{}[]()<>#+-.!|~&@:/= \"'$%^?,;0123456789abcАбв好👩‍🚀\t\n"
given_text = st.one_of(st.text(), st.text(alphabet=MARKUP))


@given(given_text)
@example("1. one")
@example("- dash")
@example("[a](http://b.example)")
@example("&amp; <b> \\*")
@example("a\\")
@example("https://example.org/a_b_c")
def test_what_people_gave_reads_the_same_after_parsing(text: str) -> None:
    tidy = clean(text, 500)
    assert plain(escape(tidy)) == tidy
    assert plain(f"**{escape(tidy)}**!") == (f"{tidy}!" if tidy else "****!")


@given(given_text)
def test_what_people_gave_never_becomes_a_style_or_a_link(text: str) -> None:
    for line in parse(escape(clean(text, 500))):
        assert all(span == Span(span.text) for span in line)


@given(given_text, st.integers(min_value=2, max_value=80))
def test_a_clean_name_is_one_short_harmless_line(text: str, limit: int) -> None:
    name = clean(text, limit)
    assert len(name) <= limit
    assert name == name.strip()
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name)
    assert clean(name, limit) == name


def test_zalgo_keeps_only_as_many_marks_as_living_scripts_need() -> None:
    assert clean("Z" + "\u0337" * 40 + "algo") == "Z" + "\u0337" * MAX_MARKS + "algo"
    assert clean("नमस्ते ñ ế") == "नमस्ते ñ ế"


def test_direction_overrides_are_dropped_and_right_to_left_names_stay() -> None:
    assert clean("\u202eevil\u202c \u2067עליסה\u2069") == "evil עליסה"


def test_styles_nest() -> None:
    assert parse("**bold *both*** `code`") == [
        (Span("bold ", bold=True), Span("both", bold=True, italic=True), Span(" "), Span("code", code=True))
    ]


def test_a_link_has_words_and_an_address() -> None:
    assert parse("see [our **page**](https://example.org/a?b=c)") == [
        (
            Span("see "),
            Span("our ", url="https://example.org/a?b=c"),
            Span("page", True, url="https://example.org/a?b=c"),
        )
    ]
    assert plain("[page](https://example.org)") == "page https://example.org"
    assert plain("[https://example.org](https://example.org)") == "https://example.org"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"])
def test_a_link_that_would_run_something_is_only_words(url: str) -> None:
    assert all(span.url is None for line in parse(f"[click]({url})") for span in line)


def test_bullets_lines_and_paragraphs() -> None:
    text = "Title\n\n- **one**\n- two\n  more\n\nend\nlast"
    assert plain(text) == "Title\n• one\n• two\nmore\n\nend\nlast"


def test_nothing_else_is_markup() -> None:
    for text in (
        "# heading",
        "> quote",
        "<b>html</b>",
        "![image](https://e.example/i.png)",
        "a | b",
        "---",
        "    code",
    ):
        assert "".join(plain(text).split())


def width(line: Line) -> int:
    """A platform that counts an ampersand as five (HTML) and an emoji as two (UTF-16)."""
    return sum(len(span.text.replace("&", "&amp;").encode("utf-16-le")) // 2 for span in line)


spans = st.builds(
    Span, st.text(alphabet="ab &好🎉e\u0301\u200d", min_size=1, max_size=60), st.booleans(), st.booleans()
)
lines = st.lists(st.lists(spans, max_size=4).map(tuple), max_size=12)


@given(lines, st.integers(min_value=12, max_value=90))
def test_cutting_keeps_every_character_in_order_and_every_part_within_the_limit(text: list[Line], limit: int) -> None:
    parts = split(text, limit, width)
    assert joined([line for part in parts for line in part]) == joined(text)
    for part in parts:
        assert sum(width(line) + 1 for line in part) <= limit


def joined(text: list[Line]) -> list[tuple[str, bool, bool]]:
    return [(char, span.bold, span.italic) for line in text for span in line for char in span.text]


def test_a_short_message_is_one_part_with_its_lines() -> None:
    text = parse("one\n\n**two**")
    assert split(text, 100, width) == [text]
    assert render(text, lambda span: span.text) == "one\n\ntwo"


def test_a_long_line_is_broken_between_words_and_not_within_a_letter() -> None:
    words = [render(part, lambda span: span.text) for part in split([(Span("hello world " * 3),)], 15, width)]
    assert words == ["hello world ", "hello world ", "hello world "]
    family = "👨‍👩‍👧"
    for part in split([(Span("a" + family * 4),)], 12, width):
        assert render(part, lambda span: span.text).replace(family, "") in ("", "a")


@pytest.mark.parametrize("text", ["*" * 5000, "[" * 5000, "`" * 5001, "- " * 3000, "**a" * 2000])
def test_hostile_text_is_read_quickly_and_kept(text: str) -> None:
    assert "".join(plain(escape(text)).split()) == "".join(text.split())
    parse(text)
