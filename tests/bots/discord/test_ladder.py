"""The certainty ladder as pure rules: what two readings may say, and what they must not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.discord.invites import Uses, explain, missed, url
from bots.message import CERTAINTIES

CODES = st.sampled_from(["a", "b", "c", "once", "twice"])
LIMITS = {"once": 1, "twice": 2}
READINGS = st.dictionaries(CODES, st.integers(0, 3)).map(
    lambda uses: {code: Uses(count, LIMITS.get(code, 0)) for code, count in uses.items()}
)


def test_one_join_one_counter() -> None:
    assert explain({"a": Uses(3), "b": Uses(0)}, {"a": Uses(4), "b": Uses(0)}, (), 1).invite == url("a")


def test_an_invite_made_in_between_counts_from_nought() -> None:
    assert explain({}, {"new": Uses(1)}, (), 1).certainty == "counter"


def test_a_counter_that_rose_by_two_with_one_join_is_not_believed() -> None:
    verdict = explain({"a": Uses(0)}, {"a": Uses(2)}, (), 1)
    assert (verdict.certainty, verdict.candidates) == ("ambiguous", (url("a"),))


def test_a_deleted_invite_beside_a_risen_counter_is_ambiguous() -> None:
    before = {"a": Uses(0), "once": Uses(0, 1)}
    assert explain(before, {"a": Uses(1)}, {"once"}, 1).candidates == (url("a"), url("once"))


def test_the_last_use_of_an_invite_for_many_is_not_believed() -> None:
    assert explain({"twice": Uses(1, 2)}, {}, {"twice"}, 1).certainty == "ambiguous"


def test_an_ordinary_invite_deleted_by_hand_says_nothing() -> None:
    assert explain({"a": Uses(5)}, {}, {"a"}, 1).certainty == "unknown"


def test_without_an_earlier_reading_nothing_is_known() -> None:
    assert explain(None, {"a": Uses(9)}, (), 1).certainty == "unknown"
    assert missed(None, {"a": Uses(9)}).certainty == "unknown"


@given(READINGS, READINGS, st.sets(CODES), st.integers(2, 5))
def test_two_or_more_joins_are_never_credited(
    before: dict[str, Uses], after: dict[str, Uses], deleted: set[str], joins: int
) -> None:
    assert explain(before, after, deleted, joins).invite is None


@given(READINGS, READINGS)
def test_a_gap_is_never_credited(before: dict[str, Uses], after: dict[str, Uses]) -> None:
    verdict = missed(before, after)
    assert verdict.invite is None
    assert verdict.certainty in ("ambiguous", "unknown")


@given(READINGS, READINGS, st.sets(CODES), st.integers(1, 3))
def test_a_verdict_is_one_of_the_known_words_and_consistent(
    before: dict[str, Uses], after: dict[str, Uses], deleted: set[str], joins: int
) -> None:
    verdict = explain(before, after, deleted, joins)
    assert verdict.certainty in CERTAINTIES
    assert (verdict.invite is not None) == (verdict.certainty in ("counter", "single_use"))
    assert bool(verdict.candidates) == (verdict.certainty == "ambiguous")


@given(READINGS, CODES, st.booleans())
def test_the_invite_that_was_really_used_is_found_when_nothing_else_happened(
    before: dict[str, Uses], code: str, deletion_told: bool
) -> None:
    """A model of Discord: one person joins by `code`; a used-up invite vanishes."""
    limit = LIMITS.get(code, 0)
    start = before.get(code, Uses(0, limit))
    if limit and start.count >= limit:
        return
    before = {other: uses for other, uses in before.items() if not uses.limit or uses.count < uses.limit}
    before[code] = start
    after = dict(before)
    after[code] = Uses(start.count + 1, limit)
    if limit and after[code].count == limit:
        del after[code]
    verdict = explain(before, after, {code} if deletion_told else (), 1)

    assert verdict.invite in (url(code), None)
    assert verdict.invite == url(code) or verdict.candidates == (url(code),)
