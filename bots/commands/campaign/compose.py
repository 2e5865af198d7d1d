"""From the answers of a wizard to a campaign file: the one way by which a campaign from a chat comes to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from bots.commands.campaign.steps_common import Length
from bots.commands.campaign.steps_trial import PARCEL, document_of
from bots.drafts import CampaignDraft
from core import i18n
from core.money import ITEM
from referral.brands import Brand, communities_of, slugify
from referral.campaigns import Campaign
from rewards.campaign_format import FileProblem, refuse
from rewards.items.items import Item, ItemForm
from rewards.plans import REACH_WINNERS

STEM = 30
"""Characters of a slug that come from the title."""
WINDOW_DAYS = 30
HOLD_CONTEST, HOLD_PURCHASE = 3, 7
"""Days a reward waits in kinds of campaign that do not ask: what was bought may come back for a week."""
TRIAL_WINDOW_DAYS = 180
"""So long after they came an applicant's place, parcel, feedback and purchase may still count for the friend."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A campaign file's values, and the item to be put into the catalogue before it is applied."""

    raw: dict[str, Any]
    item: ItemForm | None = None


def compose(session: Session, brand: Brand, draft: CampaignDraft, given: Mapping[str, Any], now: datetime) -> Composed:
    """What these answers (read by their questions) come to when the campaign is launched now."""
    starts_at = max(now, given["start"] or now)
    ends_at = _ends(given["end"], starts_at)
    titles = _titles(draft.locale, given)
    slug = _free_slug(session, brand, draft, titles)
    about = {
        "slug": slug,
        "kind": draft.kind,
        "title": titles,
        "timezone": brand.timezone,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "communities": _places(session, brand, given.get("places", ())),
    }
    if given.get("picture"):
        about["picture"] = given["picture"]
    made = {"referral": _referral, "trial": _trial, "contest": _contest}[draft.kind](session, brand, draft, given, slug)
    return replace(made, raw={**made.raw, "campaign": {**about, **made.raw["campaign"]}})


def _referral(session: Session, brand: Brand, draft: CampaignDraft, given: Mapping[str, Any], slug: str) -> Composed:
    friend = given["friend"]
    benefit = _benefit(draft, given) or {
        locale: i18n.text(locale, "campaign_file.friend_gets", n=friend)
        if friend
        else i18n.text(locale, "campaign_file.welcome")
        for locale in i18n.LOCALES
    }
    sides = [("advocate", given["advocate"]), ("friend", friend)]
    rules = [{"to": to, "amount": amount, "hold_days": given["hold"]} for to, amount in sides if amount]
    budget = (given["advocate"] + friend) * given["friends"]
    return Composed(
        {
            "campaign": {"benefit": benefit},
            "qualify": _qualify(given),
            "rewards": {"budget": budget, "cap": given["cap"], "rules": rules},
        }
    )


def _trial(session: Session, brand: Brand, draft: CampaignDraft, given: Mapping[str, Any], slug: str) -> Composed:
    by, quota, points = given.get("by", PARCEL), given["quota"], given["advocate"]
    item = _parcel(session, brand, draft, given, slug) if by == PARCEL else None
    item_slug = item.slug if item is not None else by.removeprefix("=")
    tried = item.title if item is not None else _item_title(session, brand, item_slug)
    trial = {
        "quota": quota,
        "item": item_slug,
        "approve": given["approve"],
        "friends": given.get("ahead", 0),
        "questions": document_of(given["questions"]),
        "take_hours": 24 * given["take"],
        "feedback_days": given["feedback"],
    }
    hold = HOLD_PURCHASE if given["earn"] == "purchased" else 0
    rules = [{"to": "advocate", "amount": points, "hold_days": hold}] if points else []
    return Composed(
        {
            "campaign": {
                "benefit": {
                    locale: i18n.text(locale, "wizard.benefit.trial", item=i18n.pick(tried, locale))
                    for locale in i18n.LOCALES
                }
            },
            "qualify": {"event": given["earn"], "window_days": TRIAL_WINDOW_DAYS},
            "trial": trial,
            "rewards": {
                "budget": points * quota,
                "budgets": {ITEM + item_slug: quota},
                "rules": rules,
                **({"cap": given["cap"]} if points else {}),
            },
        },
        item,
    )


def _contest(session: Session, brand: Brand, draft: CampaignDraft, given: Mapping[str, Any], slug: str) -> Composed:
    prizes, points = given["prizes"], given["advocate"]
    reserve = sum(_winners(prize) * prize["amount"] for prize in prizes)
    teams = {"team_most": given["team"]} if given["mode"] == "teams" else {}
    hold = HOLD_PURCHASE if given["event"] == "purchased" else HOLD_CONTEST
    rules = [{"to": "advocate", "amount": points, "hold_days": hold}] if points else []
    benefit = {locale: i18n.text(locale, "wizard.benefit.contest") for locale in i18n.LOCALES}
    return Composed(
        {
            "campaign": {"benefit": benefit},
            "qualify": _qualify(given),
            "contest": {"mode": given["mode"], **teams},
            "rewards": {"budget": reserve + points * given.get("friends", 0), "prizes": prizes, "rules": rules},
        }
    )


def _winners(prize: Mapping[str, Any]) -> int:
    return REACH_WINNERS if "reach" in prize else int(prize["last"] - prize["first"] + 1)


def _qualify(given: Mapping[str, Any]) -> dict[str, Any]:
    stay = given.get("days")
    window = max(WINDOW_DAYS, min(365, 2 * stay)) if stay else WINDOW_DAYS
    return {"event": given["event"], "window_days": window} | ({"stay_days": stay} if stay else {})


def _titles(locale: str, given: Mapping[str, Any]) -> dict[str, str]:
    """The title in both languages: the same in both, unless another was given for the other one."""
    return {one: given["title"] if one == locale else given["other"] or given["title"] for one in i18n.LOCALES}


def _benefit(draft: CampaignDraft, given: Mapping[str, Any]) -> dict[str, str] | None:
    return dict.fromkeys(i18n.LOCALES, given["benefit"]) if given["benefit"] else None


def _ends(end: datetime | Length, starts_at: datetime) -> datetime:
    return starts_at + timedelta(days=end.days) if isinstance(end, Length) else end


def _places(session: Session, brand: Brand, chosen: tuple[UUID, ...]) -> list[str]:
    """As a file names them. One that was disconnected meanwhile is left out; if all were, nowhere must not become
    everywhere. Raises `BadInput("campaign_file")`."""
    found = [f"{one.platform}:{one.group_id}" for one in communities_of(session, brand.id) if one.id in chosen]
    if chosen and not found:
        raise refuse([FileProblem("groups_gone", "campaign.communities")])
    return found


def _free_slug(session: Session, brand: Brand, draft: CampaignDraft, titles: Mapping[str, str]) -> str:
    """From the English title where that has Latin letters, else from the kind; always the same for a draft."""
    latin = any(char.isascii() and char.isalnum() for char in titles["en"])
    stem = slugify(titles["en"])[:STEM].strip("-") if latin else draft.kind
    query = select(col(Campaign.id)).where(col(Campaign.brand_id) == brand.id, col(Campaign.slug) == stem)
    return f"{stem}-{draft.code}" if not latin or session.scalar(query) else stem


def _parcel(session: Session, brand: Brand, draft: CampaignDraft, given: Mapping[str, Any], slug: str) -> ItemForm:
    """What is posted to those who try it; it is not for sale. Called as the campaign it is so in both languages."""
    alike = given["item"] == given["title"]
    titles = _titles(draft.locale, given) if alike else dict.fromkeys(i18n.LOCALES, given["item"])
    query = select(col(Item.id)).where(col(Item.brand_id) == brand.id, col(Item.slug) == slug)
    free = slug if session.scalar(query) is None else f"{slug[:STEM]}-{draft.code}"
    return ItemForm(free, "physical", titles, {}, settings={})


def _item_title(session: Session, brand: Brand, slug: str) -> dict[str, str]:
    query = select(col(Item.title)).where(col(Item.brand_id) == brand.id, col(Item.slug) == slug)
    return session.scalar(query) or {}
