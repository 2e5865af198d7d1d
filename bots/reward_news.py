"""News of friends and rewards: granted with its date, released, not given and why, taken back, goodwill."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session

from bots.context import Safe, name_of, sentences
from bots.lines import reason_words
from bots.message import Button, Reply
from bots.news import News, Voice, tell
from core import clock, i18n
from core.db import among_keys, table
from core.events import Bus
from core.money import ITEM
from referral import leaderboard
from referral.campaigns import Campaign
from referral.referrals import FriendJoined, Referral
from rewards.adjustments import Adjusted
from rewards.contests.giving import EVENT as PRIZE
from rewards.items.prizes import ACTOR as DRAW
from rewards.ledger import Account, LedgerAccount, Purpose
from rewards.payouts.payouts import Payout
from rewards.rewards import Reward, RewardGranted, RewardReleased, RewardVoided
from rewards.trials import ACTOR as TRIAL
from rewards.trials import PASSED_ON

AND = {"en": " and ", "zh_Hans": "、"}
SUMS = 6
"""Different sums told in one message."""


def listen(bus: Bus) -> None:
    """Hear of rewards."""
    bus.on(FriendJoined, _on_joined)
    bus.on(RewardGranted, _on_granted)
    bus.on(RewardReleased, _on_released)
    bus.on(RewardVoided, _on_voided)
    bus.on(Adjusted, _on_adjusted)


def _on_joined(session: Session, happened: Sequence[FriendJoined]) -> None:
    # A friend who qualified in the same breath is told of by the reward.
    tell(
        session,
        [
            News(
                e.brand_id,
                e.advocate_id,
                "joined",
                f"joined/{e.referral_id}",
                {"campaign": str(e.campaign_id), "referral": str(e.referral_id), "at": e.due_at.isoformat()},
            )
            for e in happened
            if e.due_at is not None and e.due_at > clock.now()
        ],
    )


def _on_granted(session: Session, happened: Sequence[RewardGranted]) -> None:
    """What one event earned a person is told in one message: what is held by its date, what was refused by its
    reason."""
    # The prizes of a contest are told with the place that won them.
    told = [event for event in happened if event.state in ("held", "capped") and event.event != PRIZE]
    groups: dict[tuple[Any, ...], list[RewardGranted]] = defaultdict(list)
    for event in told:
        until = event.hold_until if event.state == "held" else None
        groups[(event.brand_id, event.member_id, event.referral_id, event.state, until)].append(event)
    news = []
    for (brand_id, member_id, _, state, until), events in groups.items():
        first = events[0]
        facts = _about(first) | {
            "rewards": [str(event.reward_id) for event in events],
            "sums": _sums(events),
            "at": until.isoformat() if until else None,
        }
        news.append(News(brand_id, member_id, state, f"granted/{first.reward_id}", facts))
    tell(session, news)


def _on_released(session: Session, happened: Sequence[RewardReleased]) -> None:
    """Several of one person at once are one message."""
    groups: dict[tuple[UUID, UUID], list[RewardReleased]] = defaultdict(list)
    at_once = _prizes_at_once(session, happened)
    for event in happened:
        # An item hands itself over, and is told of then.
        if not event.asset.startswith(ITEM) and event.reward_id not in at_once:
            groups[(event.brand_id, event.member_id)].append(event)
    owed = _owed_before(session, groups)
    news = []
    for (brand_id, member_id), events in groups.items():
        facts = _about(events[0]) | {
            "count": len(events),
            "sums": _sums(events),
            "owed": owed.get((brand_id, member_id), {}),
        }
        news.append(News(brand_id, member_id, "released", f"released/{events[0].reward_id}", facts))
    tell(session, news)


def _prizes_at_once(session: Session, happened: Sequence[RewardReleased]) -> set[UUID]:
    """Prizes of contests that were never on hold: they are told with the place that won them."""
    alone = {(event.brand_id, event.reward_id) for event in happened if event.referral_id is None}
    if not alone:
        return set()
    t = table(Reward)
    at_once = (t.c.event == PRIZE, t.c.hold_until <= t.c.created_at)
    found = session.execute(select(t.c.id).where(among_keys(session, (t.c.brand_id, t.c.id), alone), *at_once))
    return set(found.scalars())


def _owed_before(
    session: Session, groups: Mapping[tuple[UUID, UUID], Sequence[RewardReleased]]
) -> dict[tuple[UUID, UUID], dict[str, int]]:
    """By person and asset: what they had owed before these were released to them."""
    released = {
        Account(brand_id, member_id, Purpose.PAYABLE, asset): amount
        for (brand_id, member_id), events in groups.items()
        for asset, amount in _sums(events).items()
    }
    by_id = {account.id: account for account in released}
    t = table(LedgerAccount)
    found: dict[tuple[UUID, UUID], dict[str, int]] = defaultdict(dict)
    if not by_id:
        return found
    keys = {(account.brand_id, account.id) for account in released}
    rows = session.execute(select(t.c.id, t.c.balance).where(among_keys(session, (t.c.brand_id, t.c.id), keys)))
    for account_id, balance in rows:
        account = by_id[account_id]
        before = balance - released[account]
        if before < 0:
            found[(account.brand_id, account.owner_id)][account.asset] = -before
    return found


def _about(event: RewardGranted | RewardReleased | RewardVoided) -> dict[str, Any]:
    return {
        "campaign": str(event.campaign_id),
        "referral": str(event.referral_id) if event.referral_id else None,
        "role": event.role,
        "reward": str(event.reward_id),
    }


def _sums(events: Sequence[RewardGranted | RewardReleased | RewardVoided]) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for event in events:
        found[event.asset] += event.amount
    return dict(found)


def _on_voided(session: Session, happened: Sequence[RewardVoided]) -> None:
    """What one cause took from a person is one message."""
    groups: dict[tuple[Any, ...], list[RewardVoided]] = defaultdict(list)
    for event in happened:
        if event.reason == PASSED_ON:
            continue  # told with the place
        held = event.state in ("held", "voided")
        key = (event.brand_id, event.member_id, event.referral_id, event.reason, event.cause, held, event.whole)
        groups[key].append(event)
    news = []
    for (brand_id, member_id, _, reason, cause, held, whole), events in groups.items():
        facts = _about(events[0]) | {
            "sums": _sums(events),
            "reason": reason,
            "held": held,
            "whole": whole,
            "debts": {event.asset: event.debt for event in events if event.debt},
        }
        news.append(News(brand_id, member_id, "taken", f"taken/{events[0].reward_id}/{cause or reason}", facts))
    tell(session, news)


def _on_adjusted(session: Session, happened: Sequence[Adjusted]) -> None:
    tell(
        session,
        [
            News(
                e.brand_id,
                e.member_id,
                "adjusted",
                f"adjusted/{e.adjustment_id}",
                {
                    "adjustment": str(e.adjustment_id),
                    "asset": e.asset,
                    "amount": e.amount,
                    "reason": e.reason,
                    "debt": e.debt,
                },
            )
            for e in happened
            if e.actor not in (DRAW, TRIAL)  # which are told with the draw, and with the place
        ],
    )


def _joined(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    campaign = _campaign(voice, facts)
    return _with_rewards(
        voice,
        voice.say(
            "news.joined",
            friend=_other(voice, facts),
            title=_title(voice, campaign),
            at=voice.moment(facts["at"], campaign),
        ),
    )


def _held(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    campaign = _campaign(voice, facts)
    event = _event(voice, facts)
    words = voice.say(
        f"news.held.{facts['role']}.{event}",
        friend=_other(voice, facts),
        title=_title(voice, campaign),
        days=campaign.stay_days,
        amount=_amounts(voice, facts["sums"]),
        at=voice.moment(facts["at"], campaign),
    )
    return _with_rewards(voice, words)


def _event(voice: Voice, facts: Mapping[str, Any]) -> str:
    """What the friend did for this reward; the campaign's own event for one of another kind."""
    reward = voice.session.get(Reward, (voice.brand.id, UUID(facts["reward"])))
    known = i18n.catalogue(voice.locale)
    if reward is not None and f"news.held.{facts['role']}.{reward.event}" in known:
        return reward.event
    return _campaign(voice, facts).event


def _capped(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    found = voice.session.get(Reward, (voice.brand.id, UUID(facts["reward"])))
    reason = reason_words(voice.locale, found.reason if found else None, facts["role"])
    words = voice.say(
        f"news.capped.{facts['role']}",
        friend=_other(voice, facts),
        title=_title(voice, _campaign(voice, facts)),
        reason=Safe(reason),
    )
    return _with_rewards(voice, words)


def _released(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    campaign = _campaign(voice, facts)
    shown = {
        "amount": _amounts(voice, facts["sums"]),
        "title": _title(voice, campaign),
        "friend": _other(voice, facts),
    }
    if facts["count"] > 1:
        words = voice.say("news.released.many", n=facts["count"], amount=shown["amount"])
    else:
        words = voice.say(f"news.released.{facts['role'] if facts['referral'] else 'prize'}", **shown)
    standing = leaderboard.standing(voice.session, voice.brand.id, campaign.id, voice.member.id)
    if standing is not None and facts["role"] == "advocate" and facts["referral"]:
        words = sentences(voice.locale, words, voice.say("news.rank", rank=standing.rank))
    return _with_rewards(voice, _and_settled(voice, words, facts))


def _and_settled(voice: Voice, words: str, facts: Mapping[str, Any]) -> str:
    """How much of it went against a debt, and what is left of that."""
    if not facts["owed"]:
        return words
    settled = {asset: min(debt, facts["sums"][asset]) for asset, debt in facts["owed"].items()}
    left = {asset: debt - settled[asset] for asset, debt in facts["owed"].items() if debt > settled[asset]}
    words = sentences(voice.locale, words, voice.say("news.settled", amount=_amounts(voice, settled)))
    return sentences(voice.locale, words, voice.say("news.still_owed", debt=_amounts(voice, left))) if left else words


def _taken(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    key = "news.voided" if facts["held"] else "news.clawed_back"
    if not facts["whole"]:
        key += ".partly"
    words = voice.say(
        f"{key}.{facts['role'] if facts['referral'] else 'gift'}",
        friend=_other(voice, facts),
        title=_title(voice, _campaign(voice, facts)),
        amount=_amounts(voice, facts["sums"]),
        reason=Safe(reason_words(voice.locale, facts["reason"], facts["role"])),
    )
    return _with_rewards(voice, _and_debts(voice, words, facts["debts"]))


def _and_debts(voice: Voice, words: str, debts: Mapping[str, int]) -> str:
    return sentences(voice.locale, words, voice.say("news.debt", debt=_amounts(voice, debts))) if debts else words


def _adjusted(voice: Voice, facts: Mapping[str, Any]) -> Reply | None:
    if facts["amount"] > 0 and facts["asset"].startswith(ITEM) and _handed_over(voice, facts["adjustment"]):
        return None  # which was told with the thing itself
    key = "news.given" if facts["amount"] > 0 else "news.deducted"
    amount = voice.amount(abs(facts["amount"]), facts["asset"])
    words = voice.say(key, brand=voice.brand.name, amount=amount, reason=facts["reason"])
    debts = {facts["asset"]: facts["debt"]} if facts["debt"] else {}
    return _with_rewards(voice, _and_debts(voice, words, debts))


def _handed_over(voice: Voice, adjustment: str) -> bool:
    """Whether the item that was given this way has reached its owner."""
    p, r = table(Payout), table(Reward)
    found = (
        select(p.c.state)
        .join(r, (r.c.brand_id == p.c.brand_id) & (r.c.id == p.c.reward_id))
        .where(r.c.brand_id == voice.brand.id, r.c.member_id == voice.member.id, r.c.cause == f"adjust/{adjustment}")
    )
    return voice.session.scalar(found) == "completed"


def _amounts(voice: Voice, sums: Mapping[str, int]) -> Safe:
    """Several sums as people list them."""
    shown = [voice.amount(amount, asset) for asset, amount in sorted(sums.items())[:SUMS]]
    return Safe(AND[voice.locale].join(shown))


def _campaign(voice: Voice, facts: Mapping[str, Any]) -> Campaign:
    return voice.session.get_one(Campaign, (voice.brand.id, UUID(facts["campaign"])))


def _title(voice: Voice, campaign: Campaign) -> str:
    return i18n.pick(campaign.title, voice.locale)


def _other(voice: Voice, facts: Mapping[str, Any]) -> str:
    """The name of the other one of the two; for an admin, of the friend."""
    referral_id = facts["referral"]
    referral = voice.session.get(Referral, (voice.brand.id, UUID(referral_id))) if referral_id else None
    if referral is None:
        return ""
    other = referral.advocate_id if referral.friend_id == voice.member.id else referral.friend_id
    return name_of(voice.session, voice.brand.id, other, voice.locale)


def _with_rewards(voice: Voice, words: str) -> Reply:
    button = Button(i18n.text(voice.locale, "button.rewards"), action="do:rewards")
    return Reply(words, buttons=((button,),), private=True)


KINDS = {
    "joined": _joined,
    "held": _held,
    "capped": _capped,
    "released": _released,
    "taken": _taken,
    "adjusted": _adjusted,
}
