"""Amounts are whole minor units: what cannot be exact is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from core.money import LARGEST, Money, decimals


@pytest.mark.parametrize(
    ("text", "asset", "minor"),
    [
        ("12.30", "CNY", 1230),
        (" ２ ", "PTS", 2),
        ("7", "XTR", 7),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        (".5", "USD", 50),
        ("-3.1", "USD", -310),
        ("1.000000", "PTS", 1),
        (str(LARGEST), "PTS", LARGEST),
    ],
)
def test_amounts_are_read_exactly(text: str, asset: str, minor: int) -> None:
    assert Money.parse(text, asset) == Money(minor, asset)


@pytest.mark.parametrize(
    ("text", "asset", "code"),
    [
        ("1.5", "PTS", "amount_fractional"),
        ("1.5", "XTR", "amount_fractional"),
        ("1.5", "JPY", "amount_fractional"),
        ("1." + "0" * 40 + "1", "CNY", "amount_fractional"),
        ("1e3", "CNY", "amount_unreadable"),
        ("NaN", "CNY", "amount_unreadable"),
        ("", "CNY", "amount_unreadable"),
        (".", "CNY", "amount_unreadable"),
        (str(LARGEST + 1), "PTS", "amount_too_large"),
        ("9" * 100_000, "PTS", "amount_too_large"),
        ("1", "GOLD", "unknown_asset"),
    ],
)
def test_what_is_not_exact_is_refused(text: str, asset: str, code: str) -> None:
    with pytest.raises(BadInput) as refused:
        Money.parse(text, asset)
    assert refused.value.code == code


@given(st.integers(-LARGEST, LARGEST), st.sampled_from(["PTS", "XTR", "JPY", "CNY", "KWD"]))
def test_every_amount_survives_writing_and_reading(minor: int, asset: str) -> None:
    places = decimals(asset)
    digits = str(abs(minor)).rjust(places + 1, "0")
    text = digits if not places else f"{digits[:-places]}.{digits[-places:]}"
    assert Money.parse(("-" if minor < 0 else "") + text, asset).minor == minor


def test_amounts_in_words() -> None:
    assert Money(1230, "CNY").format("zh_Hans") == "¥12.30"
    assert Money(1500, "PTS").format("zh_Hans") == "1,500 积分"
    assert Money(1, "XTR").format("en") == "1 Star"
