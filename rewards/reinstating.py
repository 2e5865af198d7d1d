"""Grants anew what was taken back with a referral that counts again after a review: by adding, never by editing.

The reward that fell stays as it is; a new one takes its place, whose cause is the first one's with `/again/<case>`
behind it. It draws on the caps and the budget of now: what was given to others meanwhile is not there any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session

from core import ids
from core.events import Bus
from referral.members import Member
from referral.referrals import FriendQualified
from referral.refunds import reverse_emptied
from referral.rejection import FRAUD, REVIEW, ReferralReinstated
from rewards import budget, caps, schedule
from rewards.contests.reserve import held_back
from rewards.corrections import ANEW, first_cause, order_in, taken_for, worth_now
from rewards.decisions import COUNTED, Books, Case, Line, admit
from rewards.granting import book
from rewards.plans import Plan, Rule, cached_plan
from rewards.rewards import Reward, rewards_for

GONE = ("voided", "clawed_back")


def listen(bus: Bus) -> None:
    """Hear of referrals that count again."""
    bus.on(ReferralReinstated, on_reinstated)


def on_reinstated(session: Session, happened: Sequence[ReferralReinstated]) -> None:
    """Grant what fell with these referrals, held as long as it would have been."""
    for event in happened:
        whose = {(event.brand_id, event.campaign_id)}
        books = Books(budget.lock(session, whose))
        # What made it count may have gone back in the meantime.
        if reverse_emptied(session, {(event.brand_id, event.referral_id)}):
            continue
        for kept, amount in held_back(session, whose).items():
            books.left[kept] -= amount
        fallen = _fallen(session, event)
        cases = [_case(session, event, rows) for rows in fallen]
        caps.load(session, cases, books)
        for case, rows in zip(cases, fallen, strict=True):
            lines = [_line(session, case, row, books) for row in rows]
            given = [(line, row) for line, row in zip(lines, rows, strict=True) if line.amount]
            admit(case, [line for line, _ in given], books)
            book(session, [_row(event, line, row) for line, row in given])


def _fallen(session: Session, event: ReferralReinstated) -> list[list[Reward]]:
    """What fell with the referral, by what it was for. Of several lives of a reward the last one; of a schedule also
    the friend who counted towards a step that was not reached."""
    newest: dict[tuple[str, str], Reward] = {}
    for row in sorted(rewards_for(session, event.brand_id, [event.referral_id]), key=lambda r: (r.created_at, r.id)):
        rule = _rule(session, row)
        if rule is not None:
            newest["schedule" if rule.scheduled else first_cause(row.cause), row.rule] = row
    groups: dict[str, list[Reward]] = defaultdict(list)
    # What somebody on their way had earned by buying fell for fraud, while they themselves fell after a review.
    reasons = {event.reason, FRAUD} if event.reason == REVIEW else {event.reason}
    for row in newest.values():
        fell = row.state in GONE and row.reason in reasons and not _gone(session, row)
        if fell or row.reason == COUNTED:
            groups[first_cause(row.cause)].append(row)
    return list(groups.values())


def _gone(session: Session, row: Reward) -> bool:
    """Whether the beneficiary was forgotten since."""
    member = session.get(Member, (row.brand_id, row.member_id))
    return member is None or member.erased_at is not None


def _plan(session: Session, row: Reward) -> Plan:
    return cached_plan(session, row.brand_id, row.campaign_id, row.campaign_version)


def _rule(session: Session, row: Reward) -> Rule | None:
    return _plan(session, row).rule_named(row.rule)


def _case(session: Session, event: ReferralReinstated, rows: Sequence[Reward]) -> Case:
    """The event that had earned these, as if it were now; conditions were judged then and hold."""
    first = rows[0]
    who = (event.brand_id, event.campaign_id, first.campaign_version, event.referral_id)
    earned = FriendQualified(
        *who, event.advocate_id, event.friend_id, first.event, event.at, conversion_id=order_in(first.cause)
    )
    rules = tuple(rule for row in rows if (rule := _rule(session, row)) is not None)
    return Case(earned, _plan(session, first), rules, values={"order.currency": first.asset})


def _line(session: Session, case: Case, row: Reward, books: Books) -> Line:
    rule = next(rule for rule in case.rules if rule.name == row.rule)
    if not rule.scheduled:
        return Line(rule, row.member_id, min(taken_for(session, row, row.reason or ""), worth_now(session, row)))
    standing = books.standings[(*case.pair, rule.name)]
    known = (case.event.referral_id, rule.name) in books.counted
    return Line(rule, row.member_id, schedule.due(rule, standing.friends + (not known), standing.live))


def _row(event: ReferralReinstated, line: Line, fallen: Reward) -> dict[str, Any]:
    same = ("brand_id", "campaign_id", "campaign_version", "referral_id", "community_id", "role", "rule", "event")
    waits = fallen.hold_until > event.at
    return {name: getattr(fallen, name) for name in (*same, "asset", "facts")} | {
        "id": ids.new(),
        "member_id": line.member_id,
        "cause": cause_anew(fallen.cause, event.case_id),
        "amount": line.amount,
        "taken_back": 0,
        "paid_out": 0,
        "state": "capped" if line.reason else ("held" if waits else "payable"),
        "reason": line.reason,
        "hold_until": fallen.hold_until if waits else event.at,
        "created_at": event.at,
    }


def cause_anew(cause: str, case_id: UUID) -> str:
    """The cause of what is granted anew by a decision."""
    return f"{first_cause(cause)}{ANEW}{case_id}"
