"""Charts drawn by the server: every figure beside them in words, nothing in a name that is not escaped."""

from __future__ import annotations

import re

from web.dashboard.charts import MOST, Series, bars, line_chart, spark, together


def test_a_chart_says_its_figures_also_as_a_table() -> None:
    drawn = line_chart("Friends", ["Mon", "Tue"], [Series("came", [3, 12]), Series("joined", [1, None])], str, "Table")
    assert re.findall(r'<td class="num">(.*?)</td>', drawn) == ["12", "", "3", "1"]
    assert drawn.count("<svg") == 2  # one for a wide page, one for a phone
    assert 'aria-label="Friends"' in drawn


def test_names_are_escaped_wherever_they_stand() -> None:
    bad = '<script>"&'
    for drawn in (
        line_chart(bad, [bad], [Series(bad, [1])], lambda _: bad, bad),
        bars(bad, [bad], [Series(bad, [1])], lambda _: bad, bad),
        spark([1, 2], bad),
    ):
        assert "<script>" not in drawn
        assert '"&"' not in drawn


def test_nothing_at_all_is_a_chart_too() -> None:
    assert "<svg" in line_chart("Empty", [], [Series("came", [])], str, "Table")
    assert "<svg" in bars("Zeros", ["Mon"], [Series("came", [0])], str, "Table")
    assert "<svg" in spark([], "Empty")


def test_a_year_is_taken_together_in_groups_of_one_size_up_to_today() -> None:
    days = [str(day) for day in range(365)]
    labels, (added,) = together(days, [Series("came", [1] * 365)])
    assert len(labels) == len(added.values) <= MOST
    assert set(added.values) == {4}  # a last group of one day would look like a fall
    assert (labels[0], labels[-1]) == ("1 – 4", "361 – 364")
    sums, (grown,) = together(days, [Series("in all", list(range(365)))], last=True)
    assert sums == [str(value) for value in grown.values], "a sum stands under the day it was reached on"
    assert grown.values[-1] == 364


def test_an_axis_has_room_for_the_first_day_of_a_group_the_table_says_both() -> None:
    labels, series = together([f"day {day}" for day in range(242)], [Series("came", [1] * 242)])
    drawn = line_chart("Friends", labels, series, str, "Table")
    assert '<th scope="row">day 239 – day 241</th>' in drawn
    assert not re.search(r"<text[^>]*>[^<]* – ", drawn)
