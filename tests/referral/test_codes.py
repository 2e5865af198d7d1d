"""Invite codes: read however a person writes them, and a slip of the finger is told at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from referral import codes

bodies = st.text(codes.ALPHABET, min_size=codes.LENGTH, max_size=codes.LENGTH)


def made(body: str) -> str:
    return body + codes.check_symbol(body)


CODE = made("7KQM4T2X")


def full_width(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)


def test_a_new_code_reads_as_itself() -> None:
    for _ in range(200):
        code = codes.new()
        assert codes.normalize(code) == code
        assert not set(code) & set("01OI")


@pytest.mark.parametrize(
    "said",
    [
        CODE,
        CODE.lower(),
        codes.display(CODE),
        codes.display(CODE).lower(),
        f"  {CODE}\n",
        " ".join(CODE),
        full_width(CODE),
        full_width(codes.display(CODE).lower()),
        "—".join((CODE[:4], CODE[4:8], CODE[8:])),
        f"邀请码：{CODE}",
        f"邀请码 {codes.display(CODE)}。",
        f"code: {CODE}",
        f"“{CODE}”",
        f"https://refer.example/r/{CODE}",
        f"https://refer.example/r/{CODE.lower()}?utm_source=wechat",
        f"https://refer.example/r/{CODE}#card",
        f"来喝咖啡 https://refer.example/r/{CODE} 首杯半价",
        f"看这里https://refer.example/r/{CODE}。",
        f"(https://refer.example/r/{CODE})",
        f"https://refer.example/r/{CODE}!",
        f"https://t.me/wildhill_bot?start={CODE}",
        f"https://t.me/wildhill_bot?start={CODE}-0123456789abcdef0123456789abcdef",
        f"t.me/wildhill_bot?start={CODE}",
        f"refer.example/r/{CODE}",
        f"tg://resolve?domain=wildhill_bot&start={CODE}",
        f"http://127.0.0.1:8000/chat?code={CODE}",
    ],
)
def test_one_code_however_it_is_written(said: str) -> None:
    assert codes.normalize(said) == CODE


@pytest.mark.parametrize(
    "said",
    [
        "",
        "hello",
        "你好",
        "12345",
        CODE[:-1],
        CODE + "2",
        "https://refer.example/",
        "https://[",
        "x" * 5000,
        "\u0660" * 9,
    ],
)
def test_what_is_no_code_is_said_to_be_none(said: str) -> None:
    with pytest.raises(BadInput) as caught:
        codes.normalize(said)
    assert caught.value.code == "code_unreadable"
    assert not codes.looks_like(said)


@given(bodies, st.integers(0, codes.LENGTH), st.sampled_from(codes.ALPHABET))
def test_every_single_wrong_symbol_is_caught(body: str, place: int, symbol: str) -> None:
    code = made(body)
    wrong = code[:place] + symbol + code[place + 1 :]
    if wrong == code:
        assert codes.normalize(wrong) == code
        return
    with pytest.raises(BadInput) as caught:
        codes.normalize(wrong)
    assert caught.value.code == "code_mistyped"


def test_every_single_wrong_symbol_of_one_code_is_caught() -> None:
    for place in range(len(CODE)):
        for symbol in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            wrong = CODE[:place] + symbol + CODE[place + 1 :]
            if wrong != CODE:
                with pytest.raises(BadInput):
                    codes.normalize(wrong)


def test_most_swaps_of_neighbours_are_caught() -> None:
    missed = total = 0
    for first in codes.ALPHABET:
        for second in codes.ALPHABET:
            if first != second:
                total += 1
                code = made(f"AB{first}{second}CDEF")
                missed += made(f"AB{second}{first}CDEF")[-1] == code[-1]
    assert missed / total < 0.05


@given(st.text(max_size=200))
def test_whatever_is_said_is_a_code_or_bad_input(said: str) -> None:
    try:
        read = codes.normalize(said)
    except BadInput:
        return
    assert read == made(read[:-1])


def test_a_mistyped_code_is_taken_for_one() -> None:
    assert codes.looks_like(CODE[:3] + "9" + CODE[4:])
    assert not codes.looks_like("wonderful"), "nine letters are a word before they are a code"
