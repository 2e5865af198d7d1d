"""What a place on the board would win, and how far it is to the next prize."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from referral.contests.boards import Board, Line, top
from rewards.plans import Plan, Prize

LOOKED_AT = 200
"""Places looked at; prizes further down have no distance."""


@dataclass(frozen=True, slots=True)
class Gap:
    """So many friends `more`, and the prize is won as things stand."""

    more: int
    prize: Prize


def prizes_at(plan: Plan, board: Board, line: Line) -> list[Prize]:
    """What this place wins, or would if it ended now. The board is in order, so a place's rank is also its place among
    those who reached any score it reached."""
    if line.score < board.terms.least:
        return []
    return [prize for prize in plan.prizes if _wins(prize, line.rank, line.score)]


def _wins(prize: Prize, rank: int, score: int) -> bool:
    if prize.reach is not None:
        return score >= prize.reach and rank <= prize.places
    first = prize.first or 1
    return first <= rank <= (prize.last or first)


def next_prize(session: Session, board: Board, plan: Plan, line: Line | None) -> Gap | None:
    """The prize that is nearest for somebody who stands there (None: not on the board yet); None if there is none."""
    deepest = max((_place(prize) for prize in plan.prizes), default=0)
    best = top(session, board, min(deepest, LOOKED_AT))
    gaps = [gap for prize in plan.prizes if (gap := _gap(board, prize, line, best)) is not None]
    return min(gaps, key=lambda gap: (gap.more, -gap.prize.amount), default=None)


def _place(prize: Prize) -> int:
    """The last place that wins it."""
    return prize.places if prize.reach is not None else prize.last or prize.first or 1


def _gap(board: Board, prize: Prize, line: Line | None, best: Sequence[Line]) -> Gap | None:
    score, last, least = line.score if line else 0, _place(prize), board.terms.least
    if line is not None and score >= least and (_wins(prize, line.rank, score) or line.rank < (prize.first or 0)):
        return None  # it is won, or something better is
    if last > LOOKED_AT:
        return None
    needed = max(least, prize.reach or 0)
    if len(best) >= last:
        needed = max(needed, best[last - 1].score + 1)
    return Gap(needed - score, prize) if needed > score else None
