"""Shares and awards by themselves, and whole contests against a naive computation."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core import clock, ids
from core.errors import Conflict, Refused
from referral.contests.sheet import Point
from referral.contests.standings import Score, standings_of
from referral.contests.terms import ContestTerms
from rewards.contests.awards import awards_of, shares
from rewards.plans import Plan, Prize
from tests.house import House, fresh_sqlite
from tests.rewards.arena import DAYS, open_arena

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MEMBERS = [UUID(int=number + 1) for number in range(6)]
TEAMS = [None, UUID(int=101), UUID(int=102), UUID(int=103)]


def scores(*counts: int) -> list[Score]:
    return [Score(ids.new(), f"m{place}", count, NOON) for place, count in enumerate(counts)]


def test_a_team_s_prize_is_shared_by_what_each_brought() -> None:
    assert shares(100, scores(3, 1)) == [75, 25]
    assert shares(100, scores(1, 1, 1)) == [34, 33, 33]
    assert shares(1, scores(5, 5)) == [1, 0]  # one teapot goes to the best
    assert shares(2, scores(1, 1, 1)) == [1, 1, 0]


@given(st.integers(1, 10**9), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_shares_are_the_whole_prize(amount: int, counts: list[int]) -> None:
    counts.sort(reverse=True)
    parts = shares(amount, scores(*counts))
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    assert all(abs(part - amount * count / sum(counts)) <= 1 for part, count in zip(parts, counts, strict=True))


points = st.lists(
    st.tuples(st.sampled_from(MEMBERS), st.sampled_from(TEAMS), st.integers(0, 40)),
    max_size=40,
).map(
    lambda rows: [
        Point(UUID(int=1000 + number), member, team, NOON + timedelta(minutes=minute))
        for number, (member, team, minute) in enumerate(rows)
    ]
)
prizes = st.lists(
    st.one_of(
        st.builds(
            lambda first, more, amount: Prize(first=first, last=first + more, amount=amount),
            st.integers(1, 4),
            st.integers(0, 3),
            st.integers(1, 500),
        ),
        st.builds(
            lambda reach, winners, amount: Prize(reach=reach, winners=winners, amount=amount),
            st.integers(1, 6),
            st.integers(1, 3),
            st.integers(1, 500),
        ),
    ),
    min_size=1,
    max_size=4,
)


@given(points, prizes, st.sampled_from(["single", "teams"]), st.integers(0, 3), st.sets(st.sampled_from(MEMBERS)))
def test_boards_and_prizes_are_those_of_a_naive_computation(
    sheet: list[Point], given_prizes: list[Prize], mode: str, floor: int, out: set[UUID]
) -> None:
    plan = Plan(prizes=tuple(given_prizes))
    terms = ContestTerms(mode=mode, floor=floor)
    board = standings_of(sheet, mode, "salt", out)
    owner = {point: point.member_id if mode == "single" else point.team_id for point in sheet}
    count = Counter(owner[point] for point in sheet if point.member_id not in out and owner[point] is not None)
    reached = {one: max(p.at for p in sheet if owner[p] == one and p.member_id not in out) for one in count}
    order = sorted(count, key=lambda one: (-count[one], reached[one], one))
    assert [(one.of.owner, one.of.score) for one in board] == [(one, count[one]) for one in order]

    awards = awards_of(board, plan, terms)
    naive = 0
    for prize in given_prizes:
        eligible = [one for one in order if count[one] >= max(1, floor)]
        if prize.reach is None:
            winners = [one for rank, one in enumerate(eligible, 1) if (prize.first or 0) <= rank <= (prize.last or 0)]
        else:
            winners = [one for one in eligible if count[one] >= prize.reach][: prize.winners]
        naive += prize.amount * len(winners)
    assert sum(award.amount for award in awards) == naive <= plan.reserve("PTS")
    assert not {award.member_id for award in awards} & out
    assert awards == awards_of(standings_of(list(reversed(sheet)), mode, "salt", out), plan, terms)


class Contest(RuleBasedStateMachine):
    """People bring friends, change teams, are thrown out and let back in, before and after the final; at every moment
    the books hold what the last published board says, and never more than the budget."""

    names = ("Alice", "Bob", "Cem", "Dora")

    @initialize(mode=st.sampled_from(["single", "teams"]))
    def opens(self, mode: str) -> None:
        self.before = clock.offset()
        self.folder = Path(tempfile.mkdtemp(prefix="daixin-contest-"))
        self.house = House(fresh_sqlite(self.folder))
        self.arena = open_arena(
            self.house,
            contest={"mode": mode, "team_most": 2},
            rewards={
                "budget": 700,
                "prizes": [
                    {"first": 1, "amount": 300},
                    {"first": 2, "last": 3, "amount": 101},
                    {"reach": 2, "winners": 3, "amount": 7},
                ],
                "rules": [{"to": "friend", "amount": 1}],
            },
        )
        for name in self.names:
            self.arena.talks(name)
        self.mode, self.over = mode, False
        self.out: set[str] = set()
        self.friends: list[tuple[str, str]] = []
        self.naive: Counter[str] = Counter()

    @precondition(lambda self: not self.over)
    @rule(name=st.sampled_from(names))
    def brings(self, name: str) -> None:
        self.friends += [(name, friend) for friend in self.arena.brings(name)]

    @precondition(lambda self: self.friends)
    @rule(data=st.data())
    def is_reversed(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.friends))
        self.friends.remove(one)
        self.arena.reverses(one[1])

    @precondition(lambda self: self.mode == "teams" and not self.over)
    @rule(name=st.sampled_from(names), captain=st.sampled_from(names))
    def teams_up(self, name: str, captain: str) -> None:
        with suppress(Conflict, Refused):
            if name == captain:
                self.arena.founds(name, f"team of {name}")
            else:
                self.arena.joins(name, captain)

    @precondition(lambda self: self.mode == "teams" and not self.over)
    @rule(name=st.sampled_from(names))
    def leaves(self, name: str) -> None:
        with suppress(Refused):
            self.arena.leaves(name)

    @rule(name=st.sampled_from(names))
    def is_judged(self, name: str) -> None:
        if name in self.out:
            self.arena.reinstates(name)
            self.out.remove(name)
        else:
            self.arena.disqualifies(name)
            self.out.add(name)

    @precondition(lambda self: not self.over)
    @rule()
    def ends(self) -> None:
        counted = Counter(name for name, _ in self.friends)
        clock.move(clock.offset() + timedelta(days=DAYS + 1, minutes=1))
        self.arena.clock_strikes()
        assert self.arena.result() is not None
        self.over, self.naive = True, counted

    @precondition(lambda self: self.over)
    @invariant()
    def the_books_hold_what_the_board_says(self) -> None:
        again = self.arena.replay()
        assert again.differences == ()
        if self.mode == "single":
            ranked = [count for name, count in self.naive.items() if name not in self.out]
            ranked.sort(reverse=True)
            wanted = sum([300, 101, 101][: len(ranked)]) + 7 * len([count for count in ranked if count >= 2][:3])
            assert sum(self.arena.won().values()) == wanted
        assert sum(self.arena.won().values()) <= 300 + 2 * 101 + 3 * 7
        assert not set(self.arena.won()) & self.out
        assert self.arena.problems() == []

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.close()
            clock.move(self.before)
            shutil.rmtree(self.folder)


def test_whatever_happens_the_final_is_what_a_naive_computation_says() -> None:
    chosen = settings(
        max_examples=12,
        stateful_step_count=16,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    run_state_machine_as_test(Contest, settings=chosen)
