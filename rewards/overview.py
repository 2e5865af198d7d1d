"""What a member has, and line by line how it came: read from the books, for whoever shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, col

from rewards.adjustments import Adjustment, adjustments_of
from rewards.ledger import Purpose, balances_of
from rewards.payouts.payouts import OPEN, Payout
from rewards.rewards import QUIET, Reward


@dataclass(frozen=True, slots=True)
class Purse:
    """What a member has of one asset, in minor units.

    `payable`: theirs to dispose of; below zero is a debt. `next_release`: when the next of what is held is theirs.
    `under_way`: in payouts that are not settled, fee included. `paid`: what arrived, or was spent.
    """

    asset: str
    payable: int
    held: int
    next_release: datetime | None
    under_way: int
    paid: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.payable or self.held or self.under_way or self.paid)


Line = Reward | Adjustment
"""One thing that was given, refused, or (a deduction) taken."""


def purses_of(session: Session, brand_id: UUID, member_id: UUID) -> list[Purse]:
    """What the member has, by asset; without what is empty."""
    balances = balances_of(session, brand_id, member_id)
    releases = _next_releases(session, brand_id, member_id)
    sent = _payouts(session, brand_id, member_id)
    assets = sorted({asset for _, asset in balances} | sent.keys())
    purses = (
        Purse(
            asset,
            balances.get((Purpose.PAYABLE, asset), 0),
            balances.get((Purpose.HELD, asset), 0),
            releases.get(asset),
            *sent.get(asset, (0, 0)),
        )
        for asset in assets
    )
    return [purse for purse in purses if not purse.empty]


def _next_releases(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, datetime]:
    rows = session.execute(
        select(col(Reward.asset), func.min(col(Reward.hold_until)))
        .where(col(Reward.brand_id) == brand_id, col(Reward.member_id) == member_id, col(Reward.state) == "held")
        .group_by(col(Reward.asset))
    )
    return dict(rows.all())


def _payouts(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, tuple[int, int]]:
    """By asset: what is under way, what arrived."""
    rows = session.execute(
        select(col(Payout.asset), col(Payout.state), func.sum(col(Payout.amount)), func.sum(col(Payout.fee)))
        .where(col(Payout.brand_id) == brand_id, col(Payout.member_id) == member_id, col(Payout.state) != "failed")
        .group_by(col(Payout.asset), col(Payout.state))
    )
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for asset, state, amount, fee in rows:
        if state in OPEN:
            found[asset][0] += int(amount) + int(fee)
        else:
            found[asset][1] += int(amount)
    return {asset: (under_way, paid) for asset, (under_way, paid) in found.items()}


def lines_of(session: Session, brand_id: UUID, member_id: UUID, offset: int, limit: int) -> tuple[Sequence[Line], bool]:
    """So many of a member's lines, the newest first, and whether there are more.

    Decisions that gave nothing and that nobody is told of unasked are left out.
    """
    rewards = session.scalars(
        select(Reward)
        .where(
            col(Reward.brand_id) == brand_id,
            col(Reward.member_id) == member_id,
            col(Reward.reason).is_(None) | col(Reward.reason).not_in(QUIET),
        )
        .order_by(col(Reward.created_at).desc(), col(Reward.id).desc())
        .limit(offset + limit + 1)
    ).all()
    taken = [one for one in adjustments_of(session, brand_id, member_id) if one.amount < 0]
    lines: list[Line] = [*rewards, *taken]
    lines.sort(key=lambda line: (line.created_at, line.id.int), reverse=True)
    return lines[offset : offset + limit], len(lines) > offset + limit


def why_owed(session: Session, brand_id: UUID, member_id: UUID, asset: str) -> Line | None:
    """What most likely made a debt: the last thing that was taken from the member after it was theirs."""
    clawed = session.scalars(
        select(Reward)
        .where(
            col(Reward.brand_id) == brand_id,
            col(Reward.member_id) == member_id,
            col(Reward.asset) == asset,
            col(Reward.taken_back) > 0,
            col(Reward.state).in_(("payable", "in_payout", "paid", "clawed_back")),
        )
        .order_by(func.coalesce(col(Reward.settled_at), col(Reward.created_at)).desc())
        .limit(1)
    ).one_or_none()
    taken = next(
        (
            one
            for one in adjustments_of(session, brand_id, member_id)
            if one.amount < 0 and one.asset == asset and (clawed is None or one.created_at > clawed.created_at)
        ),
        None,
    )
    return taken or clawed
