"""What a journey is made of: steps in time, the rules that were asked at some of them, and a verdict.

No words here: `what`, `rule` and `reason` are codes that whoever shows them has words for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from referral.campaigns import Campaign
from referral.conversions import Conversion
from referral.referrals import Referral

PEOPLE = ("advocate", "friend", "member", "earlier", "by", "other")
"""Facts that name a member by identifier; whoever shows a step knows their names from `Journey.people`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule and what it said: it held, it stood against (False), or it was not asked any more (None)."""

    rule: str
    held: bool | None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moved:
    """A transfer behind a step: `debit` and `credit` are (purpose, owner) of its accounts; in minor units."""

    reference: str
    kind: str
    amount: int
    asset: str
    debit: tuple[str, UUID]
    credit: tuple[str, UUID]
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened. `version`: of the campaign whose rules were asked. `tone`: good, bad, or neither.

    `link`: the page that shows it, as (kind, identifier). `order`: among steps of the same moment, the smaller first.
    """

    at: datetime
    what: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    asked: tuple[Asked, ...] = ()
    version: int | None = None
    campaign_id: UUID | None = None
    link: tuple[str, str] | None = None
    moves: tuple[Moved, ...] = ()
    tone: str = ""
    order: int = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer in one code: `counted` is None while nobody can say yet. `facts` fill its sentence."""

    counted: bool | None
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """A member as a page may name them. `name` is empty for who was erased."""

    id: UUID
    name: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Journey:
    """How an order (`order` is set) or a friend came to where they are. `more`: there is more than is told here."""

    brand_id: UUID
    order: Conversion | None
    referral: Referral | None
    campaign: Campaign | None
    friend_id: UUID | None
    advocate_id: UUID | None
    verdict: Verdict
    steps: tuple[Step, ...]
    people: Mapping[UUID, Person]
    campaigns: Mapping[UUID, Campaign]
    more: bool = False


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps as they happened."""
    return tuple(sorted(steps, key=lambda step: (step.at, step.order)))
