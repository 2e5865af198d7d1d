"""Reward plans: what a campaign pays to whom for what. Checked before they are saved, pure after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, Strict
from sqlalchemy import Column, ForeignKeyConstraint, select
from sqlmodel import Field as Col
from sqlmodel import Session, col

from core.db import Json, Row
from core.money import LARGEST

HOLD_DAYS_MAX = 90
Points = Annotated[int, Strict(), Field(gt=0, le=LARGEST)]


class Rule(BaseModel):
    """One reward. `amount` in minor units of the plan's asset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: Literal["advocate", "friend"]
    amount: Points
    hold_days: Annotated[int, Strict()] = Field(default=0, ge=0, le=HOLD_DAYS_MAX)


class Plan(BaseModel):
    """All rewards of a campaign. `cap`: how many friends of one advocate are paid for at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asset: Literal["PTS"] = "PTS"
    rules: tuple[Rule, ...] = ()
    cap: Annotated[int, Strict()] | None = Field(default=None, gt=0, le=1_000_000)
    budget: Annotated[int, Strict()] = Field(default=0, ge=0, le=LARGEST)


class RewardPlan(Row, table=True):
    """The plan of one version of a campaign; never changed."""

    __tablename__ = "reward_plan"
    __table_args__ = (ForeignKeyConstraint(["brand_id", "campaign_id"], ["campaign.brand_id", "campaign.id"]),)

    brand_id: UUID = Col(primary_key=True)
    campaign_id: UUID = Col(primary_key=True)
    version: int = Col(primary_key=True)
    document: dict[str, Any] = Col(sa_column=Column(Json, nullable=False))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the plan check says: `severity` refuse or warn, `code` the message id `plan.<code>`."""

    severity: Literal["refuse", "warn"]
    code: str


def check(plan: Plan, event: str, platforms: frozenset[str], *, joins_allowed: bool = False) -> list[Finding]:
    """What is wrong or unwise with paying this for that event.

    Joins cost nothing, so no reward for a bare join is safe from many accounts of one person: it asks for retention,
    a cap and a hold. Discord's platform policy forbids invite rewards for a bare join: refused unless overridden.
    """
    findings = []
    if event == "joined" and plan.rules:
        if "discord" in platforms and not joins_allowed:
            findings.append(Finding("refuse", "discord_join"))
        findings.append(Finding("warn", "bare_join"))
        if plan.cap is None:
            findings.append(Finding("warn", "join_without_cap"))
        if not all(rule.hold_days for rule in plan.rules):
            findings.append(Finding("warn", "join_without_hold"))
    if len({rule.to for rule in plan.rules}) < len(plan.rules):
        findings.append(Finding("refuse", "side_twice"))
    each = sum(rule.amount for rule in plan.rules)
    if plan.rules and plan.budget < each:
        findings.append(Finding("refuse", "budget_below_one"))
    return findings


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


_known: dict[tuple[UUID, UUID, int], Plan] = {}
KNOWN_PLANS = 1024


def cached_plan(session: Session, brand_id: UUID, campaign_id: UUID, version: int) -> Plan:
    """`plan_of`, remembered in the process: the plan of a version never changes once it is saved."""
    key = (brand_id, campaign_id, version)
    if key not in _known:
        plan = plan_of(session, *key)
        if not plan.rules:  # perhaps not saved yet
            return plan
        if len(_known) >= KNOWN_PLANS:
            _known.clear()
        _known[key] = plan
    return _known[key]
