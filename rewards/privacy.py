"""What the books know of a member, for the member."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session, col

from referral.referrals import Referral
from rewards.adjustments import adjustments_of
from rewards.exports.exports import forget_files
from rewards.items.persons import export_items, forget_items
from rewards.ledger import LedgerAccount, Transfer, balances_of
from rewards.payouts.persons import export_payouts, forget_payees
from rewards.rewards import Reward


def export_rewards(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, Any]:
    """A member's rewards, balances and transfers, oldest first, ready for JSON. Amounts are in minor units."""
    rewards = session.scalars(
        select(Reward)
        .where(col(Reward.brand_id) == brand_id, col(Reward.member_id) == member_id)
        .order_by(col(Reward.created_at), col(Reward.id))
    )
    return {
        "rewards": [
            {
                "role": reward.role,
                "event": reward.event,
                "asset": reward.asset,
                "amount": reward.amount,
                "taken_back": reward.taken_back,
                "state": reward.state,
                "reason": reward.reason,
                "hold_until": reward.hold_until.isoformat(),
                "created_at": reward.created_at.isoformat(),
            }
            for reward in rewards
        ],
        "balances": [
            {"purpose": purpose, "asset": asset, "amount": amount}
            for (purpose, asset), amount in sorted(balances_of(session, brand_id, member_id).items())
        ],
        "adjustments": [
            {"asset": one.asset, "amount": one.amount, "reason": one.reason, "at": one.created_at.isoformat()}
            for one in reversed(adjustments_of(session, brand_id, member_id))
        ],
        "transfers": _transfers(session, brand_id, member_id),
        **export_payouts(session, brand_id, member_id),
        "items": export_items(session, brand_id, member_id),
    }


def forget_rewards(session: Session, brand_id: UUID, member_id: UUID) -> None:
    """Erase where a member was paid, where things were sent to them, and what decisions about them had looked at.

    The books keep what was, by a number. Files the brand exported go, for they may name the member.
    """
    theirs = select(col(Referral.id)).where(
        col(Referral.brand_id) == brand_id,
        (col(Referral.friend_id) == member_id) | (col(Referral.advocate_id) == member_id),
    )
    session.execute(
        update(Reward)
        .where(
            col(Reward.brand_id) == brand_id,
            (col(Reward.member_id) == member_id) | col(Reward.referral_id).in_(theirs),
            col(Reward.facts).is_not(None),
        )
        .values(facts=None)
    )
    forget_items(session, brand_id, [member_id])
    forget_payees(session, brand_id, [member_id])
    forget_files(session, brand_id)


def _transfers(session: Session, brand_id: UUID, member_id: UUID) -> list[dict[str, Any]]:
    """Every movement of the member's accounts; what came in is positive, what went out negative."""
    named = session.execute(
        select(col(LedgerAccount.id), col(LedgerAccount.purpose)).where(
            col(LedgerAccount.brand_id) == brand_id, col(LedgerAccount.owner_id) == member_id
        )
    )
    accounts = dict(named.all())
    moves = session.scalars(
        select(Transfer)
        .where(
            col(Transfer.brand_id) == brand_id,
            col(Transfer.debit_id).in_(accounts) | col(Transfer.credit_id).in_(accounts),
        )
        .order_by(col(Transfer.created_at), col(Transfer.id))
    )
    return [
        {
            "kind": move.kind,
            "purpose": accounts[account_id],
            "asset": move.asset,
            "amount": sign * move.amount,
            "at": move.created_at.isoformat(),
        }
        for move in moves
        for account_id, sign in ((move.debit_id, -1), (move.credit_id, 1))
        if account_id in accounts
    ]
