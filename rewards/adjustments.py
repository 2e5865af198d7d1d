"""Adjustments: goodwill and deductions that a person decides, with the reason and who decided. Never changed after.

Goodwill is a reward without a referral, payable at once, from the campaign's budget. A deduction is a transfer from
what is payable to the member back to that budget, and may leave a debt. Both are shown to the member with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, select
from sqlmodel import Field, Session, col

from core import clock, events, ids
from core.db import TenantRow, UtcDateTime, insert_new, table
from core.errors import BadInput, Conflict, NotFound, Refused
from core.money import LARGEST, Money, decimals
from referral.campaigns import Campaign
from referral.linking import person_of, standing_links
from referral.members import Member
from rewards.contests.reserve import held_back
from rewards.corrections import debt_of
from rewards.ledger import Account, Move, Purpose, take_stock, transfer
from rewards.rewards import Reward, RewardReleased, grant_move, release_move, tell

LONGEST = {"reason": 200, "actor": 100, "key": 100}
RULE = "adjustment"
"""What a goodwill reward has for a rule; no plan's rule can be called so (see `CAUSE`)."""
EVENT = "adjusted"
CAUSE = "adjust/"
"""How the cause of a goodwill reward begins; the adjustment's id follows."""


class Adjustment(TenantRow, table=True):
    """One decision. `amount`: positive given, negative taken, in minor units. `key`: the same key decides once."""

    __tablename__ = "adjustment"
    __table_args__ = (
        UniqueConstraint("brand_id", "key"),
        ForeignKeyConstraint(["brand_id", "member_id"], ["member.brand_id", "member.id"]),
        ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),
        CheckConstraint("amount <> 0", name="amount"),
        Index("ix_adjustment_member", "brand_id", "member_id", "created_at"),
    )

    member_id: UUID
    campaign_id: UUID
    asset: str
    amount: int = Field(sa_type=BigInteger)
    reason: str
    actor: str
    key: str
    created_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Somebody decided to give a member something (`amount` above zero) or to take it. `debt`: what they owe after."""

    brand_id: UUID
    adjustment_id: UUID
    campaign_id: UUID
    member_id: UUID
    asset: str
    amount: int
    reason: str
    actor: str
    debt: int


def adjust(
    session: Session,
    brand_id: UUID,
    member_id: UUID,
    campaign_id: UUID,
    asset: str,
    amount: int,
    *,
    reason: str,
    actor: str,
    key: str,
) -> Adjustment:
    """Give a member this much (or take it, below zero), once for each key; the decision.

    `reason` is in words that the member will read. Raises `BadInput` for what cannot be, `NotFound("member")`,
    `NotFound("campaign")`, `Refused("adjustment_budget")` where the budget does not reach, and
    `Conflict("adjustment_differs")` when the key decided something else.
    """
    _check(asset, amount, reason=reason, actor=actor, key=key)
    if session.get(Campaign, (brand_id, campaign_id)) is None:
        raise NotFound("campaign", slug=str(campaign_id))
    member_id = person_of(session, brand_id, member_id)  # nobody could take out what an absorbed member got
    member = session.get(Member, (brand_id, member_id))
    if member is None or member.erased_at is not None:
        raise NotFound("member")
    row = Adjustment(
        brand_id=brand_id,
        id=ids.new(),
        member_id=member_id,
        campaign_id=campaign_id,
        asset=asset,
        amount=amount,
        reason=reason,
        actor=actor,
        key=key,
        created_at=clock.now(),
    )
    target = table(Adjustment)
    if not insert_new(session, target, [row.model_dump()], ["brand_id", "key"], returning=target.c.id):
        return _same(session, row)
    if amount > 0:
        _give(session, row)
    else:
        payable = Account(brand_id, member_id, Purpose.PAYABLE, asset)
        budget = Account(brand_id, campaign_id, Purpose.BUDGET, asset)
        transfer(session, [Move(f"{CAUSE}{row.id}", "adjust", payable, budget, -amount)])
    debt = debt_of(session, brand_id, member_id).get(asset, 0)
    told = Adjusted(brand_id, row.id, campaign_id, member_id, asset, amount, reason, actor, debt)
    events.emit(session, [told])
    return row


def _check(asset: str, amount: int, **texts: str) -> None:
    decimals(asset)
    if amount == 0:
        raise BadInput("adjustment_of_nothing")
    if type(amount) is not int or abs(amount) > LARGEST:
        raise BadInput("amount_out_of_range", amount=str(amount)[:40])
    for name, text in texts.items():
        if not text.strip() or len(text) > LONGEST[name] or not text.isprintable():
            raise BadInput("adjustment_text", field=name, most=LONGEST[name])


_DECIDED = ("campaign_id", "asset", "amount", "reason")


def _same(session: Session, asked: Adjustment) -> Adjustment:
    """What this key decided before, if it is what is asked for now."""
    found = session.scalars(
        select(Adjustment).where(col(Adjustment.brand_id) == asked.brand_id, col(Adjustment.key) == asked.key)
    ).one()
    same = person_of(session, found.brand_id, found.member_id) == asked.member_id
    if not same or any(getattr(found, name) != getattr(asked, name) for name in _DECIDED):
        raise Conflict("adjustment_differs", key=asked.key)
    return found


def _give(session: Session, row: Adjustment) -> None:
    budget = Account(row.brand_id, row.campaign_id, Purpose.BUDGET, row.asset)
    kept = held_back(session, {(row.brand_id, row.campaign_id)})
    left = take_stock(session, [budget])[budget] - kept.get((row.campaign_id, row.asset), 0)
    if left < row.amount:
        raise Refused("adjustment_budget", left=Money(left, row.asset), amount=Money(row.amount, row.asset))
    campaign = session.get_one(Campaign, (row.brand_id, row.campaign_id))
    reward = Reward(
        brand_id=row.brand_id,
        id=ids.new(),
        campaign_id=row.campaign_id,
        campaign_version=campaign.version,
        member_id=row.member_id,
        role="advocate",
        rule=RULE,
        event=EVENT,
        cause=f"{CAUSE}{row.id}",
        asset=row.asset,
        amount=row.amount,
        state="payable",
        facts={"reason": row.reason},
        hold_until=row.created_at,
        created_at=row.created_at,
        settled_at=row.created_at,
    )
    session.add(reward)
    session.flush()
    owner = (row.member_id, row.asset, row.amount)
    transfer(
        session,
        [
            grant_move(reward.id, row.brand_id, row.campaign_id, *owner),
            release_move(reward.id, row.brand_id, *owner),
        ],
    )
    if row.asset.startswith("item:"):  # which is handed over when it is released
        events.emit(session, [tell(RewardReleased, reward)])


def adjustments_of(session: Session, brand_id: UUID, member_id: UUID) -> list[Adjustment]:
    """What was decided about a member, on all of their linked accounts, the newest first."""
    people = [member_id, *(link.absorbed_id for link in standing_links(session, brand_id, member_id))]
    return list(
        session.scalars(
            select(Adjustment)
            .where(col(Adjustment.brand_id) == brand_id, col(Adjustment.member_id).in_(people))
            .order_by(col(Adjustment.created_at).desc(), col(Adjustment.id).desc())
        )
    )
