"""Who stands where, computed from the lines of a score sheet: pure, so that anybody gets the same from the same lines.

Most friends first; of equal scores the one reached earlier is before, and of those reached in the same instant whoever
has been with the brand longer (identifiers grow with time), as on the live board. A score is reached when the last
friend who makes it up qualified.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from referral.contests.sheet import Point

MARK_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Score:
    """What somebody, or a team, brought."""

    owner: UUID
    mark: str
    score: int
    reached_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A place of the board: of a member, or of a team with its members who brought somebody, the best first."""

    rank: int
    of: Score
    members: tuple[Score, ...]


def mark_of(salt: str, owner: UUID) -> str:
    """What a member or a team is called in public: a hash with the contest's secret salt, another one each contest."""
    key = salt.encode()
    return hashlib.blake2b(owner.bytes, key=key, digest_size=MARK_LENGTH // 2).hexdigest()


def standings_of(points: Iterable[Point], mode: str, salt: str, without: Collection[UUID] = ()) -> list[Standing]:
    """The whole board, `without` the friends of these members. `mode`: single, or teams (no team, no place)."""
    brought: dict[UUID, dict[UUID, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for point in points:
        owner = point.member_id if mode == "single" else point.team_id
        if point.member_id not in without and owner is not None:
            brought[owner][point.member_id].append(point.at)
    scores = [(_score(salt, owner, members), members) for owner, members in brought.items()]
    scores.sort(key=lambda one: _order(one[0]))
    return [
        Standing(rank, score, tuple(sorted((_score(salt, who, {who: at}) for who, at in members.items()), key=_order)))
        for rank, (score, members) in enumerate(scores, 1)
    ]


def _score(salt: str, owner: UUID, brought: Mapping[UUID, list[datetime]]) -> Score:
    moments = [at for ats in brought.values() for at in ats]
    return Score(owner, mark_of(salt, owner), len(moments), max(moments))


def _order(one: Score) -> tuple[int, datetime, UUID]:
    return -one.score, one.reached_at, one.owner
