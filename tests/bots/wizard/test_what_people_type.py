"""Numbers, prizes and questions as people type them: understood exactly, or asked again; never something else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.commands.campaign.steps_common import days, line, points, whole
from bots.commands.campaign.steps_contest import prizes_of
from bots.commands.campaign.steps_trial import Asked, document_of, questions_of
from core.errors import BadInput
from referral.trials.terms import TrialQuestion
from rewards.plans import Prize


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("50", 50),
        ("50份", 50),
        ("约 50 人", 50),
        ("五十个", 50),
        ("1,000 people", 1000),
        ("１００", 100),
        ("1万", 10_000),
        ("2k", 2000),
        ("50 women", 50),
        ("1.5万", "number_unreadable"),
        ("-5", "number_unreadable"),
        ("10-20", "number_unreadable"),
        ("50%", "number_unreadable"),
        ("3亿", "number_unreadable"),
        ("lots", "number_unreadable"),
        ("2000000", "number_range"),
    ],
)
def test_a_number(text: str, value: int | str) -> None:
    assert outcome(whole(0, 1_000_000), text) == value


@pytest.mark.parametrize("text", ["50元", "¥50", "$50", "50 USD", "五十块"])
def test_money_is_not_taken_for_points(text: str) -> None:
    assert outcome(points(0, 1000), text) == "points_only"
    assert outcome(prizes_of, f"1: {text}") == "points_only"


@pytest.mark.parametrize(
    ("text", "prizes"),
    [
        ("1: 1000, 2-3: 500", [(1, 1, 1000), (2, 3, 500)]),
        ("1:1,000,2-3:500", [(1, 1, 1000), (2, 3, 500)]),
        ("第1名：1000积分；第2到3名：500", [(1, 1, 1000), (2, 3, 500)]),
        ("前3名: 100\n满10人: 20", [(1, 3, 100), (10, 20)]),
        ("top 3: 100 points", [(1, 3, 100)]),
        ("10+: 200, 100: 50", [(10, 200), (100, 100, 50)]),
        ("1: 100, 1-2: 50", "prizes_overlap"),
        ("3-1: 100", "prizes_unreadable"),
        ("a car", "prizes_unreadable"),
        ("1: 0", "number_range"),
        ("", "prizes_unreadable"),
    ],
)
def test_prizes(text: str, prizes: list[tuple[int, ...]] | str) -> None:
    found = outcome(prizes_of, text)
    assert (found if isinstance(found, str) else [tuple(prize.values()) for prize in found]) == prizes


def test_questions_with_choices_and_without() -> None:
    assert questions_of("肤质？干性/油性/混合（选填）\nWhy you?") == [
        Asked("肤质？", ("干性", "油性", "混合"), optional=True),
        Asked("Why you?"),
    ]
    assert outcome(questions_of, "\n".join("123456789")) == "too_many_questions"
    assert outcome(questions_of, "why " * 50) == "question_too_long"


def outcome(read: Any, text: str) -> Any:
    """What is read, or why it is not."""
    try:
        return read(text)
    except BadInput as error:
        return error.code


SAID = st.text(max_size=60) | st.text("0123456789-~+:=,，；;第名满前人积分 \n", max_size=40)


@given(SAID)
def test_whatever_is_typed_is_a_prize_that_a_file_takes_or_asked_again(text: str) -> None:
    found = outcome(prizes_of, text)
    assert isinstance(found, str) or [Prize.model_validate(prize) for prize in found]


@given(SAID)
def test_whatever_is_typed_is_a_question_that_a_file_takes_or_asked_again(text: str) -> None:
    found = outcome(questions_of, text)
    if isinstance(found, list):
        for question in document_of(found):
            TrialQuestion.model_validate(question)


@given(SAID)
def test_whatever_is_typed_is_a_number_in_range_or_asked_again(text: str) -> None:
    for read in (whole(1, 500), days(1, 30), points(1, 500)):
        found = outcome(read, text)
        assert isinstance(found, str) or 1 <= found <= 500


@given(st.text(max_size=60))
def test_a_title_is_one_line_that_can_be_seen(text: str) -> None:
    found = outcome(line(40), text)
    assert found == "title_length" or ("\n" not in found and "\x00" not in found and found.strip() == found)
