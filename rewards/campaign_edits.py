"""What staff do to a campaign that is there: steer it, change it, make another of its kind. Each act is audited.

A change begins from a version and is made to that version only: whoever comes second is told who was first, and with
what, and looks again. Decisions already taken keep the version they were taken under.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from core import i18n
from core.errors import BadInput, Conflict, Refused
from core.money import ITEM
from referral import audit
from referral.brands import Brand
from referral.campaigns import Campaign, CampaignVersion, find_campaign, move
from rewards.campaign_files import Applied, apply_campaign, write_campaign
from rewards.campaign_format import CampaignFile, build_campaign
from rewards.plans import Plan, plan_of

Raw = dict[str, Any]
OVER = ("ended", "settled")
FIELDS = ("title.zh_Hans", "title.en", "benefit.zh_Hans", "benefit.en", "advocate", "friend")
"""What can be edited by itself; the amounts are those of the first fixed rule for the advocate, and for the friend."""


def steer(session: Session, campaign: Campaign, what: str, actor: str) -> None:
    """Pause, resume or end a campaign. Raises as `referral.campaigns.move`."""
    before = campaign.state
    move(session, campaign, what)
    audit.record(session, campaign.brand_id, actor, f"campaign.{what}", campaign.slug, before=before)


def raw_of(session: Session, campaign: Campaign) -> Raw:
    """The campaign as a file's values, ready to be changed and built again."""
    return tomllib.loads(write_campaign(session, campaign))


def change(
    session: Session,
    brand: Brand,
    campaign: Campaign,
    version: int,
    actor: str,
    act: str,
    alter: Callable[[Raw], None],
    **details: Any,
) -> Applied:
    """Change a campaign that stands at this version. `act`: for the log, with `details`.

    Raises `Conflict("campaign_changed")` (who, what, at: of the latest act on it) if it stands at another by now, and
    as `apply_campaign`.
    """
    hold(session, campaign, version)
    if campaign.state in OVER:
        raise Refused("campaign_over", slug=campaign.slug)
    raw = raw_of(session, campaign)
    alter(raw)
    applied = apply_campaign(session, brand, build_campaign(raw), launch=False, actor=actor)
    if applied.changed != "unchanged":
        audit.record(session, brand.id, actor, act, campaign.slug, version=applied.campaign.version, **details)
    return applied


def hold(session: Session, campaign: Campaign, version: int) -> None:
    """Make sure that it stands at this version, and keep everybody else from changing it until the commit."""
    standing = session.scalars(
        select(Campaign)
        .where(col(Campaign.brand_id) == campaign.brand_id, col(Campaign.id) == campaign.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if standing.version == version:
        return
    last = audit.entries_of(session, campaign.brand_id, subject=campaign.slug, acts=CHANGES, most=1)
    who, what, at = (last[0].actor, last[0].act, last[0].at) if last else ("operator", "campaign.edit", None)
    raise Conflict("campaign_changed", who=who, what=what, at=at)


CHANGES = ("campaign.edit", "campaign.extend", "campaign.budget", "campaign.launch", "campaign.apply")
"""The acts that make a new version."""


def extend(session: Session, brand: Brand, campaign: Campaign, version: int, ends_at: datetime, actor: str) -> Applied:
    """Let it end later. Raises `BadInput("extend_not_later")` for an end that is no later, and as `change`."""
    if ends_at <= campaign.ends_at:
        raise BadInput("extend_not_later")

    def alter(raw: Raw) -> None:
        raw["campaign"]["ends_at"] = ends_at

    before = campaign.ends_at
    return change(session, brand, campaign, version, actor, "campaign.extend", alter, before=before, after=ends_at)


def raise_budget(
    session: Session, brand: Brand, campaign: Campaign, version: int, asset: str, more: int, actor: str
) -> Applied:
    """Put more (minor units, or pieces of an item) into a budget; the places of a trial grow with its item."""

    def alter(raw: Raw) -> None:
        trial, rewards = raw.get("trial"), raw.setdefault("rewards", {})
        if rewards.get("asset", "PTS") == asset:
            rewards["budget"] = rewards.get("budget", 0) + more
        else:
            budgets = rewards.setdefault("budgets", {})
            budgets[asset] = budgets.get(asset, 0) + more
        if trial is not None and asset == ITEM + trial["item"]:
            trial["quota"] += more

    return change(session, brand, campaign, version, actor, "campaign.budget", alter, asset=asset, more=more)


def value_of(session: Session, campaign: Campaign, field: str) -> str | int | None:
    """What a field (one of `FIELDS`) says now; None if this campaign has no such thing."""
    return _read(raw_of(session, campaign), field)


def asset_of(session: Session, campaign: Campaign, field: str) -> str | None:
    """What an amount among the fields is paid in; None for words."""
    raw = raw_of(session, campaign)
    rule = None if "." in field else _rule(raw, field)
    return str(rule.get("asset") or raw["rewards"].get("asset", "PTS")) if rule else None


def _read(raw: Mapping[str, Any], field: str) -> str | int | None:
    name, _, locale = field.partition(".")
    if locale:
        return str(raw["campaign"][name][locale])
    rule = _rule(raw, field)
    return int(rule["amount"]) if rule else None


def _rule(raw: Mapping[str, Any], to: str) -> Raw | None:
    """The first rule for this side that pays a fixed amount."""
    rules: list[Raw] = raw.get("rewards", {}).get("rules", [])
    return next((rule for rule in rules if rule["to"] == to and "amount" in rule), None)


def edit(
    session: Session, brand: Brand, campaign: Campaign, version: int, field: str, value: str | int, actor: str
) -> Applied:
    """Change one of `FIELDS`. Raises `Refused("field_missing")` if it has no such rule, and as `change`."""

    def alter(raw: Raw) -> None:
        name, _, locale = field.partition(".")
        if locale:
            raw["campaign"][name][locale] = value
            return
        rule = _rule(raw, field)
        if rule is None:
            raise Refused("field_missing")
        if field == "friend":
            _reword(raw, rule["amount"], value)
        rule["amount"] = value

    before = value_of(session, campaign, field)
    details = {"field": field, "before": before, "after": value}
    return change(session, brand, campaign, version, actor, "campaign.edit", alter, **details)


def _reword(raw: Raw, before: int, after: str | int) -> None:
    """Where the words about the friend's gift are our own, they name the new amount."""
    benefit = raw["campaign"]["benefit"]
    for locale, words in benefit.items():
        if words == i18n.text(locale, "campaign_file.friend_gets", n=before):
            benefit[locale] = i18n.text(locale, "campaign_file.friend_gets", n=int(after))


def twin(session: Session, brand: Brand, campaign: Campaign, starts_at: datetime) -> CampaignFile:
    """A campaign like this one that begins at another time; its other moments move along by as many days, and stay at
    their time of day."""
    raw = raw_of(session, campaign)
    about, zone = raw["campaign"], ZoneInfo(campaign.timezone)
    days = starts_at.astimezone(zone).date() - campaign.starts_at.astimezone(zone).date()

    def moved(at: datetime | str) -> datetime:
        was = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        return was.astimezone(zone) + days

    about["slug"] = free_slug(session, brand.id, campaign.slug)
    about["starts_at"] = starts_at
    about["ends_at"] = max(moved(_planned_end(session, campaign)), starts_at + timedelta(hours=1))
    trial = raw.get("trial", {})
    trial.update({name: moved(trial[name]) for name in ("apply_until", "draw_at") if trial.get(name)})
    return build_campaign(raw)


def _planned_end(session: Session, campaign: Campaign) -> datetime:
    """When it was to end; the row of one that was ended early says when that was."""
    found = session.get(CampaignVersion, (campaign.brand_id, campaign.id, campaign.version))
    return datetime.fromisoformat(found.document["campaign"]["ends_at"]) if found is not None else campaign.ends_at


def free_slug(session: Session, brand_id: UUID, slug: str) -> str:
    """The next free slug after this one: `spring`, `spring-2`, `spring-3`."""
    stem, _, number = slug.rpartition("-")
    stem = stem if stem and number.isdecimal() else slug
    taken = set(session.scalars(select(col(Campaign.slug)).where(col(Campaign.brand_id) == brand_id)))
    return next(name for n in range(2, len(taken) + 3) if (name := f"{stem[:36].strip('-')}-{n}") not in taken)


def duplicate(session: Session, brand: Brand, campaign: Campaign, starts_at: datetime, actor: str) -> Applied:
    """Launch (or schedule) a campaign like this one. Raises as `apply_campaign`."""
    applied = apply_campaign(session, brand, twin(session, brand, campaign, starts_at), actor=actor)
    slug = applied.campaign.slug
    audit.record(session, brand.id, actor, "campaign.duplicate", campaign.slug, into=slug)
    audit.record(session, brand.id, actor, "campaign.launch", slug, version=applied.campaign.version)
    return applied


def apply_file(session: Session, brand: Brand, file: CampaignFile, version: int, actor: str, text: str = "") -> Applied:
    """Make a campaign what a file says. `version`: of the campaign when the file was looked at, 0 if there was none.

    Raises `Conflict("campaign_changed")` if it was changed since, and as `apply_campaign`.
    """
    standing = version_of(session, brand.id, file.campaign.slug)
    if version and standing:
        hold(session, find_campaign(session, brand.id, file.campaign.slug), version)
    elif version != standing:
        raise Conflict("campaign_changed", who="operator", what="campaign.launch", at=None)
    applied = apply_campaign(session, brand, file, text=text, actor=actor)
    if applied.changed != "unchanged":
        act = "campaign.launch" if applied.changed == "created" else "campaign.apply"
        audit.record(session, brand.id, actor, act, file.campaign.slug, version=applied.campaign.version)
    return applied


def version_of(session: Session, brand_id: UUID, slug: str) -> int:
    """The version at which the campaign of this slug stands; 0 if there is none."""
    mine = select(col(Campaign.version)).where(col(Campaign.brand_id) == brand_id, col(Campaign.slug) == slug)
    return session.scalar(mine) or 0


def budgets_of(session: Session, campaign: Campaign) -> dict[str, int]:
    """Each asset the campaign pays in, with its budget as the plan says."""
    plan: Plan = plan_of(session, campaign.brand_id, campaign.id, campaign.version)
    return {asset: plan.budget_of(asset) for asset in plan.assets}
