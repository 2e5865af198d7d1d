"""What one event earns: pure decisions over what is known of the friend, the caps and what is left of the budgets.

All rules whose condition holds are granted together or refused together, so both sides of a double-sided reward get
theirs or neither does. A refusal is a code, which is also the message id `reason.<code>.<role>`. No database here:
`rewards.caps` counts, `rewards.accrual` asks and books.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from referral.attribution.split import parts_of
from referral.referrals import FriendActed, FriendQualified
from rewards import schedule
from rewards.conditions.expressions import compile_condition
from rewards.plans import Plan, Rule

Event = FriendQualified | FriendActed
Balance = tuple[UUID, str]
"""A budget: (campaign, asset)."""

COUNTED = "counted"
"""The friend counts towards a step that is not reached yet; nothing was due for this one."""
NOTHING_DUE = "nothing_due"
"""A percentage that comes to less than one minor unit."""


@dataclass(slots=True)
class Case:
    """An event with the rules of its plan that answer it, and what was found out for them.

    `values`: the attributes they ask about. `admin`: (community, member) who runs the community the friend came into.
    `periods`: when the day and the week of the event began, by the cap's name.
    """

    event: Event
    plan: Plan
    rules: tuple[Rule, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    risky: bool = False
    admin: tuple[UUID, UUID] | None = None
    periods: dict[str, datetime] = field(default_factory=dict)

    @property
    def cause(self) -> str:
        """What the rewards are for: with the referral and the rule it makes them unique."""
        order = self.event.conversion_id
        return f"order/{order}" if order else self.event.event

    @property
    def pair(self) -> tuple[UUID, UUID]:
        """The campaign and the advocate."""
        return self.event.campaign_id, self.event.advocate_id

    @property
    def advocates(self) -> tuple[UUID, ...]:
        """Who has credit for the event, and the friend's own advocate first."""
        return tuple(dict.fromkeys((self.event.advocate_id, *(advocate for advocate, _ in self.event.shares))))


@dataclass(slots=True)
class Standing:
    """How many friends count towards an advocate's schedule, and what it granted that was not taken back."""

    friends: int = 0
    live: int = 0


@dataclass(slots=True)
class Books:
    """Everything a batch draws on, kept up as its decisions are taken one after another.

    `left`: of the budgets. `paid_for`: friends per (campaign, advocate), `friends`: those who are in it already.
    `standings`: of schedules, by (campaign, advocate, rule), `counted`: the (referral, rule) that are in them.
    `spent`: towards caps, by what `scopes` names.
    """

    left: dict[Balance, int]
    paid_for: dict[tuple[UUID, UUID], int] = field(default_factory=lambda: defaultdict(int))
    friends: set[UUID] = field(default_factory=set)
    standings: dict[tuple[UUID, UUID, str], Standing] = field(default_factory=lambda: defaultdict(Standing))
    counted: set[tuple[UUID, str]] = field(default_factory=set)
    spent: dict[tuple[Any, ...], int] = field(default_factory=lambda: defaultdict(int))
    short: set[Balance] = field(default_factory=set)
    """Budgets that did not reach for something that would have been granted."""


@dataclass(slots=True)
class Line:
    """What one rule gives for the event; with a `reason` nothing. `shared`: it is one advocate's part of the whole."""

    rule: Rule
    member_id: UUID
    amount: int
    reason: str | None = None
    shared: bool = False


def rules_for(plan: Plan, event: Event) -> tuple[Rule, ...]:
    """The rules that answer an event: those of its name, and those without one when the friend qualifies."""
    qualified = isinstance(event, FriendQualified)
    return tuple(rule for rule in plan.rules if (qualified if rule.on is None else rule.on == event.event))


def decide(case: Case, books: Books) -> list[Line]:
    """What the event earns by each rule; `books` are drawn on for what is granted."""
    lines = [line for rule in case.rules for line in _lines(case, rule, books)]
    _stop_at_caps(case, lines, books)
    admit(case, [line for line in lines if line.reason in (None, COUNTED)], books)
    return lines


def _stop_at_caps(case: Case, lines: list[Line], books: Books) -> None:
    """Of several who share an order, whoever is at their own cap has no part of it, and the others theirs. Where a rule
    may give nothing to any of them, all is refused together, as where there is one."""
    shared = [line for line in lines if line.shared and line.reason is None]
    full = [
        line
        for line in shared
        for name, key, most in scopes(case, line)
        if name == "advocate" and books.spent[key] + line.amount > most
    ]
    open_to = {line.rule.name for line in shared if line not in full}
    if all(line.rule.name in open_to for line in full):
        for line in full:
            line.reason = "cap_advocate"


def admit(case: Case, lines: list[Line], books: Books) -> None:
    """Grant all of these, or none where a cap or a budget stands against one of them, which then says why."""
    reason = _refusal(case, lines, books) if lines else None
    if reason is not None:
        for line in lines:
            line.reason = reason
    else:
        _draw(case, lines, books)


def _lines(case: Case, rule: Rule, books: Books) -> Iterator[Line]:
    """What a rule gives; an advocate's in parts, where several have the credit."""
    line = _line(case, rule, books)
    shares = case.event.shares
    if line is None or rule.to != "advocate" or rule.scheduled or not shares:
        if line is not None:
            yield line
        return
    for member_id, part in parts_of(line.amount, shares).items():
        yield Line(rule, member_id, part, line.reason or (None if part else NOTHING_DUE), shared=True)


def _line(case: Case, rule: Rule, books: Books) -> Line | None:
    member_id = _beneficiary(case, rule)
    if member_id is None:
        return None
    if rule.when is not None and not compile_condition(rule.when).holds(case.values):
        return Line(rule, member_id, 0, "not_met")
    if rule.to == "admin" and (member_id == case.event.friend_id or member_id in case.advocates):
        return Line(rule, member_id, 0, "self_dealing")
    if rule.amount is not None:
        return Line(rule, member_id, rule.amount)
    if rule.scheduled:
        return _scheduled(case, rule, member_id, books)
    kept = case.values.get("order.kept", 0)
    amount = schedule.percent_of(kept, rule.basis_points or 0, rule.rounding)
    return Line(rule, member_id, amount, None if amount else NOTHING_DUE)


def _beneficiary(case: Case, rule: Rule) -> UUID | None:
    if rule.to == "advocate":
        return case.event.advocate_id
    if rule.to == "friend":
        return case.event.friend_id
    return case.admin[1] if case.admin else None


def _scheduled(case: Case, rule: Rule, member_id: UUID, books: Books) -> Line | None:
    standing = books.standings[(*case.pair, rule.name)]
    known = (case.event.referral_id, rule.name) in books.counted
    amount = schedule.due(rule, standing.friends + (not known), standing.live)
    if amount:
        return Line(rule, member_id, amount)
    return None if known else Line(rule, member_id, 0, COUNTED)


def _refusal(case: Case, lines: list[Line], books: Books) -> str | None:
    """Why nothing of this is granted, or None. Caps are given before the budget: they could not be waited out."""
    cap = case.plan.cap
    if cap is not None and case.event.referral_id not in books.friends and books.paid_for[case.pair] >= cap:
        return "cap_reached"
    need: dict[Balance, int] = {}
    wanted: dict[tuple[Any, ...], int] = defaultdict(int)
    for line in lines:
        rule = line.rule
        asset = case.plan.asset_of(rule)
        if rule.basis_points and case.values.get("order.currency") != asset:
            return "currency_differs"
        if rule.caps.model_fields_set:
            for name, key, most in scopes(case, line):
                wanted[key] += line.amount
                if books.spent[key] + wanted[key] > most:
                    return f"cap_{name}"
        budget = (case.event.campaign_id, asset)
        need[budget] = need.get(budget, 0) + line.amount
    short = [budget for budget, amount in need.items() if amount > books.left[budget]]
    books.short.update(short)
    return "budget_empty" if short else None


def scopes(case: Case, line: Line) -> Iterator[tuple[str, tuple[Any, ...], int]]:
    """(name, key of what is counted, the most) of every cap of a line's rule for this event."""
    event, rule, caps = case.event, line.rule, line.rule.caps
    if caps.friend is not None:
        yield "friend", ("friend", event.referral_id, rule.name), caps.friend
    if caps.advocate is not None:
        advocate_id = line.member_id if rule.to == "advocate" else event.advocate_id
        yield "advocate", ("advocate", event.campaign_id, advocate_id, rule.name), caps.advocate
    for name, most in (("day", caps.day), ("week", caps.week)):
        if most is not None:
            yield name, (name, event.campaign_id, case.periods[name], rule.name), most
    if caps.campaign is not None:
        yield "campaign", ("campaign", event.campaign_id, rule.name), caps.campaign


def _draw(case: Case, lines: list[Line], books: Books) -> None:
    if lines and case.event.referral_id not in books.friends:
        books.friends.add(case.event.referral_id)
        books.paid_for[case.pair] += 1
    for line in lines:
        rule = line.rule
        if line.amount:
            books.left[(case.event.campaign_id, case.plan.asset_of(rule))] -= line.amount
        if rule.scheduled:
            standing = books.standings[(*case.pair, rule.name)]
            standing.live += line.amount
            if (case.event.referral_id, rule.name) not in books.counted:
                books.counted.add((case.event.referral_id, rule.name))
                standing.friends += 1
        if rule.caps.model_fields_set:
            for _, key, _ in scopes(case, line):
                books.spent[key] += line.amount
