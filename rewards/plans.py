"""Reward plans: what a campaign pays to whom, for what, and on which conditions. Pure models, and where they are kept.

A plan is checked before it is saved (`rewards.plan_check`) and never changes after: a campaign's next version has the
next plan. Amounts are whole minor units of the rule's asset.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Column, ForeignKeyConstraint, select
from sqlmodel import Field as Col
from sqlmodel import Session, col

from core import i18n
from core.db import Json, Row
from core.errors import BadInput
from core.money import LARGEST, decimals

HOLD_DAYS_MAX = 90
FRIENDS_MAX = 1_000_000
PLACES_MAX = 10_000
"""The most winners of one prize."""
REACH_WINNERS = 100
"""How many can win the prize for a score where the plan does not say."""
WHOLE = 10_000
"""Basis points of the whole."""
EXPRESSION_LENGTH = 2000
EventName = Literal["joined", "retained", "purchased", "trial_claimed", "feedback_given"]
Side = Literal["advocate", "friend", "admin"]
Rounding = Literal["down", "half_up", "half_even"]


def _known_asset(asset: str) -> str:
    try:
        decimals(asset)
    except BadInput:
        raise PydanticCustomError("unknown_asset", "unknown asset") from None
    return asset


def _in_all_languages(words: dict[str, str]) -> dict[str, str]:
    if set(words) != set(i18n.LOCALES):
        raise PydanticCustomError("both_languages", "wants both languages")
    return words


Amount = Annotated[int, Strict(), Field(gt=0, le=LARGEST)]
Count = Annotated[int, Strict(), Field(gt=0, le=FRIENDS_MAX)]
Days = Annotated[int, Strict(), Field(ge=0, le=HOLD_DAYS_MAX)]
Asset = Annotated[str, AfterValidator(_known_asset)]
Expression = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=EXPRESSION_LENGTH)]
Name = Annotated[str, StringConstraints(pattern=r"^$|^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]*$"),
]
Words = Annotated[dict[str, Line], AfterValidator(_in_all_languages)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True, validate_by_name=True)


class Caps(_Part):
    """The most a rule pays, in minor units of its asset; what would go beyond is not paid at all.

    For one `friend`, for all friends of one `advocate`, in a `day` or an ISO `week` of the campaign's time zone (all
    advocates together), and in the whole `campaign`. What is taken back makes room again.
    """

    friend: Amount | None = None
    advocate: Amount | None = None
    day: Amount | None = None
    week: Amount | None = None
    campaign: Amount | None = None


class Step(_Part):
    """From this friend on (the first is 1) each friend is worth `amount`."""

    start: Count = Field(alias="from")
    amount: Amount


class Tiers(_Part):
    """What a friend is worth changes with their number: `marginal` for the friends from a step on, `cumulative` for
    all friends so far once a step is reached."""

    mode: Literal["marginal", "cumulative"]
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=50)]


class Milestone(_Part):
    """`amount` once when the advocate's counted friends reach `reach`."""

    reach: Count
    amount: Amount


class Rule(_Part):
    """One reward. It is worth one of `amount`, `basis_points` of the order's net amount, `tiers` or `milestones`.

    `on`: the event that earns; without it, the friend's qualifying, once. With it, every such event: each of a
    friend's orders for `purchased`. `when`: a condition over `rewards.conditions.attributes`, `why` says it in words.
    `risky_hold_days`: the hold where the plan's `risky` holds.
    """

    name: Name = ""
    to: Side
    on: EventName | None = None
    asset: Asset | None = None
    amount: Amount | None = None
    basis_points: Annotated[int, Strict(), Field(gt=0, le=WHOLE)] | None = None
    rounding: Rounding = "down"
    tiers: Tiers | None = None
    milestones: Annotated[tuple[Milestone, ...], Field(max_length=50)] = ()
    when: Expression | None = None
    why: Words | None = None
    hold_days: Days = 0
    risky_hold_days: Days | None = None
    caps: Caps = Caps()

    @property
    def scheduled(self) -> bool:
        """Whether the friend's number decides what the rule pays."""
        return self.tiers is not None or bool(self.milestones)

    def hold_of(self, *, risky: bool) -> int:
        """Days before the reward is released."""
        return self.risky_hold_days if risky and self.risky_hold_days is not None else self.hold_days


class Prize(_Part):
    """What a contest gives at its end: to each of the places `first` to `last`, or to each who reaches a score of
    `reach`, at most so many of them as `winners` and those before on the board first.

    `amount`: of `asset`, for one place; a team shares it. `hold_days`: between the final and the day it is theirs.
    """

    first: Annotated[int, Strict(), Field(ge=1, le=PLACES_MAX)] | None = None
    last: Annotated[int, Strict(), Field(ge=1, le=PLACES_MAX)] | None = None
    reach: Count | None = None
    winners: Annotated[int, Strict(), Field(ge=1, le=PLACES_MAX)] | None = None
    asset: Asset | None = None
    amount: Amount
    hold_days: Days = 0

    @property
    def places(self) -> int:
        """How many can win it at most."""
        if self.reach is not None:
            return self.winners or REACH_WINNERS
        first = self.first or 1
        return max(0, (self.last or first) - first + 1)


class PayoutTerms(_Part):
    """How money of this campaign leaves. Amounts in minor units of the asset that is paid out; `fee` and
    `fee_basis_points` add up and are the member's to bear; `day_limit` is per member and day."""

    provider: Literal["manual", "wechatpay", "paypal", "telegram_gift"] = "manual"
    minimum: Annotated[int, Strict(), Field(ge=1, le=LARGEST)] = 1
    fee: Annotated[int, Strict(), Field(ge=0, le=LARGEST)] = 0
    fee_basis_points: Annotated[int, Strict(), Field(ge=0, lt=WHOLE)] = 0
    day_limit: Amount | None = None


class Rewards(_Part):
    """`[rewards]` of a campaign file. `cap`: how many friends of one advocate are paid for at most; `budgets`: of
    other assets than `asset`; `risky`: a condition under which rewards are held longer; `prizes`: of a contest."""

    asset: Asset = "PTS"
    budget: Annotated[int, Strict(), Field(ge=0, le=LARGEST)] = 0
    budgets: dict[Asset, Amount] = {}
    cap: Count | None = None
    risky: Expression | None = None
    rules: Annotated[tuple[Rule, ...], Field(max_length=50)] = ()
    prizes: Annotated[tuple[Prize, ...], Field(max_length=50)] = ()

    @field_validator("rules")
    @classmethod
    def _name_all(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        """A rule without a name is called by its side; the second such `advocate-2`, and so on."""
        return tuple(_named(rules))

    def asset_of(self, rule: Rule) -> str:
        """What the rule pays in."""
        return rule.asset or self.asset

    def prize_asset(self, prize: Prize) -> str:
        """What the prize is given in."""
        return prize.asset or self.asset

    def reserve(self, asset: str) -> int:
        """What all prizes in this asset come to at most: set aside from the budget until the final."""
        return sum(prize.places * prize.amount for prize in self.prizes if self.prize_asset(prize) == asset)

    def budget_of(self, asset: str) -> int:
        """What the campaign may cost in this asset."""
        return self.budget if asset == self.asset else self.budgets.get(asset, 0)

    @property
    def assets(self) -> tuple[str, ...]:
        """Everything the plan has a budget of or pays in, its own asset first."""
        paid = (*map(self.asset_of, self.rules), *map(self.prize_asset, self.prizes))
        return tuple(dict.fromkeys((self.asset, *self.budgets, *paid)))


class Plan(Rewards):
    """All rewards of a campaign, and how they are paid out."""

    payout: PayoutTerms = PayoutTerms()

    @property
    def simple(self) -> bool:
        """Whether every rule pays a fixed amount when the friend qualifies, whoever and whenever: the common plan,
        decided without a question to the database beyond its budget."""
        return self.risky is None and all(
            rule.amount is not None
            and rule.on is None
            and rule.when is None
            and rule.to != "admin"
            and rule.caps == Caps()
            for rule in self.rules
        )

    def rule_named(self, name: str) -> Rule | None:
        """The rule of this name."""
        return next((rule for rule in self.rules if rule.name == name), None)


def default_name(side: str, number: int) -> str:
    """What the `number`-th nameless rule of a side is called."""
    return side if number == 1 else f"{side}-{number}"


def _named(rules: Sequence[Rule]) -> Iterator[Rule]:
    sides: Counter[str] = Counter()
    for rule in rules:
        sides[rule.to] += 1
        yield rule if rule.name else rule.model_copy(update={"name": default_name(rule.to, sides[rule.to])})


class RewardPlan(Row, table=True):
    """The plan of one version of a campaign; never changed."""

    __tablename__ = "reward_plan"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),)

    brand_id: UUID = Col(primary_key=True)
    campaign_id: UUID = Col(primary_key=True)
    version: int = Col(primary_key=True)
    document: dict[str, Any] = Col(sa_column=Column(Json, nullable=False))


def save_plan(session: Session, brand_id: UUID, campaign_id: UUID, version: int, plan: Plan) -> None:
    """Keep the plan of a campaign's version."""
    document = plan.model_dump(mode="json")
    session.add(RewardPlan(brand_id=brand_id, campaign_id=campaign_id, version=version, document=document))
    session.flush()


def plan_of(session: Session, brand_id: UUID, campaign_id: UUID, version: int) -> Plan:
    """The plan of a campaign's version; an empty one where it pays nothing."""
    document = session.scalar(
        select(col(RewardPlan.document)).where(
            col(RewardPlan.brand_id) == brand_id,
            col(RewardPlan.campaign_id) == campaign_id,
            col(RewardPlan.version) == version,
        )
    )
    return Plan.model_validate(document) if document is not None else Plan()


def latest_plan(session: Session, brand_id: UUID, campaign_id: UUID) -> Plan:
    """The plan of the campaign's newest version; an empty one where it pays nothing."""
    document = session.scalar(
        select(col(RewardPlan.document))
        .where(col(RewardPlan.brand_id) == brand_id, col(RewardPlan.campaign_id) == campaign_id)
        .order_by(col(RewardPlan.version).desc())
        .limit(1)
    )
    return Plan.model_validate(document) if document is not None else Plan()


_known: dict[tuple[UUID, UUID, int], Plan] = {}
KNOWN_PLANS = 1024


def cached_plan(session: Session, brand_id: UUID, campaign_id: UUID, version: int) -> Plan:
    """`plan_of`, remembered in the process: the plan of a version never changes once it is saved."""
    key = (brand_id, campaign_id, version)
    plan = _known.get(key)
    if plan is None:
        plan = plan_of(session, *key)
        if not plan.rules and not plan.prizes:  # perhaps not saved yet
            return plan
        if len(_known) >= KNOWN_PLANS:
            _known.clear()
        _known[key] = plan
    return plan
