"""Who brought most: the order, the ties, and that the counters behind "my rank" tell the truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from uuid import UUID, uuid5

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from core import ids
from referral import leaderboard
from referral.leaderboard import Key
from tests.house import House, later
from tests.referral.town import Town

START = datetime(2026, 3, 1, 11, 59, 30, tzinfo=UTC)
SPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
PEOPLE = [uuid5(SPACE, str(n)) for n in range(12)]
_boards = count()

moments = st.integers(0, 5_000).map(lambda n: START + timedelta(seconds=n * 1.25))
gains = st.lists(st.tuples(st.sampled_from(PEOPLE), moments), min_size=1, max_size=25)
changes = st.one_of(
    st.tuples(st.just("add"), gains),
    st.tuples(
        st.just("replace"),
        st.dictionaries(st.sampled_from(PEOPLE), st.none() | st.tuples(st.integers(1, 4), moments), min_size=1),
    ),
)
some = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@contextmanager
def board() -> Iterator[tuple[UUID, UUID]]:
    """A board nobody has used: (brand, campaign)."""
    number = str(next(_boards))
    yield uuid5(SPACE, "brand" + number), uuid5(SPACE, "campaign" + number)


def score(session: Session, where: tuple[UUID, UUID], steps: Iterable[tuple[UUID, datetime]]) -> None:
    leaderboard.add(session, [((*where, member), at) for member, at in steps])


def expected(model: dict[UUID, tuple[int, datetime]]) -> list[tuple[UUID, int, datetime]]:
    """The board as the rule says it: most first, ties by who got there first."""
    rows = [(member, *reached) for member, reached in model.items()]
    return sorted(rows, key=lambda row: (-row[1], row[2], row[0]))


@given(st.lists(changes, min_size=1, max_size=6))
@some
def test_everybodys_standing_is_their_place_on_the_board(house: House, steps: list[tuple[str, object]]) -> None:
    model: dict[UUID, tuple[int, datetime]] = {}
    with board() as where:
        for what, given_ in steps:
            if what == "add":
                assert isinstance(given_, list)
                house.do(partial(score, where=where, steps=given_))
                for member, at in given_:
                    had = model.get(member, (0, at))
                    model[member] = (had[0] + 1, max(had[1], at))
            else:
                assert isinstance(given_, dict)
                after: dict[Key, tuple[int, datetime] | None] = {(*where, m): new for m, new in given_.items()}
                house.do(partial(leaderboard.replace, after=after))
                _replace(model, given_)
        _agrees(house, where, model)


def _replace(model: dict[UUID, tuple[int, datetime]], given_: dict[UUID, tuple[int, datetime] | None]) -> None:
    for member, reached in given_.items():
        model.pop(member, None)
        if reached is not None:
            model[member] = reached


def _agrees(house: House, where: tuple[UUID, UUID], model: dict[UUID, tuple[int, datetime]]) -> None:
    rows = expected(model)
    places = house.ask(lambda session: leaderboard.top(session, *where, limit=100))
    assert [(p.member_id, p.score, p.reached_at) for p in places] == rows
    assert [p.rank for p in places] == list(range(1, len(rows) + 1))
    standings = house.ask(lambda session: {m: leaderboard.standing(session, *where, m) for m in PEOPLE})
    for rank, (member, reached, _) in enumerate(rows, 1):
        mine = standings.pop(member)
        assert mine is not None
        better = [other for _, other, _ in rows if other > reached]
        assert (mine.rank, mine.score, mine.of) == (rank, reached, len(rows))
        assert mine.gap == (min(better) - reached if better else None)
    assert set(standings.values()) <= {None}


def test_most_first_and_ties_by_who_got_there_first(house: House) -> None:
    alice, bob, carol = PEOPLE[:3]
    with board() as where:
        house.do(lambda s: score(s, where, [(bob, START), (alice, START + timedelta(seconds=1))]))
        house.do(lambda s: score(s, where, [(carol, START), (carol, START + timedelta(days=1))]))
        places = house.ask(lambda s: leaderboard.top(s, *where))
        assert [place.member_id for place in places] == [carol, bob, alice]
        house.do(lambda s: score(s, where, [(alice, START + timedelta(days=2))]))
        assert [p.member_id for p in house.ask(lambda s: leaderboard.top(s, *where))] == [carol, alice, bob]


def test_a_tie_is_told_apart_to_the_microsecond(house: House) -> None:
    with board() as where:
        hour = datetime(2026, 3, 1, 12, tzinfo=UTC)
        steps = [(member, hour + timedelta(microseconds=n - 2)) for n, member in enumerate(PEOPLE[:5])]
        house.do(lambda s: score(s, where, reversed(steps)))
        ranks = house.ask(lambda s: [leaderboard.standing(s, *where, member) for member in PEOPLE[:5]])
        assert [mine.rank if mine else None for mine in ranks] == [1, 2, 3, 4, 5]


def test_boards_do_not_mix(house: House) -> None:
    with board() as one, board() as other:
        house.do(lambda s: score(s, one, [(PEOPLE[0], START)]))
        house.do(lambda s: score(s, other, [(PEOPLE[1], START)]))
        assert [place.member_id for place in house.ask(lambda s: leaderboard.top(s, *one))] == [PEOPLE[0]]
        assert house.ask(lambda s: leaderboard.standing(s, *one, PEOPLE[1])) is None
        assert house.ask(lambda s: leaderboard.top(s, ids.new(), ids.new())) == []


def test_standing_is_right_in_the_unit_of_work_that_changed_it(house: House) -> None:
    def rise(session: Session) -> list[int]:
        found = []
        for n in range(3):
            score(session, where, [(PEOPLE[0], START + timedelta(hours=n))])
            mine = leaderboard.standing(session, *where, PEOPLE[0])
            assert mine is not None
            found.append(mine.score)
        return found

    with board() as where:
        assert house.do(rise) == [1, 2, 3]


def test_alice_overtakes_carol(town: Town) -> None:
    for advocate, friends in (("Carol", ["D", "E"]), ("Alice", ["Bob"])):
        for friend in friends:
            town.brings(advocate, friend)
    with later(days=8):
        assert town.night() == (3, 0)
        alice, carol = town.standing("Alice"), town.standing("Carol")
        assert alice is not None
        assert carol is not None
        assert (alice.rank, alice.gap, carol.rank, carol.gap) == (2, 1, 1, None)
        town.leaves("D")
        town.leaves("E")
        assert town.standing("Carol") is None
        first = town.standing("Alice")
        assert first is not None
        assert (first.rank, first.of) == (1, 1)
        town.has_true_counters()
