"""The document of a final: everything that decided it, with public marks in the place of people."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from referral.campaigns import Campaign
from referral.contests.decisions import ContestDecision
from referral.contests.results import canonical
from referral.contests.sheet import Point
from referral.contests.standings import Score, Standing, mark_of, standings_of
from referral.contests.terms import ContestTerms
from rewards.contests.awards import Award, awards_of
from rewards.plans import Plan

FORMAT = "daixin-contest/1"


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything a revision is computed from. `out`: the decisions by which members are out. `previous`: the SHA-256
    of the revision before, nothing for the first. `frozen_at`: of the first one, `made_at`: of this one."""

    campaign: Campaign
    version: int
    revision: int
    previous: str
    salt: str
    terms: ContestTerms
    plan: Plan
    points: Sequence[Point]
    out: Sequence[ContestDecision]
    frozen_at: datetime
    made_at: datetime

    def board(self) -> list[Standing]:
        """Who stands where."""
        return standings_of(self.points, self.terms.mode, self.salt, {one.member_id for one in self.out})

    def awards(self) -> list[Award]:
        """Who wins what."""
        return awards_of(self.board(), self.plan, self.terms)

    def document(self) -> dict[str, Any]:
        """The revision as it is published, but for its own hash."""
        board, campaign = self.board(), self.campaign
        return {
            "format": FORMAT,
            "campaign": campaign.slug,
            "version": self.version,
            "revision": self.revision,
            "previous": self.previous,
            "terms": self.terms.model_dump(mode="json"),
            "prizes": [prize.model_dump(mode="json") for prize in self.plan.prizes],
            "starts_at": _moment(campaign.starts_at),
            "ends_at": _moment(campaign.ends_at),
            "frozen_at": _moment(self.frozen_at),
            "made_at": _moment(self.made_at),
            "friends": len(self.points),
            "sheet": sheet_hash(self.salt, self.points),
            "standings": [_line(one, self.terms.mode) for one in board],
            "awards": [
                {"place": one.place, "rank": one.rank, "mark": one.mark, "asset": one.asset, "amount": one.amount}
                for one in awards_of(board, self.plan, self.terms)
            ],
            "disqualified": [
                {"mark": mark_of(self.salt, one.member_id), "reason": one.reason, "at": _moment(one.decided_at)}
                for one in self.out
            ],
        }


def sheet_hash(salt: str, points: Sequence[Point]) -> str:
    """SHA-256 of the score sheet, line by line: whose friend, in which team, when."""
    lines = [canonical(line) for line in sheet_lines(salt, points)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def sheet_lines(salt: str, points: Sequence[Point]) -> list[dict[str, Any]]:
    """The score sheet as it may be published."""
    return [
        {
            "friend": mark_of(salt, point.referral_id),
            "for": mark_of(salt, point.member_id),
            "team": _mark(salt, point.team_id),
            "at": _moment(point.at),
        }
        for point in points
    ]


def _mark(salt: str, owner: UUID | None) -> str | None:
    return None if owner is None else mark_of(salt, owner)


def _line(one: Standing, mode: str) -> dict[str, Any]:
    line = {"rank": one.rank, **_score(one.of)}
    return line if mode == "single" else line | {"members": [_score(member) for member in one.members]}


def _score(one: Score) -> dict[str, Any]:
    return {"mark": one.mark, "score": one.score, "reached_at": _moment(one.reached_at)}


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
