"""What the rules of a plan ask about an event: attributes, whether the referral is risky, who runs the community."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import Session

from core.db import among_keys, table
from referral.admins import admins_of, entered
from referral.referrals import Referral
from rewards import flags
from rewards.conditions import attributes
from rewards.conditions.attributes import Subject
from rewards.conditions.expressions import compile_condition
from rewards.decisions import Case
from rewards.plans import Plan, Rule

RISKY = "risky"
"""The fact of a referral, and of a reward, that the plan's `risky` held."""
OF_ORDERS = frozenset({"order.kept", "order.currency"})
_SUBJECT = tuple(one.name for one in fields(Subject))


def find(session: Session, cases: Sequence[Case]) -> None:
    """Find out for each case what its rules ask, set-based for all cases of a plan."""
    by_plan: dict[tuple[UUID, int], list[Case]] = defaultdict(list)
    for one in cases:
        by_plan[(one.event.campaign_id, one.event.campaign_version)].append(one)
    for same in by_plan.values():
        _values(session, same)
        if same[0].plan.risky is not None:
            _risky(session, same)
    _admins(session, [one for one in cases if any(rule.to == "admin" for rule in one.rules)])


def kept(case: Case, rule: Rule) -> dict[str, Any] | None:
    """The attributes on which the decision about a rule hung, as they are kept with the reward."""
    names = _asked(case.plan, rule)
    if not names:
        return None
    found = attributes.as_json({name: case.values[name] for name in names if name in case.values})
    return found | {RISKY: case.risky} if rule.risky_hold_days is not None else found


def _asked(plan: Plan, rule: Rule) -> frozenset[str]:
    names = OF_ORDERS if rule.basis_points is not None else frozenset()
    if rule.when is not None:
        names |= compile_condition(rule.when).names
    if rule.risky_hold_days is not None and plan.risky is not None:
        names |= compile_condition(plan.risky).names
    return names


def _values(session: Session, cases: Sequence[Case]) -> None:
    plan = cases[0].plan
    names = frozenset().union(*(_asked(plan, rule) for one in cases for rule in one.rules))
    if plan.risky is not None:
        names |= compile_condition(plan.risky).names
    if names:
        subjects = [Subject(**{name: getattr(one.event, name) for name in _SUBJECT}) for one in cases]
        for one, values in zip(cases, attributes.gather(session, subjects, names), strict=True):
            one.values = values


def _risky(session: Session, cases: Sequence[Case]) -> None:
    """Whether the plan calls the referral risky, now or at an earlier event: once risky, it stays so, until a person
    says otherwise."""
    t = table(Referral)
    keys = {(one.event.brand_id, one.event.referral_id) for one in cases}
    rows = session.execute(select(t.c.id, t.c.facts).where(among_keys(session, (t.c.brand_id, t.c.id), keys)))
    known: dict[UUID, dict[str, Any]] = {referral_id: facts or {} for referral_id, facts in rows}
    condition = compile_condition(cases[0].plan.risky or "false")
    for one in cases:
        facts = known[one.event.referral_id]
        one.risky = flags.CLEARED not in facts and (RISKY in facts or condition.holds(one.values))
        if one.risky and RISKY not in facts:
            used = attributes.as_json({name: one.values[name] for name in condition.names if name in one.values})
            known[one.event.referral_id] = facts | {RISKY: used}
            mine = (t.c.brand_id == one.event.brand_id) & (t.c.id == one.event.referral_id)
            session.execute(update(t).where(mine).values(facts=facts | {RISKY: used}))
            who = (one.event.brand_id, one.event.campaign_id, one.event.referral_id, one.event.advocate_id)
            flags.flag_as(session, who, RISKY, {"used": used})


def _admins(session: Session, cases: Sequence[Case]) -> None:
    places = entered(session, {(one.event.brand_id, one.event.referral_id) for one in cases})
    admins = admins_of(session, {(brand_id, community_id) for (brand_id, _), community_id in places.items()})
    for one in cases:
        place = places.get((one.event.brand_id, one.event.referral_id))
        if place is not None and (admin := admins.get((one.event.brand_id, place))) is not None:
            one.admin = (place, admin)
