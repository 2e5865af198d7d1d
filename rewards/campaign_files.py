"""A campaign as a TOML file: applied as often as one likes, and written back.

What stands in a file is in `examples/campaigns/`. Moments without an offset are in the campaign's own time zone.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock, i18n
from core.errors import Refused
from core.money import ITEM, Money
from referral import audit
from referral.announcing import AnnounceTerms, follow_edit
from referral.attribution.policy import AttributionTerms
from referral.brands import Brand, Community, communities_of, slugify
from referral.campaigns import Campaign, CampaignVersion, move
from referral.pictures import KEPT, is_kept
from referral.staff import OPERATOR
from referral.trials.terms import TrialTerms
from rewards import ledger, trials
from rewards.budget import watch_anew
from rewards.campaign_format import (
    LONGEST,
    CampaignFile,
    FileProblem,
    build_campaign,
    explain,
    line_of,
    oddities,
    read_campaign,
    refuse,
)
from rewards.contests.promises import keep_promises
from rewards.plan_check import Finding, check
from rewards.plans import Plan, default_name, plan_of, save_plan
from rewards.policy_check import allowed, check_file, unknown_items

__all__ = [
    "Applied",
    "CampaignFile",
    "FileProblem",
    "apply_campaign",
    "explain",
    "findings_of",
    "new_campaign",
    "read_campaign",
    "write_campaign",
]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of a file. `findings`: what the plan check warns of."""

    campaign: Campaign
    changed: Literal["created", "updated", "unchanged"]
    findings: list[Finding]


def apply_campaign(
    session: Session, brand: Brand, file: CampaignFile, *, launch: bool = True, text: str = "", actor: str = OPERATOR
) -> Applied:
    """Make the brand's campaign what the file says; the same file again changes nothing.

    A change makes a new version; who came under an older one is paid by that. The budget is topped up, or its unspent
    part returned, until it is the file's. With `launch` a draft starts, now or at `starts_at`. `actor`: who answers
    for the overrides under `[policy]`, `platform:account`.
    Raises `BadInput("campaign_file")` as `read_campaign`; `Refused`: plan_refused (findings, with the lines of `text`),
    campaign_over, campaign_started (its start cannot move any more), budget_below_spent (asset, spent, budget),
    prizes_below_spent (asset, spent, prizes, budget), kind_fixed and contest_fixed (what was published stays).
    """
    problems = oddities(file)
    if problems:
        raise refuse(problems)
    places = _places(session, brand, file)
    _see_picture(session, brand, file, text)
    findings = _check(session, brand, file, places, text)
    campaign = session.scalars(
        select(Campaign).where(col(Campaign.brand_id) == brand.id, col(Campaign.slug) == file.campaign.slug)
    ).one_or_none()
    if campaign is not None and _document_of(session, campaign) == file.document:
        before = campaign.state
        _set_off(session, campaign, launch)
        return Applied(campaign, "unchanged" if campaign.state == before else "updated", findings)
    _timely(campaign, file)
    changed: Literal["created", "updated"] = "created" if campaign is None else "updated"
    if campaign is None:
        campaign = Campaign(
            brand_id=brand.id, version=0, state="draft", created_at=clock.now(), **_columns(file, places)
        )
    else:
        keep_promises(session, campaign, file)
        for name, value in _columns(file, places).items():
            setattr(campaign, name, value)
    campaign.version += 1
    session.add(campaign)
    session.flush()
    version = CampaignVersion(
        brand_id=brand.id,
        campaign_id=campaign.id,
        version=campaign.version,
        document=file.document,
        created_at=clock.now(),
    )
    session.add(version)
    save_plan(session, brand.id, campaign.id, campaign.version, file.plan)
    _set_budgets(session, campaign, file.plan)
    trials.prepare(session, campaign, file.trial)
    _set_off(session, campaign, launch)
    if campaign.state == "running":
        follow_edit(session, campaign)
    for policy in _overrides(session, brand, file, places):
        audit.record(session, brand.id, actor, "policy.override", campaign.slug, policy=policy)
    log.info("campaign.applied", campaign=campaign.slug, version=campaign.version, changed=changed)
    return Applied(campaign, changed, findings)


def _places(session: Session, brand: Brand, file: CampaignFile) -> list[Community]:
    """The communities the campaign runs in; for an empty list all the brand has."""
    connected = {f"{place.platform}:{place.group_id}": place for place in communities_of(session, brand.id)}
    wanted = file.campaign.communities
    missing = [
        FileProblem("unknown_community", f"campaign.communities.{index}", None, {"community": name})
        for index, name in enumerate(wanted)
        if name not in connected
    ]
    if missing:
        raise refuse(missing)
    return [connected[name] for name in dict.fromkeys(wanted)] if wanted else list(connected.values())


def findings_of(session: Session, brand: Brand, file: CampaignFile) -> list[Finding]:
    """What the checks of plan and policy say of a file, refusals and warnings, before anything is applied.

    Raises `BadInput("campaign_file")` for communities that the brand has not.
    """
    return allowed(_findings(session, brand, file, _places(session, brand, file)), file.policy)[0]


def _see_picture(session: Session, brand: Brand, file: CampaignFile, text: str) -> None:
    """Refuse a picture that is not kept for the brand: a file beside the campaign's is kept by whoever reads both."""
    name = file.campaign.picture
    if name is not None and not (name.startswith(KEPT) and is_kept(session, brand.id, name)):
        where = "campaign.picture"
        raise refuse([FileProblem("unknown_picture", where, line_of(text, where), {"picture": name})])


def _check(session: Session, brand: Brand, file: CampaignFile, places: Sequence[Community], text: str) -> list[Finding]:
    found = allowed(_findings(session, brand, file, places), file.policy)[0]
    findings = [replace(one, line=line_of(text, one.where)) if one.where else one for one in found]
    refused = [finding for finding in findings if finding.severity == "refuse"]
    if refused:
        raise Refused("plan_refused", findings=refused)
    return findings


def _overrides(session: Session, brand: Brand, file: CampaignFile, places: Sequence[Community]) -> list[str]:
    """The names of what the file allows under `[policy]` that would be refused without it."""
    return allowed(_findings(session, brand, file, places), file.policy)[1]


def _findings(session: Session, brand: Brand, file: CampaignFile, places: Sequence[Community]) -> list[Finding]:
    platforms = frozenset(place.platform for place in places)
    found = [
        *check(file.plan, file.qualify.event, platforms),
        *check_file(file, platforms),
        *unknown_items(session, brand.id, file.plan),
        *(trials.findings(session, brand.id, file.trial) if file.trial else ()),
    ]
    places_of = f"rewards.budgets.{ITEM}{file.trial.item}" if file.trial else None
    return [one for one in found if (one.code, one.where) != ("budget_unused", places_of)]


def _timely(campaign: Campaign | None, file: CampaignFile) -> None:
    """Refuse what comes too late."""
    now = clock.now()
    if campaign is not None and campaign.state in ("ended", "settled"):
        raise Refused("campaign_over", slug=campaign.slug)
    begun = campaign is not None and campaign.state in ("running", "paused")
    if begun and file.campaign.starts_at > now:
        raise Refused("campaign_started", slug=file.campaign.slug)
    if file.campaign.ends_at <= now:
        raise refuse([FileProblem("ends_in_past", "campaign.ends_at")])


def _columns(file: CampaignFile, places: Sequence[Community]) -> dict[str, Any]:
    about = file.campaign
    return {
        "slug": about.slug,
        "kind": about.kind,
        "title": about.title.model_dump(),
        "benefit": about.benefit.model_dump(),
        "timezone": about.timezone,
        "starts_at": about.starts_at,
        "ends_at": about.ends_at,
        **file.qualify.model_dump(),
        "communities": [str(place.id) for place in places] if about.communities else [],
        "picture": about.picture,
    }


def _document_of(session: Session, campaign: Campaign) -> dict[str, Any] | None:
    found = session.get(CampaignVersion, (campaign.brand_id, campaign.id, campaign.version))
    return found.document if found else None


def _set_budgets(session: Session, campaign: Campaign, plan: Plan) -> None:
    """Make each asset's budget the plan's; what the plan no longer pays in goes back as far as it is unspent."""
    known = ledger.balances_of(session, campaign.brand_id, campaign.id)
    assets = dict.fromkeys((*plan.assets, *(asset for purpose, asset in known if purpose == ledger.Purpose.BUDGET)))
    for asset in assets:
        _set_budget(session, campaign, plan, asset)


def _set_budget(session: Session, campaign: Campaign, plan: Plan, asset: str) -> None:
    budget, prizes, own = plan.budget_of(asset), plan.reserve(asset), asset == plan.asset
    account = ledger.Account(campaign.brand_id, campaign.id, ledger.Purpose.BUDGET, asset)
    unspent = ledger.take_stock(session, [account])[account]
    funded = ledger.funded(session, campaign.brand_id, campaign.id, asset)
    more, cause = budget - funded, (campaign.brand_id, campaign.id, asset)
    reference = f"{campaign.id}/{campaign.version}" + ("" if own else f"/{asset}")
    if prizes and unspent + more < prizes:
        figures = {"spent": funded - unspent, "prizes": prizes, "budget": budget}
        raise Refused("prizes_below_spent", asset=asset, **{n: Money(value, asset) for n, value in figures.items()})
    if more:
        watch_anew(session, *cause)
    if more > 0:
        ledger.fund(session, *cause, more, f"fund/{reference}")
    elif -more > unspent:
        raise Refused("budget_below_spent", asset=asset, spent=funded - unspent, budget=budget)
    elif more < 0:
        ledger.unfund(session, *cause, -more, f"unfund/{reference}")


def _set_off(session: Session, campaign: Campaign, launch: bool) -> None:
    """Start what is to start: a draft when told to, a scheduled campaign when its time was moved to the past."""
    due = campaign.starts_at <= clock.now()
    if campaign.state == "draft" and launch:
        move(session, campaign, "launch" if due else "schedule")
    elif campaign.state == "scheduled" and due:
        move(session, campaign, "launch")


def new_campaign(
    session: Session,
    brand: Brand,
    title: str,
    *,
    advocate: int,
    friend: int,
    budget: int,
    days: int = 30,
    stay_days: int = 7,
    hold_days: int = 3,
) -> Applied:
    """A campaign from a few words of a chat, running from now on for `days` in all of the brand's communities.

    `advocate` and `friend`: points each gets (0: nothing). Raises as `apply_campaign`.
    """
    taken = set(session.scalars(select(col(Campaign.slug)).where(col(Campaign.brand_id) == brand.id)))
    stem = slugify(title)[:36].strip("-")
    slug = next(name for n in range(1, len(taken) + 3) if (name := stem if n == 1 else f"{stem}-{n}") not in taken)
    now = clock.now()
    sides = [("advocate", advocate), ("friend", friend)]
    raw = {
        "campaign": {
            "slug": slug,
            "title": dict.fromkeys(i18n.LOCALES, title),
            "benefit": {locale: _benefit(locale, friend) for locale in i18n.LOCALES},
            "timezone": brand.timezone,
            "starts_at": now,
            "ends_at": now + timedelta(days=days) if 0 < days <= LONGEST.days else now,
        },
        "qualify": {"event": "retained", "stay_days": stay_days, "window_days": max(30, min(365, 2 * stay_days))},
        "rewards": {
            "budget": budget,
            "rules": [{"to": to, "amount": amount, "hold_days": hold_days} for to, amount in sides if amount],
        },
    }
    return apply_campaign(session, brand, build_campaign(raw))


def _benefit(locale: str, points: int) -> str:
    return (
        i18n.text(locale, "campaign_file.friend_gets", n=points)
        if points
        else i18n.text(locale, "campaign_file.welcome")
    )


def write_campaign(session: Session, campaign: Campaign) -> str:
    """The campaign as a file. Reading and applying it again changes nothing."""
    plan = plan_of(session, campaign.brand_id, campaign.id, campaign.version)
    zone = ZoneInfo(campaign.timezone)
    names = {
        str(place.id): f"{place.platform}:{place.group_id}" for place in communities_of(session, campaign.brand_id)
    }
    places = [names[place] for place in campaign.communities if place in names]
    policy = (_document_of(session, campaign) or {}).get("policy", {})
    parts = {
        "campaign": {
            **{name: _toml(getattr(campaign, name)) for name in ("slug", "kind", "title", "benefit", "timezone")},
            "starts_at": campaign.starts_at.astimezone(zone).isoformat(),
            "ends_at": campaign.ends_at.astimezone(zone).isoformat(),
            "communities": _toml(places),
            **({"picture": _toml(campaign.picture)} if campaign.picture else {}),
        },
        "qualify": {name: _toml(getattr(campaign, name)) for name in ("event", "stay_days", "window_days")},
        "rewards": _rewards(plan),
        "payout": {name: _toml(value) for name, value in plan.payout.model_dump(exclude_defaults=True).items()},
        "policy": {name: _toml(value) for name, value in policy.items() if value},
        **_sections(_document_of(session, campaign) or {}),
    }
    written = (_table(name, values) for name, values in parts.items() if values)
    return "\n".join(written)


def _sections(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """What a kind of campaign has of its own, and what it announces otherwise than usual."""
    found: dict[str, dict[str, Any] | None] = {"contest": document.get("contest")}
    if document.get("trial"):
        found["trial"] = TrialTerms.model_validate(document["trial"]).model_dump(mode="json", exclude_defaults=True)
    if document.get("attribution") is not None:
        terms = AttributionTerms.model_validate(document["attribution"])
        # An empty section would say nothing, but that there is one means something.
        found["attribution"] = terms.model_dump(exclude_defaults=True) or {"model": terms.model}
    found["announce"] = AnnounceTerms.model_validate(document.get("announce") or {}).model_dump(exclude_defaults=True)
    return {kind: {name: _toml(value) for name, value in said.items()} for kind, said in found.items() if said}


def _rewards(plan: Plan) -> dict[str, str]:
    """What differs from the defaults, a rule on each line."""
    said = plan.model_dump(exclude_defaults=True, exclude={"payout", "rules"})
    rules = ",\n".join(f"  {_inline(rule)}" for rule in _rules(plan))
    return {
        **{name: _toml(value) for name, value in ({"asset": plan.asset, "budget": plan.budget} | said).items()},
        "rules": f"[\n{rules}\n]" if rules else "[]",
    }


def _rules(plan: Plan) -> Iterator[dict[str, Any]]:
    sides: Counter[str] = Counter()
    for rule in plan.rules:
        sides[rule.to] += 1
        said = rule.model_dump(mode="json", exclude_defaults=True)
        if rule.name == default_name(rule.to, sides[rule.to]):
            del said["name"]
        yield said


def _table(name: str, values: dict[str, str]) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


def _inline(values: dict[str, Any]) -> str:
    return "{ " + ", ".join(f"{_key(key)} = {_toml(value)}" for key, value in values.items()) + " }"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)


def _toml(value: Any) -> str:
    """JSON's texts, numbers and booleans are TOML's too."""
    if isinstance(value, dict):
        return _inline(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value, ensure_ascii=False)
