"""The settlement report of a campaign: what its budget was given, promised, took back, what became of the rewards.

For every asset two sums hold to the unit, and the sheet `checks` shows them: the budget (funded − unfunded − granted +
voided + clawed back + deducted = unspent, the ledger's balance), and the rewards (granted − voided − clawed back =
held + payable + being paid + paid − overpaid). Overpaid is what was paid out for rewards that were taken back later:
the members' debt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session

from core import i18n
from core.db import table
from core.money import Money
from referral.campaigns import Campaign
from referral.members import Member
from rewards.ledger import Account, LedgerAccount, Purpose, Transfer, balance
from rewards.payouts.payouts import Payout, PayoutLine
from rewards.rewards import Reward
from rewards.statements.causes import event_words, reason_words
from rewards.statements.sheets import Book, Cell, Sheet, amounts, columns

RELEASED = ("payable", "in_payout", "paid", "clawed_back")
"""States of a reward whose money has left `held` for the member."""
OPEN = ("pending", "processing", "unknown")
"""States of a payout that is on its way."""


@dataclass(slots=True)
class Settlement:
    """The figures of one asset, in minor units."""

    funded: int = 0
    unfunded: int = 0
    granted: int = 0
    voided: int = 0
    clawed_back: int = 0
    deducted: int = 0
    unspent: int = 0
    held: int = 0
    payable: int = 0
    paying: int = 0
    paid: int = 0
    fees: int = 0
    overpaid: int = 0

    @property
    def budget_gap(self) -> int:
        """What the budget's balance differs from its movements by: 0."""
        spent = self.granted - self.voided - self.clawed_back - self.deducted
        return self.funded - self.unfunded - spent - self.unspent

    @property
    def rewards_gap(self) -> int:
        """What the rewards' worth differs from what was granted and not taken back by: 0."""
        worth = self.held + self.payable + self.paying + self.paid - self.overpaid
        return self.granted - self.voided - self.clawed_back - worth


FIGURES = tuple(field.name for field in fields(Settlement))
GAPS = ("budget_gap", "rewards_gap")


def settle(session: Session, campaign: Campaign) -> dict[str, Settlement]:
    """The figures of a campaign by asset. `paid` includes `fees`, what the brand kept of it."""
    found: dict[str, Settlement] = defaultdict(Settlement)
    _budget(session, campaign, found)
    _rewards(session, campaign, found)
    _fees(session, campaign, found)
    return dict(found)


def _budget(session: Session, campaign: Campaign, found: dict[str, Settlement]) -> None:
    """What the transfers of the campaign's budget accounts sum to, and what is left on them."""
    t, account = table(Transfer), table(LedgerAccount)
    budgets = (account.c.brand_id == campaign.brand_id) & (account.c.owner_id == campaign.id)
    owned = session.execute(select(account.c.id, account.c.asset).where(budgets)).all()
    names = {
        ("fund", True): "funded",
        ("unfund", False): "unfunded",
        ("grant", False): "granted",
        ("link", False): "granted",
        ("void", True): "voided",
        ("clawback", True): "clawed_back",
        ("adjust", True): "deducted",
    }
    for account_id, asset in owned:
        for incoming, side in ((True, t.c.credit_id), (False, t.c.debit_id)):
            sums = select(t.c.kind, func.sum(t.c.amount)).where(t.c.brand_id == campaign.brand_id, side == account_id)
            for kind, amount in session.execute(sums.group_by(t.c.kind)):
                name = names[(kind, incoming)]
                setattr(found[asset], name, getattr(found[asset], name) + int(amount))
        budget = Account(campaign.brand_id, campaign.id, Purpose.BUDGET, asset)
        found[asset].unspent = balance(session, budget)


def _rewards(session: Session, campaign: Campaign, found: dict[str, Settlement]) -> None:
    """Where the worth of each reward is now: held, payable, on its way, paid, or paid beyond its worth."""
    reward = table(Reward)
    covered = _covered(session, campaign)
    rows = session.execute(
        select(reward.c.id, reward.c.asset, reward.c.state, (reward.c.amount - reward.c.taken_back).label("worth"))
        .where(reward.c.brand_id == campaign.brand_id, reward.c.campaign_id == campaign.id, reward.c.state != "capped")
        .execution_options(yield_per=1000)
    )
    for row in rows:
        figures = found[row.asset]
        paying, paid = covered.get(row.id, (0, 0))
        if row.state not in RELEASED:
            figures.held += row.worth
            continue
        figures.paying += paying
        figures.paid += paid
        figures.payable += max(row.worth - paying - paid, 0)
        figures.overpaid += max(paying + paid - row.worth, 0)


def _covered(session: Session, campaign: Campaign) -> dict[UUID, tuple[int, int]]:
    """(on its way, paid) of every reward of the campaign that a payout covers."""
    line, payout, reward = table(PayoutLine), table(Payout), table(Reward)
    rows = session.execute(
        select(line.c.reward_id, payout.c.state, func.sum(line.c.amount))
        .join(payout, (payout.c.brand_id == line.c.brand_id) & (payout.c.id == line.c.payout_id))
        .join(reward, (reward.c.brand_id == line.c.brand_id) & (reward.c.id == line.c.reward_id))
        .where(line.c.brand_id == campaign.brand_id, reward.c.campaign_id == campaign.id, payout.c.state != "failed")
        .group_by(line.c.reward_id, payout.c.state)
    )
    found: dict[UUID, tuple[int, int]] = {}
    for reward_id, state, amount in rows:
        paying, paid = found.get(reward_id, (0, 0))
        found[reward_id] = (paying + int(amount), paid) if state in OPEN else (paying, paid + int(amount))
    return found


def _fees(session: Session, campaign: Campaign, found: dict[str, Settlement]) -> None:
    """The campaign's share of each completed payout's fee: by what its rewards were of the whole, the parts of one
    payout summing to its fee."""
    line, payout, reward = table(PayoutLine), table(Payout), table(Reward)
    ours = (
        select(line.c.payout_id)
        .join(reward, (reward.c.brand_id == line.c.brand_id) & (reward.c.id == line.c.reward_id))
        .where(line.c.brand_id == campaign.brand_id, reward.c.campaign_id == campaign.id)
    )
    rows = session.execute(
        select(
            line.c.payout_id,
            line.c.amount,
            reward.c.campaign_id,
            payout.c.asset,
            payout.c.fee,
            payout.c.amount.label("net"),
        )
        .join(payout, (payout.c.brand_id == line.c.brand_id) & (payout.c.id == line.c.payout_id))
        .join(reward, (reward.c.brand_id == line.c.brand_id) & (reward.c.id == line.c.reward_id))
        .where(
            line.c.brand_id == campaign.brand_id,
            line.c.payout_id.in_(ours),
            payout.c.state == "completed",
            payout.c.fee > 0,
        )
        .order_by(line.c.payout_id, line.c.id)
    )
    reached: dict[UUID, int] = defaultdict(int)
    for row in rows:
        whole, before = row.net + row.fee, reached[row.payout_id]
        after = reached[row.payout_id] = before + row.amount
        if row.campaign_id == campaign.id:
            found[row.asset].fees += row.fee * after // whole - row.fee * before // whole


def campaign_statement(session: Session, campaign: Campaign, *, locale: str) -> Book:
    """Sheets `settlement` (figures by asset), `checks`, `rules` (counts and sums by rule) and `rewards` (each one)."""
    figures = sorted(settle(session, campaign).items())
    return Book(
        (
            Sheet("settlement", columns(asset="text", **amounts(*FIGURES)), _figures(figures, FIGURES)),
            Sheet("checks", columns(asset="text", **amounts(*GAPS)), _figures(figures, GAPS)),
            Sheet("rules", _RULE_COLUMNS, _rules(session, campaign, locale)),
            Sheet("rewards", REWARD_COLUMNS, _each(session, campaign, locale)),
        ),
        locale,
        campaign.timezone,
    )


def _figures(figures: Sequence[tuple[str, Settlement]], names: Sequence[str]) -> Iterator[Sequence[Cell]]:
    for asset, one in figures:
        yield asset, *(Money(getattr(one, name), asset) for name in names)


_RULE_COLUMNS = columns(
    rule="text",
    role="text",
    asset="text",
    rewards="number",
    granted="amount",
    taken_back="amount",
    worth="amount",
    refused="number",
)
REWARD_COLUMNS = columns(
    at="moment",
    member="text",
    role="text",
    rule="text",
    cause="text",
    asset="text",
    amount="amount",
    taken_back="amount",
    worth="amount",
    paid_out="amount",
    state="text",
    reason="text",
    hold_until="moment",
    reference="text",
)


def _rules(session: Session, campaign: Campaign, locale: str) -> Iterator[Sequence[Any]]:
    t = table(Reward)
    granted = t.c.state != "capped"
    grouped = (
        select(
            t.c.rule,
            t.c.role,
            t.c.asset,
            func.count().filter(granted).label("count"),
            func.coalesce(func.sum(t.c.amount).filter(granted), 0).label("amount"),
            func.coalesce(func.sum(t.c.taken_back).filter(granted), 0).label("taken_back"),
            func.count().filter(~granted).label("refused"),
        )
        .where(t.c.brand_id == campaign.brand_id, t.c.campaign_id == campaign.id)
        .group_by(t.c.rule, t.c.role, t.c.asset)
        .order_by(t.c.rule, t.c.role, t.c.asset)
    )
    for rule, role, asset, number, amount, taken_back, refused in session.execute(grouped):
        sums = (Money(int(one), asset) for one in (amount, taken_back, amount - taken_back))
        yield rule, i18n.text(locale, f"statement.role.{role}"), asset, number, *sums, refused


def _each(session: Session, campaign: Campaign, locale: str) -> Iterator[Sequence[Any]]:
    t, member = table(Reward), table(Member)
    rows = session.execute(
        select(*t.c, member.c.name)
        .join(member, (member.c.brand_id == t.c.brand_id) & (member.c.id == t.c.member_id))
        .where(t.c.brand_id == campaign.brand_id, t.c.campaign_id == campaign.id)
        .order_by(t.c.created_at, t.c.id)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        yield reward_cells(row, row.name, locale)


def reward_cells(row: Any, name: str, locale: str) -> tuple[Cell, ...]:
    """A row of rewards under `REWARD_COLUMNS`; `name`: the member's."""
    worth = 0 if row.state == "capped" else row.amount - row.taken_back
    return (
        row.created_at,
        name,
        i18n.text(locale, f"statement.role.{row.role}"),
        row.rule,
        event_words(row.event, locale),
        row.asset,
        *(Money(amount, row.asset) for amount in (row.amount, row.taken_back, worth, row.paid_out)),
        i18n.text(locale, f"statement.state.{row.state}"),
        reason_words(row.reason, locale),
        row.hold_until,
        str(row.id),
    )
