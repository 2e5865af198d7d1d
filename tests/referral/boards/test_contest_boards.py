"""The board of a contest in windows of time, in teams, without who is out, and frozen."""

from __future__ import annotations

import pytest
from sqlmodel import Session, col, select

from core import clock
from referral.boards.faces import names_of, places_of, spots_of
from referral.boards.windows import mark_of, windows_of
from referral.campaigns import Campaign
from referral.contests.teams import Team
from referral.privacy import forget_member
from tests.house import House, later
from tests.rewards.arena import DAYS, Arena, open_arena


def seen(arena: Arena, window: str = "all", *, public: bool = False) -> list[tuple[int, str | None, int]]:
    """(rank, name, score) of the whole board; its totals agree with its lines."""

    def query(session: Session) -> list[tuple[int, str | None, int]]:
        campaign = session.get_one(Campaign, (arena.brand.id, arena.campaign.id))
        places = places_of(session, campaign, window, clock.now(), 50)
        owners = [line.owner for line in places.standings.lines]
        spots = spots_of(campaign, places, names_of(session, campaign, places, owners, public=public))
        assert (places.standings.of, places.standings.friends) == (len(spots), sum(spot.score for spot in spots))
        assert len({spot.key for spot in spots}) == len(spots)
        return [(spot.rank, spot.name, spot.score) for spot in spots]

    return arena.house.ask(query)


@pytest.mark.parametrize("mode", ["single", "teams"])
def test_today_and_all_time_of_a_contest(house: House, mode: str) -> None:
    arena = open_arena(house, contest={"mode": mode})
    teams = mode == "teams"
    if teams:
        arena.founds("Alice", "Green 绿队")
        arena.founds("Bob", "Black")
    arena.brings("Alice", 3)
    arena.brings("Bob", 1)
    alice, bob = ("Green 绿队", "Black") if teams else ("Alice", "Bob")
    assert seen(arena, "day") == seen(arena) == [(1, alice, 3), (2, bob, 1)]
    with later(days=2):
        arena.brings("Bob", 1)
        assert seen(arena, "day") == [(1, bob, 1)]
        assert seen(arena) == [(1, alice, 3), (2, bob, 2)]
        arena.disqualifies("Bob")
        assert seen(arena, "day") == []
        assert seen(arena) == [(1, alice, 3)]
        arena.reinstates("Bob")
        assert seen(arena, "day") == [(1, bob, 1)]


def test_a_team_is_called_what_it_calls_itself_and_people_as_they_chose(house: House) -> None:
    arena = open_arena(house, contest={"mode": "teams"})
    arena.founds("Alice", "Green 绿队")
    arena.brings("Alice")
    assert seen(arena, public=True) == [(1, "Green 绿队", 1)]

    def unname(session: Session) -> None:
        team = session.exec(select(Team).where(col(Team.brand_id) == arena.brand.id)).one()
        team.name = ""
        session.add(team)

    arena.house.do(unname)
    assert seen(arena, public=True) == [(1, None, 1)]


def test_a_final_stays_as_it_was_frozen_and_every_revision_moves_the_mark(house: House) -> None:
    arena = open_arena(house)
    arena.brings("Alice", 2)
    arena.brings("Bob", 1)
    marks = [marked(arena)]
    with later(days=DAYS + 2):
        arena.clock_strikes()
        marks.append(marked(arena))
        assert seen(arena) == [(1, "Alice", 2), (2, "Bob", 1)]
        assert windows_of(arena.house.ask(lambda session: session.get_one(Campaign, key(arena)).state)) == ("all",)
        arena.disqualifies("Alice")
        marks.append(marked(arena))
        assert seen(arena) == [(1, "Bob", 1)]
        bob = arena.people["Bob"]
        arena.house.do(lambda session: forget_member(session, arena.brand.id, bob))
        assert seen(arena) == [(1, None, 1)], "the place stays, the name is gone"
    assert len(set(marks)) == 3


def key(arena: Arena) -> tuple[object, object]:
    return arena.brand.id, arena.campaign.id


def marked(arena: Arena) -> object:
    return arena.house.ask(lambda session: mark_of(session, arena.brand.id, arena.campaign.id))
