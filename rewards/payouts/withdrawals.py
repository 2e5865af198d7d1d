"""Withdrawals: what a member may take out, by which provider, on which terms; and taking it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from core import clock, ids
from core.db import among_keys, table
from core.errors import Refused
from core.money import Money
from referral.campaigns import Campaign
from rewards.ledger import Purpose, balances_of
from rewards.payouts import approvals, payees
from rewards.payouts.opening import asked_before, check_amount, lock_payable, lock_rewards, open_payout, same
from rewards.payouts.payouts import Payee, Payout
from rewards.payouts.port import carries, expresses
from rewards.plans import PayoutTerms, cached_plan
from rewards.rewards import Reward

BASIS = 10_000


@dataclass(frozen=True, slots=True)
class Offer:
    """What a member may take out of one asset by one provider now, in minor units.

    `amount` here and in `withdraw` is what leaves their balance; the fee is part of it, the rest arrives.
    `day_left`: what today's limit leaves, None without one.
    """

    provider: str
    asset: str
    available: int
    minimum: int
    terms: PayoutTerms
    day_left: int | None = None
    campaigns: frozenset[UUID] = field(default_factory=frozenset, repr=False)

    def fee_of(self, amount: int) -> int:
        """The fee for taking out `amount`; the share is rounded down."""
        return self.terms.fee + amount * self.terms.fee_basis_points // BASIS

    @property
    def most(self) -> int:
        """The most that can be taken out now; 0 when that is less than the minimum."""
        most = self.available if self.day_left is None else min(self.available, self.day_left)
        return most if most >= self.minimum else 0


@dataclass(slots=True)
class _Source:
    """The released rewards that one provider pays in one asset. `uncovered`: what no payout covers."""

    uncovered: int = 0
    newest: tuple[datetime, UUID, int] | None = None
    campaigns: set[UUID] = field(default_factory=set)


def withdrawable(session: Session, brand_id: UUID, member_id: UUID) -> list[Offer]:
    """What the member may take out. Only what they own: a debt counts, what is on its way does not.

    A provider is the choice of the campaign a reward came from. Where campaigns of one provider differ in their terms,
    those of the newest reward hold for all of it.
    """
    found = balances_of(session, brand_id, member_id)
    balances = {asset: amount for (purpose, asset), amount in found.items() if purpose == Purpose.PAYABLE}
    sources = _sources(session, brand_id, member_id)
    offers = []
    for (provider, asset), source in sorted(sources.items()):
        balance = balances.get(asset, 0)
        others = sum(one.uncovered for (_, other), one in sources.items() if other == asset) - source.uncovered
        available = min(balance, max(source.uncovered, balance - others))
        if available > 0 and carries(provider, asset):
            offers.append(_offer(session, brand_id, member_id, provider, asset, available, source))
    return offers


def _sources(session: Session, brand_id: UUID, member_id: UUID) -> dict[tuple[str, str], _Source]:
    worth = col(Reward.amount) - col(Reward.taken_back) - col(Reward.paid_out)
    rows = session.execute(
        select(
            col(Reward.campaign_id),
            col(Reward.campaign_version),
            col(Reward.asset),
            func.sum(case((worth > 0, worth), else_=0)),
            func.max(col(Reward.created_at)),
        )
        .where(
            # By the member, whose rewards are few: the groups are an index's of all rewards of the brand.
            among_keys(session, (table(Reward).c.brand_id, table(Reward).c.member_id), {(brand_id, member_id)}),
            col(Reward.state).in_(("payable", "in_payout", "paid")),
        )
        .group_by(col(Reward.campaign_id), col(Reward.campaign_version), col(Reward.asset))
    )
    sources: dict[tuple[str, str], _Source] = defaultdict(_Source)
    for campaign_id, version, asset, uncovered, at in rows:
        terms = cached_plan(session, brand_id, campaign_id, version).payout
        source = sources[(terms.provider, asset)]
        source.uncovered += int(uncovered)
        source.campaigns.add(campaign_id)
        source.newest = max(source.newest or (at, campaign_id, version), (at, campaign_id, version))
    return sources


def _offer(
    session: Session, brand_id: UUID, member_id: UUID, provider: str, asset: str, available: int, source: _Source
) -> Offer:
    assert source.newest is not None
    _, campaign_id, version = source.newest
    terms = cached_plan(session, brand_id, campaign_id, version).payout
    # The smallest amount of which at least one unit arrives.
    least = -(-(terms.fee + 1) * BASIS // (BASIS - terms.fee_basis_points))
    day_left = None
    if terms.day_limit is not None:
        campaign = session.get_one(Campaign, (brand_id, campaign_id))
        taken = _taken_since(session, brand_id, member_id, provider, asset, _midnight(campaign.timezone))
        day_left = max(0, terms.day_limit - taken)
    minimum = max(terms.minimum, least)
    return Offer(provider, asset, available, minimum, terms, day_left, frozenset(source.campaigns))


def _midnight(zone: str) -> datetime:
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    return datetime.combine(today, time(), ZoneInfo(zone)).astimezone(UTC)


def _taken_since(session: Session, brand_id: UUID, member_id: UUID, provider: str, asset: str, since: datetime) -> int:
    """What the member took out since then and did not get back."""
    return int(
        session.scalar(
            select(func.coalesce(func.sum(col(Payout.amount) + col(Payout.fee)), 0)).where(
                col(Payout.brand_id) == brand_id,
                col(Payout.member_id) == member_id,
                col(Payout.created_at) >= since,
                col(Payout.provider) == provider,
                col(Payout.asset) == asset,
                col(Payout.state) != "failed",
                col(Payout.item_id).is_(None),
            )
        )
        or 0
    )


def withdraw(
    session: Session, brand_id: UUID, member_id: UUID, provider: str, asset: str, amount: int, key: str
) -> Payout:
    """Take `amount` (minor units, fee included) out of the member's balance and on its way. Idempotent by `key`.

    Raises `BadInput("amount_out_of_range")`; `Refused`: currency_not_carried (provider, asset), payee_missing
    (provider), payee_name_missing (provider), below_minimum (minimum), above_available (available), day_limit (left),
    amount_not_whole (asset, arrives), with amounts as `Money`; `Conflict("payout_differs")` when the key asked for
    something else before.
    """
    key = f"withdraw/{member_id}/{key}"
    found = asked_before(session, brand_id, key)
    if found is not None:
        return same(found, member_id, provider, asset, amount, None)
    check_amount(amount)
    if not carries(provider, asset):
        raise Refused("currency_not_carried", provider=provider, asset=asset)
    lock_rewards(session, brand_id, member_id, asset)
    lock_payable(session, brand_id, member_id, asset)
    found = asked_before(session, brand_id, key)  # by somebody who held the locks until now
    if found is not None:
        return same(found, member_id, provider, asset, amount, None)
    offer = next(
        (o for o in withdrawable(session, brand_id, member_id) if (o.provider, o.asset) == (provider, asset)), None
    )
    if offer is None or amount > offer.available:
        raise Refused("above_available", available=Money(offer.available if offer else 0, asset))
    if amount < offer.minimum:
        raise Refused("below_minimum", minimum=Money(offer.minimum, asset))
    if offer.day_left is not None and amount > offer.day_left:
        raise Refused("day_limit", left=Money(offer.day_left, asset))
    fee = offer.fee_of(amount)
    if not expresses(provider, asset, amount - fee):
        raise Refused("amount_not_whole", asset=asset, arrives=Money(amount - fee, asset))
    payee = _payee(session, brand_id, member_id, provider, amount - fee)
    flag = approvals.flag_of(session, payee, asset, amount)
    payout = Payout(
        brand_id=brand_id,
        id=ids.new(),
        member_id=member_id,
        provider=provider,
        asset=asset,
        amount=amount - fee,
        fee=fee,
        key=key,
        payee_id=payee.id if payee else None,
        approved=flag is None,
        flag=flag,
        created_at=clock.now(),
    )
    rewards: Sequence[Reward] = lock_rewards(session, brand_id, member_id, asset, campaigns=offer.campaigns)
    return open_payout(session, payout, rewards)


def _payee(session: Session, brand_id: UUID, member_id: UUID, provider: str, amount: int) -> Payee | None:
    if not payees.SHAPES[provider]:
        return None
    payee = payees.payee_of(session, brand_id, member_id, provider)
    if payee is None:
        raise Refused("payee_missing", provider=provider)
    if amount >= payees.NAMED_FROM.get(provider, amount + 1) and "name" not in payees.details_of(payee):
        raise Refused("payee_name_missing", provider=provider)
    return payee
