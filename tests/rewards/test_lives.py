"""A campaign of each kind goes through its whole life while whoever leads it dies at every step, or two lead it at the
same time; each effect is there exactly once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from core import clock
from core.db import table
from referral import audit
from referral.announcing import log_of
from referral.brands import connect, create_brand
from referral.campaigns import Campaign
from referral.lifecycle import CampaignTimer
from rewards.campaign_files import apply_campaign
from rewards.campaign_format import build_campaign
from rewards.ledger import Transfer
from rewards.verify import verify
from tests.house import House, later
from tests.referral.town import Town
from tests.rewards.arena import Arena, contest_file, open_arena
from tests.rewards.mortal import Deaths, Wall
from tests.rewards.tasting import open_tasting

DAY = timedelta(days=1)


@pytest.fixture
def deaths(house: House, tmp_path: Path) -> Deaths:
    return Deaths(house.url, Wall(tmp_path / "wall"))


def log(house: House, campaign: Campaign) -> list[tuple[str, str, str | None]]:
    """(what, state, reason) of every announcement."""
    return [(row.what, row.state, row.reason) for row, _ in house.ask(lambda session: log_of(session, campaign))]


def state(house: House, campaign: Campaign) -> str:
    return house.ask(lambda session: session.get_one(Campaign, (campaign.brand_id, campaign.id)).state)


def transfers(house: House) -> Counter[str]:
    """How many transfers there are of each kind."""
    return Counter(house.ask(lambda session: list(session.scalars(select(col(Transfer.kind))))))


def over(house: House, campaign: Campaign) -> None:
    """Nothing is left to be done, and the books are right."""
    assert state(house, campaign) == "settled"
    assert house.ask(lambda session: session.execute(select(table(CampaignTimer))).all()) == []
    assert house.ask(verify) == []


@pytest.mark.timeout(300)
def test_a_referral_campaign_lives_once(house: House, deaths: Deaths) -> None:
    now = clock.now()
    raw = {
        "campaign": {
            "slug": "spring",
            "title": {"en": "Spring tea", "zh_Hans": "春茶会"},
            "benefit": {"en": "A free cup for you.", "zh_Hans": "送你一杯新茶。"},
            "starts_at": now + DAY,
            "ends_at": now + 10 * DAY,
        },
        "qualify": {"event": "retained", "stay_days": 3},
        "rewards": {"budget": 1000, "rules": [{"to": "advocate", "amount": 100, "hold_days": 3}]},
    }

    def build(session: Session) -> Town:
        brand = create_brand(session, "Acme", locale="en")
        groups = [connect(session, brand.id, "telegram", f"-10{n}", f"Group {n}") for n in range(2)]
        campaign = apply_campaign(session, brand, build_campaign(raw)).campaign
        return Town(house, brand, campaign, *groups)

    town = house.do(build)
    deaths.until(days=1)
    assert state(house, town.campaign) == "running"
    with later(days=5):
        town.brings("Alice", "Bob")
        town.brings("Alice", "Cem")
    deaths.together(days=9)
    deaths.until(days=10)
    assert state(house, town.campaign) == "ended"
    deaths.until(days=13)
    deaths.together(days=14)
    over(house, town.campaign)
    assert transfers(house) == {"fund": 1, "grant": 2, "release": 2, "unfund": 1}
    each = [("start", "sent", None), ("reminder", "sent", None), ("end", "sent", None), ("results", "sent", None)]
    assert sorted(log(house, town.campaign)) == sorted(2 * each)
    assert len(deaths.wall.posts()) == 8
    assert len({call["key"] for call in deaths.wall.calls("pin")}) == 2
    assert len({call["key"] for call in deaths.wall.calls("unpin")}) == 2
    assert deaths.kills > 15


@pytest.mark.timeout(300)
def test_a_contest_is_frozen_and_pays_its_prizes_once(house: House, deaths: Deaths) -> None:
    arena: Arena = open_arena(house, campaign=contest_file()["campaign"])
    deaths.until(minutes=1)
    arena.brings("Alice", 2)
    arena.brings("Bob")
    deaths.together(days=6, minutes=1)
    deaths.until(days=7, minutes=1)
    assert state(house, arena.campaign) == "ended"
    deaths.until(days=8, minutes=5)
    deaths.until(days=40)
    over(house, arena.campaign)
    assert arena.won() == {"Alice": 300, "Bob": 100}
    found = arena.result()
    assert found is not None
    assert found.revision == 1
    assert arena.replay().differences == ()
    assert sorted(log(house, arena.campaign)) == sorted(
        [("start", "sent", None), ("reminder", "sent", None), ("end", "sent", None), ("results", "sent", None)]
    )
    assert len(deaths.wall.posts()) == 4
    assert Counter(transfers(house))["unfund"] == 1


@pytest.mark.timeout(300)
def test_a_trial_passes_its_place_on_and_ends_once(house: House, deaths: Deaths) -> None:
    town = open_tasting(house, "promo_code", trial__quota=1, trial__take_hours=24)
    deaths.until(minutes=1)
    town.brings("Lan", "Cem")
    assert town.applies("Bob") == "approved"
    assert town.applies("Cem") == "waiting"
    deaths.until(hours=25)
    assert town.states("Bob", "Cem") == "lapsed approved"
    with later(hours=30):
        assert town.takes("Cem") == "delivered"
        town.reviews("Cem")
    deaths.together(days=13)
    deaths.until(days=14)
    deaths.until(days=120)
    over(house, town.campaign)
    assert [line[:3] for line in town.rewards("Lan")] == [("feedback_given", "PTS", 50), ("trial_claimed", "PTS", 100)]
    assert town.boxes() == 0
    assert sorted(what for what, _, _ in log(house, town.campaign)) == ["end", "reminder", "results", "start"]
    assert len(deaths.wall.posts()) == 4
    assert house.ask(lambda session: audit.verify_chain(session, town.brand.id)) == []
