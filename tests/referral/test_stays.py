"""Joining, staying, leaving and coming back; every edge of every window, to the microsecond."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from referral import stays
from referral.brands import connect
from referral.qualifying import Qualify, qualify
from tests.house import House, later
from tests.referral.town import Town, at, build_town, open_campaign

TICK = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


def test_bob_stays_a_week_and_alice_is_paid(town: Town) -> None:
    town.brings("Alice", "Bob")
    with later(days=6):
        assert town.night() == (0, 0)
    with later(days=8):
        assert town.night() == (1, 0)
        referral = town.referral("Bob")
        assert referral.stay_since is not None
        assert referral.qualified_at == referral.stay_since + timedelta(days=7), "the moment it was so, not the job's"
        assert town.purse(town.who("Alice")) == (100, 0)
        assert town.purse(town.who("Bob")) == (0, 50)
        assert town.night() == (0, 0), "once"
    town.has_whole_books()
    town.has_true_counters()


def test_a_join_reported_twice_is_one_join(town: Town) -> None:
    town.brings("Alice", "Bob")
    since = town.referral("Bob").stay_since
    with later(days=2):
        town.joins("Bob")
        assert town.referral("Bob").stay_since == since


def test_leaving_and_coming_back_starts_the_stay_anew_and_counts_once(town: Town) -> None:
    town.brings("Alice", "Bob")
    with later(days=5):
        town.leaves("Bob")
    with later(days=8):
        assert town.night() == (0, 0)
        town.joins("Bob")
    with later(days=14):
        assert town.night() == (0, 0)
    with later(days=16):
        assert town.night() == (1, 0)
        town.leaves("Bob")
        town.joins("Bob")
    with later(days=25):
        assert town.night() == (0, 0)
        town.has_true_counters()


def test_who_leaves_while_the_reward_is_held_was_no_friend_for_long(town: Town) -> None:
    town.brings("Alice", "Bob")
    with later(days=8):
        town.night()
        town.leaves("Bob")
        assert (town.referral("Bob").state, town.referral("Bob").reason) == ("reversed", "left_during_hold")
        assert town.purse(town.who("Alice")) == (0, 0)
        assert town.score("Alice") == 0
    town.has_whole_books()


def test_in_two_groups_of_a_campaign_leaving_one_is_not_leaving(town: Town) -> None:
    town.brings("Alice", "Bob")
    other = town.house.do(lambda session: connect(session, town.brand.id, "telegram", "-200", "Second"))
    town.joins("Bob", other)
    with later(days=3):
        town.leaves("Bob")
    with later(days=8):
        assert town.night() == (1, 0)


def test_a_group_in_which_the_campaign_does_not_run_is_no_stay(house: House) -> None:
    town = build_town(house)
    only_guild = town.house.do(
        lambda session: open_campaign(session, town.brand, "guild", communities=[str(town.guild.id)])
    )
    town.comes("Bob", town.invites("Alice", campaign=only_guild))
    town.joins("Bob", town.group)
    assert town.referral("Bob", campaign=only_guild).state == "started"


# Edges


def test_a_stay_counts_from_the_very_microsecond(town: Town) -> None:
    town.brings("Alice", "Bob")
    due = town.referral("Bob").due_at
    assert due is not None
    with clock.moved(at(due) - MINUTE):
        assert town.night() == (0, 0)
    with clock.moved(at(due)):
        assert town.night() == (1, 0)


@pytest.mark.parametrize(("before_the_end", "qualified", "expired"), [(timedelta(), 0, 1), (TICK, 1, 0)])
def test_a_stay_that_is_full_when_the_window_closes_is_too_late(
    house: House, before_the_end: timedelta, qualified: int, expired: int
) -> None:
    ends = clock.now() + timedelta(days=10)
    town = build_town(house, ends_at=ends)
    town.comes("Bob", town.invites("Alice"))
    with clock.moved(at(ends)):
        joined_at = ends - timedelta(days=7) - before_the_end

    town.house.do(lambda session: stays.joined(session, town.group, "bob", joined_at))
    assert town.referral("Bob").due_at == ends - before_the_end
    with later(days=11):
        assert town.night() == (qualified, expired)


@pytest.mark.parametrize(("after_the_start", "news"), [(-TICK, False), (timedelta(), True)])
def test_what_happened_before_the_touch_does_not_count(town: Town, after_the_start: timedelta, news: bool) -> None:
    town.brings("Alice", "Bob")
    row = town.referral("Bob")
    command = Qualify(row.brand_id, row.id, "retained", row.started_at + after_the_start)
    assert town.house.do(lambda session: qualify(session, [command])) == [news]


@pytest.mark.parametrize(("before_the_end", "news"), [(timedelta(), False), (TICK, True)])
def test_what_happens_when_the_window_is_over_does_not_count(town: Town, before_the_end: timedelta, news: bool) -> None:
    town.brings("Alice", "Bob")
    row = town.referral("Bob")
    command = Qualify(row.brand_id, row.id, "retained", row.expires_at - before_the_end)
    assert town.house.do(lambda session: qualify(session, [command])) == [news]


def test_an_event_reported_twice_is_news_once(town: Town) -> None:
    town.brings("Alice", "Bob")
    row = town.referral("Bob")
    command = Qualify(row.brand_id, row.id, "retained", clock.now())
    assert town.house.do(lambda session: qualify(session, [command, command])) == [True, False]
    assert town.house.do(lambda session: qualify(session, [command])) == [False]
    assert town.score("Alice") == 1


def test_who_joins_after_the_window_is_nobodys_friend(town: Town) -> None:
    town.comes("Bob", town.invites("Alice"))
    with later(days=30, minutes=1):
        town.joins("Bob")
        assert town.referral("Bob").state == "started", "not joined: nothing waits for it"
        assert town.night() == (0, 1)
        assert (town.referral("Bob").state, town.referral("Bob").reason) == ("expired", "window_over")


def test_who_started_and_never_joined_expires(town: Town) -> None:
    town.comes("Bob", town.invites("Alice"))
    expires = town.referral("Bob").expires_at
    with clock.moved(at(expires) - MINUTE):
        assert town.night() == (0, 0)
    with clock.moved(at(expires)):
        assert town.night() == (0, 1)


def test_a_late_job_does_not_cost_a_friend_their_week(town: Town) -> None:
    """The machine slept; Bob's week was over before he left, and before the window closed."""
    town.brings("Alice", "Bob")
    with later(days=9):
        town.leaves("Bob")
    with later(days=40):
        assert town.night() == (1, 0)


# A complete reading of who is there


def test_reconcile_settles_what_was_missed(town: Town) -> None:
    code = town.invites("Alice")
    town.comes("Bob", code)
    town.comes("Carol", code)
    town.joins("Carol")
    with later(days=1):
        town.finds(["Bob", "Dora"])
        assert town.referral("Bob").state == "joined", "nobody heard Bob join"
        assert town.referral("Carol").stay_since is None, "nobody heard Carol leave"
        assert town.comes("Dora", code).outcome == "not_new", "found there, not brought"


def test_reconcile_twice_changes_nothing(town: Town) -> None:
    town.brings("Alice", "Bob")
    before = town.referral("Bob")
    with later(days=1):
        for _ in range(2):
            town.finds(["Bob", "Alice"])
            assert town.referral("Bob") == before


# A campaign that ends before its time


def test_ending_early_closes_the_windows(town: Town) -> None:
    town.brings("Alice", "Bob")
    with later(days=3):
        town.does("end")
        row = town.referral("Bob")
        ended = town.house.ask(lambda session: session.get(type(town.campaign), (town.brand.id, town.campaign.id)))
        assert ended is not None
        assert row.expires_at == ended.ends_at
    with later(days=8):
        assert town.night() == (0, 1)


def test_ending_late_takes_nothing_from_who_was_in_time(town: Town) -> None:
    town.brings("Alice", "Bob")
    with later(days=8):
        town.does("end")
        assert town.night() == (1, 0), "Bob's week was over before the end; only the job was late"
