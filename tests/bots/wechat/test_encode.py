"""Replies as WeChat messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.markup import escape
from bots.message import Button, Reply
from bots.wechat import decode, encode


def test_styles_go_and_words_stay() -> None:
    assert encode.outgoing(Reply("**你好** *Alice*\n- 一\n- `AB12`")).texts == ("你好 Alice\n• 一\n• AB12",)


def test_buttons_become_a_list() -> None:
    rows = (
        (Button("我的\n邀请", action="invite"), Button("官网", url="https://example.com")),
        (Button("邀请码", copy="ABCD2345"), Button("排行榜", action="top")),
    )
    out = encode.outgoing(Reply("选一个", rows))
    assert out.texts == ("选一个\n\n1. 我的 邀请\n→ 官网: https://example.com\n→ 邀请码: ABCD2345\n2. 排行榜",)
    assert out.offer == {"1": "invite", "2": "top"}


def test_a_second_list_goes_on_counting() -> None:
    out = encode.outgoing(Reply("", ((Button("排行榜", action="top"),),)), first=3)
    assert (out.texts, out.offer) == (("3. 排行榜",), {"3": "top"})


def test_nothing_is_no_message() -> None:
    assert encode.outgoing(Reply("")).texts == ()


def test_the_brief_word_calls_the_person_by_name() -> None:
    assert encode.brief(Reply("", brief="**请**加我"), "Alice\nB") == "@Alice B\u2005请加我"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.integers(2, 40))
def test_pieces_lose_nothing_but_space(text: str, limit: int) -> None:
    parts = list(encode.pieces(text, limit))
    assert all(0 < len(part) <= limit for part in parts)
    spaces = {ord(" "): None, ord("\n"): None}
    assert "".join(parts).translate(spaces) == text.translate(spaces)


def test_a_visible_character_is_not_torn_apart() -> None:
    family = "👨\u200d👩\u200d👧"
    parts = list(encode.pieces("一二三四五" + family + "六", 8))
    assert parts[0] == "一二三四五"
    assert parts[1].startswith(family)


def test_a_long_text_is_cut_at_the_end_of_a_line() -> None:
    lines = "\n".join(f"第 {number} 行" for number in range(600))
    parts = encode.outgoing(Reply(lines)).texts
    assert all(len(part) <= encode.TEXT_LIMIT for part in parts)
    assert "\n".join(parts) == lines


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60))
def test_a_name_reads_the_same(name: str) -> None:
    shown = encode.outgoing(Reply(f"{escape(name.strip() or 'x')} 来了")).texts[0]
    assert shown == f"{name.strip() or 'x'} 来了"


@given(st.lists(st.text("ab1. 、", min_size=1, max_size=5), min_size=1, max_size=9))
def test_every_number_shown_is_understood(labels: list[str]) -> None:
    buttons = tuple((Button(label, action=f"go:{at}"),) for at, label in enumerate(labels))
    offer = encode.outgoing(Reply("选", buttons)).offer
    for at in range(len(labels)):
        number = decode.number(f"{at + 1}.")
        assert number is not None
        assert offer[number] == f"go:{at}"
