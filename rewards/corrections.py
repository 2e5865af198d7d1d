"""Corrections: rewards, or parts of them, taken back by adding transfers, never by editing any.

What is still held is voided into the campaign's budget; what was released is clawed back from what is payable to the
beneficiary, whether or not it was paid out since. The payable balance may fall below zero by that: a debt, which is
carried forward and settled by whatever is released next.

References: `void/<reward>/<cause>` and `clawback/<reward>/<cause>`; the cause is a reason, or `refund/<refund>`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, events
from core.db import among_keys, table
from core.errors import Refused
from core.events import Bus
from core.money import ITEM
from referral.attribution.decisions import shares_of
from referral.attribution.split import parts_of
from referral.conversions import Conversion, PurchaseRefunded
from referral.refunds import REFUNDED
from rewards import budget
from rewards.ledger import Account, LedgerAccount, Move, Purpose, Transfer, transfer_new
from rewards.payouts.opening import follow
from rewards.payouts.payouts import Payout
from rewards.payouts.settling import cancel_payout
from rewards.plans import Rule, cached_plan
from rewards.rewards import BY, Reward, RewardVoided, tell
from rewards.schedule import percent_of

BEFORE_RELEASE = ("held", "in_review")
RELEASED = ("payable", "in_payout", "paid")
"""States of a reward whose money has come to `member.payable`, whatever became of it there."""
OF_ORDER = "order/"
"""How the cause of a reward for an order begins; the conversion's id follows."""
ALIVE = (*BEFORE_RELEASE, *RELEASED)
BY_LINK = ("self_referral", "loop", "linked_duplicate")
"""Why a link takes back; what it took comes back when it is undone."""
ANEW = "/again/"
"""What the cause of a reward has behind the first one's cause that was granted anew, after a review; the case's id
follows (see `rewards.reinstating`)."""
AGAIN = "link/"
"""How the reason of a living reward begins that came back with an undone link (see `rewards.linking`)."""


def listen(bus: Bus) -> None:
    """Let refunds reach the rewards."""
    bus.on(PurchaseRefunded, on_refunded)


def order_cause(conversion_id: UUID) -> str:
    """The cause of rewards for an order."""
    return f"{OF_ORDER}{conversion_id}"


def first_cause(cause: str) -> str:
    """What a reward is for, also where it was granted anew."""
    return cause.partition(ANEW)[0]


def order_in(cause: str) -> UUID | None:
    """The conversion that a reward is for, if it is for one."""
    first = first_cause(cause).partition(BY)[0]
    return UUID(first.removeprefix(OF_ORDER)) if first.startswith(OF_ORDER) else None


def credited_in(cause: str) -> UUID | None:
    """The advocate whose share of an order a reward is, as they were then; None where it is no share."""
    share = first_cause(cause).partition(BY)[2]
    return UUID(share) if share else None


@dataclass(frozen=True, slots=True)
class Taking:
    """Take `amount` of a reward, which is locked and alive. The `cause` makes it happen once."""

    reward: Reward
    amount: int
    reason: str
    cause: str


def take_back(
    session: Session,
    rewards: Sequence[Reward],
    reason: str,
    *,
    amounts: Mapping[UUID, int] | None = None,
    cause: str | None = None,
) -> None:
    """Void what is held and claw back what was released: all that is left of each reward, or these `amounts` by
    reward at most. What is capped or gone stays as it is. With a `cause` a repeat changes nothing.
    """
    takings = []
    for row in _lock(session, {(reward.brand_id, reward.id) for reward in rewards}):
        left = row.amount - row.taken_back
        part = left if amounts is None else min(left, amounts.get(row.id, 0))
        if part > 0 and row.state in ALIVE:
            known = reason if part == left else f"{reason}/{row.taken_back}"
            takings.append(Taking(row, part, reason, cause or known))
    _take(session, takings)


def _take(session: Session, takings: Sequence[Taking]) -> None:
    moves = [_move(taking) for taking in takings]
    made = transfer_new(session, moves)
    taken = [taking for taking, move in zip(takings, moves, strict=True) if move.reference in made]
    whole = [_note(taking) for taking in taken]
    session.flush()
    released = [taking.reward for taking in taken if taking.reward.state in RELEASED]
    for brand_id in {row.brand_id for row in released}:
        follow(session, brand_id, [row.id for row in released if row.brand_id == brand_id])
    _lock(session, {(row.brand_id, row.id) for row in released})  # whose states may have followed
    _call_off(session, [one.reward for one, gone in zip(taken, whole, strict=True) if gone])
    _tell(session, list(zip(taken, whole, strict=True)))


def _call_off(session: Session, gone: Sequence[Reward]) -> None:
    """Items that still wait to be handed over are not, once their reward was taken back. An undone link may bring
    those back that it took, so they wait on."""
    lost = {(row.brand_id, row.id) for row in gone if row.asset.startswith(ITEM) and row.reason not in BY_LINK}
    t = table(Payout)
    waiting = select(t.c.brand_id, t.c.id).where(
        among_keys(session, (t.c.brand_id, t.c.reward_id), lost), t.c.state == "pending"
    )
    for brand_id, payout_id in session.execute(waiting.order_by(t.c.id)).all() if lost else ():
        with suppress(Refused):  # it left at this moment
            cancel_payout(session, brand_id, payout_id, "correction")


def taken_for(session: Session, reward: Reward, reason: str) -> int:
    """How much the last correction for this reason took of a reward."""
    kind = "void" if reward.state == "voided" else "clawback"
    t = table(Transfer)
    last = (
        select(t.c.amount)
        .where(
            t.c.brand_id == reward.brand_id,
            t.c.reference.startswith(f"{kind}/{reward.id}/"),
            t.c.reference.endswith(f"/{reason}", autoescape=True),
        )
        .order_by(t.c.created_at.desc(), t.c.id.desc())
        .limit(1)
    )
    return int(session.scalars(last).one())


def _lock(session: Session, keys: Collection[tuple[UUID, UUID]]) -> Sequence[Reward]:
    """These (brand, reward), as they stand now and until the commit, whatever objects say."""
    if not keys:
        return []
    t = table(Reward)
    return session.scalars(
        select(Reward)
        .where(among_keys(session, (t.c.brand_id, t.c.id), keys))
        .order_by(col(Reward.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _move(taking: Taking) -> Move:
    row = taking.reward
    kind, source = ("void", Purpose.HELD) if row.state in BEFORE_RELEASE else ("clawback", Purpose.PAYABLE)
    # A reward that came back may be taken back again for the same reason: its second life has its own references.
    life = f"{row.reason}/" if row.reason and row.reason.startswith(AGAIN) else ""
    account = Account(row.brand_id, row.member_id, source, row.asset)
    back = Account(row.brand_id, row.campaign_id, Purpose.BUDGET, row.asset)
    return Move(f"{kind}/{row.id}/{life}{taking.cause}", kind, account, back, taking.amount)


def _note(taking: Taking) -> bool:
    """Write on the reward what was taken; whether nothing of it is left."""
    row = taking.reward
    row.taken_back += taking.amount
    if row.taken_back == row.amount:
        row.state = "voided" if row.state in BEFORE_RELEASE else "clawed_back"
        row.reason, row.settled_at = taking.reason, clock.now()
        return True
    if not (row.reason and row.reason.startswith(AGAIN)):
        row.reason = taking.reason
    return False


def _tell(session: Session, taken: Sequence[tuple[Taking, bool]]) -> None:
    debts = _debts(session, {(one.reward.brand_id, one.reward.member_id, one.reward.asset) for one, _ in taken})
    events.emit(
        session,
        [
            tell(
                RewardVoided,
                one.reward,
                amount=one.amount,
                reason=one.reason,
                whole=whole,
                debt=debts.get((one.reward.brand_id, one.reward.member_id, one.reward.asset), 0),
                cause=one.cause,
            )
            for one, whole in taken
        ],
    )


def _debts(session: Session, owners: Collection[tuple[UUID, UUID, str]]) -> dict[tuple[UUID, UUID, str], int]:
    """How far below zero what is payable to these (brand, member) in these assets is; only who owes."""
    if not owners:
        return {}
    t = table(LedgerAccount)
    accounts = {Account(*owner[:2], Purpose.PAYABLE, owner[2]).id: owner for owner in owners}
    keys = {(owner[0], account_id) for account_id, owner in accounts.items()}
    rows = session.execute(
        select(t.c.id, t.c.balance).where(among_keys(session, (t.c.brand_id, t.c.id), keys), t.c.balance < 0)
    )
    return {accounts[account_id]: -balance for account_id, balance in rows}


def debt_of(session: Session, brand_id: UUID, member_id: UUID) -> dict[str, int]:
    """What a member owes, by asset, in minor units; empty for most. What is released next settles it."""
    rows = session.execute(
        select(col(LedgerAccount.asset), col(LedgerAccount.balance)).where(
            col(LedgerAccount.brand_id) == brand_id,
            col(LedgerAccount.owner_id) == member_id,
            col(LedgerAccount.purpose) == Purpose.PAYABLE,
            col(LedgerAccount.balance) < 0,
        )
    )
    return {asset: -balance for asset, balance in rows}


def on_refunded(session: Session, happened: Sequence[PurchaseRefunded]) -> None:
    """Make the rewards of orders worth what they would be, had each order been what is left of it. Set-based."""
    # Budgets before rewards, as whoever grants and reverses takes them: else two processes could wait in a ring.
    budget.lock(session, {(event.brand_id, event.campaign_id) for event in happened})
    by_order: dict[tuple[UUID, UUID | None], list[Reward]] = defaultdict(list)
    left: dict[UUID, int] = {}
    for row in _lock(session, _for_orders(session, happened)):
        if row.state in ALIVE:
            by_order[(row.brand_id, order_in(row.cause))].append(row)
            left[row.id] = row.amount - row.taken_back
    takings = []
    for event in happened:
        for row in by_order[(event.brand_id, event.conversion_id)]:
            surplus = left[row.id] - worth(session, row, event.net_after)
            if surplus > 0:
                takings.append(Taking(row, surplus, REFUNDED, f"refund/{event.refund_id}"))
                left[row.id] -= surplus
    _take(session, takings)


def _for_orders(session: Session, happened: Sequence[PurchaseRefunded]) -> set[tuple[UUID, UUID]]:
    """The (brand, reward) of everything that was granted for these orders, in shares and anew, too."""
    t = table(Reward)
    key = (t.c.brand_id, t.c.referral_id)
    wanted = {(event.brand_id, event.referral_id, order_cause(event.conversion_id)) for event in happened}
    first = select(t.c.brand_id, t.c.id).where(among_keys(session, (*key, t.c.cause), wanted))
    more = select(t.c.brand_id, t.c.id).where(
        among_keys(session, key, {one[:2] for one in wanted}), t.c.cause.like(f"{OF_ORDER}%/%")
    )
    return {(brand_id, reward_id) for query in (first, more) for brand_id, reward_id in session.execute(query)}


def worth_now(session: Session, row: Reward) -> int:
    """What a reward may be worth at most now: all of it, but for an order of which something went back."""
    conversion_id = order_in(row.cause)
    if conversion_id is None:
        return row.amount
    order = session.get_one(Conversion, (row.brand_id, conversion_id), populate_existing=True)
    return worth(session, row, order.left)


def worth(session: Session, row: Reward, net: int) -> int:
    """What an order's reward is worth when this much of the order is left.

    A percentage is computed anew, rounded and shared as it was. A fixed reward for each order is whole until nothing is
    left; one for the friend's qualifying, or by the friend's number, belongs to the referral and falls with it.
    """
    plan = cached_plan(session, row.brand_id, row.campaign_id, row.campaign_version)
    rule: Rule | None = plan.rule_named(row.rule)
    if rule is not None and rule.basis_points is not None:
        whole = percent_of(net, rule.basis_points, rule.rounding)
        return _share(session, row, credited, whole) if (credited := credited_in(row.cause)) else whole
    return row.amount if net or (rule is not None and (rule.on is None or rule.scheduled)) else 0


def _share(session: Session, row: Reward, credited: UUID, whole: int) -> int:
    """An advocate's part of what an order is worth now: never more than when it was worth more."""
    conversion_id = order_in(row.cause)
    assert conversion_id is not None
    shares = shares_of(session, {(row.brand_id, conversion_id)})[(row.brand_id, conversion_id)]
    return parts_of(whole, shares)[credited]
