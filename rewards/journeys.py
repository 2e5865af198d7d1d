"""Journeys with the money in them: what an order or a friend earned by which rule, what moved, and what was paid out.

`order_journey` and `friend_journey` are what a page shows: `referral.journeys` says who came how and what counted, and
here the rewards, their transfers and their payouts are put between, in the order of time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import Session, col

from core.db import among, table
from referral.journeys import orders, telling, verdicts
from referral.journeys.reading import ROWS, Known, people_of, read_friend, read_order, read_person
from referral.journeys.steps import PEOPLE, Journey, Moved, Person, Step, Verdict, in_order
from referral.refunds import REFUNDED
from rewards.corrections import AGAIN, order_in
from rewards.ledger import Account, LedgerAccount, Purpose, Transfer
from rewards.payouts.payouts import Payout, PayoutLine
from rewards.plans import cached_plan
from rewards.rewards import Reward

REWARDS = 100
"""Rewards told in one journey; a friend who buys every week for years has more."""
SEEING = ("attribution", "attribution.again")
"""Steps that say which touches were looked at."""
TOLD = ("completed", "failed", "unknown")


def order_journey(session: Session, brand_id: UUID, conversion_id: UUID) -> Journey:
    """How an order came to count or not, and what it earned. Raises `NotFound("order")`."""
    known = read_order(session, brand_id, conversion_id)
    assert known.order is not None
    verdict = verdicts.verdict_of_order(known, known.order)
    return _journey(session, known, verdict)


def friend_journey(session: Session, brand_id: UUID, referral_id: UUID) -> Journey:
    """How a friend came to count or not, and what that earned. Raises `NotFound("referral")`."""
    known = read_friend(session, brand_id, referral_id)
    assert known.referral is not None
    return _journey(session, known, verdicts.verdict_of_friend(known, known.referral))


def person_journey(session: Session, brand_id: UUID, member_id: UUID) -> Journey:
    """How a member came, in every campaign, whether anything counted or not. Raises `NotFound("member")`."""
    known = read_person(session, brand_id, member_id)
    return _journey(session, known, verdicts.verdict_of_person(known))


def _journey(session: Session, known: Known, verdict: Verdict) -> Journey:
    steps = [*telling.steps_of_friend(known), *orders.steps_of_orders(known), *_money(session, known)]
    named = {value for step in steps for value in step.facts.values() if isinstance(value, UUID)}
    named |= {value for step in steps for one in step.asked for value in one.facts.values() if isinstance(value, UUID)}
    named |= {value for name, value in verdict.facts.items() if name in PEOPLE and isinstance(value, UUID)}
    shared = [facts["shares"] for facts in (verdict.facts, *(step.facts for step in steps)) if "shares" in facts]
    named |= {advocate for shares in shared for advocate in shares}
    named |= {one["advocate"] for step in steps for one in step.facts.get("seen", ()) if step.what in SEEING}
    named |= {owner for step in steps for move in step.moves for _, owner in (move.debit, move.credit)}
    named |= {one for one in (known.friend_id, known.advocate_id) if one is not None}
    people: dict[UUID, Person] = people_of(session, known.brand_id, named - {None})
    return Journey(
        known.brand_id,
        known.order,
        known.referral,
        known.campaign,
        known.friend_id,
        known.advocate_id,
        verdict,
        in_order(steps),
        people,
        known.campaigns,
        known.more,
    )


def _money(session: Session, known: Known) -> Iterator[Step]:
    """What the rewards of this order (or of this friend) are, and became."""
    rewards = _rewards(session, known)
    if not rewards:
        return
    lines = _lines(session, known.brand_id, [reward.id for reward in rewards])
    moves = _moves(session, known, rewards, {payout.id for _, payout in lines})
    for reward in rewards:
        yield from _reward(session, known, reward, moves.get(reward.id, []))
    payouts = {payout.id: payout for _, payout in lines}
    for payout in payouts.values():
        covered = sum(line.amount for line, _ in lines if line.payout_id == payout.id)
        yield from _payout(payout, covered, moves.get(payout.id, []))


def _rewards(session: Session, known: Known) -> Sequence[Reward]:
    """Of an order what it earned; of a friend, or of a member, everything."""
    whose = [known.referral.id] if known.referral is not None else [one.id for one in known.referrals]
    if not whose or (known.order is not None and known.referral is None):
        return []
    rows = session.scalars(
        select(Reward)
        .where(col(Reward.brand_id) == known.brand_id, among(session, table(Reward).c.referral_id, whose))
        .order_by(col(Reward.created_at), col(Reward.id))
        .limit(REWARDS)
    ).all()
    if known.order is None:
        return rows
    return [reward for reward in rows if order_in(reward.cause) == known.order.id]


def _reward(session: Session, known: Known, reward: Reward, moves: Sequence[Moved]) -> Iterator[Step]:
    plan = cached_plan(session, reward.brand_id, reward.campaign_id, reward.campaign_version)
    rule = plan.rule_named(reward.rule)
    facts: dict[str, Any] = {
        "member": reward.member_id,
        "role": reward.role,
        "rule": reward.rule,
        "amount": reward.amount,
        "left": reward.amount - reward.taken_back,
        "asset": reward.asset,
        "basis_points": rule.basis_points if rule else None,
        "in_words": dict(rule.why) if rule is not None and rule.why else None,
        "until": reward.hold_until,
        "state": reward.state,
        "reason": reward.reason,
        "known": reward.facts or {},
    }
    tell = partial(Step, version=reward.campaign_version, campaign_id=reward.campaign_id)
    booked = max(reward.created_at, known.order.received_at) if known.order else reward.created_at
    if reward.state == "capped":
        yield tell(booked, "reward.capped", facts, tone="bad", order=71)
        return
    by_kind = defaultdict[str, list[Moved]](list)
    for move in moves:
        by_kind[move.kind].append(move)
    held = reward.hold_until > reward.created_at
    what = "reward.held" if held else "reward.granted"
    granted = (*by_kind["grant"], *([] if held else by_kind["release"]))
    booked = granted[0].at if granted else booked
    yield tell(booked, what, facts, moves=granted, tone="good", order=71)
    if held and by_kind["release"]:
        release = by_kind["release"]
        yield Step(release[0].at, "reward.released", facts, moves=tuple(release), tone="good", order=72)
    for move in (*by_kind["void"], *by_kind["clawback"]):
        taken = {**facts, "amount": move.amount, "reason": _cause(move)}
        yield Step(move.at, f"reward.{move.kind}", taken, moves=(move,), tone="bad", order=77)
    for move in by_kind["link"]:
        yield Step(move.at, "reward.back", {**facts, "amount": move.amount}, moves=(move,), tone="good", order=78)
    if reward.state == "in_review":
        yield Step(booked, "reward.in_review", facts, order=73)


def _cause(move: Moved) -> str:
    """Why it was taken, by the transfer's own reference."""
    tail = move.reference.split("/", 2)[2]
    if tail.startswith(AGAIN):  # of a second life, after a link was undone
        tail = tail.split("/", 2)[2]
    return REFUNDED if tail.startswith("refund/") else tail.partition("/")[0]


def _payout(payout: Payout, covered: int, moves: Sequence[Moved]) -> Iterator[Step]:
    facts = {
        "member": payout.member_id,
        "amount": payout.amount,
        "asset": payout.asset,
        "covered": covered,
        "fee": payout.fee,
        "provider": payout.provider,
        "state": payout.state,
        "reason": payout.reason,
    }
    link = ("payout", str(payout.id))
    asked = tuple(move for move in moves if move.kind in ("payout_start", "payout_fee"))
    yield Step(payout.created_at, "payout.asked", facts, moves=asked, order=85, link=link)
    if payout.settled_at is not None and payout.state in TOLD:
        tone = "good" if payout.state == "completed" else "bad"
        ended = tuple(move for move in moves if move not in asked)
        yield Step(payout.settled_at, f"payout.{payout.state}", facts, moves=ended, tone=tone, order=86, link=link)


def _lines(session: Session, brand_id: UUID, rewards: Sequence[UUID]) -> list[tuple[PayoutLine, Payout]]:
    line, payout = table(PayoutLine), table(Payout)
    rows = session.execute(
        select(PayoutLine, Payout)
        .join(Payout, (payout.c.brand_id == line.c.brand_id) & (payout.c.id == line.c.payout_id))
        .where(line.c.brand_id == brand_id, among(session, line.c.reward_id, rewards))
        .order_by(payout.c.created_at, payout.c.id)
        .limit(ROWS)
    ).all()
    return [(row[0], row[1]) for row in rows]


def _moves(
    session: Session, known: Known, rewards: Sequence[Reward], payouts: Collection[UUID]
) -> dict[UUID, list[Moved]]:
    """The transfers of these rewards and payouts, by either. Nearly all have references one can name; where a reward
    lost more than those say, its beneficiary's accounts are looked through."""
    brand_id = known.brand_id
    t = table(Transfer)
    named = [name for reward in rewards for name in _references(reward, known)]
    named += [f"payout/{payout}/{what}" for payout in payouts for what in ("start", "fee", "done", "back", "fee-back")]
    rows = list(session.scalars(select(Transfer).where(t.c.brand_id == brand_id, among(session, t.c.reference, named))))
    taken = defaultdict[UUID, int](int)
    for row in rows:
        taken[_subject_of(row.reference)] += _SIGNS.get(row.kind, 0) * row.amount
    short = [reward for reward in rewards if taken[reward.id] != reward.taken_back]
    if short:
        rows += _by_account(session, known, short, {row.id for row in rows})
    accounts = _accounts(session, brand_id, {row.debit_id for row in rows} | {row.credit_id for row in rows})
    found: dict[UUID, list[Moved]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.id):
        ends = accounts[row.debit_id], accounts[row.credit_id]
        moved = Moved(row.reference, row.kind, row.amount, row.asset, *ends, at=row.created_at)
        found[_subject_of(row.reference)].append(moved)
    return found


_SIGNS = {"void": 1, "clawback": 1, "link": -1}
"""Which transfers of a reward make up what was taken back of it: an undone link gives back what the link had taken."""


def _subject_of(reference: str) -> UUID:
    """The reward or the payout that a transfer is about."""
    parts = reference.split("/")
    return UUID(parts[3] if parts[0] == "link" else parts[1])


def _references(reward: Reward, known: Known) -> Iterator[str]:
    yield f"grant/{reward.id}"
    yield f"release/{reward.id}"
    links = [f"{AGAIN}{link.id}" for link in known.links]
    yield from (f"{link}/again/{reward.id}" for link in links)
    if not reward.taken_back and not links:
        return
    causes = [f"refund/{refund.id}" for refund in known.refunds]
    causes += [reward.reason] if reward.reason else []
    for kind in ("void", "clawback"):
        for life in ("", *(f"{link}/" for link in links)):
            for cause in causes:
                yield f"{kind}/{reward.id}/{life}{cause}"


def _by_account(session: Session, known: Known, rewards: Sequence[Reward], had: set[UUID]) -> list[Transfer]:
    """Corrections of these rewards that no reference named, from the accounts of whoever they belonged to."""
    t, brand_id = table(Transfer), known.brand_id
    owners = {one.member_id for one in rewards}
    owners |= {member for link in known.links for member in (link.kept_id, link.absorbed_id)}
    assets = {one.asset for one in rewards}
    accounts = {
        Account(brand_id, owner, purpose, asset).id
        for owner in owners
        for purpose in (Purpose.HELD, Purpose.PAYABLE)
        for asset in assets
    }
    taken = among(session, t.c.debit_id, accounts) & t.c.kind.in_(("void", "clawback"))
    given = among(session, t.c.credit_id, accounts) & (t.c.kind == "link")
    found: list[Transfer] = []
    for way, shape in ((taken, "%/{}/%"), (given, "%/again/{}")):
        mine = or_(*(t.c.reference.like(shape.format(reward.id)) for reward in rewards))
        found += session.scalars(select(Transfer).where(t.c.brand_id == brand_id, way, mine).limit(ROWS)).all()
    return [row for row in found if row.id not in had]


def _accounts(session: Session, brand_id: UUID, wanted: set[UUID]) -> dict[UUID, tuple[str, UUID]]:
    if not wanted:
        return {}
    t = table(LedgerAccount)
    rows = session.execute(
        select(t.c.id, t.c.purpose, t.c.owner_id).where(t.c.brand_id == brand_id, among(session, t.c.id, wanted))
    )
    return {account_id: (purpose, owner_id) for account_id, purpose, owner_id in rows}


def last_change(journey: Journey) -> datetime | None:
    """When the last of it happened."""
    return journey.steps[-1].at if journey.steps else None
