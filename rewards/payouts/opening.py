"""A payout comes into being: its amount leaves what is payable, and it is noted which rewards that covers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import case, exists, select, update
from sqlmodel import Session, col

from core import clock, ids
from core.db import insert_all, table
from core.errors import BadInput, Conflict, Refused
from core.money import LARGEST, Money
from core.writer import announce
from rewards.ledger import Account, Purpose, take_stock, transfer
from rewards.payouts.payouts import OPEN, Payout, PayoutEvent, PayoutLine, PayoutStarted, start_moves, tell
from rewards.payouts.port import AUTOMATIC
from rewards.rewards import Reward

TOPIC = "payouts"
"""What the writer announces when there is something for the runner."""


def deliver_item(
    session: Session,
    brand_id: UUID,
    member_id: UUID,
    *,
    provider: str,
    asset: str,
    amount: int,
    item_id: UUID,
    key: str,
    quantity: int = 1,
    reward_id: UUID | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Payout:
    """Take what an item costs (points), or the item reward itself, out of what is payable; who delivers it concludes.

    Idempotent by `key`. `detail["item"]` is what a provider sees of the item. A `provider` that the runner does not
    know is left alone by it. Raises `Refused("above_available", available)`, `Conflict("payout_differs")`.
    """
    found = asked_before(session, brand_id, key)
    if found is not None:
        return same(found, member_id, provider, asset, amount, item_id)
    check_amount(amount)
    uncovered = lock_rewards(session, brand_id, member_id, asset, reward_id=reward_id)
    available = lock_payable(session, brand_id, member_id, asset)
    found = asked_before(session, brand_id, key)  # by somebody who held the locks until now
    if found is not None:
        return same(found, member_id, provider, asset, amount, item_id)
    if amount > available:
        raise Refused("above_available", available=Money(max(available, 0), asset))
    payout = Payout(
        brand_id=brand_id,
        id=ids.new(),
        member_id=member_id,
        provider=provider,
        asset=asset,
        amount=amount,
        key=key,
        item_id=item_id,
        quantity=quantity,
        reward_id=reward_id,
        detail=dict(detail or {}),
        created_at=clock.now(),
    )
    return open_payout(session, payout, uncovered)


def asked_before(session: Session, brand_id: UUID, key: str) -> Payout | None:
    """The payout that this key asked for already."""
    return session.scalars(select(Payout).where(col(Payout.brand_id) == brand_id, col(Payout.key) == key)).one_or_none()


def same(found: Payout, member_id: UUID, provider: str, asset: str, amount: int, item_id: UUID | None) -> Payout:
    """The payout found, if it is what is asked for now. Raises `Conflict("payout_differs")`."""
    asked = (member_id, provider, asset, amount, item_id)
    if (found.member_id, found.provider, found.asset, found.amount + found.fee, found.item_id) != asked:
        raise Conflict("payout_differs")
    return found


def check_amount(amount: int) -> None:
    """Raises `BadInput("amount_out_of_range")` for what is no positive whole number of minor units."""
    if type(amount) is not int or not 0 < amount <= LARGEST:
        raise BadInput("amount_out_of_range", amount=amount)


def lock_rewards(
    session: Session,
    brand_id: UUID,
    member_id: UUID,
    asset: str,
    *,
    campaigns: Collection[UUID] | None = None,
    reward_id: UUID | None = None,
) -> Sequence[Reward]:
    """A member's released rewards that no payout covers in full, oldest first, locked until the commit."""
    found = select(Reward).where(
        col(Reward.brand_id) == brand_id,
        col(Reward.member_id) == member_id,
        col(Reward.asset) == asset,
        col(Reward.state) == "payable",
        col(Reward.amount) - col(Reward.taken_back) > col(Reward.paid_out),
    )
    if campaigns is not None:
        found = found.where(col(Reward.campaign_id).in_(campaigns))
    if reward_id is not None:
        found = found.where(col(Reward.id) == reward_id)
    found = found.order_by(col(Reward.created_at), col(Reward.id)).with_for_update()
    return session.scalars(found.execution_options(populate_existing=True)).all()


def lock_payable(session: Session, brand_id: UUID, member_id: UUID, asset: str) -> int:
    """What is payable to a member, locked until the commit: the account itself may fall below zero, we may not."""
    account = Account(brand_id, member_id, Purpose.PAYABLE, asset)
    return take_stock(session, [account])[account]


def open_payout(session: Session, payout: Payout, uncovered: Sequence[Reward], actor: str | None = None) -> Payout:
    """Write the payout, its lines and its transfers, and tell. The caller holds the locks and has checked."""
    payout.due_at = clock.now() if payout.provider in AUTOMATIC else None
    session.add(payout)
    session.flush()
    lines = _lines(payout, uncovered)
    insert_all(session, table(PayoutLine), lines)
    cover(session, payout.brand_id, {line["reward_id"]: line["amount"] for line in lines})
    transfer(session, start_moves(payout))
    session.add(
        PayoutEvent(
            brand_id=payout.brand_id,
            payout_id=payout.id,
            kind="ask",
            state=payout.state,
            reason=payout.flag,
            actor=actor,
            at=payout.created_at,
        )
    )
    session.flush()
    announce(session, TOPIC)
    tell(session, PayoutStarted, payout)
    return payout


def _lines(payout: Payout, uncovered: Sequence[Reward]) -> list[dict[str, Any]]:
    """Cover rewards, the first first, until the payout and its fee are used up."""
    left = payout.amount + payout.fee
    lines = []
    for reward in uncovered:
        part = min(left, reward.amount - reward.taken_back - reward.paid_out)
        if part <= 0:
            continue
        lines.append(
            {
                "brand_id": payout.brand_id,
                "id": ids.new(),
                "payout_id": payout.id,
                "reward_id": reward.id,
                "amount": part,
            }
        )
        left -= part
        if not left:
            break
    return lines


def cover(session: Session, brand_id: UUID, by_reward: Mapping[UUID, int]) -> None:
    """Payouts cover this much more (or less, below zero) of these rewards; their states follow."""
    if not by_reward:
        return
    whose = (col(Reward.brand_id) == brand_id, col(Reward.id).in_(list(by_reward)))
    more = case(by_reward, value=col(Reward.id))
    session.execute(update(Reward).where(*whose).values(paid_out=col(Reward.paid_out) + more))
    follow(session, brand_id, list(by_reward))


def follow(session: Session, brand_id: UUID, rewards: Collection[UUID]) -> None:
    """Let the states of released rewards follow what covers them: payable, in_payout, or paid when all has arrived."""
    on_the_way = exists(
        select(col(PayoutLine.id))
        .join(
            Payout,
            (col(Payout.brand_id) == col(PayoutLine.brand_id)) & (col(Payout.id) == col(PayoutLine.payout_id)),
        )
        .where(
            col(PayoutLine.brand_id) == col(Reward.brand_id),
            col(PayoutLine.reward_id) == col(Reward.id),
            col(Payout.state).in_(OPEN),
        )
    )
    state = case(
        (col(Reward.paid_out) < col(Reward.amount) - col(Reward.taken_back), "payable"),
        (on_the_way, "in_payout"),
        else_="paid",
    )
    session.execute(
        update(Reward)
        .where(
            col(Reward.brand_id) == brand_id,
            col(Reward.id).in_(rewards),
            col(Reward.state).in_(("payable", "in_payout", "paid")),
        )
        .values(state=state)
    )
