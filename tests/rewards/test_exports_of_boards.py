"""The leaderboard as a file: as it stood at one moment, and of a contest that is over what was frozen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from referral.campaigns import Campaign
from rewards.account_words import names_of
from rewards.exports import exports, reading, runner
from rewards.exports.exports import Export, Wish
from tests.house import House, later
from tests.rewards.arena import DAYS, Arena, open_arena
from tests.rewards.test_exports import MEI, folder, lines, work

__all__ = ["folder"]


def asked(arena: Arena) -> Export:
    wish = Wish("leaderboard", "csv", campaign=arena.campaign.slug)
    return arena.house.do(lambda session: exports.ask(session, arena.brand.id, wish, "en", MEI))


def told(arena: Arena, folder: Path) -> list[tuple[str, ...]]:
    """Rank, name and score of each line of the file."""
    export = asked(arena)
    assert work(arena, folder) == 1
    made = arena.house.ask(lambda session: exports.export_of(session, arena.brand.id, export.id))
    found = lines(folder, export)
    assert (made.state, made.rows) == ("done", len(found))
    who = "Team" if "Team" in (found or [{}])[0] else "Member"
    return [(one["Rank"], one[who], one["Qualified friends"]) for one in found]


def test_a_contest_that_is_over_is_told_as_it_was_frozen(house: House, folder: Path) -> None:
    arena = open_arena(house)
    friends = arena.brings("Alice", 3)
    arena.brings("Bob", 2)
    arena.brings("Cem", 1)
    arena.disqualifies("Cem")
    live = [("1", "Alice", "3"), ("2", "Bob", "2")]
    assert told(arena, folder) == live
    with later(days=DAYS + 1):
        arena.clock_strikes()
        for friend in friends[:2]:  # Alice has fewer now; what was frozen stays
            arena.reverses(friend)
        assert told(arena, folder) == live
        arena.disqualifies("Alice")  # but for a decision, which makes another revision
        assert told(arena, folder) == [("1", "Bob", "2")]


def test_of_a_contest_of_teams_the_teams_are_told(house: House, folder: Path) -> None:
    arena = open_arena(house, contest={"mode": "teams", "objection_hours": 24})
    arena.founds("Alice", "Green <tea>")
    arena.founds("Bob", "=Black")
    arena.joins("Cem", "Bob")
    arena.brings("Alice", 2)
    arena.brings("Bob", 2)
    arena.brings("Cem", 1)
    expected = [("1", "'=Black", "3"), ("2", "Green <tea>", "2")]
    assert told(arena, folder) == expected
    with later(days=DAYS + 1):
        arena.clock_strikes()
        assert told(arena, folder) == expected


def test_whoever_moves_while_it_is_written_stands_in_it_once(
    house: House, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (reading, runner):
        monkeypatch.setattr(module, "AT_ONCE", 1)
    arena = open_arena(house)
    for name, friends in (("Alice", 4), ("Bob", 3), ("Cem", 2)):
        arena.brings(name, friends)

    def overtaken(*given: Any) -> Any:
        arena.brings("Cem", 2)  # and is first, when the first line was just written
        return names_of(*given)

    monkeypatch.setattr("rewards.exports.board.names_of", overtaken)
    assert told(arena, folder) == [("1", "Alice", "4"), ("2", "Bob", "3"), ("3", "Cem", "2")]


def test_a_board_nobody_stands_on_is_a_heading(house: House, folder: Path) -> None:
    arena = open_arena(house)
    assert isinstance(arena.campaign, Campaign)
    assert told(arena, folder) == []
