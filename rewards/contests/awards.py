"""Who wins what by a board: pure, so that the final, its revisions and a replay can never differ.

Prizes for places go down the board as far as scores reach the floor; the prize for a score goes to the first so many
who reached it. A team's prize is shared by what each of its members brought: nobody is paid for another's friends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from referral.contests.standings import Score, Standing
from referral.contests.terms import ContestTerms
from rewards.plans import Plan, Prize


@dataclass(frozen=True, slots=True)
class Award:
    """`amount` of `asset` for a member. `place`: `3` for the third, `reach-10` for a score. `mark`: the member's."""

    place: str
    rank: int
    member_id: UUID
    mark: str
    asset: str
    amount: int
    hold_days: int


def awards_of(board: Sequence[Standing], plan: Plan, terms: ContestTerms) -> list[Award]:
    """Everything that is won, prize after prize, the best place first."""
    winners = [one for one in board if one.of.score >= terms.least]
    return [award for prize in plan.prizes for one in _winning(winners, prize) for award in _shared(plan, prize, one)]


def place_of(prize: Prize, rank: int) -> str:
    """What a prize is called that this rank won."""
    return str(rank) if prize.reach is None else f"reach-{prize.reach}"


def _winning(winners: Sequence[Standing], prize: Prize) -> Sequence[Standing]:
    if prize.reach is None:
        first = prize.first or 1
        return winners[first - 1 : first - 1 + prize.places]
    reach = prize.reach
    return [one for one in winners if one.of.score >= reach][: prize.places]


def _shared(plan: Plan, prize: Prize, won: Standing) -> Iterator[Award]:
    asset = plan.prize_asset(prize)
    for member, amount in zip(won.members, shares(prize.amount, won.members), strict=True):
        if amount:
            place = place_of(prize, won.rank)
            yield Award(place, won.rank, member.owner, member.mark, asset, amount, prize.hold_days)


def shares(amount: int, members: Sequence[Score]) -> list[int]:
    """An amount divided by what each brought, down to whole units; what is left over goes one by one, best first."""
    total = sum(member.score for member in members)
    parts = [amount * member.score // total for member in members]
    left = amount - sum(parts)
    return [part + (place < left) for place, part in enumerate(parts)]
