"""The board as people see it agrees with the final: live and frozen, alone and in teams, with somebody out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from referral.campaigns import Campaign
from referral.contests import boards
from referral.contests.boards import Board
from referral.contests.results import result_of
from referral.contests.teams import Team
from rewards.contests.finals import basis_of
from rewards.contests.gaps import next_prize, prizes_at
from rewards.plans import plan_of
from tests.house import House, later
from tests.rewards.arena import DAYS, Arena, open_arena

T = TypeVar("T")


def asked(arena: Arena, question: Callable[[Session, Board], T]) -> T:
    key = (arena.brand.id, arena.campaign.id)
    return arena.house.ask(lambda session: question(session, boards.board_of(session, session.get_one(Campaign, key))))


def owners(arena: Arena) -> dict[UUID, str]:
    """What members and teams are called."""
    of_brand = select(Team).where(col(Team.brand_id) == arena.brand.id)
    teams = arena.house.ask(lambda session: session.exec(of_brand).all())
    return {member: name for name, member in arena.people.items()} | {team.id: team.name for team in teams}


def seen(arena: Arena) -> list[tuple[int, str, int]]:
    names = owners(arena)
    lines = asked(arena, lambda session, board: boards.top(session, board, 10))
    assert asked(arena, boards.how_many) == len(lines)
    for line in lines:
        assert asked(arena, partial(boards.line_of, owner=line.owner)) == line
    return [(line.rank, names[line.owner], line.score) for line in lines]


def frozen(arena: Arena) -> list[tuple[int, str, int]]:
    """The same from the final's own computation."""
    key, names = (arena.brand.id, arena.campaign.id), owners(arena)

    def read(session: Session) -> list[tuple[int, str, int]]:
        result = result_of(session, *key)
        assert result is not None
        board = basis_of(session, session.get_one(Campaign, key), result).board()
        return [(one.rank, names[one.of.owner], one.of.score) for one in board]

    return arena.house.ask(read)


@pytest.mark.parametrize("mode", ["single", "teams"])
def test_the_live_board_is_what_is_frozen(house: House, mode: str) -> None:
    arena = open_arena(house, contest={"mode": mode})
    if mode == "teams":
        arena.founds("Alice", "Green")
        arena.joins("Bob", "Alice")
        arena.founds("Cem", "Black")
        arena.founds("Dora", "Red")
    arena.brings("Alice", 2)
    arena.brings("Bob", 3)
    arena.brings("Cem", 3)
    arena.brings("Dora")
    live = seen(arena)
    assert [score for _, _, score in live] == ([3, 3, 2, 1] if mode == "single" else [5, 3, 1])
    arena.disqualifies("Bob")
    without = seen(arena)
    assert "Bob" not in [name for _, name, _ in without]
    assert [score for _, _, score in without] == [3, 2, 1]
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert seen(arena) == without == frozen(arena)
        arena.reinstates("Bob")
        assert seen(arena) == live == frozen(arena)


def gap(arena: Arena, name: str) -> tuple[int, int] | None:
    """How many friends more, and for what."""

    def read(session: Session, board: Board) -> tuple[int, int] | None:
        campaign = board.campaign
        plan = plan_of(session, campaign.brand_id, campaign.id, campaign.version)
        found = next_prize(session, board, plan, boards.line_of(session, board, arena.talks(name)))
        return (found.more, found.prize.amount) if found is not None else None

    arena.talks(name)
    return asked(arena, read)


def test_the_gap_is_how_many_friends_win_the_next_prize(house: House) -> None:
    prizes = [{"first": 1, "amount": 300}, {"first": 2, "amount": 100}, {"reach": 4, "winners": 1, "amount": 50}]
    arena = open_arena(house, contest={"floor": 2}, rewards={"budget": 450, "prizes": prizes})
    assert gap(arena, "Alice") == (2, 300)  # the floor
    arena.brings("Alice", 3)
    assert gap(arena, "Alice") == (1, 50)
    assert gap(arena, "Bob") == (2, 100)
    arena.brings("Bob", 2)
    assert gap(arena, "Cem") == (3, 100)  # one more than Bob, who was first
    assert gap(arena, "Bob") == (2, 300)  # and the score's own prize with it
    arena.brings("Alice")
    assert gap(arena, "Alice") is None
    assert gap(arena, "Bob") == (3, 300)


def test_a_place_shows_what_it_would_win(house: House) -> None:
    arena = open_arena(house)
    arena.brings("Alice", 2)
    arena.brings("Bob")

    def read(session: Session, board: Board) -> list[list[int]]:
        plan = plan_of(session, board.campaign.brand_id, board.campaign.id, board.campaign.version)
        return [[one.amount for one in prizes_at(plan, board, line)] for line in boards.top(session, board, 5)]

    assert asked(arena, read) == [[300], [100]]
