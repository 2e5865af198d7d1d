"""Teams of a contest: who may join and leave, whose friends count, and what becomes of teams when people change."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlmodel import Session, col, select

from core.errors import BadInput, Conflict, NotFound, Refused
from referral.campaigns import Campaign
from referral.contests import teams
from referral.contests.teams import Team, TeamMember
from referral.privacy import export_member, forget_member
from tests.house import House, later
from tests.rewards.arena import DAYS, Arena, open_arena

TEAMS = {"mode": "teams", "team_most": 3}


def teams_up(house: House, **terms: int) -> Arena:
    """Alice's team is Green with Bob, Cem's is Black with nobody yet."""
    arena = open_arena(house, contest=TEAMS | terms)
    arena.founds("Alice", "Green")
    arena.joins("Bob", "Alice")
    arena.founds("Cem", "Black")
    return arena


def team_named(arena: Arena, name: str) -> Team:
    return arena.house.ask(lambda session: session.exec(select(Team).where(col(Team.name) == name)).one())


def members(arena: Arena, name: str) -> list[str]:
    """Who is in a team, the captain first."""
    names = {member: known for known, member in arena.people.items()}
    team = team_named(arena, name)
    return [names[one] for one in arena.house.ask(lambda session: teams.members_of(session, team))]


def standings(arena: Arena) -> list[tuple[int, list[int]]]:
    result = arena.result()
    assert result is not None
    return [
        (one["score"], [member["score"] for member in one["members"]])
        for one in json.loads(result.document)["standings"]
    ]


def test_a_team_wins_together_and_shares_by_what_each_brought(house: House) -> None:
    arena = teams_up(house)
    arena.brings("Alice")
    arena.brings("Bob", 2)
    arena.brings("Cem", 2)
    arena.brings("Dora", 5)  # in no team
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert standings(arena) == [(3, [2, 1]), (2, [2])]
        assert arena.won() == {"Alice": 100, "Bob": 200, "Cem": 100}
        assert arena.problems() == []
        assert arena.replay().differences == ()


def test_a_friend_counts_for_the_team_their_advocate_was_in_when_they_qualified(house: House) -> None:
    arena = teams_up(house)
    arena.brings("Dora", 3)
    with later(hours=1):
        arena.joins("Dora", "Cem")
        arena.brings("Dora")
        arena.brings("Alice", 2)
        with pytest.raises(Refused, match="team_bound"):
            arena.leaves("Dora")
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert standings(arena) == [(2, [2]), (1, [1])]


def test_a_team_is_left_before_the_first_friend_counts_and_its_captain_is_who_has_been_in_it_longest(
    house: House,
) -> None:
    arena = teams_up(house)
    assert members(arena, "Green") == ["Alice", "Bob"]
    arena.leaves("Alice")
    assert members(arena, "Green") == ["Bob"]
    arena.joins("Alice", "Cem")
    assert members(arena, "Black") == ["Cem", "Alice"]
    with pytest.raises(NotFound, match="own_team"):
        arena.leaves("Dora")


def test_a_team_that_everybody_left_gives_its_name_back(house: House) -> None:
    arena = teams_up(house)
    arena.leaves("Cem")
    arena.founds("Cem", "  BLACK ")
    assert members(arena, "BLACK") == ["Cem"]


@pytest.mark.parametrize("name", ["", "   ", "a" * 25, "two\nlines\x00"])
def test_a_team_has_a_name_of_one_line(house: House, name: str) -> None:
    arena = open_arena(house, contest=TEAMS)
    with pytest.raises(BadInput, match="team_name"):
        arena.founds("Alice", name)


def test_teams_refuse_what_cannot_be(house: House) -> None:
    arena = teams_up(house)
    with pytest.raises(Conflict, match="team_name_taken"):
        arena.founds("Dora", "ｇｒｅｅｎ")
    with pytest.raises(Conflict, match="in_team"):
        arena.founds("Bob", "Blue")
    with pytest.raises(Conflict, match="in_team"):
        arena.joins("Bob", "Cem")
    arena.joins("Bob", "Alice")  # once more changes nothing
    with pytest.raises(NotFound, match="team"):
        arena.joins("Eve", "Dora")  # who is in none
    arena.joins("Eve", "Bob")  # the code of anybody in it
    with pytest.raises(Refused, match="team_full"):
        arena.joins("Fay", "Alice")
    with later(days=DAYS):
        with pytest.raises(Refused, match="teams_closed"):
            arena.joins("Fay", "Cem")
        with pytest.raises(Refused, match="teams_closed"):
            arena.leaves("Cem")


def test_a_contest_of_single_people_has_no_teams(house: House) -> None:
    arena = open_arena(house)
    with pytest.raises(Refused, match="no_teams"):
        arena.founds("Alice", "Green")


def test_of_many_who_want_the_last_places_exactly_so_many_get_them(migrated_url: str) -> None:
    houses = [House(migrated_url) for _ in range(2)]
    try:
        arena = open_arena(houses[0], contest=TEAMS)
        arena.founds("Alice", "Green")
        names = [f"Fan{number}" for number in range(8)]
        for name in names:
            arena.talks(name)
        code = arena.code("Alice")

        def wants(place: int) -> bool:
            who, key = arena.people[names[place]], (arena.brand.id, arena.campaign.id)

            def unit(session: Session) -> None:
                teams.join_team(session, session.get_one(Campaign, key), who, code)

            try:
                houses[place % 2].do(unit)
            except Refused:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            came = list(pool.map(wants, range(8)))
        assert sum(came) == 2
        assert len(members(arena, "Green")) == 3
    finally:
        for one in houses:
            one.close()


def test_two_accounts_of_one_person_are_in_one_team_and_two_again_after(house: House) -> None:
    arena = teams_up(house)
    arena.brings("Bob")
    arena.brings("Cem")
    arena.links("Bob", "Cem")  # Bob is the older one
    assert members(arena, "Green") == ["Alice", "Bob"]
    arena.links("Bob", "Alice")
    assert members(arena, "Green") == ["Alice"]
    arena.unlinks("Alice")
    assert members(arena, "Green") == ["Alice", "Bob"]
    arena.unlinks("Bob")
    assert members(arena, "Black") == ["Cem"]
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert standings(arena) == [(1, [1]), (1, [1])]
        assert arena.problems() == []


def test_a_linked_account_brings_its_team_to_who_had_none(house: House) -> None:
    arena = open_arena(house, contest=TEAMS)
    arena.talks("Alice")
    arena.founds("Bob", "Green")
    arena.links("Alice", "Bob")
    assert members(arena, "Green") == ["Alice"]
    arena.unlinks("Alice")
    assert members(arena, "Green") == ["Bob"]


def test_teams_are_exported_and_forgotten(house: House) -> None:
    arena = teams_up(house)
    kept = house.ask(lambda session: export_member(session, arena.brand.id, arena.people["Cem"]))
    assert [one["team"] for one in kept["teams"]] == ["Black"]
    for name in ("Bob", "Cem"):
        house.do(partial(forget_member, brand_id=arena.brand.id, member_id=arena.people[name]))
    assert members(arena, "Green") == ["Alice"]
    left = house.ask(lambda session: session.exec(select(Team).where(col(Team.name) == "Black")).all())
    assert left == []  # it was Cem's alone, and so was its name
    assert len(house.ask(lambda session: session.exec(select(TeamMember)).all())) == 1


def test_a_disqualified_member_costs_the_team_their_friends_only(house: House) -> None:
    arena = teams_up(house)
    arena.brings("Alice", 2)
    arena.brings("Bob")
    arena.brings("Cem", 2)
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert arena.won() == {"Alice": 200, "Bob": 100, "Cem": 100}
        arena.disqualifies("Alice")
        assert standings(arena) == [(2, [2]), (1, [1])]
        assert arena.won() == {"Cem": 300, "Bob": 100}
        assert arena.problems() == []
        assert arena.replay().differences == ()
