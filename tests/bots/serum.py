"""A trial of a night serum in the web chat, for the stories about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from referral.campaigns import find_campaign
from referral.members import Identity
from referral.trials import applications
from referral.trials.places import application_of
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.items import parcels, shipments
from rewards.items.items import ItemForm, save_item
from tests.dialogue import NOON, Town, open_town

QUESTIONS = [
    {
        "key": "skin",
        "text": {"en": "What is your skin like?", "zh_Hans": "你的肤质是？"},
        "choices": [{"en": "Dry", "zh_Hans": "干性"}, {"en": "Oily", "zh_Hans": "油性"}],
    },
    {"key": "why", "text": {"en": "Why would you like to try it?", "zh_Hans": "为什么想试？"}, "optional": True},
]


def open_trial(town: Town, kind: str = "physical", slug: str = "serum", **terms: Any) -> None:
    """The brand gives one night serum away; `terms` changes `[trial]`."""
    raw = {
        "campaign": {
            "slug": slug,
            "kind": "trial",
            "title": {"en": "Night serum trial", "zh_Hans": "夜间精华试用"},
            "benefit": {"en": "A full box, free.", "zh_Hans": "正装一盒，免费试用。"},
            "timezone": "Asia/Shanghai",
            "starts_at": NOON - timedelta(days=1),
            "ends_at": NOON + timedelta(days=14),
        },
        "qualify": {"event": "trial_claimed", "window_days": 10},
        "rewards": {"budget": 1000, "rules": [{"to": "advocate", "amount": 100}]},
        "announce": {"on": []},
        "trial": {"quota": 1, "item": "serum", "approve": "rule", "purchase_url": "https://mei.example/serum"} | terms,
    }
    settings = {"countries": ["HK"]} if kind == "physical" else None

    def begin(session: Session) -> None:
        title = {"en": "Night serum", "zh_Hans": "夜间精华"}
        save_item(session, town.brand.id, ItemForm("serum", kind, title, {}, settings=settings))
        apply_campaign(session, town.brand, build_campaign(raw))

    town.do(begin)


def set_stage(town: Town) -> None:
    def ship(session: Session) -> None:
        for one in shipments.shipments_of(session, town.brand.id, "ready"):
            parcels.ship(session, one, "SF Express", "SF123456")

    town.stage["The parcel leaves."] = lambda: town.do(ship)
    town.stage["A moment passes."] = lambda: None
    town.stage["Mei approves Alice."] = lambda: decides(town, "Alice", "approve", "Fits well.")
    town.stage["Mei declines Bob."] = lambda: decides(town, "Bob", "decline", "Dry skin only, this time.")


def decides(town: Town, name: str, verdict: str, reason: str) -> None:
    def unit(session: Session) -> None:
        identity = session.get_one(Identity, (town.brand.id, "webchat", name.lower()))
        campaign = find_campaign(session, town.brand.id, "serum")
        row = application_of(session, town.brand.id, campaign.id, identity.member_id)
        assert row is not None
        applications.decide(session, town.brand.id, row.id, verdict, reason, "telegram:mei")

    town.do(unit)


@asynccontextmanager
async def open_trial_town(tmp_path: Path, locale: str, kind: str = "physical", **terms: Any) -> AsyncIterator[Town]:
    async with open_town(tmp_path, locale, campaign=False) as town:
        open_trial(town, kind, **terms)
        set_stage(town)
        yield town
