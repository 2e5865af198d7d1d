"""The end of a campaign's books: what was not spent goes back to the brand, and the campaign is settled.

It happens by itself as soon as nothing can change any more what the campaign owes (`settle_due`), or when an operator
says so. `waits_until` is the list of what it waits for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, null, select
from sqlmodel import Session

from core import clock
from core.db import among_keys, table
from core.errors import Refused
from referral.campaigns import Campaign, move
from referral.cases import Case
from referral.contests.results import FINAL, frozen_among
from referral.lifecycle import CampaignTimer, Key, move_all, read_anew, ring_at, take_due
from referral.referrals import IS_UNDER_WAY, Referral
from referral.trials.applications import unfinished
from referral.trials.places import UNFINISHED, TrialApplication
from rewards import ledger
from rewards.ledger import Account, LedgerAccount, Move, Purpose, Transfer
from rewards.plans import RewardPlan
from rewards.rewards import Reward

LATE_ORDERS = timedelta(days=3)
"""How long a shop may take to tell of an order: a campaign that pays for purchases keeps its budget that long."""
LOOK_AGAIN = timedelta(minutes=5)
"""When to look again where what is waited for has no moment of its own (another job, a person's decision)."""


def settle(session: Session, campaign: Campaign) -> dict[str, int]:
    """Return what is left of an ended campaign's budgets to the brand, by asset in minor units, and settle it.

    What corrections bring back afterwards is returned by settling again. Raises `Refused("campaign_state")` for one
    that has not ended, `Refused("rewards_held")` (held: how many) while rewards are on hold,
    `Refused("trial_unfinished")` (n: applications) while places of a trial are with somebody, and
    `Refused("contest_not_final")` while the prizes of a contest are still to be given.
    """
    reward = table(Reward)
    held = session.scalar(
        select(func.count()).where(
            reward.c.brand_id == campaign.brand_id,
            reward.c.campaign_id == campaign.id,
            reward.c.state.in_(("held", "in_review")),
        )
    )
    if campaign.state in ("ended", "settled") and held:
        raise Refused("rewards_held", held=held)
    if campaign.state == "ended" and campaign.kind == "contest" and not frozen_among(session, [_key(campaign)]):
        raise Refused("contest_not_final")
    trying = unfinished(session, campaign.brand_id, campaign.id)
    if campaign.state == "ended" and trying:
        raise Refused("trial_unfinished", n=trying)
    if campaign.state != "settled":
        move(session, campaign, "settle")
    returned = {}
    balances = ledger.balances_of(session, campaign.brand_id, campaign.id)
    for (purpose, asset), left in sorted(balances.items()):
        if purpose == Purpose.BUDGET and left > 0:
            reference = f"unfund/{campaign.id}/settled/{asset}/{_times(session, campaign)}"
            ledger.unfund(session, campaign.brand_id, campaign.id, asset, left, reference)
            returned[asset] = left
    return returned


def _times(session: Session, campaign: Campaign) -> int:
    """How often something was returned by settling before."""
    t = table(Transfer)
    settled = t.c.reference.startswith(f"unfund/{campaign.id}/settled/")
    return session.scalar(select(func.count()).where(t.c.brand_id == campaign.brand_id, settled)) or 0


def settle_due(session: Session) -> int:
    """Settle the ended campaigns that wait for nothing more, a bounded number of them; how many were looked at."""
    keys = take_due(session, "settle")
    ended = [campaign for campaign in read_anew(session, keys) if campaign.state == "ended"]
    later = waits_until(session, ended)
    ring_at(session, "settle", later)
    ready = [(one.brand_id, one.id) for one in ended if (one.brand_id, one.id) not in later]
    settled = move_all(session, dict.fromkeys(ready, "ended"), "settled")
    _give_back(session, [(one.brand_id, one.id) for one in settled])
    return len(keys)


def waits_until(session: Session, campaigns: Sequence[Campaign]) -> dict[Key, datetime]:
    """When to look again at those of these ended campaigns whose books may still change: friends under way, rewards on
    hold or under review, a case to be decided, a shop that may still tell of orders."""
    if not campaigns:
        return {}
    now, found = clock.now(), dict[Key, datetime]()

    def wait(key: Key, until: datetime | None) -> None:
        at = max(until or now, now + LOOK_AGAIN)
        found[key] = max(at, found.get(key, at))

    for campaign in _paying_orders(session, [one for one in campaigns if now < one.ends_at + LATE_ORDERS]):
        wait((campaign.brand_id, campaign.id), campaign.ends_at + LATE_ORDERS)
    keys = [(campaign.brand_id, campaign.id) for campaign in campaigns]
    questions = (_under_way, _held, _undecided, _trying, _not_final)
    for question in (ask(session, keys) for ask in questions):
        for brand_id, campaign_id, until in session.execute(question):
            wait((brand_id, campaign_id), until)
    return found


def _paying_orders(session: Session, campaigns: Sequence[Campaign]) -> list[Campaign]:
    """Those of these campaigns in which a purchase earns, by their terms as they are now."""
    p = table(RewardPlan)
    keys = [(one.brand_id, one.id, one.version) for one in campaigns]
    plans = session.execute(
        select(p.c.campaign_id, p.c.document["rules"]).where(
            among_keys(session, (p.c.brand_id, p.c.campaign_id, p.c.version), keys)
        )
    )
    paying = {campaign_id for campaign_id, rules in plans if any(rule.get("on") == "purchased" for rule in rules or ())}
    return [one for one in campaigns if one.event == "purchased" or one.id in paying]


def _under_way(session: Session, keys: Sequence[Key]) -> Select[Any]:
    """Friends whose window has closed, but not in the records yet: the jobs that do it run every few minutes."""
    r = table(Referral)
    chosen = among_keys(session, (r.c.brand_id, r.c.campaign_id), keys)
    late = r.c.expires_at <= clock.now()  # as every window of what has ended; by the index of windows
    return select(r.c.brand_id, r.c.campaign_id, null()).where(chosen, IS_UNDER_WAY, late).distinct()


def _held(session: Session, keys: Sequence[Key]) -> Select[Any]:
    r = table(Reward)
    chosen = among_keys(session, (r.c.brand_id, r.c.campaign_id), keys)
    latest = select(r.c.brand_id, r.c.campaign_id, func.max(r.c.hold_until, type_=r.c.hold_until.type))
    return latest.where(chosen, r.c.state.in_(("held", "in_review"))).group_by(r.c.brand_id, r.c.campaign_id)


def _undecided(session: Session, keys: Sequence[Key]) -> Select[Any]:
    c = table(Case)
    chosen = among_keys(session, (c.c.brand_id, c.c.campaign_id), keys)
    return select(c.c.brand_id, c.c.campaign_id, null()).where(chosen, c.c.state == "open").distinct()


def _trying(session: Session, keys: Sequence[Key]) -> Select[Any]:
    """Applications in a trial of which something may still come; `rewards.trials` ends them all some day."""
    t = table(TrialApplication)
    chosen = among_keys(session, (t.c.brand_id, t.c.campaign_id), keys)
    return select(t.c.brand_id, t.c.campaign_id, null()).where(chosen, t.c.state.in_(UNFINISHED)).distinct()


def _not_final(session: Session, keys: Sequence[Key]) -> Select[Any]:
    """Contests whose prizes are given when the time for objections is over."""
    t = table(CampaignTimer)
    chosen = among_keys(session, (t.c.brand_id, t.c.campaign_id), keys)
    return select(t.c.brand_id, t.c.campaign_id, t.c.due_at).where(chosen, t.c.what == FINAL)


def _key(campaign: Campaign) -> Key:
    return campaign.brand_id, campaign.id


def _give_back(session: Session, keys: Sequence[Key]) -> None:
    """What is left of the budgets of campaigns that were just settled, for the first time, back to their brands."""
    if not keys:
        return
    t = table(LedgerAccount)
    budgets = session.execute(
        select(t.c.brand_id, t.c.owner_id, t.c.asset, t.c.balance)
        .where(
            among_keys(session, (t.c.brand_id, t.c.owner_id), keys),
            t.c.purpose == str(Purpose.BUDGET),
            t.c.balance > 0,
        )
        .order_by(t.c.id)
        .with_for_update()
    )
    ledger.transfer(
        session,
        [
            Move(
                f"unfund/{campaign_id}/settled/{asset}/0",
                "unfund",
                Account(brand_id, campaign_id, Purpose.BUDGET, asset),
                Account(brand_id, brand_id, Purpose.EXTERNAL, asset),
                left,
            )
            for brand_id, campaign_id, asset, left in budgets
        ],
    )
