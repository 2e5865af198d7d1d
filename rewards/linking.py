"""Hears that members were linked, or a link undone, and moves their rewards and money, by transfers, never by edits.

References: `link/<id>/<purpose>/<asset>` on the way there, `link/<id>/back/…` on the way back, and
`link/<id>/again/<reward>` for a reward that the link had taken back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.events import Bus
from referral.linking import LinkUndone, MemberLink, MembersLinked
from referral.referrals import OPEN, Referral
from referral.refunds import REFUNDED, reverse_emptied
from rewards import budget, surplus
from rewards.contests.reserve import held_back
from rewards.corrections import (
    AGAIN,
    ALIVE,
    BEFORE_RELEASE,
    BY_LINK,
    OF_ORDER,
    RELEASED,
    take_back,
    taken_for,
    worth_now,
)
from rewards.ledger import Account, Move, Purpose, balances_of, take_stock, transfer
from rewards.payouts.opening import follow
from rewards.rewards import BY, Reward, rewards_for


def listen(bus: Bus) -> None:
    """Join the books to the linking of members."""
    bus.on(MembersLinked, on_linked)
    bus.on(LinkUndone, on_undone)


def on_linked(session: Session, happened: Sequence[MembersLinked]) -> None:
    """Rewards and balances of the absorbed member become the kept one's; a debt goes over like a credit."""
    for event in happened:
        rewards = _lock(session, event.brand_id, member_id=event.absorbed_id)
        states = {str(reward.id): reward.state for reward in rewards}
        taken = {str(reward.id): reward.taken_back for reward in rewards}
        for reward in rewards:
            reward.member_id = event.kept_id
            session.add(reward)
        session.flush()
        assets = {asset for _, asset in balances_of(session, event.brand_id, event.absorbed_id)}
        accounts = [
            Account(event.brand_id, event.absorbed_id, purpose, asset)
            for purpose in (Purpose.HELD, Purpose.PAYABLE)
            for asset in sorted(assets)
        ]
        stock = take_stock(session, accounts) if accounts else {}
        moves = [_move(f"link/{event.link_id}", account, event.kept_id, amount) for account, amount in stock.items()]
        transfer(session, [move for move in moves if move is not None])
        payable = {account.asset: amount for account, amount in stock.items() if account.purpose is Purpose.PAYABLE}
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        link.moved = {**link.moved, "rewards": states, "taken": taken, "payable": payable}
        session.add(link)
        session.flush()
        _take_own_shares(session, event)


def _take_own_shares(session: Session, event: MembersLinked) -> None:
    """Who had a share of an order that turns out to be their own has none."""
    own = _shares(session, event.brand_id, (event.kept_id,), ALIVE)
    if own:
        budget.lock(session, {(row.brand_id, row.campaign_id) for row in own})
        take_back(session, own, "self_referral")


def _shares(
    session: Session, brand_id: UUID, members: Sequence[UUID], states: Sequence[str], reason: str | None = None
) -> Sequence[Reward]:
    """Rewards in these states for shares of orders, of one of these members for one of them (who may be one)."""
    same = (col(Referral.brand_id) == col(Reward.brand_id)) & (col(Referral.id) == col(Reward.referral_id))
    found = (
        select(Reward)
        .join(Referral, same)
        .where(
            col(Reward.brand_id) == brand_id,
            col(Reward.member_id).in_(members),
            col(Referral.friend_id).in_(members),
            col(Reward.cause).like(f"{OF_ORDER}%{BY}%"),
            col(Reward.state).in_(states),
        )
    )
    return session.scalars(found if reason is None else found.where(col(Reward.reason) == reason)).all()


def _move(reference: str, source: Account, to: UUID, amount: int) -> Move | None:
    """`amount` of an account to the same account of another owner; a negative amount is a debt that goes over."""
    target = Account(source.brand_id, to, source.purpose, source.asset)
    debit, credit = (source, target) if amount > 0 else (target, source)
    reference = f"{reference}/{source.purpose}/{source.asset}"
    return Move(reference, "link", debit, credit, abs(amount)) if amount else None


def on_undone(session: Session, happened: Sequence[LinkUndone]) -> None:
    """What had gone over goes back, as it would stand now had it never left.

    What the kept member was paid out of it since stays paid: their payable balance may fall below zero (a debt).
    """
    for event in happened:
        link = session.get_one(MemberLink, (event.brand_id, event.link_id))
        before: dict[str, str] = link.moved.get("rewards", {})
        rewards = _lock(session, event.brand_id, reward_ids=[UUID(reward_id) for reward_id in before])
        held, payable = _as_if_never_linked(rewards, before, link.moved.get("taken", {}), link.moved.get("payable", {}))
        for reward in rewards:
            reward.member_id = event.absorbed_id
            session.add(reward)
        session.flush()
        reference = f"link/{event.link_id}/back"
        moves = [
            _move(reference, Account(event.brand_id, event.kept_id, purpose, asset), event.absorbed_id, amount)
            for purpose, amounts in ((Purpose.HELD, held), (Purpose.PAYABLE, payable))
            for asset, amount in sorted(amounts.items())
        ]
        transfer(session, [move for move in moves if move is not None])
        _grant_again(session, event)
        _settle_steps(session, event)


def _as_if_never_linked(
    rewards: Iterable[Reward], before: dict[str, str], taken: dict[str, int], moved: dict[str, Any]
) -> tuple[dict[str, int], dict[str, int]]:
    """(held, payable) of the absorbed member per asset: what went over, and what became of those rewards since."""
    held: dict[str, int] = defaultdict(int)
    payable: dict[str, int] = defaultdict(int, moved)
    for reward in rewards:
        worth = reward.amount - reward.taken_back
        if reward.state in BEFORE_RELEASE:
            held[reward.asset] += worth
        if before[str(reward.id)] in RELEASED:
            payable[reward.asset] -= reward.amount - taken.get(str(reward.id), 0)
        if reward.state in RELEASED:
            payable[reward.asset] += worth
    return held, payable


def _grant_again(session: Session, event: LinkUndone) -> None:
    """Rewards that the link took back are there again, as far as the budget reaches."""
    # What they had bought may have gone back in the meantime.
    emptied = reverse_emptied(session, {(event.brand_id, referral) for referral in event.restored})
    restored = [referral for referral in event.restored if referral not in emptied]
    again: list[Reward] = []
    two = (event.kept_id, event.absorbed_id)
    shares = [
        reward
        for reward in _shares(session, event.brand_id, two, ("voided", "clawed_back"), "self_referral")
        if _is_of_another(session, reward)
    ]
    for reward in {one.id: one for one in (*rewards_for(session, event.brand_id, restored), *shares)}.values():
        if reward.state not in ("voided", "clawed_back") or reward.reason not in BY_LINK:
            continue
        budget = Account(reward.brand_id, reward.campaign_id, Purpose.BUDGET, reward.asset)
        left = take_stock(session, [budget])[budget]
        prizes = held_back(session, {(reward.brand_id, reward.campaign_id)})
        left -= prizes.get((reward.campaign_id, reward.asset), 0)
        amount = min(taken_for(session, reward, reward.reason), worth_now(session, reward))
        if not amount:
            reward.reason = REFUNDED
        elif left < amount:
            reward.reason = "budget_empty"
        else:
            purpose, state = (Purpose.HELD, "held") if reward.state == "voided" else (Purpose.PAYABLE, "payable")
            owner = Account(reward.brand_id, reward.member_id, purpose, reward.asset)
            reference = f"link/{event.link_id}/again/{reward.id}"
            transfer(session, [Move(reference, "link", budget, owner, amount)])
            # The reason keeps the references of a second taking back apart from those of the first.
            reward.state, reward.reason = state, f"{AGAIN}{event.link_id}"
            reward.taken_back -= amount
            reward.settled_at = clock.now() if state == "payable" else None
            again.append(reward)
        session.add(reward)
    session.flush()
    follow(session, event.brand_id, [reward.id for reward in again])


def _is_of_another(session: Session, reward: Reward) -> bool:
    """Whether the friend whose order a share is of is not its advocate, and still counts."""
    assert reward.referral_id is not None
    referral = session.get_one(Referral, (reward.brand_id, reward.referral_id))
    return referral.friend_id != reward.member_id and referral.state in OPEN


def _settle_steps(session: Session, event: LinkUndone) -> None:
    """What came back may have been made up for in the meantime: a step is paid once."""
    rows = session.execute(
        select(col(Referral.campaign_id), col(Referral.advocate_id)).where(
            col(Referral.brand_id) == event.brand_id, col(Referral.id).in_(event.restored)
        )
    )
    advocates = {(event.brand_id, campaign_id, advocate_id) for campaign_id, advocate_id in rows}
    budget.lock(session, {(brand_id, campaign_id) for brand_id, campaign_id, _ in advocates})
    surplus.take_back_lost(session, advocates)


def _lock(
    session: Session, brand_id: UUID, *, member_id: UUID | None = None, reward_ids: Sequence[UUID] = ()
) -> list[Reward]:
    """These rewards, as they stand now and until the commit."""
    whose = col(Reward.member_id) == member_id if member_id else col(Reward.id).in_(reward_ids)
    return list(
        session.scalars(
            select(Reward)
            .where(col(Reward.brand_id) == brand_id, whose)
            .order_by(col(Reward.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
