"""When a contest is about to end, whoever is one friend short of a prize is told so, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlmodel import select

from core import clock
from referral.outreach.models import Outreach
from referral.outreach.people import change_settings
from rewards.contests import last_days
from tests.house import House, later
from tests.rewards.arena import Arena, open_arena

NOON = datetime(2026, 3, 2, 4, 0, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    before = clock.offset()
    clock.move(NOON - datetime.now(UTC))
    yield
    clock.move(before)


@pytest.fixture
def arena(house: House) -> Arena:
    return open_arena(house)


def told(arena: Arena) -> set[str]:
    """Who was planned a word, by name."""
    rows = arena.house.ask(lambda session: session.exec(select(Outreach)).all())
    names: dict[UUID, str] = {member: name for name, member in arena.people.items()}
    return {names[row.member_id] for row in rows if row.kind == last_days.KIND}


def test_only_who_is_one_friend_short_in_the_last_two_days(arena: Arena) -> None:
    # 300 for the first, 100 for the second and third.
    for name, friends in (("Ann", 4), ("Ben", 3), ("Cai", 2), ("Dan", 2), ("Eva", 1)):
        arena.brings(name, friends)
    assert arena.house.do(last_days.tell_due) == 0
    with later(days=5, minutes=1):
        # Dan needs one to pass Cai, who was there first; Cai needs two to pass Ben, and Ben two to pass Ann.
        assert [arena.house.do(last_days.tell_due) for _ in range(2)] == [1, 0]
        assert told(arena) == {"Dan"}
    with later(days=6, hours=22):
        arena.brings("Eva", 1)
        assert arena.house.do(last_days.tell_due) == 0  # two hours are hardly enough


def test_who_already_has_something_better_is_left_alone(arena: Arena) -> None:
    arena.brings("Ann", 1)
    with later(days=6):
        assert arena.house.do(last_days.tell_due) == 0


def test_a_brand_may_switch_it_off_and_a_prize_for_a_score_counts_too(house: House) -> None:
    arena = open_arena(house, rewards={"budget": 600, "prizes": [{"reach": 2, "winners": 3, "amount": 100}]})
    arena.brings("Ann", 1)
    with later(days=6):
        arena.house.do(lambda session: change_settings(session, arena.brand.id, "operator", cheers=False))
        assert arena.house.do(last_days.tell_due) == 0
        arena.house.do(lambda session: change_settings(session, arena.brand.id, "operator", cheers=True))
        assert arena.house.do(last_days.tell_due) == 1
    assert told(arena) == {"Ann"}
