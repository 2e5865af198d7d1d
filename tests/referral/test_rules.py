"""Who counts, as pure rules over facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral import rules

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 5, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ALICE, BOB, CAROL = uuid4(), uuid4(), uuid4()


def terms(**more: Any) -> rules.Terms:
    given: dict[str, Any] = {
        "state": "running",
        "starts_at": START,
        "ends_at": END,
        "event": "retained",
        "stay_days": 7,
    }
    return rules.Terms(**(given | {"window_days": 30} | more))


def facts(touched_at: datetime = START + timedelta(days=5), **more: Any) -> rules.Facts:
    given: dict[str, Any] = {
        "advocate_id": ALICE,
        "friend_id": BOB,
        "seen_at": touched_at,
        "seen_via": "code",
        "friend_created": True,
    }
    return rules.Facts(touched_at=touched_at, **(given | more))


def test_a_new_friend_counts() -> None:
    assert rules.refusal(terms(), facts()) is None


@pytest.mark.parametrize(
    ("touched_at", "said"),
    [
        (START - TICK, "campaign_not_started"),
        (START, None),
        (END - TICK, None),
        (END, "campaign_over"),
    ],
)
def test_the_campaigns_time_is_half_open(touched_at: datetime, said: str | None) -> None:
    assert rules.refusal(terms(), facts(touched_at)) == said


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("draft", "campaign_not_started"),
        ("scheduled", "campaign_not_started"),
        ("running", None),
        ("paused", "campaign_paused"),
        ("ended", "campaign_over"),
        ("settled", "campaign_over"),
    ],
)
def test_only_a_running_campaign_counts(state: str, said: str | None) -> None:
    assert rules.refusal(terms(state=state), facts()) == said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"advocate_gone": True}, "advocate_gone"),
        ({"friend_id": ALICE}, "self_referral"),
        ({"upstream": True}, "loop"),
        ({"earlier_advocate": CAROL}, "already_referred"),
        ({"earlier_advocate": ALICE}, "already_referred"),
        ({"seen_at": START, "seen_via": "message"}, "not_new"),
        ({"upstream": True, "earlier_advocate": CAROL, "seen_at": START, "seen_via": "code"}, "loop"),
    ],
)
def test_each_refusal_has_its_word(more: dict[str, Any], said: str) -> None:
    assert rules.refusal(terms(), facts(**more)) == said
    assert said in rules.REFUSALS


@pytest.mark.parametrize("via", ["message", "code", "present", "erased"])
def test_only_a_join_leaves_one_new(via: str) -> None:
    assert rules.refusal(terms(), facts(seen_at=START + timedelta(days=4), seen_via=via)) == "not_new"
    assert rules.refusal(terms(), facts(seen_at=START + timedelta(days=4), seen_via="join")) is None


@pytest.mark.parametrize(("joined_at", "new"), [(START - TICK, False), (START, True)])
def test_a_join_before_the_campaign_is_not_of_it(joined_at: datetime, new: bool) -> None:
    assert rules.is_new(terms(), facts(seen_at=joined_at, seen_via="join")) is new


@pytest.mark.parametrize(("after", "new"), [(timedelta(days=30) - TICK, True), (timedelta(days=30), False)])
def test_a_join_keeps_fresh_as_long_as_the_window(after: timedelta, new: bool) -> None:
    joined_at = START + timedelta(days=1)
    assert rules.is_new(terms(), facts(joined_at + after, seen_at=joined_at, seen_via="join")) is new


def test_a_bare_join_is_due_at_once_and_a_stay_after_its_days() -> None:
    assert rules.due_at(terms(event="joined"), START) == START
    assert rules.due_at(terms(stay_days=3), START) == START + timedelta(days=3)


@given(
    st.sampled_from(["draft", "scheduled", "running", "paused", "ended", "settled"]),
    st.timedeltas(timedelta(days=-60), timedelta(days=120)),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, ALICE, CAROL]),
)
def test_nobody_counts_outside_the_campaign_nor_for_themselves(
    state: str, after: timedelta, upstream: bool, gone: bool, earlier: Any
) -> None:
    touched_at = START + after
    judged = rules.refusal(
        terms(state=state), facts(touched_at, upstream=upstream, advocate_gone=gone, earlier_advocate=earlier)
    )
    assert judged is None or judged in rules.REFUSALS
    if judged is None:
        assert state == "running"
        assert START <= touched_at < END
        assert not upstream
        assert not gone
        assert earlier is None
