"""An answer to a brand's question is kept as it was written; a choice is found however wide its letters are."""

from __future__ import annotations

import pytest

from core.errors import BadInput
from referral.trials.applications import read_answer
from referral.trials.terms import TrialQuestion

WHY = TrialQuestion(key="why", text={"en": "Why?", "zh_Hans": "为什么？"})
SKIN = TrialQuestion(
    key="skin",
    text={"en": "Your skin?", "zh_Hans": "你的肤质？"},
    choices=({"en": "Dry", "zh_Hans": "干性（偏干）"}, {"en": "Oily", "zh_Hans": "油性"}),
)


def test_a_line_keeps_its_chinese_punctuation() -> None:
    assert read_answer(WHY, " 我皮肤干，很想试试！\n（小红书：７８９） ") == "我皮肤干，很想试试！ （小红书：７８９）"


def test_letters_put_together_from_parts_become_one() -> None:
    assert read_answer(WHY, "cafe\u0301") == "caf\u00e9"


@pytest.mark.parametrize("said", ["1", "１", "dry", "ＤＲＹ", "干性（偏干）", "干性(偏干)"])
def test_a_choice_is_found_in_any_width(said: str) -> None:
    assert read_answer(SKIN, said) == "0"


def test_what_is_no_choice_is_refused() -> None:
    with pytest.raises(BadInput):
        read_answer(SKIN, "中性")
